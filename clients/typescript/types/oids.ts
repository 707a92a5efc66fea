/** `pg_type.oid` of the types that this client decodes into something else than a string. */
export const oids = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  oid: 26,
  json: 114,
  float4: 700,
  float8: 701,
  jsonb: 3802,
  // Strings unless `types` says otherwise.
  text: 25,
  varchar: 1043,
  bpchar: 1042,
  name: 19,
  uuid: 2950,
  numeric: 1700,
  date: 1082,
  time: 1083,
  timetz: 1266,
  timestamp: 1114,
  timestamptz: 1184,
  interval: 1186,
} as const;

/** Built-in array types and the type of their elements. Arrays of other types (enums, domains, composites) stay text. */
export const elementOfArray: ReadonlyMap<number, number> = new Map([
  [1000, oids.bool],
  [1001, oids.bytea],
  [1002, 18], // "char"
  [1003, oids.name],
  [1005, oids.int2],
  [1007, oids.int4],
  [1009, oids.text],
  [1014, oids.bpchar],
  [1015, oids.varchar],
  [1016, oids.int8],
  [1021, oids.float4],
  [1022, oids.float8],
  [1028, oids.oid],
  [1041, 869], // inet
  [651, 650], // cidr
  [1040, 829], // macaddr
  [775, 774], // macaddr8
  [791, 790], // money
  [1115, oids.timestamp],
  [1182, oids.date],
  [1183, oids.time],
  [1185, oids.timestamptz],
  [1187, oids.interval],
  [1231, oids.numeric],
  [1270, oids.timetz],
  [1561, 1560], // bit
  [1563, 1562], // varbit
  [143, 142], // xml
  [199, oids.json],
  [2951, oids.uuid],
  [3643, 3614], // tsvector
  [3645, 3615], // tsquery
  [3807, oids.jsonb],
  [3905, 3904], // int4range
  [3907, 3906], // numrange
  [3909, 3908], // tsrange
  [3911, 3910], // tstzrange
  [3913, 3912], // daterange
  [3927, 3926], // int8range
  [6150, 4451], // int4multirange
  [6151, 4532], // nummultirange
  [6152, 4533], // tsmultirange
  [6153, 4534], // tstzmultirange
  [6155, 4535], // datemultirange
  [6157, 4536], // int8multirange
]);

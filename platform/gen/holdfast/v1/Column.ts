// Original file: proto/holdfast/v1/database.proto


export interface Column {
  'name'?: (string);
  /**
   * pg_type.oid: 23 is int4, 25 text, 1184 timestamptz …
   */
  'typeOid'?: (number);
  /**
   * pg_attribute.atttypmod: length, precision and scale; -1 when the type has none.
   */
  'typeModifier'?: (number);
}

export interface Column__Output {
  'name': (string);
  /**
   * pg_type.oid: 23 is int4, 25 text, 1184 timestamptz …
   */
  'typeOid': (number);
  /**
   * pg_attribute.atttypmod: length, precision and scale; -1 when the type has none.
   */
  'typeModifier': (number);
}

import {
  loadSync,
  type AnyDefinition,
  type MessageTypeDefinition,
  type PackageDefinition,
} from '@grpc/proto-loader';
import { protoPath as healthProto } from 'grpc-health-check';
import descriptor, {
  type IDescriptorProto,
  type IFileDescriptorProto,
} from 'protobufjs/ext/descriptor/index.js';
import { loadContract, loaderOptions } from './contract.ts';

/**
 * The contract, and that of health checks, with file descriptors that strict readers of server reflection (grpcurl, buf) take. protobufjs writes one file for each package,
 * says of none what it imports, shortens the names of types, and names the entries of a map differently from protoc.
 */
export function loadReflectedContract(): PackageDefinition {
  const options = { ...loaderOptions, keepCase: true };
  return { ...mend(loadContract(options)), ...mend(loadSync(healthProto, options)) };
}

function mend(contract: PackageDefinition): PackageDefinition {
  const files = new Map<Buffer, IFileDescriptorProto>();
  for (const { fileDescriptorProtos } of Object.values(contract).filter(isType)) {
    for (const bytes of fileDescriptorProtos) files.set(bytes, decode(bytes));
  }
  const fileOf = new Map<string, IFileDescriptorProto>();
  for (const file of files.values()) {
    for (const message of file.messageType ?? []) mendMaps(message);
    for (const name of typesOf(file)) fileOf.set(name, file);
  }
  for (const file of files.values()) qualify(file, fileOf);
  const mended = new Map([...files].map(([bytes, file]) => [bytes, encode(file)]));
  const reflected: PackageDefinition = {};
  for (const [name, definition] of Object.entries(contract)) {
    reflected[name] = definition;
    if (!isType(definition)) continue;
    const fileDescriptorProtos = definition.fileDescriptorProtos.map(
      (bytes) => mended.get(bytes) ?? bytes,
    );
    reflected[name] = { ...definition, fileDescriptorProtos };
  }
  return reflected;
}

type TypeDefinition = MessageTypeDefinition<object, object>;
const isType = (definition: AnyDefinition): definition is TypeDefinition =>
  typeof definition.format === 'string';

const { FileDescriptorProto } = descriptor;
const decode = (bytes: Buffer): IFileDescriptorProto =>
  FileDescriptorProto.toObject(FileDescriptorProto.decode(bytes));
const encode = (file: IFileDescriptorProto): Buffer =>
  Buffer.from(FileDescriptorProto.encode(FileDescriptorProto.fromObject(file)).finish());

function mendMaps(message: IDescriptorProto): void {
  for (const nested of message.nestedType ?? []) {
    mendMaps(nested);
    const { name } = nested;
    if (nested.options?.mapEntry !== true || name?.endsWith('Entry') !== false) continue;
    nested.name = `${name}Entry`;
    for (const field of message.field ?? []) {
      if (field.typeName?.split('.').at(-1) === name) field.typeName = `${field.typeName}Entry`;
    }
  }
}

/** Full names of all messages and enums of a file. */
function typesOf(file: IFileDescriptorProto): string[] {
  const within = (scope: string, { name, nestedType, enumType }: IDescriptorProto): string[] => {
    const own = `${scope}.${name}`;
    return [
      own,
      ...(enumType ?? []).map((each) => `${own}.${each.name}`),
      ...(nestedType ?? []).flatMap((each) => within(own, each)),
    ];
  };
  const scope = file.package ?? '';
  return [
    ...(file.enumType ?? []).map(({ name }) => `${scope}.${name}`),
    ...(file.messageType ?? []).flatMap((each) => within(scope, each)),
  ];
}

/** Spells out every type of a field and its name in JSON, and says which files the types are from. */
function qualify(
  file: IFileDescriptorProto,
  fileOf: ReadonlyMap<string, IFileDescriptorProto>,
): void {
  const imports = new Set<string>();
  const resolve = (scope: string, typeName: string): string => {
    if (typeName.startsWith('.')) return typeName;
    for (let within = scope; ; within = within.slice(0, Math.max(0, within.lastIndexOf('.')))) {
      const full = within === '' ? typeName : `${within}.${typeName}`;
      const from = fileOf.get(full);
      if (from === undefined && within !== '') continue;
      if (from !== undefined && from !== file) imports.add(from.name ?? '');
      return `.${full}`;
    }
  };
  const inMessage = (scope: string, { name, field, nestedType }: IDescriptorProto): void => {
    const own = `${scope}.${name}`;
    for (const each of field ?? []) {
      each.jsonName = camelCase(each.name ?? '');
      if (each.typeName) each.typeName = resolve(own, each.typeName);
    }
    for (const each of nestedType ?? []) inMessage(own, each);
  };
  const scope = file.package ?? '';
  for (const message of file.messageType ?? []) inMessage(scope, message);
  for (const { method } of file.service ?? []) {
    for (const each of method ?? []) {
      if (each.inputType) each.inputType = resolve(scope, each.inputType);
      if (each.outputType) each.outputType = resolve(scope, each.outputType);
    }
  }
  file.dependency = [...imports];
}

/** Names in JSON, as protoc derives them. */
const camelCase = (name: string): string =>
  name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());

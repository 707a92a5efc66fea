import type { Framing, MessageName } from './framer.ts';

/** Both directions of a connection to PostgreSQL: each has to know what the other one has said. */
export interface PostgresFraming {
  readonly client: Framing;
  readonly server: Framing;
}

const codes: Readonly<Record<number, string>> = {
  80877102: 'CancelRequest',
  80877103: 'SSLRequest',
  80877104: 'GSSENCRequest',
};

const clientTypes: Readonly<Record<string, string>> = {
  B: 'Bind',
  C: 'Close',
  d: 'CopyData',
  c: 'CopyDone',
  f: 'CopyFail',
  D: 'Describe',
  E: 'Execute',
  H: 'Flush',
  F: 'FunctionCall',
  P: 'Parse',
  p: 'PasswordMessage',
  Q: 'Query',
  S: 'Sync',
  X: 'Terminate',
};

const serverTypes: Readonly<Record<string, string>> = {
  R: 'Authentication',
  K: 'BackendKeyData',
  2: 'BindComplete',
  3: 'CloseComplete',
  C: 'CommandComplete',
  d: 'CopyData',
  c: 'CopyDone',
  G: 'CopyInResponse',
  H: 'CopyOutResponse',
  W: 'CopyBothResponse',
  D: 'DataRow',
  I: 'EmptyQueryResponse',
  E: 'ErrorResponse',
  V: 'FunctionCallResponse',
  v: 'NegotiateProtocolVersion',
  n: 'NoData',
  N: 'NoticeResponse',
  A: 'NotificationResponse',
  t: 'ParameterDescription',
  S: 'ParameterStatus',
  1: 'ParseComplete',
  s: 'PortalSuspended',
  Z: 'ReadyForQuery',
  T: 'RowDescription',
};

/** The largest message that PostgreSQL sends or takes. */
const maxLength = 0x3fffffff;

/** Cuts the wire protocol 3 into messages, and remembers what prepared statements and portals stand for. */
export function postgresFraming(): PostgresFraming {
  const conversation = new Conversation();
  return {
    client: {
      scan: scanner((first) => conversation.clientHeader(first)),
      seen: (bytes) => conversation.clientSaid(bytes),
      describe: (bytes) => conversation.describeClient(bytes),
    },
    server: {
      scan: scanner((first) => conversation.serverHeader(first)),
      seen: (bytes) => conversation.serverSaid(bytes),
      describe: (bytes) => describeServer(bytes),
    },
  };
}

type Header = 'typed' | 'untyped' | 'one-byte' | 'opaque';

/** Where the length stands depends on what was said before: asked at the first byte of each message. */
function scanner(headerFor: (firstByte: number) => Header): Framing['scan'] {
  let header: Header | undefined;
  let read = 0;
  let length = 0;
  return (bytes, from) => {
    header ??= headerFor(bytes[from] as number);
    if (header === 'opaque') return Number.NaN;
    const headerBytes = header === 'typed' ? 5 : 4;
    let at = from;
    if (header === 'one-byte') {
      at += 1;
    } else {
      for (; read < headerBytes && at < bytes.length; read += 1, at += 1) {
        // The type itself is no part of the length.
        if (header === 'untyped' || read > 0) length = length * 256 + (bytes[at] as number);
        if (read === headerBytes - 1) {
          length -= 4;
          if (length < 0 || length > maxLength) return Number.NaN;
        }
      }
      const step = read < headerBytes ? 0 : Math.min(length, bytes.length - at);
      at += step;
      length -= read < headerBytes ? 0 : step;
      if (read < headerBytes || length > 0) return -1;
    }
    header = undefined;
    read = 0;
    length = 0;
    return at;
  };
}

/** What both sides have said so far, as far as it decides how to read on. */
class Conversation {
  /** No byte of type before messages until StartupMessage. */
  #started = false;
  /** SSLRequest or GSSENCRequest, answered by one byte. */
  #asked = false;
  #encrypted = false;
  readonly #statements = new Map<string, string>();
  readonly #portals = new Map<string, string>();

  clientHeader(first: number): Header {
    // TLS without asking: its handshake.
    if (!this.#started && first === 0x16) this.#encrypted = true;
    if (this.#encrypted) return 'opaque';
    return this.#started ? 'typed' : 'untyped';
  }

  serverHeader(first: number): Header {
    if (this.#encrypted) return 'opaque';
    // A server that knows no such request answers it with an error.
    return this.#asked && first !== 0x45 ? 'one-byte' : 'typed';
  }

  clientSaid(bytes: Buffer): void {
    if (!this.#started) return this.#opening(bytes);
    const type = String.fromCharCode(bytes[0] as number);
    if (type === 'P') {
      const [name, sql] = texts(bytes, 5, 2);
      this.#statements.set(name, sql);
    } else if (type === 'B') {
      const [portal, statement] = texts(bytes, 5, 2);
      this.#portals.set(portal, this.#statements.get(statement) ?? '');
    } else if (type === 'C') {
      const [name] = texts(bytes, 6, 1);
      (bytes[5] === 0x53 ? this.#statements : this.#portals).delete(name);
    }
  }

  serverSaid(bytes: Buffer): void {
    if (!this.#asked) return;
    this.#asked = false;
    this.#encrypted = bytes.length === 1 && 'SG'.includes(bytes.toString('latin1'));
  }

  describeClient(bytes: Buffer): MessageName {
    const code = bytes.length < 8 ? 0 : bytes.readUInt32BE(4);
    // Later messages have their type before the length: their first byte is never 0.
    if (bytes[0] === 0) return describeOpening(codes[code] ?? 'StartupMessage', bytes);
    const type = String.fromCharCode(bytes[0] as number);
    return { type: clientTypes[type] ?? type, text: this.#textOf(type, bytes) };
  }

  #opening(bytes: Buffer): void {
    const name = bytes.length < 8 ? undefined : codes[bytes.readUInt32BE(4)];
    if (name === 'SSLRequest' || name === 'GSSENCRequest') this.#asked = true;
    else this.#started = true;
  }

  #textOf(type: string, bytes: Buffer): string {
    switch (type) {
      case 'Q':
        return texts(bytes, 5, 1)[0];
      case 'P':
        return texts(bytes, 5, 2)[1];
      case 'B':
        return this.#statements.get(texts(bytes, 5, 2)[1]) ?? '';
      case 'E':
        return this.#portals.get(texts(bytes, 5, 1)[0]) ?? '';
      default:
        return '';
    }
  }
}

function describeOpening(type: string, bytes: Buffer): MessageName {
  if (type === 'CancelRequest' && bytes.length >= 12) {
    return { type, text: String(bytes.readUInt32BE(8)) };
  }
  return { type, text: '' };
}

function describeServer(bytes: Buffer): MessageName {
  if (bytes.length === 1) return { type: 'EncryptionResponse', text: bytes.toString('latin1') };
  const type = String.fromCharCode(bytes[0] as number);
  return { type: serverTypes[type] ?? type, text: serverText(type, bytes) };
}

function serverText(type: string, bytes: Buffer): string {
  if (type === 'C') return texts(bytes, 5, 1)[0];
  if (type === 'Z') return bytes.toString('latin1', 5, 6);
  if (type !== 'E' && type !== 'N') return '';
  const fields = bytes.toString('utf8', 5).split('\0');
  const field = (code: string): string =>
    fields.find((each) => each.startsWith(code))?.slice(1) ?? '';
  return `${field('C')} ${field('M')}`;
}

/** Texts that end with a zero byte, one after the other. */
function texts(bytes: Buffer, from: number, count: 1): [string];
function texts(bytes: Buffer, from: number, count: 2): [string, string];
function texts(bytes: Buffer, from: number, count: number): string[] {
  const found: string[] = [];
  let at = from;
  for (let index = 0; index < count; index += 1) {
    const end = bytes.indexOf(0, at);
    found.push(bytes.toString('utf8', at, end === -1 ? bytes.length : end));
    at = end === -1 ? bytes.length : end + 1;
  }
  return found;
}

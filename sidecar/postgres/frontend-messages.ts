/** A parameter as PostgreSQL takes it: text, or binary for a Buffer. */
export type Parameter = string | Buffer | null;

const chunkBytes = 64 * 1024;
const none = Buffer.alloc(0);

/**
 * Writes messages of PostgreSQL's extended query protocol, version 3, one after the other, without copying them again.
 * Belongs to one connection. https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export class FrontendMessages {
  #chunk = Buffer.allocUnsafeSlow(chunkBytes);
  #taken = 0;
  #end = 0;

  get pending(): boolean {
    return this.#end > this.#taken;
  }

  /** What was written since the last call; the bytes are the caller's from now on. */
  take(): Buffer {
    const bytes = this.#chunk.subarray(this.#taken, this.#end);
    if (this.#chunk.length > chunkBytes) {
      // Made for large parameters: what is left of its room would keep all of it.
      this.#chunk = none;
      this.#end = 0;
    }
    this.#taken = this.#end;
    return bytes;
  }

  /** An empty name is the unnamed statement. */
  parse(name: string, sql: string): void {
    const start = this.#begin(0x50, 8 + 3 * (name.length + sql.length));
    this.#cstring(name);
    this.#cstring(sql);
    this.#int16(0);
    this.#finish(start);
  }

  /** Binds the unnamed portal; all results in text. */
  bind(name: string, params: readonly Parameter[]): void {
    let most = 24 + 3 * name.length + 6 * params.length;
    let binary = false;
    for (const param of params) {
      if (param === null) continue;
      most += typeof param === 'string' ? 3 * param.length : param.length;
      binary ||= typeof param !== 'string';
    }
    const start = this.#begin(0x42, most);
    this.#int16(0); // the portal's name, empty, and the first byte of the statement's is written over it
    this.#end -= 1;
    this.#cstring(name);
    if (binary) {
      this.#int16(params.length);
      for (const param of params) this.#int16(param === null || typeof param === 'string' ? 0 : 1);
    } else {
      this.#int16(0);
    }
    this.#int16(params.length);
    for (const param of params) this.#parameter(param);
    this.#int16(0);
    this.#finish(start);
  }

  describePortal(): void {
    const start = this.#begin(0x44, 2);
    this.#chunk[this.#end++] = 0x50;
    this.#chunk[this.#end++] = 0;
    this.#finish(start);
  }

  /** Runs the unnamed portal to its end. */
  execute(): void {
    const start = this.#begin(0x45, 5);
    this.#chunk[this.#end++] = 0;
    this.#int32(0);
    this.#finish(start);
  }

  closeStatement(name: string): void {
    const start = this.#begin(0x43, 2 + 3 * name.length);
    this.#chunk[this.#end++] = 0x53;
    this.#cstring(name);
    this.#finish(start);
  }

  copyFail(): void {
    const start = this.#begin(0x66, 1);
    this.#chunk[this.#end++] = 0;
    this.#finish(start);
  }

  sync(): void {
    this.#finish(this.#begin(0x53, 0));
  }

  terminate(): void {
    this.#finish(this.#begin(0x58, 0));
  }

  #begin(code: number, most: number): number {
    this.#reserve(5 + most);
    this.#chunk[this.#end] = code;
    this.#end += 5;
    return this.#end - 4;
  }

  #finish(start: number): void {
    this.#writeInt32At(start, this.#end - start);
  }

  #reserve(bytes: number): void {
    if (this.#chunk.length - this.#end >= bytes) return;
    const pending = this.#chunk.subarray(this.#taken, this.#end);
    this.#chunk = Buffer.allocUnsafeSlow(Math.max(chunkBytes, pending.length + bytes));
    pending.copy(this.#chunk, 0);
    this.#taken = 0;
    this.#end = pending.length;
  }

  #parameter(param: Parameter): void {
    if (param === null) {
      this.#int32(-1);
    } else if (typeof param === 'string') {
      const start = this.#end;
      this.#end += 4;
      this.#text(param);
      this.#writeInt32At(start, this.#end - start - 4);
    } else {
      this.#int32(param.length);
      param.copy(this.#chunk, this.#end);
      this.#end += param.length;
    }
  }

  #cstring(text: string): void {
    this.#text(text);
    this.#chunk[this.#end++] = 0;
  }

  #text(text: string): void {
    this.#end += this.#chunk.write(text, this.#end, 'utf8');
  }

  #int16(value: number): void {
    this.#chunk[this.#end++] = (value >>> 8) & 0xff;
    this.#chunk[this.#end++] = value & 0xff;
  }

  #int32(value: number): void {
    this.#writeInt32At(this.#end, value);
    this.#end += 4;
  }

  #writeInt32At(at: number, value: number): void {
    const chunk = this.#chunk;
    chunk[at] = (value >>> 24) & 0xff;
    chunk[at + 1] = (value >>> 16) & 0xff;
    chunk[at + 2] = (value >>> 8) & 0xff;
    chunk[at + 3] = value & 0xff;
  }
}

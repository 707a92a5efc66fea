/** Words of this size are not copied into the batch. */
const largeBytes = 32 * 1024;

/** The pieces of memory that carry these commands to Redis, in RESP: each is an array of bulk strings. */
export function encodeCommands(commands: readonly (readonly Buffer[])[]): Buffer[] {
  let bound = 0;
  for (const words of commands) {
    bound += 16;
    for (const word of words) bound += 16 + (word.length < largeBytes ? word.length : 0);
  }
  const out = Buffer.allocUnsafe(bound);
  const pieces: Buffer[] = [];
  let from = 0;
  let at = 0;
  for (const words of commands) {
    at = writeCount(out, at, 0x2a /* * */, words.length);
    for (const word of words) {
      at = writeCount(out, at, 0x24 /* $ */, word.length);
      if (word.length < largeBytes) {
        at = copy(word, out, at);
      } else {
        pieces.push(out.subarray(from, at), word);
        from = at;
      }
      out[at] = 13;
      out[at + 1] = 10;
      at += 2;
    }
  }
  if (at > from) pieces.push(out.subarray(from, at));
  return pieces;
}

function writeCount(out: Buffer, at: number, type: number, count: number): number {
  out[at] = type;
  let to = at + 1;
  if (count < 10) {
    out[to] = 48 + count;
    to += 1;
  } else {
    const digits = String(count);
    to += out.write(digits, to, 'latin1');
  }
  out[to] = 13;
  out[to + 1] = 10;
  return to + 2;
}

/** Short copies are cheaper in a loop than in a call to native code. */
function copy(word: Buffer, out: Buffer, at: number): number {
  const { length } = word;
  if (length > 32) word.copy(out, at);
  else for (let index = 0; index < length; index += 1) out[at + index] = word[index] as number;
  return at + length;
}

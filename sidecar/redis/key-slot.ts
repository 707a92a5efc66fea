/** Hash slots of a Redis Cluster. */
export const slotCount = 16_384;

const crcTable = Uint16Array.from({ length: 256 }, (_, index) => {
  let crc = index << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
  return crc;
});

/** The hash slot of a key: of what stands between its first `{` and the next `}`, where that is not empty, else of all of it. */
export function keySlot(key: Buffer): number {
  const open = key.indexOf(0x7b);
  const close = open < 0 ? -1 : key.indexOf(0x7d, open + 1);
  const [from, to] = close > open + 1 ? [open + 1, close] : [0, key.length];
  let crc = 0;
  for (let at = from; at < to; at += 1) {
    crc = ((crc << 8) & 0xffff) ^ (crcTable[(crc >> 8) ^ (key[at] as number)] as number);
  }
  return crc % slotCount;
}

let tags: readonly string[] | undefined;

/** A short text whose slot is `slot`: in braces, it puts a key of ours beside one of the caller's. */
export function slotTag(slot: number): string {
  tags ??= findTags();
  return tags[slot] as string;
}

function findTags(): string[] {
  const found: string[] = Array.from({ length: slotCount });
  let missing = slotCount;
  for (let number = 0; missing > 0; number += 1) {
    const tag = number.toString(36);
    const slot = keySlot(Buffer.from(tag));
    if (found[slot] !== undefined) continue;
    found[slot] = tag;
    missing -= 1;
  }
  return found;
}

const mostCharacters = 16_384;
/** Of encodings inside one another: nobody needs more than two. */
const mostLayers = 4;

/**
 * What is wrong with the path of a request, which is added to the target's `baseUrl` and may not leave what is below it; undefined when nothing is. Servers
 * and the proxies before them decode and shorten paths in different ways, some of them twice: what any of them could take for `..` is refused.
 */
export function faultOfPath(path: string): string | undefined {
  if (path.length > mostCharacters) return `has more than ${mostCharacters} characters`;
  if (!/^[!-~]*$/.test(path)) {
    return 'has spaces, control characters or letters that a URL has to encode';
  }
  if (!/^([/?]|$)/.test(path)) return 'must begin with `/` or `?`';
  if (path.startsWith('//')) return 'begins with `//`, which is another host to some servers';
  if (/[#\\]/.test(path)) return 'has `#` or `\\`, which a URL has to encode';
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) return 'has a `%` that no two hexadecimal digits follow';
  const [before = ''] = path.split('?', 1);
  const decoded = decodedFully(before);
  if (decoded === undefined) return 'is encoded too many times over';
  if (decoded.split('').some(isControl)) return 'has an encoded control character';
  // `;` begins parameters of a segment: `..;x` is `..` to some servers.
  if (decoded.split(/[/\\]/).some((segment) => /^\.{1,2}(;|$)/.test(segment))) {
    return 'has `.` or `..` as a segment, as such or encoded';
  }
  return undefined;
}

/** Byte by byte, until nothing is encoded any more. */
function decodedFully(path: string): string | undefined {
  let text = path;
  for (let layer = 0; layer <= mostLayers; layer += 1) {
    const decoded = text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    if (decoded === text) return text;
    text = decoded;
  }
  return undefined;
}

const isControl = (character: string): boolean => character < ' ' || character === '\u007f';

/**
 * Reads PostgreSQL's text form of an array: `{1,NULL,"a \"b\""}`, nested to any depth, with or without bounds (`[2:3]={…}`, which are
 * dropped). Throws on anything else.
 */
export function parseArray(text: string, element: (text: string) => unknown): unknown[] {
  let at = text.startsWith('[') ? text.indexOf('=') + 1 : 0;

  const array = (): unknown[] => {
    const items: unknown[] = [];
    at += 1;
    if (text[at] === '}') {
      at += 1;
      return items;
    }
    for (;;) {
      items.push(item());
      const next = text[at++];
      if (next === '}') return items;
      if (next !== ',') throw malformed();
    }
  };

  const item = (): unknown => {
    const first = text[at];
    if (first === '{') return array();
    if (first === '"') return element(quoted());
    const start = at;
    while (at < text.length && text[at] !== ',' && text[at] !== '}') at += 1;
    if (at === start) throw malformed();
    const plain = text.slice(start, at);
    return plain === 'NULL' ? null : element(plain);
  };

  const quoted = (): string => {
    let value = '';
    at += 1;
    let start = at;
    for (;;) {
      const char = text[at];
      if (char === undefined) throw malformed();
      if (char === '"') break;
      if (char === '\\') {
        value += text.slice(start, at);
        at += 1;
        start = at;
      }
      at += 1;
    }
    value += text.slice(start, at);
    at += 1;
    return value;
  };

  if (text[at] !== '{') throw malformed();
  const items = array();
  if (at !== text.length) throw malformed();
  return items;
}

const malformed = (): Error => new Error('malformed array text');

import type { HttpHeader } from '../../http/http-options.ts';

const mostMs = 86_400_000;

/**
 * How long a server wants to be left alone, in ms, at most a day: `Retry-After` in seconds, or as a date, which is measured against the server's own
 * `date`, because clocks differ. Undefined when it says nothing that can be understood.
 */
export function retryAfterMs(headers: readonly HttpHeader[], wallMs: number): number | undefined {
  const text = valueOf(headers, 'retry-after')?.trim();
  if (text === undefined) return undefined;
  if (/^\d{1,12}$/.test(text)) return Math.min(mostMs, Number(text) * 1_000);
  // Every date of HTTP has a time with colons; Date.parse alone would take `-1` for a month.
  const atMs = text.includes(':') ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(atMs)) return undefined;
  const serverMs = Date.parse(valueOf(headers, 'date') ?? '');
  return Math.min(mostMs, Math.max(0, atMs - (Number.isNaN(serverMs) ? wallMs : serverMs)));
}

/** Of the first header of this name. */
export const valueOf = (headers: readonly HttpHeader[], name: string): string | undefined =>
  headers.find((header) => header.name === name)?.value;

import type { Step } from './exchange.ts';
import { profileOf } from './statement-profile.ts';

/** A statement of the sidecar's own, which no rule for callers' statements concerns; prepared from its first use. */
export const controlStatement = (sql: string): Step => ({
  profile: { ...profileOf(sql), refusal: undefined, uses: 1 },
  params: [],
  own: true,
});

import { Call } from '../../platform/call.ts';

/** A call with nothing around it. */
export const aCall = (): Call =>
  new Call({ scope: { onClose: () => () => {}, push: () => {} }, deadlineAtMs: Infinity });

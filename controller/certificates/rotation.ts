import { X509Certificate } from 'node:crypto';
import { issueAuthority, issueLeaf, type KeyedCertificate, validityOf } from './issue.ts';

/** All that the replicas share: who signs, who will sign next, whom clients believe, and what is served. */
export interface TlsState {
  readonly leaf: KeyedCertificate;
  readonly signer: KeyedCertificate;
  /** Is believed already, and does not sign yet. */
  readonly next: KeyedCertificate | undefined;
  /** PEM certificates of the authorities that clients are to believe. */
  readonly authorities: readonly string[];
}

const day = 86_400_000;

/** The next authority is made so long before the end of the one that signs. */
const announcedMs = 1_825 * day;
/** It signs from so long before that end on. A pod keeps the bundle that it was injected with: one that is four years old still believes us. */
const handoverMs = 365 * day;
/** Nobody signs before all clients that look at the bundle can have read its name. */
const knownMs = 2 * day;

/**
 * What the state must be now: the same object when nothing is due. `undefined` is no state, or one that cannot be used.
 * An authority stays in the bundle until its end, so whatever it signed verifies for as long as it lives.
 */
export async function rotate(
  state: TlsState | undefined,
  names: readonly string[],
  nowMs: number,
): Promise<TlsState> {
  const signers = await signersAt(state, nowMs);
  const believed = (state?.authorities ?? []).filter((pem) => isAlive(pem, nowMs));
  const missing = [signers.signer, signers.next]
    .flatMap((each) => (each === undefined ? [] : [each.certificate]))
    .filter((pem) => !believed.includes(pem));
  const authorities = [...missing, ...believed];
  const leaf =
    state !== undefined && isGoodLeaf(state.leaf, authorities, names, nowMs)
      ? state.leaf
      : await issueLeaf(signers.signer, names, nowMs);
  const unchanged =
    state !== undefined &&
    leaf === state.leaf &&
    signers.signer === state.signer &&
    signers.next === state.next &&
    authorities.length === state.authorities.length &&
    missing.length === 0;
  return unchanged ? state : { ...signers, authorities, leaf };
}

async function signersAt(
  state: TlsState | undefined,
  nowMs: number,
): Promise<Pick<TlsState, 'signer' | 'next'>> {
  const signer = state?.signer;
  const next = state?.next !== undefined && isUsable(state.next, nowMs) ? state.next : undefined;
  if (signer === undefined || !isUsable(signer, nowMs)) {
    // Nobody has renewed anything for years, or the Secret is gone.
    return { signer: next ?? (await issueAuthority(nowMs)), next: undefined };
  }
  const leftMs = (validityOf(signer.certificate)?.untilMs ?? 0) - nowMs;
  if (leftMs > announcedMs) return { signer, next };
  if (next === undefined) return { signer, next: await issueAuthority(nowMs) };
  const ageMs = nowMs - (validityOf(next.certificate)?.fromMs ?? nowMs);
  if (leftMs > handoverMs || ageMs < knownMs) return { signer, next };
  return { signer: next, next: undefined };
}

/** Of these names, by one who is believed, and before two thirds of its life. */
function isGoodLeaf(
  { certificate, key }: KeyedCertificate,
  authorities: readonly string[],
  names: readonly string[],
  nowMs: number,
): boolean {
  const valid = validityOf(certificate);
  if (valid === undefined || key === '') return false;
  if (nowMs >= valid.fromMs + ((valid.untilMs - valid.fromMs) * 2) / 3) return false;
  const leaf = new X509Certificate(certificate);
  return (
    names.every((name) => leaf.checkHost(name) !== undefined) &&
    authorities.some((pem) => isSignedBy(leaf, pem))
  );
}

const isSignedBy = (leaf: X509Certificate, authorityPem: string): boolean => {
  const authority = new X509Certificate(authorityPem);
  return leaf.checkIssued(authority) && leaf.verify(authority.publicKey);
};

const isUsable = ({ certificate, key }: KeyedCertificate, nowMs: number): boolean =>
  key !== '' && isAlive(certificate, nowMs);

const isAlive = (pem: string, nowMs: number): boolean => (validityOf(pem)?.untilMs ?? 0) > nowMs;

import { X509Certificate } from 'node:crypto';
import { createServer, connect, type TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { issueAuthority, issueLeaf, validityOf } from './issue.ts';
import { rotate, type TlsState } from './rotation.ts';
import { servingNames } from './serving-certificates.ts';
import { secretOfState, stateOfSecret } from './tls-secret.ts';

const day = 86_400_000;
const year = 365 * day;
const start = Date.UTC(2026, 0, 1);
const names = servingNames('holdfast-system');

/** Signatures do not change, and checking one takes a while. */
function remembered<Answer>(answer: (...texts: string[]) => Answer) {
  const known = new Map<string, Answer>();
  return (...texts: string[]): Answer => {
    const key = texts.join();
    const found = known.get(key) ?? answer(...texts);
    known.set(key, found);
    return found;
  };
}

const validity = remembered((pem = '') => validityOf(pem) ?? { fromMs: 0, untilMs: 0 });
const isSigned = remembered((leaf = '', authority = '') => {
  const certificate = new X509Certificate(leaf);
  const by = new X509Certificate(authority);
  return certificate.checkIssued(by) && certificate.verify(by.publicKey);
});

/** Whether a client with this bundle believes the certificate at an instant. */
function isBelieved(leaf: string, bundle: readonly string[], nowMs: number): boolean {
  const isValid = (pem: string): boolean =>
    validity(pem).fromMs <= nowMs && nowMs <= validity(pem).untilMs;
  return isValid(leaf) && bundle.some((pem) => isValid(pem) && isSigned(leaf, pem));
}

/** Lets years pass, round after round, and looks at every instant at all certificates that may still be shown, by bundles old and new. */
async function live(years: number, stepsMs: () => number, bundleAgeMs: number) {
  const history: { atMs: number; state: TlsState }[] = [];
  let state: TlsState | undefined;
  const unbelieved: string[] = [];
  const signers = new Set<string>();
  const leaves = new Set<string>();
  let oldest = 0;
  for (let nowMs = start; nowMs < start + years * year; nowMs += stepsMs()) {
    const before = state;
    state = await rotate(state, names, nowMs);
    if (state !== before) history.push({ atMs: nowMs, state });
    signers.add(state.signer.certificate);
    leaves.add(state.leaf.certificate);
    // As known so long ago: the last state that is at least so old, or the first.
    while ((history[oldest + 1]?.atMs ?? Infinity) <= nowMs - bundleAgeMs) oldest += 1;
    const known = history[oldest]?.state ?? state;
    // Replicas that read late show the one before.
    const shown = [state.leaf, history.at(-2)?.state.leaf ?? state.leaf];
    for (const { certificate } of shown) {
      if (validity(certificate).untilMs < nowMs) continue;
      for (const bundle of [known.authorities, state.authorities]) {
        if (!isBelieved(certificate, bundle, nowMs)) unbelieved.push(new Date(nowMs).toISOString());
      }
    }
  }
  return { unbelieved, signers: signers.size, leaves: leaves.size, state };
}

test('in thirty years every certificate that lives is believed by the bundle of a day before', async () => {
  const { unbelieved, signers, leaves, state } = await live(30, () => 4 * day, day);
  expect(unbelieved).toEqual([]);
  expect(signers).toBe(6);
  expect(leaves).toBeGreaterThan(180);
  expect(state?.authorities.length).toBeLessThanOrEqual(3);
}, 60_000);

test('a pod that was injected four years ago believes what is shown', async () => {
  const { unbelieved } = await live(15, () => 20 * day, 4 * year);
  expect(unbelieved).toEqual([]);
}, 30_000);

test('whatever the rounds are, and however long the controller was away below a month', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 3_600_000, max: 29 * day }), { minLength: 5, maxLength: 40 }),
      async (steps) => {
        let at = 0;
        const next = (): number => steps[(at += 1) % steps.length] ?? day;
        expect((await live(6, () => Math.max(next(), 12 * 3_600_000), day)).unbelieved).toEqual([]);
      },
    ),
    { numRuns: 4 },
  );
}, 60_000);

test('nothing changes while nothing is due', async () => {
  const state = await rotate(undefined, names, start);
  expect(await rotate(state, names, start + 59 * day)).toBe(state);
  const { leaf, signer } = await rotate(state, names, start + 60 * day);
  expect(leaf).not.toBe(state.leaf);
  expect(signer).toBe(state.signer);
});

test('a next authority is believed before it signs', async () => {
  const state = await rotate(undefined, names, start);
  const announced = await rotate(state, names, start + 5 * year + day);
  expect(announced.authorities).toHaveLength(2);
  expect(announced.signer).toBe(state.signer);
  expect(announced.next?.certificate).toBe(announced.authorities[0]);
});

test('an authority that was made late waits until it is known', async () => {
  const state = await rotate(undefined, names, start);
  const late = start + 9 * year + 300 * day;
  const announced = await rotate(state, names, late);
  expect((await rotate(announced, names, late + day)).signer).toBe(state.signer);
  expect((await rotate(announced, names, late + 3 * day)).signer).toBe(announced.next);
});

test('after eleven years without a round everything is new', async () => {
  const state = await rotate(undefined, names, start);
  const anew = await rotate(state, names, start + 11 * year);
  expect(anew.authorities).toHaveLength(1);
  expect(isBelieved(anew.leaf.certificate, anew.authorities, start + 11 * year)).toBe(true);
});

test.each([
  ['other names', 'elsewhere', ''],
  ['a key that is lost', 'holdfast-system', 'tls.key'],
  ['a certificate that is none', 'holdfast-system', 'tls.crt'],
  ['a bundle that does not know its signer', 'holdfast-system', 'ca.crt'],
  ['no signer', 'holdfast-system', 'signer.key'],
])('%s: made good at once', async (_title, namespace, lost) => {
  const state = await rotate(undefined, names, start);
  const kept = stateOfSecret({ ...secretOfState(state), [lost]: '' });
  const repaired = await rotate(kept, servingNames(namespace), start + day);
  expect(repaired).not.toBe(kept);
  expect(isBelieved(repaired.leaf.certificate, repaired.authorities, start + day)).toBe(true);
  expect(await rotate(repaired, servingNames(namespace), start + day)).toBe(repaired);
});

test('what the Secret holds is what was put in', async () => {
  const state = await rotate(undefined, names, start);
  expect(stateOfSecret(secretOfState(state))).toEqual(state);
  const announced = await rotate(state, names, start + 6 * year);
  expect(stateOfSecret(secretOfState(announced))).toEqual(announced);
});

test('OpenSSL takes it for a server of its names and for no other', async () => {
  const authority = await issueAuthority(Date.now());
  const { certificate, key } = await issueLeaf(authority, names, Date.now());
  const server = createServer({ cert: certificate, key }, (socket) => socket.end()).listen(0);
  await once(server, 'listening');
  const dial = async (servername: string, ca: string): Promise<string> => {
    const { port } = server.address() as AddressInfo;
    const socket: TLSSocket = connect({ host: '127.0.0.1', port, servername, ca });
    try {
      await once(socket, 'secureConnect');
      return 'believed';
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? '';
    } finally {
      socket.destroy();
    }
  };
  const other = await issueAuthority(Date.now());
  expect(await dial(names[0] ?? '', authority.certificate)).toBe('believed');
  expect(await dial(names[1] ?? '', authority.certificate + other.certificate)).toBe('believed');
  expect(await dial('holdfast.example', authority.certificate)).toBe(
    'ERR_TLS_CERT_ALTNAME_INVALID',
  );
  expect(await dial(names[0] ?? '', other.certificate)).toMatch(/UNABLE_TO_VERIFY|SELF_SIGNED/);
  server.close();
});

import { expect, test } from 'vitest';
import { discoveryService } from '../../platform/grpc/contract.ts';
import { discoveryCodec } from './discovery-codec.ts';

const { Connect } = discoveryService();

test('a snapshot is encoded once for its version, and again when it changes', () => {
  const codec = discoveryCodec();
  const snapshot = { version: 'v1', policies: [{ name: 'orders', manifest: '{}' }] };
  const bytes = codec.encodeSnapshot(snapshot);
  expect(codec.encodeSnapshot({ ...snapshot })).toBe(bytes);
  expect(codec.encodeSnapshot({ version: 'v2', policies: [] })).not.toBe(bytes);
  expect(Connect?.responseDeserialize(bytes)).toMatchObject({
    message: 'policy',
    policy: { version: 'v1', policies: [{ name: 'orders', manifest: '{}' }] },
  });
});

test('what is kept encoded is bounded, and what was used last stays', () => {
  const codec = discoveryCodec();
  const manifest = 'x'.repeat(1024 * 1024);
  const encode = (version: string) => codec.encodeSnapshot({ version, policies: [{ manifest }] });
  const [first, second] = [encode('first'), encode('second')];
  for (let at = 0; at < 62; at += 1) {
    encode(`v${at}`);
    encode('first');
  }
  expect(encode('first')).toBe(first);
  expect(encode('second')).not.toBe(second);
});

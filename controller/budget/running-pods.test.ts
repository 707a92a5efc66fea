import { expect, test } from 'vitest';
import { RunningPods } from './running-pods.ts';
import type { WatchedObject } from './watched.ts';

const pod = (uid: string, phase: string, podIP?: string): WatchedObject => ({
  metadata: { namespace: 'shop', name: 'web-0', uid },
  status: { phase, ...(podIP && { podIP }) },
});

test('pods are there from their creation until they have ended, each under its own uid', () => {
  const listeners: ((key: string, object: WatchedObject | undefined) => void)[] = [];
  const pods = new RunningPods({
    list: () => [pod('one', 'Pending')],
    onChange: (listener) => {
      listeners.push(listener);
      return () => {};
    },
  });
  const change = (object: WatchedObject | undefined): void => {
    for (const listener of listeners) listener('shop/web-0', object);
  };
  expect([pods.has('one'), pods.ip('one')]).toEqual([true, undefined]);
  change(pod('one', 'Running', '10.0.0.7'));
  expect(pods.ip('one')).toBe('10.0.0.7');
  change(pod('two', 'Running', '10.0.0.8'));
  expect([pods.has('one'), pods.ip('two')]).toEqual([false, '10.0.0.8']);
  change(pod('two', 'Failed', '10.0.0.8'));
  expect(pods.has('two')).toBe(false);
  change(undefined);
  expect(pods.has('two')).toBe(false);
});

import { expect, test } from 'vitest';
import { connect, type Holdfast } from '../connect.ts';
import { ScriptedSidecar, type ScriptedSession } from './scripted-sidecar.test-kit.ts';

const client = (sidecar: ScriptedSidecar): Holdfast =>
  connect({ address: sidecar.address, deadlineMs: 5_000 });

const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

test('the answer to an Enter that its caller has given up is given back', async () => {
  let answer = (): void => {};
  await using sidecar = await new ScriptedSidecar({
    onFrame: ({ id, request }, session) => {
      if (request !== 'enter') return { [request]: {} };
      answer = () => session.send({ id, enter: { permitId: 'late' } });
      return undefined;
    },
  }).start();
  await using holdfast = client(sidecar);
  const controller = new AbortController();
  const entering = holdfast.guard('llm').enter({ signal: controller.signal });
  await sidecar.received(1);
  controller.abort();
  await expect(entering).rejects.toMatchObject({ reason: 'CANCELLED' });
  answer();
  await expect
    .poll(() => sidecar.frames.find(({ request }) => request === 'exit')?.['exit'])
    .toMatchObject({ permitId: 'late', outcome: 'CALL_OUTCOME_DROPPED', cost: 0 });
});

test('a session with open permits outlives the news that its sidecar stops, until the last of them is exited', async () => {
  const ended: ScriptedSession[] = [];
  let permits = 0;
  await using sidecar = await new ScriptedSidecar({
    onFrame: ({ request }, session) => {
      if (request === 'enter') return { enter: { permitId: `permit ${(permits += 1)}` } };
      if (request === 'exit') ended.push(session);
      return { [request]: {} };
    },
  }).start();
  await using holdfast = client(sidecar);
  const one = await holdfast.guard('llm').enter();
  const two = await holdfast.guard('llm').enter();
  sidecar.sessions[0]?.send({ id: 0, draining: { graceMs: 1_000 } });
  await soon();
  await one.exit('success');
  await two.exit('success');
  // Both went where they were entered.
  expect(ended).toEqual([sidecar.sessions[0], sidecar.sessions[0]]);
  const three = await holdfast.guard('llm').enter();
  await three.exit('success');
  expect(sidecar.sessions).toHaveLength(2);
  expect(ended[2]).toBe(sidecar.sessions[1]);
});

/**
 * An application that spends from the budget of target `llm` until it is killed: `node spending-app.ts <address> <lanes>`. Writes a letter for each thing that it
 * was granted (`g`: a call, `r`: a reservation) and for each reservation that it is about to release (`l`). It forgets every fourth.
 */
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../clients/typescript/index.ts';

const [, , address = '', lanes] = process.argv;
const holdfast = connect({ address, deadlineMs: 1_000 });
const guard = holdfast.guard('llm');
const budget = holdfast.budget('llm');
// At once: what stands in a buffer dies with the process.
const tell = (letter: string): void => void writeSync(1, letter);
const keys = ['a', 'b', 'c'];

async function call(costKey: string, forgets: boolean): Promise<void> {
  const permit = await guard.enter({ costKey });
  tell('g');
  await sleep(Math.random() * 20);
  if (!forgets) await permit.exit(Math.random() < 0.9 ? 'success' : 'dropped');
}

async function reserve(key: string, forgets: boolean): Promise<void> {
  const reservation = await budget.reserve(0.3, { key });
  tell('r');
  await sleep(Math.random() * 20);
  if (forgets) return;
  if (Math.random() < 0.6) {
    await reservation.settle();
    return;
  }
  tell('l');
  await reservation.release();
}

async function lane(): Promise<never> {
  for (let turn = 0; ; turn += 1) {
    const key = keys[turn % keys.length] as string;
    const spend = Math.random() < 0.5 ? call : reserve;
    await spend(key, turn % 4 === 3).catch(() => {});
    await sleep(Math.random() * 15);
  }
}

await Promise.all(Array.from({ length: Number(lanes) }, lane));

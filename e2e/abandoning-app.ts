/** An application that begins two transactions on the sidecar it is told, and does not end them. */
import { connect } from '../clients/typescript/index.ts';

const db = connect({ address: process.argv[2] ?? '' }).database();
for (const tx of [await db.begin(), await db.begin()]) {
  await tx.query('insert into work values (99)');
}
process.send?.('begun');
setInterval(() => {}, 1_000);

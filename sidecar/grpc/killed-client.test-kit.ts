/** A program: an app that opens transactions and then does nothing until it is killed. `node killed-client.test-kit.ts <address> <count>` */
import { RawSession } from './raw-session.test-kit.ts';
import { StockClient } from './stock-client.test-kit.ts';

const [, program, address, countText] = process.argv;
// Knip and linters load it, too.
if (program?.endsWith('killed-client.test-kit.ts') === true && address !== undefined) {
  await openTransactions(address, Number(countText));
  process.stdout.write('open\n');
  setInterval(() => {}, 60_000);
}

async function openTransactions(address: string, count: number): Promise<void> {
  const session = new RawSession(address);
  const stock = new StockClient(address);
  const query = { sql: 'insert into items values (1)' };
  for (let id = 1; id <= count; id += 1) {
    if (id % 2 === 0) {
      session.send(
        { id, transactionId: id, begin: {} },
        { id: id + count, transactionId: id, query },
      );
      await session.answers(id, id + count);
    } else {
      const transaction = stock.transaction();
      await transaction.ask({ begin: {} });
      await transaction.ask({ query });
    }
  }
}

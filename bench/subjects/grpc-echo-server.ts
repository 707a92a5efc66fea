/** A grpc-js server that sends every message of a stream back as it came, on the socket that it is told. */
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { echoMethod } from './grpc-echo-method.ts';

const server = new Server();
server.addService(
  { Echo: echoMethod },
  {
    Echo: (stream: ServerDuplexStream<Buffer, Buffer>) => {
      stream.on('data', (bytes: Buffer) => stream.write(bytes));
      stream.on('end', () => stream.end());
    },
  },
);
server.bindAsync(process.argv[2] ?? '', ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
  process.send?.('ready');
});

/** A message of a point query's size there and back over one grpc-js stream, nothing behind it: what every session pays at least. */
import { Client, credentials } from '@grpc/grpc-js';
import { load, settings as given, type LoadSettings } from '../load.ts';
import { echoMethod } from './grpc-echo-method.ts';

const settings = given as LoadSettings & { readonly address: string };
const client = new Client(settings.address, credentials.createInsecure());
const { path, requestSerialize, responseDeserialize } = echoMethod;
const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
const waiting: (() => void)[] = [];
stream.on('data', () => waiting.shift()?.());
const message = Buffer.alloc(90);
await load(
  settings,
  () =>
    new Promise<void>((resolve) => {
      waiting.push(resolve);
      stream.write(message);
    }),
);

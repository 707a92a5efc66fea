interface Addresses {
  /** Path of the socket. */
  readonly socket: string;
  /** `127.0.0.1:port` */
  readonly tcp: string;
  readonly tokenFile: string;
}

/** Three ways to run a first query, to be pasted into a shell in the checkout. */
export const snippets = ({ socket, tcp, tokenFile }: Addresses): string => `TypeScript:

node_modules/.bin/node --input-type=module-typescript - <<'EOF'
import { connect } from '@holdfast/client';
await using holdfast = connect({ address: 'unix:${socket}' });
const { rows } = await holdfast.database().query('select 1 as one');
console.log(rows);
EOF

Python, with stock stubs:

python3 -m venv .holdfast/try && .holdfast/try/bin/pip install -q grpcio-tools
.holdfast/try/bin/python -m grpc_tools.protoc -I proto --python_out=.holdfast/try --grpc_python_out=.holdfast/try \\
  google/rpc/status.proto holdfast/v1/common.proto holdfast/v1/database.proto holdfast/v1/redis.proto
PYTHONPATH=.holdfast/try .holdfast/try/bin/python - <<'EOF'
import grpc
from holdfast.v1 import database_pb2, database_pb2_grpc
db = database_pb2_grpc.DatabaseStub(grpc.insecure_channel('unix:${socket}'))
print(db.Query(database_pb2.QueryRequest(sql='select 1 as one')))
EOF

grpcurl:

grpcurl -plaintext -H "authorization: Bearer $(cat '${tokenFile}')" -d '{"sql": "select 1 as one"}' ${tcp} holdfast.v1.Database/Query
`;

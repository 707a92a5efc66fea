"""PostgreSQL and Redis through the Holdfast sidecar, with nothing but stock gRPC stubs.

    pip install -r requirements.txt && ./generate.sh
    python example.py unix:../../.holdfast/run/holdfast.sock
"""

import queue
import sys

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from holdfast.v1 import common_pb2, database_pb2, database_pb2_grpc, redis_pb2, redis_pb2_grpc

SECONDS = 10  # Every call has a deadline; the sidecar cancels the statement when it passes.


def value(python):
    """A parameter. Types without a kind of their own travel as text, in PostgreSQL's spelling: '{1,2}', '2026-01-31'."""
    if python is None:
        return common_pb2.Value(null=common_pb2.NULL)
    kind = {bool: "bool", int: "int", float: "double", bytes: "bytes"}.get(type(python), "text")
    return common_pb2.Value(**{kind: python})


def query(sql, *params):
    return database_pb2.QueryRequest(sql=sql, params=[value(param) for param in params])


def rows(result):
    """Rows as dicts of text: cells come in PostgreSQL's text format, the type of each column beside them."""
    names = [column.name for column in result.columns]
    cells = ([cell.text if cell.HasField("text") else None for cell in row.cells] for row in result.rows)
    return [dict(zip(names, row)) for row in cells]


class Transaction:
    """Database.Transaction: every request gets one answer, in order. Leaving the block without `commit` rolls back."""

    def __init__(self, database):
        self.requests = queue.SimpleQueue()
        self.answers = database.Transaction(iter(self.requests.get, None))

    def send(self, **request):
        self.requests.put(database_pb2.TransactionRequest(**request))
        answer = next(self.answers)
        if answer.WhichOneof("response") == "error":
            raise RuntimeError(answer.error.message)
        return answer

    def __enter__(self):
        self.send(begin=database_pb2.Begin(isolation=database_pb2.ISOLATION_SERIALIZABLE))
        return self

    def __exit__(self, *_):
        self.requests.put(None)


def reason(error):
    """What a caller acts on: google.rpc.ErrorInfo, which travels in the status details."""
    for detail in rpc_status.from_call(error).details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return info.reason, dict(info.metadata)
    return None, {}


def main(address):
    with grpc.insecure_channel(address) as channel:
        database = database_pb2_grpc.DatabaseStub(channel)

        # A query with parameters.
        result = database.Query(query("select $1::int + 1 as next, $2::text as name", 41, "Ada"), timeout=SECONDS)
        print("query", rows(result))

        # A transaction.
        database.Query(query("create table if not exists accounts (id int primary key, balance numeric)"), timeout=SECONDS)
        with Transaction(database) as transaction:
            transaction.send(query=query("delete from accounts"))
            transaction.send(query=query("insert into accounts values ($1, $2), ($3, $4)", 1, "100", 2, "0.50"))
            transaction.send(commit=database_pb2.Commit())
        with Transaction(database) as transaction:
            transaction.send(query=query("delete from accounts"))  # rolled back: no commit
        print("accounts", rows(database.Query(query("select * from accounts order by id"), timeout=SECONDS)))

        # An error.
        try:
            database.Query(query("insert into accounts values (1, 0)"), timeout=SECONDS)
        except grpc.RpcError as error:
            why, details = reason(error)
            print("error", error.code().name, why, details["sqlstate"], details["constraint"])

        # Redis.
        redis = redis_pb2_grpc.RedisStub(channel)
        try:
            redis.Command(redis_pb2.CommandRequest(args=[b"SET", b"greeting", b"hello", b"PX", b"60000"]), timeout=SECONDS)
            reply = redis.Command(redis_pb2.CommandRequest(args=[b"GET", b"greeting"]), timeout=SECONDS)
            print("redis", reply.bytes.decode())
        except grpc.RpcError as error:
            print("redis", reason(error)[0])


if __name__ == "__main__":
    main(sys.argv[1])

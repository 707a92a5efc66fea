"""Sends values of every type of PostgreSQL through the sidecar and checks that they come back.

    python round_trip.py ADDRESS < cases.json

Each case is {"type", "value"}: a value in PostgreSQL's own text form, or null.
"""

import json
import sys

import grpc
from example import SECONDS, query, rows
from holdfast.v1 import database_pb2_grpc


def main(address, cases):
    with grpc.insecure_channel(address) as channel:
        database = database_pb2_grpc.DatabaseStub(channel)

        def through(sql, *params):
            return rows(database.Query(query(sql, *params), timeout=SECONDS))[0]["value"]

        # Kinds of Value besides text.
        assert through("select $1::int8 as value", -(2**63)) == str(-(2**63))
        assert through("select $1::bool as value", True) == "t"
        assert through("select $1::float8 as value", float("-inf")) == "-Infinity"
        assert through("select $1::float8 as value", float("nan")) == "NaN"
        assert through("select $1::float8 as value", 0.1) == "0.1"
        assert through("select $1::bytea as value", bytes(range(256))) == "\\x" + bytes(range(256)).hex()
        assert through("select $1::text as value", "") == ""
        for case in cases:
            back = through(f"select $1::{case['type']} as value", case["value"])
            assert back == case["value"], f"{case} came back as {back!r}"
    print(f"{len(cases)} values came back as they were")


if __name__ == "__main__":
    main(sys.argv[1], json.load(sys.stdin))

#!/bin/sh
# Makes stock stubs of the wire contract, beside example.py or in the folder given: ./generate.sh [folder]
# google/rpc comes from googleapis-common-protos.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
proto=$here/../../proto
"${PYTHON:-python3}" -m grpc_tools.protoc -I "$proto" --python_out="$out" --grpc_python_out="$out" \
  "$proto"/holdfast/v1/*.proto

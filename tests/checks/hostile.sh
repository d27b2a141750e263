#!/usr/bin/env bash
# Carts among hostile connectors on one log, then their books and every record against docs/asyncapi.yaml.
# Usage: hostile.sh memory|sqlite CARTS SEED   (the programs are those of build/release)
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
log=memory
[[ $1 == memory ]] || log=sqlite:$out/hostile.db
build/release/tests/hostile "$out" --log "$log" --carts "$2" --seed "$3"
if [[ $log == memory ]]; then
  python3 tests/checks/books.py "$out"
  /usr/bin/python3 tests/checks/asyncapi.py build/release/mayfly "$out"
else
  python3 tests/checks/books.py "$out" --log "$log"
  /usr/bin/python3 tests/checks/asyncapi.py build/release/mayfly "$log"
  build/release/mayfly replay verify --log "$log"
fi

#!/usr/bin/env bash
# Carts among hostile connectors on one log, then their books, every record against docs/asyncapi.yaml, and a replay.
# Usage: hostile.sh memory|sqlite|kafka CARTS SEED [HOURS [FASTER]]   (the programs are those of build/release)
# CARTS arrive within HOURS (default 1). On Kafka time is real and connectors are FASTER times as quick (default 600);
# the broker is one of its own, the engine `mayfly serve` with waits of seconds.
set -euo pipefail
cd "$(dirname "$0")/../../.."
readonly kind=$1 carts=$2 seed=$3 hours=${4:-1} faster=${5:-600}
readonly ready_limit_s=300
out=$(mktemp -d)
engine=
finish() {
  [[ -z $engine ]] || kill "$engine" 2>/dev/null || true
  [[ $kind != kafka ]] || tools/scripts/kafka clean
  rm -rf "$out"
}
trap finish EXIT

# Waits are as short as whole seconds allow and a loaded machine bears; hold_until outlasts every session.
configure() {
  cat <<TOML
operate.http = "off"
[decisions]
cart_idle_s = 30
reservation_wait_s = 2
reservation_hold_s = 300
authorization_wait_s = 2
pending_wait_s = 2
refund_wait_s = 2
action_wait_s = 8
action_total_s = 30
capture_wait_s = 2
cancel_wait_s = 2
capture_retry_1_s = 1
capture_retry_2_s = 3
request_answer_s = 2
status_try_1_s = 1
status_try_2_s = 1
status_try_3_s = 5
status_try_4_s = 10
status_tries_order_placed = 8
TOML
}
serve() {
  configure >"$out/serve.toml"
  : >"$out/serve.log"
  build/release/mayfly serve --config "$out/serve.toml" --log "$log" >"$out/serve.log" 2>&1 &
  engine=$!
  for ((i = 0; i < ready_limit_s * 10; i++)); do
    if grep -q '"name":"ready"' "$out/serve.log"; then return; fi
    kill -0 "$engine" 2>/dev/null || break
    sleep 0.1
  done
  cat "$out/serve.log"
  exit 1
}

outside=()
case $kind in
  memory) log=memory ;;
  sqlite) log=sqlite:$out/hostile.db ;;
  kafka)
    export MAYFLY_KAFKA_HOME=$out/kafka  # before anything may fail: `finish` would clean the one of others
    MAYFLY_KAFKA_PORT=$(python3 tests/free_ports.py)
    export MAYFLY_KAFKA_PORT
    log=kafka:127.0.0.1:$MAYFLY_KAFKA_PORT
    outside=(--outside "$faster")
    tools/scripts/kafka start
    serve
    ;;
  *) echo "hostile.sh: log memory, sqlite or kafka, not '$kind'" >&2; exit 2 ;;
esac
build/release/tests/hostile "$out" --log "$log" --carts "$carts" --hours "$hours" --seed "$seed" "${outside[@]}"
if [[ -n $engine ]]; then
  kill "$engine"
  wait "$engine" || { cat "$out/serve.log"; exit 1; }
  engine=
  tail -n 2 "$out/serve.log"
fi
if [[ $log == memory ]]; then
  python3 tests/system/checks/books.py "$out"
  /usr/bin/python3 tests/system/checks/asyncapi.py build/release/mayfly "$out"
else
  python3 tests/system/checks/books.py "$out" --log "$log"
  build/release/mayfly replay verify --log "$log"
  /usr/bin/python3 tests/system/checks/asyncapi.py build/release/mayfly "$log"
fi

#!/usr/bin/env bash
# A cart from its creation to its order, over HTTP. Usage: [FRONT=http://127.0.0.1:9280] [TOKEN=...] shop.sh [CART]
set -euo pipefail
front=${FRONT:-http://127.0.0.1:9280}
cart=${1:-$(cat /proc/sys/kernel/random/uuid)}
auth=(-H "Authorization: Bearer ${TOKEN:-none}")

# KEY COMMAND DATA: waits for what it came to. The same key again is the same command, so it may be repeated.
send() {
  curl -sS --fail-with-body --retry 10 --retry-connrefused "${auth[@]}" -H 'Prefer: wait=30' -H "Idempotency-Key: $cart-$1" \
    -d "$3" "$front/carts/$cart/commands/$2"
  echo
}

send 1 cart.create '{"currency":"GBP"}'
send 2 cart.add_line '{"sku":"TEA","quantity":2,"unit_price_minor":499}'
send 3 cart.add_line '{"sku":"MUG","quantity":1,"unit_price_minor":850}'
send 4 checkout.complete '{"expected_total_minor":1848,"payment":{"provider":"example","token":"tok_1"}}'

# The stream begins with the cart's first event, so nothing is missed between the command and here.
exec 3< <(exec curl -sSN --fail-with-body "${auth[@]}" "$front/events?cart=$cart&from=begin&type=order.placed,checkout.reopened")
trap "kill $! 2>/dev/null" EXIT
while read -r field value <&3; do
  case $field in
    event:) echo "$value"; event=$value ;;
    data:) [[ $event == order.placed ]]; exit ;; # 0: there is an order
  esac
done
exit 1

#!/usr/bin/env bash
# A warehouse that has everything and a payment service that takes every payment, over HTTP, with curl and jq.
# Usage: [FRONT=http://127.0.0.1:9280] [TOKEN=...] connector.sh PLACE     PLACE: a file that keeps where it is in the stream
set -euo pipefail
front=${FRONT:-http://127.0.0.1:9280}
place=$1
auth=(-H "Authorization: Bearer ${TOKEN:-none}")
requests=inventory.reservation_requested,payment.authorization_requested,payment.capture_requested
money='{session_id, reference: ("example-" + .session_id), amount_minor, currency}'

# COMMAND FILTER EVENT: its id is the key: a request that is answered twice is one command.
reply() {
  local cart id
  cart=$(jq -r '.key | @uri' <<<"$3")
  id=$(jq -r .headers.ce_id <<<"$3")
  jq -c ".data | $2" <<<"$3" | curl -sS --fail-with-body --retry 10 --retry-connrefused -o /dev/null "${auth[@]}" \
    -H "Idempotency-Key: $id" -d @- "$front/carts/$cart/commands/$1"
  echo "$cart $1"
}

while sleep 1; do # a stream ends after an hour at the latest, or with the front door; then it is asked again
  last=()
  if [[ -s $place ]]; then last=(-H "Last-Event-ID: $(<"$place")"); fi
  id='' event='' data=''
  while read -r field value; do
    case $field in
      id:) id=$value ;;
      event:) event=$value ;;
      data:) data=$value ;;
      '') # the end of a block; the place is kept after the reply is durable
        case $event in
          inventory.reservation_requested) reply inventory.reserved '{reservation_id}' "$data" ;;
          payment.authorization_requested) reply payment.authorized "$money" "$data" ;;
          payment.capture_requested) reply payment.captured "$money" "$data" ;;
        esac
        if [[ -n $id ]]; then echo "$id" >"$place.new" && mv "$place.new" "$place"; fi
        id='' event='' data=''
        ;;
    esac
  done < <(curl -sSN --fail-with-body "${auth[@]}" ${last[@]+"${last[@]}"} "$front/events?from=begin&type=$requests")
done

"""A payment service between Mayfly and Stripe: Mayfly's requests become PaymentIntents, and what Stripe says becomes replies.

Usage: STRIPE_KEY=sk_... STRIPE_HOOK=whsec_... SECRET=whsec_... payments.py [PORT]     README.md explains it. Python's own library only.
"""
import json
import os
import sqlite3
import sys
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import signatures

STRIPE = os.environ.get("STRIPE_API", "https://api.stripe.com").rstrip("/")
STRIPE_KEY = os.environ["STRIPE_KEY"]
FRONT = os.environ.get("MAYFLY_FRONT", "http://127.0.0.1:9280").rstrip("/")
TOKEN = os.environ.get("MAYFLY_TOKEN")
PAY_PAGE = os.environ.get("PAY_PAGE")  # the shop's page with Stripe.js; without it a card that needs the buyer is declined
NEEDS_THE_BUYER = {"code": "authentication_required", "message": "The bank wants to ask the buyer."}
TIMEOUT_S = 15  # of one call; mayfly connect waits longer (connect.toml)
books = sqlite3.connect(os.environ.get("BOOKS", "stripe.db"), isolation_level=None, check_same_thread=False)
books.executescript("""CREATE TABLE IF NOT EXISTS payments(session TEXT PRIMARY KEY, intent TEXT);
CREATE TABLE IF NOT EXISTS attempts(number INTEGER PRIMARY KEY, intent TEXT, what TEXT, UNIQUE(intent, what));""")


class Refused(Exception):
    """Stripe has refused it for good, and nothing was done. Everything else that goes wrong leaves open whether it was done."""


def ask_stripe(method, path, form=None, key=None):
    headers = {"Authorization": "Bearer " + STRIPE_KEY, "Stripe-Version": "2024-06-20"} | ({"Idempotency-Key": key} if key else {})
    body = urllib.parse.urlencode(form or {}).encode() if method == "POST" else None
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{STRIPE}/v1/{path}", body, headers, method=method), timeout=TIMEOUT_S) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        why = json.load(error).get("error", {}) if error.code in (400, 402, 404) else {}
        if why and why.get("type") != "idempotency_error":
            raise Refused(why.get("message", "refused")[:256]) from None
        raise


def tell_mayfly(cart, reply):
    """The reply as a command, durable when this returns. Replies report totals, so the same once more changes nothing."""
    url = f"{FRONT}/carts/{urllib.parse.quote(cart, safe='')}/commands/{reply['type']}"
    headers = {"Authorization": "Bearer " + TOKEN} if TOKEN else {}
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(reply["data"]).encode(), headers), timeout=TIMEOUT_S).close()


# --- what Stripe knows ---------------------------------------------------------------------------------------------

def look_up(intent_id):
    return ask_stripe("GET", f"payment_intents/{intent_id}?expand[]=latest_charge")


def totals(intent):
    """Authorized, captured and refunded so far. What a partial capture releases counts as refunded in Stripe's charge."""
    charge = intent.get("latest_charge") or {}
    authorized = charge["amount"] if charge.get("status") == "succeeded" else 0
    captured = intent.get("amount_received", authorized if intent["status"] == "succeeded" else 0)  # localstripe has none
    released = authorized - captured if captured else 0
    return authorized, captured, max(0, charge.get("amount_refunded", 0) - released) if captured else 0


def reply(name, intent, **data):
    return {"type": "payment." + name, "data": {"session_id": intent["metadata"]["session_id"], "reference": intent["id"], **data}}


def money(name, intent, amount, **data):
    return reply(name, intent, amount_minor=amount, currency=intent["currency"].upper(), **data)


def what_is_so(intent):
    """The reply that says how the payment stands now, whatever was asked and whichever webhook came."""
    authorized, captured, refunded = totals(intent)
    status = intent["status"]
    if refunded:
        return how_it_stands(intent)
    if status == "succeeded":  # Stripe captures once and releases the rest
        return money("captured", intent, captured, final=True)
    if status == "requires_capture":
        return money("authorized", intent, authorized)
    if status == "processing":
        return reply("pending", intent)
    failed = intent.get("last_payment_error")
    if status == "canceled" and (authorized or PAY_PAGE):
        return money("canceled", intent, authorized)
    if status == "canceled":  # below, before the answer was lost
        return declined(intent, failed or NEEDS_THE_BUYER)
    if PAY_PAGE and failed:
        tell_mayfly(intent["metadata"]["cart"], attempt_failed(intent, failed))
    if PAY_PAGE:  # the buyer types a code there, or tries another card
        return reply("requires_action", intent, url=f"{PAY_PAGE}?payment_intent_client_secret={intent['client_secret']}")
    ask_stripe("POST", f"payment_intents/{intent['id']}/cancel", key=intent["id"] + "-cancel")  # first: then no more money can come
    return declined(intent, failed or NEEDS_THE_BUYER)


def how_it_stands(intent):
    authorized, captured, refunded = totals(intent)
    state = {"succeeded": "captured", "requires_capture": "authorized", "canceled": "canceled", "processing": "pending"}.get(intent["status"], "requires_action")
    return reply("status", intent, state="refunded" if captured and refunded >= captured else state,
                 authorized_minor=authorized, captured_minor=captured, refunded_minor=refunded)


def declined(intent, failed):
    return reply("declined", intent, reason=failed["message"][:256], retryable=failed.get("code") != "expired_card")


def attempt_failed(intent, failed):
    """Numbered by what failed, so that a webhook that comes twice is not a second attempt."""
    what = failed.get("charge") or failed.get("payment_method", {}).get("id") or failed["code"]
    books.execute("INSERT OR IGNORE INTO attempts(intent, what) VALUES(?, ?)", (intent["id"], what))
    number, = books.execute("SELECT count(*) FROM attempts WHERE intent = ? AND number <= (SELECT number FROM attempts WHERE intent = ? AND what = ?)",
                            (intent["id"], intent["id"], what)).fetchone()
    return reply("attempt_failed", intent, reason=failed["message"][:256], attempt=number)


# --- what Mayfly asks ----------------------------------------------------------------------------------------------

def authorize(cart, data, known):
    session, key = data["session_id"], data["idempotency_key"]
    if known == "":
        return {"type": "payment.declined", "data": {"session_id": session, "reason": "The payment was closed.", "retryable": True}}
    if known is None:
        try:
            known = ask_stripe("POST", "payment_intents", {
                "amount": data["amount_minor"], "currency": data["currency"].lower(), "payment_method": data["token"],
                "capture_method": "manual", "metadata[cart]": cart, "metadata[session_id]": session}, key)["id"]
        except Refused as why:
            remember(session, "")
            return {"type": "payment.declined", "data": {"session_id": session, "reason": str(why), "retryable": False}}
        remember(session, known)  # before it is confirmed: a payment that is not in the books takes no money
    if look_up(known)["status"] == "requires_confirmation":
        try:
            ask_stripe("POST", f"payment_intents/{known}/confirm", key=key + "-confirm")
        except Refused:
            pass  # the PaymentIntent says why
    return what_is_so(look_up(known))


def capture(_, data, known):
    try:
        ask_stripe("POST", f"payment_intents/{known}/capture", {"amount_to_capture": data["amount_minor"]}, data["idempotency_key"])
    except Refused as why:
        intent = look_up(known)
        if not totals(intent)[1]:
            return reply("capture_failed", intent, reason=str(why), retryable=False)
    intent = look_up(known)
    return money("captured", intent, totals(intent)[1], final=True)


def cancel(_, data, known):
    if not known:  # nothing was asked of Stripe, and nothing will be
        remember(data["session_id"], "")
        return {"type": "payment.canceled", "data": {"session_id": data["session_id"], "reference": "none", "amount_minor": 0}}
    try:
        ask_stripe("POST", f"payment_intents/{known}/cancel", key=data["idempotency_key"])
    except Refused:
        pass
    intent = look_up(known)
    authorized, captured, _ = totals(intent)
    return money("captured", intent, captured, final=True) if captured else money("canceled", intent, authorized)


def refund(_, data, known):
    try:
        ask_stripe("POST", "refunds", {"payment_intent": known, "amount": data["amount_minor"]}, data["idempotency_key"])
    except Refused as why:
        return money("refund_failed", look_up(known), data["amount_minor"], reason=str(why), retryable=False)
    intent = look_up(known)
    return money("refunded", intent, totals(intent)[2])


def status(_, data, known):
    if known:
        return how_it_stands(look_up(known))
    remember(data["session_id"], "")
    nothing = {"authorized_minor": 0, "captured_minor": 0, "refunded_minor": 0}
    return {"type": "payment.status", "data": {"session_id": data["session_id"], "state": "not_found", **nothing}}


ASKED = {"authorization": authorize, "capture": capture, "cancel": cancel, "refund": refund, "status": status}


def known_intent(session):
    """The PaymentIntent's id; empty: closed before there was one; None: never heard of."""
    found = books.execute("SELECT intent FROM payments WHERE session = ?", (session,)).fetchone()
    return found and found[0]


def remember(session, intent):
    books.execute("INSERT OR IGNORE INTO payments VALUES(?, ?)", (session, intent))


def take_request(event):
    """The reply to one of Mayfly's requests. Asked again after a lost answer, it does nothing twice and says what is so."""
    kind = event["type"].removeprefix("dev.mayfly.payment.").removesuffix("_requested.v1")
    return ASKED[kind](event["subject"], event["data"], known_intent(event["data"]["session_id"]))


def take_webhook(event):
    """Late, doubled or out of order: only which payment it is about counts. How that stands now, Stripe is asked."""
    thing = event["data"]["object"]
    intent_id = thing["id"] if thing["object"] == "payment_intent" else thing.get("payment_intent")
    intent = look_up(intent_id) if intent_id else {"metadata": {}}
    if "session_id" not in intent["metadata"] or intent["status"] == "requires_confirmation":
        return  # not of Mayfly, or not begun
    said = what_is_so(intent)
    if thing["object"] == "dispute":
        state = {"won": "won", "warning_closed": "won", "lost": "lost"}.get(thing["status"], "opened")
        said = money("disputed", intent, thing["amount"], state=state, reason=thing["reason"])
    tell_mayfly(intent["metadata"]["cart"], said)


class Payments(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        by_stripe = self.path == "/stripe"
        is_signed = signatures.by_stripe if by_stripe else signatures.by_mayfly
        if not is_signed(self.headers, body):
            return self.answer(401)
        try:
            said = take_webhook(json.loads(body)) if by_stripe else take_request(json.loads(body))
        except OSError as error:  # no answer: nothing is said, and whoever asked asks again
            print(f"{self.path}: {error}", file=sys.stderr, flush=True)
            return self.answer(503)
        return self.answer(200, said)

    def answer(self, code, said=None):
        text = json.dumps(said).encode() if said else b""
        self.send_response(code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8081), Payments)
    print(f"payments are taken at http://127.0.0.1:{server.server_port}/mayfly, Stripe's webhooks at /stripe", flush=True)
    server.serve_forever()

"""Who sent it: Mayfly's webhooks (Standard Webhooks 1.0) and Stripe's."""
import base64
import hashlib
import hmac
import os
import time

MAYFLY = base64.b64decode(os.environ["SECRET"].removeprefix("whsec_"))
STRIPE = os.environ["STRIPE_HOOK"].encode()
TOLERANCE_S = 300


def is_recent(seconds):
    return seconds.isdigit() and abs(time.time() - int(seconds)) < TOLERANCE_S


def by_mayfly(headers, body):
    seconds = headers["webhook-timestamp"] or ""
    signed = f"{headers['webhook-id']}.{seconds}.".encode() + body
    mine = "v1," + base64.b64encode(hmac.new(MAYFLY, signed, hashlib.sha256).digest()).decode()
    return is_recent(seconds) and any(hmac.compare_digest(mine, given) for given in (headers["webhook-signature"] or "").split())


def by_stripe(headers, body):
    parts = [part.partition("=")[::2] for part in (headers["Stripe-Signature"] or "").split(",")]
    seconds = dict(parts).get("t", "")
    mine = hmac.new(STRIPE, seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
    return is_recent(seconds) and any(hmac.compare_digest(mine, given) for name, given in parts if name == "v1")

"""A warehouse that Mayfly's connect asks over HTTP: it answers each reservation request in the HTTP answer itself.

Usage: SECRET=whsec_... warehouse.py [PORT]     docs/connect.md has the way to a first order. Python's own library only.
"""
import base64
import hashlib
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = base64.b64decode(os.environ["SECRET"].removeprefix("whsec_"))
stock = {"TEA": 10, "MUG": 3}
held = {}  # by reservation: the lines; a shop's own would be in its database


def is_signed(headers, body):
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mine = "v1," + base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    recent = abs(time.time() - int(headers["webhook-timestamp"] or 0)) < 300
    return recent and any(hmac.compare_digest(mine, given) for given in (headers["webhook-signature"] or "").split())


def answer(event):
    """Twice the same is asked after a lost answer: each does once what it does, and says the same again."""
    reservation, lines = event["data"]["reservation_id"], event["data"]["lines"]
    if event["type"] == "dev.mayfly.inventory.reservation_requested.v1":
        missing = [line["sku"] for line in lines if stock.get(line["sku"], 0) < line["quantity"]]
        if missing and reservation not in held:
            return {"type": "inventory.rejected", "data": {"reservation_id": reservation, "skus": missing, "reason": "sold out"}}
        if reservation not in held:
            held[reservation] = lines
            for line in lines:
                stock[line["sku"]] -= line["quantity"]
        return {"type": "inventory.reserved", "data": {"reservation_id": reservation}}
    given_back = held.pop(reservation, []) if event["type"] == "dev.mayfly.inventory.release_requested.v1" else []
    for line in given_back:
        stock[line["sku"]] += line["quantity"]
    return None  # a commit, or a release: nothing to say


class Warehouse(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        signed = is_signed(self.headers, body)
        reply = answer(json.loads(body)) if signed else None
        said = json.dumps(reply).encode() if reply else b""
        self.send_response(200 if signed else 401)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8080), Warehouse).serve_forever()

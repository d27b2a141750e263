"""A small web shop on Mayfly's front door. It keeps nothing itself: the cart is Mayfly's, the buyer's browser has its id.

Usage: webshop.py [PORT]     beside tools/run, or `mayfly demo`; then open http://127.0.0.1:8000/ (Python's own library only)
MAYFLY_FRONT (default http://127.0.0.1:9280) says where the front door is, MAYFLY_TOKEN its token if it wants one.
"""
import base64
import hashlib
import http.cookies
import json
import os
import pathlib
import re
import sys
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FRONT = os.environ.get("MAYFLY_FRONT", "http://127.0.0.1:9280").rstrip("/")
TOKEN = os.environ.get("MAYFLY_TOKEN")
PAGE = pathlib.Path(__file__).with_name("webshop.html").read_bytes()
CURRENCY = "GBP"
UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
CATALOGUE = {"TEA-100": ("Breakfast tea, 100 bags", 499), "MUG-BLUE": ("Blue mug", 850), "KETTLE": ("Kettle, 1.7 l", 3499)}
HASHES = {tag: base64.b64encode(hashlib.sha256(re.search(f"<{tag}>(.*?)</{tag}>", PAGE.decode(), re.S).group(1).encode()).digest()).decode()
          for tag in ("script", "style")}
CONTENT_SECURITY = (f"default-src 'none'; script-src 'sha256-{HASHES['script']}'; style-src 'sha256-{HASHES['style']}'; "
                    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")


def ask_front(method, path, data=None, **headers):
    """The front door's answer; an error's status is an answer too. The caller closes it."""
    if TOKEN:
        headers["Authorization"] = f"Bearer {TOKEN}"
    request = urllib.request.Request(FRONT + path, method=method, headers={k.replace("_", "-"): v for k, v in headers.items()},
                                     data=None if data is None else json.dumps(data).encode())
    try:
        return urllib.request.urlopen(request, timeout=90)
    except urllib.error.HTTPError as refused:
        return refused


def command(cart, name, data, key):
    """Sends a command and waits for what it came to. The same key again is the same command: nothing happens twice."""
    with ask_front("POST", f"/carts/{cart}/commands/{name}", data, Prefer="wait=10", Idempotency_Key=key) as answer:
        return answer.status, json.load(answer)


class Shop(BaseHTTPRequestHandler):
    def cart(self):
        """The cart of this browser's cookie; None if it has none yet."""
        cookie = http.cookies.SimpleCookie(self.headers["Cookie"]).get("cart")
        return cookie.value if cookie and re.fullmatch(UUID, cookie.value) else None

    def reply(self, status, body, content_type="application/json", **headers):
        self.send_response(status)
        for name, value in {"Content-Type": content_type, "Content-Length": str(len(body)), "Cache-Control": "no-store",
                            "Content-Security-Policy": CONTENT_SECURITY, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def reply_json(self, status, told, **headers):
        self.reply(status, json.dumps(told).encode(), **headers)

    def do_GET(self):
        if self.path == "/":
            return self.reply(200, PAGE, "text/html; charset=utf-8")
        if self.path == "/catalogue":
            return self.reply_json(200, [{"sku": sku, "name": name, "price_minor": price} for sku, (name, price) in CATALOGUE.items()])
        if self.path == "/cart" and not self.cart():
            return self.reply_json(200, {"state": "none"})
        if self.path == "/cart":
            with ask_front("GET", f"/carts/{self.cart()}") as answer:
                return self.reply(answer.status, answer.read())
        if self.path == "/events" and self.cart():
            return self.stream()
        return self.reply_json(404, {"detail": "there is nothing here"})

    def do_POST(self):
        if self.headers["Content-Type"] != "application/json":  # another site's form cannot send that
            return self.reply_json(415, {"detail": "Content-Type: application/json, please"})
        wish = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or "{}")
        key = wish.get("key", "")
        if not re.fullmatch(UUID, key):
            return self.reply_json(400, {"detail": "no key for this click"})
        if self.path == "/cart":  # the click's key is the cart's id: twice the same click is one cart
            status, told = command(key, "cart.create", {"currency": CURRENCY}, key)
            return self.reply_json(status, told, **{"Set-Cookie": f"cart={key}; HttpOnly; SameSite=Strict; Path=/"})
        if not self.cart():
            return self.reply_json(400, {"detail": "no cart"})
        if self.path == "/lines" and wish.get("sku") in CATALOGUE:
            name, price = CATALOGUE[wish["sku"]]  # the shop's price, never the browser's
            line = {"sku": wish["sku"], "name": name, "quantity": int(wish["quantity"]), "unit_price_minor": price}
            return self.reply_json(*command(self.cart(), "cart.set_line", line, key))
        if self.path == "/checkout":  # the total that the buyer saw: another one is refused
            data = {"expected_total_minor": int(wish["total_minor"]), "payment": {"provider": "sim", "token": "tok_" + key}}
            return self.reply_json(*command(self.cart(), "checkout.complete", data, key))
        return self.reply_json(404, {"detail": "there is nothing here"})

    def stream(self):
        """Passes the cart's events on as they come. The browser says by itself which one it had last."""
        last = {"Last_Event_ID": self.headers["Last-Event-ID"]} if self.headers["Last-Event-ID"] else {}
        with ask_front("GET", f"/events?cart={self.cart()}&from=begin", **last) as events:
            self.send_response(events.status)
            self.send_header("Content-Type", events.headers["Content-Type"])
            self.end_headers()
            try:
                while piece := events.read1(65536):
                    self.wfile.write(piece)
                    self.wfile.flush()
            except OSError:
                pass  # the browser has gone, or the front door: it comes back with its last id

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8000), Shop)
    print(f"the shop is at http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()

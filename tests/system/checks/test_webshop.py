"""The web shop of examples/webshop, asked as its page asks it, beside a real engine and front door. Usage: test_webshop.py MAYFLY"""
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest
import uuid

from program import MAYFLY, PATIENCE_S

ROOT = pathlib.Path(__file__).resolve().parents[3]


class WebShop(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = f"sqlite:{folder.name}/shop.db"
        self.engine = self.serve()
        front = self.start(MAYFLY, "front", "--log", self.log, "--address", "127.0.0.1:0", until=r"at (http://\S+)/ ")
        self.shop = self.start(sys.executable, str(ROOT / "examples/webshop/webshop.py"), "0", until=r"at http://(\S+)/", front=front)
        self.cookie = None

    def start(self, *words, until, front=""):
        """Starts a program; what its line that fits `until` says."""
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "MAYFLY_FRONT": front})
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.send_signal, signal.SIGKILL)
        return re.search(until, process.stdout.readline()).group(1)

    def serve(self):
        made = pathlib.Path(self.log.removeprefix("sqlite:"))
        if not made.exists():
            subprocess.run([MAYFLY, "send", "--log", self.log, "--create", "cart.create", "first", "currency=GBP"], check=True,
                           stdout=subprocess.DEVNULL)
        engine = subprocess.Popen([MAYFLY, "serve", "--log", self.log, "--http", "off", "--config", str(ROOT / "examples/tour.toml")], stderr=subprocess.DEVNULL)
        self.addCleanup(engine.wait)
        self.addCleanup(engine.kill)
        return engine

    def ask(self, method, path, wish=None, **headers):
        connection = http.client.HTTPConnection(self.shop, timeout=PATIENCE_S)
        if self.cookie:
            headers["Cookie"] = self.cookie
        if wish is not None:
            headers.setdefault("Content-Type", "application/json")
        connection.request(method, path, None if wish is None else json.dumps(wish), headers)
        answer = connection.getresponse()
        self.addCleanup(connection.close)
        return answer

    def click(self, path, key=None, **wish):
        with self.ask("POST", path, {**wish, "key": key or str(uuid.uuid4())}) as answer:
            self.cookie = (answer.headers["Set-Cookie"] or self.cookie or "").partition(";")[0]
            return answer.status, json.load(answer)

    def events(self, until, last=None):
        """Types of the stream's events up to one of that type, and the stream's id after it."""
        types, place = [], None
        with self.ask("GET", "/events", **({"Last-Event-ID": last} if last else {})) as stream:
            for line in stream:
                field, _, value = line.decode().rstrip("\n").partition(": ")
                if field == "id":
                    place = value
                elif field == "event":
                    types.append(value)
                elif not line.strip() and types[-1:] == [until]:
                    return types, place
        self.fail(f"{until} did not come: {types}")

    def replies(self, *commands):
        for command in commands:
            subprocess.run([MAYFLY, "send", "--log", self.log, *command.split()], check=True, stdout=subprocess.DEVNULL)

    def test_a_cart_is_paid_while_the_engine_is_killed_and_the_browser_misses_nothing(self):
        cart = str(uuid.uuid4())
        self.assertEqual(self.click("/cart", key=cart)[0], 200)
        self.assertTrue(self.click("/cart", key=cart)[1]["repeated"], "the same click made another cart")
        once = str(uuid.uuid4())
        for repeated in (None, True):
            status, told = self.click("/lines", key=once, sku="MUG-BLUE", quantity=2)
            self.assertEqual((status, told.get("repeated"), told["events"][0]["data"]["total_minor"]), (200, repeated, 1700))
        self.assertEqual(self.click("/checkout", total_minor=1)[1]["title"], "total_mismatch")
        self.assertEqual(self.click("/checkout", total_minor=1700)[0], 200)
        _, place = self.events("inventory.reservation_requested")
        self.engine.kill()
        self.engine.wait()
        self.replies(f"inventory.reserved {cart} reservation_id={cart}-r1")
        self.engine = self.serve()
        types, place = self.events("payment.authorization_requested", place)
        self.assertEqual(types, ["payment.session_opened", "payment.authorization_requested"])
        money = f"{cart} session_id={cart}-p1 reference=pi_1 amount_minor=1700 currency=GBP"
        self.replies(f"payment.authorized {money}", f"payment.captured {money}")
        types, _ = self.events("cart.converted", place)
        self.assertEqual((types[0], "order.placed" in types, "checkout.completed" in types), ("payment.authorized", True, True))
        with self.ask("GET", "/cart") as answer:
            self.assertEqual(json.load(answer)["state"], "ended")

    def test_what_the_page_would_not_ask_is_refused(self):
        key = str(uuid.uuid4())
        self.assertEqual(self.click("/lines", sku="KETTLE", quantity=1)[0], 400)  # no cart yet
        self.assertEqual(self.click("/cart", key="../../renew")[0], 400)
        self.click("/cart")
        self.assertEqual(self.click("/lines", sku="GOLD", quantity=1)[0], 404)
        with self.ask("POST", "/lines", {"key": key}, **{"Content-Type": "text/plain"}) as answer:  # as a form of another site
            self.assertEqual(answer.status, 415)
        with self.ask("GET", "/") as answer:
            self.assertIn("script-src 'sha256-", answer.headers["Content-Security-Policy"])
            self.assertNotIn("unsafe", answer.headers["Content-Security-Policy"])


if __name__ == "__main__":
    unittest.main()

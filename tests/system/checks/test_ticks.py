"""Clock ticks that an engine did not write, appended to a SQLite log from outside. Usage: test_ticks.py MAYFLY"""
import contextlib
import datetime
import json
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

MAYFLY = str(pathlib.Path(sys.argv.pop(1)).resolve()) if len(sys.argv) > 1 else "build/release/mayfly"
PATIENCE_S = 60
COMMANDS = 0  # in the table of ends
FORGED = {"admission_closed": True, "live_carts": 0, "cart_life_s": 1}


def field(text):
    text = text.encode()
    assert len(text) < 0x80  # a varint of one byte
    return bytes([len(text)]) + text


class Ticks(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "shop.db"

    def verb(self, *words):
        done = subprocess.run([MAYFLY, *words, "--log", f"sqlite:{self.path}"], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def tail(self, stream, *words):
        return [json.loads(line) for line in self.verb("tail", "--stream", stream, "--from", "begin", "--json", *words).splitlines()]

    def types(self, cart):
        return [record["headers"]["ce_type"] for record in self.tail("events", "--cart", cart)]

    @contextlib.contextmanager
    def served(self):
        command = [MAYFLY, "serve", "--log", f"sqlite:{self.path}", "--http", "off"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as engine:
            try:
                self.assertTrue(any('"name":"ready"' in line for line in engine.stderr))
                yield
            finally:
                engine.send_signal(signal.SIGTERM)
                engine.communicate(timeout=PATIENCE_S)
        self.assertEqual(engine.returncode, 0)

    def until(self, true):
        end = time.monotonic() + PATIENCE_S
        while not true():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def forge(self, source, key=None):
        """A tick in each partition that closes the shop, as any producer could write it."""
        now = datetime.datetime.now(datetime.timezone.utc)
        at = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"
        value = json.dumps({"at": at, "through": 1_000_000, "settings": FORGED}).encode()
        headers = {"ce_specversion": "1.0", "ce_id": "forged", "ce_source": source, "ce_type": "dev.mayfly.clock.tick.v1"}
        blob = b"".join(field(text) for pair in headers.items() for text in pair)
        with contextlib.closing(sqlite3.connect(self.path)) as log, log:
            for (partition,) in log.execute("SELECT partition FROM positions").fetchall():
                place = log.execute("SELECT next FROM ends WHERE stream = ? AND partition = ?", (COMMANDS, partition)).fetchone()
                offset = place[0] if place else 0
                row = (partition, offset, key, blob, value, int(now.timestamp() * 1000))
                log.execute("INSERT INTO commands VALUES (?, ?, ?, ?, ?, ?)", row)
                log.execute("INSERT OR REPLACE INTO ends VALUES (?, ?, ?, ?)", (COMMANDS, partition, offset + 1, row[-1]))

    def test_forged_settings_close_no_shop_and_end_no_cart(self):
        with self.served():
            self.verb("send", "cart.create", "before", "currency=GBP")
            self.until(lambda: self.types("before"))
        forgeries = (("/shop", None), ("/mayfly/other", None), ("/mayfly/deadletters", None), ("/mayfly/mayfly", b"before"))
        for source, key in forgeries:
            self.forge(source, key)
        with self.served():
            # Of each partition, so that some lie in the one whose ticks were forged last.
            carts = [f"c{i}" for i in range(16)]
            for cart in carts:
                self.verb("send", "cart.create", cart, "currency=GBP")
            self.until(lambda: all(self.types(cart) for cart in carts))
            self.verb("send", "cart.add_line", "before", "sku=A", "quantity=1", "unit_price_minor=100")
            self.until(lambda: len(self.types("before")) > 1)
        for cart in carts:
            self.assertEqual(self.types(cart), ["dev.mayfly.cart.created.v1"])
        self.assertEqual(self.types("before"), ["dev.mayfly.cart.created.v1", "dev.mayfly.cart.line_added.v1"])
        forged = sum(record["headers"]["ce_id"] == "forged" for record in self.tail("commands"))
        ignored = [record for record in self.tail("alerts") if record["data"]["alert"] == "tick_ignored"]
        self.assertGreaterEqual(forged, len(forgeries))
        self.assertEqual(len(ignored), forged)
        self.assertIn("the same, byte for byte", self.verb("replay", "verify"))

    def test_a_tick_that_is_sent_like_a_command_sets_nothing(self):
        with self.served():
            at = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            settings = json.dumps({"live_carts": 0})
            for source in ("/mayfly/send", "/mayfly/mayfly"):
                self.verb("send", "--source", source, "clock.tick", "c1", f"at={at}", "through=0", f"settings={settings}")
            self.verb("send", "cart.create", "c1", "currency=GBP")
            self.until(lambda: self.types("c1"))
        self.assertEqual(self.types("c1"), ["dev.mayfly.cart.created.v1"])


if __name__ == "__main__":
    unittest.main()

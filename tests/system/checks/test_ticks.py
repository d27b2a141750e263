"""Clock ticks that an engine did not write, appended to a SQLite log from outside. Usage: test_ticks.py MAYFLY"""
import contextlib
import datetime
import json
import pathlib
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

from program import MAYFLY, PATIENCE_S

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

    def ended(self, *words):
        words = [MAYFLY, *words, "--log", f"sqlite:{self.path}"]
        return subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    def verb(self, *words):
        done = self.ended(*words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def config(self, text):
        file = self.path.with_name("mayfly.toml")
        file.write_text(text)
        return "--config", str(file)

    def secret(self, *lines, mode=0o600):
        """The words of a config whose secret file has these lines."""
        file = self.path.with_name("secret")
        file.write_text("".join(f"{line}\n" for line in lines))
        file.chmod(mode)
        return self.config(f'[engine]\ntick_secret_file = "{file}"\n')

    def tail(self, stream, *words):
        return [json.loads(line) for line in self.verb("tail", "--stream", stream, "--from", "begin", "--json", *words).splitlines()]

    def types(self, cart):
        return [record["headers"]["ce_type"] for record in self.tail("events", "--cart", cart)]

    @contextlib.contextmanager
    def served(self, *words):
        command = [MAYFLY, "serve", "--log", f"sqlite:{self.path}", "--http", "off", *words]
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

    def settled(self, name):
        """Every partition's newest tick with settings names a secret, or none."""
        newest = {}
        for record in self.tail("commands"):
            settings = record["data"].get("settings", {}) if isinstance(record["data"], dict) else {}
            if name in settings:
                newest[record["partition"]] = settings[name]
        return len(newest) == 4 and set(newest.values())

    def forge(self, source, key=None, proof=None):
        """A tick in each partition that closes the shop, as any producer could write it."""
        now = datetime.datetime.now(datetime.timezone.utc)
        at = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"
        value = json.dumps({"at": at, "through": 1_000_000, "settings": FORGED}).encode()
        headers = {"ce_specversion": "1.0", "ce_id": "forged", "ce_source": source, "ce_type": "dev.mayfly.clock.tick.v1"}
        headers |= {"ce_proof": proof} if proof else {}
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

    def test_with_a_secret_a_copied_source_closes_no_shop_and_a_replay_without_it_says_so(self):
        secret = self.secret("a" * 32)
        with self.served(*secret):
            self.verb("send", "cart.create", "before", "currency=GBP")
            self.until(lambda: self.types("before") and self.settled("tick_secret"))
        (named,) = self.settled("tick_secret")
        self.assertGreater(named, 0)
        for source, proof in (("/mayfly/mayfly", None), ("/mayfly/mayfly", "0" * 64), ("/mayfly/mayfly", "x" * 64), ("/mayfly/deadletters", None)):
            self.forge(source, proof=proof)
        with self.served(*secret):
            carts = [f"c{i}" for i in range(16)]
            for cart in carts:
                self.verb("send", "cart.create", cart, "currency=GBP")
            self.until(lambda: all(self.types(cart) for cart in carts))
        for cart in carts:
            self.assertEqual(self.types(cart), ["dev.mayfly.cart.created.v1"])
        forged = sum(record["headers"]["ce_id"] == "forged" for record in self.tail("commands"))
        self.assertEqual(forged, 16)
        self.assertEqual(sum(record["data"]["alert"] == "tick_ignored" for record in self.tail("alerts")), forged)
        with_secret = self.verb("replay", "verify", *secret)
        self.assertIn("the same, byte for byte", with_secret)
        self.assertNotIn("not checked", with_secret)
        # Without it the forged proof of the right form is believed: a difference, and not "the same".
        without = self.ended("replay", "verify")
        self.assertEqual(without.returncode, 1)
        self.assertIn("first difference", without.stdout)

    def test_a_replay_without_the_secret_is_the_same_where_nobody_forged_and_says_what_it_did_not_check(self):
        secret = self.secret("a" * 32)
        with self.served(*secret):
            self.verb("send", "cart.create", "c1", "currency=GBP")
            self.until(lambda: self.types("c1") and self.settled("tick_secret"))
        verified = self.verb("replay", "verify")
        self.assertIn("the same, byte for byte", verified)
        self.assertIn("proofs of ticks were not checked", verified)
        self.assertIn("cart.create", self.verb("replay", "show", "c1"))

    def test_a_secret_is_replaced_and_given_up_and_an_engine_without_it_ends(self):
        first, second = "a" * 32, "b" * 40
        seen = []
        for lines in ((first,), (second, first), (second,), ("none", second)):
            with self.served(*self.secret(*lines)):
                self.until(lambda: self.settled("tick_secret") and self.settled("tick_secret") != seen[-1:])
                self.until(lambda: lines == (second,) or list(self.settled("tick_secret")) != seen[-1:])
            seen.append(list(self.settled("tick_secret"))[0])
        self.assertEqual(seen[1], seen[2])
        self.assertEqual(seen[3], 0)
        self.assertNotEqual(seen[0], seen[1])
        self.assertIn("the same, byte for byte", self.verb("replay", "verify", *self.secret(first, second)))
        self.verb("send", "cart.create", "c1", "currency=GBP")
        with self.served():  # without, as before there was one
            self.until(lambda: self.types("c1"))
        with self.served(*self.secret(first)):
            self.until(lambda: self.settled("tick_secret") == {seen[0]})
        for words in ((), self.secret(second)):
            ended = self.ended("serve", "--http", "off", *words)
            self.assertEqual(ended.returncode, 6, ended.stderr)
            self.assertIn("engine.tick_secret_file", ended.stderr)

    def test_a_secret_that_others_can_read_is_refused_and_none_is_shown(self):
        words = "d41d8cd98f00b204e9800998ecf8427e"
        for mode in (0o644, 0o640, 0o604):
            done = self.ended("serve", "--check-config", *self.secret(words, mode=mode))
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn("chmod 600", done.stderr)
            self.assertNotIn(words, done.stdout + done.stderr)
        for lines in ((words[:31],), (), (words, "short")):
            done = self.ended("serve", "--check-config", *self.secret(*lines))
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn("openssl rand -hex 32", done.stderr)
            self.assertNotIn(words[:31], done.stdout + done.stderr)
        done = self.ended("serve", "--check-config", *self.secret(words))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(words, done.stdout + done.stderr)
        self.path.with_name("secret").unlink()
        self.assertEqual(self.ended("serve", "--check-config", "--config", str(self.path.with_name("mayfly.toml"))).returncode, 3)

    def test_the_dead_letters_tool_proves_its_ticks(self):
        secret = self.secret("a" * 32)
        with self.served(*secret):
            self.until(lambda: self.settled("tick_secret"))
            self.verb("send", "--source", "/mayfly/mayfly", "cart.create", "c1", "currency=GBP")
            self.until(lambda: self.types("c1"))
            self.verb("deadletters", "retry", "--all", *secret)
            self.until(lambda: len(self.types("c1")) == 2)
        self.assertEqual(self.types("c1"), ["dev.mayfly.command.dead_lettered.v1"] * 2)
        self.assertEqual([record["data"]["alert"] for record in self.tail("alerts")], [])
        self.assertIn("the same, byte for byte", self.verb("replay", "verify", *secret))

    def test_a_shop_with_the_engine_s_source_and_a_reply_from_no_connector_are_dead_letters(self):
        sources = self.config('[replies]\nsources = "/pay/* /stock"\n')
        with self.served(*sources):
            self.until(lambda: self.settled("reply_sources") == {"/pay/* /stock"})
            self.verb("send", "cart.create", "c1", "currency=GBP")
            for cart, source in (("c1", "/shop"), ("c2", "/mayfly/mayfly"), ("c3", "/pay/a"), ("c4", "/mayfly/other")):
                reply = ("payment.captured", cart, f"session_id={cart}-p1", "reference=r", "amount_minor=100", "currency=GBP")
                self.verb("send", "--source", source, *reply)
                self.until(lambda cart=cart: self.types(cart)[cart == "c1":])
            self.verb("send", "--source", "/mayfly/mayfly", "cart.cancel", "c1")
            self.until(lambda: len(self.types("c1")) == 3)
        refused = [["source_refused"] if "dead_lettered" in self.types(cart)[-1] else [] for cart in ("c1", "c2", "c3", "c4")]
        self.assertEqual(refused, [["source_refused"], ["source_refused"], [], ["source_refused"]])
        reasons = [record["headers"]["mayfly.reason"] for record in self.tail("deadletters")]
        self.assertEqual(reasons, ["source_refused"] * 4)
        # The money that /pay/a reports is of a cart that is not known: it is listed, as ever.
        self.assertIn("dev.mayfly.payment.unmatched.v1", self.types("c3"))
        self.assertIn("the same, byte for byte", self.verb("replay", "verify"))
        # A list that was wrong: mended, the dead letter is sent again and decided.
        with self.served(*self.config('[replies]\nsources = "*"\n')):
            self.until(lambda: self.settled("reply_sources") == {"*"})
            self.verb("deadletters", "retry", "--all", "--yes")
            self.until(lambda: "dev.mayfly.payment.unmatched.v1" in self.types("c4"))
        self.assertIn("the same, byte for byte", self.verb("replay", "verify"))


if __name__ == "__main__":
    unittest.main()

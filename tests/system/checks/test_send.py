"""`mayfly send -` in a pipe that stays open. Usage: test_send.py MAYFLY"""
import json
import select
import signal
import subprocess
import tempfile
import unittest

from program import MAYFLY, PATIENCE_S


def line(cart):
    return json.dumps({"type": "cart.create", "cart": cart, "data": {"currency": "GBP"}}) + "\n"


class SendLines(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = f"sqlite:{folder.name}/shop.db"

    def sender(self, *words):
        sender = subprocess.Popen([MAYFLY, "send", "--log", self.log, "--create", *words, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, bufsize=0)
        for stream in (sender.stdin, sender.stdout, sender.stderr):
            self.addCleanup(stream.close)
        self.addCleanup(sender.wait)
        self.addCleanup(lambda: sender.poll() is None and sender.kill())
        return sender

    def said(self, sender):
        """The next line that it prints, while its input stays open."""
        self.assertTrue(select.select([sender.stdout], [], [], PATIENCE_S)[0], "nothing was printed")
        return sender.stdout.readline()

    def carts(self):
        done = subprocess.run([MAYFLY, "tail", "--log", self.log, "--stream", "commands", "--from", "begin", "--json"], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        return {json.loads(text)["key"] for text in done.stdout.splitlines()}

    def test_one_command_at_a_time_is_in_the_log_when_its_position_is_printed(self):
        for words, first in (((), "appended at "), (("--json",), '{"partition":')):
            sender = self.sender(*words)
            for cart in ("c1", "c2"):
                sender.stdin.write(line(cart))
                self.assertTrue(self.said(sender).startswith(first))
                self.assertIn(cart, self.carts())
            sender.stdin.close()
            self.assertEqual(sender.wait(PATIENCE_S), 0)

    def test_asked_to_stop_it_says_what_was_sent_and_what_was_not_whole(self):
        for number, (rest, code) in ((signal.SIGINT, ("", 0)), (signal.SIGTERM, ("", 0)), (signal.SIGTERM, ('{"type"', 1))):
            sender = self.sender()
            sender.stdin.write(line("c1") + rest)  # read at once: less than a pipe takes at once
            self.said(sender)
            sender.send_signal(number)
            self.assertEqual(sender.wait(PATIENCE_S), code)
            errors = sender.stderr.read()
            self.assertIn(f"1 sent, {code} not", errors)
            self.assertEqual("line 2 was not whole" in errors, code == 1)

    def test_a_last_line_without_a_line_feed_and_many_lines_are_sent(self):
        done = subprocess.run([MAYFLY, "send", "--log", self.log, "--create", "-"], input="".join(line(f"c{i}") for i in range(1201)).rstrip("\n"),
                              capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual((done.returncode, len(done.stdout.splitlines()), len(self.carts())), (0, 1201, 1201), done.stderr)

    def test_a_reader_of_positions_that_has_gone_ends_it(self):
        sender = self.sender()
        sender.stdout.close()
        sender.stdin.write(line("c1"))
        self.assertEqual(sender.wait(PATIENCE_S), 1)


class SendOne(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = f"sqlite:{folder.name}/shop.db"

    def send(self, *words, stdin=None):
        return subprocess.run([MAYFLY, "send", "--log", self.log, *words], input=stdin, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    def serve(self):
        engine = subprocess.Popen([MAYFLY, "serve", "--log", self.log, "--http", "off"], stderr=subprocess.PIPE, text=True)
        self.addCleanup(engine.stderr.close)
        self.addCleanup(engine.wait)
        self.addCleanup(engine.kill)
        next(line for line in engine.stderr if '"ready"' in line)

    def test_what_a_command_came_to_is_waited_for(self):
        self.serve()
        line = ("cart.add_line", "c1", "sku=A", "quantity=2", "unit_price_minor=5")
        for words, code, said in (
            (("cart.create", "c1", "currency=GBP", "--id", "one"), 0, "\n  cart.created {"),
            (("cart.create", "c1", "currency=GBP", "--id", "one"), 0, "decided before, nothing new came of it; a command with this id came to:\n  cart.created {"),
            (line, 0, "\n  cart.line_added {"),
            (("cart.add_line", "c1", "sku=A", "quantity=0", "unit_price_minor=5"), 1, "\n  command.rejected {"),
            (("cart.create", "c1", "currency=EUR", "--id", "one"), 1, '"id_reused"'),
        ):
            done = self.send(*words, "--wait")
            self.assertEqual((done.returncode, said in done.stdout), (code, True), done.stdout + done.stderr)
            self.assertTrue(done.stdout.startswith("appended at "))
        said = json.loads(self.send(*line, "--wait=60", "--json").stdout)
        self.assertEqual((said["decided"], said["repeated"], [e["type"] for e in said["events"]]), (True, False, ["cart.line_added"]))

    def test_where_nobody_decides_the_command_stays_in_the_log_and_that_is_said(self):
        done = self.send("--create", "cart.create", "c1", "currency=GBP", "--wait=1")
        self.assertEqual((done.returncode, done.stdout[:12]), (4, "appended at "), done.stderr)
        self.assertIn("not decided within 1 s", done.stderr)
        self.assertEqual(self.send("-", "--wait", stdin="").returncode, 2)

    def test_what_no_engine_can_read_is_named_and_not_sent(self):
        self.assertEqual(self.send("--create", "cart.create", "c1", "currency=GBP").returncode, 0)
        rows = (
            (("cart.add_line", "c1", "sku=A", "quantity=two", "unit_price_minor=5"), "cart.add_line: quantity is not an integer"),
            (("cart.create", "c1"), "cart.create: currency is missing"),
            (("cart.change_quantity", "c1", "sku=A", "quantity=1.5"), "quantity is not an integer"),
            (("cart.adjust", "c1", "adjustments=5"), "adjustments is not an array"),
            (("checkout.complete", "c1", "expected_total_minor=x"), "expected_total_minor is not an integer"),
            (("checkout.complete", "c1", "expected_total_minor=1", "payment=cash"), "payment is not an object"),
            (("inventory.rejected", "c1", "reservation_id=c1-r1", "skus=A", "reason=none"), "skus is not an array"),
            (("payment.declined", "c1", "session_id=c1-p1", "reason=no", "retryable=perhaps"), "retryable is not true or false"),
            (("payment.captured", "c1", "session_id=c1-p1", "amount_minor=1", "currency=GBP"), "reference is missing"),
        )
        for words, said in rows:
            done = self.send(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), words)
            self.assertIn(said, done.stderr)
        line = json.dumps({"type": "cart.add_line", "cart": "c1", "data": {"sku": "A", "quantity": "two", "unit_price_minor": 5}})
        done = self.send("-", stdin=line + "\n")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("line 1 cannot be read: cart.add_line: quantity is not an integer", done.stderr)
        self.assertEqual(self.send(*rows[0][0], "--unchecked").returncode, 0)


if __name__ == "__main__":
    unittest.main()

"""`mayfly send -` in a pipe that stays open. Usage: test_send.py MAYFLY"""
import json
import pathlib
import select
import signal
import subprocess
import sys
import tempfile
import unittest

MAYFLY = str(pathlib.Path(sys.argv.pop(1)).resolve()) if len(sys.argv) > 1 else "build/release/mayfly"
PATIENCE_S = 60


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


if __name__ == "__main__":
    unittest.main()

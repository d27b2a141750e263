"""What the verbs print: all of it or an error, and nothing that steers a terminal. Usage: test_output.py MAYFLY"""
import json
import os
import signal
import subprocess
import tempfile
import time
import unittest

from program import MAYFLY, PATIENCE_S

STEERING = "\x1b[31mred\x9b2J\x7f\u202e"  # a colour, C1's CSI, DEL, a mark that turns the direction


def run(*words, **more):
    return subprocess.run([MAYFLY, *words], capture_output=True, timeout=PATIENCE_S, check=False, **more)


def steers(text):
    return [c for c in text if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160 or c == "\u202e")]


class Output(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """A log in which every text that may be hostile is."""
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.log = f"sqlite:{cls.folder.name}/shop.db"
        engine = subprocess.Popen([MAYFLY, "serve", "--log", cls.log, "--http", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
        cls.addClassCleanup(engine.stderr.close)
        cls.addClassCleanup(engine.wait)
        cls.addClassCleanup(engine.kill)
        for line in engine.stderr:
            if '"name":"http"' in line:
                cls.http = line.split("http://")[1].split("/")[0]
            if '"partition":3' in line:
                break
        name = "é漢字 " * 20 + "the end " + STEERING
        lines = [
            ("cart.create", {"currency": "GBP"}, {}),
            ("cart.add_line", {"sku": STEERING, "quantity": 2, "unit_price_minor": 250, "name": name}, {}),
            ("checkout.complete", {"expected_total_minor": 500, "payment": {"provider": STEERING, "token": "t"}}, {"x-" + STEERING: STEERING}),
            ("inventory.reserved", {"reservation_id": "c1-r1"}, {}),
            ("payment.authorized", {"session_id": "c1-p1", "reference": STEERING, "amount_minor": 1, "currency": "GBP"}, {}),
        ]
        sent = "".join(json.dumps({"type": t, "cart": "c1", "data": d, "headers": h}) + "\n" for t, d, h in lines)
        sent += json.dumps({"type": "cart.create", "cart": "c2", "data": "no json " + STEERING}) + "\n"
        done = run("send", "--unchecked", "--log", cls.log, "-", input=sent.encode())
        assert done.returncode == 0, done.stderr
        end = time.monotonic() + PATIENCE_S
        while b"authorization_requested" not in run("inspect", "--log", cls.log, "c1").stdout or not run("deadletters", "list", "--log", cls.log, "--json").stdout:
            assert time.monotonic() < end
            time.sleep(0.02)

    def everything(self):
        log = ("--log", self.log)
        return (
            ("tail", *log, "--from", "begin"),
            ("tail", *log, "--from", "begin", "--stream", "commands"),
            ("tail", *log, "--from", "begin", "--stream", "deadletters", "--json"),
            ("tail", *log, "--from", "begin", "--json"),
            ("inspect", *log, "c1"),
            ("inspect", *log, "c1", "--json"),
            ("funds", *log),
            ("funds", *log, "--json"),
            ("deadletters", "list", *log),
            ("deadletters", "list", *log, "--json"),
            ("send", *log, "cart.create", "c3", "currency=GBP"),
            ("send", *log, "cart.create", "c3", "currency=GBP", "--json"),
            ("tree", "--http", self.http),
            ("tree", "--http", self.http, "--json"),
            ("memory", "--http", self.http),
            ("memory", "--http", self.http, "--json"),
            ("renew", "--http", self.http),
            ("serve", "--check-config"),
            ("--help",),
            ("--version",),
            ("tail", "--help"),
        )

    def test_nothing_printed_steers_a_terminal(self):
        for words in self.everything():
            done = run(*words)
            self.assertEqual(done.returncode, 0, (words, done.stderr))
            self.assertEqual(steers(done.stdout.decode()), [], words)
            if "--json" in words:
                for line in done.stdout.decode().splitlines():
                    json.loads(line)

    def test_no_message_steers_a_terminal(self):
        for words in (
            (STEERING,),
            ("tail", STEERING),
            ("tail", "--log", STEERING),
            ("tail", "--log", self.log, "--from", STEERING),
            ("tail", "--log", self.log, "--type", STEERING),
            ("tail", "--log", "sqlite:/" + STEERING),
            ("send", "--log", self.log, STEERING, "c1"),
            ("send", "--log", self.log, "cart.create", STEERING),
            ("send", "--log", self.log, "cart.create", "c1", STEERING),
            ("serve", "--config", STEERING),
            ("serve", "--name", STEERING),
            ("serve", "--log", "kafka:127.0.0.1:1", "--http", STEERING),
            ("feed", STEERING, "--log", self.log),
            ("deadletters", "release", STEERING, "--log", self.log),
            ("tree", "--http", STEERING),
            ("renew", "--http", STEERING),
        ):
            done = run(*words)
            self.assertNotEqual(done.returncode, 0, words)
            self.assertEqual(steers(done.stderr.decode()), [], words)

    def test_json_says_the_same_as_before_it_was_made_safe(self):
        state = json.loads(run("inspect", "--log", self.log, "c1", "--json").stdout)
        self.assertEqual(state["lines"][0]["sku"], STEERING)

    def test_text_that_goes_into_a_pipe_is_whole_and_columns_stand_below_each_other(self):
        shown = run("inspect", "--log", self.log, "c1").stdout.decode()  # fails where a character is cut
        self.assertRegex(shown, r"line_added.*the end")
        self.assertIn("é漢字", shown)

    def test_what_cannot_be_written_is_an_error(self):
        for words in self.everything():
            with open("/dev/full", "wb") as full:
                done = subprocess.run([MAYFLY, *words], stdout=full, stderr=subprocess.PIPE, timeout=PATIENCE_S, check=False)
            self.assertEqual((done.returncode, b"cannot be written" in done.stderr), (1, True), (words, done.stderr))
            reading, writing = os.pipe()
            os.close(reading)
            done = subprocess.run([MAYFLY, *words], stdout=writing, stderr=subprocess.PIPE, timeout=PATIENCE_S, check=False)
            os.close(writing)
            self.assertEqual((done.returncode, b"cannot be written" in done.stderr), (1, True), (words, done.stderr))

    def test_a_closed_standard_output_is_no_place_for_a_logs_bytes(self):
        done = subprocess.run(["sh", "-c", 'exec "$0" "$@" >&-', MAYFLY, "tail", "--log", self.log, "--from", "begin"], stderr=subprocess.PIPE, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)

    def test_a_tail_that_follows_ends_when_its_reader_goes(self):
        tail = subprocess.Popen([MAYFLY, "tail", "--log", self.log, "--from", "begin", "-f"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(tail.stderr.close)
        self.addCleanup(lambda: tail.poll() is None and tail.kill())
        tail.stdout.readline()
        tail.stdout.close()
        run("send", "--log", self.log, "cart.create", "c4", "currency=GBP")
        self.assertEqual(tail.wait(PATIENCE_S), 1)

    def test_a_demo_ends_when_its_reader_goes(self):
        demo = subprocess.Popen([MAYFLY, "demo", "--http", "off"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(demo.stderr.close)
        self.addCleanup(lambda: demo.poll() is None and demo.send_signal(signal.SIGTERM))
        demo.stdout.readline()
        demo.stdout.close()
        self.assertEqual(demo.wait(PATIENCE_S), 1)


if __name__ == "__main__":
    unittest.main()

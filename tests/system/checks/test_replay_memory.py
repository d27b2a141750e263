"""`mayfly replay verify --memory`: what actors take while a recorded log is decided again, by this program and by one with a
leak in it (tests/engine/leaking). Usage: test_replay_memory.py MAYFLY LEAKING"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from program import MAYFLY, PATIENCE_S
import shop_log

LEAKING = str(pathlib.Path(sys.argv.pop(1)).resolve()) if len(sys.argv) > 1 else "build/release/tests/mayfly_leaking"
CARTS = 3_000


class Memory(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        file = pathlib.Path(folder.name) / "shop.db"
        cls.log = f"sqlite:{file}"
        shop_log.send(MAYFLY, cls.log, shop_log.carts(CARTS, "c"))
        shop_log.decide(MAYFLY, file)

    def replay(self, *words, program=MAYFLY, leak=None, code=0):
        environment = {name: value for name, value in os.environ.items() if name != "MAYFLY_LEAK"}
        if leak:
            environment["MAYFLY_LEAK"] = leak
        done = subprocess.run([program, "replay", *words, "--log", self.log], env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_verify_prints_what_is_alive_and_what_it_takes_at_three_places(self):
        said = self.replay("verify", "--memory")
        self.assertIn("are the same, byte for byte", said)
        for percent in ("10%", "50%", "100%"):
            self.assertRegex(said, rf"(?m)^ *{percent} +[\d,]+ +[\d,]+ +\d+ +[\d,]+ +[\d,]+ +-?[\d.]+ +[\d.]+$")
        last = json.loads(self.replay("memory").splitlines()[-1])
        self.assertEqual((last["percent"], last["carts_open"], last["sessions_open"], last["leaked"]), (100, CARTS, 0, {}))
        self.assertGreater(last["actor_bytes"], CARTS * 300)
        self.assertLess(last["actor_bytes"], CARTS * 4_000)

    def test_the_same_program_takes_the_same(self):
        said = self.replay("verify", "--memory", "--against", MAYFLY)
        self.assertEqual((said.count("this"), said.count("other"), "grows" in said, "leaks" in said), (3, 3, False, False), said)

    def test_a_new_leak_shows_on_old_traffic(self):
        for leak, told in (("cart.lines:2000", r"leaks: cart.lines has [\d,]+ bytes that no actor holds"),
                           ("partition.entries:2000", r"leaks: partition.entries has [\d,]+ bytes"),
                           ("partition.entries:2000", r"grows: at 100% carts and sessions take [\d,]+ bytes, the other program's [\d,]+"),
                           ("unaccounted:4000", r"grows: at 100% what nobody accounts for takes [\d,]+ bytes, the other program's [\d,]+")):
            with self.subTest(leak):
                self.assertRegex(self.replay("verify", "--memory", "--against", MAYFLY, program=LEAKING, leak=leak, code=1), told)

    def test_a_leak_that_the_books_show_is_told_without_another_program(self):
        said = self.replay("verify", "--memory", program=LEAKING, leak="partition.entries:500", code=1)
        self.assertIn("are the same, byte for byte", said)
        self.assertRegex(said, r"leaks: partition.entries has [\d,]+ bytes")
        self.assertNotIn("leaks", self.replay("verify", "--memory", program=LEAKING))

    def test_a_program_that_cannot_say_cannot_be_compared_with(self):
        for program in ("/bin/true", "/bin/false", "/bin/echo", "/no/such/program"):
            with self.subTest(program):
                self.assertIn("cannot be compared with", self.replay("verify", "--memory", "--against", program, code=2))
        self.assertIn("does not go with", self.replay("verify", "--memory", "--carts", code=2))


if __name__ == "__main__":
    unittest.main()

"""The scripts of examples/curl between a real front door and a real engine. Usage: test_examples_http.py MAYFLY
Needs Debian's curl and jq."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from program import MAYFLY, PATIENCE_S

ROOT = pathlib.Path(__file__).resolve().parents[3]
CURL = ROOT / "examples/curl"


class Curl(unittest.TestCase):
    def setUp(self):
        for program in ("curl", "jq"):
            if not shutil.which(program):
                self.skipTest(f"{program} is missing: apt-get install {program}")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.log = f"sqlite:{folder.name}/shop.db"
        subprocess.run([MAYFLY, "send", "--log", self.log, "--create", "cart.create", "first", "currency=GBP"], check=True, stdout=subprocess.DEVNULL)
        self.start([MAYFLY, "serve", "--log", self.log, "--http", "off", "--config", str(ROOT / "examples/tour.toml")], stderr=subprocess.DEVNULL)
        self.start([MAYFLY, "front", "--log", self.log, "--address", "127.0.0.1:0"], says="front")
        self.environment = {**os.environ, "FRONT": self.waited("front", r"at (http://\S+)/ ").group(1)}

    def start(self, words, says=os.devnull, **more):
        with open(self.folder / says, "a", encoding="utf-8") as out:
            process = subprocess.Popen(words, start_new_session=True, stdout=out, **more)
        self.addCleanup(process.wait)
        self.addCleanup(self.kill, process)
        return process

    @staticmethod
    def kill(process):
        """A script's curl too."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    def waited(self, file, pattern):
        until = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, (self.folder / file).read_text())):
            self.assertLess(time.monotonic(), until, (self.folder / file).read_text())
            time.sleep(0.05)
        return found

    def connector(self):
        words = [str(CURL / "connector.sh"), str(self.folder / "place")]
        return self.start(words, env=self.environment, says="answers")

    def buy(self, cart):
        return subprocess.run([str(CURL / "shop.sh"), cart], env=self.environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S)

    def test_a_cart_is_bought_and_paid(self):
        self.connector()
        bought = self.buy("a-cart")
        self.assertEqual((bought.returncode, bought.stdout.splitlines()[-1:]), (0, ["order.placed"]), bought.stdout + bought.stderr)
        self.waited("answers", "a-cart payment.captured\n")
        self.assertEqual((self.folder / "answers").read_text().splitlines(), [f"a-cart {name}" for name in ("inventory.reserved", "payment.authorized", "payment.captured")])

    def test_the_connector_goes_on_where_it_was_killed_and_a_script_that_is_run_again_buys_nothing_twice(self):
        first = self.connector()
        self.assertEqual(self.buy("one").returncode, 0)
        self.waited("answers", "one payment.captured\n")
        self.kill(first)
        first.wait()
        place = self.waited("place", r"\d+:\d+").group(0)
        self.connector()
        again = self.buy("one")
        self.assertEqual(again.returncode, 0, again.stdout + again.stderr)
        self.assertEqual(self.buy("two").returncode, 0)
        self.waited("answers", "two payment.captured\n")
        answers = (self.folder / "answers").read_text()
        self.assertEqual((answers.count("one inventory.reserved"), answers.count("two inventory.reserved")), (1, 1), place)


if __name__ == "__main__":
    unittest.main()

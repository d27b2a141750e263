"""The programs of examples/kafka between a real broker and a real engine, each language as its README says: its shop buys
while its connector answers. What a language needs comes from its registry into build/examples; where that cannot be had, or
the toolchain is missing, its case is skipped and says so. Usage: MAYFLY_KAFKA=HOST:PORT test_examples.py MAYFLY"""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from program import MAYFLY, PATIENCE_S
from example_languages import LANGUAGES, made_ready

ROOT = pathlib.Path(__file__).resolve().parents[3]
BROKERS = os.environ.get("MAYFLY_KAFKA") or sys.exit("no broker: run tools/scripts/kafka start, then set MAYFLY_KAFKA")
TOTAL_MINOR = 1848
RUN = f"{os.getpid()}-{int(time.time())}".translate(str.maketrans("0123456789", "abcdefghij"))  # topics of this run's own


class OverKafka(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        streams = ("commands", "events", "state", "deadletters", "alerts")
        topics = "".join(f'{stream} = "examples-{RUN}-{stream}"\n' for stream in streams)
        cls.config = f"{folder.name}/mayfly.toml"
        waits = (ROOT / "examples/tour.toml").read_text()  # an hour for each answer: a connector may begin late on a busy machine
        pathlib.Path(cls.config).write_text(f'[engine]\nname = "examples-{RUN}"\n[kafka.topics]\n{topics}{waits}')
        cls.engine = subprocess.Popen([MAYFLY, "serve", "--log", f"kafka:{BROKERS}", "--http", "off", "--config", cls.config],
                                      stderr=subprocess.PIPE, text=True)
        cls.addClassCleanup(cls.engine.stderr.close)
        cls.addClassCleanup(cls.engine.wait)
        cls.addClassCleanup(cls.engine.send_signal, signal.SIGTERM)
        if not any('"name":"ready"' in line for line in cls.engine.stderr):
            raise AssertionError("the engine ended")
        cls.environment = {**os.environ, "KAFKA": BROKERS, "COMMANDS": f"examples-{RUN}-commands", "EVENTS": f"examples-{RUN}-events"}

    def events(self, cart):
        done = subprocess.run([MAYFLY, "tail", "--log", f"kafka:{BROKERS}", "--config", self.config, "--cart", cart, "--json"],
                              capture_output=True, text=True, check=True, timeout=PATIENCE_S)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def buys(self, language):
        folder, reason = made_ready(language)
        if not folder:
            self.skipTest(f"{language}: {reason}")
        of = LANGUAGES[language]
        if of.compile:
            compiled = subprocess.run(of.compile, cwd=folder, capture_output=True, text=True, check=False)
            self.assertEqual(compiled.returncode, 0, compiled.stdout + compiled.stderr)
        cart = f"{language}-{RUN}"
        with open(folder / "connector.log", "w+", encoding="utf-8") as said:
            answering = subprocess.Popen(of.connector, cwd=folder, env=self.environment, stdout=said, stderr=subprocess.STDOUT)
            try:
                bought = subprocess.run([*of.shop, cart], cwd=folder, env=self.environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
                answers = (folder / "connector.log").read_text()
                self.assertEqual(bought.returncode, 0, bought.stdout + bought.stderr + answers)
                until = time.monotonic() + PATIENCE_S
                while not (events := self.events(cart)) or events[-1]["headers"]["ce_type"] != "dev.mayfly.cart.converted.v1":
                    self.assertIsNone(answering.poll(), answers)
                    self.assertLess(time.monotonic(), until, events)
                    time.sleep(0.2)
            finally:
                answering.kill()
                answering.wait()
            answers = (folder / "connector.log").read_text()
        types = [event["headers"]["ce_type"] for event in events]
        said = re.findall(r"^(dev\.mayfly\.\S+) ", bought.stdout, re.M)
        self.assertEqual(said, types[:types.index("dev.mayfly.order.placed.v1") + 1], bought.stdout)
        for reply in ("inventory.reserved", "payment.authorized", "payment.captured"):
            self.assertEqual(answers.count(f"{cart} {reply}"), 1, answers)
        paid = next(event["data"] for event in events if event["headers"]["ce_type"] == "dev.mayfly.checkout.completed.v1")
        self.assertEqual((paid["total_minor"], paid.get("captured_minor")), (TOTAL_MINOR, None), paid)

    def test_java(self):
        self.buys("java")

    def test_python(self):
        self.buys("python")

    def test_go(self):
        self.buys("go")

    def test_typescript(self):
        self.buys("typescript")


if __name__ == "__main__":
    unittest.main()

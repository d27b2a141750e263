"""Each exit code of an engine that fails, by a real event, and that the next engine goes on.

Needs the test-only program mayfly_poison (tests/engine/poison): test_exit_codes.py MAYFLY_POISON
"""
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import log_check
import sqlite_log

POISON = str(pathlib.Path(sys.argv.pop(1)).resolve()) if len(sys.argv) > 1 else "build/release/tests/mayfly_poison"
PATIENCE_S = 300


class ExitCodes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.path = str(self.folder / "shop.db")
        self.config = self.folder / "config.toml"
        self.config.write_text("")

    def send(self, *words):
        subprocess.run([POISON, "send", "--create", "--log", "sqlite:" + self.path, *words], check=True, capture_output=True, timeout=PATIENCE_S)

    def send_cart(self, cart, poison):
        self.send("cart.create", cart, "currency=GBP")
        self.send("cart.add_line", cart, f"sku=poison:{poison}", "quantity=1", "unit_price_minor=1")
        self.send("cart.add_line", cart, "sku=A", "quantity=1", "unit_price_minor=7")

    def start(self):
        engine = subprocess.Popen(["prlimit", "--core=0", POISON, "serve", "--log", "sqlite:" + self.path, "--config", str(self.config), "--http", "off"],
                                  stderr=subprocess.PIPE, text=True)
        self.addCleanup(engine.stderr.close)
        self.addCleanup(engine.wait)
        self.addCleanup(lambda: engine.poll() is None and engine.kill())
        return engine

    def exit_code(self):
        """Of an engine that ends by itself."""
        engine = self.start()
        said = engine.communicate(timeout=PATIENCE_S)[1]
        return engine.returncode, said

    def serve_the_rest(self):
        """An engine that decides all there is and ends well; then the log is whole."""
        engine = self.start()
        self.assertTrue(any('"name":"ready"' in line for line in engine.stderr))
        deadline = time.monotonic() + PATIENCE_S
        while True:
            with sqlite_log.SqliteLog(self.path) as log:
                decided, there = log.progress()
            if decided == there:
                break
            self.assertIsNone(engine.poll())
            self.assertLess(time.monotonic(), deadline, f"{decided} of {there} decided")
            time.sleep(0.02)
        engine.send_signal(signal.SIGTERM)
        said = engine.communicate(timeout=PATIENCE_S)[1]
        self.assertEqual(engine.returncode, 0, said)
        with sqlite_log.SqliteLog(self.path) as log:
            check = log_check.Check(log)
            check.run()
            self.assertFalse(check.findings.any(), check.findings.by_kind)
            return check.counts

    def check_one_dead_letter(self):
        counts = self.serve_the_rest()
        self.assertEqual((counts["cart.created"], counts["cart.line_added"], counts["dead letters"]), (1, 1, 1))

    def test_7_partitions_rebuilt_more_often_than_is_borne(self):
        self.config.write_text("[supervision]\npartition_restarts = 0\npartition_rebuilds = 0\n")
        self.send_cart("c1", "throw")
        code, said = self.exit_code()
        self.assertEqual(code, 7, said)
        self.assertIn("supervision.partition_rebuilds", said)
        self.check_one_dead_letter()

    def test_9_an_engine_that_does_not_end_when_asked_to(self):
        self.config.write_text("[operate]\ndrain_limit_ms = 100\n")
        self.send_cart("c1", "wait")
        for _ in range(3):
            engine = self.start()
            for line in engine.stderr:
                if line.startswith("poison wait"):
                    engine.send_signal(signal.SIGTERM)
                    break
            said = engine.communicate(timeout=PATIENCE_S)[1]
            self.assertEqual(engine.returncode, 9, said)
            self.assertIn('"not_drained"', said)
        self.config.write_text("")
        self.check_one_dead_letter()

    def test_10_a_command_that_uses_more_cpu_time_than_it_may(self):
        self.config.write_text("[operate]\nhandler_cpu_limit_ms = 100\n")
        self.send_cart("c1", "loop")
        for _ in range(3):
            code, said = self.exit_code()
            self.assertEqual(code, 10, said)
            self.assertIn('"handler_limit"', said)
        self.check_one_dead_letter()

    def test_11_a_command_that_waits_for_ever(self):
        self.config.write_text("[operate]\nstuck_limit_ms = 1000\n")
        self.send_cart("c1", "wait")
        for _ in range(3):
            code, said = self.exit_code()
            self.assertEqual(code, 11, said)
            self.assertIn('"stuck"', said)
        self.check_one_dead_letter()


if __name__ == "__main__":
    unittest.main()

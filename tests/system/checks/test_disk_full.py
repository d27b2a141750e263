"""An engine whose disk is full or frozen, or whose file another process holds: it says so, loses nothing, and goes on.

Usage: test_disk_full.py MAYFLY. The full disk is a small tmpfs of its own, which only root may mount.
"""
import os
import http.client
import pathlib
import re
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

from machine import Machine
from program import MAYFLY, PATIENCE_S
import log_check
import sqlite_log

DISK_BYTES = 8 << 20


class Engine(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def use(self, folder):
        self.path = str(folder / "shop.db")

    def start(self, *words, environment=None):
        command = [MAYFLY, "serve", "--log", "sqlite:" + self.path, *(words or ("--http", "off"))]
        engine = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        self.addCleanup(engine.stderr.close)
        self.addCleanup(engine.wait)
        self.addCleanup(lambda: engine.poll() is None and engine.kill())
        return engine

    def wait_for_line(self, engine, name):
        said = []
        for line in engine.stderr:
            said.append(line)
            if f'"name":"{name}"' in line:
                return line
        self.fail(f"the engine ended with {engine.wait()} and never said {name}:\n{''.join(said)}")

    def send_carts(self, first, count):
        lines = []
        for cart in (f"cart-{n}" for n in range(first, first + count)):
            lines.append(f'{{"type":"cart.create","cart":"{cart}","data":{{"currency":"GBP"}}}}\n')
            lines.append(f'{{"type":"cart.add_line","cart":"{cart}","data":{{"sku":"A","quantity":1,"unit_price_minor":7,"name":"{"n" * 200}"}}}}\n')
        return subprocess.run([MAYFLY, "send", "--log", "sqlite:" + self.path, "-"], input="".join(lines), capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)

    def progress(self):
        with sqlite_log.SqliteLog(self.path) as log:
            return log.progress()

    def wait_until_decided(self, engine):
        deadline = time.monotonic() + PATIENCE_S
        while True:
            decided, there = self.progress()
            if decided == there > 0:
                return
            self.assertIsNone(engine.poll())
            self.assertLess(time.monotonic(), deadline, f"{decided} of {there} decided")
            time.sleep(0.02)

    def check_whole(self, carts):
        with sqlite_log.SqliteLog(self.path) as log:
            check = log_check.Check(log, drained=True)
            check.run()
        self.assertFalse(check.findings.any(), check.findings.by_kind)
        self.assertEqual((check.counts["cart.created"], check.counts["cart.line_added"], check.counts["dead letters"]), (carts, carts, 0))

    def end(self, engine):
        engine.send_signal(signal.SIGTERM)
        self.assertEqual(engine.wait(PATIENCE_S), 0)


class FullDisk(Engine):
    def setUp(self):
        super().setUp()
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(self.disk)], capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("no disk of its own can be mounted here: " + mounted.stderr.strip())
        self.addCleanup(lambda: subprocess.run(["umount", str(self.disk)], check=True))
        self.use(self.disk)
        self.filler = self.disk / "filler"

    def fill(self):
        with open(self.filler, "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 4096)
            except OSError:
                return

    def check_says_full(self, engine):
        said = engine.communicate(timeout=PATIENCE_S)[1]
        self.assertEqual(engine.returncode, 8, said)
        self.assertRegex(said, "[Mm]ake room")

    def test_it_ends_with_8_for_as_long_as_the_disk_is_full_and_then_goes_on_without_loss(self):
        engine = self.start()
        self.wait_for_line(engine, "ready")
        self.assertEqual(self.send_carts(0, 500).returncode, 0)
        self.wait_until_decided(engine)
        engine.send_signal(signal.SIGSTOP)
        self.assertEqual(self.send_carts(500, 500).returncode, 0)
        self.fill()
        self.assertEqual(self.send_carts(1000, 500).returncode, 8)
        engine.send_signal(signal.SIGCONT)
        self.check_says_full(engine)
        for _ in range(3):
            self.check_says_full(self.start())
        os.truncate(self.filler, 0)
        engine = self.start()
        self.wait_until_decided(engine)
        self.end(engine)
        self.check_whole(1000)

    def test_a_log_that_there_is_no_room_to_make_ends_with_8_and_is_made_later(self):
        self.fill()
        self.check_says_full(self.start())
        os.truncate(self.filler, 0)
        engine = self.start()
        self.wait_for_line(engine, "ready")
        self.end(engine)


class FrozenDisk(Engine):
    """Its fdatasync does not return, as under fsfreeze."""

    def setUp(self):
        super().setUp()
        self.use(self.folder)
        self.machine = Machine(self.folder)

    def status(self, address, path):
        connection = http.client.HTTPConnection(address, timeout=PATIENCE_S)
        self.addCleanup(connection.close)
        connection.request("GET", path)
        return connection.getresponse().status

    def test_it_is_not_ready_while_a_commit_does_not_return_and_loses_nothing(self):
        config = self.folder / "mayfly.toml"
        config.write_text("[operate]\nlog_write_limit_ms = 1000\n")
        engine = self.start("--config", str(config), "--http", "127.0.0.1:0", environment=self.machine.environment)
        address = re.search(r"http://([^/]+)/", self.wait_for_line(engine, "http"))[1]
        self.wait_for_line(engine, "ready")
        self.assertEqual(self.send_carts(0, 5).returncode, 0)
        self.wait_until_decided(engine)
        engine.send_signal(signal.SIGSTOP)  # so that the next commit is the first that meets it
        self.assertEqual(self.send_carts(5, 5).returncode, 0)
        self.machine.frozen.touch()
        self.addCleanup(self.machine.frozen.unlink, missing_ok=True)
        engine.send_signal(signal.SIGCONT)
        self.wait_for_line(engine, "log_silent")
        self.assertEqual((self.status(address, "/readyz"), self.status(address, "/livez")), (503, 200))
        self.machine.frozen.unlink()
        self.wait_for_line(engine, "log_answers")
        self.wait_until_decided(engine)
        deadline = time.monotonic() + PATIENCE_S
        while self.status(address, "/readyz") != 200:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        self.end(engine)
        self.check_whole(10)


class LockedFile(Engine):
    def setUp(self):
        super().setUp()
        self.use(self.folder)

    def test_it_says_that_another_process_writes_for_long_and_goes_on_when_it_may(self):
        engine = self.start()
        self.wait_for_line(engine, "ready")
        engine.send_signal(signal.SIGSTOP)
        self.assertEqual(self.send_carts(0, 100).returncode, 0)
        other = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        engine.send_signal(signal.SIGCONT)
        self.wait_for_line(engine, "commit_aborted")
        other.execute("ROLLBACK")
        self.wait_until_decided(engine)
        self.end(engine)
        self.check_whole(100)

    def test_an_engine_that_cannot_begin_because_of_it_ends_with_4(self):
        engine = self.start()
        self.wait_for_line(engine, "ready")
        self.end(engine)
        other = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        engine = self.start()
        said = engine.communicate(timeout=PATIENCE_S)[1]
        self.assertEqual(engine.returncode, 4, said)


if __name__ == "__main__":
    unittest.main()

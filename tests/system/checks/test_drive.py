"""`mayfly replay drive`: what it leaves in another log, against what the source holds (sqlite_log.py).
Usage: test_drive.py MAYFLY"""
import collections
import os
import pathlib
import pty
import re
import signal
import sqlite3
import subprocess
import tempfile
import unittest

from program import MAYFLY, PATIENCE_S, run
import sqlite_log

SLOW = "0.01"  # times the recorded speed: it does not end before it is asked to


def commands_of(file):
    """What shop and connectors sent, by cart: each cart's in their order."""
    found = collections.defaultdict(list)
    with sqlite_log.SqliteLog(file) as log:
        for c in log.commands():
            if c.headers["ce_type"] != "dev.mayfly.clock.tick.v1" and c.headers["ce_source"] != "/mayfly/mayfly":
                found[c.key].append((c.headers["ce_type"], c.headers["ce_source"], c.headers["ce_id"], c.value))
    return found


def events_of(file):
    """What was decided, by cart, but for times and what is made of positions. Without carts that merged: they lie in two
    partitions, and an engine may decide one before or after the other."""
    found = collections.defaultdict(list)
    merged = set()
    with sqlite_log.SqliteLog(file) as log:
        for e in log.events():
            words = {name: word for name, word in e.data.items() if isinstance(word, (str, int)) and name not in ("deadline", "hold_until", "expires_at", "idempotency_key")}
            found[e.key].append((e.headers["ce_type"], words))
            if "into" in e.data:
                merged.update((e.key, e.data["into"]))
    return {key: said for key, said in found.items() if key not in merged}


class Drive(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.source = cls.folder / "shop.db"
        done = run("demo", "--log", f"sqlite:{cls.source}", "--carts", "40", "--carts-per-second", "100", "--delay-ms", "20",
                   "--decline", "20", "--silence", "0", "--http", "off", "--front", "off")
        assert done.returncode == 0, done.stderr
        cls.bundle = cls.folder / "shop.bundle"
        assert run("replay", "export", str(cls.bundle), "--plain", "--log", f"sqlite:{cls.source}").returncode == 0
        cls.commands = commands_of(cls.source)
        cls.count = sum(map(len, cls.commands.values()))

    def setUp(self):
        self.to = self.folder / f"{self.id()}.db"

    def drive(self, source, *words, code=0):
        done = run("replay", "drive", str(source), "--log", f"sqlite:{self.to}", *words)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def begun(self, **how):
        """One that is running, and has appended something."""
        running = subprocess.Popen([MAYFLY, "replay", "drive", str(self.bundle), "--log", f"sqlite:{self.to}", "--create", "--speed", SLOW],
                                   text=True, **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how})
        self.addCleanup(running.communicate)
        self.addCleanup(running.kill)
        while not (self.to.exists() and commands_of_if_ready(self.to)):
            self.assertIsNone(running.poll())
        return running

    def test_a_log_and_its_bundle_driven_into_new_logs_are_decided_as_they_were(self):
        recorded = events_of(self.source)
        for source in (f"sqlite:{self.source}", self.bundle):
            with self.subTest(source):
                self.to = self.folder / f"{self.id()}-{pathlib.Path(source).suffix}.db"
                self.assertIn(f"{self.count} commands driven", self.drive(source, "--create", "--speed", "max").replace(",", ""))
                self.assertEqual(commands_of(self.to), self.commands)
                self.decide()
                self.assertEqual(events_of(self.to), recorded)

    def decide(self):
        """An engine serves the log until all of its commands are decided."""
        engine = subprocess.Popen([MAYFLY, "serve", "--log", f"sqlite:{self.to}", "--http", "off"], stderr=subprocess.DEVNULL)
        try:
            with sqlite_log.SqliteLog(self.to) as log:
                driven = log.ends("commands")  # before the engine's ticks, or with some
            decided = {}
            while any(decided.get(partition, 0) < end for partition, end in driven.items()):
                self.assertIsNone(engine.poll())
                with sqlite_log.SqliteLog(self.to) as log:
                    decided = log.positions()
        finally:
            engine.send_signal(signal.SIGTERM)
            engine.wait(PATIENCE_S)

    def test_what_was_killed_goes_on_where_it_was(self):
        running = self.begun()
        running.kill()
        running.wait(PATIENCE_S)
        there = sum(map(len, commands_of(self.to).values()))
        self.assertLess(there, self.count)
        said = self.drive(self.bundle, "--speed", "max")
        self.assertIn(f"{self.count - there} commands driven", said.replace(",", ""))
        self.assertIn(f"{there} were there already", said)
        self.assertEqual(commands_of(self.to), self.commands)
        self.assertIn("0 commands driven", self.drive(self.bundle, "--speed", "max"))

    def test_on_a_terminal_a_bar_shows_how_far_it_is_and_a_signal_ends_it(self):
        screen, terminal = pty.openpty()
        self.addCleanup(os.close, screen)
        running = self.begun(stderr=terminal)
        os.close(terminal)
        shown = ""
        while not re.search(r"\r.*\[[=> ]{20}\] \d+%  \d+ of \d+ commands, \d+ a second", shown):
            shown += os.read(screen, 4096).decode()
        running.send_signal(signal.SIGINT)
        with self.assertRaises(OSError):  # the end
            while True:
                shown += os.read(screen, 4096).decode()
        self.assertEqual(running.wait(PATIENCE_S), 1)
        self.assertRegex(shown, r"\x1b\[KNot all was driven: it ended after the command at \d+:\d+. The same again goes on there.")

    def test_where_it_must_not_go_it_appends_nothing(self):
        self.to = self.source
        for source in (f"sqlite:{self.source}", self.bundle):
            for words in ((), ("--into-used",)):
                self.assertIn("is the log that these commands come from", self.drive(source, *words, code=2))
        self.assertEqual(commands_of(self.source), self.commands)
        self.to = self.folder / f"{self.id()}-used.db"
        sent = run("send", "cart.create", "mine", "currency=GBP", "--create", "--log", f"sqlite:{self.to}")
        self.assertEqual(sent.returncode, 0, sent.stderr)
        said = self.drive(self.bundle, "--speed", "max", code=2)
        self.assertRegex(said, r"holds commands of other producers, the first at \d:0")
        self.assertEqual(list(commands_of(self.to)), ["mine"])
        self.drive(self.bundle, "--speed", "max", "--into-used")
        self.assertEqual({**commands_of(self.to), "mine": None}, {**self.commands, "mine": None})

    def test_a_source_that_is_none_and_a_speed_that_is_none_are_refused(self):
        self.drive(self.folder / "none.bundle", "--create", code=2)
        self.drive(self.bundle, "--create", "--speed", "fast", code=2)
        whole = self.bundle.read_bytes()
        for name, bytes_ in (("cut", whole[:-1]), ("altered", whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:]), ("letter", b"dear aunt")):
            file = self.folder / f"{name}.bundle"
            file.write_bytes(bytes_)
            self.assertIn("Nothing was driven", self.drive(file, "--create", code=1))
        self.assertFalse(self.to.exists())


def commands_of_if_ready(file):
    try:
        return commands_of(file)
    except (sqlite_log.NotReady, sqlite3.OperationalError):
        return None


if __name__ == "__main__":
    unittest.main()

"""`mayfly replay` on a real broker says what it says of the same records on SQLite: a shop's commands are driven into topics
of this run, decided there, and taken to a SQLite log by a plain bundle. Usage: MAYFLY_KAFKA=HOST:PORT test_replay_kafka.py MAYFLY"""
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

BROKERS = os.environ.get("MAYFLY_KAFKA") or sys.exit("no broker: run tools/scripts/kafka start, then set MAYFLY_KAFKA")
STREAMS = ("commands", "events", "state", "deadletters", "alerts")
# In letters: digits that look like a card number are masked in what Mayfly writes.
RUN = f"replay-{os.getpid()}-{int(time.time())}".translate(str.maketrans("0123456789", "abcdefghij"))


def run(*words):
    done = subprocess.run([MAYFLY, *words], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    return done.returncode, done.stdout, done.stderr


class ReplayOnKafka(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        topics = "\n".join(f'topics.{stream} = "{RUN}.{stream}"' for stream in STREAMS)
        config = cls.folder / "kafka.toml"
        config.write_text(f'log = "kafka:{BROKERS}"\n[kafka]\n{topics}\n')
        cls.kafka = ("--config", str(config))
        recorded = f"sqlite:{cls.folder}/recorded.db"
        cls.done("demo", "--log", recorded, "--carts", "30", "--carts-per-second", "100", "--delay-ms", "20", "--silence", "8", "--http", "off", "--front", "off")
        cls.done("replay", "drive", recorded, *cls.kafka, "--create", "--speed", "max")
        cls.decide()
        bundle = str(cls.folder / "kafka.bundle")
        cls.done("replay", "export", bundle, "--plain", *cls.kafka)
        cls.sqlite = ("--log", f"sqlite:{cls.folder}/same.db")
        cls.done("replay", "import", bundle, *cls.sqlite)
        cls.commands = [json.loads(line) for line in cls.done("tail", "--stream", "commands", "--from", "begin", "--json", *cls.sqlite).splitlines()]
        cls.carts = sorted({c["key"] for c in cls.commands if c.get("key")} - {f"last-{n}" for n in range(16)})
        assert len(cls.carts) >= 30, cls.carts  # of 30 buyers, some of whom log in with a second one

    @classmethod
    def done(cls, *words):
        code, said, complaint = run(*words)
        assert code == 0, (words, said, complaint)
        return said

    @classmethod
    def decide(cls):
        """All that lies there now: after the last of each partition a command whose decision is waited for."""
        partitions = {}
        for number in range(16):
            if len(partitions) < 4:
                at = json.loads(cls.done("send", "--json", "cart.cancel", f"last-{number}", *cls.kafka))
                partitions.setdefault(at["partition"], f"last-{number}")
        with subprocess.Popen([MAYFLY, "serve", "--http", "off", *cls.kafka], stderr=subprocess.DEVNULL) as engine:
            for cart in partitions.values():
                run("send", f"--wait={PATIENCE_S}", "cart.cancel", cart, *cls.kafka)
            engine.send_signal(signal.SIGTERM)
            engine.wait(PATIENCE_S)

    def same(self, *words, code=0):
        on_kafka, on_sqlite = run("replay", *words, *self.kafka), run("replay", *words, *self.sqlite)
        self.assertEqual(on_kafka[:2], on_sqlite[:2], (words, on_kafka[2], on_sqlite[2]))
        self.assertEqual(on_kafka[0], code, on_kafka)
        return on_kafka[1]

    def some(self):
        return [c for c in self.commands if c.get("key") in self.carts][:: len(self.commands) // 6]

    def test_verify_says_that_every_byte_is_the_same(self):
        self.assertIn("state records are the same, byte for byte", self.same("verify"))
        self.assertIn("0 carts differ", self.same("verify", "--carts"))

    def test_show_why_at_and_diff_say_the_same_as_on_sqlite(self):
        for cart in self.carts[::6]:
            self.assertIn(f"cart {cart} in partition", self.same("show", cart))
            self.same("show", cart, "--json")
        for command in self.some():
            position = f"{command['partition']}:{command['offset']}"
            self.same("why", position, "--json")
            self.same("at", position, command["key"], "--json")
            self.same("diff", "begin", position, command["key"], "--json")

    def test_whatif_and_bisect_say_the_same_as_on_sqlite(self):
        plan = self.folder / "plan.json"
        dropped = self.some()[-1]
        plan.write_text(json.dumps({"commands": [{"drop": f"{dropped['partition']}:{dropped['offset']}"}]}))
        self.same("whatif", str(plan), "--json")
        self.same("bisect", "--when", "event == cart.converted", "--json")
        self.same("bisect", "--when", "total_minor < 0", code=1)

    def test_show_by_an_index_says_the_same_as_without(self):
        index = str(self.folder / "kafka.index")
        reference = next(c["data"]["reference"] for c in self.commands if isinstance(c.get("data"), dict) and c["data"].get("reference"))
        for id in (*self.carts[::6], f"o-{self.carts[0]}", reference):
            whole = run("replay", "show", id, "--json", *self.kafka)
            self.assertEqual(run("replay", "show", id, "--json", "--index", index, *self.kafka), whole)
        code, said, complaint = run("replay", "show", self.carts[0], "--index", index, *self.sqlite)
        self.assertEqual((code, complaint), (0, ""))  # the same records
        self.assertIn(self.carts[0], said)

    def test_a_checkpoint_is_the_same_file_as_on_sqlite_and_a_replay_begins_with_it(self):
        middle = self.commands[len(self.commands) // 2]
        files = []
        for name, log in (("k", self.kafka), ("s", self.sqlite)):
            files.append(self.folder / f"middle-{name}")
            self.done("replay", "checkpoint", str(files[-1]), "--at", f"{middle['partition']}:{middle['offset']}", *log)
        self.assertEqual(files[0].read_bytes(), files[1].read_bytes())
        said = self.same("verify", "--from", str(files[0]))
        self.assertLess(int(re.match(r"[\d,]+", said)[0].replace(",", "")), len(self.commands))
        decided, recorded = self.folder / "decided", self.folder / "recorded"
        self.done("replay", "checkpoint", str(decided), *self.kafka)
        self.done("replay", "checkpoint", str(recorded), "--as-recorded", *self.kafka)
        self.assertEqual(decided.read_bytes(), recorded.read_bytes())


if __name__ == "__main__":
    unittest.main()

"""A table of verbs and exit codes: each code that docs/command-line.md names for a verb is what the verb ends with here.

Usage: test_verb_codes.py MAYFLY. A full disk is a small tmpfs, which only root may mount.
"""
import collections
import concurrent.futures
import contextlib
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import tempfile
import termios
import threading
import time
import unittest

from program import MAYFLY, PATIENCE_S
import command_pages

ROOT = command_pages.ROOT
AT_ONCE = 8  # programs of which most wait
PIPE_BYTES = 4096
SET_PIPE_BYTES = 1031  # F_SETPIPE_SZ of Linux
POSITION_KEY = b"\x01p"  # of the state record that says how far an engine is
CSV = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,HOLDER,6,12/1/2010 8:26,2.55,17850,United Kingdom
"""

# Words that do what the verb is for. F is the test's folder, OWN one that nobody else has, D a dead letter's position, C a
# command's, A the address of an engine.
WORDS = {
    "serve": ("serve", "--check-config"),
    "memory": ("memory", "--http", "A"),
    "renew": ("renew", "--http", "A"),
    "tree": ("tree", "--http", "A"),
    "send": ("send", "cart.create", "c3", "currency=GBP"),
    "send -": ("send", "-"),
    "tail": ("tail",),
    "inspect": ("inspect", "c1"),
    "front": ("front", "--address", "127.0.0.1:0"),
    "connect": ("connect", "--config", "F/connect.toml"),
    "simulate": ("simulate", "provider", "warehouse"),
    "funds": ("funds",),
    "deadletters list": ("deadletters", "list"),
    "deadletters show": ("deadletters", "show", "D"),
    "deadletters retry": ("deadletters", "retry", "D"),
    "deadletters drop": ("deadletters", "drop", "D"),
    "deadletters release": ("deadletters", "release", "held"),
    "feed": ("feed", "F/rows.csv"),
    "replay verify": ("replay", "verify"),
    "replay decisions": ("replay", "decisions"),
    "replay memory": ("replay", "memory"),
    "replay show": ("replay", "show", "c1"),
    "replay index": ("replay", "index", "OWN/shop.index"),
    "replay why": ("replay", "why", "C"),
    "replay at": ("replay", "at", "end", "c1"),
    "replay diff": ("replay", "diff", "begin", "end"),
    "replay whatif": ("replay", "whatif", "F/whatif.json"),
    "replay bisect": ("replay", "bisect", "--when", "phase == active"),
    "replay checkpoint": ("replay", "checkpoint", "OWN/shop.checkpoint"),
    "replay export": ("replay", "export", "OWN/shop.bundle"),
    "replay import": ("replay", "import", "F/shop.bundle", "--log", "sqlite:OWN/new.db"),
    "replay drive": ("replay", "drive", "sqlite:F/other.db", "--into-used", "--speed", "max"),
    "backup": ("backup", "OWN/copy.db"),
    "demo": ("demo", "--http", "off", "--front", "off", "--carts", "1", "--silence", "0", "--delay-ms", "0"),
    "reenact": ("reenact", "cart-leak", "--html", "off"),
}
# As WORDS, but what goes on until it is asked to stop.
ENGINE = {**WORDS, "serve": ("serve", "--http", "off"), "demo": WORDS["demo"][:5], "tail": ("tail", "--stream", "commands", "--follow")}
INPUT = {"send -": '{"type":"cart.create","cart":"c4","data":{"currency":"GBP"}}\n'}
ON_A_LOG = [verb for verb in WORDS if verb not in ("memory", "renew", "tree", "replay import", "reenact")]
MAKES_A_LOG = ("serve", "demo")

# What only an engine with planted faults does; each is a test of that name there.
BY_A_PLANTED_FAULT = {("serve", code): f"test_{code}_" for code in (7, 9, 10, 11)}
PLAYED_FOR_MINUTES = {("reenact", 0): "test_protected_it_lives"}  # in test_reenact.py
BY_NOTHING_FROM_OUTSIDE = {("demo", 7)}  # its engine has the same end as serve's

Row = collections.namedtuple("Row", "verb wrong code words said input", defaults=("",))


def no_verb_has(option):
    return [Row(verb, f"{option}, which no verb has", 2, (*words, option), option) for verb, words in WORDS.items()]


def on(log, wrong, code, said, verbs, words=(), table=None):
    """One row for each verb, on the log of that name."""
    return [Row(verb, wrong, code, (*(table or WORDS)[verb], "--log", log, *words), said, INPUT.get(verb, "")) for verb in verbs]


ROWS = (
    *no_verb_has("--bogus"),
    *on("sqlite:F/none.db", "no such log", 2, "there is no such log", [verb for verb in ON_A_LOG if verb not in MAKES_A_LOG]),
    *on("sqlite:F", "a folder for a log", 2, "is no file", ON_A_LOG),
    *on("LOG", "a key that no config has", 3, "there is no key 'shop'", [verb for verb in ON_A_LOG if verb not in ("connect", "demo")], ("--config", "F/wrong.toml")),
    Row("connect", "a key that no config has", 3, ("connect", "--log", "LOG", "--config", "F/wrong.toml"), "there is no key 'shop'"),
    *on("kafka:BROKER", "no broker there", 4, "Check that the brokers run",
        [verb for verb in ON_A_LOG if verb not in ("backup", "connect", "demo")], ("--config", "F/impatient.toml"), ENGINE),
    Row("connect", "no broker there", 4, ("connect", "--log", "kafka:BROKER", "--config", "F/impatient_connect.toml"), "Check that the brokers run"),
    *on("sqlite:F/locked.db", "another program keeps the file", 4, "database is locked", ("backup", "demo"), (), ENGINE),
    *on("sqlite:F/served.db", "an engine serves it", 5, "is served by engine 'mayfly'", MAKES_A_LOG, (), ENGINE),
    *on("sqlite:F/letter.db", "a letter for a log", 6, "is no whole SQLite database", ON_A_LOG, (), ENGINE),
    Row("serve", "no log named", 2, ("serve",), "Which log?"),
    Row("serve", "an engine's name of two words", 2, ("serve", "--log", "LOG", "--name", "a b"), "is no engine's name"),
    Row("serve", "an address that is none", 2, ("serve", "--log", "LOG", "--http", "localhost"), "is no address"),
    Row("serve", "an address that is taken", 2, ("serve", "--log", "LOG", "--http", "A"), "cannot be listened on"),
    Row("serve", "another engine's name", 6, ("serve", "--log", "LOG", "--name", "other", "--http", "off"), "other"),
    Row("memory", "an address that is none", 2, ("memory", "--http", "localhost"), "is no address"),
    Row("tree", "an address that is none", 2, ("tree", "--http", "127.0.0.1:99999"), "is no address"),
    Row("renew", "an address that is none", 2, ("renew", "--http", "localhost"), "is no address"),
    Row("memory", "no engine there", 1, ("memory", "--http", "BROKER"), "Is an engine running there?"),
    Row("tree", "no engine there", 1, ("tree", "--http", "BROKER"), "Is an engine running there?"),
    Row("renew", "no engine there", 1, ("renew", "--http", "BROKER"), "Is an engine running there?"),
    Row("renew", "a partition that is not served", 1, ("renew", "--http", "A", "--partition", "9"), "404"),
    Row("send", "no such command", 2, ("send", "cart.fly", "c1", "--log", "LOG"), "is no command"),
    Row("send", "a quantity that is no number", 2, ("send", "cart.add_line", "c1", "sku=A", "quantity=two", "--log", "LOG"), "quantity"),
    Row("send", "--wait without an engine", 4, ("send", "cart.create", "c3", "currency=GBP", "--wait=1", "--log", "LOG"), "not decided"),
    Row("send", "a command that is refused", 1, ("send", "cart.create", "c1", "currency=GBP", "--wait", "--log", "sqlite:F/served.db"), ""),
    Row("send -", "a line that is no JSON", 1, ("send", "-", "--log", "LOG"), "line 1 is no JSON object", "not json\n"),
    Row("send -", "--wait", 2, ("send", "-", "--wait", "--log", "LOG"), "--wait is for one command"),
    Row("tail", "no such type", 2, ("tail", "--type", "bogus", "--log", "LOG"), "no command or event has that type"),
    Row("tail", "a group that is beyond the end", 6, ("tail", "--group", "books", "--log", "sqlite:F/group.db"), "the log is older"),
    Row("front", "an address that is taken", 2, ("front", "--address", "A", "--log", "LOG"), "cannot be listened on"),
    Row("front", "no tokens for an address that others reach", 2, ("front", "--address", "0.0.0.0:0", "--log", "LOG"), "is not loopback"),
    Row("connect", "no config", 2, ("connect", "--log", "LOG"), "Give --config FILE"),
    Row("connect", "an address that is taken", 2, ("connect", "--log", "LOG", "--config", "F/taken.toml"), "cannot be listened on"),
    Row("connect", "a table without a secret", 3, ("connect", "--log", "LOG", "--config", "F/open.toml"), "lacks a secret"),
    Row("connect", "a parked event that is not there", 2, ("connect", "--log", "LOG", "--config", "F/connect.toml", "--again", "w:0:99"), "There is no event at 0:99"),
    Row("connect", "a parked event that is parked again", 1, ("connect", "--log", "sqlite:F/parked.db", "--config", "F/connect.toml", "--again", "PARKED"), "1 parked"),
    Row("simulate", "nothing to simulate", 2, ("simulate", "bank", "--log", "LOG"), "bank"),
    Row("simulate", "a position that is beyond the end", 6, ("simulate", "provider", "--log", "sqlite:F/group.db"), "the log is older"),
    Row("deadletters retry", "no dead letter there", 2, ("deadletters", "retry", "0:99", "--log", "LOG"), "Nothing was done"),
    Row("deadletters release", "a cart that is not quarantined", 1, ("deadletters", "release", "c1", "--log", "LOG"), "is not quarantined"),
    Row("feed", "a letter for a CSV", 2, ("feed", "F/letter.db", "--log", "LOG"), "is no CSV"),
    Row("replay verify", "an event that differs", 1, ("replay", "verify", "--log", "sqlite:F/differs.db"), "first difference: event"),
    Row("replay verify", "events of a cart that differ", 1, ("replay", "verify", "--carts", "--log", "sqlite:F/differs.db"), "c1"),
    Row("replay show", "an id that nobody named", 1, ("replay", "show", "c99", "--log", "LOG"), "c99"),
    Row("replay index", "a letter for an index", 2, ("replay", "index", "F/letter.db", "--log", "LOG"), "no index"),
    Row("replay why", "a position without a command", 1, ("replay", "why", "0:99", "--log", "LOG"), "there is no command"),
    Row("replay checkpoint", "a file that is there already", 2, ("replay", "checkpoint", "F/shop.bundle", "--log", "LOG"), "is there already"),
    Row("replay verify", "a letter for a checkpoint", 2, ("replay", "verify", "--from", "F/letter.db", "--log", "LOG"), "letter.db: block 0"),
    Row("replay export", "a file that is there already", 2, ("replay", "export", "F/shop.bundle", "--log", "LOG"), "is there already"),
    Row("replay export", "one that was begun and cannot be gone on with", 2, ("replay", "export", "F/torn.bundle", "--log", "LOG"), "to begin anew"),
    Row("replay import", "a log that is there already", 2, ("replay", "import", "F/shop.bundle", "--log", "LOG"), "it is there already"),
    Row("replay import", "a file that is not there", 2, ("replay", "import", "F/none.bundle", "--log", "sqlite:OWN/new.db"), "cannot be read"),
    Row("replay import", "a log on Kafka", 2, ("replay", "import", "F/shop.bundle", "--log", "kafka:BROKER"), "a new log on SQLite"),
    Row("replay import", "a letter for a bundle", 1, ("replay", "import", "F/letter.db", "--log", "sqlite:OWN/new.db"), "Nothing was imported"),
    Row("replay import", "a key that no config has", 3, ("replay", "import", "F/shop.bundle", "--log", "sqlite:OWN/new.db", "--config", "F/wrong.toml"), "there is no key 'shop'"),
    Row("replay drive", "a source that is not there", 2, ("replay", "drive", "F/none.bundle", "--log", "LOG"), "cannot be read"),
    Row("replay drive", "a letter for a bundle", 1, ("replay", "drive", "F/letter.db", "--log", "LOG"), "Nothing was driven"),
    Row("replay drive", "into its own log", 2, ("replay", "drive", "F/shop.bundle", "--into-used", "--log", "LOG"), "is the log that these commands come from"),
    Row("replay drive", "into a log that others use", 2, ("replay", "drive", "sqlite:F/other.db", "--log", "LOG"), "holds commands of other producers"),
    Row("replay drive", "no broker of the source", 4, ("replay", "drive", "kafka:BROKER", "--from-config", "F/impatient.toml", "--log", "LOG"), "Check that the brokers run"),
    Row("replay drive", "a letter for the source's log", 6, ("replay", "drive", "sqlite:F/letter.db", "--log", "LOG"), "is no whole SQLite database"),
    Row("replay at", "an id that nobody named", 1, ("replay", "at", "end", "c99", "--log", "LOG"), "c99"),
    Row("replay bisect", "a condition that never holds", 1, ("replay", "bisect", "--when", "total_minor > 1000000", "--log", "LOG"), ""),
    Row("replay diff", "a moment that is none", 2, ("replay", "diff", "yesterday", "end", "--log", "LOG"), "yesterday"),
    Row("replay whatif", "a file that is not there", 2, ("replay", "whatif", "F/none.json", "--log", "LOG"), "none.json"),
    Row("backup", "a log on Kafka", 2, ("backup", "OWN/copy.db", "--log", "kafka:BROKER"), "Only a log on SQLite"),
    Row("demo", "less than no cart", 2, ("demo", "--carts", "-1"), "--carts"),
)
# Each waits for the reader of its standard output (serve's: error) when the signals come: the pipe is full, or what these
# print fills it.
PRINTS_WITHOUT_END = ("tail", "send -")
# Of those that a second signal ends, the ones that are sure to be there when it comes: the first does not end them, since
# they wait for a reader of what they print.
ENDED_BY_A_SECOND_SIGNAL = ("serve", "demo", "front", "connect", "send -")
STOPPABLE = ("serve", "demo", "front", "connect", "simulate", "tail", "send -", "feed", "replay drive", "deadletters retry", "deadletters drop")


class VerbCodes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.shop = cls.folder / "shop.db"
        cls.free = socket.socket()  # bound and not listening: nobody answers there
        cls.addClassCleanup(cls.free.close)
        cls.free.bind(("127.0.0.1", 0))
        cls.fill_in("rows.csv", CSV)
        cls.fill_in("letter.db", "this is a letter to my aunt, not a database\n" * 100)
        cls.fill_in("wrong.toml", "shop = 1\n")
        cls.fill_in("torn.bundle.partial", "a letter")
        cls.fill_in("impatient.toml", "[kafka]\nrequest_limit_ms = 1000\n")
        cls.fill_in("webhook", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        (cls.folder / "webhook").chmod(0o600)
        secret = f'secret_file = "{cls.folder}/webhook"\n'
        deliver = '[connect.deliver.w]\nurl = "http://{}:{}/"\ntypes = "{}"\n'.format(*cls.free.getsockname(), "cart.created order.placed")
        cls.fill_in("connect.toml", deliver + 'from = "end"\n' + secret)
        cls.fill_in("impatient_connect.toml", deliver + secret + "[kafka]\nrequest_limit_ms = 1000\n")
        cls.fill_in("open.toml", deliver)
        cls.fill_in("whatif.json", '{"settings": {"cart_idle_s": 60}}')
        cls.make_log()
        command_pages.run(MAYFLY, "send", "cart.create", "c9", "currency=GBP", "--create", "--log", f"sqlite:{cls.folder}/other.db")
        for name in ("served", "locked", "group", "differs", "parked"):
            shutil.copy(cls.shop, cls.folder / f"{name}.db")
        cls.tail_group_is_beyond_the_end()
        cls.change("differs.db", "UPDATE events SET value = replace(CAST(value AS TEXT), 'GBP', 'EUR') WHERE key = CAST('c1' AS BLOB)")
        cls.engine, cls.address = cls.serve("served.db", "127.0.0.1:0")
        cls.fill_in("taken.toml", f'[connect]\nlisten = "{cls.address}"\n[connect.hooks.h]\nsecret_file = "{cls.folder}/webhook"\n')
        locks = sqlite3.connect(cls.folder / "locked.db", isolation_level=None)
        cls.addClassCleanup(locks.close)
        locks.execute("PRAGMA locking_mode = EXCLUSIVE")
        locks.execute("BEGIN EXCLUSIVE")
        locks.execute("COMMIT")

    @classmethod
    def fill_in(cls, name, text):
        (cls.folder / name).write_text(text)

    @classmethod
    def change(cls, name, sql):
        with contextlib.closing(sqlite3.connect(cls.folder / name)) as log, log:
            log.execute(sql)

    @classmethod
    def serve(cls, name, http, *more):
        engine = subprocess.Popen([MAYFLY, "serve", "--log", f"sqlite:{cls.folder}/{name}", "--http", http, *more], stderr=subprocess.PIPE, text=True)
        cls.addClassCleanup(engine.stderr.close)
        cls.addClassCleanup(engine.wait)
        cls.addClassCleanup(lambda: engine.poll() is None and engine.kill())
        address = ""
        for line in engine.stderr:
            if '"name":"http"' in line:
                address = line.split("http://")[1].split("/")[0]
            if '"name":"ready"' in line:
                return engine, address
        raise AssertionError(f"the engine ended with {engine.wait()}")

    @classmethod
    def make_log(cls):
        """With a cart, a dead letter and a cart in quarantine."""
        cls.decide("", [("cart.create", "c1", {"currency": "GBP"}), ("cart.create", "c2", "no object"), ("cart.create", "held", {"currency": "GBP"})],
                   lambda: cls.dead_letters() and cls.has("held", "cart.created"))
        cls.decide("[memory]\ncart_bytes = 1\n[supervision]\ncart_dead_letters = 1\n",
                   [("cart.add_line", "held", {"sku": "A", "quantity": 1, "unit_price_minor": 1})] * 2,
                   lambda: any(letter["reason"] == "quarantined" for letter in cls.dead_letters()))
        cls.command = cls.position_of("c1")
        command_pages.run(MAYFLY, "replay", "export", str(cls.folder / "shop.bundle"), "--log", f"sqlite:{cls.shop}")
        cls.dead_letter = next(f"{letter['partition']}:{letter['offset']}" for letter in cls.dead_letters() if letter["key"] == "c2")

    @classmethod
    def dead_letters(cls):
        return [json.loads(line) for line in command_pages.run(MAYFLY, "deadletters", "list", "--json", "--log", f"sqlite:{cls.shop}").splitlines()]

    @classmethod
    def position_of(cls, cart, stream="commands"):
        """Of its first command, or event."""
        first = command_pages.run(MAYFLY, "tail", "--stream", stream, "--cart", cart, "--limit", "1", "--json", "--log", f"sqlite:{cls.shop}")
        return "{partition}:{offset}".format_map(json.loads(first))

    @classmethod
    def has(cls, cart, event):
        return event in command_pages.run(MAYFLY, "tail", "--cart", cart, "--log", f"sqlite:{cls.shop}")

    @classmethod
    def decide(cls, config, commands, decided):
        cls.fill_in("engine.toml", config)
        engine, _ = cls.serve("shop.db", "off", "--config", str(cls.folder / "engine.toml"))
        sent = "".join(json.dumps({"type": kind, "cart": cart, "data": data}) + "\n" for kind, cart, data in commands)
        subprocess.run([MAYFLY, "send", "--unchecked", "--log", f"sqlite:{cls.shop}", "-"], input=sent, text=True, capture_output=True, check=True)
        end = time.monotonic() + PATIENCE_S
        while not decided():
            if time.monotonic() > end:
                raise AssertionError("not decided")
        engine.send_signal(signal.SIGTERM)
        engine.wait(PATIENCE_S)

    @classmethod
    def tail_group_is_beyond_the_end(cls):
        for group in ("books", "simulate.provider"):  # the latter is that of the verb simulate
            command_pages.run(MAYFLY, "tail", "--group", group, "--log", f"sqlite:{cls.folder}/group.db")
        cls.change("group.db", "UPDATE group_positions SET next = 100000")

    def words(self, words):
        """With what stands for files, positions and addresses put in; LOG is a copy of the log that nobody else has."""
        own = tempfile.mkdtemp(dir=self.folder)
        broker = "{}:{}".format(*self.free.getsockname())
        put = {"D": self.dead_letter, "C": self.command, "PARKED": "w:" + self.position_of("c1", "events"), "A": self.address, "BROKER": broker, "kafka:BROKER": "kafka:" + broker, "LOG": f"sqlite:{own}/shop.db"}
        if "LOG" in words:
            shutil.copy(self.shop, own)
        folders = {"F": str(self.folder), "OWN": own}
        return [MAYFLY, *(put.get(word, re.sub(r"(?<![^:])(F|OWN)(?=/|$)", lambda name: folders[name[1]], word)) for word in words)]

    def ended(self, words, **how):
        return subprocess.run(self.words(words), text=True, timeout=PATIENCE_S, check=False, **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how})

    def test_every_row_of_the_table(self):
        rows = sorted(ROWS, key=lambda row: row.code != 4)  # what waits longest begins first
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            done = list(pool.map(lambda row: self.ended(row.words, input=row.input), rows))
        for row, result in zip(rows, done):
            with self.subTest(row.verb, wrong=row.wrong):
                said = (result.stdout + result.stderr).replace('\\"', '"')
                self.assertEqual((result.returncode, row.said in said), (row.code, True), said)

    def done(self, verb, **how):
        log = ("--log", "LOG") if verb in ON_A_LOG and verb != "demo" else ()  # demo waits for carts of its own
        return self.ended((*WORDS[verb], *log), input=INPUT.get(verb, ""), env={**os.environ, "TMPDIR": str(self.folder)}, **how)

    def test_0_what_can_be_done_is_done(self):
        for verb in WORDS:
            if verb not in ("front", "connect", "simulate", "reenact"):  # three go on until they are asked to stop; of the fourth see below
                result = self.done(verb)
                self.assertEqual(result.returncode, 0, (verb, result.stderr))
        for verb in ("serve", "front", "connect", "simulate", "demo", "tail"):
            self.assertEqual(self.stopped(verb), 0, verb)

    def stopped(self, verb, **how):
        """Code of what goes on, after it has begun and was asked to stop."""
        running = subprocess.Popen(self.words((*ENGINE[verb], "--log", "LOG")), text=True, **{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **how})
        self.addCleanup(running.wait)
        self.addCleanup(running.kill)
        self.until_it_heeds_signals(running)
        running.send_signal(signal.SIGTERM)
        return running.wait(PATIENCE_S)

    def test_1_what_cannot_be_printed_is_said(self):
        with open("/dev/full", "w") as full:
            for verb in WORDS:
                if verb not in ("front", "connect", "simulate"):
                    result = self.done(verb, stdout=full)
                    self.assertEqual((result.returncode, "cannot be written" in result.stderr), (1, True), (verb, result.stderr))
            for verb in ("front", "connect", "simulate"):
                self.assertEqual(self.stopped(verb, stdout=full), 1, verb)

    def test_8_a_full_disk(self):
        disk = self.folder / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("no disk of its own can be mounted here: " + mounted.stderr.strip())
        self.addCleanup(lambda: subprocess.run(["umount", str(disk)], check=True))
        shutil.copy(self.shop, disk)
        with open(disk / "filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(b"x" * 4096)
        for verb in ON_A_LOG:
            result = self.ended((*ENGINE[verb], "--log", "sqlite:F/disk/shop.db"), input=INPUT.get(verb, ""))
            self.assertEqual((result.returncode, "then start again" in result.stderr), (8, True), (verb, result.stderr))
        result = self.ended(("replay", "import", "F/shop.bundle", "--log", "sqlite:F/disk/new.db"))
        self.assertEqual((result.returncode, "then start again" in result.stderr), (8, True), result.stderr)

    def test_12_a_log_that_moves_on_while_it_is_verified(self):
        """Commits say only that carts which were never there are gone, and how far the engine is: nothing differs. There is so
        much to read that the end of the replay moves on in each of its rounds."""
        log = self.folder / "moving.db"
        shutil.copy(self.shop, log)
        self.change(log.name, """WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 5000)
                      INSERT INTO state SELECT partition, CAST('gone' || n AS BLOB), NULL, NULL, next + n, last_append_time_ms
                      FROM ends, number WHERE stream = 2""")
        self.change(log.name, "UPDATE ends SET next = next + 5001 WHERE stream = 2")
        stop = threading.Event()
        commits = "".join(f"""BEGIN IMMEDIATE;
            UPDATE ends SET next = next + 2 WHERE stream = 2 AND partition = {p};
            INSERT OR REPLACE INTO state SELECT {p}, CAST('gone' AS BLOB), NULL, NULL, next - 2, last_append_time_ms FROM ends WHERE stream = 2 AND partition = {p};
            UPDATE state SET offset = (SELECT next - 1 FROM ends WHERE stream = 2 AND partition = {p}) WHERE partition = {p} AND key = x'0170';
            COMMIT;""" for p in range(4))

        def commit():
            with contextlib.closing(sqlite3.connect(log, isolation_level=None)) as db:
                db.execute("PRAGMA synchronous = OFF")
                while not stop.is_set():
                    db.executescript(commits)

        writer = threading.Thread(target=commit)
        writer.start()
        self.addCleanup(writer.join)
        self.addCleanup(stop.set)
        code, end = 0, time.monotonic() + PATIENCE_S
        while code == 0 and time.monotonic() < end:  # 0: a round in which no commit came
            result = self.ended(("replay", "verify", "--log", "sqlite:F/moving.db"))
            code = result.returncode
        self.assertEqual((code, "have moved on" in result.stdout), (12, True), result.stdout + result.stderr)

    def until_it_heeds_signals(self, running):
        """Until its first thread leaves SIGINT and SIGTERM to the one that waits for them. All are blocked for a moment where
        it makes another thread."""
        both = 1 << signal.SIGINT - 1 | 1 << signal.SIGTERM - 1
        while self.signals(running, "SigBlk") != both:
            self.assertIsNone(running.poll())

    @staticmethod
    def signals(running, which):
        status = pathlib.Path(f"/proc/{running.pid}/status").read_text()
        return int(re.search(rf"^{which}:\s*(\w+)$", status, re.M).group(1), 16)

    def test_130_and_143_a_second_signal(self):
        many = "".join(INPUT["send -"] for _ in range(2_000))
        subprocess.run([MAYFLY, "send", "--log", f"sqlite:{self.folder}/served.db", "-"], input=many, text=True, capture_output=True, check=True)
        for verb in ENDED_BY_A_SECOND_SIGNAL:
            for first, second in ((signal.SIGTERM, signal.SIGINT), (signal.SIGINT, signal.SIGTERM)):
                with self.subTest(verb, second=second):
                    self.assertEqual(self.ended_by(verb, first, second, many), 128 + second)

    def ended_by(self, verb, first, second, many):
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        fcntl.fcntl(writing, SET_PIPE_BYTES, PIPE_BYTES)
        if verb not in PRINTS_WITHOUT_END:
            os.write(writing, b" " * PIPE_BYTES)
        words = self.words((*ENGINE[verb], "--log", "sqlite:F/served.db" if verb == "tail" else "LOG", *(("--from", "begin") if verb == "tail" else ())))
        stream = {"stderr" if verb == "serve" else "stdout": writing}
        with tempfile.TemporaryFile("w+") as lines:
            lines.write(many)
            lines.seek(0)
            running = subprocess.Popen(words, stdin=lines, **stream)
        os.close(writing)
        self.addCleanup(running.wait)
        self.addCleanup(running.kill)
        self.until_it_heeds_signals(running)
        while struct.unpack("i", fcntl.ioctl(reading, termios.FIONREAD, b"    "))[0] == 0:  # what follows finds no room
            self.assertIsNone(running.poll())
        running.send_signal(first)
        while self.signals(running, "ShdPnd") != 0:
            self.assertIsNone(running.poll())
        running.send_signal(second)
        return running.wait(PATIENCE_S)

    def test_the_table_has_every_verb_and_code_of_the_page(self):
        self.assertEqual(set(WORDS), set(command_pages.synopses()))
        self.assertEqual({verb.removesuffix(" -") for verb in WORDS}, command_pages.verbs_of_help(MAYFLY))
        has = {(row.verb, row.code) for row in ROWS}
        for test in PLAYED_FOR_MINUTES.values():
            self.assertIn(f"    def {test}", (pathlib.Path(__file__).parent / "test_reenact.py").read_text())
        has |= {(verb, code) for verb in WORDS for code in (0, 1)} | {(verb, 8) for verb in (*ON_A_LOG, "replay import")} | {("replay verify", 12)}
        has |= {(verb, 128 + number) for verb in STOPPABLE for number in (signal.SIGINT, signal.SIGTERM)}
        faults = (pathlib.Path(__file__).parent / "test_exit_codes.py").read_text()
        for test in BY_A_PLANTED_FAULT.values():
            self.assertIn(f"    def {test}", faults)
        has |= set(BY_A_PLANTED_FAULT) | BY_NOTHING_FROM_OUTSIDE
        page = {(verb, code) for code, verbs in command_pages.codes(MAYFLY).items() for verb in verbs}
        self.assertEqual((page - has, has - page), (set(), set()), "on the page and not in the table; the other way round")

    def test_other_pages_have_the_same_codes(self):
        codes = command_pages.codes(MAYFLY)
        pages = re.findall(r"^## ([0-9, ]+)$", (ROOT / "docs" / "runbooks" / "exit-codes.md").read_text(), re.M)
        runbook = [int(code) for heading in pages for code in heading.split(", ")]
        self.assertEqual(runbook, list(codes))
        enum = re.findall(r"^  exit_\w+ = (\d+),", (ROOT / "tools" / "console" / "exit_codes.h").read_text(), re.M)
        self.assertEqual([int(code) for code in enum], [code for code in codes if code < 128])
        operations = (ROOT / "docs" / "operations.md").read_text()
        for code in re.findall(r"(?:ends|end) with (\d+)\b", operations):
            self.assertTrue("serve" in codes.get(int(code), ()) or code == "128", f"operations.md: {code}")


if __name__ == "__main__":
    unittest.main()

"""The program as a user runs it: serve, send, tail, inspect on an embedded log. Usage: test_command_line.py MAYFLY"""
import contextlib
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

from program import MAYFLY, PATIENCE_S, run
import command_pages
from dead_letter_cases import DeadLetterCases

CONTRACT = ["/usr/bin/python3", str(pathlib.Path(__file__).parent / "asyncapi.py")]  # has Debian's validators


class CommandLine(DeadLetterCases, unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.log = f"sqlite:{folder.name}/shop.db"

    def tearDown(self):
        """Whatever a test has written fits docs/asyncapi.yaml."""
        if run("tail", "--log", self.log, "--from", "begin", "--limit", "1").returncode != 0:
            return  # it made no log
        done = subprocess.run([*CONTRACT, MAYFLY, self.log], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def serve(self, *words):
        engine = subprocess.Popen([MAYFLY, "serve", "--log", self.log, *words], stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: engine.stderr.close())
        self.addCleanup(engine.wait)
        self.addCleanup(lambda: engine.poll() is None and engine.kill())
        for line in engine.stderr:
            if '"partition":3' in line:
                return engine
        self.fail("the engine ended")

    def events(self, cart, until):
        """Types of the cart's events, once the last one is there."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            out = run("tail", "--log", self.log, "--from", "begin", "--cart", cart, "--json").stdout
            types = [json.loads(line)["headers"]["ce_type"][11:-3] for line in out.splitlines()]
            if until in types:
                return types
        self.fail(f"{until} was never said of {cart}")

    def verb(self, *words, stdin=None):
        return run(*words, "--log", self.log, stdin=stdin)

    def config(self, text):
        path = self.folder / "mayfly.toml"
        path.write_text(text)
        return str(path)

    def send(self, *words):
        done = self.verb("send", *words)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_cart_is_created_filled_and_shown(self):
        self.serve()
        self.send("cart.create", "c1", "currency=JPY")
        self.send("cart.add_line", "c1", "sku=A1", "quantity=2", "unit_price_minor=250", "name=Tea")
        self.assertEqual(self.events("c1", "cart.line_added"), ["cart.created", "cart.line_added"])
        shown = run("inspect", "--log", self.log, "c1").stdout
        self.assertIn("cart c1: active", shown)
        self.assertIn("500 JPY", shown)
        state = json.loads(run("inspect", "--log", self.log, "c1", "--json").stdout)
        self.assertEqual((state["total_minor"], state["lines"][0]["name"]), (500, "Tea"))

    def test_a_log_of_another_engine_is_not_served(self):
        engine = self.serve()
        self.send("cart.create", "c1", "currency=GBP")
        self.events("c1", "cart.created")
        engine.send_signal(signal.SIGTERM)
        self.assertEqual(engine.wait(PATIENCE_S), 0)
        done = run("serve", "--log", self.log, "--http", "off", "--name", "other")
        self.assertEqual((done.returncode, "belongs to the engine named 'mayfly'" in done.stderr), (6, True), done.stderr)

    def test_what_cannot_be_sent_or_shown_is_named(self):
        self.serve()
        create = ("send", "--log", self.log, "cart.create", "c1")
        rows = (
            ((*create, "payment=1", "payment.token=x"), "payment has a value already"),
            (("send", "--log", self.log, "cart.bogus", "c1"), "is no command"),
            (("send", "cart.create", "c1"), "Which log? Give --log sqlite:FILE"),
            (("tail", "--log", self.log, "--from", "9:0"), "partitions are 0 to 3"),
            (("tail", "--log", self.log, "--from", "begin", "--type", "bogus"), "no command or event has that type"),
        )
        for words, sentence in rows:
            done = run(*words)
            self.assertEqual((done.returncode, sentence in done.stderr), (2, True), done.stderr)
        listed = run("send", "--log", self.log, "cart.bogus", "c1").stderr.split()
        self.assertEqual({"cart.merge", "payment.capture", "clock.tick", "cart.merge_offered", "cart.merge_answered"} & set(listed),
                         {"cart.merge", "payment.capture"})  # not what only the engine sends
        line = json.dumps({"type": "cart.create", "cart": "c9", "data": {"currency": "GBP"}, "id": 5})
        done = run("send", "--log", self.log, "-", stdin=line)
        self.assertEqual((done.returncode, "line 1 has an `id` that is no text" in done.stderr), (1, True), done.stderr)
        self.assertEqual(run("serve", "--log", self.log, "--name", "a b", "--check-config").returncode, 2)
        self.assertEqual(run("serve", "--log", self.log, "--config", str(self.folder), "--check-config").returncode, 3)

    def test_text_members_are_text_and_lines_sent_have_positions(self):
        self.serve()
        self.send("cart.create", "c1", "currency=GBP")
        self.send("cart.add_line", "c1", "sku=22423", "quantity=1", "unit_price_minor=100")
        self.assertEqual(self.events("c1", "cart.line_added"), ["cart.created", "cart.line_added"])
        line = json.dumps({"type": "cart.create", "cart": "c2", "data": {"currency": "GBP"}})
        done = run("send", "--log", self.log, "-", "--json", stdin=line)
        self.assertEqual(set(json.loads(done.stdout)), {"partition", "offset"})

    def test_money_without_an_answer_is_listed_until_it_has_one(self):
        self.serve()
        self.send("cart.create", "c1", "currency=GBP")
        self.send("cart.add_line", "c1", "sku=A1", "quantity=2", "unit_price_minor=250")
        self.send("checkout.complete", "c1", "expected_total_minor=500", "payment.provider=p", "payment.token=t")
        self.send("inventory.reserved", "c1", "reservation_id=c1-r1")
        self.events("c1", "payment.authorization_requested")
        funds = run("funds", "--log", self.log, "--json")
        self.assertEqual(funds.returncode, 0, funds.stderr)
        risk, total = [json.loads(line) for line in funds.stdout.splitlines()]
        self.assertEqual((risk["session"], risk["state"], risk["amount_minor"]), ("c1-p1", "authorization_asked", 500))
        self.assertEqual((total["row"], total["rows"], total["amount_minor"], total["currency"]), ("total", 1, 500, "GBP"))
        self.assertIn("5.00 GBP", run("funds", "--log", self.log, "--cart", "c1").stdout)
        metrics = run("funds", "--log", self.log, "--metrics").stdout
        self.assertIn('\nmayfly_funds_minor{currency="GBP",state="authorization_asked"} 500\n', metrics)
        self.assertRegex(metrics, r"\nmayfly_funds_read_timestamp_seconds 1\d{9}\n")
        self.assertEqual(subprocess.run(["promtool", "check", "metrics"], input=metrics, text=True, check=False).returncode, 0)
        self.send("payment.declined", "c1", "session_id=c1-p1", "reason=no", "retryable=false")
        self.events("c1", "payment.declined")
        self.assertEqual(run("funds", "--log", self.log).stdout, "No money is at risk.\n")

    def test_funds_says_where_the_log_has_let_go_of_events(self):
        self.serve()
        self.send("cart.create", "c1", "currency=GBP")
        self.send("cart.cancel", "c1")
        self.events("c1", "cart.canceled")
        self.assertEqual(run("funds", "--log", self.log).stderr, "")
        with contextlib.closing(sqlite3.connect(self.log.removeprefix("sqlite:"))) as log, log:
            [(partition,)] = log.execute("DELETE FROM events WHERE offset = 0 RETURNING partition").fetchall()
        done = run("funds", "--log", self.log, "--json")
        self.assertEqual(json.loads(done.stdout), {"row": "cut", "partition": partition, "first_offset": 1})
        self.assertIn("before offset 1 are no longer there", done.stderr)

    def test_a_second_engine_is_told_who_holds_the_log(self):
        engine = self.serve()
        second = run("serve", "--log", self.log)
        self.assertEqual(second.returncode, 5)
        self.assertIn(f"pid {engine.pid}", second.stderr)

    def test_asked_to_stop_the_engine_drains_and_says_so(self):
        engine = self.serve()
        self.send("cart.create", "c1", "currency=GBP")
        self.events("c1", "cart.created")
        engine.send_signal(signal.SIGTERM)
        self.assertIn("everything decided is committed", engine.stderr.read())
        self.assertEqual(engine.wait(), 0)

    def test_killed_it_goes_on_where_it_was(self):
        engine = self.serve()
        self.send("cart.create", "c1", "currency=GBP")
        self.events("c1", "cart.created")
        engine.kill()
        engine.wait()
        self.serve()
        self.send("cart.cancel", "c1")
        self.assertEqual(self.events("c1", "cart.canceled"), ["cart.created", "cart.canceled"])

    def test_lines_that_cannot_be_sent_are_named_and_the_rest_is_sent(self):
        lines = '{"type":"cart.create","cart":"c1","data":{"currency":"GBP"}}\nnot json\n{"type":"cart.fly","cart":"c1","data":{}}\n'
        done = run("send", "--log", self.log, "--create", "-", stdin=lines)
        self.assertEqual(done.returncode, 1)
        self.assertIn("line 2 is no JSON object", done.stderr)
        self.assertIn("line 3 has no `type`", done.stderr)
        self.assertIn("1 sent, 2 not", done.stderr)

    def test_headers_of_a_line_are_sent_as_they_are(self):
        self.serve()
        line = {"type": "cart.create", "cart": "c1", "data": {"currency": "GBP"}, "headers": {"traceparent": "00-" + "a" * 60, "attempt": 2}}
        self.assertEqual(self.verb("send", "-", stdin=json.dumps(line)).returncode, 0)
        self.events("c1", "cart.created")
        read = run("tail", "--log", self.log, "--stream", "commands", "--from", "begin", "--cart", "c1", "--json").stdout
        headers = json.loads(read.splitlines()[0])["headers"]
        self.assertEqual((headers["traceparent"], headers["attempt"]), (line["headers"]["traceparent"], "2"))

    def test_wrong_words_end_with_2_and_say_what_to_do(self):
        for words, said in [
            (["send", "--log", self.log, "--create", "cart.fly", "c1"], "is no command"),
            (["send", "--log", "tape:1", "cart.create", "c1"], "names no log"),
            (["tail", "--log", f"sqlite:{self.folder}/none.db"], "there is no such log"),
            (["serve"], "Which log?"),
            (["fly"], "'fly' is no verb"),
            (["inspekt"], "'inspekt' is no verb of mayfly. Did you mean 'inspect'?"),
            (["help", "tial"], "'tial' is no verb of mayfly. Did you mean 'tail'?"),
            (["demo", "--carts", "-1"], "--carts"),
            (["tail", "--log", self.log, "--limit", "-1"], "--limit"),
            (["feed", "x.csv", "--log", self.log, "--speed", "-1"], "--speed"),
            (["feed", "x.csv", "--log", self.log, "--limit-invoices", "-1"], "--limit-invoices"),
        ]:
            done = run(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn(said, done.stderr + done.stdout, words)

    def test_a_feed_that_is_no_csv_ends_with_2(self):
        packed = subprocess.run(["zstd", "-qc"], input=os.urandom(400_000).hex().encode(), capture_output=True, check=True).stdout
        header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
        whole = subprocess.run(["zstd", "-qc"], input=header.encode(), capture_output=True, check=True).stdout
        for name, content, said in (("letter.txt", b"this is a letter\nto my aunt\n", "is no CSV of Online Retail"), ("empty.csv", b"", "is no CSV"),
                                    ("cut.csv.zst", packed[: len(packed) // 2], "ends in the middle"), ("cut2.csv.zst", whole[:-3], "ends in the middle"),
                                    ("rows.csv", header.encode(), ""), ("rows.csv.zst", whole, "")):
            (self.folder / name).write_bytes(content)
            done = run("feed", str(self.folder / name), "--log", self.log, "--create")
            self.assertEqual((done.returncode, said in done.stderr), (2 if said else 0, True), (name, done.stderr))
        done = run("feed", str(self.folder), "--log", self.log, "--create")
        self.assertEqual((done.returncode, "cannot be read" in done.stderr), (2, True), done.stderr)

    def test_an_address_that_is_none_ends_with_2(self):
        for verb in ("tree", "memory", "renew"):
            for address in ("localhost", "127.0.0.1:99999"):
                self.assertEqual(run(verb, "--http", address).returncode, 2, (verb, address))

    def test_inspect_says_what_waits_and_how_a_cart_ended(self):
        done = run("send", "--log", self.log, "--create", "cart.create", "c1", "currency=GBP")
        self.assertEqual(done.returncode, 0, done.stderr)
        waiting = self.verb("inspect", "c1")
        self.assertEqual((waiting.returncode, "commands  1 not decided yet" in waiting.stdout), (0, True), waiting.stdout)
        self.assertEqual(json.loads(self.verb("inspect", "c1", "--json").stdout)["waiting"], 1)
        self.serve()
        self.send("cart.cancel", "c1", "reason=moved")
        self.events("c1", "cart.canceled")
        shown = self.verb("inspect", "c1").stdout
        self.assertTrue(shown.startswith("cart c1: canceled: moved\n"), shown)
        self.assertNotIn("not decided yet", shown)
        self.assertIn("the log has no record of it", self.verb("inspect", "c9").stdout)
        self.assertEqual(json.loads(self.verb("inspect", b"\xff", "--json").stdout)["state"], "unknown")

    def test_inspect_takes_an_order_a_session_and_a_reservation_too(self):
        self.serve()
        for cart in ("c1", "c1-p2"):  # the second is a cart that is called as a session would be
            self.send("cart.create", cart, "currency=GBP")
        self.send("cart.add_line", "c1", "sku=A1", "quantity=1", "unit_price_minor=500")
        pay = ("checkout.complete", "c1", "expected_total_minor=500", "payment.provider=p", "payment.token=t")
        self.send(*pay)
        self.send("inventory.reserved", "c1", "reservation_id=c1-r1")
        self.send("payment.declined", "c1", "session_id=c1-p1", "reason=no", "retryable=false")
        self.send(*pay)
        self.send("inventory.reserved", "c1", "reservation_id=c1-r2")
        self.send("payment.authorized", "c1", "session_id=c1-p2", "reference=x", "amount_minor=500", "currency=GBP")
        self.events("c1", "order.placed")
        self.events("c1-p2", "cart.created")
        for asked, member, said in [("o-c1", "order_id", "o-c1 is the order of this cart"), ("c1-p1", "session_id", "c1-p1 is payment session 1 of this cart"),
                                    ("c1-r2", "reservation_id", "c1-r2 is reservation 2 of this cart")]:
            shown = self.verb("inspect", asked).stdout
            self.assertTrue(shown.startswith(f"cart c1: paying\n  {said}\n"), shown)
            state = json.loads(self.verb("inspect", asked, "--json").stdout)
            self.assertEqual((state["cart"], state[member], state["total_minor"]), ("c1", asked, 500))
        self.assertTrue(self.verb("inspect", "c1-p2").stdout.startswith("cart c1-p2: active\n"))
        for none in ("c1-p7", "c1-p01", "c1-p0", "c1-r3", "o-c1-p2", "o-c9", "o-", "-p1"):
            done = run("inspect", "--log", self.log, "--", none)
            self.assertEqual((done.returncode, "the log has no record of it" in done.stdout), (1, True), (none, done.stdout, done.stderr))
            self.assertTrue(done.stdout.startswith(f"cart {none}: unknown\n"), done.stdout)
        self.assertIn("cart c1 is here, but has no such payment session", self.verb("inspect", "c1-p7").stdout)
        self.send("payment.captured", "c1", "session_id=c1-p2", "reference=x", "amount_minor=500", "currency=GBP")
        self.events("c1", "cart.converted")
        self.assertTrue(self.verb("inspect", "c1-r1").stdout.startswith("cart c1: converted, order o-c1\n  c1-r1 is reservation 1 of"))

    def test_inspect_says_why_a_cart_expired(self):
        self.serve("--config", self.config("[decisions]\ncart_idle_s = 1\ncart_life_s = 3\n"))
        self.send("cart.create", "idle", "currency=GBP")
        self.send("cart.create", "old", "currency=GBP", "expires_after_s=60")
        for cart, why in (("idle", "no command of the shop for 1 s"), ("old", "it reached its longest life")):
            self.events(cart, "cart.expired")
            shown = self.verb("inspect", cart).stdout
            self.assertTrue(shown.startswith(f"cart {cart}: expired: {why}\n"), shown)
            self.assertEqual(json.loads(self.verb("inspect", cart, "--json").stdout)["reason"], why)
        with contextlib.closing(sqlite3.connect(self.log.removeprefix("sqlite:"))) as log, log:
            log.execute("DELETE FROM events WHERE offset = 0")  # the cart.created of `idle`
        self.assertTrue(self.verb("inspect", "idle").stdout.startswith("cart idle: expired\n"))

    def test_help_is_a_verb_too(self):
        for words, said in [(["help"], "inspect"), (["help", "tail"], "--stream"), (["help", "tail"], "Usage: mayfly tail [OPTIONS]")]:
            done = run(*words)
            self.assertEqual((done.returncode, said in done.stdout), (0, True), done.stderr)

    def test_no_verb_has_an_option_and_an_argument_of_one_name(self):
        """CLI11 2.4 and later refuse that, and then no verb runs."""
        verbs = {verb.removesuffix(" -") for verb in command_pages.verbs_of_help(MAYFLY)}
        self.assertGreater(len(verbs), 30)
        for verb in verbs:
            done = run(*(["deadletters"] if verb.startswith("deadletters ") else verb.split(" ")), "--help")
            self.assertEqual(done.returncode, 0, verb)
            arguments, _, named = done.stdout.partition("\nOptions:")
            named += arguments.partition("\n[Option")[2]  # as other versions head them
            both = set(re.findall(r"^  ([a-z_]+) ", arguments, re.M)) & set(re.findall(r"--([a-z_-]+)", named))
            self.assertFalse(both, verb)

    def test_a_demos_log_is_removed_unless_it_is_asked_to_be_kept(self):
        for words, kept in (((), 0), (("--keep",), 1)):
            folder = tempfile.mkdtemp(dir=self.folder)
            done = subprocess.run([MAYFLY, "demo", "--carts", "1", "--silence", "0", "--http", "off", *words], env={"TMPDIR": folder},
                                  capture_output=True, text=True, timeout=PATIENCE_S, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(f"  {MAYFLY} tail ", done.stdout)
            self.assertEqual(len(list(pathlib.Path(folder).glob("*/shop.db"))), kept, words)

    def test_a_demo_that_a_second_signal_ends_at_once_removes_its_log_too(self):
        for words, kept in (((), 0), (("--keep",), 1)):
            folder = tempfile.mkdtemp(dir=self.folder)
            demo = subprocess.Popen([MAYFLY, "demo", "--http", "off", "--front", "off", *words], env={"TMPDIR": folder}, stdout=subprocess.PIPE, text=True)
            self.addCleanup(demo.stdout.close)
            self.addCleanup(demo.wait)
            self.addCleanup(demo.kill)
            next(line for line in demo.stdout if line.startswith("     "))  # the table's head: it serves
            # Both wait when it goes on, so that it has no time to drain between them. A machine may give it some.
            for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT):
                demo.send_signal(number)
            self.assertIn(demo.wait(PATIENCE_S), (0, 128 + signal.SIGTERM))
            self.assertEqual(len(list(pathlib.Path(folder).glob("*/shop.db"))), kept, words)
            self.assertEqual(len(list(pathlib.Path(folder).iterdir())), kept, words)

    def test_a_file_that_is_no_log_is_refused(self):
        (self.folder / "shop.db").write_text("this is a letter to my aunt, not a database\n" * 100)
        done = run("serve", "--log", self.log)
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertIn("restore it from a backup", done.stderr)

    def test_a_config_file_is_checked(self):
        config = self.folder / "mayfly.toml"
        for text, code, said in [
            ("[engine]\nname = 'shop'\n", 0, "fine"),
            ("[engine]\nnaem = 'shop'\n", 3, "mayfly.toml:2: there is no key 'engine.naem'. Did you mean 'engine.name'?"),
            ("engine = 'shop'\n", 3, "there is no key 'engine'. It is a table: write [engine]"),
            ("zzzzzzzz = 1\n", 3, "docs/configuration.md has every key"),
            ("partitions = 0\n", 3, "must be an integer from 1 to 1024"),
            ("[engine\n", 3, "mayfly.toml:1"),
        ]:
            config.write_text(text)
            done = run("serve", "--config", str(config), "--check-config")
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(said, done.stdout + done.stderr)

    def test_what_the_check_of_a_config_refuses_is_what_would_stop_a_start(self):
        """Each row alone, checked and started; then all of them at once are named together."""
        (self.folder / "file").write_text("")
        rows = (
            ("log = 'shop.db'", "'shop.db' names no log"), ("log = 'tape:1'", "'tape:1' names no log"), ("log = 'sqlite:'", "'sqlite:' names no log"),
            ("log = 'kafka:'", "'kafka:' names no log"), ("log = 'kafka:localhost:99999'", "'localhost:99999' is no broker"),
            ("log = 'kafka:localhost:9092,,'", "'' is no broker"), (f"log = 'sqlite:{self.folder}'", f"{self.folder} is no file"),
            (f"log = 'sqlite:{self.folder}/none/shop.db'", f"{self.folder}/none"), (f"log = 'sqlite:{self.folder}/file/shop.db'", f"{self.folder}/file"),
            ("[operate]\nhttp = '127.0.0.1:99999'", "'127.0.0.1:99999' is no address"), ("[operate]\nhttp = 'localhost'", "'localhost' is no address"),
            (f"[operate]\nstate_dir = '{self.folder}/none'", f"{self.folder}/none"), (f"[operate]\nstate_dir = '{self.folder}/file'", f"{self.folder}/file"),
            ("[memory]\nprocess_bytes = 1", "memory.process_bytes must be 0 or"), ("[engine]\nname = 'a b'", "'a b' is no engine's name"),
        )
        for text, said in rows:
            more = () if text.startswith("log") else ("--log", self.log)
            more += () if "http" in text else ("--http", "off")
            code = 3 if "process_bytes" in text or "a b" in text else 2
            for words in (("--check-config",), ()):
                done = run("serve", "--config", self.config(text), *more, *words)
                self.assertEqual((done.returncode, said in done.stdout + done.stderr), (code, True), (text, words, done.stderr))
        text = f"log = 'shop.db'\n[operate]\nhttp = 'localhost'\nstate_dir = '{self.folder}/none'\n[engine]\nname = 'a b'\nthreads = 999\n[memory]\nprocess_bytes = 1"
        done = run("serve", "--config", self.config(text), "--check-config")
        for said in ("names no log", "no address", f"{self.folder}/none", "no engine's name", "engine.threads", "process_bytes"):
            self.assertIn(said, done.stderr)
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        done = run("serve", "--log", self.log, "--http", "127.0.0.1:9290", "--state-dir", str(self.folder), "--check-config")
        self.assertEqual((done.returncode, list(self.folder.glob("shop*"))), (0, []), done.stderr)

    def test_a_log_replays_to_itself(self):
        engine = self.serve()
        self.send("cart.create", "c1", "currency=JPY")
        self.send("cart.cancel", "c1")
        self.events("c1", "cart.canceled")
        engine.send_signal(signal.SIGTERM)
        engine.wait()
        done = run("replay", "verify", "--log", self.log)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("are the same, byte for byte", done.stdout)

    def test_a_log_that_is_served_meanwhile_never_differs_from_its_replay(self):
        demo = subprocess.Popen([MAYFLY, "demo", "--log", self.log, "--carts-per-second", "300", "--http", "off"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(demo.stdout.close)
        self.addCleanup(demo.wait)
        self.addCleanup(demo.terminate)
        next(line for line in demo.stdout if line.startswith("     "))  # the table's head: it serves
        for _ in range(10):
            done = self.verb("replay", "verify")
            self.assertIn(done.returncode, (0, 12), done.stdout + done.stderr)
            self.assertEqual(done.returncode == 12, "have moved on" in done.stdout)

    def test_the_demo_ends_every_cart_it_starts(self):
        done = run("demo", "--log", self.log, "--carts", "60", "--carts-per-second", "200", "--silence", "0", "--decline", "0", "--delay-ms", "5")
        self.assertEqual(done.returncode, 0, done.stderr)
        last = done.stdout.strip().splitlines()[-1].split()
        self.assertEqual((last[0], last[5], last[7]), ("60", "0", "0"), done.stdout)
        said = self.verb("tail", "--from", "begin", "--json").stdout
        for word in ("order.pending", "cart.merged", "cart.assigned", '"capture":"on_command"', '"line_id"', '"attributes"', '"per_quantity"'):
            self.assertIn(word, said)


if __name__ == "__main__":
    unittest.main()

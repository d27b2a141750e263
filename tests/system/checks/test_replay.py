"""`mayfly replay`: what its verbs say of a log that the demo made, against what the log itself holds (sqlite_log.py).
Usage: test_replay.py MAYFLY"""
import collections
import contextlib
import hashlib
import json
import pathlib
import re
import sqlite3
import struct
import subprocess
import tempfile
import unittest

from program import MAYFLY, PATIENCE_S, run
import sqlite_log

CARTS = 40


def block(number, lines):
    """A block of a bundle (docs/replay.md), its zstd frame stored and not compressed (RFC 8878, 3.1.1)."""
    text = "".join(json.dumps(line) + "\n" for line in lines).encode()
    frame = struct.pack("<IBI", 0xFD2FB528, 0b1010_0000, len(text))
    for at in range(0, len(text), 1 << 17):
        part = text[at:at + (1 << 17)]
        frame += struct.pack("<I", len(part) << 3 | (at + len(part) == len(text)))[:3] + part
    note = f"mayfly bundle block {number} bytes {len(frame)} sha256 {hashlib.sha256(frame).hexdigest()}\n".encode()
    return struct.pack("<II", 0x184D2A50, len(note)) + note + frame


class Replay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.file = cls.folder / "shop.db"
        cls.log = f"sqlite:{cls.file}"
        done = run("demo", "--log", cls.log, "--carts", str(CARTS), "--carts-per-second", "100", "--delay-ms", "20",
                   "--decline", "20", "--silence", "8", "--http", "off")
        assert done.returncode == 0, done.stderr
        cls.events = collections.defaultdict(list)
        with sqlite_log.SqliteLog(cls.file) as log:
            cls.commands = list(log.commands())
            for event in log.events():
                cls.events[event.key].append(event)
        cls.carts = sorted(cart for cart in cls.events if cart)
        cls.orders = [e.data["order_id"] for cart in cls.carts for e in cls.events[cart] if e.headers["ce_type"] == "dev.mayfly.order.placed.v1"]

    def said(self, *words, code=0):
        done = run("replay", *words, "--log", self.log)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def lines(self, *words):
        return [json.loads(line) for line in self.said(*words, "--json").splitlines()]

    # --- show ---------------------------------------------------------------------------------------------------------

    def test_show_tells_every_event_of_every_cart_and_no_other(self):
        for cart in self.carts:
            steps = self.lines("show", cart)
            told = [(event["type"], event.get("sequence")) for step in steps for event in step.get("events", ())]
            recorded = [(sqlite_log.short_type(e.headers["ce_type"]), int(e.headers["ce_sequence"]) if "ce_sequence" in e.headers else None)
                        for e in self.events[cart]]
            self.assertEqual(told, recorded)
            self.assertEqual({step["cart"] for step in steps}, {cart})
            self.assertFalse([step for step in steps if "recorded" in step], cart)

    def test_show_finds_a_cart_by_every_id_that_belongs_to_it(self):
        opened = next(e for cart in self.carts for e in self.events[cart] if "session_opened" in e.headers["ce_type"])
        reference = next(c for c in self.commands if c.data and c.data.get("reference"))
        by_cart = self.said("show", opened.key)
        self.assertEqual(self.said("show", opened.data["session_id"]), by_cart)
        self.assertEqual(self.said("show", opened.key + "-r1"), by_cart)
        self.assertIn(f"cart {reference.key} ", self.said("show", reference.data["reference"]))
        self.assertIn(f"order {self.orders[0]}", self.said("show", self.orders[0]))
        done = run("replay", "show", "nobody", "--log", self.log)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("No command names nobody", done.stderr)

    def test_show_makes_a_page_that_needs_nothing_else(self):
        page = self.said("show", self.orders[0], "--html")
        self.assertIn("<!doctype html>", page)
        self.assertIn("order.placed", page)
        self.assertFalse(re.findall(r"<script|src=|href=|url\(|@import", page))
        self.assertNotIn("tok_", page)
        steps = self.lines("show", self.orders[0])
        self.assertEqual(page.count("<tr><td>rule<td>"), len([s for s in steps if "rule" in s]))
        last = [s for s in steps if "state" in s][-1]  # an ignored repeat, say, has none
        stands = "over" if last["state"] is None else "open"
        self.assertIn(f'<p class="end">The cart is {stands}: {last["phase"]}, order {self.orders[0]}', page)
        self.assertIn("@media (max-width", page)
        self.assertIn("@media print", page)

    # --- why ----------------------------------------------------------------------------------------------------------

    def test_why_tells_the_step_of_show_with_every_guard_up_to_the_one_that_decided(self):
        steps = [step for cart in self.carts[:6] for step in self.lines("show", cart) if step["kind"] in ("command", "deadline")]
        for step in steps:
            (told,) = [line for line in self.lines("why", step["position"]) if line["cart"] == step["cart"]]
            guards, before = told.pop("guards"), told.pop("state_before")
            self.assertEqual(told, step)
            self.assertEqual((guards[-1]["guard"], guards[-1]["held"]), (step["rule"]["guard"], True))
            self.assertEqual(before is None, step["phase_before"] not in ("active", "reserving", "paying", "merging"))
        self.assertLessEqual({"2.2.5", "2.5.8", "2.11.9", "4.1.5"}, {step["rule"]["guard"] for step in steps})

    def test_why_names_a_waits_end_by_the_tick_that_ended_it(self):
        ended = next(step for cart in self.carts for step in self.lines("show", cart) if step["kind"] == "deadline")
        said = self.said("why", ended["position"])
        self.assertIn(f"cart {ended['cart']} in partition", said)
        self.assertIn(f"rule    {ended['rule']['guard']} {ended['rule']['name']}", said)

    def test_why_refuses_what_is_no_decided_command(self):
        self.said("why", "yesterday", code=2)
        self.said("why", "0:999999", code=1)
        self.said("why", "99:0", code=1)

    # --- at, diff -----------------------------------------------------------------------------------------------------

    def test_at_gives_the_state_that_show_tells_there(self):
        for cart in self.carts[::8]:
            for step in self.lines("show", cart):
                if step["kind"] != "command":
                    continue
                (state,) = self.lines("at", step["position"], cart)
                wanted = step["state"] or {"cart": cart, "phase": step["phase"]}
                self.assertEqual(state, wanted)

    def test_at_a_time_is_at_the_last_command_of_that_time(self):
        commands = [s for s in self.lines("show", self.carts[0]) if s["kind"] == "command"]
        last = [s for s in commands if s["time"] == commands[2]["time"]][-1]
        wanted = last["state"] or {"cart": self.carts[0], "phase": last["phase"]}
        self.assertEqual(self.lines("at", last["time"], self.carts[0]), [wanted])
        self.assertEqual(self.lines("at", "begin", self.carts[0]), [{"cart": self.carts[0], "phase": "none"}])

    def test_diff_counts_what_opened_changed_and_ended(self):
        first = [s for s in self.lines("show", self.carts[0]) if s["kind"] == "command"]
        created, last = first[0]["position"], first[-1]["position"]
        (line,) = self.lines("diff", "begin", created, self.carts[0])
        self.assertEqual(line["is"], "opened")
        (line,) = self.lines("diff", created, last, self.carts[0])
        self.assertTrue(line["is"].startswith("over, ") or line["is"] == "changed")
        self.assertEqual(self.lines("diff", created, created), [])
        self.assertIn(" the same", self.said("diff", created, "end"))
        for wrong in (("end", "begin"), ("yesterday", "end"), ("0:999999", "end")):
            self.said("diff", *wrong, code=2)

    # --- whatif -------------------------------------------------------------------------------------------------------

    def whatif(self, plan, *words, code=0):
        file = self.folder / "plan.json"
        file.write_text(plan if isinstance(plan, str) else json.dumps(plan))
        return self.said("whatif", str(file), *words, code=code)

    def test_diff_of_two_logs_says_of_their_moments_what_it_says_of_one(self):
        bundle = f"bundle:{self.exported('to-compare', '--plain')}"
        moments = [self.middle(), "{1}:{2}".format(*self.times()[-5])]
        self.assertEqual(self.said("diff", *moments, "--with", bundle), self.said("diff", *moments))
        self.assertEqual(self.said("diff", *moments, self.carts[0], "--json", "--with", bundle), self.said("diff", *moments, self.carts[0], "--json"))
        self.assertIn("0 opened, 0 over, 0 changed", self.said("diff", moments[0], moments[0], "--with", bundle))
        small = f"sqlite:{self.folder}/one-partition.db"
        config = self.folder / "one-partition.toml"
        config.write_text("partitions = 1\n")
        done = run("send", "--config", str(config), "--log", small, "--create", "cart.create", "c1", "currency=GBP")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = run("replay", "diff", "end", "end", "--with", small, "--log", self.log)
        self.assertEqual((done.returncode, "has 4 partitions" in done.stderr), (2, True), done.stderr)

    def test_whatif_tells_what_a_lost_reply_would_have_cost(self):
        lost = [c for c in self.commands if c.headers.get("ce_type") == "dev.mayfly.payment.authorized.v1"]
        plan = {"commands": [{"drop": f"{c.partition}:{c.offset}"} for c in lost]}
        *carts, sums = map(json.loads, self.whatif(plan, "--json").splitlines())
        self.assertLessEqual({c["cart"] for c in carts}, {c.key for c in lost})
        self.assertEqual(sums["commands"], len(self.commands))
        asked = sums["sums"]["payment.capture_requested"]
        self.assertGreaterEqual(asked["recorded"], len({c.key for c in lost}))
        self.assertLess(asked["changed"], asked["recorded"])
        self.assertIn("left out payment.authorized", self.whatif(plan))

    def test_whatif_without_a_change_finds_no_difference(self):
        for plan in ({}, {"settings": {"cart_life_s": 2592000}}):
            self.assertIn("0 carts differ", self.whatif(plan))

    def test_whatif_refuses_what_it_does_not_know(self):
        for plan in ("no json", {"settings": {"fly_s": 1}}, {"commands": [{"drop": "0:99999"}]}, {"carts": []}):
            self.assertEqual(self.whatif(plan, code=2), "")

    # --- bisect -------------------------------------------------------------------------------------------------------

    def test_bisect_finds_the_first_command_that_says_or_changes_something(self):
        first = {}
        for cart in self.carts:
            for event in self.events[cart]:
                first.setdefault(sqlite_log.short_type(event.headers["ce_type"]), []).append(event)
        for kind in ("payment.captured", "cart.converted", "checkout.reopened"):
            earliest = min(first[kind], key=lambda e: e.headers["ce_time"])
            (step,) = self.lines("bisect", "--when", f"event == {kind}")
            self.assertEqual(step["time"], earliest.headers["ce_time"])
        cart = first["cart.converted"][0].key
        (step,) = self.lines("bisect", "--cart", cart, "--when", "session.captured_minor > 0 or phase == converted_paid")
        (same,) = self.lines("bisect", "--cart", cart, "--exec", "grep -q 'converted_paid'")
        self.assertEqual(step, same)
        self.assertEqual(step["phase"], "converted_paid")

    def test_bisect_says_what_never_holds_and_what_is_no_condition(self):
        self.assertIn("It never holds", self.said("bisect", "--when", "total_minor < 0", code=1))
        self.said("bisect", "--when", "total_minor <", code=2)
        self.assertIn("did you mean total_minor?", run("replay", "bisect", "--when", "totl_minor < 0", "--log", self.log).stderr)
        self.said("bisect", "--exec", "true", code=2)

    # --- verify by cart, against another program ----------------------------------------------------------------------

    def test_verify_by_cart_finds_the_recorded_and_the_same_program_the_same(self):
        for words in (("--carts",), ("--against", MAYFLY)):
            self.assertIn(f"{len(self.commands)} commands decided again".replace(",", ""),
                          self.said("verify", *words).replace(",", ""))

    def test_verify_against_a_program_that_decides_otherwise_names_each_cart_and_command(self):
        other = self.folder / "other"
        other.write_text(f"#!/bin/sh\n{MAYFLY} \"$@\" | sed 's/order.placed/order.lost/'\n")
        other.chmod(0o755)
        said = self.said("verify", "--against", str(other), code=1)
        ordering = {cart for cart in self.carts for e in self.events[cart] if "order.placed" in e.headers["ce_type"]}
        self.assertIn(f": {len(ordering)} carts differ", said)
        named = re.findall(r"^cart (\S+): first difference at (\d+):(\d+) (payment|inventory)\.", said, re.M)
        self.assertEqual(len(named), min(len(ordering), 20))
        self.assertLessEqual({cart for cart, *_ in named}, ordering)
        for words in ("--against", "/bin/echo"), ("--against", "/no/such/program"):
            self.said("verify", *words, code=2)

    # --- export, import -----------------------------------------------------------------------------------------------

    def exported(self, name, *words, log=None):
        file = self.folder / name
        done = run("replay", "export", str(file), *words, "--log", log or self.log)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return file

    def imported(self, bundle, code=0):
        file = self.folder / f"{bundle.name}.db"
        done = run("replay", "import", str(bundle), "--log", f"sqlite:{file}")
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return f"sqlite:{file}", done.stderr

    def test_a_plain_bundle_imported_is_the_same_log_to_verify_and_to_export(self):
        bundle = self.exported("plain", "--plain")
        log, _ = self.imported(bundle)
        done = run("replay", "verify", "--log", log)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.exported("again", "--plain", log=log).read_bytes(), bundle.read_bytes())
        self.assertEqual(run("replay", "show", self.carts[0], "--log", log).stdout, self.said("show", self.carts[0]))

    def test_a_bundle_holds_no_text_about_people_and_decides_the_same(self):
        texts = {str(c.data[m]) for c in self.commands if c.data for m in ("customer_id", "name", "reason", "url") if c.data.get(m)}
        texts |= {c.data["payment"]["token"] for c in self.commands if c.data and isinstance(c.data.get("payment"), dict)}
        texts -= {"declined"}
        self.assertGreater(len(texts), 5)
        bundle = self.exported("masked")
        log, _ = self.imported(bundle)
        with sqlite_log.SqliteLog(self.folder / "masked.db") as read:
            held = json.dumps([str(r) for stream in (read.commands(), read.events()) for r in stream])
        self.assertEqual([text for text in texts if text in held], [])
        done = run("replay", "verify", "--carts", "--log", log)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"{len(self.commands)} commands decided again".replace(",", ""), done.stdout.replace(",", ""))

    def test_a_bundle_of_one_cart_holds_no_other_and_decides_the_same(self):
        cart = self.carts[3]
        log, _ = self.imported(self.exported("one", "--cart", cart))
        with sqlite_log.SqliteLog(self.folder / "one.db") as read:
            self.assertEqual({r.key for stream in (read.commands(), read.events()) for r in stream if r.key}, {cart})
        done = run("replay", "verify", "--carts", "--log", log)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        told = [json.loads(line) for line in run("replay", "show", cart, "--json", "--log", log).stdout.splitlines()]
        self.assertEqual([(s["position"], s["outcome"], s["rule"]) for s in told if "rule" in s],
                         [(s["position"], s["outcome"], s["rule"]) for s in self.lines("show", cart) if "rule" in s])

    def test_every_verb_says_of_a_bundle_what_it_says_of_its_log(self):
        bundle = self.exported("as-a-log", "--plain")
        log = f"bundle:{bundle}"
        step = next(s for s in self.lines("show", self.orders[0]) if s["kind"] == "command")
        middle = self.middle()
        last = "{1}:{2}".format(*self.times()[-5])
        change = self.folder / "as-a-log.json"
        change.write_text(json.dumps({"commands": [{"drop": step["position"]}]}))
        for words in (("verify",), ("verify", "--carts"), ("verify", "--against", MAYFLY), ("decisions",), ("show", self.orders[0]),
                      ("show", self.orders[0], "--json"), ("why", step["position"]), ("at", middle, self.carts[0], self.carts[1]),
                      ("diff", middle, last), ("whatif", str(change)), ("bisect", "--when", "event == order.placed")):
            done = run("replay", *words, "--log", log)
            self.assertEqual((done.returncode, done.stdout), (0, self.said(*words)), done.stderr)
        self.assertEqual(self.exported("as-a-log-again", "--plain", log=log).read_bytes(), bundle.read_bytes())
        recorded = self.checkpoint("of-the-log", "--as-recorded").read_bytes()
        self.assertEqual(self.checkpoint("of-a-bundle", "--as-recorded", log=log).read_bytes(), recorded)
        self.assertEqual(self.checkpoint("of-a-bundle-too", log=log).read_bytes(), recorded)
        index = str(self.folder / "bundle.index")
        self.assertEqual(run("replay", "show", self.orders[0], "--index", index, "--log", log).stdout, self.said("show", self.orders[0]))

    def test_a_bundle_without_state_is_verified_by_its_events(self):
        for name, words in ("masked-log", ()), ("cart-log", ("--cart", self.carts[0], "--plain")):
            bundle = self.exported(name, *words)
            done = run("replay", "verify", "--log", f"bundle:{bundle}")
            self.assertEqual((done.returncode, "has no state" in done.stderr), (0, True), done.stderr)
            self.assertRegex(done.stdout, r"^[1-9][\d,]* commands decided again, [1-9][\d,]* events said: 0 carts differ")
            for refused in (("verify", "--memory"), ("checkpoint", str(self.folder / "none.checkpoint"), "--as-recorded")):
                done = run("replay", *refused, "--log", f"bundle:{bundle}")
                self.assertEqual((done.returncode, "has no state" in done.stderr), (2, True), done.stderr)

    def test_a_bundle_that_is_cut_or_altered_is_read_by_no_verb(self):
        whole = self.exported("to-read").read_bytes()
        damaged = self.folder / "damaged-to-read"
        for at in range(0, len(whole), len(whole) // 20):
            for bad in whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:]:
                damaged.write_bytes(bad)
                done = run("replay", "show", self.orders[0], "--log", f"bundle:{damaged}")
                self.assertEqual((done.returncode, done.stdout), (6, ""))
                self.assertIn("block ", done.stderr)
        done = run("replay", "show", "o-x", "--log", f"bundle:{self.folder}/no.bundle")
        self.assertEqual((done.returncode, "cannot be read" in done.stderr), (2, True), done.stderr)

    def test_a_bundle_that_is_cut_or_altered_is_refused_by_block_and_nothing_is_made(self):
        whole = self.exported("whole", "--cart", self.carts[0]).read_bytes()
        harmed = [whole[:at] for at in range(0, len(whole), max(1, len(whole) // 25))]
        harmed += [whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1:] for at in range(0, len(whole), max(1, len(whole) // 25))]
        harmed += [whole + b"x", b""]
        for number, content in enumerate(harmed):
            bundle = self.folder / f"harmed-{number}"
            bundle.write_bytes(content)
            log, said = self.imported(bundle, code=1)
            self.assertRegex(said, r"block \d+: (it is cut|it is damaged|more follows its end)")
            self.assertFalse(pathlib.Path(log.removeprefix("sqlite:")).exists())

    def test_a_bundle_that_no_export_wrote_is_refused_and_nothing_is_left(self):
        def record(**members):
            return {"stream": "checkout.commands.v1", "partition": 0, "offset": 5, "time_ms": 1, "key": "c1", "headers": [], "value": "{}", **members}

        state = record(stream="checkout.state.v1")
        del state["key"]
        for number, (records, said) in enumerate((([record(), record(offset=4)], "not in the order"), ([record(partition=4)], "that no log has"),
                                                  ([record(partition=2**32)], "is no record"), ([record(offset=2**63 - 1)], "that no log has"),
                                                  ([record(offset=2**64 - 1)], "that no log has"), ([record(partition=-1)], "is no record"),
                                                  ([state], "has no key"), ([{"a": [0] * 6_000_000}], "longer than 16 MiB"))):
            head = {"mayfly_bundle": 1, "partitions": 4, "engine": "mayfly", "pseudonyms": True, "whole": True}
            bundle = self.folder / f"made-up-{number}"
            bundle.write_bytes(block(0, [head, *records, {"end": len(records) + 1}]))
            log, words = self.imported(bundle, code=1)
            self.assertIn(said, words)
            self.assertIn("Nothing was imported", words)
            self.assertEqual(list(self.folder.glob(f"made-up-{number}.db*")), [])

    def test_a_bundle_and_its_log_are_their_owners_alone(self):
        bundle = self.exported("own", "--plain")
        log, _ = self.imported(bundle)
        for file in (bundle, pathlib.Path(log.removeprefix("sqlite:"))):
            self.assertEqual(file.stat().st_mode & 0o777, 0o600)

    def test_export_says_what_is_not_there_and_makes_nothing(self):
        for words, code, said in ((("none", "--partition", "99"), 1, "no partition 99"), (("none", "--cart", "nobody"), 1, "no decided command of cart nobody"),
                                  (("none/none",), 2, "Check that the folder exists")):
            done = run("replay", "export", f"{self.folder}/{words[0]}", *words[1:], "--log", self.log)
            self.assertEqual((done.returncode, said in done.stderr), (code, True), done.stderr)
            self.assertEqual(list(self.folder.glob("none*")), [])

    def test_an_imported_log_is_not_served_and_nothing_is_appended(self):
        """It has no committed position: an engine would begin at the end of its commands and know none of its open carts."""
        for name, words in (("unserved", ()), ("unserved-whole", ("--plain",)), ("unserved-cart", ("--cart", self.carts[0]))):
            log, _ = self.imported(self.exported(name, *words))
            before = run("tail", "--json", "--log", log).stdout
            for serving in (("serve", "--http", "off"), ("demo", "--http", "off", "--front", "off"), ("backup", f"{self.folder}/copy.db")):
                done = run(*serving, "--log", log)
                self.assertEqual((done.returncode, "was imported" in done.stdout + done.stderr), (6, True), done.stderr)
            for appending in (("send", "cart.create", "c1", "currency=GBP"), ("tail", "--group", "g")):
                done = run(*appending, "--log", log)
                self.assertEqual((done.returncode, "was imported" in done.stderr), (6, True), done.stderr)
            self.assertEqual(run("tail", "--json", "--log", log).stdout, before)

    def test_export_and_import_make_new_files_only(self):
        bundle = self.exported("new")
        self.said("export", str(bundle), code=2)
        done = run("replay", "import", str(bundle), "--log", self.log)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("makes a new file", done.stderr)

    # --- the index ----------------------------------------------------------------------------------------------------

    def by_index(self, index, *words, log=None):
        done = run("replay", "show", *words, "--index", str(index), "--log", log or self.log)
        return done.returncode, done.stdout, done.stderr

    def ids(self):
        """Of every kind that show takes, of some carts."""
        ids = {id for cart in self.carts[::4] for id in (cart, f"o-{cart}", f"{cart}-p1", f"{cart}-r1")}
        for command in self.commands[::9]:
            ids |= {command.data[m] for m in ("customer_id", "reference") if command.data and command.data.get(m)}
            ids |= {value for name, value in command.headers.items() if name == "ce_correlationid"}
            ids |= {value[3:35] for name, value in command.headers.items() if "traceparent" in name}
        return sorted(ids)

    def test_by_the_index_show_says_the_same_of_every_id(self):
        index = self.folder / "all.index"
        self.assertGreater(len(self.ids()), 30)
        for id in self.ids():
            self.assertEqual(self.by_index(index, id, "--json"), (0, self.said("show", id, "--json"), ""))
        self.assertEqual(self.by_index(index, self.orders[0]), (0, self.said("show", self.orders[0]), ""))
        self.assertEqual(self.by_index(index, self.orders[0], "--html"), (0, self.said("show", self.orders[0], "--html"), ""))

    def test_what_the_index_does_not_know_is_searched_in_all_commands(self):
        code, said, complaint = self.by_index(self.folder / "sku.index", "nobody")
        self.assertEqual((code, said), (1, ""))
        self.assertIn("does not know nobody: reading all commands", complaint)
        self.assertIn("No command names nobody", complaint)

    def test_the_index_is_its_owners_alone_and_holds_no_text(self):
        index = self.folder / "own.index"
        self.assertRegex(self.said("index", str(index)), rf"^{index}: [\d,]+ commands, [\d,]+ bytes, \d+ a command, in ")
        self.assertEqual(index.stat().st_mode & 0o777, 0o600)
        held = index.read_bytes()
        self.assertEqual([id for id in self.ids() if id.encode() in held], [])

    def test_the_index_grows_with_its_log(self):
        log, index = f"sqlite:{self.folder}/grows.db", self.folder / "grows.index"
        for carts in ("c1", "c2"):
            run("send", "--log", log, "--create", "cart.create", carts, "currency=GBP", "customer_id=ann")
            self.decide(log)
            plain = run("replay", "show", "ann", "--json", "--log", log)
            self.assertEqual(self.by_index(index, "ann", "--json", log=log), (0, plain.stdout, ""))
            self.assertIn(carts, plain.stdout)
        run("send", "--log", log, "cart.create", "c3", "currency=GBP", "customer_id=ann")  # and nobody decides
        plain = run("replay", "show", "ann", "--log", log)
        self.assertIn("not decided", plain.stdout)
        self.assertEqual(self.by_index(index, "ann", log=log), (0, plain.stdout, ""))

    def decide(self, log):
        engine = subprocess.Popen([MAYFLY, "serve", "--log", log, "--http", "off"], stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (engine.kill(), engine.wait()))
        self.assertEqual(run("send", "--log", log, f"--wait={PATIENCE_S}", "cart.cancel", "nobody").returncode, 1)
        engine.terminate()
        engine.wait()

    def test_an_index_of_another_log_is_refused_and_so_is_what_is_none(self):
        index, other = self.folder / "other.index", f"sqlite:{self.folder}/other.db"
        self.said("index", str(index))
        run("send", "--log", other, "--create", "cart.create", "c1", "currency=GBP")
        before = index.read_bytes()
        code, said, complaint = self.by_index(index, "c1", log=other)
        self.assertEqual((code, said, "of another log" in complaint), (2, "", True), complaint)
        self.assertEqual(index.read_bytes(), before)
        text = self.folder / "text.index"
        text.write_text("no database " * 100)
        for wrong in (text, self.file, self.folder / "none" / "index"):
            before = hashlib.sha256(wrong.read_bytes()).hexdigest() if wrong.exists() else None
            code, said, _ = self.by_index(wrong, self.carts[0])
            self.assertEqual((code, said), (2, ""))
            self.assertEqual(hashlib.sha256(wrong.read_bytes()).hexdigest() if wrong.exists() else None, before)

    def test_an_index_that_lies_is_not_believed(self):
        cart = next(cart for cart in self.carts if any(step["kind"] == "wait_started" for step in self.lines("show", cart)))
        truth = self.said("show", cart, "--json")
        for number, lie in enumerate(("UPDATE carts SET records = CAST(x'01' || records AS BLOB)",
                                      "UPDATE carts SET records = substr(records, 2)", "UPDATE ticks SET offset = offset - 1",
                                      "UPDATE ticks SET through = 0, time_ms = 0", "DELETE FROM carts")):
            index = self.folder / f"lies-{number}.index"
            self.said("index", str(index))
            with contextlib.closing(sqlite3.connect(index)) as db, db:
                db.execute(lie)
            code, said, complaint = self.by_index(index, cart, "--json")
            self.assertEqual((code, said), (0, truth))
            self.assertIn("reading all commands", complaint, lie)

    # --- checkpoints --------------------------------------------------------------------------------------------------

    def checkpoint(self, name, *words, log=None, code=0):
        file = self.folder / name
        done = run("replay", "checkpoint", str(file), *words, "--log", log or self.log)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return file

    def times(self):
        """Append time, partition and offset of each command, in the order of time."""
        with contextlib.closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)) as db:
            return db.execute("SELECT append_time_ms, partition, offset FROM commands ORDER BY 1, 2, 3").fetchall()

    def middle(self):
        """A command of that log with as many before it as after it."""
        times = self.times()
        return "{1}:{2}".format(*times[len(times) // 2])

    def first_after(self, position):
        """Of each partition the first command that is not part of what had happened by then."""
        partition, offset = map(int, position.split(":"))
        (time,) = (t for t, p, o in self.times() if (p, o) == (partition, offset))
        first = {p: max((o + 1 for t, at, o in self.times() if at == p and t <= time), default=0) for p in range(4)}
        return first | {partition: offset + 1}

    def test_a_checkpoint_that_was_decided_is_what_the_engine_recorded(self):
        decided = self.checkpoint("decided")
        self.assertEqual(decided.read_bytes(), self.checkpoint("recorded", "--as-recorded").read_bytes())
        middle = self.checkpoint("middle", "--at", self.middle())
        self.assertNotEqual(decided.read_bytes(), middle.read_bytes())
        self.assertEqual(decided.read_bytes(), self.checkpoint("later", "--from", str(middle)).read_bytes())
        self.assertEqual(decided.stat().st_mode & 0o777, 0o600)

    def test_from_a_checkpoint_the_rest_is_verified_and_the_state_at_its_end(self):
        whole = re.match(r"([\d,]+) commands decided again: ([\d,]+) events", self.said("verify"))
        middle = self.checkpoint("verified", "--at", self.middle())
        rest = re.match(r"([\d,]+) commands decided again: ([\d,]+) events and [1-9][\d,]* state records", self.said("verify", "--from", str(middle)))
        for whole_count, rest_count in zip(whole.groups(), rest.groups()):
            self.assertLess(int(rest_count.replace(",", "")), int(whole_count.replace(",", "")) * 3 // 4)
        end = self.checkpoint("end-of-all", "--at", "end")
        self.assertRegex(self.said("verify", "--from", str(end)), "^0 commands decided again: 0 events and [1-9]")

    def test_at_show_and_bisect_say_the_same_from_a_checkpoint(self):
        at = self.middle()
        middle = str(self.checkpoint("for-verbs", "--at", at))
        first = self.first_after(at)
        later = 0
        for cart in self.carts[::5]:
            self.assertEqual(self.lines("at", "end", cart, "--from", middle), self.lines("at", "end", cart))
            steps = [s for s in self.lines("show", cart) if int(s["position"].split(":")[1]) >= first[int(s["position"].split(":")[0])]]
            self.assertEqual(self.lines("show", cart, "--from", middle), steps)
            later += len(steps)
        self.assertGreater(later, 5)
        last = self.events[self.orders[-1].removeprefix("o-")][-1].key
        for words in (("--cart", last, "--when", "phase == converted_paid or phase == active"),):
            self.assertTrue(self.lines("bisect", *words, "--from", middle))
        done = run("replay", "at", "begin", self.carts[0], "--from", middle, "--log", self.log)
        self.assertEqual((done.returncode, "What was before is not in it" in done.stderr), (2, True), done.stderr)

    def test_why_diff_whatif_and_the_comparisons_say_of_the_rest_what_they_say_of_the_whole(self):
        at = self.middle()
        middle = ("--from", str(self.checkpoint("for-comparisons", "--at", at)))
        first = self.first_after(at)
        later = [step for cart in self.carts for step in self.lines("show", cart)
                 if step["kind"] == "command" and int(step["position"].split(":")[1]) >= first[int(step["position"].split(":")[0])]]
        for step in later[::25]:
            self.assertEqual(self.said("why", step["position"], *middle), self.said("why", step["position"]))
        self.assertIn("before the checkpoint", run("replay", "why", "0:0", *middle, "--log", self.log).stderr)
        last = "{1}:{2}".format(*self.times()[-5])
        self.assertEqual(self.said("diff", at, last, *middle), self.said("diff", at, last))
        self.assertIn("What was before is not in it", run("replay", "diff", "begin", "end", *middle, "--log", self.log).stderr)
        decisions = [json.loads(line) for line in self.said("decisions").splitlines()]
        decisions = [d for d in decisions if int(d["position"].split(":")[1]) >= first[int(d["position"].split(":")[0])]]
        self.assertEqual([json.loads(line) for line in self.said("decisions", *middle).splitlines()], decisions)
        for words in ("--carts",), ("--against", MAYFLY):
            self.assertIn(f" {len(decisions):,} events said: 0 carts differ", self.said("verify", *words, *middle))
        other = self.folder / "later-other"
        other.write_text(f"#!/bin/sh\n{MAYFLY} \"$@\" | sed 's/order.placed/order.lost/'\n")
        other.chmod(0o755)
        placed = len([d for d in decisions if d["type"] == "order.placed"])
        self.assertGreater(placed, 2)
        said = self.said("verify", "--against", str(other), *middle, code=1)
        self.assertIn(f": {placed} carts differ", said)
        self.assertRegex(said, rf"in sum, other -> again:\nmoney ordered GBP +0 -> +[1-9][\d,]* .*\norder.lost +{placed} -> +0 .*\norder.placed +0 -> +{placed} ")
        dropped = next(s for s in later if s["type"] == "payment.captured" and "payment.captured" in [e["type"] for e in s["events"]])
        change = self.folder / "lost-later.json"
        change.write_text(json.dumps({"commands": [{"drop": dropped["position"]}]}))
        carts = [self.lines("whatif", str(change), *words) for words in ((), middle)]
        self.assertEqual(carts[0][:-1], carts[1][:-1])
        self.assertEqual({n: s["changed"] - s["recorded"] for n, s in carts[0][-1]["sums"].items()},
                         {n: s["changed"] - s["recorded"] for n, s in carts[1][-1]["sums"].items()})

    def test_what_retention_has_removed_is_not_needed_from_a_checkpoint(self):
        """Commands before the checkpoint are taken out of a copy, as retention would."""
        file = self.folder / "retained.db"
        with contextlib.closing(sqlite3.connect(self.file)) as db, contextlib.closing(sqlite3.connect(file)) as copy:
            db.backup(copy)
        log = f"sqlite:{file}"
        middle = self.checkpoint("retained", "--at", self.middle())
        head = json.loads(subprocess.run(["zstd", "-dcq", str(middle)], capture_output=True, check=True).stdout.splitlines()[0])
        self.assertEqual(head, {"mayfly_checkpoint": 1, "partitions": 4, "engine": "mayfly"})
        lines = [json.loads(line) for line in subprocess.run(["zstd", "-dcq", str(middle)], capture_output=True, check=True).stdout.splitlines()]
        with contextlib.closing(sqlite3.connect(file)) as copy, copy:
            for line in lines:
                if "next" in line:
                    copy.execute("DELETE FROM commands WHERE partition = ? AND offset < ?", (line["partition"], line["next"]))
        done = run("replay", "verify", "--log", log)
        self.assertEqual((done.returncode, "give a checkpoint that is late enough" in done.stderr), (6, True), done.stderr)
        done = run("replay", "verify", "--from", str(middle), "--log", log)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for cart in self.carts[::9]:
            done = run("replay", "at", "end", cart, "--from", str(middle), "--json", "--log", log)
            if done.returncode == 0:
                self.assertEqual([json.loads(line) for line in done.stdout.splitlines()], self.lines("at", "end", cart))
        self.assertEqual(self.checkpoint("retained-recorded", "--as-recorded", log=log).read_bytes(), self.checkpoint("retained-decided").read_bytes())

    def test_a_checkpoint_that_is_cut_altered_or_not_of_this_log_is_refused(self):
        whole = self.checkpoint("to-damage").read_bytes()
        damaged = self.folder / "damaged"
        for at in range(0, len(whole), max(1, len(whole) // 60)):
            for bad in (whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:]):
                damaged.write_bytes(bad)
                done = run("replay", "at", "end", self.carts[0], "--from", str(damaged), "--log", self.log)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
        other = f"sqlite:{self.folder}/short.db"
        run("send", "--log", other, "--create", "cart.create", "c1", "currency=GBP")
        done = run("replay", "verify", "--from", str(self.folder / "to-damage"), "--log", other)
        self.assertEqual((done.returncode, "is of another log" in done.stderr), (2, True), done.stderr)
        self.checkpoint("to-damage", code=2)
        self.checkpoint("both", "--as-recorded", "--at", "begin", code=2)
        bundle = self.folder / "no-checkpoint"
        self.said("export", str(bundle))
        self.assertIn("it is no checkpoint", run("replay", "verify", "--from", str(bundle), "--log", self.log).stderr)

    # --- what anybody may have sent -----------------------------------------------------------------------------------

    def test_a_command_that_nests_deeply_ends_no_verb(self):
        """What walks JSON needs stack for each level, and a record may have half a million of them."""
        log = f"sqlite:{self.folder}/deep.db"
        data = '{"to":"FINDME","a":' + "[" * 500_000 + "]" * 500_000 + "}"
        lines = [{"type": "cart.create", "cart": "c1", "data": {"currency": "GBP"}}, {"type": "cart.add_line", "cart": "c1", "data": data}]
        done = run("send", "--log", log, "--create", "--unchecked", "-", stdin="".join(json.dumps(line) + "\n" for line in lines))
        self.assertEqual(done.returncode, 0, done.stderr)
        at = json.loads(run("send", "--log", log, "--json", "cart.cancel", "c1").stdout)
        engine = subprocess.Popen([MAYFLY, "serve", "--log", log, "--http", "off"], stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (engine.kill(), engine.wait()))
        self.assertEqual(run("send", "--log", log, "--wait=300", "cart.create", "c1", "currency=GBP").returncode, 1)
        engine.terminate()
        engine.wait()
        deep = f"{at['partition']}:{at['offset'] - 1}"
        for words, code in ((("tail", "--stream", "commands", "--json"), 0), (("tail", "--stream", "deadletters", "--json"), 0),
                            (("replay", "show", "c1"), 0), (("replay", "show", "c1", "--json"), 0), (("replay", "show", "c1", "--html"), 0),
                            (("replay", "show", "FINDME"), 1), (("replay", "why", deep, "--json"), 0), (("replay", "verify", "--carts"), 0),
                            (("replay", "export", f"{self.folder}/deep.bundle"), 0), (("deadletters", "list", "--all", "--json"), 0), (("inspect", "c1"), 0)):
            done = run(*words, "--log", log)
            self.assertEqual(done.returncode, code, (words, done.stderr[-300:]))
        done = run("send", "--log", log, "--unchecked", "-", stdin=json.dumps(lines[1]).replace('"' + data.replace('"', '\\"') + '"', data) + "\n")
        self.assertEqual((done.returncode, "is no JSON object" in done.stderr), (1, True), done.stderr[-300:])

    def test_the_log_is_not_touched(self):
        before = hashlib.sha256(self.file.read_bytes()).hexdigest()
        self.said("show", self.carts[0])
        self.said("diff", "begin", "end")
        self.whatif({"commands": [{"insert": {"type": "cart.cancel", "cart": self.carts[0]}, "before": "end"}]})
        self.assertEqual(hashlib.sha256(self.file.read_bytes()).hexdigest(), before)


if __name__ == "__main__":
    unittest.main()

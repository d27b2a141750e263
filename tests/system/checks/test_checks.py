#!/usr/bin/env python3
"""The checks find what they are there to find: each kind of finding is planted once in a small log that is whole."""
import collections
import io
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import log_check
import online_retail
import sqlite_log


def varint(number):
    out = bytearray()
    while number >= 128:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out + bytes([number]))


def cart_state(sequence, session=False):
    header = bytes([2, 0x40 if session else 0]) + bytes(14)
    return header + bytes([2, 0]) + varint(0) + varint(300) + varint(1_795_521_600_000) + varint(sequence) + b"GBP" + bytes(3)


def position_state(following):
    return bytes([1]) + varint(following) + b"\0"


class SmallLog:
    """One partition: c1 buys and is over, c2 is open, c3 gets a late word, one record cannot be read."""

    def __init__(self):
        self.events_, self.commands_, self.dead = [], [], 1
        self.sequences = collections.Counter()
        self.say("c1", "cart.create", "cart.created")
        self.say("c1", "cart.add_line", "cart.line_added")
        self.say("c2", "cart.create", "cart.created")
        self.say("c1", "checkout.complete", "checkout.started", "inventory.reservation_requested")
        self.say("c1", "inventory.reserved", "payment.session_opened", "payment.authorization_requested")
        self.say("c1", "payment.authorized", "payment.authorized", "order.placed", "payment.capture_requested",
                 "inventory.commit_requested")
        self.say(None, "clock.tick")
        self.say("c1", "payment.captured", "payment.captured", "payment.session_ended", "checkout.completed", "cart.converted")
        self.say("c1", "checkout.complete", "command.rejected", sequenced=False)
        self.say("c3", "payment.captured", "command.rejected", "payment.unresolved", sequenced=False)
        self.say("c2", "cart.add_line", "command.rejected")
        self.say("c2", "broken", "command.dead_lettered", sequenced=False)
        self.positions_ = {0: len(self.commands_)}
        self.state_ = {"c1": None, "c2": cart_state(2), "\x01p": position_state(len(self.commands_)), "\x01e0": b"\1"}

    def say(self, key, command, *events, sequenced=True):
        offset = len(self.commands_)
        headers = {"ce_type": f"dev.mayfly.{command}.v1", "ce_source": "/shop", "ce_id": f"m{offset}"}
        self.commands_.append(sqlite_log.Record("commands", 0, offset, key, headers, {}, b"{}"))
        for index, event in enumerate(events):
            headers = {"ce_type": f"dev.mayfly.{event}.v1", "ce_id": f"0-{offset}-{index}", "ce_source": "/mayfly/shop"}
            if sequenced:
                self.sequences[key] += 1
                headers["ce_sequence"] = str(self.sequences[key])
            data = {"session_id": f"{key}-p1"} if event.startswith("payment.") else {}
            self.events_.append(sqlite_log.Record("events", 0, len(self.events_), key, headers, data, b"{}"))

    def events(self):
        return iter(self.events_)

    def commands(self):
        return iter(self.commands_)

    def state(self):
        return [(0, key, value) for key, value in self.state_.items()]

    def positions(self):
        return self.positions_

    def dead_letters(self):
        return self.dead

    def ends(self, stream):
        return {0: len(self.commands_)} if stream == "commands" else {}

    def extents(self, stream):
        return {0: (0, len(self.commands_) - 1, len(self.commands_))} if stream == "commands" else {}

    # --- what can be planted ---

    def find(self, event, nth=0):
        wanted = f"dev.mayfly.{event}.v1"
        return [i for i, e in enumerate(self.events_) if e.headers["ce_type"] == wanted][nth]

    def change(self, at, **headers):
        changed = {**self.events_[at].headers, **headers}
        changed = {name: value for name, value in changed.items() if value is not None}
        self.events_[at] = self.events_[at]._replace(headers=changed)

    def insert(self, after, event, cause, sequence=None, key="c1"):
        headers = {"ce_type": f"dev.mayfly.{event}.v1", "ce_id": cause}
        if sequence:
            headers["ce_sequence"] = str(sequence)
        record = sqlite_log.Record("events", 0, 1000, key, headers, {"session_id": f"{key}-p1"}, b"{}")
        self.events_.insert(after + 1, record)


def check(log, drained=False):
    checked = log_check.Check(log, drained)
    return checked.run().by_kind, checked


class LogCheck(unittest.TestCase):
    def finds(self, plant, kind, words, drained=False):
        log = SmallLog()
        plant(log)
        found, _ = check(log, drained)
        self.assertTrue(any(words in sentence for sentence in found[kind]), f"{kind}: {words!r} not in {found}")

    def test_a_whole_log_has_no_finding(self):
        found, checked = check(SmallLog())
        self.assertEqual({kind: [] for kind in log_check.KINDS}, found)
        self.assertEqual((12, 20, 2, 1, 1, 1), tuple(checked.counts[name] for name in (
            "commands", "events", "carts", "carts open", "order.placed", "ticks")))
        out = io.StringIO()
        log_check.report(checked, out)
        self.assertEqual("0 lost, 0 doubled, 0 gaps", out.getvalue().splitlines()[-1])

    def test_a_lost_command(self):
        self.finds(lambda log: log.events_.pop(log.find("cart.line_added")), "lost", "command 0-1")

    def test_a_repeat_is_not_lost(self):
        log = SmallLog()
        log.commands_.append(log.commands_[1]._replace(offset=12))
        log.positions_[0] = 13
        log.state_["\x01p"] = position_state(13)
        self.assertFalse(check(log)[1].findings.any())

    def test_a_doubled_event_id(self):
        self.finds(lambda log: log.change(log.find("order.placed"), ce_id="0-5-0"), "doubled", "0-5-0")

    def test_a_doubled_command_of_a_merge(self):
        def plant(log):
            headers = {"ce_type": "dev.mayfly.cart.add_line.v1", "ce_source": "/mayfly/shop", "ce_id": "0-1-0"}
            log.commands_.append(log.commands_[0]._replace(offset=12, headers=headers))
        self.finds(plant, "doubled", "command 0-12")

    def test_a_doubled_order(self):
        self.finds(lambda log: log.insert(log.find("order.placed"), "order.placed", "0-5-4", 8), "doubled", "order.placed 2 times")

    def test_a_session_opened_twice(self):
        self.finds(lambda log: log.insert(log.find("payment.session_opened"), "payment.session_opened", "0-4-2", 6),
                   "doubled", "opened again")

    def test_a_gap_in_a_sequence(self):
        self.finds(lambda log: log.change(log.find("order.placed"), ce_sequence="9"), "gaps", "9 after 7")

    def test_a_live_carts_event_without_sequence(self):
        self.finds(lambda log: log.change(log.find("order.placed"), ce_sequence=None), "gaps", "has no ce_sequence")

    def test_a_gap_in_a_records_indexes(self):
        self.finds(lambda log: log.change(log.find("cart.converted"), ce_id="0-7-4"), "gaps", "record 0-7")

    def test_an_event_of_a_cart_that_is_over(self):
        self.finds(lambda log: log.insert(len(log.events_) - 1, "cart.line_added", "0-11-1", 14), "order", "has no state")

    def test_an_event_that_needs_state_without_sequence(self):
        self.finds(lambda log: log.insert(len(log.events_) - 1, "cart.line_added", "0-11-1"), "order", "has no state")

    def test_an_event_before_that_of_an_earlier_record(self):
        def plant(log):
            log.events_[0], log.events_[2] = log.events_[2], log.events_[0]
        self.finds(plant, "order", "an earlier one by a later record")

    def test_an_event_caused_in_another_partition(self):
        self.finds(lambda log: log.change(0, ce_id="1-0-0"), "order", "partition 1")

    def test_a_conversion_without_an_order(self):
        self.finds(lambda log: log.change(log.find("order.placed"), ce_type="dev.mayfly.x.y.v1"), "order", "no order.placed")

    def test_a_session_that_ends_unopened(self):
        self.finds(lambda log: log.change(log.find("payment.session_opened"), ce_type="dev.mayfly.x.y.v1"), "session", "not open")

    def test_a_cart_that_ends_with_an_open_session(self):
        self.finds(lambda log: log.change(log.find("payment.session_ended"), ce_type="dev.mayfly.x.y.v1"), "session", "ended with open")

    def test_an_open_session_where_all_should_be_over(self):
        def plant(log):
            del log.events_[log.find("payment.captured") :]
        self.finds(plant, "session", "still has open session", drained=True)

    def test_an_unreadable_event_id(self):
        self.finds(lambda log: log.change(0, ce_id="x"), "unreadable", "ce_id 'x'")

    def test_a_cause_that_is_not_in_the_log(self):
        self.finds(lambda log: log.commands_.pop(), "unreadable", "record 0-11")

    def test_state_of_a_cart_that_is_over(self):
        self.finds(lambda log: log.state_.update(c1=cart_state(15)), "state", "cart c1 is over")

    def test_state_of_a_cart_that_never_was(self):
        self.finds(lambda log: log.state_.update(c9=cart_state(1)), "state", "cart c9")

    def test_a_live_cart_without_state(self):
        self.finds(lambda log: log.state_.pop("c2"), "state", "cart c2 lives but has no state record")

    def test_a_live_cart_with_a_tombstone(self):
        self.finds(lambda log: log.state_.update(c2=None), "state", "tombstone")

    def test_state_from_before_the_newest_event(self):
        self.finds(lambda log: log.state_.update(c2=cart_state(1)), "state", "after event 1, its newest is 2")

    def test_state_with_a_session_that_events_do_not_know(self):
        self.finds(lambda log: log.state_.update(c2=cart_state(2, session=True)), "state", "has a session")

    def test_a_state_record_that_is_cut_short(self):
        self.finds(lambda log: log.state_.update(c2=cart_state(2)[:20]), "unreadable", "'c2'")

    def test_a_position_that_is_not_its_records(self):
        self.finds(lambda log: log.state_.update({"\x01p": position_state(11)}), "position", "its position record says 11")

    def test_a_missing_position_record(self):
        self.finds(lambda log: log.state_.pop("\x01p"), "position", "its position record says 0")

    def test_a_position_behind_the_end(self):
        self.finds(lambda log: log.positions_.update({0: 13}), "position", "commands end at 12")

    def test_offsets_with_a_hole(self):
        self.finds(lambda log: setattr(log, "extents", lambda stream: {0: (0, 11, 11)}), "log", "holds 11 records from 0 to 11")

    def test_an_end_that_is_not_the_last_records(self):
        self.finds(lambda log: setattr(log, "ends", lambda stream: {0: 13}), "log", "its end is 13")

    def test_events_of_a_command_that_is_not_committed(self):
        self.finds(lambda log: log.positions_.update({0: 11}), "position", "command 0-11 has events")

    def test_commands_that_wait_where_all_should_be_decided(self):
        def plant(log):
            log.commands_.append(log.commands_[0]._replace(offset=12))
        self.finds(plant, "position", "1 commands are not decided yet", drained=True)

    def test_a_missing_dead_letter(self):
        self.finds(lambda log: setattr(log, "dead", 0), "dead letter", "0 dead letters, but 1")


# As adapters/sqlite/sqlite_tables.cpp makes them (docs/log.md).
TABLES = """
CREATE TABLE ends (stream INTEGER, partition INTEGER, next INTEGER, last_append_time_ms INTEGER, PRIMARY KEY (stream, partition));
CREATE TABLE positions (partition INTEGER PRIMARY KEY, next INTEGER);
CREATE TABLE state (partition INTEGER, key BLOB, value BLOB, headers BLOB, offset INTEGER, append_time_ms INTEGER,
                    PRIMARY KEY (partition, key));
""" + "".join(f"""
CREATE TABLE {stream} (partition INTEGER, offset INTEGER, key BLOB, headers BLOB, value BLOB, append_time_ms INTEGER,
                       PRIMARY KEY (partition, offset));
""" for stream in ("commands", "events", "deadletters", "alerts"))


def headers_blob(headers):
    texts = [text.encode() for pair in headers.items() for text in pair]
    return b"".join(varint(len(text)) + text for text in texts)


def write_sqlite(log, path):
    with sqlite3.connect(path) as connection:
        connection.executescript(TABLES)
        for number, (stream, records) in enumerate((("commands", log.commands_), ("events", log.events_))):
            for r in records:
                row = (0, r.offset, r.key and r.key.encode(), headers_blob(r.headers), json.dumps(r.data).encode(), 0)
                connection.execute(f"INSERT INTO {stream} VALUES (?, ?, ?, ?, ?, ?)", row)
            connection.execute("INSERT INTO ends VALUES (?, 0, ?, 0)", (number, len(records)))
        connection.execute("INSERT INTO deadletters VALUES (0, 0, NULL, x'', x'', 0)")
        connection.execute("INSERT INTO ends VALUES (3, 0, 1, 0)")
        connection.executemany("INSERT INTO positions VALUES (?, ?)", log.positions_.items())
        for key, value in log.state_.items():
            connection.execute("INSERT INTO state VALUES (0, ?, ?, NULL, 0, 0)", (key.encode(), value))
    connection.close()


class SqliteFile(unittest.TestCase):
    def runs(self, log, code, last_line):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "mayfly.db")
            write_sqlite(log, path)
            program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "log_check.py")
            ran = subprocess.run([sys.executable, program, path], capture_output=True, text=True, check=False)
        self.assertEqual((code, last_line), (ran.returncode, (ran.stdout or ran.stderr).splitlines()[-1]), ran.stdout + ran.stderr)

    def test_a_whole_file_passes(self):
        self.runs(SmallLog(), 0, "0 lost, 0 doubled, 0 gaps")

    def test_a_file_with_a_finding_fails(self):
        log = SmallLog()
        log.change(log.find("order.placed"), ce_id="0-5-0")
        self.runs(log, 1, "0 lost, 1 doubled, 1 gaps")

    def test_progress_is_offsets_decided_and_there(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "mayfly.db")
            with self.assertRaises(sqlite_log.NotReady):
                sqlite_log.SqliteLog(path)
            log = SmallLog()
            log.positions_[0] = 5
            write_sqlite(log, path)
            with sqlite_log.SqliteLog(path) as opened:
                self.assertEqual((5, 12), opened.progress())


HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


def shop(*rows):
    return [online_retail.Row(invoice, sku, "NAME", quantity, online_retail.pence(price), "17850")
            for invoice, sku, quantity, price in rows]


class OnlineRetail(unittest.TestCase):
    def expects(self, rows, **wanted):
        found = online_retail.expect(shop(*rows)).as_json()
        self.assertEqual(wanted, {name: found[name] for name in wanted})

    def test_pence_are_rounded_half_away_from_zero(self):
        for text, pence in (("2.55", 255), ("0.001", 0), ("0.005", 1), ("0.015", 2), ("-0.005", -1), ("-11062.06", -1106206), ("4", 400)):
            self.assertEqual(pence, online_retail.pence(text), text)

    def test_an_order_is_the_sum_of_its_lines(self):
        self.expects([("1", "a", 6, "2.55"), ("1", "b", 1, "0.01")], orders=1, gross_minor=1531, refusals={}, commands=7)

    def test_the_same_sku_again_adds_up_and_at_another_price_is_a_line_of_its_own(self):
        self.expects([("1", "a", 6, "2.55"), ("1", "a", 1, "2.55")], orders=1, gross_minor=1785, two_prices=0)
        self.expects([("1", "a", 6, "2.55"), ("1", "a", 1, "1.00")], orders=1, gross_minor=1630, two_prices=1)

    def test_a_quantity_that_is_refused_leaves_the_price(self):
        self.expects([("1", "a", 2, "2.00"), ("1", "a", -1, "9.00")], gross_minor=400, refusals={"quantity_out_of_range": 1})

    def test_each_refusal(self):
        million = 1_000_000
        for rows, code in (
            ([("1", "a", 0, "1.00")], "quantity_out_of_range"),
            ([("1", "a", million + 1, "1.00")], "quantity_out_of_range"),
            ([("1", "a", million, "1.00"), ("1", "a", 1, "1.00")], "quantity_out_of_range"),
            ([("1", "a", -1, "-1.00")], "data_invalid"),
            ([("1", f"sku{n}", 1, "1.00") for n in range(2001)], "cart_full"),
            ([("1", "a", million, "10000000.01")], "amount_out_of_range"),
            ([("1", "a", million, "10000000"), ("1", "b", 1, "0.01")], "amount_out_of_range"),
        ):
            self.assertEqual(1, online_retail.expect(shop(*rows)).refusals[code], (code, rows[0]))

    def test_a_cart_without_an_accepted_line_is_canceled(self):
        self.expects([("C1", "a", -1, "2.55")], carts=1, orders=0, canceled=1, commands=4,
                     refusals={"quantity_out_of_range": 1, "cart_empty": 1})

    def test_an_order_for_nothing_needs_no_payment(self):
        self.expects([("1", "a", 1, "0.001")], orders=1, gross_minor=0, commands=4)

    def test_an_invoice_that_comes_again_meets_a_cart_that_is_over(self):
        again = [("1", "a", 1, "2.00"), ("2", "a", 1, "1.00"), ("1", "a", -1, "1.00"), ("1", "b", 1, "1.00")]
        self.expects(again, carts=2, orders=2, gross_minor=300, refusals={"cart_ended": 3, "already_converted": 1})

    def test_an_invoice_that_comes_again_after_a_cancel_pays_for_nothing(self):
        again = [("1", "a", -1, "2.00"), ("2", "a", 1, "1.00"), ("1", "a", 1, "1.00")]
        self.expects(again, carts=2, orders=1, unresolved=2,
                     refusals={"quantity_out_of_range": 1, "cart_empty": 1, "cart_ended": 3, "reservation_unknown": 1, "session_unknown": 2})

    def test_an_invoice_that_comes_again_without_an_accepted_line_is_canceled_in_vain(self):
        again = [("1", "a", 1, "2.00"), ("2", "a", 1, "1.00"), ("1", "a", 1, "-1.00")]
        self.expects(again, refusals={"cart_ended": 2, "data_invalid": 1, "already_converted": 1})

    def test_rows_are_read_from_csv(self):
        with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8") as file:
            file.write(HEADER + '1,85123A," MUG, ""BLUE"" ",6,2010-12-01 08:26:00,2.55,17850.0,France\n1,b,,-1,x,0.0,,\n')
            file.flush()
            first, second = online_retail.rows(file.name)
        self.assertEqual(("1", "85123A", 'MUG, "BLUE"', 6, 255, "17850"), first)
        self.assertEqual(("1", "b", "", -1, 0, ""), second)

    def test_a_difference_is_found_and_fails(self):
        good = [
            {"key": "retail-1", "headers": {"ce_type": "dev.mayfly.cart.created.v1"}, "data": {}},
            {"key": "retail-1", "headers": {"ce_type": "dev.mayfly.command.rejected.v1"}, "data": {"code": "quantity_out_of_range"}},
            {"key": "retail-1", "headers": {"ce_type": "dev.mayfly.order.placed.v1"}, "data": {"total_minor": 255}},
            {"key": "retail-1", "headers": {"ce_type": "dev.mayfly.cart.converted.v1"}, "data": {}},
        ]
        other_total = good[:2] + [{**good[2], "data": {"total_minor": 256}}] + good[3:]
        other_cart = good[:2] + [{**good[2], "key": "retail-2"}] + good[3:]
        with tempfile.TemporaryDirectory() as folder:
            rows, said = os.path.join(folder, "rows.csv"), os.path.join(folder, "events.ndjson")
            with open(rows, "w", encoding="utf-8") as file:
                file.write(HEADER + "1,a,A,1,x,2.55,,\n1,b,B,-1,x,2.55,,\n")
            for events, code in ((good, 0), (good + good[2:3], 1), (good[1:], 1), (good[:1] + good[2:], 1), (other_total, 1), (other_cart, 1)):
                with open(said, "w", encoding="utf-8") as file:
                    file.writelines(json.dumps(event) + "\n" for event in events)
                program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "online_retail.py")
                ran = subprocess.run([sys.executable, program, rows, "--events", said], capture_output=True, text=True, check=False)
                self.assertEqual(code, ran.returncode, ran.stdout + ran.stderr)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""Whether an embedded log holds what Mayfly promises: nothing lost, nothing doubled, no gap, nothing kept of the dead.

Reads the SQLite file itself (sqlite_log.py) and decides nothing anew: it looks at how commands, events, state and
positions fit together. Shares no code with the engine. Exits 1 on any finding.
"""
import argparse
import collections
import re
import sys

import sqlite_log

SHOP = ("cart.", "checkout.")
ENDS = ("cart.converted", "cart.canceled", "cart.expired", "cart.merged")
# What may be said of a cart that has no state (decisions.md 2, 4, 5, 6).
WITHOUT_CART = re.compile(r"command\.(rejected|dead_lettered)|inventory\.release_requested|payment\..*")
CE_ID = re.compile(r"(\d+)-(\d+)-(\d+)")
KINDS = ("lost", "doubled", "gaps", "log", "order", "session", "state", "position", "dead letter", "unreadable")


class Findings:
    def __init__(self):
        self.by_kind = {kind: [] for kind in KINDS}

    def add(self, kind, sentence):
        self.by_kind[kind].append(sentence)

    def count(self, kind):
        return len(self.by_kind[kind])

    def any(self):
        return any(self.by_kind.values())


class Cart:
    """What the events say of one cart."""

    def __init__(self):
        self.live = False
        self.sequence = 0
        self.orders = 0
        self.converted = 0
        self.lives = 0
        self.open_sessions = set()
        self.sessions = set()


class Check:
    def __init__(self, log, drained=False):
        self.log = log
        self.drained = drained
        self.findings = Findings()
        self.counts = collections.Counter()
        self.carts = collections.defaultdict(Cart)
        self.sources = set()  # ce_source of events: the engine's
        self.caused = collections.defaultdict(int)  # (partition, offset) -> bits of the indexes seen

    def run(self):
        self.check_offsets()
        self.read_events()
        self.read_commands()
        self.check_indexes()
        self.check_sessions()
        self.check_state()
        self.check_positions()
        self.check_dead_letters()
        return self.findings

    def check_offsets(self):
        if getattr(self.log, "offsets_have_gaps", False):
            return
        for stream in ("commands", "events", "deadletters", "alerts"):
            ends, extents = self.log.ends(stream), self.log.extents(stream)
            for partition in sorted(ends.keys() | extents.keys()):
                end = ends.get(partition, 0)
                first, last, records = extents.get(partition, (end, end - 1, 0))
                if last != end - 1 or records != end - first:
                    self.findings.add("log", f"{stream} {partition} holds {records} records from {first} to {last}, its end is {end}")

    # --- events -----------------------------------------------------------------------------------------------------

    def read_events(self):
        newest_cause = {}
        for event in self.log.events():
            where = f"event {event.partition}-{event.offset}"
            kind = sqlite_log.short_type(event.headers.get("ce_type", ""))
            self.counts["events"] += 1
            self.sources.add(event.headers.get("ce_source"))
            self.counts[kind] += 1
            cause = self.take_id(where, event)
            if cause:
                if cause < newest_cause.get(event.partition, cause):
                    self.findings.add("order", f"{where} was caused by {cause[1]}-{cause[2]}, an earlier one by a later record")
                newest_cause[event.partition] = cause
            if event.key is not None:
                self.follow(where, event, kind)

    def take_id(self, where, record):
        """Notes the record's ce_id; gives (partition, offset, index)."""
        ce_id = record.headers.get("ce_id", "")
        found = CE_ID.fullmatch(ce_id)
        if not found:
            self.findings.add("unreadable", f"{where} has ce_id '{ce_id}', not partition-offset-index")
            return None
        partition, offset, index = map(int, found.groups())
        if partition != record.partition and record.stream == "events":
            self.findings.add("order", f"{where} says it was caused in partition {partition}")
        bit = 1 << index
        if self.caused[partition, offset] & bit:
            self.findings.add("doubled", f"{where} has ce_id {ce_id}, which an earlier record has")
        self.caused[partition, offset] |= bit
        return partition, offset, index

    def follow(self, where, event, kind):
        """The cart's life so far, one event further."""
        cart = self.carts[event.key]
        sequence = event.headers.get("ce_sequence")
        if kind == "cart.created" and not cart.live:
            cart.live, cart.sequence, cart.orders, cart.converted = True, 0, 0, 0
            cart.lives += 1
        if sequence is None:
            if cart.live and kind != "command.dead_lettered":
                self.findings.add("gaps", f"{where} ({kind}) of live cart {event.key} has no ce_sequence")
            if not WITHOUT_CART.fullmatch(kind):
                self.findings.add("order", f"{where} is {kind} of cart {event.key}, which has no state")
            return
        if not cart.live:
            self.findings.add("order", f"{where} ({kind}) has ce_sequence {sequence}, but cart {event.key} has no state")
            return
        if int(sequence) != cart.sequence + 1:
            self.findings.add("gaps", f"{where} ({kind}) of cart {event.key} has ce_sequence {sequence} after {cart.sequence}")
        cart.sequence = int(sequence)
        self.follow_checkout(where, event, kind, cart)
        if kind in ENDS:
            cart.live = False

    def follow_checkout(self, where, event, kind, cart):
        if kind == "order.placed":
            cart.orders += 1
            if cart.orders > 1:
                self.findings.add("doubled", f"{where}: cart {event.key} has order.placed {cart.orders} times")
        elif kind in ("cart.converted", "checkout.completed") and cart.orders == 0:
            self.findings.add("order", f"{where} is {kind} of cart {event.key}, which has no order.placed")
        elif kind == "payment.session_opened":
            session = event.data["session_id"]
            if session in cart.sessions:
                self.findings.add("doubled", f"{where}: session {session} is opened again")
            if cart.open_sessions:
                self.findings.add("session", f"{where}: session {session} is opened beside {sorted(cart.open_sessions)}")
            cart.sessions.add(session)
            cart.open_sessions.add(session)
        elif kind == "payment.session_ended":
            session = event.data["session_id"]
            if session not in cart.open_sessions:
                self.findings.add("session", f"{where}: session {session} ended but was not open")
            cart.open_sessions.discard(session)
        if kind in ENDS and cart.open_sessions:
            self.findings.add("session", f"{where}: cart {event.key} ended with open session {sorted(cart.open_sessions)}")

    # --- commands and what they caused ------------------------------------------------------------------------------

    def read_commands(self):
        positions = self.log.positions()
        seen = set()
        self.waiting = 0
        self.command_offsets = collections.defaultdict(set)
        for command in self.log.commands():
            where = f"command {command.partition}-{command.offset}"
            self.counts["commands"] += 1
            attributes = sqlite_log.attributes(command)
            kind = sqlite_log.short_type(attributes.get("ce_type", ""))
            self.command_offsets[command.partition].add(command.offset)
            if attributes.get("ce_source") in self.sources and kind != "clock.tick":  # a merge's
                self.take_id(where, command)
            decided = command.offset < positions.get(command.partition, 0)
            if kind == "clock.tick":
                self.counts["ticks"] += 1
                continue
            if not decided:
                self.waiting += 1
                if (command.partition, command.offset) in self.caused:
                    self.findings.add("position", f"{where} has events but lies at or behind the committed position")
                continue
            once = (command.key, attributes.get("ce_source"), attributes.get("ce_id"))
            repeated = once in seen
            # A cancel of a checkout whose money is being taken back is answered at the end of that; a refusal of a merge
            # that nobody waits for, and an offer without lines, by no event.
            empty = kind == "cart.merge_offered" and isinstance(command.data, dict) and not command.data.get("lines")
            if kind.startswith(SHOP) and kind not in ("cart.cancel", "cart.merge_answered") and not empty:
                seen.add(once)
                if not repeated and (command.partition, command.offset) not in self.caused:
                    self.findings.add("lost", f"{where} ({kind} for cart {command.key}) was decided but has no event")

    def check_indexes(self):
        for (partition, offset), bits in self.caused.items():
            if bits & (bits + 1):
                self.findings.add("gaps", f"record {partition}-{offset} caused events with a gap in their indexes")
            if offset not in self.command_offsets[partition]:
                self.findings.add("unreadable", f"record {partition}-{offset} caused events but is not in commands")

    # --- what is left ----------------------------------------------------------------------------------------------

    def check_sessions(self):
        for key, cart in self.carts.items():
            self.counts["carts"] += cart.lives
            self.counts["carts open"] += cart.live
            self.counts["sessions open"] += len(cart.open_sessions)
            if self.drained and cart.open_sessions:
                self.findings.add("session", f"cart {key} still has open session {sorted(cart.open_sessions)}")

    def check_state(self):
        live = {key for key, cart in self.carts.items() if cart.live}
        self.position_records = {}
        for partition, key, value in self.log.state():
            if key.startswith("\x01"):
                if key == "\x01p" and value is not None:
                    self.position_records[partition] = self.read(key, sqlite_log.position_in, value)
                continue
            if value is None:
                if key in live:
                    self.findings.add("state", f"cart {key} lives but its newest state record is a tombstone")
                    live.discard(key)
                continue
            if key not in live:
                self.findings.add("state", f"cart {key} is over or was never created, but has a state record")
                continue
            live.discard(key)
            state = self.read(key, sqlite_log.cart_in, value)
            if state is None:
                continue
            sequence, has_session = state
            cart = self.carts[key]
            if sequence != cart.sequence:
                self.findings.add("state", f"the state of cart {key} is after event {sequence}, its newest is {cart.sequence}")
            if has_session != bool(cart.open_sessions):
                self.findings.add("state", f"the state of cart {key} has {'a' if has_session else 'no'} session, its events say otherwise")
        for key in sorted(live):
            self.findings.add("state", f"cart {key} lives but has no state record")

    def read(self, key, layout, value):
        try:
            return layout(value)
        except (ValueError, IndexError) as error:
            self.findings.add("unreadable", f"state record of {key!r}: {error}")
            return None

    def check_positions(self):
        positions = self.log.positions()
        for partition in sorted(positions.keys() | self.position_records.keys()):
            committed = positions.get(partition, 0)
            recorded = self.position_records.get(partition) or 0
            if committed != recorded:
                self.findings.add("position", f"partition {partition}: committed {committed}, its position record says {recorded}")
            end = self.log.ends("commands").get(partition, 0)
            if committed > end:
                self.findings.add("position", f"partition {partition}: committed {committed}, but commands end at {end}")
        self.counts["commands waiting"] = self.waiting
        if self.drained and self.waiting:
            self.findings.add("position", f"{self.waiting} commands are not decided yet")

    def check_dead_letters(self):
        letters = self.log.dead_letters()
        self.counts["dead letters"] = letters
        if letters != self.counts["command.dead_lettered"]:
            said = self.counts["command.dead_lettered"]
            self.findings.add("dead letter", f"{letters} dead letters, but {said} command.dead_lettered")


def report(check, out=sys.stdout):
    counts, findings = check.counts, check.findings
    for name in ("commands", "ticks", "commands waiting", "events", "carts", "carts open", "order.placed",
                 "command.rejected", "payment.session_opened", "sessions open", "dead letters"):
        print(f"{name:24} {counts[name]:>12}", file=out)
    for kind in KINDS:
        for sentence in findings.by_kind[kind][:5]:
            print(f"{kind}: {sentence}", file=out)
        if findings.count(kind) > 5:
            print(f"{kind}: ... and {findings.count(kind) - 5} more", file=out)
    others = sum(findings.count(kind) for kind in KINDS[3:])
    print(", ".join(f"{findings.count(kind)} {kind}" for kind in KINDS[:3]) + (f", {others} other findings" if others else ""), file=out)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("log", help="the SQLite file of the embedded log")
    arguments.add_argument("--drained", action="store_true", help="nothing may wait: no undecided command, no open session")
    given = arguments.parse_args()
    with sqlite_log.SqliteLog(given.log) as log:
        check = Check(log, given.drained)
        check.run()
    report(check)
    sys.exit(1 if check.findings.any() else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Online Retail served on Kafka says what it says on SQLite.

One engine after the other decides the same feed, on an embedded log of its own and on the broker that MAYFLY_KAFKA names
(topics of its own). Then both logs are read by their own clients: each cart's events in order must be equal in all
headers and members but what depends on when and where a record was stored: ce_time, the position in ce_id, and
WITH_TIME_OR_PLACE. Orders, pence and refusals of both must be what the rows say. Shares no code with the engine. Exits 1
on a difference.
"""
import argparse
import collections
import hashlib
import itertools
import json
import os
import signal
import sys
import tempfile
import time

import kafka_log
import online_retail
import sqlite_log
from kafka_faults import some_rows
from kill_engine import Failed, Program

# Members that follow from append times (deadline, hold_until) or from the cart's position (idempotency_key).
WITH_TIME_OR_PLACE = ("deadline", "hold_until", "idempotency_key")
NAME = "retail"
LOOK_EVERY_S = 0.2


def comparable(event):
    """What must be the same on every log, as canonical text. What may differ must be there all the same."""
    headers, data = dict(event.headers), dict(event.data)
    headers["ce_id"] = headers["ce_id"].rsplit("-", 1)[1]  # which of the events that its record caused
    headers["ce_time"] = "some time"
    for member in WITH_TIME_OR_PLACE:
        if member in data:
            data[member] = type(data[member]).__name__
    return json.dumps([event.key, headers, data], sort_keys=True)


class Said:
    """What a log's events say: per cart digests in order (the whole of it would not fit), and the counts of the rows."""

    def __init__(self, log):
        self.log = log
        self.carts = collections.defaultdict(list)
        self.observed = online_retail.Observed()
        self.count = 0
        for event in log.events():
            self.count += 1
            self.carts[event.key].append(hashlib.blake2b(comparable(event).encode(), digest_size=12).digest())
            self.observed.add(event.key, event.headers["ce_type"], event.data)

    def event(self, cart, number):
        own = [e for e in self.log.events() if e.key == cart]
        return comparable(own[number]) if number < len(own) else "nothing"


def differences(a, b):
    """(cart, number of its first event that differs), by cart."""
    for cart in sorted(a.carts.keys() | b.carts.keys(), key=str):
        one, other = a.carts.get(cart, []), b.carts.get(cart, [])
        if one != other:
            equal = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other)))
            yield cart, equal


class Run:
    """Feeds and serves one log until all is decided."""

    def __init__(self, given, folder, name, log, more, look):
        self.given, self.folder, self.name, self.look = given, folder, name, look
        self.words = ["--log", log, *more]
        self.engine = self.feed = None

    def program(self, verb, *more):
        return Program(f"{verb}-{self.name}", [self.given.mayfly, verb, *more, *self.words], self.folder)

    def progress(self):
        try:
            with self.look() as log:
                return log.progress()
        except sqlite_log.NotReady:
            return -1, -1

    def wait_for(self, what, reached):
        deadline, newest = time.monotonic() + self.given.patience, None
        while not reached(*(seen := self.progress())):
            if seen != newest:
                newest, deadline = seen, time.monotonic() + self.given.patience
            if time.monotonic() > deadline:
                raise Failed(f"{self.name}: nothing moved while waiting for {what}; decided, there: {seen}")
            for program in (self.engine, self.feed):
                if program is not None and program.exit_code() not in (None, 0):
                    raise Failed(f"{program.name} ended with {program.exit_code()}:\n{program.last_words()}")
            time.sleep(LOOK_EVERY_S)

    def go(self):
        try:
            self.engine = self.program("serve", "--name", NAME, "--http", "off")
            self.wait_for("the log to be made", lambda decided, there: there >= 0)
            limit = ["--limit-invoices", str(self.given.invoices)] if self.given.invoices else []
            self.feed = self.program("feed", self.given.csv, *limit)
            self.wait_for("the feed", lambda decided, there: self.feed.exit_code() == 0)
            self.wait_for("the engine", lambda decided, there: decided >= there)
            code = self.engine.stop(signal.SIGTERM, 120)
            if code != 0:
                raise Failed(f"{self.engine.name} ended with {code} after SIGTERM:\n{self.engine.last_words()}")
        finally:
            for program in (self.feed, self.engine):
                if program is not None and program.exit_code() is None:
                    program.process.kill()
                    program.process.wait()


def same(embedded, kafka, expected):
    """Prints what was found; True if nothing differs."""
    whole = True
    for name, said in (("SQLite", embedded), ("Kafka", kafka)):
        print(f"\n{name}: {said.count} events of {len(said.carts)} carts, against the rows")
        whole = online_retail.report(*online_retail.compare(expected, said.observed)) and whole
    found = list(differences(embedded, kafka))
    for cart, number in found[:3]:
        print(f"\ncart {cart}, event {number + 1}\n  SQLite {embedded.event(cart, number)}\n  Kafka  {kafka.event(cart, number)}")
    print(f"\n{len(found)} carts whose events differ in more than ce_time, positions, {', '.join(WITH_TIME_OR_PLACE)}")
    return whole and not found


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("mayfly", help="the program")
    arguments.add_argument("csv", help="the Online Retail rows, .csv or .csv.zst")
    arguments.add_argument("--invoices", type=int, default=0, help="only so many of its first; 0: all")
    arguments.add_argument("--patience", type=float, default=300, help="seconds without progress that are too long")
    given = arguments.parse_args()
    brokers = os.environ.get("MAYFLY_KAFKA") or sys.exit("no broker: run tools/scripts/kafka start, then set MAYFLY_KAFKA")
    topics = {stream: f"same-{os.getpid()}-{stream}" for stream in kafka_log.TOPICS}
    expected = online_retail.expect(some_rows(given))
    with tempfile.TemporaryDirectory(prefix="mayfly-same-") as folder:
        path, config = os.path.join(folder, "mayfly.db"), os.path.join(folder, "kafka.toml")
        with open(config, "w", encoding="utf-8") as out:
            out.write("[kafka.topics]\n" + "".join(f'{stream} = "{topic}"\n' for stream, topic in topics.items()))

        def embedded():
            return sqlite_log.SqliteLog(path)

        def kafka():
            return kafka_log.KafkaLog(brokers, f"mayfly-{NAME}", topics)

        try:
            Run(given, folder, "sqlite", "sqlite:" + path, [], embedded).go()
            Run(given, folder, "kafka", "kafka:" + brokers, ["--config", config], kafka).go()
            with embedded() as one, kafka() as other:
                whole = same(Said(one), Said(other), expected)
        except Failed as failed:
            sys.exit(f"FAILED: {failed}")
    print("the same" if whole else "NOT THE SAME")
    sys.exit(0 if whole else 1)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Kills the engine with SIGKILL at random moments while a feed fills its log, then looks whether anything shows it.

The engine is started again after each kill; at the end it catches up, stops by SIGTERM, and the log is checked by
log_check.py and online_retail.py. Stops only what it started. Exits 1 on any finding.
"""
import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import log_check
import online_retail
import sqlite_log

LOOK_EVERY_S = 0.02


class Failed(Exception):
    pass


class Program:
    """A program that was started here, with what it prints in a file."""

    def __init__(self, name, command, folder):
        self.name = name
        self.output = os.path.join(folder, name + ".out")
        with open(self.output, "ab") as output:
            self.begins = output.tell()  # in that file, what this process prints
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def exit_code(self):
        return self.process.poll()

    def stop(self, how, within_s):
        """Its exit code after the signal."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} (pid {self.process.pid}) did not end within {within_s} s of {how.name}") from None

    def said(self, word):
        with open(self.output, "rb") as output:
            output.seek(self.begins)
            return word.encode() in output.read()

    def last_words(self):
        with open(self.output, "rb") as output:
            return output.read()[-2000:].decode("utf-8", "replace")


class Run:
    def __init__(self, given, folder):
        self.given = given
        self.folder = folder
        self.path = os.path.join(folder, "mayfly.db")
        self.engine = self.feed = None
        self.random = random.Random(given.seed)
        self.started = 0

    def command(self, verb, *more):
        config = ["--config", self.given.config] if self.given.config else []
        return [self.given.mayfly, verb, *more, "--log", "sqlite:" + self.path, *config]

    def start_engine(self):
        self.started += 1
        self.engine = Program("serve", self.command("serve"), self.folder)

    def look(self):
        """(commands decided, commands there), by offsets; (-1, -1) while there is no log to read."""
        try:
            with sqlite_log.SqliteLog(self.path) as log:
                return log.progress()
        except sqlite_log.NotReady:
            return -1, -1

    def wait_for(self, what, reached):
        """Looks until `reached(decided, there)`; both programs must go on meanwhile, or have ended well."""
        deadline = time.monotonic() + self.given.patience
        newest = None
        while True:
            seen = self.look()
            if reached(*seen):
                return
            if seen != newest:
                newest, deadline = seen, time.monotonic() + self.given.patience
            if time.monotonic() > deadline:
                raise Failed(f"nothing moved for {self.given.patience} s while waiting for {what}; decided, there: {seen}")
            if self.engine.exit_code() is not None:
                raise Failed(f"the engine ended by itself with {self.engine.exit_code()}:\n{self.engine.last_words()}")
            if self.feed and self.feed.exit_code() not in (None, 0):
                raise Failed(f"the feed ended with {self.feed.exit_code()}:\n{self.feed.last_words()}")
            time.sleep(LOOK_EVERY_S)

    def kill_at(self, threshold):
        """Kills the engine once it has decided so many, a little later; one in four in the first moments of its life."""
        self.wait_for(f"{threshold} decided commands", lambda decided, there: decided >= threshold)
        time.sleep(self.random.uniform(0, 0.2))
        decided = self.look()[0]
        if self.engine.exit_code() is not None:
            raise Failed(f"the engine ended by itself with {self.engine.exit_code()}:\n{self.engine.last_words()}")
        self.engine.stop(signal.SIGKILL, 30)
        self.start_engine()
        return decided

    def kill_all(self, commands):
        thresholds = sorted(self.random.randrange(commands) for _ in range(self.given.kills))
        early = self.random.sample(range(self.given.kills), self.given.kills // 4)
        for number, threshold in enumerate(thresholds):
            if number in early:
                threshold = 0
            decided = self.kill_at(threshold)
            print(f"kill {number + 1:3} at {decided:>9} decided commands", flush=True)

    def feed_ended(self):
        return self.feed.exit_code() == 0

    def go(self, commands):
        self.start_engine()
        self.wait_for("the engine to make its log", lambda decided, there: there >= 0)
        self.feed = Program("feed", self.command("feed", self.given.csv), self.folder)
        self.kill_all(commands)
        self.wait_for("the end of the feed", lambda decided, there: self.feed_ended())
        end = self.look()[1]
        self.wait_for("the engine to catch up", lambda decided, there: decided >= end)
        # Until then it may not yet have said what it does at the signal.
        self.wait_for("the engine to be ready", lambda decided, there: self.engine.said('"ready"'))
        code = self.engine.stop(signal.SIGTERM, 120)
        if code != 0:
            raise Failed(f"the engine ended with {code} after SIGTERM:\n{self.engine.last_words()}")

    def end(self):
        for program in (self.feed, self.engine):
            if program is not None and program.exit_code() is None:
                program.process.kill()
                program.process.wait()


def check(log, expected, drained=True, of_the_rows=lambda event: True):
    """True if the log is whole and holds what the rows say, by the events that are of the rows."""
    checked = log_check.Check(log, drained=drained)
    checked.run()
    log_check.report(checked)
    observed = online_retail.Observed()
    for event in filter(of_the_rows, log.events()):
        observed.add(event.key, event.headers.get("ce_type", ""), event.data)
    print()
    same = online_retail.report(*online_retail.compare(expected, observed))
    return same and not checked.findings.any()


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("mayfly", help="the program")
    arguments.add_argument("csv", help="the Online Retail rows, .csv or .csv.zst")
    arguments.add_argument("--kills", type=int, default=20)
    arguments.add_argument("--seed", type=int, default=None, help="of the moments; random without")
    arguments.add_argument("--config", help="given to both programs")
    arguments.add_argument("--folder", help="where the log is made and left; without, a temporary one, left if it is not whole")
    arguments.add_argument("--patience", type=float, default=300, help="seconds without progress that are too long")
    given = arguments.parse_args()
    given.seed = given.seed if given.seed is not None else random.SystemRandom().randrange(2**32)
    print(f"--seed {given.seed}", flush=True)
    expected = online_retail.expect(online_retail.rows(given.csv))
    folder = given.folder or tempfile.mkdtemp(prefix="mayfly-kills-")
    run = Run(given, folder)
    if os.path.exists(run.path):
        sys.exit(f"{run.path} is there already; give another --folder")
    whole = False
    try:
        run.go(expected.commands)
        print(f"{given.kills} kills, {run.started} starts\n")
        with sqlite_log.SqliteLog(run.path) as log:
            whole = check(log, expected)
    except Failed as failed:
        print(f"FAILED: {failed}")
    finally:
        run.end()
    print("whole" if whole else f"NOT WHOLE: the log is left in {folder}; again with --seed {given.seed}")
    if whole and not given.folder:
        shutil.rmtree(folder)
    sys.exit(0 if whole else 1)


if __name__ == "__main__":
    main()

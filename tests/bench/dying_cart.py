#!/usr/bin/env python3
"""What one cart that dies on every message costs the others: alternating pairs of runs on SQLite, with it and without.

Two measures each: how fast a log that is full already is decided (the dying cart has one command in 500), and how long
commands wait at a steady rate (it has 100 a second). Prints medians and ratios. Needs mayfly_poison (tests/engine/poison).
"""
import argparse
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system/checks"))
import sqlite_log  # noqa: E402

LINES = 8  # of a cart, beside its creation
FULL_CARTS = 6000
ONE_DYING_IN = 500
RATE_PER_S = 5000
DYING_PER_S = 100
STEADY_S = 4
STEP_S = 0.02
DYING = "dying"


def line(kind, cart, **data):
    return json.dumps({"type": kind, "cart": cart, "data": data}) + "\n"


def dying_line(number):
    return line("cart.add_line", DYING, sku="poison:throw", quantity=1, unit_price_minor=number + 1)


def ordinary(carts):
    """Commands of many carts in turn."""
    for cart in range(carts):
        yield line("cart.create", f"c{cart}", currency="GBP")
    for number in range(LINES):
        for cart in range(carts):
            yield line("cart.add_line", f"c{cart}", sku=f"sku-{number}", quantity=1, unit_price_minor=100)


class Run:
    def __init__(self, given, folder):
        self.poison = given.poison
        self.log = os.path.join(folder, "shop.db")

    def sender(self):
        return subprocess.Popen([self.poison, "send", "--create", "--log", "sqlite:" + self.log, "-"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def serve(self):
        engine = subprocess.Popen([self.poison, "serve", "--log", "sqlite:" + self.log, "--http", "off"], stderr=subprocess.PIPE, text=True)
        for said in engine.stderr:
            if '"name":"ready"' in said:
                return engine
        raise RuntimeError(f"the engine ended with {engine.wait()}")

    def wait_until_decided(self, engine):
        with sqlite_log.SqliteLog(self.log) as log:
            while True:
                decided, there = log.progress()
                if decided >= there:
                    return time.monotonic()
                if engine.poll() is not None:
                    raise RuntimeError(f"the engine ended with {engine.returncode}")
                time.sleep(0.002)

    def end(self, engine):
        engine.send_signal(signal.SIGTERM)
        engine.communicate()

    def full_log_per_s(self, dying):
        sender = self.sender()
        sender.stdin.write(line("cart.create", DYING, currency="GBP"))
        for number, command in enumerate(ordinary(FULL_CARTS)):
            sender.stdin.write(command)
            if dying and number % ONE_DYING_IN == 0:
                sender.stdin.write(dying_line(number))
        sender.stdin.close()
        sender.wait()
        engine = self.serve()
        begun = time.monotonic()
        seconds = self.wait_until_decided(engine) - begun
        self.end(engine)
        return FULL_CARTS * (LINES + 1) / seconds

    def steady_waits_ms(self, dying):
        commands = ordinary(RATE_PER_S * STEADY_S // (LINES + 1) + 1)
        engine = self.serve()
        sender = self.sender()
        sender.stdin.write(line("cart.create", DYING, currency="GBP"))
        begun = time.monotonic()
        for step in range(int(STEADY_S / STEP_S)):
            for _ in range(int(RATE_PER_S * STEP_S)):
                sender.stdin.write(next(commands))
            for number in range(int(DYING_PER_S * STEP_S) if dying else 0):
                sender.stdin.write(dying_line(step * 10 + number))
            sender.stdin.flush()
            time.sleep(max(0.0, begun + (step + 1) * STEP_S - time.monotonic()))
        sender.stdin.close()
        sender.wait()
        self.wait_until_decided(engine)
        self.end(engine)
        return self.waits_ms()

    def waits_ms(self):
        """From the append of each ordinary command to that of its event."""
        with sqlite_log.SqliteLog(self.log) as log:
            appended = {(p, o): at for p, o, at in log._rows("SELECT partition, offset, append_time_ms FROM commands")}
            waits = []
            for key, headers, at in log._rows("SELECT key, headers, append_time_ms FROM events"):
                if sqlite_log.text(key) != DYING:
                    partition, offset, _ = sqlite_log.headers_in(headers)["ce_id"].split("-")
                    waits.append(at - appended[int(partition), int(offset)])
            return sorted(waits)

    def letters(self):
        with sqlite_log.SqliteLog(self.log) as log:
            return log.dead_letters()


def measure(given, dying):
    with tempfile.TemporaryDirectory() as folder:
        per_s = Run(given, folder).full_log_per_s(dying)
    with tempfile.TemporaryDirectory() as folder:
        run = Run(given, folder)
        waits = run.steady_waits_ms(dying)
        letters = run.letters()
    if dying != (letters > 0):
        raise RuntimeError(f"{letters} dead letters, dying cart: {dying}")
    return per_s, waits[len(waits) // 2], waits[len(waits) * 99 // 100], letters


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("poison", help="the program mayfly_poison")
    arguments.add_argument("--pairs", type=int, default=10)
    given = arguments.parse_args()
    runs = {False: [], True: []}
    print(f"{'':8}{'commands/s':>12}{'p50 ms':>8}{'p99 ms':>8}{'dead letters':>14}")
    for _ in range(given.pairs):
        for dying in (False, True):
            runs[dying].append(measure(given, dying))
            per_s, p50, p99, letters = runs[dying][-1]
            print(f"{'dying' if dying else 'none':8}{per_s:>12.0f}{p50:>8}{p99:>8}{letters:>14}", flush=True)
    median = {dying: [statistics.median(column) for column in zip(*rows)] for dying, rows in runs.items()}
    for dying in (False, True):
        per_s, p50, p99, _ = median[dying]
        print(f"median, {'dying' if dying else 'none'}: {per_s:.0f} commands/s, p50 {p50:.0f} ms, p99 {p99:.0f} ms")
    print(f"throughput {median[True][0] / median[False][0]:.1%}, p99 {median[True][2] / median[False][2]:.2f} x")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Renewal under load: an engine on SQLite with open carts and a feed at a steady rate, once without renewals and once
with each partition renewed every so many seconds. Says latencies of both side by side, and exits 1 where a command was
lost, answered otherwise than the rows say, or a comparison was not equal.

Latency: from a command's append time to that of the first event it caused, by the log's own times.
"""
import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

import online_retail
import sqlite_log
from kill_engine import Failed, check

PATIENCE_S = 300
COMMANDS_A_ROW = 1.23  # of Online Retail


def copies(rows, target, most):
    """Writes about so many rows: the given ones again and again, each time with other invoice numbers."""
    header, *lines = rows
    with open(target, "w", encoding="utf-8", newline="") as out:
        out.write(header)
        written, number, invoice = 0, 0, None
        while True:
            number += 1
            for line in lines:
                before, invoice = invoice, line.split(",", 1)[0]
                if written >= most and invoice != before:  # not in the middle of an invoice
                    return
                out.write(f"{number}-{line}")
                written += 1


def rows_of(path):
    if not path.endswith(".zst"):
        with open(path, encoding="utf-8") as file:
            return file.readlines()
    return subprocess.run(["zstdcat", path], check=True, capture_output=True).stdout.decode().splitlines(keepends=True)


def open_carts(count):
    """Carts that stay open: what renewals compare."""
    for i in range(count):
        cart = f"open-{i:07}"
        yield {"type": "cart.create", "cart": cart, "id": f"{cart}-0", "data": {"currency": "GBP"}}
        for line in range(3):
            yield {"type": "cart.add_line", "cart": cart, "id": f"{cart}-{line + 1}",
                   "data": {"sku": f"sku-{line}", "quantity": 1, "unit_price_minor": 100 + line, "name": "a name of some length"}}


class Engine:
    def __init__(self, given, folder, renew_every_s):
        self.log = os.path.join(folder, "mayfly.db")
        self.err = os.path.join(folder, "serve.err")
        config = os.path.join(folder, "mayfly.toml")
        with open(config, "w", encoding="utf-8") as out:
            out.write(f"[memory]\nrenew_interval_ms = {round(renew_every_s * 1000)}\n")
        with open(self.err, "wb") as err:
            self.process = subprocess.Popen([given.mayfly, "serve", "--log", "sqlite:" + self.log, "--config", config, "--http", "127.0.0.1:0"],
                                            stdin=subprocess.DEVNULL, stdout=err, stderr=err)
        self.wait(lambda: re.search(r'"ready"', self.said()), "ready")
        self.http = re.search(r"http://([^/]+)/", self.said())[1]

    def said(self):
        with open(self.err, encoding="utf-8") as file:
            return file.read()

    def tree(self):
        with urllib.request.urlopen(f"http://{self.http}/tree", timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def wait(self, reached, what):
        end = time.monotonic() + PATIENCE_S
        while not reached():
            if time.monotonic() > end or self.process.poll() is not None:
                raise Failed(f"not {what}: {self.said()[-1000:]}")
            time.sleep(0.1)

    def caught_up(self):
        with sqlite_log.SqliteLog(self.log) as log:
            decided, there = log.progress()
        return decided == there

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


LATENCIES = """
SELECT e.append_time_ms - c.append_time_ms FROM commands c JOIN
  (SELECT partition, at, min(append_time_ms) AS append_time_ms FROM
    (SELECT partition, append_time_ms, key, caused(headers) AS at FROM events) WHERE substr(key, 1, 5) != x'6f70656e2d' GROUP BY partition, at) e
  ON c.partition = e.partition AND c.offset = e.at
"""


def caused(headers):
    """Offset of the command that caused the event, out of its ce_id, partition-offset-index."""
    return int(sqlite_log.headers_in(headers)["ce_id"].split("-")[1])


def latencies(path):
    with sqlite_log.SqliteLog(path) as log:
        log.connection.create_function("caused", 1, caused, deterministic=True)
        return sorted(ms for (ms,) in log.connection.execute(LATENCIES))


def percentile(values, percent):
    return values[min(len(values) - 1, int(len(values) * percent / 100))]


def run(given, csv, expected, renew_every_s):
    folder = tempfile.mkdtemp(prefix="mayfly-renew-", dir=given.folder)
    engine = Engine(given, folder, renew_every_s)
    try:
        lines = "".join(json.dumps(c) + "\n" for c in open_carts(given.open_carts))
        subprocess.run([given.mayfly, "send", "--log", "sqlite:" + engine.log, "-"], input=lines, text=True, check=True, capture_output=True)
        engine.wait(engine.caught_up, "caught up with the open carts")
        before = [p["renewals"] for p in engine.tree()["partitions"]]
        feed = [given.mayfly, "feed", csv, "--log", "sqlite:" + engine.log, "--speed", str(given.rate), "--json"]
        begun = time.monotonic()
        fed = json.loads(subprocess.run(feed, check=True, capture_output=True, text=True).stdout)
        took = time.monotonic() - begun
        engine.wait(engine.caught_up, "caught up with the feed")
        after = [p["renewals"] for p in engine.tree()["partitions"]]
        code = engine.stop()
    finally:
        if engine.process.poll() is None:
            engine.process.kill()
            engine.process.wait()
    renewals = sum(r["count"] for r in after) - sum(r["count"] for r in before)
    compared = sum(r["carts"] for r in after) - sum(r["carts"] for r in before)
    differences = sum(r["differences"] for r in after)
    slowest = [int(ms) for ms in re.findall(r"was renewed in (\d+) ms", engine.said())]
    checked = is_whole(engine.log, expected)
    ms = latencies(engine.log)
    print(f"{'renewed every ' + format(renew_every_s, 'g') + ' s' if renew_every_s else 'never renewed'}: {fed['commands']:,} commands in {took:.0f} s, "
          f"{renewals} renewals, {compared:,} carts compared, {differences} differences"
          + (f", a renewal took {percentile(sorted(slowest), 50)} ms (median), {max(slowest)} ms (longest)" if slowest else ""))
    print("  latency in ms: " + ", ".join(f"p{p:g} {percentile(ms, p)}" for p in (50, 90, 99, 99.9)) + f", longest {ms[-1]}; {len(ms):,} commands answered", flush=True)
    shutil.rmtree(folder)
    return checked and differences == 0 and code == 0 and (renewals > 0) == (renew_every_s > 0)


def is_whole(path, expected):
    with sqlite_log.SqliteLog(path) as log:
        return check(log, expected, drained=False, of_the_rows=lambda event: not event.key.startswith("open-"))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("mayfly", help="the program")
    arguments.add_argument("csv", help="the Online Retail rows, .csv or .csv.zst")
    arguments.add_argument("--every", type=float, default=10, help="seconds in which each partition is renewed once")
    arguments.add_argument("--seconds", type=float, default=300, help="of load, each of both runs")
    arguments.add_argument("--rate", type=int, default=8000, help="commands a second")
    arguments.add_argument("--open-carts", type=int, default=20000)
    arguments.add_argument("--folder", help="where the logs lie meanwhile")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        csv = os.path.join(folder, "rows.csv")
        copies(rows_of(given.csv), csv, given.rate * given.seconds / COMMANDS_A_ROW)
        expected = online_retail.expect(online_retail.rows(csv))
        good = [run(given, csv, expected, every) for every in (0, given.every)]
    print("whole, every comparison equal" if all(good) else "NOT WHOLE")
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()

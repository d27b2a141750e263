#!/usr/bin/python3
"""Ordinary checkouts at a steady rate beside everything that hostile producers and HTTP clients can do, on a real broker.

    hostile_night.py [--minutes N] [--quiet-minutes N] [--rate CHECKOUTS_PER_SECOND]

A broker and one engine of its own, with a tick secret, named sources of replies and a memory budget, all else as it comes.
First a quiet run, then a hostile one (night_attacks.py says what is done). Every ordinary checkout is
followed to its end by a reader of the events: none may be lost, doubled, or late beyond a deadline. Both probes are asked
ten times a second, memory is looked at as often. At the end the recorded commands are decided again. Prints a table;
exit code 1 if a promise was broken. Times are of a machine that broker, engine, shop and attackers share: only those of
one run say something about each other.
"""
import argparse
import collections
import json
import multiprocessing
import os
import pathlib
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time

import http_hostile
import night_attacks
import night_shop
from kafka_throughput import ROOT, Broker, cpu_s, decided, free_ports

PROBE_EVERY_S = 0.1
PROBE_LIMIT_S = 1.0
PATIENCE_S = 120  # for the last checkouts of a phase
MIB = 1024 * 1024


class Watch:
    """Asks both probes and looks at memory, until it is closed."""

    def __init__(self, port, pid):
        self.port, self.pid, self.over = port, pid, False
        self.asked, self.failed, self.slowest_s, self.peak = 0, collections.Counter(), 0.0, 0
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def probe(self, path):
        begun = time.monotonic()
        try:
            with http_hostile.connect(self.port) as connection:
                connection.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n")
                answer = connection.recv(100)
        except OSError as error:
            answer = str(error).encode()
        took = time.monotonic() - begun
        self.asked += 1
        self.slowest_s = max(self.slowest_s, took)
        if not answer.startswith(b"HTTP/1.1 200"):
            self.failed[f"{path.decode()}: {answer[:40]!r}"] += 1
        elif took > PROBE_LIMIT_S:
            self.failed[f"{path.decode()}: slow"] += 1

    def run(self):
        while not self.over:
            for path in (b"/livez", b"/readyz"):
                self.probe(path)
            self.peak = max(self.peak, http_hostile.resident(self.pid))
            time.sleep(PROBE_EVERY_S)

    def close(self):
        self.over = True
        self.thread.join()


class Night:
    def __init__(self, given, folder):
        self.given, self.folder = given, pathlib.Path(folder)
        self.broker = Broker(str(self.folder / "broker"))
        self.port = free_ports.one()
        secret = self.folder / "tick-secret"
        secret.write_text(secrets.token_hex(32) + "\n")
        secret.chmod(0o600)
        self.config = self.folder / "mayfly.toml"
        self.config.write_text(f'log = "kafka:{self.broker.address}"\nengine.name = "{night_attacks.ENGINE}"\nengine.tick_secret_file = "{secret}"\n'
                               f'replies.sources = "{night_shop.PAY} {night_shop.STOCK}"\nmemory.process_bytes = {given.budget_mib * MIB}\n')
        self.engine = None

    def mayfly(self, *words):
        return subprocess.run([self.given.mayfly, *words, "--config", str(self.config)], capture_output=True, text=True, check=False)

    def start(self):
        self.broker.run("start")
        with open(self.folder / "serve.log", "wb") as log:
            self.engine = subprocess.Popen([self.given.mayfly, "serve", "--config", str(self.config), "--http", f"127.0.0.1:{self.port}", "--json"], stdout=log, stderr=log)
        while '"name":"ready"' not in (self.folder / "serve.log").read_text():
            self.living()
        time.sleep(5)  # its first ticks carry the settings

    def living(self):
        if self.engine.poll() is not None:
            sys.exit(f"the engine ended with {self.engine.returncode}; see {self.folder}/serve.log")
        time.sleep(PROBE_EVERY_S)

    def phase(self, name):
        begun, told = multiprocessing.Value("q", 0), multiprocessing.Queue()
        seconds = 60 * (self.given.minutes if name == "hostile" else self.given.quiet_minutes or self.given.minutes)
        shop = multiprocessing.Process(target=night_shop.run, args=(self.broker.address, name, begun, self.given.rate, seconds, PATIENCE_S, told))
        commands, cpu = decided(f"127.0.0.1:{self.port}"), cpu_s(self.engine.pid)
        watch = Watch(self.port, self.engine.pid)
        shop.start()
        counts, attackers = {}, None
        if name == "hostile":
            hurt = multiprocessing.Queue()
            attackers = multiprocessing.Process(target=night_attacks.run, args=(self.broker.address, begun, self.port, seconds, self.given.seed, self.given.only, hurt))
            attackers.start()
            counts = self.hear(hurt, attackers)
        book = self.hear(told, shop)
        shop.join()
        self.settle()
        watch.close()
        book |= {"name": name, "probes": watch, "counts": counts, "commands": decided(f"127.0.0.1:{self.port}") - commands,
                 "cpu_s": cpu_s(self.engine.pid) - cpu}
        return book

    def hear(self, queue, process):
        while queue.empty():
            self.living()
            if not process.is_alive() and queue.empty():
                sys.exit(f"a process of the bench ended with {process.exitcode}")
        return queue.get()

    def settle(self):
        """Until a second passes in which nothing was decided but ticks."""
        last = -1
        while (now := decided(f"127.0.0.1:{self.port}")) - last > 20:
            last = now
            for _ in range(10):
                self.living()

    def end(self):
        self.engine.send_signal(signal.SIGTERM)
        code = self.engine.wait()
        began = time.monotonic()
        verify = self.mayfly("replay", "verify")
        return code, verify, time.monotonic() - began

    def alerts(self):
        told = collections.Counter()
        for line in self.mayfly("tail", "--stream", "alerts", "--from", "begin", "--json").stdout.splitlines():
            told[json.loads(line)["data"]["alert"]] += 1
        return told


def quantile(waits_ms, share):
    wanted = share * sum(waits_ms.values())
    for ms in sorted(waits_ms):
        wanted -= waits_ms[ms]
        if wanted <= 0:
            return ms
    return 0


def tell(book):
    watch = book["probes"]
    waits = book["waits_ms"]
    print(f"{book['name']:>8} {book['begun']:10,} {book['lost']:5} {book['doubled']:8} {book['late']:5} {quantile(waits, 0.5):7} {quantile(waits, 0.99):7} {max(waits, default=0):8} "
          f"{1000 * watch.slowest_s:9.0f} {sum(watch.failed.values()):4}/{watch.asked:<6} {watch.peak / MIB:8.0f} {book['commands']:12,.0f} {book['cpu_s']:7.0f}", flush=True)


def broken(book, budget_mib):
    """Each promise that the phase broke, in a sentence."""
    watch, found = book["probes"], []
    for what in ("lost", "doubled", "late", "wrongs"):
        if book[what]:
            found.append(f"{book['name']}: {book[what]} ordinary checkouts or events {what}: {book['wrong']}")
    if watch.failed:
        found.append(f"{book['name']}: probes that failed: {dict(watch.failed)}")
    if watch.peak > budget_mib * MIB:
        found.append(f"{book['name']}: {watch.peak / MIB:.0f} MiB are more than the budget")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mayfly", default=os.path.join(ROOT, "build/release/mayfly"))
    parser.add_argument("--minutes", type=float, default=30, help="of either phase")
    parser.add_argument("--quiet-minutes", type=float, help="of the quiet one, where it is to be shorter")
    parser.add_argument("--rate", type=int, default=200, help="checkouts a second, ten commands each with the answers")
    parser.add_argument("--budget-mib", type=int, default=1024)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 32))
    parser.add_argument("--only", choices=[kind.__name__ for kind, _ in night_attacks.Attacks.RATES] + ["http"], help="one kind of attack")
    parser.add_argument("--keep", metavar="FOLDER", help="keep log and messages there")
    given = parser.parse_args()
    folder = given.keep or tempfile.mkdtemp(prefix="mayfly-night-")
    os.makedirs(folder, exist_ok=True)
    night = Night(given, folder)
    print(f"seed {given.seed}, {folder}")
    try:
        night.start()
        print(f"{'':>8} {'checkouts':>10} {'lost':>5} {'doubled':>8} {'late':>5} {'p50 ms':>7} {'p99 ms':>7} {'most ms':>8} {'probe ms':>9} {'failed':>11} {'peak MiB':>8} {'commands':>12} {'CPU s':>7}", flush=True)
        found = []
        for name in ("quiet", "hostile"):
            book = night.phase(name)
            tell(book)
            found += broken(book, given.budget_mib)
        for attack, count in sorted(book["counts"].items()):
            print(f"  {attack:55} {count:10,}")
        code, verify, took = night.end()
        print(f"the engine ended with {code}; replay verify: {verify.stdout.strip().splitlines()[-1:]} ({took:.0f} s)")
        print(f"alerts: {dict(night.alerts())}")
        if code != 0 or verify.returncode != 0 or "the same, byte for byte" not in verify.stdout:
            found.append(f"the engine ended with {code}, replay verify with {verify.returncode}: {verify.stdout}{verify.stderr}")
        for sentence in found:
            print(f"BROKEN: {sentence}")
        print("kept: " + ("all" if not found else "not all"))
        return 1 if found else 0
    finally:
        if night.engine is not None and night.engine.poll() is None:
            night.engine.kill()
            night.engine.wait()
        night.broker.run("stop" if given.keep else "clean")


if __name__ == "__main__":
    sys.exit(main())

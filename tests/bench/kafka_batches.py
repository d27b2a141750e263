#!/usr/bin/python3
"""How large the engine's batches are on Kafka at rates from idle to more than it can decide, and how old commands get.

A broker of its own is started and stopped (tools/scripts/kafka), one engine with all of serve's defaults. For each rate so many
commands a second are put there, then a backlog at once; sizes are commands per transaction and the age is from the
append of a batch's first command to its commit, both by the engine's metrics.
"""
import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from kafka_restart import Shop
from kafka_throughput import LOOK_EVERY_S, ROOT, Broker, free_ports

PACE_S = 0.01
WANTED = ("mayfly_commands_total", 'mayfly_commits_total{outcome="committed"}', "mayfly_command_age_seconds_sum",
          "mayfly_command_age_seconds_count", "mayfly_commit_seconds_sum")


def metrics(address):
    try:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=2) as answer:
            text = answer.read().decode()
    except (urllib.error.URLError, OSError):
        return None
    return [float(re.search(rf"^{re.escape(name)} (\S+)", text, re.M).group(1)) for name in WANTED]


def put(shop, rate, seconds, number):
    """So many commands a second for so long; how many."""
    begun, sent = time.monotonic(), 0
    while (passed := time.monotonic() - begun) < seconds:
        for _ in range(int(rate * passed) - sent):
            sent += 1
            shop.send(f"batch-{number}-{sent}", "cart.create", {"currency": "GBP"})
        shop.producer.poll(0)
        time.sleep(PACE_S)
    shop.producer.flush()
    return sent


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--mayfly", default=os.path.join(ROOT, "build/release/mayfly"))
    arguments.add_argument("--rates", type=int, nargs="*", default=[10, 100, 1_000, 10_000])
    arguments.add_argument("--seconds", type=float, default=10)
    arguments.add_argument("--backlog", type=int, default=300_000)
    arguments.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting, as in the config file")
    given = arguments.parse_args()
    folder = tempfile.mkdtemp(prefix="mayfly-batches-")
    broker = Broker(os.path.join(folder, "broker"))
    address = f"127.0.0.1:{free_ports.one()}"
    config = os.path.join(folder, "mayfly.toml")
    with open(config, "w", encoding="ascii") as out:
        out.writelines(f"{setting}\n" for setting in given.set)
    broker.run("start")
    engine = None

    def start():
        with open(os.path.join(folder, "serve.log"), "ab") as log:
            return subprocess.Popen([given.mayfly, "serve", "--log", "kafka:" + broker.address, "--http", address, "--json",
                                     "--config", config], stdout=log, stderr=log)

    def settled(commands):
        while (seen := metrics(address)) is None or seen[0] < commands:
            if engine.poll() is not None:
                sys.exit(f"the engine ended with {engine.returncode}; see {folder}/serve.log")
            time.sleep(LOOK_EVERY_S)
        return seen

    def tell(what, before, after):
        commands, commits, ages, aged, committing = (b - a for a, b in zip(before, after))
        print(f"{what:>16} {commands:10,.0f} {commits:12,.0f} {commands / commits:16,.1f} {ages * 1000 / aged:12.1f} "
              f"{committing * 1000 / commits:15.1f}", flush=True)

    try:
        engine = start()
        before = settled(0)
        shop = Shop(broker.address)
        shop.producer.list_topics(timeout=20)
        print(f"{'commands/s':>16} {'commands':>10} {'transactions':>12} {'commands in each':>16} {'mean age ms':>12} {'transaction ms':>15}")
        for number, rate in enumerate(given.rates):
            put(shop, rate, given.seconds, number)
            after = settled(shop.sent)
            tell(f"{rate:,}", before, after)
            before = after
        engine.send_signal(signal.SIGTERM)
        engine.wait()
        for n in range(given.backlog):
            shop.send(f"backlog-{n}", "cart.create", {"currency": "GBP"})
        shop.producer.flush()
        engine = start()
        tell("all there already", [0] * len(WANTED), settled(given.backlog))
    finally:
        if engine is not None and engine.poll() is None:
            engine.send_signal(signal.SIGTERM)
            engine.wait()
        broker.run("stop")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()

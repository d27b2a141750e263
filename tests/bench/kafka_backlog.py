#!/usr/bin/python3
"""Resident memory of an engine that does not read while a backlog waits for it on Kafka, by the number of partitions.

A broker of its own is started and stopped (tools/scripts/kafka). The engine is over its memory budget from its first
moment on (memory.process_bytes), so it stops reading for a minute: what it takes then, beyond what it takes on empty
topics, is what the client library has read ahead.
"""
import argparse
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from kafka_throughput import LOOK_EVERY_S, ROOT, Broker, free_ports

from confluent_kafka import Producer

SETTLED_S = 5  # memory has not grown for so long: what can be read ahead is


def resident_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) / 1024


def settings_of(run, more):
    topics = (f'kafka.topics.{t} = "{run}.{t}"' for t in ("commands", "events", "state", "deadletters", "alerts"))
    return [*topics, "memory.process_bytes = 1048576", "memory.longest_stop_ms = 60000", *more]


@contextlib.contextmanager
def served(given, broker, run, partitions, folder):
    config = os.path.join(folder, f"{run}.toml")
    with open(config, "w", encoding="ascii") as out:
        out.writelines(f"{line}\n" for line in settings_of(run, given.set))
    with open(os.path.join(folder, "serve.log"), "ab") as log:
        engine = subprocess.Popen([given.mayfly, "serve", "--log", "kafka:" + broker.address, "--config", config, "--name", run,
                                   "--partitions", str(partitions), "--http", f"127.0.0.1:{free_ports.one()}", "--json"],
                                  stdout=log, stderr=log)
    try:
        yield engine
    finally:
        engine.send_signal(signal.SIGTERM)
        engine.wait()


def settled_mib(engine):
    most, grown = 0, time.monotonic()
    while time.monotonic() - grown < SETTLED_S:
        if engine.poll() is not None:
            sys.exit(f"the engine ended with {engine.returncode}")
        now = resident_mib(engine.pid)
        if now > most + 1:
            most, grown = now, time.monotonic()
        time.sleep(LOOK_EVERY_S)
    return most


def fill(broker, topic, partitions, total_mib, value_bytes):
    """As a producer with its defaults sends them, of bytes that do not compress."""
    producer = Producer({"bootstrap.servers": broker.address, "linger.ms": 20, "queue.buffering.max.messages": 200_000})
    value = os.urandom(value_bytes)
    for number in range(total_mib * 1024 * 1024 // value_bytes):
        while True:
            try:
                producer.produce(topic, value, partition=number % partitions)
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    producer.flush()


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--mayfly", default=os.path.join(ROOT, "build/release/mayfly"))
    arguments.add_argument("--partitions", type=int, nargs="*", default=[1, 12])
    arguments.add_argument("--backlog-mib", type=int, default=600)
    arguments.add_argument("--value-bytes", type=int, nargs="*", default=[400, 10_000])
    arguments.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting, as in the config file")
    given = arguments.parse_args()
    folder = tempfile.mkdtemp(prefix="mayfly-backlog-")
    broker = Broker(os.path.join(folder, "broker"))
    broker.run("start")
    print(f"{'partitions':>10} {'value bytes':>11} {'empty MiB':>10} {'backlog MiB':>12} {'read ahead MiB':>15}", flush=True)
    try:
        for partitions in given.partitions:
            for value_bytes in given.value_bytes:
                run = f"backlog-{partitions}-{value_bytes}"
                with served(given, broker, run, partitions, folder) as engine:
                    empty = settled_mib(engine)
                fill(broker, f"{run}.commands", partitions, given.backlog_mib, value_bytes)
                with served(given, broker, run, partitions, folder) as engine:
                    full = settled_mib(engine)
                print(f"{partitions:>10} {value_bytes:>11,} {empty:>10.1f} {full:>12.1f} {full - empty:>15.1f}", flush=True)
    finally:
        broker.run("stop")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""How long an engine on Kafka with many open carts takes from its start to the first committed event, and its memory.

A broker of its own is started and stopped (tools/scripts/kafka). Carts of five lines are put there by Python's client and
decided; then the engine is ended, by SIGTERM or SIGKILL, commands for each partition are put there, and the engine is
started again, with all of serve's defaults. Time counts from the start of the process to the append of the first
committed event, and to that of the partition that was last. Before that the same without any cart.
"""
import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import confluent_kafka
import confluent_kafka.admin

from kafka_throughput import LOOK_EVERY_S, ROOT, Broker, cpu_s, peak_mib

sys.path.insert(0, os.path.join(ROOT, "tests/system/checks"))
from kafka_log import KafkaLog, TOPICS  # noqa: E402

LINES = 5
COMMANDS_OF_A_WAVE = 64  # each for another cart: every partition gets one
NAME = "restart"
PATIENCE_S = 300


class Shop:
    """Puts commands on the topic."""

    def __init__(self, brokers):
        self.producer = confluent_kafka.Producer({"bootstrap.servers": brokers, "partitioner": "murmur2_random", "linger.ms": 20,
                                                  "compression.codec": "lz4", "queue.buffering.max.messages": 1000000, "log_level": 0})
        self.sent = 0

    def send(self, cart, kind, data):
        self.sent += 1
        headers = {"ce_specversion": "1.0", "ce_id": f"s{self.sent}", "ce_source": "/shop", "ce_type": f"dev.mayfly.{kind}.v1",
                   "ce_subject": cart, "content-type": "application/json"}
        while True:
            try:
                return self.producer.produce(TOPICS["commands"], key=cart, value=json.dumps(data), headers=headers)
            except BufferError:
                self.producer.poll(0.1)

    def fill(self, cart):
        self.send(cart, "cart.create", {"currency": "GBP"})
        for n in range(LINES):
            self.send(cart, "cart.add_line", {"sku": f"{20000 + n:07}A", "quantity": 2, "unit_price_minor": 499,
                                              "name": "WHITE HANGING HEART T-LIGHT HOLDER"})


class Bench:
    def __init__(self, given, folder):
        self.given, self.folder = given, folder
        self.broker = Broker(os.path.join(folder, "broker"))
        self.engine = None
        self.waves = 0

    def start(self):
        words = [self.given.mayfly, "serve", "--log", "kafka:" + self.broker.address, "--name", NAME, "--http", "off", "--json"]
        with open(os.path.join(self.folder, "serve.log"), "ab") as log:
            begun = time.time()
            self.engine = subprocess.Popen(words, stdout=log, stderr=log)
        return begun

    def end(self, how):
        self.engine.send_signal(how)
        self.engine.wait(60)

    def until(self, what, true):
        end = time.monotonic() + PATIENCE_S
        while not true():
            if self.engine.poll() is not None or time.monotonic() > end:
                sys.exit(f"{what} did not come; see {self.folder}/serve.log")
            time.sleep(LOOK_EVERY_S)

    def drained(self):
        def behind():
            with KafkaLog(self.broker.address, f"mayfly-{NAME}") as log:
                decided, there = log.progress()
                return decided < there
        self.until("the end of what was sent", lambda: not behind())

    def first_events(self, since_ms):
        """Append times of the first events of this wave by partition, once there is one in each."""
        consumer = confluent_kafka.Consumer({"bootstrap.servers": self.broker.address, "group.id": "restart-reader",
                                             "isolation.level": "read_committed", "enable.auto.commit": False})
        topic = TOPICS["events"]
        partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        places = [confluent_kafka.TopicPartition(topic, p, self.ends[p]) for p in partitions]
        consumer.assign(places)
        first = {}

        def look():
            for message in consumer.consume(1000, timeout=0.1):
                if message.error() is None:
                    first.setdefault(message.partition(), message.timestamp()[1] - since_ms)
            return len(first) == len(partitions)
        self.until("an event in each partition", look)
        consumer.close()
        return first.values()

    def restart(self, how):
        self.end(how)
        with KafkaLog(self.broker.address, "restart-ends") as log:
            self.ends = log.ends("events")
        self.waves += 1
        for n in range(COMMANDS_OF_A_WAVE):
            self.shop.send(f"wave-{self.waves}-{n}", "cart.cancel", {})  # refused, which is an event
        self.shop.producer.flush()
        begun = self.start()
        times = self.first_events(begun * 1000)
        time.sleep(1)
        with open(f"/proc/{self.engine.pid}/status", encoding="ascii") as f:
            resident = int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) / 1024
        return min(times), max(times), resident, peak_mib(self.engine.pid), cpu_s(self.engine.pid)

    def rounds(self, what):
        for how in (signal.SIGTERM, signal.SIGKILL):
            rows = [self.restart(how) for _ in range(self.given.rounds)]
            first, last, resident, peak, cpu = (statistics.median(column) for column in zip(*rows))
            print(f"{what:18} {how.name:8} {first:9.0f} {last:9.0f} {max(r[1] for r in rows):9.0f} {resident:9.0f} {peak:9.0f} "
                  f"{cpu:7.2f}", flush=True)

    def go(self):
        self.broker.run("start")
        self.start()
        self.until("the topics", self.has_topics)
        self.shop = Shop(self.broker.address)
        print(f"{'median':18} {'after':8} {'first ms':>9} {'last ms':>9} {'most ms':>9} {'MiB':>9} {'peak MiB':>9} {'CPU s':>7}")
        self.rounds("no cart")
        for n in range(self.given.carts):
            self.shop.fill(f"018f{n:08x}-7c00-7000-8000-{n:012x}")
        self.shop.producer.flush()
        self.drained()
        self.rounds(f"{self.given.carts:,} open carts")

    def has_topics(self):
        topics = confluent_kafka.admin.AdminClient({"bootstrap.servers": self.broker.address}).list_topics(timeout=20).topics
        return set(TOPICS.values()) <= set(topics)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--mayfly", default=os.path.join(ROOT, "build/release/mayfly"))
    arguments.add_argument("--carts", type=int, default=100_000)
    arguments.add_argument("--rounds", type=int, default=5)
    given = arguments.parse_args()
    folder = tempfile.mkdtemp(prefix="mayfly-restart-")
    bench = Bench(given, folder)
    try:
        bench.go()
    finally:
        if bench.engine is not None and bench.engine.poll() is None:
            bench.end(signal.SIGTERM)
        bench.broker.run("stop")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()

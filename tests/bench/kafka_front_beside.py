#!/usr/bin/python3
"""Commands per second of an engine on Kafka: alone, beside a front door that nobody asks, and beside one with a stream of all
events, in turn over the same commands.

A broker of its own is started and stopped (tools/scripts/kafka). Machines are noisy: only ratios of one run say something.
"""
import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import threading
import time

from kafka_throughput import COMMANDS_PER_CART, LOOK_EVERY_S, ROOT, Broker, free_ports, run_mayfly

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

COMMANDS = "checkout.commands.v1"
TOPICS_S = 60  # until an engine has made them


def fill(broker, carts):
    """Each cart: created, then lines."""
    producer = Producer({"bootstrap.servers": broker.address, "partitioner": "murmur2_random", "compression.type": "lz4", "linger.ms": 20,
                         "queue.buffering.max.messages": 500_000})
    line = json.dumps({"sku": "TEA", "quantity": 1, "unit_price_minor": 499, "name": "Breakfast tea"})
    for number in range(COMMANDS_PER_CART):
        for cart in range(carts):
            name, data = ("cart.add_line", line) if number else ("cart.create", '{"currency":"GBP"}')
            headers = {"ce_specversion": "1.0", "ce_id": f"{cart}-{number}", "ce_source": "/bench", "ce_type": f"dev.mayfly.{name}.v1"}
            producer.produce(COMMANDS, data, f"cart-{cart}", headers=headers)
            producer.poll(0)
    producer.flush()


def front_beside(given, broker, turn, folder, stream, over):
    """A front door from when the engine's topics are there until `over`."""
    until, last = time.monotonic() + TOPICS_S, f"alerts-{turn}"
    while last not in AdminClient({"bootstrap.servers": broker.address}).list_topics(timeout=TOPICS_S).topics and time.monotonic() < until:
        time.sleep(LOOK_EVERY_S)
    address = f"127.0.0.1:{free_ports.one()}"
    words = [given.mayfly, "front", "--log", "kafka:" + broker.address, "--config", f"{folder}/mayfly.toml", "--address", address]
    started = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True)]
    started[0].stdout.readline()
    if stream:
        started.append(subprocess.Popen(["curl", "-sN", "-o", "/dev/null", f"http://{address}/events?from=begin"]))
    over.wait()
    for process in reversed(started):
        process.send_signal(signal.SIGTERM)
        process.wait()
    started[0].stdout.close()


def run_beside(given, broker, turn, commands, folder, stream):
    over = threading.Event()
    beside = threading.Thread(target=front_beside, args=(given, broker, turn, folder, stream, over))
    beside.start()
    try:
        return run_mayfly(given.mayfly, [], broker, turn, commands, folder)
    finally:
        over.set()
        beside.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mayfly", default=os.path.join(ROOT, "build/release/mayfly"))
    parser.add_argument("--carts", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    commands = given.carts * COMMANDS_PER_CART
    folder = tempfile.mkdtemp(prefix="mayfly-bench-")
    broker = Broker(os.path.join(folder, "broker"))
    broker.run("start")
    try:
        broker.topic(COMMANDS, "message.timestamp.type=LogAppendTime")
        fill(broker, given.carts)
        variants = {"alone": lambda turn: run_mayfly(given.mayfly, [], broker, f"{turn}-alone", commands, folder),
                    "front door": lambda turn: run_beside(given, broker, f"{turn}-front", commands, folder, False),
                    "front door, a stream": lambda turn: run_beside(given, broker, f"{turn}-stream", commands, folder, True)}
        ratios = {name: [] for name in variants}
        for turn in range(1, given.rounds + 1):
            rates = {}
            for name, run in variants.items():
                rates[name], cpu, _ = run(turn)
                ratios[name].append(rates[name] / rates["alone"])
                print(f"round {turn}  {name:22} {rates[name]:10,.0f} commands/s {cpu:7.1f} us CPU of the engine each", flush=True)
        for name, of in ratios.items():
            print(f"{name:22} median ratio {statistics.median(of):.3f}")
    finally:
        broker.run("stop")
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Commands per second and CPU per command on Kafka: the raw loop, Mayfly and, if given, Kafka Streams, in turn.

A broker of its own is started and stopped (tools/scripts/kafka). The commands are made by the peers' generator
(`gen BOOTSTRAP TOPIC CARTS LINES CONCURRENT CODEC`). All of serve's defaults are on. Prints each run and the medians as
ratios to the raw loop of the same run. Machines are noisy: only ratios of one run say something.
"""
import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMMANDS_PER_CART = 10
LOOK_EVERY_S = 0.05
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
sys.path.insert(0, os.path.join(ROOT, "tests"))
import free_ports  # noqa: E402


class Broker:
    def __init__(self, folder):
        port = free_ports.pair()
        self.environment = dict(os.environ, MAYFLY_KAFKA_HOME=folder, MAYFLY_KAFKA_PORT=str(port), MAYFLY_KAFKA_HEAP_MB="1024")
        self.address = f"127.0.0.1:{port}"

    def run(self, *words):
        subprocess.run([os.path.join(ROOT, "tools/scripts/kafka"), *words], env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def topic(self, name, *settings):
        self.run("topic", "--create", "--topic", name, "--partitions", "4", "--replication-factor", "1",
                 *(word for s in settings for word in ("--config", s)))


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def peak_mib(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1)) / 1024


def decided(address):
    try:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=2) as answer:
            found = re.search(r"^mayfly_commands_total(?:\{[^}]*\})? (\S+)", answer.read().decode(), re.M)
            return float(found.group(1)) if found else 0
    except (urllib.error.URLError, OSError):
        return 0


def run_mayfly(program, settings, broker, turn, commands, folder):
    config = os.path.join(folder, "mayfly.toml")
    with open(config, "w") as out:
        out.write("".join(f"{s}\n" for s in settings))
        out.write("".join(f'kafka.topics.{t} = "{t}-{turn}"\n' for t in ("events", "state", "deadletters", "alerts")))
    address = f"127.0.0.1:{free_ports.one()}"
    with open(os.path.join(folder, "serve.log"), "w") as log:
        engine = subprocess.Popen([program, "serve", "--log", "kafka:" + broker.address, "--config", config, "--name",
                                   f"bench-{turn}", "--http", address, "--json"], stdout=log, stderr=log)
    try:
        first = None
        while True:
            done, now = decided(address), time.monotonic()
            if done > 0 and first is None:
                first = (now, done, cpu_s(engine.pid))
            if done >= commands:
                break
            if engine.poll() is not None:
                raise SystemExit(f"the engine ended with {engine.returncode}; see {folder}/serve.log")
            time.sleep(LOOK_EVERY_S)
        count = done - first[1]
        return count / (now - first[0]), (cpu_s(engine.pid) - first[2]) * 1e6 / count, peak_mib(engine.pid)
    finally:
        engine.send_signal(signal.SIGTERM)
        engine.wait()


def run_raw(program, broker, turn, commands):
    names = [f"raw-events-{turn}", f"raw-state-{turn}"]
    for name in names:
        broker.topic(name)
    said = subprocess.run([program, broker.address, "checkout.commands.v1", *names, str(commands)], check=True,
                          capture_output=True, text=True).stdout
    rate, cpu, peak = re.search(r"rate (\S+) cpu_us_per_record (\S+) peak_rss_mib (\S+)", said).groups()
    return float(rate), float(cpu), float(peak)


def run_streams(script, broker, turn, commands):
    said = subprocess.run([script, broker.address, "checkout.commands.v1", f"streams-events-{turn}", f"streams-{turn}",
                           str(commands)], check=True, capture_output=True, text=True).stdout
    found = re.search(r"second_half_rate (\S+) second_half_cpu_us_per_record (\S+) peak_rss_mib (\S+)", said).groups()
    return tuple(float(f) for f in found)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("generator", help="the peers' generator, built")
    arguments.add_argument("--mayfly", default=os.path.join(ROOT, "build/release/mayfly"))
    arguments.add_argument("--raw", default=os.path.join(ROOT, "build/release/tests/raw_loop"))
    arguments.add_argument("--beside", action="append", default=[], metavar="PROGRAM[,KEY=VALUE...]",
                           help="another mayfly or other settings, e.g. build/release/mayfly,engine.batch_records=5000")
    arguments.add_argument("--streams", help="run.sh of the Kafka Streams peer; its warm second half is what counts")
    arguments.add_argument("--carts", type=int, default=100_000)
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    commands = given.carts * COMMANDS_PER_CART
    folder = tempfile.mkdtemp(prefix="mayfly-bench-")
    broker = Broker(os.path.join(folder, "broker"))
    broker.run("start")
    try:
        broker.topic("checkout.commands.v1", "message.timestamp.type=LogAppendTime")
        subprocess.run([given.generator, broker.address, "checkout.commands.v1", str(given.carts), "5", "10000", "lz4"],
                       check=True, stdout=subprocess.DEVNULL)
        programs = {"raw loop": lambda turn: run_raw(given.raw, broker, turn, commands),
                    "Mayfly": lambda turn: run_mayfly(given.mayfly, [], broker, turn, commands, folder)}
        for number, beside in enumerate(given.beside, 1):
            program, *settings = beside.split(",")
            programs[f"beside {number}"] = lambda turn, p=program, s=settings, n=number: run_mayfly(
                p, s, broker, f"{turn}-{n}", commands, folder)
        if given.streams:
            programs["Kafka Streams"] = lambda turn: run_streams(given.streams, broker, turn, commands)
        seen = {name: [] for name in programs}
        print(f"{'round':5}  {'':14} {'commands/s':>11} {'CPU us/command':>15} {'peak MiB':>9}")
        for turn in range(1, given.rounds + 1):
            for name, run in programs.items():
                rate, cpu, peak = run(turn)
                seen[name].append((rate, cpu, peak))
                print(f"{turn:5}  {name:14} {rate:11,.0f} {cpu:15.1f} {peak:9,.0f}", flush=True)
        print("\nmedian, and as a ratio to the raw loop's of the same round")
        for name, runs in seen.items():
            rates = statistics.median(r for r, _, _ in runs)
            ratio = statistics.median(r / raw for (r, _, _), (raw, _, _) in zip(runs, seen["raw loop"]))
            print(f"       {name:14} {rates:11,.0f} {statistics.median(c for _, c, _ in runs):15.1f} "
                  f"{statistics.median(p for _, _, p in runs):9,.0f}   {ratio:.2f}")
    finally:
        broker.run("stop")


if __name__ == "__main__":
    main()

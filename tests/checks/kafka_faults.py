#!/usr/bin/python3
"""Kills, stops and starts engines and their broker while they decide what a feed has put into Kafka.

A broker of its own is started (tools/kafka) and stopped. One or more engines of one name, each an instance, serve it;
each fault is drawn by the seed: kill -9 of an engine, kill -9 of the broker, SIGSTOP of an engine for longer than its
session timeout and SIGCONT, SIGTERM and another start. At the end log_check.py and online_retail.py read the topics
with confluent_kafka. Prints from each death to the next event committed after it. Exits 1 on any finding.
"""
import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import confluent_kafka

import kafka_log
import online_retail
from kill_engine import Failed, Program, check

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SESSION_TIMEOUT_S = 6
LOOK_EVERY_S = 0.2


class Broker:
    def __init__(self, folder, port):
        self.environment = dict(os.environ, MAYFLY_KAFKA_HOME=folder, MAYFLY_KAFKA_PORT=str(port))
        self.address = f"127.0.0.1:{port}"

    def run(self, *words):
        done = subprocess.run([os.path.join(ROOT, "tools/kafka"), *words], env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"tools/kafka {' '.join(words)}: {done.stdout}{done.stderr}")


class Arrivals(threading.Thread):
    """Append times of committed events, as a reader beside the engines sees them."""

    def __init__(self, brokers):
        super().__init__(daemon=True)
        settings = {"bootstrap.servers": brokers, "group.id": "faults-arrivals", "enable.auto.commit": False,
                    "isolation.level": "read_committed", "log_level": 0}
        self.consumer = confluent_kafka.Consumer(settings)
        self.over = threading.Event()
        self.times = []

    def run(self):
        partitions = self.consumer.list_topics(kafka_log.TOPICS["events"], timeout=30).topics[kafka_log.TOPICS["events"]].partitions
        self.consumer.assign([confluent_kafka.TopicPartition(kafka_log.TOPICS["events"], p, 0) for p in partitions])
        while not self.over.is_set():
            for message in self.consumer.consume(10000, timeout=0.2):
                if message.error() is None:
                    self.times.append(message.timestamp()[1])
        self.consumer.close()

    def after(self, ms):
        later = [t for t in self.times if t > ms]
        return min(later) - ms if later else None


class Run:
    def __init__(self, given, folder):
        self.given, self.folder = given, folder
        self.random = random.Random(given.seed)
        self.broker = Broker(given.broker_folder, given.port)
        self.log = "kafka:" + self.broker.address
        self.engines, self.feed = {}, None
        self.deaths = []  # (what, milliseconds)

    def start_engine(self, instance):
        config = os.path.join(self.folder, instance + ".toml")
        with open(config, "w") as out:
            out.write(f'[kafka]\ninstance = "{instance}"\nsession_timeout_ms = {SESSION_TIMEOUT_S * 1000}\n'
                      f"[engine]\nbatch_records = {self.given.batch_records}\n")
        command = [self.given.mayfly, "serve", "--log", self.log, "--http", "off", "--config", config, "--json"]
        self.engines[instance] = Program("serve-" + instance, command, self.folder)

    def look(self):
        try:
            with kafka_log.KafkaLog(self.broker.address, "mayfly-mayfly") as log:
                return log.progress()
        except kafka_log.NotReady:
            return -1, -1

    def wait_for(self, what, reached):
        deadline, newest = time.monotonic() + self.given.patience, None
        while True:
            seen = self.look()
            if reached(*seen):
                return seen
            if seen != newest:
                newest, deadline = seen, time.monotonic() + self.given.patience
            if time.monotonic() > deadline:
                raise Failed(f"nothing moved for {self.given.patience} s while waiting for {what}; decided, there: {seen}")
            for instance, engine in self.engines.items():
                if engine.exit_code() is not None:
                    # A supervisor outside starts it again; that it ended is told.
                    print(f"engine {instance} ended by itself with {engine.exit_code()}, started again", flush=True)
                    self.start_engine(instance)
                    break
            if self.feed and self.feed.exit_code() not in (None, 0):
                raise Failed(f"the feed ended with {self.feed.exit_code()}:\n{self.feed.last_words()}")
            time.sleep(LOOK_EVERY_S)

    def fault(self, what):
        instance = self.random.choice(sorted(self.engines))
        engine = self.engines[instance]
        at = time.time() * 1000
        if what == "engine killed":
            engine.stop(signal.SIGKILL, 30)
            self.deaths.append((what, at))
            self.start_engine(instance)
        elif what == "broker killed":
            self.broker.run("kill")
            self.deaths.append((what, at))
            self.broker.run("start")
        elif what == "engine stopped and continued":
            engine.process.send_signal(signal.SIGSTOP)
            self.deaths.append((what, at))
            time.sleep(SESSION_TIMEOUT_S * 2)
            engine.process.send_signal(signal.SIGCONT)
        else:  # "engine left and joined"
            engine.stop(signal.SIGTERM, 60)
            time.sleep(self.random.uniform(0, 2))
            self.start_engine(instance)
        print(f"{time.strftime('%H:%M:%S')} {what}: {instance if 'engine' in what else ''}", flush=True)

    def go(self):
        given = self.given
        self.broker.run("clean")
        self.broker.run("start")
        for i in range(given.instances):
            self.start_engine("abcdefgh"[i])
        self.wait_for("the engines to make their topics", lambda decided, there: there >= 0)
        arrivals = Arrivals(self.broker.address)
        arrivals.start()
        self.feed = Program("feed", [given.mayfly, "feed", given.csv, "--log", self.log], self.folder)
        # The feed's own appends are not what is tried here: it ends before the first fault.
        self.wait_for("the end of the feed", lambda decided, there: self.feed.exit_code() == 0)
        faults = (["engine killed"] * given.kills + ["broker killed"] * given.broker_kills +
                  ["engine stopped and continued"] * given.stops + ["engine left and joined"] * given.leaves)
        self.random.shuffle(faults)
        for what in faults:
            time.sleep(self.random.uniform(0.2, given.pause))
            self.fault(what)
            before = self.look()[0]
            # Between two faults something is committed: a fault at each moment of a life, not of its birth only.
            self.wait_for("progress after a fault", lambda decided, there: decided > before or decided == there >= 0)
        self.wait_for("the engines to catch up", lambda decided, there: decided == there >= 0)
        time.sleep(1)
        arrivals.over.set()
        arrivals.join()
        self.engines_stop()
        return arrivals

    def engines_stop(self):
        for instance, engine in self.engines.items():
            code = engine.stop(signal.SIGTERM, 120)
            if code != 0:
                print(f"engine {instance} ended with {code} after SIGTERM")

    def end(self):
        for program in (self.feed, *self.engines.values()):
            if program is not None and program.exit_code() is None:
                program.process.send_signal(signal.SIGCONT)
                program.process.kill()
                program.process.wait()
        if not self.given.keep_broker:
            self.broker.run("stop")


def distribution(deaths, arrivals):
    for what in sorted({w for w, _ in deaths}):
        times = sorted(t for t in (arrivals.after(at) for w, at in deaths if w == what) if t is not None)
        if times:
            print(f"{what:32} {len(times):4} times; to the next committed event, ms: min {times[0]:.0f}, "
                  f"median {statistics.median(times):.0f}, p90 {times[int(len(times) * 0.9)]:.0f}, max {times[-1]:.0f}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("mayfly", help="the program")
    arguments.add_argument("csv", help="the Online Retail rows, .csv or .csv.zst")
    arguments.add_argument("--instances", type=int, default=1)
    arguments.add_argument("--kills", type=int, default=50)
    arguments.add_argument("--broker-kills", type=int, default=10)
    arguments.add_argument("--stops", type=int, default=0, help="SIGSTOP past the session timeout, then SIGCONT")
    arguments.add_argument("--leaves", type=int, default=0, help="SIGTERM, then another start")
    arguments.add_argument("--batch-records", type=int, default=100, help="small, so that the work outlasts the faults")
    arguments.add_argument("--pause", type=float, default=3, help="longest pause before a fault, seconds")
    arguments.add_argument("--port", type=int, default=29192)
    arguments.add_argument("--broker-folder", default=os.path.join(ROOT, "build", "kafka-faults"))
    arguments.add_argument("--keep-broker", action="store_true", help="leave it running at the end")
    arguments.add_argument("--seed", type=int, default=None, help="of the faults; random without")
    arguments.add_argument("--patience", type=float, default=90, help="seconds without progress that are too long")
    given = arguments.parse_args()
    given.seed = given.seed if given.seed is not None else random.SystemRandom().randrange(2**32)
    print(f"--seed {given.seed}", flush=True)
    expected = online_retail.expect(online_retail.rows(given.csv))
    folder = tempfile.mkdtemp(prefix="mayfly-faults-")
    run = Run(given, folder)
    whole = False
    try:
        arrivals = run.go()
        distribution(run.deaths, arrivals)
        print()
        with kafka_log.KafkaLog(run.broker.address, "mayfly-mayfly") as log:
            whole = check(log, expected)
    except Failed as failed:
        print(f"FAILED: {failed}")
    finally:
        run.end()
    print("whole" if whole else f"NOT WHOLE: what the programs said is in {folder}; again with --seed {given.seed}")
    sys.exit(0 if whole else 1)


if __name__ == "__main__":
    main()

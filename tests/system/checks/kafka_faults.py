#!/usr/bin/python3
"""Engines and brokers killed, stopped, moved and cut off while the engines decide what a feed has put into Kafka.

Brokers of its own are started (tools/scripts/kafka) and stopped: one, or three with three replicas of everything. One or more
engines of one name, each an instance, serve them. Moments and kinds of the faults are drawn by the seed and lie over the
whole of the work, one in four in the first two seconds after the fault before. At the end log_check.py and
online_retail.py read the topics with confluent_kafka, and `mayfly replay verify` decides the recorded commands again.
Exits 1 on any finding.
"""
import argparse
import collections
import itertools
import os
import random
import re
import shutil
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
from tcp_proxy import Proxy

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
SESSION_TIMEOUT_S = 6
STOPPED_S = 2 * SESSION_TIMEOUT_S
LOOK_EVERY_S = 0.2
EARLY_S = 2  # a fault in the first moments after another
DELAY_S = 0.2
PORTS_PER_BROKER = 4  # clients, controller, proxied clients, proxy


def left_stopped():
    """Exit codes after which deploy/mayfly.service waits for a person."""
    with open(os.path.join(ROOT, "deploy", "mayfly.service")) as unit:
        return {int(code) for code in re.search(r"^RestartPreventExitStatus=(.*)$", unit.read(), re.M)[1].split()}


class Cluster:
    def __init__(self, folder, port, brokers, proxied):
        self.nodes = range(1, brokers + 1)
        ports = {n: port + PORTS_PER_BROKER * (n - 1) for n in self.nodes}
        voters = ",".join(f"{n}@127.0.0.1:{ports[n] + 1}" for n in self.nodes)
        self.environments = {
            n: dict(os.environ, MAYFLY_KAFKA_HOME=os.path.join(folder, str(n)), MAYFLY_KAFKA_PORT=str(ports[n]),
                    MAYFLY_KAFKA_NODE=str(n), MAYFLY_KAFKA_VOTERS=voters)
            for n in self.nodes
        }
        for environment in self.environments.values():
            environment.setdefault("MAYFLY_KAFKA_LIBS", os.path.join(ROOT, "build", "kafka", "libs-4.3.1"))
        self.address = ",".join(f"127.0.0.1:{ports[n]}" for n in self.nodes)
        self.engines_address = self.address
        self.proxies = []
        if proxied:
            self.engines_address = ",".join(f"127.0.0.1:{ports[n] + 3}" for n in self.nodes)
            for n in self.nodes:
                self.environments[n]["MAYFLY_KAFKA_PROXY"] = str(ports[n] + 3)
                self.proxies.append(Proxy(ports[n] + 3, ports[n] + 2))

    def begin(self, word, node):
        command = [os.path.join(ROOT, "tools/scripts/kafka"), word]
        return subprocess.Popen(command, env=self.environments[node], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, word, nodes=None):
        """On each of them at the same time: a majority must be there before any answers."""
        begun = [self.begin(word, n) for n in nodes or self.nodes]
        for b in begun:
            said, _ = b.communicate()
            if b.returncode != 0:
                raise Failed(f"tools/scripts/kafka {word}: {said}")

    def network(self, how, *given):
        """The same on each broker's way to the engines."""
        threads = [threading.Thread(target=getattr(p, how), args=given) for p in self.proxies]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    def end(self):
        for proxy in self.proxies:
            proxy.close()
        # Brokers that stop all at once wait minutes for a controller that stops too; their data is not needed any more.
        self.run("kill")


class Arrivals(threading.Thread):
    """Append times of committed events by partition, as a reader beside the engines sees them."""

    def __init__(self, brokers):
        super().__init__(daemon=True)
        settings = {"bootstrap.servers": brokers, "group.id": "faults-arrivals", "enable.auto.commit": False,
                    "isolation.level": "read_committed", "log_level": 0}
        self.consumer = confluent_kafka.Consumer(settings)
        self.over = threading.Event()
        self.times = collections.defaultdict(list)

    def run(self):
        partitions = self.consumer.list_topics(kafka_log.TOPICS["events"], timeout=30).topics[kafka_log.TOPICS["events"]].partitions
        self.consumer.assign([confluent_kafka.TopicPartition(kafka_log.TOPICS["events"], p, 0) for p in partitions])
        while not self.over.is_set():
            for message in self.consumer.consume(10000, timeout=0.2):
                if message.error() is None:
                    self.times[message.partition()].append(message.timestamp()[1])
        self.consumer.close()

    def after(self, ms):
        """Milliseconds to the next event of the partition that waited longest; None if no partition had one to come."""
        waits = [min(later) - ms for times in self.times.values() if (later := [t for t in times if t > ms])]
        return max(waits) if waits else None


class Run:
    def __init__(self, given, folder, commands):
        self.given, self.folder, self.commands = given, folder, commands
        self.random = random.Random(given.seed)
        self.cluster = Cluster(given.broker_folder, given.port, given.brokers, given.network > 0)
        self.log = "kafka:" + self.cluster.engines_address
        self.engines, self.feed, self.watch = {}, None, None
        self.faults = []  # (what, milliseconds)
        self.ended_by_themselves = collections.Counter()

    def start_engine(self, instance):
        config = os.path.join(self.folder, instance + ".toml")
        with open(config, "w") as out:
            out.write(f'[kafka]\ninstance = "{instance}"\nsession_timeout_ms = {SESSION_TIMEOUT_S * 1000}\n'
                      f"[engine]\nbatch_records = {self.given.batch_records}\n")
        command = [self.given.mayfly, "serve", "--log", self.log, "--http", "off", "--config", config, "--json"]
        self.engines[instance] = Program("serve-" + instance, command, self.folder)

    def look(self):
        try:
            if self.watch is None:
                self.watch = kafka_log.KafkaLog(self.cluster.address, "mayfly-mayfly")
            return self.watch.progress()
        except kafka_log.NotReady:
            return -1, -1

    def wait_for(self, what, reached):
        """Looks until `reached(decided, there)`; engines that end by themselves are started again where systemd would."""
        deadline, newest = time.monotonic() + self.given.patience, None
        while True:
            seen = self.look()
            if reached(*seen):
                return seen
            if seen != newest:
                newest, deadline = seen, time.monotonic() + self.given.patience
            if time.monotonic() > deadline:
                raise Failed(f"nothing moved for {self.given.patience} s while waiting for {what}; decided, there: {seen}")
            for instance, engine in list(self.engines.items()):
                if engine.exit_code() is not None:
                    said = (engine.last_words().strip().splitlines() or [""])[-1]
                    print(f"engine {instance} ended by itself with {engine.exit_code()}: {said}", flush=True)
                    self.ended_by_themselves[engine.exit_code()] += 1
                    if engine.exit_code() in left_stopped():
                        raise Failed(f"engine {instance} ended by itself with {engine.exit_code()}, and no supervisor starts that again: {said}")
                    self.start_engine(instance)
            if self.feed and self.feed.exit_code() not in (None, 0):
                raise Failed(f"the feed ended with {self.feed.exit_code()}:\n{self.feed.last_words()}")
            time.sleep(LOOK_EVERY_S)

    def fault(self, what):
        """Does it; gives the moment (s) from which on an event can be expected, and what it happened to."""
        whom = self.random.choice(sorted(self.engines))
        engine = self.engines[whom]
        if what == "engine killed":
            engine.stop(signal.SIGKILL, 30)
            at = time.time()
            self.start_engine(whom)
        elif what == "broker killed":
            whom = self.random.choice(self.cluster.nodes)
            self.cluster.run("kill", [whom])
            at = time.time()
            self.cluster.run("start", [whom])
        elif what == "engine stopped and continued":
            engine.process.send_signal(signal.SIGSTOP)
            at = time.time()
            time.sleep(STOPPED_S)
            engine.process.send_signal(signal.SIGCONT)
        elif what == "engine left and joined":
            engine.stop(signal.SIGTERM, 60)
            at = time.time()
            # Back at once as after an update, or away until the others have its partitions.
            time.sleep(self.random.choice((self.random.uniform(0, 2), 1.5 * SESSION_TIMEOUT_S)))
            self.start_engine(whom)
        else:
            seconds = self.random.choice((self.random.uniform(0.5, 4), 2 * SESSION_TIMEOUT_S))
            how = what.split()[1]
            whom = f"{seconds:.1f} s"
            self.cluster.network(how, seconds, *([DELAY_S] if how == "delay" else []))
            at = time.time()
        return at, whom

    def kinds(self):
        given = self.given
        network = itertools.islice(itertools.cycle(("network stall", "network cut", "network delay")), given.network)
        kinds = (["engine killed"] * given.kills + ["broker killed"] * given.broker_kills +
                 ["engine stopped and continued"] * given.stops + ["engine left and joined"] * given.leaves + list(network))
        self.random.shuffle(kinds)
        return kinds

    def all_faults(self):
        kinds = self.kinds()
        thresholds = sorted(self.random.randrange(int(self.commands * 0.95)) for _ in kinds)
        early = set(self.random.sample(range(len(kinds)), len(kinds) // 4))
        for number, what in enumerate(kinds):
            if number not in early:
                wanted = max(thresholds[number], self.look()[0] + 1)
                self.wait_for(f"{wanted} decided", lambda decided, there: decided >= wanted or decided == there >= 0)
            time.sleep(self.random.uniform(0, EARLY_S if number in early else 0.3))
            at, whom = self.fault(what)
            self.faults.append((what, at * 1000))
            print(f"{time.strftime('%H:%M:%S')} {number + 1:4} {what} ({whom}); {self.look()[0]} decided", flush=True)

    def go(self):
        given = self.given
        self.cluster.run("clean")
        self.cluster.run("start")
        for i in range(given.instances):
            self.start_engine("abcdefgh"[i])
        self.wait_for("the engines to make their topics", lambda decided, there: there >= 0)
        arrivals = Arrivals(self.cluster.address)
        arrivals.start()
        limit = ["--limit-invoices", str(given.invoices)]
        self.feed = Program("feed", [given.mayfly, "feed", given.csv, "--log", self.log, *limit], self.folder)
        # The feed's own appends are not what is tried here: it ends before the first fault.
        self.wait_for("the end of the feed", lambda decided, there: self.feed.exit_code() == 0)
        begun = time.monotonic()
        self.all_faults()
        self.wait_for("the engines to catch up", lambda decided, there: decided == there >= 0)
        print(f"{len(self.faults)} faults and the rest of the work took {time.monotonic() - begun:.0f} s")
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
        if self.watch is not None:
            self.watch.consumer.close()
        if not self.given.keep_broker:
            self.cluster.end()


def distribution(faults, arrivals):
    for what in sorted({w for w, _ in faults}):
        times = sorted(t for t in (arrivals.after(at) for w, at in faults if w == what) if t is not None)
        if times:
            print(f"{what:30} {len(times):4} times; to the next committed event, ms: min {times[0]:.0f}, "
                  f"median {statistics.median(times):.0f}, p90 {times[int(len(times) * 0.9)]:.0f}, max {times[-1]:.0f}")


def replayed(mayfly, log):
    done = subprocess.run([mayfly, "replay", "verify", "--log", log], capture_output=True, text=True)
    print(f"\nreplay: {(done.stdout + done.stderr).strip()}")
    return done.returncode == 0


def some_rows(given):
    """The rows of as many invoices as the feed takes."""
    runs = itertools.groupby(online_retail.rows(given.csv), key=lambda row: row.invoice)
    for _, run in itertools.islice(runs, given.invoices or None):
        yield from run


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # its brokers and engines go with it
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("mayfly", help="the program")
    arguments.add_argument("csv", help="the Online Retail rows, .csv or .csv.zst")
    arguments.add_argument("--invoices", type=int, default=0, help="only so many of its first; 0: all")
    arguments.add_argument("--instances", type=int, default=1)
    arguments.add_argument("--brokers", type=int, default=1, help="1, or 3 and as many replicas")
    arguments.add_argument("--kills", type=int, default=0, help="kill -9 of an engine")
    arguments.add_argument("--broker-kills", type=int, default=0, help="kill -9 of a broker")
    arguments.add_argument("--stops", type=int, default=0, help="SIGSTOP past the session timeout, then SIGCONT")
    arguments.add_argument("--leaves", type=int, default=0, help="SIGTERM, then another start")
    arguments.add_argument("--network", type=int, default=0,
                           help="the network between engines and brokers stalled, cut, delayed in turn")
    arguments.add_argument("--batch-records", type=int, default=100, help="small, so that the work outlasts the faults")
    arguments.add_argument("--port", type=int, default=29192, help=f"the first of {PORTS_PER_BROKER} a broker")
    arguments.add_argument("--broker-folder", default=os.path.join(ROOT, "build", "kafka-faults"))
    arguments.add_argument("--keep-broker", action="store_true", help="leave them running at the end")
    arguments.add_argument("--seed", type=int, default=None, help="of the faults; random without")
    arguments.add_argument("--patience", type=float, default=300, help="seconds without progress that are too long")
    given = arguments.parse_args()
    given.seed = given.seed if given.seed is not None else random.SystemRandom().randrange(2**32)
    print(f"--seed {given.seed}", flush=True)
    expected = online_retail.expect(some_rows(given))
    folder = tempfile.mkdtemp(prefix="mayfly-faults-")
    run = Run(given, folder, expected.commands)
    whole = False
    try:
        arrivals = run.go()
        distribution(run.faults, arrivals)
        if run.ended_by_themselves:
            print("engines that ended by themselves and were started again, by exit code:", dict(run.ended_by_themselves))
        print()
        with kafka_log.KafkaLog(run.cluster.address, "mayfly-mayfly") as log:
            whole = check(log, expected)
        whole = replayed(given.mayfly, run.log) and whole
    except Failed as failed:
        print(f"FAILED: {failed}")
    finally:
        run.end()
    print("whole" if whole else f"NOT WHOLE: what the programs said is in {folder}; again with --seed {given.seed}")
    if whole:
        shutil.rmtree(folder)
    sys.exit(0 if whole else 1)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Commands that kill what decides them, among the commands of many ordinary carts, and a supervisor that restarts the engine.

Needs the test-only program mayfly_poison (tests/engine/poison). At the end every ordinary cart must have its order, every
poison must be a dead letter after three attempts, and the log must be whole (log_check.py) and replay to the same bytes.
Stops only what it started. Exits 1 on any finding.
"""
import argparse
import bisect
import collections
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

import log_check
import sqlite_log
from kill_engine import Failed, Program

LOOK_EVERY_S = 0.005
DATA_LIMIT_BYTES = 512 << 20  # of the engine's process: what poison:memory takes
HANDLER_CPU_LIMIT_MS = 300
CONFIG = f"[operate]\nhandler_cpu_limit_ms = {HANDLER_CPU_LIMIT_MS}\n"
NEED_A_PERSON = (2, 3, 5, 6)  # docs/operations.md: all others are started again

# How the process may end by each kind; throwing ones kill their actor only. Memory that is short hits whoever asks.
DEATHS = {
    "throw": (),
    "throw_int": (),
    "loop": (10,),
    "stack": (-signal.SIGSEGV,),
    "null": (-signal.SIGSEGV,),
    "abort": (-signal.SIGABRT,),
    "memory": (-signal.SIGABRT, -signal.SIGSEGV, 7, 10),
    "exit": (0,),
    "free": (-signal.SIGSEGV, -signal.SIGABRT),
    "terminate": (-signal.SIGABRT,),
}
QUARANTINED_BY = ("throw", "abort")  # a cart each that is killed until it is quarantined
LETTERS_BEFORE_QUARANTINE = 2  # supervision.cart_dead_letters

Command = collections.namedtuple("Command", "id cart type data poison fate")  # fate: the dead letter's reason


class Cart:
    """An ordinary cart's commands in order, with at most one poison put among them."""

    def __init__(self, number, chance):
        self.id = f"cart-{number}"
        self.commands = []
        self.add("cart.create", currency="GBP")
        self.total = 0
        for line in range(chance.randint(1, 4)):
            quantity, price = chance.randint(1, 9), chance.randint(1, 9999)
            self.total += quantity * price
            self.add("cart.add_line", sku=f"sku-{line}", quantity=quantity, unit_price_minor=price)
        self.places = {"line": chance.randint(1, len(self.commands)), "create": 0, "complete": len(self.commands)}
        self.add("checkout.complete", expected_total_minor=self.total, payment={"provider": "p", "token": "t"})
        self.add("inventory.reserved", reservation_id=self.id + "-r1")
        money = {"session_id": self.id + "-p1", "reference": "ref", "amount_minor": self.total, "currency": "GBP"}
        self.places["session"] = len(self.commands)
        self.add("payment.authorized", **money)
        self.add("payment.captured", **money)

    def add(self, kind, **data):
        self.commands.append(Command(f"{self.id}-{len(self.commands)}", self.id, kind, data, None, None))

    def put_poison(self, kind, place):
        """Before the good command at that place comes one that kills: the same again, or a line more."""
        at = self.places[place]
        word = f"poison:{kind}"
        if place == "line":
            bad = Command("", "", "cart.add_line", {"sku": word, "quantity": 1, "unit_price_minor": 1}, None, None)
        elif place == "create":
            bad = self.commands[at]._replace(data={**self.commands[at].data, "customer_id": word})
        elif place == "complete":
            bad = self.commands[at]._replace(data={**self.commands[at].data, "payment": {"provider": "p", "token": word}})
        else:
            bad = self.commands[at]._replace(data={**self.commands[at].data, "reference": f"poison-session:{kind}"})
        self.commands.insert(at, bad._replace(id=self.id + "-poison", cart=self.id, poison=kind, fate="keeps_failing"))


def quarantined_cart(kind):
    """A cart that one kind kills until it is quarantined, and what comes for it later."""
    cart = f"quarantined-by-{kind}"
    line = {"quantity": 1, "unit_price_minor": 5}
    commands = [Command(cart + "-0", cart, "cart.create", {"currency": "GBP"}, None, None)]
    for i in range(LETTERS_BEFORE_QUARANTINE + 1):
        fate = "keeps_failing" if i < LETTERS_BEFORE_QUARANTINE else "quarantined"
        commands.append(Command(f"{cart}-poison-{i}", cart, "cart.add_line", {"sku": f"poison:{kind}", **line}, kind, fate))
    for i in range(2):
        commands.append(Command(f"{cart}-late-{i}", cart, "cart.add_line", {"sku": f"late-{i}", **line}, None, "quarantined"))
    return commands


class Plan:
    """All commands in the order they are sent, a cart's in its own order, some carts at the same time."""

    def __init__(self, poisons, carts, chance):
        kinds = [kind for kind in DEATHS for _ in range(poisons // len(DEATHS))]
        chance.shuffle(kinds)
        self.carts = [Cart(number, chance) for number in range(carts)]
        places = collections.Counter()
        for cart, kind in zip(chance.sample(self.carts, len(kinds)), kinds):
            place = ("line", "session", "create", "complete")[places[kind] % 4]
            places[kind] += 1
            cart.put_poison(kind, place)
        queues = [list(cart.commands) for cart in self.carts] + [quarantined_cart(kind) for kind in QUARANTINED_BY]
        chance.shuffle(queues)
        self.commands = []
        busy = []
        while queues or busy:
            while queues and len(busy) < 50:
                busy.append(queues.pop()[::-1])
            queue = chance.choice(busy)
            self.commands.append(queue.pop())
            if not queue:
                busy.remove(queue)

    def lines(self):
        for c in self.commands:
            yield json.dumps({"type": c.type, "cart": c.cart, "id": c.id, "source": "/poison", "data": c.data}) + "\n"


Death = collections.namedtuple("Death", "kind code at_ms")


class Supervisor:
    """Starts the engine again however it ends, as docs/operations.md asks for."""

    def __init__(self, given, folder):
        self.given = given
        self.folder = folder
        self.path = os.path.join(folder, "mayfly.db")
        self.config = os.path.join(folder, "config.toml")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(CONFIG)
        self.starts = 0
        self.deaths = []
        self.engine = self.sender = None

    def start(self):
        self.starts += 1
        limits = ["prlimit", f"--data={DATA_LIMIT_BYTES}", "--core=0"]
        serve = [self.given.poison, "serve", "--log", "sqlite:" + self.path, "--config", self.config, "--http", "off"]
        self.engine = Program(f"serve-{self.starts}", limits + serve, self.folder)

    def send(self, plan):
        file = os.path.join(self.folder, "commands.ndjson")
        with open(file, "w", encoding="utf-8") as commands:
            commands.writelines(plan.lines())
        with open(file, "rb") as commands:
            sent = subprocess.run([self.given.mayfly, "send", "--create", "--log", "sqlite:" + self.path, "-"], stdin=commands,
                                  stderr=subprocess.PIPE, text=True, check=False)
        if sent.returncode != 0:
            raise Failed(f"send ended with {sent.returncode}: {sent.stderr}")

    def poisons_said(self):
        """(kind, partition, offset) of each poison that this process took, in order."""
        with open(self.engine.output, encoding="utf-8", errors="replace") as output:
            words = (line.split() for line in output if line.startswith("poison "))
            return [(kind, int(partition), int(offset)) for _, kind, partition, offset in words]

    def restart_if_dead(self):
        code = self.engine.exit_code()
        if code is None:
            return False
        at_ms = time.time() * 1000
        taken = [kind for kind, _, _ in reversed(self.poisons_said()) if code in DEATHS[kind]]
        kind = next((kind for kind in taken if kind != "memory"), taken[0] if taken else None)
        if kind is None or code in NEED_A_PERSON:
            raise Failed(f"the engine ended with {code}, which no poison explains:\n{self.engine.last_words()}")
        self.deaths.append(Death(kind, code, at_ms))
        self.start()
        return True

    def progress(self):
        try:
            with sqlite_log.SqliteLog(self.path) as log:
                return log.progress()
        except sqlite_log.NotReady:
            return -1, -1

    def run_until_decided(self):
        """Until everything there is decided. A poison needs three lives: that nothing moves for long is a finding."""
        newest, deaths, deadline = None, 0, time.monotonic() + self.given.patience
        while True:
            self.restart_if_dead()
            seen = self.progress()
            if seen[0] >= seen[1] >= 0:
                return
            if seen != newest or len(self.deaths) - deaths > 3:
                newest, deaths, deadline = seen, len(self.deaths), time.monotonic() + self.given.patience
            if time.monotonic() > deadline:
                raise Failed(f"stuck: decided, there {seen} for {self.given.patience} s:\n{self.engine.last_words()}")
            time.sleep(LOOK_EVERY_S)

    def end(self):
        if self.engine is not None and self.engine.exit_code() is None:
            self.engine.process.kill()
            self.engine.process.wait()


# --- what is in the log afterwards ---------------------------------------------------------------------------------


def letters_of(path):
    """ce_id of the command -> (reason, attempts) of each of its dead letters."""
    letters = collections.defaultdict(list)
    with sqlite_log.SqliteLog(path) as log:
        for letter in log._records("deadletters"):
            letters[letter.headers["ce_id"]].append((letter.headers["mayfly.reason"], int(letter.headers["mayfly.attempts"])))
    return letters


def check_letters(plan, letters):
    wanted = {c.id: c for c in plan.commands if c.fate}
    for identity in sorted(wanted.keys() | letters.keys()):
        found = letters.get(identity, [])
        command = wanted.get(identity)
        if command is None:
            yield f"{identity} harms nobody but is a dead letter: {found}"
        elif [reason for reason, _ in found] != [command.fate]:
            yield f"{identity} ({command.poison}) should be one dead letter {command.fate}, found {found}"
        elif command.poison and found[0][1] != 3:
            yield f"{identity} ({command.poison}) has mayfly.attempts {found[0][1]}, not 3"


def check_orders(plan, log):
    placed, ended = collections.defaultdict(list), collections.Counter()
    for event in log.events():
        kind = sqlite_log.short_type(event.headers.get("ce_type", ""))
        if kind == "order.placed":
            placed[event.key].append(event.data["total_minor"])
        elif kind == "cart.converted":
            ended[event.key] += 1
        elif kind == "command.rejected":
            yield f"{event.key}: {event.data['command_type']} was refused: {event.data['code']}"
    for cart in plan.carts:
        if placed.pop(cart.id, []) != [cart.total] or ended[cart.id] != 1:
            yield f"{cart.id} should have one order of {cart.total} and be converted"
    for cart in placed:
        yield f"{cart} has an order that nobody asked for"


def check(plan, supervisor, mayfly):
    with sqlite_log.SqliteLog(supervisor.path) as log:
        whole = log_check.Check(log, drained=True)
        whole.run()
        log_check.report(whole)
        findings = list(check_orders(plan, log))
    findings += check_letters(plan, letters_of(supervisor.path))
    replayed = subprocess.run([mayfly, "replay", "verify", "--log", "sqlite:" + supervisor.path], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
    print(replayed.stdout.strip())
    if replayed.returncode != 0:
        findings.append("the replay differs")
    for finding in findings[:20]:
        print("FINDING: " + finding)
    return not findings and not whole.findings.any()


def quantiles(values):
    if not values:
        return "-"
    values = sorted(values)
    at = lambda share: f"{values[min(len(values) - 1, int(share * len(values)))]:.0f}"
    return f"{at(0.5)} / {at(0.9)} / {values[-1]:.0f}"


def report(plan, supervisor):
    connection = sqlite3.connect(supervisor.path)
    appended = [time_ms for (time_ms,) in connection.execute("SELECT append_time_ms FROM events ORDER BY append_time_ms")]
    connection.close()
    waits = collections.defaultdict(list)
    for death in supervisor.deaths:
        next_event = bisect.bisect_left(appended, death.at_ms)
        if next_event < len(appended):
            waits[death.kind].append(appended[next_event] - death.at_ms)
    letters = letters_of(supervisor.path)
    commands = collections.Counter(c.poison for c in plan.commands if c.poison)
    dead = collections.Counter(c.poison for c in plan.commands if c.poison and letters.get(c.id))
    codes = collections.defaultdict(collections.Counter)
    for death in supervisor.deaths:
        codes[death.kind][death.code] += 1
    print(f"\n{'kind':10} {'commands':>8} {'dead letters':>12} {'deaths':>7}  {'ms to the next event (50%/90%/most)':36} exits")
    for kind in DEATHS:
        exits = ", ".join(f"{count} x {code}" for code, count in sorted(codes[kind].items()))
        print(f"{kind:10} {commands[kind]:>8} {dead[kind]:>12} {sum(codes[kind].values()):>7}  {quantiles(waits[kind]):36} {exits}")
    everything = [wait for kind in waits.values() for wait in kind]
    print(f"{'all':10} {sum(commands.values()):>8} {sum(dead.values()):>12} {len(supervisor.deaths):>7}  {quantiles(everything)}\n")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("mayfly", help="the program, for what sends and checks")
    arguments.add_argument("poison", help="the program mayfly_poison, which serves")
    arguments.add_argument("--poisons", type=int, default=20, help="ten kinds, each a tenth of them (default 20)")
    arguments.add_argument("--carts", type=int, default=2000)
    arguments.add_argument("--seed", type=int, default=None, help="of carts and places; random without")
    arguments.add_argument("--patience", type=float, default=30, help="seconds without progress that are too long")
    given = arguments.parse_args()
    if given.poisons % len(DEATHS) or given.poisons > given.carts:
        sys.exit(f"--poisons: a multiple of {len(DEATHS)}, at most as many as --carts")
    given.seed = given.seed if given.seed is not None else random.SystemRandom().randrange(2**32)
    print(f"--seed {given.seed}", flush=True)
    plan = Plan(given.poisons, given.carts, random.Random(given.seed))
    folder = tempfile.mkdtemp(prefix="mayfly-poison-")
    supervisor = Supervisor(given, folder)
    whole = False
    try:
        supervisor.start()
        supervisor.send(plan)
        supervisor.run_until_decided()
        code = supervisor.engine.stop(signal.SIGTERM, 60)
        if code != 0:
            raise Failed(f"the engine ended with {code} after SIGTERM:\n{supervisor.engine.last_words()}")
        report(plan, supervisor)
        whole = check(plan, supervisor, given.mayfly)
    except Failed as failed:
        print(f"FAILED: {failed}")
    finally:
        supervisor.end()
    print("whole" if whole else f"NOT WHOLE: the log is left in {folder}; again with --seed {given.seed}")
    if whole:
        shutil.rmtree(folder)
    sys.exit(0 if whole else 1)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Kills engine, front door and connector with SIGKILL in turn while buyers send commands over HTTP and webhooks are answered,
then looks whether anything shows it (http_promises.py, log_check.py, books, `replay verify`).

A quarter of the purchases are a batch of CloudEvents, of two carts. One request in twenty is sent twice: at the same time, after a
first whose answer nobody awaits, or later, a batch then in part. Everything is started again at once, as a supervisor would. Stops only what it started. Exits 1 on any finding.

--kafka HOST:PORT: on that broker, in topics of its own, instead of on a SQLite file. Needs confluent_kafka.
"""
import argparse
import collections
import dataclasses
import http.client
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import http_promises
import log_check
import sqlite_log

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import free_ports  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[3]
PATIENCE_S = 300
TWICE = 0.05  # of requests: at the same time as another, or after one whose answer nobody awaits
BATCHED = 0.25  # of purchases: all commands of two carts in one request
LATE = 0.2  # of carts: one more command of an earlier cart, most of them over
LOST, FAILED = 0.04, 0.04  # of webhooks: handled and not answered; refused for now
REQUESTS = {"inventory.reservation_requested", "payment.authorization_requested", "payment.capture_requested"}
WANTED = REQUESTS | {"inventory.commit_requested", "inventory.release_requested", "order.placed", "cart.converted"}
SETTLED = {"checkout.reopened", "cart.converted"}


class Failed(Exception):
    pass


class Receiver(ThreadingHTTPServer):
    """Warehouse and payment service. Keeps what it was asked (`hooks`) and what it has taken of money (`captured`)."""

    daemon_threads = True

    def __init__(self, seed):
        self.random, self.lock = random.Random(seed), threading.Lock()
        self.hooks, self.captured = [], {}
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, reply = receiver.take(event)
                if status is None:
                    self.close_connection = True
                    return
                body = json.dumps(reply).encode() if reply else b""
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.handle_error = lambda *_: None  # who asked was killed
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def take(self, event):
        with self.lock:
            self.hooks.append(("came", event["id"]))
            fate = self.random.random()
            if fate < FAILED:
                return 500, None
            reply = self.answer(sqlite_log.short_type(event["type"]), event["data"])
            if fate < FAILED + LOST:
                return None, None
            self.hooks.append(("taken", event["id"]))
            return 200, reply

    def answer(self, kind, data):
        """The same for the same request: what is drawn hangs on its id."""
        if kind == "inventory.reservation_requested":
            reservation = {"reservation_id": data["reservation_id"]}
            if random.Random(data["reservation_id"]).random() < 0.05:
                return {"type": "inventory.rejected", "data": {**reservation, "skus": ["TEA"], "reason": "sold out"}}
            return {"type": "inventory.reserved", "data": reservation}
        if kind not in REQUESTS:
            return None
        session = data["session_id"]
        if kind == "payment.authorization_requested" and random.Random(session).random() < 0.1:
            return {"type": "payment.declined", "data": {"session_id": session, "reason": "insufficient_funds", "retryable": False}}
        if kind == "payment.capture_requested":
            self.captured[session] = data["amount_minor"]
        name = "payment.captured" if kind == "payment.capture_requested" else "payment.authorized"
        return {"type": name, "data": {"session_id": session, "reference": "pi-" + session, "amount_minor": data["amount_minor"], "currency": data["currency"]}}


def purchase(cart):
    """The cart's total and its commands: the same each time."""
    chances = random.Random(cart)
    lines = [{"sku": sku, "quantity": chances.randint(1, 5), "unit_price_minor": chances.randint(100, 9999)} for sku in ("TEA", "MUG", "KETTLE")]
    total = sum(line["quantity"] * line["unit_price_minor"] for line in lines)
    return total, [("cart.create", {"currency": "GBP"}), *(("cart.add_line", line) for line in lines),
                   ("cart.change_quantity", {"sku": "NOT-THERE", "quantity": 1}),
                   ("checkout.complete", {"expected_total_minor": total, "payment": {"provider": "example", "token": "tok"}})]


@dataclasses.dataclass(frozen=True)
class Request:
    """One command, or a batch of them."""

    path: str
    body: object
    headers: dict
    carts: tuple  # of each command, as are the keys
    keys: tuple

    @classmethod
    def of_command(cls, cart, index):
        name, data = purchase(cart)[1][index]
        key = f"{cart}-{index}"
        return cls(f"/carts/{cart}/commands/{name}", data, {"Content-Type": "application/json", "Idempotency-Key": key}, (cart,), (key,))

    @classmethod
    def of_batch(cls, commands):
        """`commands` are (cart, index)."""
        events = []
        for cart, index in commands:
            name, data = purchase(cart)[1][index]
            events.append({"specversion": "1.0", "id": f"{cart}-{index}", "source": "shop", "type": f"dev.mayfly.{name}.v1", "subject": cart, "data": data})
        return cls("/events", events, {"Content-Type": "application/cloudevents-batch+json"}, tuple(cart for cart, _ in commands),
                   tuple(event["id"] for event in events))

    @property
    def is_batch(self):
        return isinstance(self.body, list)

    def answers(self, status, body):
        """(key, status, body) of each command."""
        results = body.get("results") if self.is_batch else None
        each = [(r["status"], r) for r in results] if results else [(status, body)] * len(self.keys)
        return [(key, *answer) for key, answer in zip(self.keys, each)]


class Buyers:
    """Threads that buy cart after cart until they are told to end."""

    def __init__(self, address, seed, number):
        self.address, self.lock, self.over = address, threading.Lock(), threading.Event()
        self.answers, self.batches, self.totals, self.wrong, self.twice = [], [], {}, [], 0
        self.threads = [threading.Thread(target=self.buy, args=(n, random.Random(f"{seed}-{n}"))) for n in range(number)]
        for thread in self.threads:
            thread.start()

    def buy(self, number, chances):
        bought = []  # the requests of each purchase
        try:
            for cart_number in range(10**9):
                if self.over.is_set():
                    return
                bought.append(self.buy_once(f"buyer-{number}-cart-{cart_number}", chances))
                if chances.random() < LATE:  # a cart that may be over
                    self.repeat(chances.choice(bought), chances)
        except Exception as problem:
            self.wrong.append(f"buyer {number}: {problem!r}")

    def buy_once(self, cart, chances):
        carts = [cart]
        commands = range(len(purchase(cart)[1]))
        if chances.random() < BATCHED:
            carts.append(cart + "-too")
            requests = [Request.of_batch([(of, index) for index in commands for of in carts])]
        else:
            requests = [Request.of_command(cart, index) for index in commands]
        for request in requests:
            self.ask_often(request, chances)
        self.totals |= {of: purchase(of)[0] for of in carts}
        return requests

    def repeat(self, requests, chances):
        request = chances.choice(requests)
        if request.is_batch:  # a part of it, in its order
            part = sorted(chances.sample(range(len(request.keys)), chances.randint(1, len(request.keys))))
            request = dataclasses.replace(request, body=[request.body[n] for n in part], carts=tuple(request.carts[n] for n in part),
                                          keys=tuple(request.keys[n] for n in part))
        self.count_twice()
        self.ask(request)

    def ask_often(self, request, chances):
        fate = chances.random()
        twin = None
        if fate < TWICE:
            self.count_twice()
            if fate < TWICE / 2:
                twin = threading.Thread(target=self.ask, args=(request,))
                twin.start()
            else:
                self.send(request, awaited=False)
        self.ask(request)
        if twin:
            twin.join()

    def count_twice(self):
        with self.lock:
            self.twice += 1

    def ask(self, request):
        """Until all of it is decided."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            status, body = self.send(request)
            if status:
                told = request.answers(status, body)
                # A first one may still be being answered.
                answered = [answer for answer in told if answer[2].get("title") != "request_in_flight"]
                with self.lock:
                    self.answers += answered
                    if request.is_batch and "results" in body:
                        self.batches.append((request.carts, request.keys, status, body["results"]))
                if len(answered) == len(told) and not any(status in http_promises.UNDECIDED for _, status, _ in answered):
                    return
            time.sleep(0.02)  # its address is away
        self.wrong.append(f"{', '.join(request.keys)}: not decided within {PATIENCE_S} s")

    def send(self, request, awaited=True):
        """Status and body; (0, None): no answer."""
        connection = http.client.HTTPConnection(*self.address, timeout=60)
        try:
            connection.request("POST", request.path, json.dumps(request.body), {**request.headers, "Prefer": "wait=10"})
            if not awaited:
                return 0, None
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            return 0, None
        finally:
            connection.close()

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join(2 * PATIENCE_S)


class Run:
    def __init__(self, given, folder):
        self.given, self.folder, self.random = given, pathlib.Path(folder), random.Random(given.seed)
        self.log = f"kafka:{given.kafka}" if given.kafka else f"sqlite:{self.folder / 'shop.db'}"
        self.receiver = Receiver(given.seed)
        port = free_ports.one()
        self.name = f"kills-{os.getpid()}"
        self.topics = {stream: f"{self.name}.{stream}" for stream in ("commands", "events", "state", "deadletters", "alerts")} if given.kafka else {}
        # An hour for each answer: on a busy machine a connector that is killed again and again may take minutes for a request.
        waits = (ROOT / "examples/tour.toml").read_text()
        config = self.folder / "mayfly.toml"
        config.write_text(f'[engine]\nname = "{self.name}"\n[kafka.topics]\n' + "".join(f'{stream} = "{topic}"\n' for stream, topic in self.topics.items()) +
                          f'[connect.deliver.all]\nurl = "http://127.0.0.1:{self.receiver.server_port}/"\ntypes = "{", ".join(sorted(WANTED))}"\n'
                          'replies = "inventory, payment"\nsecret_env = "KILL_HTTP_SECRET"\n' + waits)
        self.on_log = ["--log", self.log, "--config", str(config)]
        self.words = {"engine": ["serve", *self.on_log, "--http", "off"], "front door": ["front", *self.on_log, "--address", f"127.0.0.1:{port}"],
                      "connector": ["connect", *self.on_log]}
        self.environment = {**os.environ, "KILL_HTTP_SECRET": "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}
        self.running, self.kills, self.address = {}, collections.Counter(), ("127.0.0.1", port)

    def open_log(self):
        if not self.given.kafka:
            return sqlite_log.SqliteLog(self.log.removeprefix("sqlite:"))
        import kafka_log  # needs confluent_kafka
        return kafka_log.KafkaLog(self.given.kafka, f"mayfly-{self.name}", self.topics)

    def start(self, name):
        with open(self.folder / f"{name}.log", "ab") as said:
            self.running[name] = subprocess.Popen([self.given.mayfly, *self.words[name]], stdout=said, stderr=said, env=self.environment)

    def wait_for(self, what, reached, moving):
        """`moving` says how far the run is: it fails when that stands still."""
        newest, until = None, time.monotonic() + PATIENCE_S
        while not reached():
            if (now := moving()) != newest:
                newest, until = now, time.monotonic() + PATIENCE_S
            for name, process in self.running.items():
                if process.poll() is not None:
                    raise Failed(f"the {name} ended by itself with {process.returncode}:\n" + (self.folder / f"{name}.log").read_text()[-2000:])
            if time.monotonic() > until:
                raise Failed(f"nothing moved for {PATIENCE_S} s while waiting for {what}: {newest}")
            time.sleep(0.02)

    def progress(self):
        return len(self.buyers.answers), len(self.receiver.hooks)

    def kill(self, name):
        at = tuple(count + self.random.randint(10, 80) for count in self.progress())
        self.wait_for(f"the moment to kill the {name}", lambda: all(now >= then for now, then in zip(self.progress(), at)), self.progress)
        self.running[name].kill()
        self.running[name].wait()
        self.kills[name] += 1
        self.start(name)

    def settled(self):
        """Whether every checkout has come to its end and every webhook was taken."""
        open_checkouts, waiting = set(), set()
        with self.receiver.lock:
            taken = {name for what, name in self.receiver.hooks if what == "taken"}
        with self.open_log() as log:
            for event in log.events():
                kind = sqlite_log.short_type(event.headers["ce_type"])
                if kind == "checkout.started":
                    open_checkouts.add(event.key)
                if kind in SETTLED:
                    open_checkouts.discard(event.key)
                if kind in WANTED and event.headers["ce_id"] not in taken:
                    waiting.add(event.headers["ce_id"])
        return not open_checkouts and not waiting

    def go(self):
        # The log has to be there before who writes to it.
        subprocess.run([self.given.mayfly, "send", *self.on_log, "--create", "cart.create", "first", "currency=GBP"],
                       check=True, stdout=subprocess.DEVNULL)
        for name in self.words:
            self.start(name)
        self.buyers = Buyers(self.address, self.given.seed, self.given.buyers)
        try:
            for number in range(self.given.kills):
                self.kill(list(self.words)[number % len(self.words)])
                if (number + 1) % 10 == 0:
                    print(f"{number + 1} kills, answers and webhooks: {self.progress()}", flush=True)
        finally:
            self.buyers.end()
        self.wait_for("every checkout to end and every webhook to be taken", self.settled, self.progress)
        for name in reversed(self.words):
            process = self.running.pop(name)
            process.send_signal(signal.SIGTERM)
            if (code := process.wait(PATIENCE_S)) != 0:
                raise Failed(f"the {name} ended with {code} after SIGTERM")

    def end(self):
        for process in self.running.values():
            process.kill()
            process.wait()
        self.receiver.shutdown()

    def findings(self):
        with self.open_log() as log:
            commands, events = list(log.commands()), list(log.events())
            wrong = http_promises.findings(commands, events, self.buyers.answers, self.receiver.hooks, WANTED, self.buyers.batches)
            wrong += [sentence for of in log_check.Check(log).run().by_kind.values() for sentence in of]
        orders = {event.key: event.data for event in events if sqlite_log.short_type(event.headers["ce_type"]) == "order.placed"}
        for cart, order in orders.items():
            if order["total_minor"] != self.buyers.totals.get(cart) or self.receiver.captured.get(order["session_id"]) != order["total_minor"]:
                wrong.append(f"{cart}: the buyer saw {self.buyers.totals.get(cart)}, the order has {order['total_minor']}, captured is {self.receiver.captured.get(order['session_id'])}")
        if len(self.receiver.captured) != len(orders):
            wrong.append(f"{len(orders)} orders, {len(self.receiver.captured)} captures")
        done = subprocess.run([self.given.mayfly, "replay", "verify", *self.on_log], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            wrong.append(f"replay verify: {done.stdout[-500:]}{done.stderr[-500:]}")
        repeated = len(self.receiver.hooks) - len({name for what, name in self.receiver.hooks if what == "taken"}) * 2
        print(f"{sum(self.kills.values())} kills ({', '.join(f'{name} {n}' for name, n in self.kills.items())}), {len(commands)} commands and {len(events)} events in the log, "
              f"{len(self.buyers.answers)} answers of {len({key for key, *_ in self.buyers.answers})} keys, {len(self.buyers.batches)} answered batches, "
              f"{self.buyers.twice} requests twice, "
              f"{len(self.buyers.totals)} carts, {len(orders)} orders, {repeated} webhooks more than once or in vain")
        return wrong + self.buyers.wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mayfly", type=os.path.abspath)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--buyers", type=int, default=8)
    parser.add_argument("--kafka", metavar="HOST:PORT")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(given, folder)
        try:
            run.go()
        except Failed as problem:
            print(problem)
            return 1
        finally:
            run.end()
        wrong = run.findings()
    for sentence in wrong[:20]:
        print(sentence)
    print(f"{len(wrong)} findings (seed {given.seed})")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

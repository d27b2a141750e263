#!/usr/bin/env python3
"""What hostile HTTP clients cost an engine that works: p99 of commands, probes, the page, memory; and bytes per idle
connection.

    http_hostile.py [MAYFLY] [--seconds N] [--rounds N] [--carts-per-second N]

The demo runs with all defaults on a SQLite log. Beside its own shop a buyer sends commands at the front door, one after
the other, and waits for their events: the time of each is the p99's. The page is open (`/now` and `/history` each second, as it
asks for them) and so is the stream of events. The attacks are on the engine's own address. Quiet windows and windows under attack alternate; each attack is bounded
in count and time, from this machine's loopback, by one process that shares the processors with the engine. Prints, for
each attack, medians over the rounds. Machines are noisy: only ratios of one run say something.
"""
import argparse
import contextlib
import http.client
import itertools
import json
import pathlib
import re
import select
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import free_ports  # noqa: E402

HOST = b"Host: 127.0.0.1\r\n"
FLOOD = b"".join(b"X-%d: %s\r\n" % (i, b"a" * 60) for i in range(100))
REQUESTS = 10_000  # of an attack, at most
HELD = 200
IDLE = 4000
CLIENT = "127.0.0.1"  # a connection's address; a program that also probes gives an attacker another
ATTACKER = "127.0.0.2"
PROBE_EVERY_S = 0.1
PAGE_EVERY_S = 1.0
COMMAND_EVERY_S = 0.01  # of the buyer, from one command's answer to the next command
PATIENCE_S = 30
MIB = 1024 * 1024


def resident(pid):
    return int(re.search(r"^VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)[1]) * 1024


def connect(port, receive_bytes=None):
    connection = socket.socket()
    connection.settimeout(5)
    connection.bind((CLIENT, 0))
    if receive_bytes:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    connection.connect(("127.0.0.1", port))
    return connection


def repeat(port, until, make):
    """Calls `make` with its turn's number, evenly over the time, REQUESTS times at most. How often it was called."""
    begun = time.monotonic()
    for turn in range(REQUESTS):
        due = begun + (until - begun) * turn / REQUESTS
        if time.monotonic() >= until:
            return turn
        time.sleep(max(0, due - time.monotonic()))
        with contextlib.suppress(OSError):
            make(port, turn)
    return REQUESTS


def ask(port, path, more=b"", read=True):
    with connect(port) as connection:
        connection.sendall(b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n" + more + b"\r\n")
        while read and connection.recv(65536):
            pass


def requests(port, until):
    return repeat(port, until, lambda p, turn: ask(p, (b"/tree", b"/metrics", b"/", b"/memory", b"/else")[turn % 5]))


def headers(port, until):
    return repeat(port, until, lambda p, turn: ask(p, b"/tree", FLOOD if turn % 2 else FLOOD * 100, read=turn % 2))


def hold(port, until, begin, drip, receive_bytes=None):
    """HELD connections that begin so and send `drip` ten times a second; the ended are opened again."""
    held, opened = [], 0
    while time.monotonic() < until and opened < REQUESTS:
        while len(held) < HELD and opened < REQUESTS:
            with contextlib.suppress(OSError):
                held.append(connect(port, receive_bytes))
                held[-1].sendall(begin)
            opened += 1
        time.sleep(PROBE_EVERY_S)
        if receive_bytes is None:
            for ended in select.select(held, [], [], 0)[0]:
                held.remove(ended)
                ended.close()
        for connection in list(held):
            try:
                connection.setblocking(False)
                connection.send(drip)
            except BlockingIOError:
                pass
            except OSError:
                held.remove(connection)
                connection.close()
    for connection in held:
        connection.close()
    return opened


def slow(port, until):
    return hold(port, until, b"GET /tree HTTP/1.1\r\n" + HOST + b"X: ", b"a")


def unread(port, until):
    request = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
    return hold(port, until, request * 50, request, receive_bytes=2048)


def silent(port, until):
    held = []

    def open_one(p, _):
        held.append(connect(p))
        if len(held) > HELD:
            held.pop(0).close()

    return repeat(port, until, open_one)


ATTACKS = {"silent connections": silent, "a byte now and then": slow, "answers not read": unread, "requests": requests, "floods of headers": headers}


class Demo:
    def __init__(self, program, folder, carts_per_second):
        self.port, self.front = free_ports.one(), free_ports.one()
        words = [program, "demo", "--log", f"sqlite:{folder}/demo.db", "--carts-per-second", str(carts_per_second), "--delay-ms", "20", "--http", f"127.0.0.1:{self.port}", "--front", f"127.0.0.1:{self.front}"]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while self.process.poll() is None:
            with contextlib.suppress(OSError):
                self.get("/readyz")
                return
            time.sleep(PROBE_EVERY_S)
        sys.exit("the demo ended")

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return answer.read().decode()

    def commands(self):
        return int(re.search(r"^mayfly_commands_total (\d+)$", self.get("/metrics"), re.M)[1])


class Buyer:
    """Opens carts and cancels them, one command after the other at the front door, each waited for."""

    def __init__(self, demo, turns):
        self.demo, self.turns, self.times_s, self.failed, self.over = demo, turns, [], 0, False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        connection = None
        while not self.over:
            turn = next(self.turns)
            path = f"/carts/buyer-{turn // 2}/commands/cart.{'cancel' if turn % 2 else 'create'}"
            begun = time.monotonic()
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.demo.front, timeout=PATIENCE_S)
                connection.request("POST", path, "{}" if turn % 2 else '{"currency":"GBP"}', {"Prefer": "wait=20", "Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    self.times_s.append(time.monotonic() - begun)
                else:
                    self.failed += 1
                if answer.will_close:
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException):  # a connection that has had its hundred requests
                self.failed += connection is None
                connection = None
            time.sleep(COMMAND_EVERY_S)

    def close(self):
        self.over = True
        self.thread.join()

    def p99_ms(self):
        return 1000 * statistics.quantiles(self.times_s, n=100)[98]


class Page:
    """Open all the time: what it asks for each second, as the page does, and the stream of events."""

    def __init__(self, demo):
        self.demo, self.slowest_s, self.failed, self.asked, self.events, self.streams, self.over = demo, 0.0, 0, 0, 0, 0, False
        self.threads = [threading.Thread(target=self.run), threading.Thread(target=self.follow, daemon=True)]
        for thread in self.threads:
            thread.start()

    def begin(self):
        self.slowest_s, self.failed, self.asked, self.events, self.streams = 0.0, 0, 0, 0, 0

    def run(self):
        while not self.over:
            begun = time.monotonic()
            try:
                json.loads(self.demo.get("/now"))
                json.loads(self.demo.get("/history"))
            except (OSError, ValueError, http.client.HTTPException):
                self.failed += 1
            self.asked += 1
            self.slowest_s = max(self.slowest_s, time.monotonic() - begun)
            time.sleep(PAGE_EVERY_S)

    def follow(self):
        while not self.over:
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", self.demo.front, timeout=PATIENCE_S)
                connection.request("GET", "/events")
                for line in iter(connection.getresponse().readline, b""):
                    self.events += line.startswith(b"data:")
            self.streams += 1  # it ended

    def close(self):
        self.over = True
        self.threads[0].join()


class Watch:
    """Asks both probes again and again and looks at memory, until it is closed."""

    def __init__(self, demo):
        self.demo, self.slowest_s, self.failed, self.asked, self.peak, self.over = demo, 0.0, 0, 0, 0, False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.over:
            for path in (b"/livez", b"/readyz"):
                begun = time.monotonic()
                try:
                    with connect(self.demo.port) as connection:
                        connection.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n")
                        self.failed += not connection.recv(100).startswith(b"HTTP/1.1 200")
                except OSError:
                    self.failed += 1
                self.asked += 1
                self.slowest_s = max(self.slowest_s, time.monotonic() - begun)
            self.peak = max(self.peak, resident(self.demo.process.pid))
            time.sleep(PROBE_EVERY_S)

    def close(self):
        self.over = True
        self.thread.join()


def window(demo, seconds, page, turns, attack=None):
    before, watch, buyer = demo.commands(), Watch(demo), Buyer(demo, turns)
    page.begin()
    end = time.monotonic() + seconds
    made = 0
    if attack:
        child = subprocess.run([sys.executable, __file__, "--attack", attack, "--port", str(demo.port), "--seconds", str(seconds)], check=True, capture_output=True, text=True)
        made = int(child.stdout)
    time.sleep(max(0, end - time.monotonic()))
    watch.close()
    buyer.close()
    return {"p99_ms": buyer.p99_ms(), "commands": demo.commands() - before, "made": made, "watch": watch, "buyer": buyer,
            "page_s": page.slowest_s, "page_failed": page.failed, "events": page.events, "streams_ended": page.streams}


def bytes_per_idle_connection(program):
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "mayfly.toml"
        config.write_text("[http]\nconnections = 10000\nrequest_ms = 600000\nconnection_ms = 600000\n")
        port = free_ports.one()
        engine = subprocess.Popen([program, "serve", "--log", f"sqlite:{folder}/log.db", "--config", str(config), "--http", f"127.0.0.1:{port}"], stderr=subprocess.PIPE, text=True)
        for line in engine.stderr:
            if json.loads(line)["name"] == "ready":
                break
        with contextlib.ExitStack() as held:
            begun = resident(engine.pid)
            connections = [held.enter_context(connect(port)) for _ in range(IDLE)]
            ask(port, b"/livez")  # behind all of them
            idle = resident(engine.pid)
            for connection in connections:
                connection.sendall(b"GET /tree HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 7900)
            ask(port, b"/livez")
            full = resident(engine.pid)
        engine.send_signal(signal.SIGTERM)
        engine.communicate()
        return (idle - begun) // IDLE, (full - begun) // IDLE


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default=str(ROOT / "build/release/mayfly"))
    parser.add_argument("--seconds", type=float, default=10, help="of a window")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--carts-per-second", type=int, default=50)
    parser.add_argument("--attack", choices=ATTACKS, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.attack:
        global CLIENT  # not the address of who probes and of who looks at the page
        CLIENT = ATTACKER
        print(ATTACKS[options.attack](options.port, time.monotonic() + options.seconds))
        return
    idle, full = bytes_per_idle_connection(options.program)
    print(f"resident bytes per connection of {IDLE}: {idle} idle, {full} with 8 KB of a request")
    with tempfile.TemporaryDirectory() as folder:
        demo = Demo(options.program, folder, options.carts_per_second)
        try:
            page, turns = Page(demo), itertools.count()
            window(demo, options.seconds, page, turns)  # warm
            print(f"{'attack':22}{'made':>8}{'slowest probe ms':>18}{'failed':>8}{'slowest page ms':>17}{'failed':>8}{'stream ended':>14}{'p99 quiet ms':>14}{'attacked':>10}{'ratio':>7}"
                  f"{'failed':>8}{'memory +MiB':>13}{'commands/s':>12}")
            for name in ATTACKS:
                rounds = [(window(demo, options.seconds, page, turns), window(demo, options.seconds, page, turns, name)) for _ in range(options.rounds)]
                attacked = [a for _, a in rounds]
                watches = [a["watch"] for a in attacked]
                quiet_ms, ms = (statistics.median(w["p99_ms"] for w in side) for side in zip(*rounds))
                grown = max(a["watch"].peak - q["watch"].peak for q, a in rounds) / MIB
                print(f"{name:22}{sum(a['made'] for a in attacked):8}{1000 * max(w.slowest_s for w in watches):18.1f}{sum(w.failed for w in watches):8}"
                      f"{1000 * max(a['page_s'] for a in attacked):17.1f}{sum(a['page_failed'] for a in attacked):8}{sum(a['streams_ended'] for a in attacked):14}"
                      f"{quiet_ms:14.2f}{ms:10.2f}{ms / quiet_ms:7.2f}{sum(a['buyer'].failed for a in attacked):8}{grown:13.1f}"
                      f"{statistics.median(a['commands'] for a in attacked) / options.seconds:12.0f}", flush=True)
            page.close()
        finally:
            demo.process.send_signal(signal.SIGTERM)
            demo.process.wait()


if __name__ == "__main__":
    main()

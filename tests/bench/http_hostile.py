#!/usr/bin/env python3
"""What hostile HTTP clients cost an engine that works: p99 of commands, probes, memory; and bytes per idle connection.

    http_hostile.py [MAYFLY] [--seconds N] [--rounds N] [--carts-per-second N]

The demo runs with all defaults on a SQLite log. Quiet windows and windows under attack alternate; each attack is bounded
in count and time, from this machine's loopback, by one process that shares the processors with the engine. Prints, for
each attack, medians over the rounds. Machines are noisy: only ratios of one run say something.
"""
import argparse
import contextlib
import json
import os
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
CLIENT = "127.0.0.1"  # an attacker's address; a program that also probes gives it another
PROBE_EVERY_S = 0.1
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
        self.port = free_ports.one()
        words = [program, "demo", "--log", f"sqlite:{folder}/demo.db", "--carts-per-second", str(carts_per_second), "--delay-ms", "20", "--http", f"127.0.0.1:{self.port}"]
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

    def ages(self):
        """Commands decided so far by the upper end of their age in seconds."""
        found = re.findall(r'^mayfly_command_age_seconds_bucket\{le="([^"]+)"\} (\d+)', self.get("/metrics"), re.M)
        return [(float(end), int(count)) for end, count in found]


def p99_ms(before, after):
    """Linear within a bucket; and how many commands."""
    counts = [(end, late - early) for (end, late), (_, early) in zip(after, before)]
    wanted, below, start = 0.99 * counts[-1][1], 0, 0.0
    for end, count in counts:
        if count >= wanted:
            return 1000 * (start + (end - start) * (wanted - below) / max(1, count - below)), counts[-1][1]
        below, start = count, end
    raise AssertionError("a histogram ends with all of them")


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


def window(demo, seconds, attack=None):
    before, watch = demo.ages(), Watch(demo)
    end = time.monotonic() + seconds
    made = 0
    if attack:
        child = subprocess.run([sys.executable, __file__, "--attack", attack, "--port", str(demo.port), "--seconds", str(seconds)], check=True, capture_output=True, text=True)
        made = int(child.stdout)
    time.sleep(max(0, end - time.monotonic()))
    watch.close()
    p99, commands = p99_ms(before, demo.ages())
    return {"p99_ms": p99, "commands": commands, "made": made, "watch": watch}


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
        print(ATTACKS[options.attack](options.port, time.monotonic() + options.seconds))
        return
    idle, full = bytes_per_idle_connection(options.program)
    print(f"resident bytes per connection of {IDLE}: {idle} idle, {full} with 8 KB of a request")
    with tempfile.TemporaryDirectory() as folder:
        demo = Demo(options.program, folder, options.carts_per_second)
        try:
            window(demo, options.seconds)  # warm
            print(f"{'attack':22}{'made':>8}{'slowest probe ms':>18}{'failed':>8}{'p99 quiet ms':>14}{'attacked':>10}{'ratio':>7}{'memory +MiB':>13}{'commands/s':>12}")
            for name in ATTACKS:
                rounds = [(window(demo, options.seconds), window(demo, options.seconds, name)) for _ in range(options.rounds)]
                attacked = [a for _, a in rounds]
                watches = [a["watch"] for a in attacked]
                quiet_ms, ms = (statistics.median(w["p99_ms"] for w in side) for side in zip(*rounds))
                grown = max(a["watch"].peak - q["watch"].peak for q, a in rounds) / MIB
                print(f"{name:22}{sum(a['made'] for a in attacked):8}{1000 * max(w.slowest_s for w in watches):18.1f}{sum(w.failed for w in watches):8}"
                      f"{quiet_ms:14.2f}{ms:10.2f}{ms / quiet_ms:7.2f}{grown:13.1f}{statistics.median(a['commands'] for a in attacked) / options.seconds:12.0f}", flush=True)
        finally:
            demo.process.send_signal(signal.SIGTERM)
            demo.process.wait()


if __name__ == "__main__":
    main()

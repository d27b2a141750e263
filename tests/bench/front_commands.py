#!/usr/bin/env python3
"""Commands per second over HTTP, and how long a buyer waits for what each came to.

--buyers connections of one front door each send one command after the other with `Prefer: wait=30`: a cart, then four lines, then
the next cart. An engine serves beside it. With --kafka HOST:PORT on that broker, whose topics of Mayfly are used as they are;
otherwise on a SQLite file of its own. First, what the front door takes of a core while nobody asks, after the buyers again.
"""
import argparse
import http.client
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import tempfile
import threading
import time

LINES_PER_CART = 4
PATIENCE_S = 300


def cpu_s(pid):
    ticks = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def idle_share(pid, seconds):
    """Of one core."""
    before, begun = cpu_s(pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_s(pid) - before) / (time.monotonic() - begun)


class Buyer(threading.Thread):
    def __init__(self, number, run, port, until, wait):
        super().__init__()
        self.number, self.run_id, self.port, self.until, self.wait_s = number, run, port, until, wait
        self.took_s, self.wrong = [], []

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        cart = 0
        while time.monotonic() < self.until:
            commands = [("cart.create", {"currency": "GBP"})]
            commands += [("cart.add_line", {"sku": f"SKU-{n}", "quantity": 1, "unit_price_minor": 499}) for n in range(LINES_PER_CART)]
            for name, data in commands:
                begun = time.monotonic()
                connection.request("POST", f"/carts/{self.run_id}-{self.number}-{cart}/commands/{name}", json.dumps(data),
                                   {"Prefer": f"wait={self.wait_s}"} if self.wait_s else {})
                answer = connection.getresponse()
                body = answer.read()
                self.took_s.append(time.monotonic() - begun)
                if answer.status != (200 if self.wait_s else 202):
                    self.wrong.append(f"{answer.status} {body[:200]}")
            cart += 1
        connection.close()


def measure(given, folder):
    log = ["--log", f"kafka:{given.kafka}" if given.kafka else f"sqlite:{folder}/shop.db"]
    subprocess.run([given.mayfly, "send", *log, "--create", "cart.create", f"first-{os.getpid()}", "currency=GBP"], check=True,
                   stdout=subprocess.DEVNULL)
    engine = subprocess.Popen([given.mayfly, "serve", *log, "--http", "off"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    front = subprocess.Popen([given.mayfly, "front", *log, "--address", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    try:
        port = int(re.search(r":(\d+)/", front.stdout.readline()).group(1))
        warm = Buyer(0, f"warm-{os.getpid()}", port, time.monotonic(), 30)  # one cart, so that the engine serves
        warm.start()
        warm.join()
        idle = [idle_share(front.pid, given.idle_seconds)]
        before, begun = cpu_s(front.pid), time.monotonic()
        buyers = [Buyer(n, f"cart-{os.getpid()}", port, begun + given.seconds, given.wait) for n in range(given.buyers)]
        for buyer in buyers:
            buyer.start()
        for buyer in buyers:
            buyer.join()
        seconds, used = time.monotonic() - begun, cpu_s(front.pid) - before
        idle.append(idle_share(front.pid, given.idle_seconds))
        took = sorted(t for buyer in buyers for t in buyer.took_s)
        wrong = [w for buyer in buyers for w in buyer.wrong]
        print(f"{given.buyers} buyers, wait={given.wait}: {len(took) / seconds:,.1f} commands/s, p50 {statistics.median(took) * 1e3:,.0f} ms, "
              f"p99 {took[int(len(took) * 0.99)] * 1e3:,.0f} ms; front door {used / len(took) * 1e3:.2f} ms of a core for a command, "
              f"idle {idle[0]:.2%} of a core before, {idle[1]:.2%} after; not as expected: {len(wrong)}; load {os.getloadavg()[0]:.0f}")
        print(*wrong[:3], sep="\n", end="")
        return not wrong
    finally:
        for process in (front, engine):
            process.send_signal(signal.SIGTERM)
            process.wait()
        front.stdout.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mayfly", default="build/release/mayfly", type=os.path.abspath)
    parser.add_argument("--kafka", metavar="HOST:PORT")
    parser.add_argument("--buyers", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--idle-seconds", type=int, default=10)
    parser.add_argument("--wait", type=int, default=30, help="0: answered as soon as the command is durable")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        raise SystemExit(0 if measure(given, folder) else 1)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""What memory an engine needs for a backlog of merges, each of which offers all lines of a cart: peak and time.

Carts with --lines lines are put into a log and decided; then a merge of each is queued while no engine runs, and one is
started with all of serve's defaults, or what --set says, under --limit-mib of private memory if that is given.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import free_ports  # noqa: E402

LOOK_EVERY_S = 0.1
TARGETS = 100
STREAMS = ("commands", "events", "state", "deadletters", "alerts")


class Log:
    def __init__(self, given, folder):
        self.given, self.folder = given, folder
        self.config = os.path.join(folder, "mayfly.toml")
        run = f"merges-{os.getpid()}"
        lines = [f'engine.name = "{run}"', *(f'kafka.topics.{s} = "{run}.{s}"' for s in STREAMS), *given.set]
        with open(self.config, "w", encoding="ascii") as out:
            out.writelines(f"{line}\n" for line in lines)
        self.words = ["--log", f"kafka:{given.kafka}" if given.kafka else f"sqlite:{folder}/merges.db", "--config", self.config]

    def send(self, commands):
        sender = subprocess.Popen([self.given.mayfly, "send", "-", *self.words], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        for kind, cart, data in commands:
            sender.stdin.write(json.dumps({"type": kind, "cart": cart, "data": data}).encode() + b"\n")
        sender.stdin.close()
        if sender.wait() != 0:
            sys.exit(f"send ended with {sender.returncode}")

    @contextlib.contextmanager
    def served(self, limit_mib=0):
        def limit():
            if limit_mib:
                resource.setrlimit(resource.RLIMIT_DATA, (limit_mib << 20, limit_mib << 20))

        address = f"127.0.0.1:{free_ports.one()}"
        with open(os.path.join(self.folder, "serve.log"), "ab") as log:
            engine = subprocess.Popen([self.given.mayfly, "serve", *self.words, "--http", address, "--json"], stdout=log, stderr=log,
                                      preexec_fn=limit)  # pylint: disable=subprocess-popen-preexec-fn
        engine.address = address
        try:
            while metric(engine, "mayfly_ready") == 0 and engine.poll() is None:
                time.sleep(LOOK_EVERY_S)
            yield engine
        finally:
            engine.send_signal(signal.SIGTERM)
            engine.wait()


def metric(engine, name):
    try:
        with urllib.request.urlopen(f"http://{engine.address}/metrics", timeout=2) as answer:
            return sum(float(n) for n in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)", answer.read().decode(), re.M))
    except (urllib.error.URLError, OSError):
        return 0


def peak_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1024


def until_decided(engine, commands):
    """Peak MiB, or how it ended."""
    peak = 0
    while metric(engine, "mayfly_commands_total") < commands:
        if engine.poll() is not None:
            return peak, engine.returncode
        with contextlib.suppress(OSError, AttributeError):  # it has ended since
            peak = max(peak, peak_mib(engine.pid))
        time.sleep(LOOK_EVERY_S)
    return peak, None


def lines_of(cart, given):
    return given.lines + cart % (max(given.most_lines, given.lines) - given.lines + 1)


def carts(given):
    for target in range(TARGETS):
        yield "cart.create", f"into-{target}", {"currency": "GBP"}
    for n in range(given.merges):
        yield "cart.create", f"from-{n}", {"currency": "GBP"}
        for line in range(lines_of(n, given)):
            yield "cart.add_line", f"from-{n}", {"sku": f"{20000 + line}A", "quantity": 1, "unit_price_minor": 499,
                                                 "name": "WHITE HANGING HEART T-LIGHT HOLDER"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mayfly", default=str(ROOT / "build/release/mayfly"))
    parser.add_argument("--kafka", metavar="HOST:PORT", help="topics there instead of a SQLite file")
    parser.add_argument("--merges", type=int, default=2_000)
    parser.add_argument("--lines", type=int, default=60)
    parser.add_argument("--most-lines", type=int, default=0, help="carts have from --lines to so many; 0: all have --lines")
    parser.add_argument("--limit-mib", type=int, default=0)
    parser.add_argument("--by-line", action="store_true", help="the program is from before contract 1.1: a command for each line")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting, as in the config file")
    given = parser.parse_args()
    lines = sum(lines_of(n, given) for n in range(given.merges))
    with tempfile.TemporaryDirectory() as folder:
        log = Log(given, folder)
        with log.served() as engine:
            log.send(carts(given))
            until_decided(engine, TARGETS + given.merges + lines)
        with log.served() as engine:
            time.sleep(3)
            before = peak_mib(engine.pid)
        log.send(("cart.merge", f"from-{n}", {"into": f"into-{n % TARGETS}"}) for n in range(given.merges))
        begun = time.monotonic()
        with log.served(given.limit_mib) as engine:
            # The merge, the offer, the answer.
            peak, code = until_decided(engine, given.merges + lines if given.by_line else 3 * given.merges)
            took = time.monotonic() - begun
        print(f"{given.merges} merges of {lines / given.merges:.0f} lines: peak {peak:.0f} MiB, {peak - before:.0f} over {before:.0f} with those carts "
              f"asleep; {took:.1f} s" + ("" if code is None else f"; the engine ended with {code}"))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""A log on SQLite that is larger than the memory limit of the engine's control group: its pages fill the cache, which is no pressure.

A log of --log-mib is made by carts that come and go, decided without a limit. Then an engine serves it in a control group
with --limit-mib, in which another process reads the whole log again and again, while --commands new ones come. Needs root
and control groups (v1 or v2); says what the cache and the private memory of the group came to, and exits with 1 if the
engine spoke of pressure, was not ready, or did not decide all.
"""
import argparse
import json
import os
import pathlib
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

LOOK_EVERY_S = 0.2
COMMANDS_PER_CART = 5
READS = 3


class Group:
    """A memory control group of its own, removed at the end."""

    def __init__(self, limit_mib):
        v2 = pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists()
        parent = pathlib.Path("/sys/fs/cgroup" if v2 else "/sys/fs/cgroup/memory")
        if not parent.is_dir() or os.geteuid() != 0:
            sys.exit("this needs root and a control group for memory")
        self.private, self.cache = ("anon", "file") if v2 else ("rss", "cache")
        self.folder = parent / f"mayfly-bench-{os.getpid()}"
        self.folder.mkdir()
        (self.folder / ("memory.max" if v2 else "memory.limit_in_bytes")).write_text(str(limit_mib << 20))

    def enter(self):
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def mib(self, what):
        stat = dict(line.split() for line in (self.folder / "memory.stat").read_text().splitlines())
        return int(stat[what]) / 2**20

    def remove(self):
        self.folder.rmdir()


def ask(address, path):
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, ""
    except OSError:
        return 0, ""


def metric(address, name):
    return sum(float(line.split()[-1]) for line in ask(address, "/metrics")[1].splitlines() if line.split("{")[0].split(" ")[0] == name)


def carts(first, count):
    for n in range(first, first + count):
        yield "cart.create", f"c{n}", {"currency": "GBP"}
        for line in range(3):
            yield "cart.add_line", f"c{n}", {"sku": f"{20000 + line}A", "quantity": 1, "unit_price_minor": 499,
                                             "name": "WHITE HANGING HEART T-LIGHT HOLDER"}
        yield "cart.cancel", f"c{n}", {"reason": "gave up"}


class Log:
    def __init__(self, mayfly, folder):
        self.mayfly, self.file = mayfly, pathlib.Path(folder) / "large.db"
        self.words = ["--log", f"sqlite:{self.file}"]
        self.sent = 0

    def mib(self):
        return sum(f.stat().st_size for f in self.file.parent.glob("large.db*")) / 2**20

    def send(self, count):
        create = [] if self.file.exists() else ["--create"]
        sender = subprocess.Popen([self.mayfly, "send", "-", *self.words, *create], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True)
        for kind, cart, data in carts(self.sent, count):
            sender.stdin.write(json.dumps({"type": kind, "cart": cart, "data": data}) + "\n")
        sender.stdin.close()
        if sender.wait() != 0:
            sys.exit(f"send ended with {sender.returncode}")
        self.sent += count

    def serve(self, **how):
        address = f"127.0.0.1:{free_ports.one()}"
        engine = subprocess.Popen([self.mayfly, "serve", *self.words, "--http", address, "--json"], stderr=subprocess.DEVNULL, **how)
        while ask(address, "/readyz")[0] != 200:
            if engine.poll() is not None:
                sys.exit(f"the engine ended with {engine.returncode}")
            time.sleep(LOOK_EVERY_S)
        return engine, address

    def forget_pages(self):
        """A page belongs to the group that read it first."""
        for file in self.file.parent.glob("large.db*"):
            with open(file, "rb") as pages:
                os.fsync(pages.fileno())
                os.posix_fadvise(pages.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def alerts(self):
        done = subprocess.run([self.mayfly, "tail", *self.words, "--stream", "alerts", "--from", "begin", "--json"], capture_output=True, text=True, check=True)
        return [json.loads(line)["headers"]["ce_type"] for line in done.stdout.splitlines()]


def end(process):
    process.send_signal(signal.SIGTERM)
    process.wait()


def make(log, wanted_mib):
    engine, address = log.serve()
    try:
        while log.mib() < wanted_mib:
            log.send(10_000)
            while metric(address, "mayfly_commands_total") < log.sent * COMMANDS_PER_CART:
                time.sleep(LOOK_EVERY_S)
    finally:
        end(engine)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mayfly", default=str(ROOT / "build/release/mayfly"))
    parser.add_argument("--log-mib", type=int, default=1024)
    parser.add_argument("--limit-mib", type=int, default=512)
    parser.add_argument("--commands", type=int, default=50_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:  # a disk: in a tmpfs all of it would be private
        log = Log(given.mayfly, folder)
        log.send(1)
        make(log, given.log_mib)
        before = len(log.alerts())
        log.forget_pages()
        group = Group(given.limit_mib)
        cache = private = pressure = not_ready = 0
        try:
            engine, address = log.serve(preexec_fn=group.enter)  # pylint: disable=subprocess-popen-preexec-fn
            reads = " && ".join(f"{given.mayfly} tail {' '.join(log.words)} --stream {stream} --from begin --json >/dev/null"
                                for _ in range(READS) for stream in ("commands", "events", "state"))
            reader = subprocess.Popen(["bash", "-c", reads], preexec_fn=group.enter)  # pylint: disable=subprocess-popen-preexec-fn
            log.send(given.commands // COMMANDS_PER_CART)
            while reader.poll() is None or metric(address, "mayfly_commands_total") < given.commands:
                if engine.poll() is not None:
                    sys.exit(f"the engine ended with {engine.returncode}")
                cache, private = max(cache, group.mib(group.cache)), max(private, group.mib(group.private))
                pressure = max(pressure, metric(address, "mayfly_memory_pressure_level"))
                not_ready += ask(address, "/readyz")[0] != 200
                time.sleep(LOOK_EVERY_S)
            decided, rows = metric(address, "mayfly_commands_total"), log.mib()
            end(engine)
        finally:
            group.remove()
        told = [kind for kind in log.alerts()[before:] if "pressure" in kind]
        print(f"a log of {rows:.0f} MiB under a limit of {given.limit_mib} MiB: page cache up to {cache:.0f} MiB, private memory up to {private:.0f} MiB; "
              f"{decided:.0f} commands decided; pressure at most level {pressure:.0f}, {len(told)} alerts of it; not ready {not_ready} times")
        sys.exit(0 if not told and not pressure and not not_ready and decided >= given.commands else 1)


if __name__ == "__main__":
    main()

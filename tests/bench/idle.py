#!/usr/bin/env python3
"""What an idle engine takes of a core, and how long a single command waits for its event after a pause.

An engine serves an empty log to which nothing comes for --seconds: its user and system time. Then another one serves a
log of one partition: --commands commands come one by one, --pause-ms after one another, each measured from its line to
`send -` to its event's line from `tail --follow`.
"""
import argparse
import contextlib
import json
import os
import pathlib
import signal
import statistics
import subprocess
import tempfile
import time

START_S = 5  # for the engine to settle after "ready"


STREAMS = ("commands", "events", "state", "deadletters", "alerts")


def cpu_s(pid):
    """Of all its threads, in the scheduler's own nanoseconds: a tick of 10 ms is too coarse."""
    threads = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(t.read_text().split()[0]) for t in threads) / 1e9


class Log:
    """A new one, with --log words for every verb."""

    def __init__(self, folder, name, brokers):
        self.folder = folder
        self.words = ["--log", f"sqlite:{folder}/{name}.db"]
        if brokers:
            run = f"idle-{os.getpid()}-{name}"
            topics = "".join(f'topics.{stream} = "{run}.{stream}"\n' for stream in STREAMS)
            config = pathlib.Path(folder) / f"{name}.toml"
            config.write_text(f'[engine]\nname = "{run}"\n[kafka]\n{topics}', encoding="utf-8")
            self.words = ["--log", f"kafka:{brokers}", "--config", str(config)]

    @contextlib.contextmanager
    def served(self, program, *words):
        with open(f"{self.folder}/serve.log", "w", encoding="utf-8") as out:
            engine = start(program, "serve", *self.words, "--http", "127.0.0.1:0", *words, stdout=out, stderr=out)
            time.sleep(START_S)
            yield engine
            end(engine)


def start(program, *words, **pipes):
    return subprocess.Popen([program, *words], **pipes)


def end(process):
    process.send_signal(signal.SIGTERM)
    process.wait()


def waits_ms(program, log, commands, pause_ms):
    tail = start(program, "tail", *log.words, "--follow", "--json", stdout=subprocess.PIPE)
    send = start(program, "send", "-", *log.words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    time.sleep(START_S)
    waits = []
    run = os.urandom(4).hex()
    for number in range(commands):
        time.sleep(pause_ms / 1000)
        begun = time.monotonic()
        line = {"type": "cart.create", "cart": f"{run}-{number}", "data": {"currency": "EUR"}}
        send.stdin.write(json.dumps(line).encode() + b"\n")
        send.stdin.flush()
        tail.stdout.readline()
        waits.append((time.monotonic() - begun) * 1000)
    send.stdin.close()
    send.wait()
    end(tail)
    return sorted(waits)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--kafka", metavar="HOST:PORT", help="topics there instead of a SQLite file")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--commands", type=int, default=200)
    parser.add_argument("--pause-ms", type=int, default=150)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with Log(folder, "empty", args.kafka).served(args.program) as engine:
            before = cpu_s(engine.pid)
            time.sleep(args.seconds)
            used = cpu_s(engine.pid) - before
        print(f"idle: {used:.3f} s of CPU in {args.seconds} s = {100 * used / args.seconds:.2f}% of a core")
        log = Log(folder, "single", args.kafka)
        with log.served(args.program, "--partitions", "1"):
            waits = waits_ms(args.program, log, args.commands, args.pause_ms)
    p99 = waits[len(waits) * 99 // 100]
    print(f"a command after {args.pause_ms} ms: p50 {statistics.median(waits):.1f} ms, p99 {p99:.1f}, most {waits[-1]:.1f}")


if __name__ == "__main__":
    main()

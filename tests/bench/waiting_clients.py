#!/usr/bin/env python3
"""Memory of a front door per client that waits for its answer, and how long they all wait for an engine.

--clients connections of one front door each send a command with `Prefer: wait=60` while no engine runs: all wait. Then an engine
starts. Each must get a 200 of its own. Resident memory is that of the front door alone, SQLite's cache included.

With --kafka HOST:PORT in topics of its own on that broker. Needs confluent_kafka then
(Debian's, so /usr/bin/python3).
"""
import argparse
import asyncio
import os
import pathlib
import re
import resource
import signal
import sqlite3
import subprocess
import tempfile
import time

AT_ONCE = 200  # connections that are being opened
LOOK_EVERY_S = 0.1
BROKER_ANSWERS_S = 60


def resident_bytes(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) * 1024


class OnSqlite:
    def __init__(self, folder):
        self.path = f"{folder}/shop.db"
        self.words = ["--log", f"sqlite:{self.path}"]

    def appended(self):
        with sqlite3.connect(f"file:{self.path}?mode=ro", uri=True) as log:
            return log.execute("SELECT count(*) FROM commands WHERE key IS NOT NULL").fetchone()[0]


class OnKafka:
    def __init__(self, brokers, folder):
        import confluent_kafka
        self.name = f"waits-{os.getpid()}"
        streams = ("commands", "events", "state", "deadletters", "alerts")
        config = pathlib.Path(folder) / "mayfly.toml"
        config.write_text(f'[engine]\nname = "{self.name}"\n[kafka.topics]\n' + "".join(f'{s} = "{self.name}.{s}"\n' for s in streams))
        self.words = ["--log", f"kafka:{brokers}", "--config", str(config)]
        self.place = confluent_kafka.TopicPartition
        self.reader = confluent_kafka.Consumer({"bootstrap.servers": brokers, "group.id": self.name})

    def appended(self):
        """Nothing but commands is there before an engine writes ticks."""
        topic = f"{self.name}.commands"
        partitions = self.reader.list_topics(topic, BROKER_ANSWERS_S).topics[topic].partitions
        return sum(self.reader.get_watermark_offsets(self.place(topic, p), BROKER_ANSWERS_S)[1] for p in partitions)


async def client(number, port, opening):
    """The answer's status."""
    body = b'{"currency":"GBP"}'
    async with opening:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"POST /carts/waits-{number}/commands/cart.create HTTP/1.1\r\nHost: localhost\r\nPrefer: wait=60\r\n"
                     f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
    status = int((await reader.readline()).split()[1])
    await reader.read()
    writer.close()
    return status


async def measure(given, folder):
    on = OnKafka(given.kafka, folder) if given.kafka else OnSqlite(folder)
    log = on.words
    subprocess.run([given.mayfly, "send", *log, "--create", "cart.create", "first", "currency=GBP"], check=True, stdout=subprocess.DEVNULL)
    front = subprocess.Popen([given.mayfly, "front", *log, "--address", "127.0.0.1:0", "--connections", str(given.clients + 64)], stdout=subprocess.PIPE, text=True)
    engine = None
    try:
        port = int(re.search(r":(\d+)/", front.stdout.readline()).group(1))
        before, begun = resident_bytes(front.pid), time.monotonic()
        opening = asyncio.Semaphore(AT_ONCE)
        waiting = [asyncio.create_task(client(n, port, opening)) for n in range(given.clients)]
        while on.appended() < given.clients + 1 and not any(task.done() for task in waiting):
            await asyncio.sleep(LOOK_EVERY_S)
        opened_s, all_wait = time.monotonic() - begun, resident_bytes(front.pid)
        assert not any(task.done() for task in waiting), "not all waited together: 60 s were too short, or it was refused"
        engine, begun = subprocess.Popen([given.mayfly, "serve", *log, "--http", "off"], stderr=subprocess.DEVNULL), time.monotonic()
        statuses = await asyncio.gather(*waiting)
        print(f"{given.clients} clients wait {opened_s:.1f} s after the first; resident {before / 1e6:.1f} MB before, {all_wait / 1e6:.1f} MB then: "
              f"{(all_wait - before) / given.clients:,.0f} bytes each; all answered {time.monotonic() - begun:.1f} s after the engine's start; "
              f"200: {statuses.count(200)}; resident {resident_bytes(front.pid) / 1e6:.1f} MB after")
        return statuses.count(200) == given.clients
    finally:
        for process in (front, engine):
            if process:
                process.send_signal(signal.SIGTERM)
                process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mayfly", default="build/release/mayfly", type=os.path.abspath)
    parser.add_argument("--clients", default=10_000, type=int)
    parser.add_argument("--kafka", metavar="HOST:PORT")
    given = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 2 * given.clients + 1000), most))
    with tempfile.TemporaryDirectory() as folder:
        raise SystemExit(0 if asyncio.run(measure(given, folder)) else 1)


if __name__ == "__main__":
    main()

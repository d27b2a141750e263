"""A log of many open carts for checks: what is sent, and an engine that decides it."""
import json
import signal
import subprocess
import time

import sqlite_log

PATIENCE_S = 300


def carts(count, of):
    """Commands: that many carts of three lines each, with ids that begin so."""
    for number in range(count):
        cart = f"{of}-{number}"
        yield {"type": "cart.create", "cart": cart, "data": {"currency": "GBP", "customer_id": f"customer {number}"}}
        for line in range(3):
            yield {"type": "cart.add_line", "cart": cart, "data": {"sku": f"S{line}", "quantity": 1, "unit_price_minor": 100, "name": f"tea {number} {line}"}}


def send(mayfly, log, commands):
    done = subprocess.run([mayfly, "send", "-", "--create", "--log", log], input="".join(json.dumps(c) + "\n" for c in commands), capture_output=True,
                          text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr


def decide(mayfly, file):
    """An engine serves the log until all of its commands are decided."""
    with sqlite_log.SqliteLog(file) as log:
        sent = log.ends("commands")
    engine = subprocess.Popen([mayfly, "serve", "--log", f"sqlite:{file}", "--http", "off"], stderr=subprocess.DEVNULL)
    try:
        decided = {}
        while any(decided.get(partition, 0) < end for partition, end in sent.items()):
            assert engine.poll() is None
            time.sleep(0.05)
            with sqlite_log.SqliteLog(file) as log:
                decided = log.positions()
    finally:
        engine.send_signal(signal.SIGTERM)
        engine.wait(PATIENCE_S)

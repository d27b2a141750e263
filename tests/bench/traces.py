#!/usr/bin/env python3
"""What traces cost an engine: processor time per command with traces off, with traces on and no command sampled, and with all
of them sampled and taken by a collector on this machine.

    traces.py [MAYFLY] [--commands N] [--rounds N]

Each run decides a copy of the same SQLite log from its beginning, as fast as it can. Only ratios of one run say something."""
import argparse
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINES = 4  # of a cart
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
PATIENCE_S = 600


class Taking(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def start(program, log, environment):
    engine = subprocess.Popen([program, "serve", "--log", log, "--http", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True, env={**os.environ, **environment})
    for line in engine.stderr:
        said = json.loads(line)
        if said["name"] == "http":
            address = re.search(r"http://([^/]+)/", said["message"])[1]
        if said["name"] == "ready":
            threading.Thread(target=engine.stderr.read, daemon=True).start()
            return engine, address
    raise SystemExit("the engine ended")


def stop(engine):
    engine.send_signal(signal.SIGTERM)
    engine.wait()


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fill(program, log, commands):
    engine, _ = start(program, log, {})  # makes it
    stop(engine)
    lines = []
    for n in range(commands):
        cart, line = f"cart-{n // (LINES + 1)}", n % (LINES + 1)
        data = {"sku": f"sku-{line}", "quantity": 1, "unit_price_minor": 499, "name": "Breakfast tea"} if line else {"currency": "GBP"}
        lines.append(json.dumps({"type": "cart.add_line" if line else "cart.create", "cart": cart, "data": data, "headers": {"traceparent": PARENT}}))
    subprocess.run([program, "send", "--log", log, "-"], input="\n".join(lines) + "\n", text=True, check=True, stdout=subprocess.DEVNULL)


def decide(program, folder, commands, environment):
    """Processor seconds until all are committed, and spans sent and dropped."""
    with tempfile.TemporaryDirectory() as copy:
        for file in pathlib.Path(folder).iterdir():
            shutil.copy(file, copy)
        engine, address = start(program, f"sqlite:{copy}/shop.db", environment)
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            with urllib.request.urlopen(f"http://{address}/metrics") as answer:
                text = answer.read().decode()
            waiting = re.search(r"^mayfly_trace_spans_waiting (\d+)$", text, re.M)
            if int(re.search(r"^mayfly_commands_total (\d+)$", text, re.M)[1]) >= commands and (not waiting or waiting[1] == "0"):
                break
            time.sleep(0.05)
        used = cpu_s(engine.pid)
        stop(engine)
        spans = {name: int(count) for name, count in re.findall(r'^mayfly_trace_spans_total\{outcome="(\w+)"\} (\d+)$', text, re.M)}
        return used, spans.get("sent", 0), sum(spans.values()) - spans.get("sent", 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default=str(ROOT / "build/release/mayfly"))
    parser.add_argument("--commands", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    collector = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    to = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_address[1]}"}
    kinds = {"off": {}, "on, none sampled": {**to, "OTEL_TRACES_SAMPLER": "always_off"}, "on, all sampled": to}
    with tempfile.TemporaryDirectory() as folder:
        fill(options.program, f"sqlite:{folder}/shop.db", options.commands)
        runs = {kind: [] for kind in kinds}
        for _ in range(options.rounds):
            for kind, environment in kinds.items():
                runs[kind].append(decide(options.program, folder, options.commands, environment))
    off = statistics.median(used for used, _, _ in runs["off"])
    print(f"{'traces':20}{'CPU us per command':>20}{'ratio':>8}{'spans sent':>12}{'dropped':>10}")
    for kind, all_of_kind in runs.items():
        used = statistics.median(used for used, _, _ in all_of_kind)
        sent, dropped = (round(statistics.median(run[i] for run in all_of_kind)) for i in (1, 2))
        print(f"{kind:20}{1e6 * used / options.commands:20.1f}{used / off:8.2f}{sent:12,}{dropped:10,}")


if __name__ == "__main__":
    main()

"""Traces of a real engine against a collector on loopback that reads OTLP as the protocol has it, and against ones that are
slow, away or refuse. Usage: test_traces.py MAYFLY

Every request must fit a schema that was written from the specification. It is read by OTLP's own protobuf definitions too,
which refuse what they do not know, where opentelemetry-proto can be had from PyPI into build/; that part is skipped elsewhere."""
import http.server
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

from program import MAYFLY, PATIENCE_S
from from_registry import why_not_made

ROOT = pathlib.Path(__file__).resolve().parents[3]
DEFINITIONS = "opentelemetry-proto==1.45.2"
VENV = ROOT / "build" / "opentelemetry-proto"

HEX = {length: re.compile(f"[0-9a-f]{{{length}}}") for length in (16, 32)}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
VALUE_TYPES = {"stringValue": str, "boolValue": bool, "intValue": str, "doubleValue": float, "arrayValue": dict}
# Fields of opentelemetry/proto/{collector/trace,trace,common,resource}/v1, in lowerCamelCase: (type, needed).
SPAN = {"traceId": (32, True), "spanId": (16, True), "parentSpanId": (16, False), "flags": (int, True), "name": (str, True),
        "kind": (int, True), "startTimeUnixNano": ("uint64", True), "endTimeUnixNano": ("uint64", True), "attributes": (list, True),
        "droppedAttributesCount": (int, False), "events": (list, False), "droppedEventsCount": (int, False), "links": (list, True),
        "droppedLinksCount": (int, False), "status": (dict, False)}
LINK = {"traceId": (32, True), "spanId": (16, True), "flags": (int, False), "attributes": (list, False)}
EVENT = {"name": (str, True), "timeUnixNano": ("uint64", True), "attributes": (list, False)}
STATUS = {"code": (int, True), "message": (str, False)}


def check_fields(message, fields, where):
    assert isinstance(message, dict), f"{where} is no object"
    unknown = set(message) - set(fields)
    assert not unknown, f"{where} has members that OTLP does not know: {unknown}"
    for name, (kind, needed) in fields.items():
        if name not in message:
            assert not needed, f"{where} has no {name}"
            continue
        value = message[name]
        if kind in HEX:
            assert isinstance(value, str) and HEX[kind].fullmatch(value) and set(value) != {"0"}, f"{where}.{name}: {value!r}"
        elif kind == "uint64":
            assert isinstance(value, str) and 0 <= int(value) < 2**64 and str(int(value)) == value, f"{where}.{name}: {value!r}"
        else:
            assert isinstance(value, kind) and not (kind is int and isinstance(value, bool)), f"{where}.{name}: {value!r}"


def check_attributes(attributes, where):
    keys = [a["key"] for a in attributes]
    assert len(keys) == len(set(keys)), f"{where}: an attribute comes twice: {keys}"
    for attribute in attributes:
        check_fields(attribute, {"key": (str, True), "value": (dict, True)}, where)
        check_value(attribute["value"], f"{where} {attribute['key']}")


def check_value(value, where):
    assert len(value) == 1 and set(value) <= set(VALUE_TYPES), f"{where}: {value}"
    (kind, held), = value.items()
    assert isinstance(held, VALUE_TYPES[kind]), f"{where}: {value}"
    if kind == "intValue":
        assert str(int(held)) == held
    if kind == "arrayValue":
        check_fields(held, {"values": (list, True)}, where)
        for one in held["values"]:
            check_value(one, where)


def check_request(request):
    """All spans of an ExportTraceServiceRequest, once it is one."""
    check_fields(request, {"resourceSpans": (list, True)}, "request")
    spans = []
    for of_resource in request["resourceSpans"]:
        check_fields(of_resource, {"resource": (dict, True), "scopeSpans": (list, True), "schemaUrl": (str, False)}, "resourceSpans")
        check_fields(of_resource["resource"], {"attributes": (list, True)}, "resource")
        check_attributes(of_resource["resource"]["attributes"], "resource")
        for of_scope in of_resource["scopeSpans"]:
            check_fields(of_scope, {"scope": (dict, True), "spans": (list, True), "schemaUrl": (str, False)}, "scopeSpans")
            check_fields(of_scope["scope"], {"name": (str, True), "version": (str, False)}, "scope")
            for span in of_scope["spans"]:
                check_fields(span, SPAN, "span")
                assert 1 <= span["kind"] <= 5 and int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
                check_attributes(span["attributes"], "span")
                for link in span["links"]:
                    check_fields(link, LINK, "link")
                for event in span.get("events", []):
                    check_fields(event, EVENT, "event")
                if "status" in span:
                    check_fields(span["status"], STATUS, "status")
                spans.append(span)
    return spans


def definitions():
    """OTLP's protobuf definitions as a reader of JSON; None where they cannot be had."""
    steps = ([sys.executable, "-m", "venv", "."], ["bin/pip", "-q", "install", DEFINITIONS])
    if why_not_made(VENV, DEFINITIONS.encode(), steps):
        return None
    sys.path += map(str, VENV.glob("lib/python3*/site-packages"))
    try:
        from google.protobuf import json_format
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
    except ImportError:
        return None
    return lambda text: json_format.Parse(text, trace_service_pb2.ExportTraceServiceRequest(), ignore_unknown_fields=False)


class Collector:
    """Answers with `status` and `headers`, once it is released. Keeps what came, and what was wrong with it."""

    def __init__(self):
        self.status, self.headers, self.release = 200, {}, threading.Event()
        self.release.set()
        self.paths, self.seen, self.spans, self.wrong = [], [], [], []
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.take(self.path, dict(self.headers), body)
                collector.release.wait(PATIENCE_S)
                answer = b"{}" if collector.status == 200 else b'{"message":"no"}'
                self.send_response(collector.status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(answer)), **collector.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):  # the engine ended while it was answered
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def take(self, path, headers, body):
        try:
            request = json.loads(body)
            spans = check_request(request)
        except Exception as wrong:  # told by the test's own thread
            self.wrong.append(repr(wrong))
            return
        self.paths.append(path)
        self.seen.append({"headers": headers, "request": request})
        if self.status == 200:
            self.spans += spans

    def stop(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Traces(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = f"sqlite:{folder.name}/shop.db"
        self.collector = Collector()
        self.addCleanup(self.collector.stop)
        self.carts = 0

    def start(self, endpoint=None, **environment):
        """An engine whose environment has nothing of OpenTelemetry's but this."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        if endpoint:
            clean["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
        self.engine = subprocess.Popen([MAYFLY, "serve", "--log", self.log, "--http", "127.0.0.1:0"], stderr=subprocess.PIPE,
                                       text=True, env={**clean, **environment})
        self.addCleanup(self.engine.stderr.close)
        self.addCleanup(self.engine.wait)
        self.addCleanup(lambda: self.engine.poll() is None and self.engine.kill())
        self.said = []
        for line in self.engine.stderr:
            said = json.loads(line)
            self.said.append(said)
            if said["name"] == "http":
                self.http = re.search(r"http://([^/]+)/", said["message"])[1]
            if said["name"] == "ready":
                break
        else:
            self.fail(f"the engine ended: {self.said}")
        threading.Thread(target=lambda: self.said.extend(map(json.loads, self.engine.stderr)), daemon=True).start()

    def at_collector(self):
        return f"http://127.0.0.1:{self.collector.port}"

    def wait_for(self, what, condition):
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if found := condition():
                return found
            time.sleep(0.02)
        return self.fail(f"{what}; metrics: {self.traces()}; wrong: {self.collector.wrong[:3]}; said: {self.said}")

    def send(self, commands):
        lines = "".join(json.dumps({"type": type_, "cart": cart, "data": data, **({"headers": {"traceparent": trace}} if trace else {})}) + "\n"
                        for type_, cart, data, trace in commands)
        done = subprocess.run([MAYFLY, "send", "--log", self.log, "-"], input=lines, text=True, capture_output=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def send_carts(self, count, flags="01"):
        """Creates so many carts, each by a command with a parent, and waits until they are decided."""
        before = self.carts
        self.carts += count
        self.send([("cart.create", f"cart-{n}", {"currency": "GBP"}, f"00-{TRACE}-{PARENT}-{flags}") for n in range(before, self.carts)])
        self.wait_for("the commands are decided", lambda: self.metric("mayfly_commands_total") >= self.carts)

    def metrics(self):
        with urllib.request.urlopen(f"http://{self.http}/metrics", timeout=PATIENCE_S) as answer:
            return answer.read().decode()

    def metric(self, name):
        return float(re.search(rf"^{re.escape(name)} (\S+)$", self.metrics(), re.M)[1])

    def traces(self):
        return {name: int(value) for name, value in re.findall(r'^mayfly_trace_spans_total\{outcome="(\w+)"\} (\d+)$', self.metrics(), re.M)}

    def stop(self):
        self.engine.send_signal(signal.SIGTERM)
        self.assertEqual(self.engine.wait(PATIENCE_S), 0)

    def commands(self):
        return [s for s in self.collector.spans if s["name"] == "process checkout.commands.v1"]

    def of(self, span, key):
        return next((next(iter(a["value"].values())) for a in span["attributes"] if a["key"] == key), None)

    def test_nothing_is_sent_nor_counted_unless_an_address_is_given(self):
        self.start(OTEL_TRACES_SAMPLER="always_on")
        self.send_carts(3)
        self.assertNotIn("mayfly_trace", self.metrics())
        self.stop()
        self.assertEqual(self.collector.seen, [])

    def test_commands_with_a_sampled_parent_become_spans_that_otlp_knows(self):
        self.start(self.at_collector(), OTEL_EXPORTER_OTLP_HEADERS="api-key=a%20word", OTEL_SERVICE_NAME="checkout")
        sampled, other = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"
        self.send([("cart.create", "c1", {"currency": "GBP"}, sampled),
                   ("cart.add_line", "c1", {"sku": "TEA", "quantity": 2, "unit_price_minor": 499}, other),
                   ("checkout.complete", "c1", {"expected_total_minor": 1, "payment": {"provider": "sim", "token": "tok_secret"}}, sampled),
                   ("checkout.complete", "c1", {"expected_total_minor": 998, "payment": {"provider": "sim", "token": "tok_secret"}}, sampled)])
        self.wait_for("three commands came", lambda: len(self.commands()) >= 3 and len(self.collector.spans) > 3)
        self.stop()
        self.assertEqual(self.collector.wrong, [])
        self.assertEqual(set(self.collector.paths), {"/v1/traces"})
        headers = self.collector.seen[0]["headers"]
        self.assertEqual((headers["api-key"], headers["Content-Type"]), ("a word", "application/json"))
        resource = {a["key"]: a["value"]["stringValue"] for a in self.collector.seen[0]["request"]["resourceSpans"][0]["resource"]["attributes"]}
        self.assertEqual((resource["service.name"], resource["mayfly.engine"], resource["process.pid"]), ("checkout", "mayfly", str(self.engine.pid)))
        spans = sorted(self.commands(), key=lambda s: int(self.of(s, "mayfly.offset")))
        self.assertEqual([(s["traceId"], s["parentSpanId"], s["kind"]) for s in spans], [(TRACE, PARENT, 5)] * 3)
        self.assertEqual([self.of(s, "cloudevents.event_type").split(".", 2)[2] for s in spans], ["cart.create.v1", "checkout.complete.v1", "checkout.complete.v1"])
        self.assertEqual([self.of(s, "mayfly.outcome") for s in spans], ["accepted", "rejected", "accepted"])
        self.assertEqual([self.of(s, "mayfly.rejection_code") for s in spans], [None, "total_mismatch", None])
        self.assertIn("checkout.started", [v["stringValue"] for v in self.of(spans[2], "mayfly.events")["values"]])
        commits = {s["spanId"]: s for s in self.collector.spans if s["name"].startswith("commit ")}
        for span in spans:
            commit = commits[span["links"][0]["spanId"]]
            self.assertIn(span["spanId"], [link["spanId"] for link in commit["links"]])
            self.assertLessEqual(int(commit["startTimeUnixNano"]), int(span["endTimeUnixNano"]))
        self.assertNotIn("tok_secret", json.dumps([s["request"] for s in self.collector.seen]))

    def test_otlps_own_definitions_read_what_is_sent(self):
        read = definitions()
        if read is None:
            self.skipTest(f"{DEFINITIONS} cannot be had: pip install {DEFINITIONS}")
        self.start(self.at_collector())
        self.send_carts(3)
        self.wait_for("the spans came", lambda: self.traces()["sent"] >= 4)
        self.stop()
        # Its ids are hexadecimal where protobuf's JSON has base64, which takes them too.
        messages = [read(json.dumps(seen["request"])) for seen in self.collector.seen]
        spans = [span for m in messages for of_resource in m.resource_spans for of_scope in of_resource.scope_spans for span in of_scope.spans]
        self.assertEqual(len(spans), len(self.collector.spans))
        self.assertEqual({span.name for span in spans}, {"process checkout.commands.v1", "commit checkout.commands.v1"})
        with self.assertRaises(Exception):
            read('{"resourceSpans":[{"scope_spans_":[]}]}')

    def test_what_is_away_slow_or_refuses_holds_up_no_command_and_is_counted(self):
        """One engine through it all: each kind in turn, then all is well again."""
        self.start(self.at_collector())
        for status, headers, count in ((429, {"Retry-After": "0"}, "not_taken"), (503, {}, "not_taken"), (400, {}, "refused")):
            with self.subTest(status=status):
                self.collector.status, self.collector.headers = status, headers
                before = self.traces()
                self.send_carts(20)
                self.wait_for(f"spans are counted as {count}", lambda: self.traces()[count] >= before[count] + 20)
        self.collector.status, self.collector.headers = 200, {}
        self.send_carts(5)
        self.wait_for("the collector takes spans again", lambda: self.traces()["sent"] >= 5)
        self.assertEqual(self.collector.wrong, [])
        names = lambda: [said["name"] for said in list(self.said) if said["name"].startswith("traces_")]
        self.wait_for("it is said", lambda: "traces_taken" in names())  # what reads the log may come later than the metrics
        self.assertEqual(names(), ["traces_not_taken", "traces_taken"])
        self.stop()

    def test_a_silent_collector_costs_a_bounded_queue_and_does_not_hold_up_the_end(self):
        self.collector.release.clear()  # answers nothing
        self.start(self.at_collector())
        self.send_carts(10_000)
        self.wait_for("what has no room is dropped", lambda: self.traces()["no_room"] > 0)
        self.assertLessEqual(self.metric("mayfly_trace_spans_waiting"), 8_192)
        self.assertEqual(self.metric("mayfly_commands_total"), 10_000)
        self.stop()

    def test_a_collector_that_is_away_is_said_once(self):
        with http.server.HTTPServer(("127.0.0.1", 0), None) as nobody:
            port = nobody.server_address[1]
        self.start(f"http://127.0.0.1:{port}")
        self.send_carts(10)
        self.wait_for("it is said", lambda: [s for s in self.said if s["name"] == "traces_not_taken"])
        self.stop()
        self.assertEqual(len([s for s in self.said if s["name"] == "traces_not_taken"]), 1)

    def test_what_cannot_be_is_said_and_the_engine_serves_without_traces(self):
        for environment, word in (({"endpoint": "collector:4317"}, "no address"),
                                  ({"endpoint": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "is grpc"),
                                  ({"endpoint": "http://127.0.0.1:1", "OTEL_TRACES_SAMPLER": "sometimes"}, "OTEL_TRACES_SAMPLER"),
                                  ({"endpoint": "https://127.0.0.1:1", "OTEL_EXPORTER_OTLP_CERTIFICATE": "/nowhere.pem"}, "CERTIFICATE")):
            with self.subTest(word):
                self.start(**environment)
                said = [s for s in self.said if s["name"] == "traces"]
                self.assertEqual([s["level"] for s in said], ["warning"], said)
                self.assertIn(word, said[0]["message"])
                self.assertNotIn("mayfly_trace", self.metrics())
                self.stop()


if __name__ == "__main__":
    unittest.main()

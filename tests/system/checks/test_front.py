"""The front door: commands over HTTP to a running engine and back. Usage: test_front.py MAYFLY

Every answer is checked against docs/openapi.yaml. Needs Debian's python3-yaml and python3-jsonschema.
"""
import hashlib
import http.client
import json
import pathlib
import re
import signal
import subprocess
import tempfile
import textwrap
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

import jsonschema
import yaml

from program import MAYFLY, PATIENCE_S, run

ROOT = pathlib.Path(__file__).resolve().parents[3]
OPENAPI = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())
WAIT = {"Prefer": "wait=60"}
LINE = {"sku": "A", "quantity": 2, "unit_price_minor": 100}


def described(method, path, status):
    """The schema of an answer's body in docs/openapi.yaml; None if the page does not have that answer."""
    if status == 404 and re.fullmatch(r"/carts/[^/]+/commands/.*", path):  # also where no command has that name
        path = "/carts/c1/commands/cart.create"
    path = path.partition("?")[0]
    for template, operations in OPENAPI["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method.lower() in operations:
            answer = operations[method.lower()]["responses"].get(str(status))
            while answer and "$ref" in answer:
                answer = OPENAPI["components"]["responses"][answer["$ref"].split("/")[-1]]
            return next(iter(answer.get("content", {"": {}}).items())) if answer else None
    return None


class Front:
    def __init__(self, log, *options, stderr=None):
        self.process = subprocess.Popen([MAYFLY, "front", "--log", log, "--address", "127.0.0.1:0", *options],
                                        stdout=subprocess.PIPE, stderr=stderr, text=True)
        self.port = int(re.search(r":(\d+)/", self.process.stdout.readline()).group(1))

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.process.stdout.close()
        if self.process.stderr:
            self.process.stderr.close()
        return self.process.returncode

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)
        data = body if isinstance(body, (str, bytes, type(None))) else json.dumps(body)
        connection.request(method, path, data, headers or {})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer, text

    def checked(self, method, path, body=None, headers=None):
        """Status and body of an answer that docs/openapi.yaml has as it is."""
        answer, text = self.ask(method, path, body, headers)
        content = described(method, path, answer.status)
        assert content, f"{method} {path}: docs/openapi.yaml has no {answer.status}: {text}"
        assert answer.headers["Content-Type"] == content[0], answer.headers["Content-Type"]
        told = json.loads(text)
        jsonschema.validate(told, {**content[1], "components": OPENAPI["components"]})
        return answer.status, told

    def command(self, cart, command, data, **headers):
        return self.checked("POST", f"/carts/{cart}/commands/{command}", data, {**WAIT, **{k.replace("_", "-"): v for k, v in headers.items()}})


class Events:
    """A stream of server-sent events that is read one by one."""

    def __init__(self, front, query="", last_id=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=PATIENCE_S)
        self.connection.request("GET", f"/events{query}", headers={"Last-Event-ID": last_id} if last_id else {})
        self.answer = self.connection.getresponse()
        self.id = None

    def next(self):
        """The next event's name and data; what has no data only moves the id, as the standard says."""
        name, data = "message", None
        for line in iter(self.answer.readline, b""):
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "id":
                self.id = value
            elif field == "event":
                name = value
            elif field == "data":
                data = json.loads(value)
            elif field == "" and data is not None:
                return name, data
        return None

    def close(self):
        self.connection.close()
        self.answer.close()


class WithAnEngine(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.log = f"sqlite:{folder.name}/shop.db"
        run("send", "--log", self.log, "--create", "cart.create", "c0", "currency=GBP")
        self.engine = self.serve()
        self.front = Front(self.log)
        self.addCleanup(self.front.end)

    def serve(self):
        engine = subprocess.Popen([MAYFLY, "serve", "--log", self.log, "--http", "off"], stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (engine.kill(), engine.wait()))
        return engine

    def test_a_command_that_is_waited_for_comes_back_with_its_events(self):
        status, told = self.front.command("c1", "cart.create", {"currency": "GBP"})
        self.assertEqual((status, told["decided"], [e["type"] for e in told["events"]]), (200, True, ["cart.created"]))
        status, told = self.front.command("c1", "cart.add_line", LINE)
        self.assertEqual((status, told["events"][0]["data"]["total_minor"]), (200, 200))

    def test_a_command_that_is_not_waited_for_is_durable(self):
        status, told = self.front.checked("POST", "/carts/c1/commands/cart.create", {"currency": "GBP"})
        self.assertEqual((status, told["decided"]), (202, False))
        found = run("tail", "--log", self.log, "--stream", "commands", "--from", "begin", "--json").stdout
        self.assertIn(told["id"], found)

    def test_the_trace_of_a_request_goes_with_its_command_if_it_is_one(self):
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        for cart, given, kept in (("c1", trace, trace), ("c2", trace[:-1], None), ("c3", "00-" + 32 * "0" + trace[35:], None)):
            self.front.command(cart, "cart.create", {"currency": "GBP"}, traceparent=given)
            found = run("tail", "--log", self.log, "--stream", "events", "--from", "begin", "--cart", cart, "--json").stdout
            self.assertEqual(json.loads(found)["headers"].get("traceparent"), kept, given)

    def test_the_same_key_gets_the_same_events_and_another_body_is_refused(self):
        self.front.command("c1", "cart.create", {"currency": "GBP"})
        first = self.front.command("c1", "cart.add_line", LINE, Idempotency_Key="k1")[1]
        status, again = self.front.command("c1", "cart.add_line", LINE, Idempotency_Key="k1")
        self.assertEqual((status, again["repeated"], again["events"]), (200, True, first["events"]))
        status, other = self.front.command("c1", "cart.add_line", {**LINE, "sku": "B"}, Idempotency_Key="k1")
        self.assertEqual((status, other["title"]), (422, "id_reused"))

    def test_the_same_key_gets_the_same_answer_after_the_cart_has_ended_and_another_body_none(self):
        asked = [("cart.create", {"currency": "GBP"}), ("cart.add_line", LINE), ("cart.remove_line", {"sku": "B"}), ("cart.cancel", {})]
        first = [self.front.command("c1", name, data, Idempotency_Key=f"k{n}") for n, (name, data) in enumerate(asked)]
        self.assertEqual([status for status, _ in first], [200, 200, 404, 200])
        other_front = Front(self.log)
        self.addCleanup(other_front.end)
        for front in (self.front, other_front, self.front):
            for n, (name, data) in enumerate(asked):
                status, again = front.command("c1", name, data, Idempotency_Key=f"k{n}")
                self.assertEqual((status, again["events"], again["repeated"]), (first[n][0], first[n][1]["events"], True), name)
        for key, data, answer in (("k1", {**LINE, "quantity": 9}, (422, "id_reused")), ("k9", LINE, (409, "cart_ended"))):
            status, told = self.front.command("c1", "cart.add_line", data, Idempotency_Key=key)
            self.assertEqual((status, told["title"]), answer)

    def test_a_key_holds_for_more_commands_than_a_cart_remembers_also_at_another_front_door_and_one_started_later(self):
        self.front.command("c1", "cart.create", {"currency": "GBP"})
        other = Front(self.log)
        self.addCleanup(other.end)
        first = self.front.command("c1", "cart.add_line", LINE, Idempotency_Key="k1")[1]
        for n in range(40):
            self.front.command("c1", "cart.add_line", LINE, Idempotency_Key=f"other-{n}")
        later = Front(self.log)
        self.addCleanup(later.end)
        before = self.commands()
        for front in (self.front, other, later):
            status, again = front.command("c1", "cart.add_line", LINE, Idempotency_Key="k1")
            self.assertEqual((status, again["repeated"], again["events"], again["offset"]), (200, True, first["events"], first["offset"]))
            status, told = front.command("c1", "cart.add_line", {**LINE, "quantity": 9}, Idempotency_Key="k1")
            self.assertEqual((status, told["title"]), (422, "id_reused"))
        self.assertEqual(self.commands(), before)

    def commands(self):
        return run("tail", "--log", self.log, "--stream", "commands", "--from", "begin", "--json").stdout.count('"/front/')

    def test_metrics_count_what_was_asked_and_refused(self):
        front = Front(self.log, "--http", "127.0.0.1:0")
        self.addCleanup(front.end)
        metrics = int(re.search(r"http://127.0.0.1:(\d+)/metrics", front.process.stdout.readline()).group(1))
        front.command("c1", "cart.create", {"currency": "GBP"}, Idempotency_Key="k1")
        front.command("c1", "cart.create", {"currency": "GBP"}, Idempotency_Key="k1")
        front.command("c9", "cart.add_line", LINE)
        front.checked("GET", "/carts/c1")
        front.ask("GET", "/nothing")
        stream = Events(front)
        self.addCleanup(stream.close)
        connection = http.client.HTTPConnection("127.0.0.1", metrics, timeout=PATIENCE_S)
        self.addCleanup(connection.close)
        until = time.monotonic() + PATIENCE_S
        while True:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
            if {"mayfly_front_streams_open 1", "mayfly_front_waiting_requests 0"} <= set(text.splitlines()) or time.monotonic() > until:
                break
        route = 'route="POST /carts/{cart}/commands/{command}"'
        for line in (f'mayfly_front_requests_total{{{route},status="200"}} 2', f'mayfly_front_requests_total{{{route},status="404"}} 1',
                     'mayfly_front_requests_total{route="GET /carts/{cart}",status="200"} 1', 'mayfly_front_requests_total{route="other",status="404"} 1',
                     f'mayfly_front_request_seconds_count{{{route}}} 3', 'mayfly_front_refused_total{reason="cart_unknown"} 1',
                     'mayfly_front_waiting_requests 0', 'mayfly_front_streams_open 1', 'mayfly_front_look_backs_total 1', 'mayfly_front_keys 2'):
            self.assertIn(f"\n{line}\n", text)

    def test_while_a_key_is_in_flight_it_is_refused_and_afterwards_it_has_the_answer(self):
        self.front.command("c1", "cart.create", {"currency": "GBP"})
        self.engine.kill()
        self.engine.wait()
        before = self.commands()
        with ThreadPoolExecutor() as pool:
            first = pool.submit(self.front.command, "c1", "cart.add_line", LINE, Idempotency_Key="k1")
            while self.commands() == before:
                time.sleep(0.05)
            answer, text = self.front.ask("POST", "/carts/c1/commands/cart.add_line", LINE, {"Idempotency-Key": "k1"})
            self.assertEqual((answer.status, json.loads(text)["title"], answer.headers["Retry-After"]), (409, "request_in_flight", "1"))
            other_front = Front(self.log)
            self.addCleanup(other_front.end)
            awaited = pool.submit(other_front.command, "c1", "cart.add_line", LINE, Idempotency_Key="k1")
            self.serve()
            status, told = first.result()
            self.assertEqual((status, awaited.result()[1]["events"]), (200, told["events"]))
        self.assertEqual(self.commands(), before + 1)

    def test_a_refused_command_is_a_problem_with_the_contract_s_code(self):
        self.front.command("c1", "cart.create", {"currency": "GBP"})
        self.front.command("c2", "cart.create", {"currency": "GBP"})
        self.front.command("c2", "cart.cancel", {})
        for cart, command, data, status, code in (
                ("c9", "cart.add_line", LINE, 404, "cart_unknown"),
                ("c1", "cart.create", {"currency": "GBP"}, 409, "cart_exists"),
                ("c2", "cart.add_line", LINE, 409, "cart_ended"),
                ("c1", "cart.add_line", {**LINE, "quantity": "two"}, 422, "data_invalid"),
                ("c3", "cart.create", {"currency": "XYZ"}, 422, "currency_unknown"),
                ("c1", "checkout.complete", {"expected_total_minor": 1}, 409, "cart_empty")):
            found = self.front.command(cart, command, data)
            self.assertEqual((found[0], found[1]["title"]), (status, code), found)

    def test_what_cannot_be_a_command_is_refused_and_not_appended(self):
        before = run("tail", "--log", self.log, "--stream", "commands", "--from", "begin", "--json").stdout.count("cart.")
        for path, body, headers, status, code in (
                ("/carts/c1/commands/cart.create", "{", {}, 400, "json_invalid"),
                ("/carts/c1/commands/clock.tick", {}, {}, 404, "type_unknown"),
                ("/carts/c1/commands/cart.fly", {}, {}, 404, "type_unknown"),
                ("/carts/c1/commands/cart.merge_offered", {}, {}, 404, "type_unknown"),
                ("/carts/%zz/commands/cart.create", {}, {}, 400, "cart_id_invalid"),
                ("/carts/c1/commands/cart.create", {}, {"Idempotency-Key": "k" * 129}, 400, "id_invalid"),
                ("/carts/c1/commands/cart.create", {}, {"Idempotency-Key": ""}, 400, "id_invalid"),
                ("/events", {}, {"ce-id": "1"}, 400, "not_cloudevent"),
                ("/events", "<e/>", {"Content-Type": "application/cloudevents+xml"}, 415, "format_unknown"),
                ("/events", "{}", {"Content-Type": "application/cloudevents-batch+json"}, 400, "not_cloudevent"),
                ("/events", "[]", {"Content-Type": "application/cloudevents+json"}, 400, "not_cloudevent"),
                ("/events", '{"data":' + "[" * 130_000 + "]" * 130_000 + "}", {"Content-Type": "application/cloudevents+json"}, 400,
                 "not_cloudevent")):
            found = self.front.checked("POST", path, body, headers)
            self.assertEqual((found[0], found[1]["title"]), (status, code), path)
        told = self.front.command("c1", "cart.create", '{"currency":GBP}')[1]["detail"]
        self.assertIn("not one JSON object. parse error at line 1, column 13", told)
        after = run("tail", "--log", self.log, "--stream", "commands", "--from", "begin", "--json").stdout.count("cart.")
        self.assertEqual(after, before)

    def test_a_path_that_is_not_there_is_a_problem_and_one_for_other_methods_names_them(self):
        for path in ("/", "/cart/c1", "/carts", "/carts/", "/carts/c1/", "/carts/c1/lines", "/carts/c1/commands", "/carts/c1/commands/a/b"):
            for method in ("GET", "POST", "PUT"):
                answer, text = self.front.ask(method, path)
                self.assertEqual((answer.status, answer.headers["Content-Type"], json.loads(text)["title"]),
                                 (404, "application/problem+json", "not_found"), (method, path))
        for method, path, allowed in (("POST", "/carts/c1", "GET, HEAD"), ("DELETE", "/carts/c1/events", "GET, HEAD"), ("PUT", "/events", "GET, HEAD, POST"),
                                      ("GET", "/carts/c1/commands/cart.create", "POST"), ("TRACE", "/livez", "GET, HEAD")):
            answer, _ = self.front.ask(method, path)
            self.assertEqual((answer.status, answer.headers["Allow"]), (405, allowed), (method, path))

    def test_cloudevents_binary_and_structured(self):
        binary = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "web", "ce-type": "dev.mayfly.cart.create.v1", "ce-subject": "c1"}
        self.assertEqual(self.front.checked("POST", "/events", {"currency": "GBP"}, {**WAIT, **binary})[0], 200)
        event = {"specversion": "1.0", "id": "2", "source": "web", "type": "dev.mayfly.cart.add_line.v1", "subject": "c1", "data": LINE}
        status, told = self.front.checked("POST", "/events", event, {**WAIT, "Content-Type": "application/cloudevents+json; charset=utf-8"})
        self.assertEqual((status, told["id"], told["events"][0]["type"]), (200, "2", "cart.line_added"))

    @staticmethod
    def event(cart, command, data=None, **attributes):
        return {"specversion": "1.0", "id": f"{cart}-{command}", "source": "web", "type": f"dev.mayfly.{command}.v1", "subject": cart,
                "data": data or {}, **attributes}

    def batch(self, events, **headers):
        return self.front.checked("POST", "/events", events, {"Content-Type": "application/cloudevents-batch+json; charset=utf-8", **headers})

    def test_a_batch_has_an_answer_for_each_of_its_events_and_may_be_sent_again(self):
        events = [self.event("b1", "cart.create", {"currency": "GBP"}), self.event("b1", "cart.add_line", LINE),
                  self.event("b2", "cart.create", {"currency": "EUR"}), self.event("b2", "checkout.complete", {"expected_total_minor": 1}),
                  self.event("b1", "cart.cancel")]
        status, told = self.batch(events, **WAIT)
        self.assertEqual((status, [r["status"] for r in told["results"]]), (207, [200, 200, 200, 409, 200]))
        self.assertEqual([r["cart"] for r in told["results"]], ["b1", "b1", "b2", "b2", "b1"])
        self.assertEqual([r["events"][0]["type"] for r in told["results"]],
                         ["cart.created", "cart.line_added", "cart.created", "command.rejected", "cart.canceled"])
        self.assertEqual(told["results"][3]["title"], "cart_empty")
        before = self.commands()
        status, again = self.batch(events, **WAIT)
        self.assertEqual((status, again["results"]), (207, [{**r, "repeated": True} for r in told["results"]]))
        self.assertEqual(self.commands(), before)
        status, told = self.batch([self.event(f"b{n}", "cart.create", {"currency": "GBP"}) for n in range(10, 110)], **WAIT)
        self.assertEqual((status, {r["events"][0]["type"] for r in told["results"]}), (200, {"cart.created"}))
        self.assertEqual(self.batch([], **WAIT), (200, {"results": []}))

    def test_a_batch_that_is_not_waited_for_is_durable_and_one_whose_key_is_in_flight_is_sent_again(self):
        self.engine.kill()
        self.engine.wait()
        create = self.event("b1", "cart.create", {"currency": "GBP"})
        status, told = self.batch([create])
        self.assertEqual((status, [r["status"] for r in told["results"]]), (202, [202]))
        before = self.commands()
        add = self.event("b1", "cart.add_line", LINE)
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(self.batch, [create, add], **WAIT)
            while self.commands() == before:
                time.sleep(0.05)
            answer, text = self.front.ask("POST", "/events", [self.event("b2", "cart.create", {"currency": "GBP"}), add],
                                          {"Content-Type": "application/cloudevents-batch+json"})
            self.assertEqual((answer.status, answer.headers["Retry-After"]), (503, "1"), text)
            self.assertEqual([json.loads(text)[name] for name in ("title", "index")], ["request_in_flight", 1])
            self.assertEqual([r["status"] for r in json.loads(text)["results"]], [202, 409])
            self.serve()
            status, told = waiting.result()
        self.assertEqual((status, [r["events"][0]["type"] for r in told["results"]]), (200, ["cart.created", "cart.line_added"]))

    def test_of_a_batch_with_a_faulty_event_none_is_taken_and_the_event_is_named(self):
        good = self.event("b1", "cart.create", {"currency": "GBP"})
        before = self.commands()
        for faulty, status, code, says in (
                (7, 400, "not_cloudevent", "it is no JSON object"),
                ({**good, "id": None}, 400, "not_cloudevent", "id is missing"),
                ({**good, "type": "cart.create"}, 400, "type_unknown", "dev.mayfly.NAME.v1"),
                ({**good, "type": "dev.mayfly.cart.fly.v1"}, 404, "type_unknown", "no command has that name"),
                (self.event("b2", "cart.create", {"currency": 7}), 422, "data_invalid", "currency"),
                (self.event("b2" * 65, "cart.create", {"currency": "GBP"}, id="1"), 400, "key_invalid", "no cart id"),
                (self.event("b2", "cart.create", {"currency": "GBP"}, id="k" * 129), 400, "id_invalid", "128 bytes"),
                (good, 422, "id_reused", "an earlier event of the batch")):
            got, told = self.batch([good, self.event("b3", "cart.create", {"currency": "GBP"}), faulty, 8], **WAIT)
            self.assertEqual((got, told["title"], told["index"]), (status, code, 2), told)
            self.assertIn("event 2 of the batch", told["detail"])
            self.assertIn(says, told["detail"])
        status, told = self.batch([self.event(f"b{n}", "cart.create", {"currency": "GBP"}) for n in range(101)], **WAIT)
        self.assertEqual((status, told["title"]), (413, "batch_too_long"))
        self.assertEqual(self.commands(), before)

    def test_a_cloudevent_that_is_none_is_told_why(self):
        event = {"specversion": "1.0", "id": "1", "source": "web", "type": "dev.mayfly.cart.create.v1", "subject": "c1", "data": {"currency": "GBP"}}
        structured = {"Content-Type": "application/cloudevents+json"}
        for change, says in (({"specversion": "0.3"}, "specversion is not 1.0"), ({"specversion": None}, "specversion is missing"), ({"id": 7}, "id is no text"),
                             ({"subject": ""}, "subject is missing"), ({"source": None}, "source is missing"), ({"traceparent": []}, "traceparent is no text"),
                             ({"data_base64": "e30="}, "data_base64 is for"), ({"datacontenttype": "text/xml"}, "datacontenttype is not JSON")):
            status, told = self.front.checked("POST", "/events", {**event, **change}, structured)
            self.assertEqual((status, told["title"]), (400, "not_cloudevent"), change)
            self.assertIn(says, told["detail"])
        binary = {f"ce-{name}": value for name, value in event.items() if name != "data"}
        for change, says in (({"ce-specversion": "2.0"}, "specversion is not 1.0"), ({"ce-id": ""}, "id is missing"), ({"ce-subject": "%4"}, "subject is no text")):
            status, told = self.front.checked("POST", "/events", event["data"], {**binary, **change})
            self.assertEqual((status, told["title"]), (400, "not_cloudevent"), change)
            self.assertIn(says, told["detail"])
        status, told = self.front.checked("POST", "/events", event["data"], {**WAIT, **binary, "ce-subject": "a%2Fb%20%C3%A9%25"})
        self.assertEqual((status, told["cart"]), (200, "a/b é%"))

    def test_the_requests_of_the_cloudevents_conformance_suite_are_read(self):
        feature = ROOT.parent / "shared/data/cloudevents/features/http-protocol-binding.feature"
        if not feature.is_file():
            self.skipTest(f"{feature} is not here")
        count = 0
        for outline in feature.read_text().split("Scenario Outline:")[1:]:
            request = textwrap.dedent(outline.split('"""')[1]).strip()
            for content_type in re.findall(r"^\s*\| (application/\S.*?)\s*\|", outline.split("Examples:")[1], re.M):
                head, _, body = request.partition("\n\n")
                headers = dict(line.split(": ", 1) for line in head.split("\n")[1:])
                del headers["Content-Length"], headers["Host"]
                headers["Content-Type"] = content_type
                if "ce-id" in headers:
                    headers |= {"ce-type": "dev.mayfly.cart.create.v1", "ce-subject": "c1"}
                else:
                    body = json.dumps({**json.loads(body), "type": "dev.mayfly.cart.create.v1", "subject": "c1"})
                answer, text = self.front.ask("POST", "/events", body, headers)
                told = json.loads(text)  # it was read, and its data are those of no command
                self.assertEqual((answer.status, told["detail"]), (422, "currency is missing"), (content_type, text))
                count += 1
        self.assertEqual(count, 4)

    def test_a_cart_s_events_are_read_by_its_percent_encoded_id(self):
        self.front.command("a%2Fb%20%C3%A9", "cart.create", {"currency": "GBP"})
        status, events = self.front.checked("GET", "/carts/a%2Fb%20%C3%A9/events")
        self.assertEqual((status, [e["key"] for e in events]), (200, ["a/b é"]))
        self.assertEqual(self.front.checked("GET", "/carts/nobody/events")[1]["title"], "cart_unknown")

    def test_a_cart_is_told_as_it_is_and_where_that_was_read(self):
        self.assertEqual(self.front.checked("GET", "/carts/c1")[1]["title"], "cart_unknown")
        self.front.command("c1", "cart.add_line", LINE)  # refused, and no cart comes of it
        self.assertEqual(self.front.checked("GET", "/carts/c1")[1]["title"], "cart_unknown")
        self.front.command("c1", "cart.create", {"currency": "GBP"})
        self.front.command("c1", "cart.add_line", LINE)
        self.front.command("c1", "cart.adjust", {"adjustments": [{"kind": "fee", "label": "wrapping", "amount_minor": 50}]})
        status, cart = self.front.checked("GET", "/carts/c1")
        self.assertEqual((status, cart["state"], cart["total_minor"], cart["lines"][0]["sku"], cart["from"]["stream"]),
                         (200, "active", 250, "A", "state"))
        newest = self.front.checked("GET", "/carts/c1/events")[1][-1]
        self.assertEqual(str(cart["sequence"]), newest["headers"]["ce_sequence"])
        self.assertEqual(cart["adjustments"], [{"kind": "fee", "label": "wrapping", "amount_minor": 50}])
        self.front.command("c1", "cart.cancel", {"reason": "enough"})
        cart = self.front.checked("GET", "/carts/c1")[1]
        self.assertEqual((cart["state"], cart["outcome"], cart["reason"], cart["sequence"], cart["from"]["stream"]),
                         ("ended", "canceled", "enough", 4, "events"))

    def test_a_cart_that_has_not_changed_is_not_sent_again(self):
        self.front.command("c1", "cart.create", {"currency": "GBP"})
        tag = self.front.ask("GET", "/carts/c1")[0].headers["ETag"]
        for asked, status in ((tag, 304), (f'"other", W/{tag}', 304), ("*", 304), ('"other"', 200), ("", 200)):
            answer, text = self.front.ask("GET", "/carts/c1", headers={"If-None-Match": asked})
            self.assertEqual((answer.status, bool(text), answer.headers["ETag"]), (status, status == 200, tag), asked)
            self.assertIsNotNone(described("GET", "/carts/c1", answer.status))
        self.front.command("c1", "cart.add_line", LINE)
        answer = self.front.ask("GET", "/carts/c1", headers={"If-None-Match": tag})[0]
        self.assertEqual((answer.status, answer.headers["ETag"] != tag), (200, True))

    def test_events_are_streamed_as_they_come_and_gone_on_with_after_a_restart(self):
        stream = Events(self.front, "?cart=c1")
        self.addCleanup(stream.close)
        self.assertEqual((stream.answer.status, stream.answer.headers["Content-Type"]), (200, "text/event-stream"))
        self.assertEqual(described("GET", "/events", 200)[0], "text/event-stream")
        self.front.command("c2", "cart.create", {"currency": "GBP"})
        self.front.command("c1", "cart.create", {"currency": "GBP"})
        name, record = stream.next()
        self.assertEqual((name, record["key"], record["data"]["currency"]), ("cart.created", "c1", "GBP"))
        self.assertEqual(self.front.end(), 0)
        self.assertIsNone(stream.next())  # ended
        self.front = Front(self.log)
        self.addCleanup(self.front.end)
        self.front.command("c1", "cart.add_line", LINE)
        stream = Events(self.front, "?cart=c1", stream.id)
        self.addCleanup(stream.close)
        self.assertEqual(stream.next()[0], "cart.line_added")

    def test_streamed_events_are_those_of_the_log_each_once_over_many_interruptions(self):
        def shop():
            for n in range(100):
                self.front.command(f"s{n}", "cart.create", {"currency": "GBP"})
        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(shop)
            got, last_id = [], None
            while len(got) < 101:  # with the one of setUp
                stream = Events(self.front, "?from=begin", last_id)
                for _ in range(7):
                    got.append(stream.next()[1])
                    last_id = stream.id
                    if len(got) == 101:
                        break
                stream.close()
            writing.result()
        found = run("tail", "--log", self.log, "--stream", "events", "--from", "begin", "--json").stdout.splitlines()
        in_order = lambda records: sorted(records, key=lambda r: (r["partition"], r["offset"]))
        self.assertEqual(in_order(got), in_order(json.loads(line) for line in found))

    def test_a_stream_that_cannot_be_is_a_problem(self):
        for query, last_id, code in (("?card=c1", None, "query_invalid"), ("", "0:999999", "last_event_id_invalid"),
                                     ("", "what", "last_event_id_invalid")):
            status, told = self.front.checked("GET", f"/events{query}", headers={"Last-Event-ID": last_id} if last_id else {})
            self.assertEqual((status, told["title"]), (400, code))

    def test_without_an_engine_it_is_durable_and_decided_later(self):
        self.engine.kill()
        self.engine.wait()
        told = self.front.checked("POST", "/carts/c1/commands/cart.create", {"currency": "GBP"}, {"Prefer": "wait=1", "Idempotency-Key": "k"})
        self.assertEqual((told[0], told[1]["decided"]), (202, False))
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(self.front.command, "c1", "cart.create", {"currency": "GBP"}, Idempotency_Key="k")
            self.serve()
            status, told = waiting.result()
        self.assertEqual((status, [e["type"] for e in told["events"]]), (200, ["cart.created"]))

    def test_beyond_its_connections_the_one_that_has_waited_longest_for_its_client_ends(self):
        few = Front(self.log, "--connections", "3")
        self.addCleanup(few.end)
        idle = [http.client.HTTPConnection("127.0.0.1", few.port, timeout=PATIENCE_S) for _ in range(5)]
        for connection in idle:
            self.addCleanup(connection.close)
            connection.request("GET", "/livez")
            self.assertEqual(connection.getresponse().read(), b"alive\n")
        self.assertEqual(idle[0].sock.recv(1), b"", "it is still open")

    def test_many_wait_at_once_and_each_gets_its_own(self):
        def both(n):
            self.front.command(f"m{n}", "cart.create", {"currency": "GBP"})
            return self.front.command(f"m{n}", "cart.add_line", {**LINE, "unit_price_minor": n})[1]["events"]
        with ThreadPoolExecutor(50) as pool:
            for n, events in enumerate(pool.map(both, range(200))):
                self.assertEqual([e["data"]["total_minor"] for e in events], [2 * n])


class WithTheDemo(unittest.TestCase):
    def test_a_cart_is_paid_through_http_alone(self):
        demo = subprocess.Popen([MAYFLY, "demo", "--http", "off", "--front", "127.0.0.1:0", "--silence", "0", "--decline", "0", "--out-of-stock", "0"],
                                stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (demo.terminate(), demo.wait(), demo.stdout.close()))
        front = Front.__new__(Front)  # the demo's own
        front.port = int(next(re.search(r"over HTTP at http://127.0.0.1:(\d+)/", line).group(1) for line in demo.stdout if "over HTTP" in line))
        front.command("mine", "cart.create", {"currency": "GBP"})
        front.command("mine", "cart.add_line", LINE)
        payment = {"expected_total_minor": 200, "payment": {"provider": "sim", "token": "t"}}
        self.assertEqual(front.command("mine", "checkout.complete", payment)[0], 200)
        types = []
        end = time.monotonic() + PATIENCE_S
        while "cart.converted" not in types and time.monotonic() < end:
            self.assertEqual(front.checked("GET", "/carts/mine")[0], 200)  # in whatever state it is
            types = [e["headers"]["ce_type"][11:-3] for e in front.checked("GET", "/carts/mine/events")[1]]
        self.assertEqual([t for t in types if t in ("order.placed", "cart.converted")], ["order.placed", "cart.converted"])


class Tokens(unittest.TestCase):
    def test_each_may_do_what_its_line_says(self):
        with tempfile.TemporaryDirectory() as folder:
            log = f"sqlite:{folder}/shop.db"
            run("send", "--log", log, "--create", "cart.create", "c1", "currency=GBP")
            lines = [f"{name} {scopes} {hashlib.sha256(name.encode()).hexdigest()}" for name, scopes in
                     (("web", "shop,read"), ("pay", "connector"))]
            tokens = pathlib.Path(folder) / "tokens"
            tokens.write_text("# who\n\n" + "\n".join(lines) + "\n")
            front = Front(log, "--tokens", str(tokens))
            self.addCleanup(front.end)
            add, reserved = "/carts/c1/commands/cart.add_line", "/carts/c1/commands/inventory.reserved"
            capture = "/carts/c1/commands/payment.capture"
            for token, method, path, body, status in (
                    ("web", "POST", add, LINE, 202), ("pay", "POST", add, LINE, 403), ("other", "POST", add, LINE, 401),
                    ("", "POST", add, LINE, 401), ("pay", "POST", reserved, {"reservation_id": "c1-r1"}, 202),
                    ("web", "POST", reserved, {"reservation_id": "c1-r1"}, 403), ("pay", "GET", "/carts/c1/events", None, 403),
                    ("web", "POST", capture, {}, 202), ("pay", "POST", capture, {}, 403),
                    ("web", "GET", "/carts/c1", None, 404), ("pay", "GET", "/carts/c1", None, 403), ("", "GET", "/carts/c1", None, 401),
                    ("pay", "GET", "/events", None, 403), ("", "GET", "/events", None, 401),
                    ("web", "GET", "/carts/c1/events", None, 404), ("", "GET", "/carts/c1/events", None, 401)):
                headers = {"Authorization": f"Bearer {token}"} if token else {}
                got, told = front.checked(method, path, body, headers)
                self.assertEqual(got, status, (token, path))
                if got == 401:
                    self.assertIn("not one of the tokens' file" if token else "a bearer token is needed", told["detail"])
            by_name = {"Authorization": "Bearer web", "Host": "api.shop.example"}  # no page of another site can send a token
            self.assertEqual(front.ask("GET", "/carts/c1", None, by_name)[0].status, 404)
            everybody_s = Front(log)
            self.addCleanup(everybody_s.end)
            self.assertEqual(everybody_s.ask("GET", "/carts/c1", None, by_name)[0].status, 421)
            sources = re.findall(r'"ce_source":"([^"]*)"', run("tail", "--log", log, "--stream", "commands", "--from", "begin", "--json").stdout)
            self.assertEqual(sources[1:], ["/front/web", "/front/pay", "/front/web"])

    def test_a_token_whose_requests_take_half_of_the_connections_waits_with_no_more(self):
        with tempfile.TemporaryDirectory() as folder:
            log = f"sqlite:{folder}/shop.db"
            run("send", "--log", log, "--create", "cart.create", "c0", "currency=GBP")
            tokens = pathlib.Path(folder) / "tokens"
            tokens.write_text("".join(f"{name} shop {hashlib.sha256(name.encode()).hexdigest()}\n" for name in ("web", "app")))
            front = Front(log, "--tokens", str(tokens), "--connections", "8")
            self.addCleanup(front.end)
            event = {"specversion": "1.0", "id": "1", "source": "s", "type": "dev.mayfly.cart.create.v1", "data": {"currency": "GBP"}}
            batch = [{**event, "subject": f"b{n}"} for n in range(5)]  # one request

            def create(cart, token):
                return front.command(cart, "cart.create", {"currency": "GBP"}, Authorization=f"Bearer {token}")

            with ThreadPoolExecutor(5) as pool:
                waiting = [pool.submit(create, f"c{n}", "web") for n in (1, 2, 3)]
                waiting.append(pool.submit(front.checked, "POST", "/events", batch,
                                           {**WAIT, "Authorization": "Bearer web", "Content-Type": "application/cloudevents-batch+json"}))
                until = time.monotonic() + PATIENCE_S
                while run("tail", "--log", log, "--stream", "commands", "--from", "begin", "--json").stdout.count("cart.create") < 9:
                    self.assertLess(time.monotonic(), until)
                self.assertEqual(create("c4", "web")[0], 202)
                waiting.append(pool.submit(create, "c5", "app"))
                self.assertEqual([one.done() for one in waiting], [False] * 5)  # no engine has decided anything
                engine = subprocess.Popen([MAYFLY, "serve", "--log", log, "--http", "off"], stderr=subprocess.DEVNULL)
                self.addCleanup(engine.wait)
                self.addCleanup(engine.kill)
                self.assertEqual([one.result()[0] for one in waiting], [200] * 5)
                self.assertEqual(create("c6", "web")[0], 200)

    def test_a_token_that_asks_too_often_is_told_when_to_ask_again_and_a_changed_file_counts(self):
        with tempfile.TemporaryDirectory() as folder:
            log = f"sqlite:{folder}/shop.db"
            run("send", "--log", log, "--create", "cart.create", "c1", "currency=GBP")
            tokens = pathlib.Path(folder) / "tokens"

            def allow(*lines):
                newer = tokens.with_suffix(".new")
                newer.write_text("".join(f"{name} read {hashlib.sha256(name.encode()).hexdigest()} {rate}\n" for name, rate in lines))
                newer.rename(tokens)

            allow(("web", "2/h"), ("other", ""), ("batch", "3/h"))
            front = Front(log, "--tokens", str(tokens))
            self.addCleanup(front.end)

            def ask(token):
                return front.checked("GET", "/carts/c1", None, {"Authorization": f"Bearer {token}"})

            self.assertEqual([ask("web")[0] for _ in range(3)], [404, 404, 429])
            answer, text = front.ask("GET", "/carts/c1", None, {"Authorization": "Bearer web"})
            self.assertEqual(json.loads(text)["title"], "rate_limited")
            self.assertTrue(0 < int(answer.headers["Retry-After"]) <= 1800)
            self.assertEqual([ask("other")[0] for _ in range(5)], [404] * 5)
            event = {"specversion": "1.0", "id": "1", "source": "s", "type": "dev.mayfly.cart.cancel.v1", "subject": "c1"}
            status, told = front.checked("POST", "/events", [event] * 3, {"Authorization": "Bearer batch", "Content-Type": "application/cloudevents-batch+json"})
            self.assertEqual((status, told["title"], told["index"]), (403, "forbidden", 0))
            self.assertEqual(ask("batch")[0], 429)
            allow(("web", "1000000/s"), ("new", ""))
            end = time.monotonic() + PATIENCE_S
            while ask("new")[0] == 401 and time.monotonic() < end:
                time.sleep(0.05)
            self.assertEqual([ask(token)[0] for token in ("new", "other", "web", "web", "web")], [404, 401, 404, 404, 404])

    def test_a_tokens_file_that_is_a_folder_for_a_while_changes_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            log = f"sqlite:{folder}/shop.db"
            run("send", "--log", log, "--create", "cart.create", "c1", "currency=GBP")
            tokens = pathlib.Path(folder) / "tokens"
            tokens.write_text(f"web read {hashlib.sha256(b'web').hexdigest()}\n")
            front = Front(log, "--tokens", str(tokens), stderr=subprocess.PIPE)
            self.addCleanup(front.end)
            tokens.rename(tokens.with_suffix(".old"))
            tokens.mkdir()
            self.assertIn("cannot be read", front.process.stderr.readline())
            self.assertEqual(front.checked("GET", "/carts/c1", None, {"Authorization": "Bearer web"})[0], 404)

    def test_what_cannot_start_says_why(self):
        with tempfile.TemporaryDirectory() as folder:
            log = f"sqlite:{folder}/shop.db"
            run("send", "--log", log, "--create", "cart.create", "c1", "currency=GBP")
            bad = pathlib.Path(folder) / "tokens"
            bad.write_text("web shop,owner " + "0" * 64 + "\n")
            for options, says in ((["--address", "0.0.0.0:0"], "is not loopback"), (["--tokens", str(bad)], "line 1: expected"),
                                  (["--tokens", f"{folder}/none"], "cannot be read"), (["--tokens", folder], "cannot be read"),
                                  (["--address", "nowhere"], "nowhere"), (["--connections", "0"], "--connections")):
                done = run("front", "--log", log, *options)
                self.assertEqual(done.returncode, 2, options)
                self.assertIn(says, done.stderr)


class Page(unittest.TestCase):
    def test_paths_of_the_openapi_page_and_of_http_md_are_the_same(self):
        text = (ROOT / "docs/http.md").read_text()
        told = {(method, path) for method, path in re.findall(r"^\| `(GET|POST) (/\S*)` \|", text, re.M)}
        written = {(method.upper(), re.sub(r"/commands/[a-z._]+$", "/commands/{command}", path))
                   for path, operations in OPENAPI["paths"].items() for method in operations}
        self.assertEqual(told, written)

    def test_every_command_of_the_contract_that_may_be_sent_is_in_the_openapi_page_with_its_data(self):
        contract = yaml.safe_load((ROOT / "docs/asyncapi.yaml").read_text())["components"]["messages"]
        data = {name.removeprefix("command."): message["payload"]["$ref"] for name, message in contract.items()
                if name.startswith("command.") and "From: the engine" not in message["summary"]}
        written = {}
        for path, operations in OPENAPI["paths"].items():
            if command := re.search(r"/commands/([a-z._]+)$", path):
                body = operations["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
                self.assertEqual(operations["post"]["operationId"], command.group(1))
                written[command.group(1)] = body.removeprefix("asyncapi.yaml")
        self.assertEqual(written, data)


if __name__ == "__main__":
    unittest.main()

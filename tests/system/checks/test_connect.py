"""The connector over HTTP: webhooks out and in, round a running engine on SQLite. Usage: test_connect.py MAYFLY

The receiver checks signatures by itself, loses answers, refuses some requests, and plays inventory and provider in its
answers. MAYFLY_SEED chooses which requests go wrong. Nothing here is timed: it waits for what must come.
"""
import base64
import collections
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))
import free_ports  # noqa: E402

from program import MAYFLY, PATIENCE_S, run

CONTRACT = ["/usr/bin/python3", str(pathlib.Path(__file__).parent / "asyncapi.py")]
SEED = int(os.environ.get("MAYFLY_SEED", "1"))
CARTS = 40
SECRET = "whsec_" + base64.b64encode(b"a key of 24 bytes or more").decode()
OLD_SECRET = "whsec_" + base64.b64encode(b"another key that is older").decode()
STRIPE_SECRET = "whsec_of_stripe"
# Whoever waits for an answer here waits for this test, however long it takes.
ENGINE = """[decisions]
reservation_wait_s = 86400
authorization_wait_s = 86400
capture_wait_s = 86400
"""
REQUESTS = ["inventory.reservation_requested", "inventory.commit_requested", "payment.authorization_requested",
            "payment.capture_requested"]


def key_of(secret):
    return base64.b64decode(secret.removeprefix("whsec_"))


def standard(identity, seconds, body, secret=SECRET):
    signed = f"{identity}.{seconds}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key_of(secret), signed, hashlib.sha256).digest()).decode()


def reply_to(event):
    """What a warehouse and a provider that always can answer; None where no answer is expected."""
    name, data = event["type"][len("dev.mayfly."):-len(".v1")], event["data"]
    if name == "inventory.reservation_requested":
        return {"type": "inventory.reserved", "data": {"reservation_id": data["reservation_id"]}}
    if name == "inventory.commit_requested":
        return None
    kind = {"payment.authorization_requested": "payment.authorized", "payment.capture_requested": "payment.captured"}[name]
    return {"type": kind, "data": {"session_id": data["session_id"], "reference": "pi_" + data["session_id"],
                                   "amount_minor": data["amount_minor"], "currency": data["currency"]}}


class Receiver:
    """Counts what comes. `trouble` says of a request what goes wrong: None, a status, or "lost": handled, not answered."""

    def __init__(self, trouble=lambda event, attempt: None, secrets=(SECRET,), reply=reply_to):
        self.arrived = threading.Condition()
        self.attempts = collections.Counter()  # by webhook-id
        self.handled = []                      # (cart, id) in order, repeats too
        self.wrong = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.take(self, body, trouble, secrets, reply)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # a connector that was killed
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/mayfly?x=1"

    def take(self, request, body, trouble, secrets, reply):
        headers, event = request.headers, json.loads(body)
        given = (headers["webhook-signature"] or "").split(" ")
        wanted = [standard(headers["webhook-id"], headers["webhook-timestamp"], body, secret) for secret in secrets]
        with self.arrived:
            if given != wanted:
                self.wrong.append(f"signatures {given}, not {wanted}")
            if (event["specversion"], event["id"]) != ("1.0", headers["webhook-id"]) or request.path != "/mayfly?x=1":
                self.wrong.append(f"{request.path} {dict(headers)} {event}")
            self.attempts[event["id"]] += 1
            fault = trouble(event, self.attempts[event["id"]])
            if fault in (None, "lost"):
                self.handled.append((event["subject"], event["id"]))
            self.arrived.notify_all()
        if fault == "lost":
            request.close_connection = True
            return
        said = reply(event) if fault is None else {"why": "not now"}
        text = json.dumps(said).encode() if said is not None else b""
        request.send_response(fault or 200)
        if fault == 503:
            request.send_header("Retry-After", "0")
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    def wait_for(self, condition):
        with self.arrived:
            if not self.arrived.wait_for(lambda: condition(self), PATIENCE_S):
                raise AssertionError("it never came to that")

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class WithAnEngine(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.log = f"sqlite:{folder.name}/shop.db"
        self.secret = self.file("secret", SECRET + "\n")
        run("send", "--log", self.log, "--create", "cart.create", "c0", "currency=GBP")
        self.engine = subprocess.Popen([MAYFLY, "serve", "--log", self.log, "--http", "off", "--config",
                                        self.file("engine.toml", ENGINE)], stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (self.engine.kill(), self.engine.wait()))

    def file(self, name, text):
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)
        return str(path)

    def receiver(self, *arguments, **named):
        receiver = Receiver(*arguments, **named)
        self.addCleanup(receiver.close)
        return receiver

    def deliver(self, receiver, name="shop", types=tuple(REQUESTS), more='replies = "inventory payment"'):
        return f'[connect.deliver.{name}]\nurl = "{receiver.url}"\ntypes = "{" ".join(types)}"\nsecret_file = "{self.secret}"\n{more}\n'

    def connect(self, config):
        """A connector that runs, and its first lines."""
        process = subprocess.Popen([MAYFLY, "connect", "--log", self.log, "--config", self.file("connect.toml", config)],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (process.poll() is None and process.kill(), process.communicate()))
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("connected"):
                return process, said
        self.fail(process.stderr.read())

    def end(self, process):
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE_S)
        self.assertEqual(process.returncode, 0, err)
        return out, err

    def send(self, *commands):
        lines = "".join(json.dumps({"type": kind, "cart": cart, "data": data}) + "\n" for kind, cart, data in commands)
        done = run("send", "--log", self.log, "-", stdin=lines)
        self.assertEqual(done.returncode, 0, done.stderr)

    def check_out(self, *carts):
        for cart in carts:
            self.check_out_of(cart, "A")

    def check_out_of(self, cart, sku):
        self.send(("cart.create", cart, {"currency": "GBP"}),
                  ("cart.add_line", cart, {"sku": sku, "quantity": 2, "unit_price_minor": 100}),
                  ("checkout.complete", cart, {"expected_total_minor": 200, "payment": {"provider": "p", "token": "t"}}))

    def records(self, stream="events", *words):
        out = run("tail", "--log", self.log, "--stream", stream, "--from", "begin", "--json", *words).stdout
        return [json.loads(line) for line in out.splitlines()]

    def wait_until(self, condition):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if found := condition():
                return found
        self.fail("it never came to that")

    def completed(self):
        return {record["key"] for record in self.records("events", "--type", "checkout.completed")}

    def fits_the_contract(self):
        done = subprocess.run([*CONTRACT, MAYFLY, self.log], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Outgoing(WithAnEngine):
    def test_lost_answers_failures_and_kills_lose_nothing_and_keep_each_cart_s_order(self):
        print(f"seed {SEED}")

        def trouble(event, attempt):
            chances = random.Random(f"{SEED} {event['id']} {attempt}")
            return chances.choice([None, None, "lost", 500, 503, 429]) if attempt <= 3 else None

        receiver = self.receiver(trouble)
        config = self.deliver(receiver)
        carts = [f"c{n}" for n in range(1, CARTS + 1)]
        connector, _ = self.connect(config)
        self.check_out(*carts)
        for handled in (20, 60, 100):
            receiver.wait_for(lambda r, least=handled: len(r.handled) >= least)
            connector.kill()  # SIGKILL, in the middle of what it does
            connector.communicate()
            connector, _ = self.connect(config)
        self.wait_until(lambda: self.completed() == set(carts))
        wanted = collections.defaultdict(list)
        for record in self.records("events", *[word for kind in REQUESTS for word in ("--type", kind)]):
            wanted[record["key"]].append(record["headers"]["ce_id"])
        ids = {identity for of_cart in wanted.values() for identity in of_cart}
        receiver.wait_for(lambda r: {identity for _, identity in r.handled} >= ids)
        self.end(connector)
        self.assertEqual(receiver.wrong, [])
        first = collections.defaultdict(list)
        for cart, identity in receiver.handled:
            if identity not in first[cart]:
                first[cart].append(identity)
        self.assertEqual(first, wanted)
        self.assertEqual(len(ids), 4 * CARTS)
        self.assertEqual(self.records("alerts"), [])
        refused = [record for record in self.records("events", "--type", "command.rejected")]
        self.assertEqual(refused, [])
        self.fits_the_contract()

    def test_an_event_that_is_refused_is_parked_in_the_log_and_delivered_when_asked_for(self):
        gone = threading.Event()
        gone.set()
        receiver = self.receiver(lambda event, attempt: 410 if gone.is_set() and event["subject"] == "bad" else None)
        config = self.deliver(receiver)
        connector, _ = self.connect(config)
        self.check_out("bad", "good")
        self.wait_until(lambda: "good" in self.completed())
        alert, = self.wait_until(lambda: self.records("alerts"))
        self.assertEqual((alert["data"]["alert"], alert["headers"]["ce_subject"]), ("delivery_parked", "bad"))
        self.assertIn("answered 410", alert["data"]["message"])
        self.end(connector)
        self.fits_the_contract()
        words = ("connect", "--log", self.log, "--config", str(self.folder / "connect.toml"), "--again", alert["data"]["delivery"])
        self.assertEqual(run(*words).returncode, 1)
        gone.clear()
        self.assertEqual((run(*words).returncode, run(*words[:-1], "shop:0:999").returncode, run(*words[:-1], "x").returncode), (0, 2, 2))
        connector, _ = self.connect(config)
        self.wait_until(lambda: "bad" in self.completed())
        self.end(connector)
        self.assertEqual(receiver.attempts["%s" % alert["headers"]["ce_id"].split("-delivery")[0]], 3)

    def test_its_metrics_say_what_was_delivered_and_what_was_parked(self):
        receiver = self.receiver(lambda event, attempt: 410 if event["subject"] == "bad" else None)
        connector, said = self.connect('[connect]\nhttp = "127.0.0.1:0"\n' + self.deliver(receiver))
        address = next(line for line in said if line.startswith("metrics at ")).split()[-1]

        def metrics():
            with urllib.request.urlopen(address, timeout=PATIENCE_S) as answer:
                return dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if not line.startswith("#"))

        self.check_out("bad", "good")
        self.wait_until(lambda: "good" in self.completed())
        count = 'mayfly_connect_deliveries_total{delivery="shop",outcome="%s"}'
        self.wait_until(lambda: (at := metrics())[count % "parked"] == "1" and int(at[count % "delivered"]) > 2)
        self.wait_until(lambda: {metrics()[f'mayfly_connect_{name}{{delivery="shop"}}'] for name in ("waiting_events", "lag_records", "oldest_seconds")} == {"0"})
        with urllib.request.urlopen(address.replace("/metrics", "/livez"), timeout=PATIENCE_S) as answer:
            self.assertEqual(answer.status, 200)
        self.end(connector)

    def test_an_answer_that_is_no_reply_is_tried_again_and_said(self):
        answers = iter(["OK", {"type": "cart.cancel", "data": {}}, {"type": "inventory.reserved", "data": {}}, {"ok": True}, 5])
        receiver = self.receiver(reply=lambda event: next(answers, None) or reply_to(event))
        connector, _ = self.connect(self.deliver(receiver))
        self.check_out("c1")
        self.wait_until(lambda: self.completed() == {"c1"})
        _, err = self.end(connector)
        self.assertIn("does not take events: answered 200 with no reply", err)

    def test_where_replies_are_not_asked_for_any_answer_will_do_and_a_secret_that_goes_still_signs(self):
        self.secret = self.file("secret", f"{SECRET} {OLD_SECRET}\n")
        receiver = self.receiver(secrets=(SECRET, OLD_SECRET), reply=lambda event: "thanks")
        connector, _ = self.connect(self.deliver(receiver, types=["cart.created"], more=""))
        receiver.wait_for(lambda r: r.handled == [("c0", r.handled[0][1])] if r.handled else False)
        out, _ = self.end(connector)
        self.assertIn("shop: 1 delivered, 0 failed attempts, 0 parked", out)
        self.assertEqual(receiver.wrong, [])

    def test_a_connector_that_is_away_goes_on_where_it_was(self):
        receiver = self.receiver(reply=lambda event: None)
        config = self.deliver(receiver, types=["cart.created"], more="")
        for count, cart in enumerate(("c0", "a1", "a2"), 1):
            connector, _ = self.connect(config)
            receiver.wait_for(lambda r, least=count: len(r.handled) >= least)
            self.end(connector)
            if count < 3:
                self.send(("cart.create", f"a{count}", {"currency": "GBP"}))
        self.assertEqual([cart for cart, _ in receiver.handled], ["c0", "a1", "a2"])


class Incoming(WithAnEngine):
    def hooks(self):
        stripe = self.file("stripe", STRIPE_SECRET)
        both = self.file("both", f"{SECRET}\n{OLD_SECRET}\n")
        _, said = self.connect(f"""[connect]
listen = "127.0.0.1:0"
[connect.hooks.plain]
secret_file = "{both}"
[connect.hooks.stripe]
scheme = "stripe"
secret_file = "{stripe}"
cart = "data.object.metadata.cart"
[connect.hooks.stripe."payment_intent.amount_capturable_updated"]
command = "payment.authorized"
session_id = "data.object.metadata.session_id"
reference = "data.object.id"
amount_minor = "data.object.amount_capturable"
currency = "data.object.currency"
""")
        self.port = int(said[0].split("127.0.0.1:")[1].split("/")[0])

    def post(self, path, body, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, json.loads(text)

    def plain(self, identity, body, secret=SECRET, at=None, **others):
        data, seconds = json.dumps(body).encode(), str(int(time.time()) if at is None else at)
        headers = {"webhook-id": identity, "webhook-timestamp": seconds, "webhook-signature": standard(identity, seconds, data, secret)}
        return self.post("/hooks/plain", data, {**headers, **others})

    def stripe(self, event, secret=STRIPE_SECRET):
        data, seconds = json.dumps(event).encode(), str(int(time.time()))
        mac = hmac.new(secret.encode(), f"{seconds}.".encode() + data, hashlib.sha256).hexdigest()
        return self.post("/hooks/stripe", data, {"Stripe-Signature": f"t={seconds},v1={'0' * 64},v1={mac},v0=x"})

    def at_payment(self, cart):
        self.check_out(cart)
        self.wait_until(lambda: self.records("events", "--type", "inventory.reservation_requested"))
        reserved = {"type": "inventory.reserved", "cart": cart, "data": {"reservation_id": f"{cart}-r1"}}
        for _ in range(3):
            status, _ = self.plain("msg-1", reserved)
            self.assertEqual(status, 202)
        self.wait_until(lambda: self.records("events", "--type", "payment.authorization_requested"))

    def test_a_webhook_is_stored_before_it_is_acknowledged_and_a_repeated_one_is_decided_once(self):
        self.hooks()
        self.at_payment("c1")
        event = {"id": "evt_1", "type": "payment_intent.amount_capturable_updated",
                 "data": {"object": {"id": "pi_1", "amount_capturable": 200, "currency": "gbp",
                                     "metadata": {"cart": "c1", "session_id": "c1-p1"}}}}
        told = [self.stripe(event) for _ in range(3)]
        self.assertEqual([status for status, _ in told], [202, 202, 202])
        at = [(record["partition"], record["offset"]) for record in self.records("commands") if record["headers"]["ce_id"] == "evt_1"]
        self.assertEqual(at, [(answer["partition"], answer["offset"]) for _, answer in told])
        self.wait_until(lambda: self.records("events", "--type", "payment.capture_requested"))
        for kind in ("order.placed", "payment.authorized", "inventory.commit_requested"):
            self.assertEqual(len(self.records("events", "--type", kind)), 1, kind)
        self.assertEqual(self.records("events", "--type", "command.rejected"), [])
        self.fits_the_contract()

    def test_only_who_has_a_secret_is_heard_and_only_in_time(self):
        self.hooks()
        reserved = {"type": "inventory.reserved", "cart": "c1", "data": {"reservation_id": "c1-r1"}}
        now = int(time.time())
        event = {"id": "evt_1", "type": "x", "data": {"object": {"metadata": {"cart": "c1"}}}}
        rows = (
            ("under another name of this machine", self.plain("m", reserved, Host="hooks.shop.example"), 202),
            ("the older secret", self.plain("m", reserved, OLD_SECRET), 202),
            ("another secret", self.plain("m", reserved, "whsec_" + base64.b64encode(b"x" * 24).decode()), 401),
            ("a day ago", self.plain("m", reserved, at=now - 86_400), 401),
            ("in a day", self.plain("m", reserved, at=now + 86_400), 401),
            ("another id than was signed", self.plain("m", reserved, **{"webhook-id": "n"}), 401),
            ("no signature", self.post("/hooks/plain", b"{}", {}), 401),
            ("no such hook", self.post("/hooks/else", b"{}", {}), 404),
            ("a command of the shop", self.plain("m", {"type": "cart.cancel", "cart": "c1", "data": {}}), 422),
            ("no cart", self.plain("m", {"type": "inventory.reserved", "data": {"reservation_id": "c1-r1"}}), 422),
            ("a member is missing", self.plain("m", {**reserved, "data": {}}), 422),
            ("a type that is not configured", self.stripe(event), 200),
            ("Stripe with another secret", self.stripe(event, "whsec_x"), 401),
        )
        for what, (status, told), wanted in rows:
            self.assertEqual(status, wanted, f"{what}: {told}")
        before = [record for record in self.records("commands") if record["headers"]["ce_source"].startswith("/hooks/")]
        self.assertEqual(len(before), 2)


class Example(WithAnEngine):
    def test_the_warehouse_of_the_page_reserves_what_it_has_and_refuses_what_it_has_not(self):
        port = free_ports.one()
        environment = {**os.environ, "SECRET": SECRET}
        warehouse = subprocess.Popen([sys.executable, str(ROOT / "examples/warehouse/warehouse.py"), str(port)], env=environment,
                                     stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (warehouse.kill(), warehouse.wait()))
        os.environ["SECRET"] = SECRET
        connector, _ = self.connect((ROOT / "examples/connect.toml").read_text().replace(":8080", f":{port}"))
        self.check_out_of("c1", "TEA")
        self.check_out_of("c2", "HAT")
        requested, = self.wait_until(lambda: self.records("events", "--type", "payment.authorization_requested"))
        reopened, = self.wait_until(lambda: self.records("events", "--type", "checkout.reopened"))
        self.assertEqual((requested["key"], reopened["key"], reopened["data"]["skus"]), ("c1", "c2", ["HAT"]))
        self.end(connector)


class Config(unittest.TestCase):
    def test_a_wrong_config_ends_with_3_and_says_no_secret(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "connect.toml"
            words = ("connect", "--log", f"sqlite:{folder}/none.db", "--config", str(path), "--check-config")
            good = '[connect.deliver.a]\nurl = "http://127.0.0.1:1/"\ntypes = "order.placed"\nsecret_env = "MAYFLY_TEST_SECRET"\n'
            path.write_text(good)
            os.environ["MAYFLY_TEST_SECRET"] = SECRET
            self.assertEqual(run(*words).returncode, 0, run(*words).stderr)
            self.assertEqual(run(*words[:-1]).returncode, 2)  # there is no such log
            os.environ["MAYFLY_TEST_SECRET"] = "whsec_c2hvcnQ="
            done = run(*words)
            self.assertEqual((done.returncode, "c2hvcnQ" in done.stdout + done.stderr), (3, False), done.stderr)
            self.assertIn("connect.toml:4: connect.deliver.a.secret_env: a secret is whsec_", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)

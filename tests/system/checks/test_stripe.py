"""The payment service of examples/stripe between a real engine and localstripe (PyPI), over real HTTP. Usage: test_stripe.py MAYFLY

Between the service and localstripe stands Stripe, below: it adds what localstripe has not (idempotency keys, the amounts of a
PaymentIntent), loses answers, and holds the webhooks until a test sends them, as late and as often as it likes.
"""
import base64
import collections
import hashlib
import hmac
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from program import MAYFLY, PATIENCE_S

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))
import free_ports  # noqa: E402

SECRET = "whsec_bWF5Zmx5J3MgYW5kIHRoZSBzZXJ2aWNlJ3Mgc2VjcmV0"
HOOK_SECRET = "whsec_of_stripe"
VISA, DECLINED, NEEDS_CODE, NEEDS_CODE_AND_FAILS = "4242424242424242", "4000000000000341", "4000002500003155", "4000008260003178"
PAGE = "http://127.0.0.1:8000/pay"
# On loopback only, and without the file that it would keep beside every other run's.
LOCALSTRIPE = """
import asyncio, sys
from aiohttp import web
from localstripe import server, resources
resources.Store.dump_to_disk = lambda self: None
async def begin():
    runner = web.AppRunner(server.app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sys.argv[1])).start()
    print("listening", flush=True)
    await asyncio.Event().wait()
asyncio.run(begin())
"""


def python_of_localstripe():
    tool = shutil.which("localstripe")
    return tool and pathlib.Path(tool).read_text().splitlines()[0].removeprefix("#!").strip()


def call(url, body=None, headers=None, method=None):
    """Status and JSON of the answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers or {}, method=method), timeout=PATIENCE_S) as answer:
            return answer.status, json.loads(answer.read() or "null")
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read() or "null")


class Server(ThreadingHTTPServer):
    """Gives each request to `take`, which answers with a status and JSON, or None: the answer is lost."""

    def __init__(self, take):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                taken = take(self.command, self.path, body, self.headers)
                if taken is None:
                    self.close_connection = True
                    return
                text = json.dumps(taken[1]).encode()
                self.send_response(taken[0])
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.handle_error = lambda *_: None  # who asked was killed
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Stripe:
    """localstripe, and what the real one does beside. `loses` says of (path, number of times it was asked) whether the
    answer is lost (True), or another status in its place."""

    def __init__(self, test):
        self.port = free_ports.one()
        self.process = subprocess.Popen([python_of_localstripe(), "-c", LOCALSTRIPE, str(self.port)], stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()
        self.loses = lambda path, times: False
        self.changed = threading.Condition()
        self.answers = {}              # by idempotency key: (request, answer)
        self.asked = collections.Counter()
        self.received = {}             # by PaymentIntent: amount captured
        self.webhooks = []             # of localstripe, held
        self.service = None
        self.api = Server(self.take)
        self.mailbox = Server(self.hold)
        call(f"http://127.0.0.1:{self.port}/_config/webhooks/all", f"url={self.mailbox.url}/&secret=held".encode())
        test.addCleanup(lambda: (self.api.shutdown(), self.api.server_close(), self.mailbox.shutdown(), self.mailbox.server_close(),
                                 self.process.kill(), self.process.wait(), self.process.stdout.close()))

    def ask(self, method, path, **form):
        body = urllib.parse.urlencode(form).encode() if method == "POST" else None
        return self.pass_on(method, "/v1/" + path, body)[1]

    def pass_on(self, method, path, body):
        status, told = call(f"http://127.0.0.1:{self.port}{path}", body or (b"" if method == "POST" else None), {"Authorization": "Bearer sk_test_1"}, method)
        if told.get("object") == "payment_intent":
            self.add_amounts(told)
        return status, told

    def add_amounts(self, intent):
        intent["amount_received"] = self.received.get(intent["id"], 0)
        intent["amount_capturable"] = intent["amount"] if intent["status"] == "requires_capture" else 0

    def take(self, method, path, body, headers):
        with self.changed:
            key = headers["Idempotency-Key"]
            if method == "POST" and not key:
                return 400, {"error": {"type": "invalid_request_error", "message": "the test wants a key"}}
            if key not in self.answers:
                answer = self.pass_on(method, path, body)
                captured = re.fullmatch(r"/v1/payment_intents/(\w+)/capture", path)
                if captured and answer[0] == 200:
                    self.received[captured[1]] = int(urllib.parse.parse_qs(body.decode())["amount_to_capture"][0])
                    self.add_amounts(answer[1])
                if key:
                    self.answers[key] = ((path, body), answer)
            else:
                before, answer = self.answers[key]
                if before != (path, body):
                    answer = 400, {"error": {"type": "idempotency_error"}}
            self.asked[path] += 1
            self.changed.notify_all()
            fault = self.loses(path, self.asked[path])
            if fault is True:
                return None
            return (fault, {"error": {"type": "api_error", "message": "not now"}}) if fault else answer

    def hold(self, _method, _path, body, _headers):
        with self.changed:
            self.webhooks.append(json.loads(body))
            self.changed.notify_all()
        return 200, {}

    def held(self, kind):
        """Waits for a webhook of localstripe."""
        with self.changed:
            self.changed.wait_for(lambda: any(event["type"] == kind for event in self.webhooks), PATIENCE_S)
            return next(event for event in self.webhooks if event["type"] == kind)

    def send(self, event, secret=HOOK_SECRET):
        """The status of the service's answer."""
        body, seconds = json.dumps(event).encode(), str(int(time.time()))
        signature = hmac.new(secret.encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
        return call(self.service + "/stripe", body, {"Stripe-Signature": f"t={seconds},v1={signature}", "Content-Type": "application/json"})[0]

    def card(self, number):
        return self.ask("POST", "payment_methods", **{"type": "card", "card[number]": number, "card[exp_month]": 12, "card[exp_year]": 2040, "card[cvc]": "123"})["id"]

    def intents(self):
        return self.ask("GET", "payment_intents")["data"]


@unittest.skipUnless(python_of_localstripe(), "localstripe is not here: pip install localstripe")
class Payments(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.log = f"sqlite:{folder.name}/shop.db"
        self.stripe = Stripe(self)
        subprocess.run([MAYFLY, "send", "--log", self.log, "--create", "cart.create", "first", "currency=GBP"], check=True, stdout=subprocess.DEVNULL)
        self.start(MAYFLY, "serve", "--log", self.log, "--http", "off", "--config", str(ROOT / "examples/tour.toml"))
        self.front = self.start(MAYFLY, "front", "--log", self.log, "--address", "127.0.0.1:0", until=r"at (http://\S+?)/ ")

    def begin(self, **environment):
        """The service, and the connector that asks it."""
        port = free_ports.one()
        self.environment = {"STRIPE_API": self.stripe.api.url, "STRIPE_KEY": "sk_test_1", "STRIPE_HOOK": HOOK_SECRET, "SECRET": SECRET,
                            "MAYFLY_FRONT": self.front, "BOOKS": str(self.folder / "stripe.db"), **environment}
        self.service = [sys.executable, str(ROOT / "examples/stripe/payments.py"), str(port)]
        self.stripe.service = self.start(*self.service, until=r"at (http://\S+)/mayfly")
        self.asked = self.running
        config = (ROOT / "examples/stripe/connect.toml").read_text().replace(":8081/", f":{port}/")
        (self.folder / "connect.toml").write_text(config)
        self.start(MAYFLY, "connect", "--log", self.log, "--config", str(self.folder / "connect.toml"), until="(to) http")

    def start(self, *words, until=None):
        """Starts a program; what its line that fits `until` says."""
        process = self.running = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, **getattr(self, "environment", {})})
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.send_signal, signal.SIGKILL)
        return until and re.search(until, process.stdout.readline()).group(1)

    def command(self, cart, name, data):
        status, told = call(f"{self.front}/carts/{cart}/commands/{name}", json.dumps(data).encode(), {"Prefer": "wait=60"})
        self.assertEqual(status, 200, told)
        return told

    def check_out(self, cart, card, **terms):
        self.command(cart, "cart.create", {"currency": "GBP"})
        self.command(cart, "cart.add_line", {"sku": "TEA", "quantity": 2, "unit_price_minor": 500})
        token = card if card.startswith("pm_") else self.stripe.card(card)
        self.command(cart, "checkout.complete", {"expected_total_minor": 1000, "payment": {"provider": "stripe", "token": token, **terms}})
        self.command(cart, "inventory.reserved", {"reservation_id": cart + "-r1"})

    def events(self, cart, until):
        """The cart's events up to the first one of that type: by type, the data of each."""
        told, end = [], time.monotonic() + PATIENCE_S
        with urllib.request.urlopen(f"{self.front}/events?cart={cart}&from=begin", timeout=PATIENCE_S) as stream:
            for line in stream:
                field, _, value = line.decode().rstrip("\n").partition(": ")
                if field == "event":
                    told.append([value, None])
                elif field == "data":
                    told[-1][1] = json.loads(value)["data"]
                    if told[-1][0] == until:
                        return told
                elif time.monotonic() > end:
                    break
        self.fail(f"{until} did not come: {told}")

    def last(self, cart, until):
        return self.events(cart, until)[-1][1]

    def decided(self, cart):
        """All that was sent before is decided when this returns; the cart's events."""
        call(f"{self.front}/carts/{cart}/commands/cart.cancel", b"{}", {"Prefer": "wait=60"})
        return [event["headers"]["ce_type"][len("dev.mayfly."):-len(".v1")] for event in call(f"{self.front}/carts/{cart}/events")[1]]

    def intent(self):
        intent, = self.stripe.intents()
        return intent

    def authenticate(self, intent, success):
        return self.stripe.ask("POST", f"payment_intents/{intent['id']}/_authenticate", client_secret=intent["client_secret"], success=str(success).lower())

    def webhook(self, kind, thing, identity="evt_1"):
        """As Stripe makes it; localstripe makes two of its kinds only."""
        return {"id": identity, "object": "event", "type": kind, "data": {"object": thing}}

    def ask_service(self, kind, cart, secret=SECRET, **data):
        """One of Mayfly's requests, sent by hand: the answer's status and reply."""
        event = {"type": f"dev.mayfly.payment.{kind}_requested.v1", "subject": cart, "data": {"session_id": cart + "-p1", "idempotency_key": kind + cart, **data}}
        body, seconds = json.dumps(event).encode(), str(int(time.time()))
        mac = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), f"1.{seconds}.".encode() + body, hashlib.sha256).digest()
        return call(self.stripe.service + "/mayfly", body, {"webhook-id": "1", "webhook-timestamp": seconds, "webhook-signature": "v1," + base64.b64encode(mac).decode()})

    def test_a_card_is_authorized_and_captured_and_the_order_is_paid(self):
        self.begin(STRIPE_API=f"http://127.0.0.1:{self.stripe.port}")  # nothing between: as README.md has it
        self.check_out("c1", "pm_card_visa")
        self.assertEqual(self.last("c1", "checkout.completed"), {"order_id": "o-c1", "total_minor": 1000, "currency": "GBP"})
        intent = self.intent()
        self.assertEqual((intent["status"], intent["capture_method"], intent["metadata"]), ("succeeded", "manual", {"cart": "c1", "session_id": "c1-p1"}))

    def test_each_answer_of_stripe_is_lost_once_and_everything_is_done_once(self):
        self.stripe.loses = lambda path, times: times == 1
        self.begin()
        self.check_out("c1", VISA)
        self.last("c1", "checkout.completed")
        intent = self.intent()
        self.assertEqual((intent["status"], self.stripe.received), ("succeeded", {intent["id"]: 1000}))
        self.assertEqual(len(self.stripe.ask("GET", "charges")["data"]), 1)
        for step in ("", f"/{intent['id']}/capture"):  # the PaymentIntent itself says that it is confirmed
            self.assertGreater(self.stripe.asked["/v1/payment_intents" + step], 1, step)

    def test_the_service_is_killed_while_stripe_confirms_and_the_next_one_goes_on(self):
        killed = threading.Event()
        self.stripe.loses = lambda path, times: path.endswith("/confirm") and times == 1 and bool((self.asked.kill(), killed.set()))
        self.begin()
        self.check_out("c1", VISA)
        self.assertTrue(killed.wait(PATIENCE_S))
        self.asked.wait()
        self.start(*self.service, until=r"at (http://\S+)/mayfly")
        self.last("c1", "checkout.completed")
        self.assertEqual((self.intent()["status"], len(self.stripe.ask("GET", "charges")["data"])), ("succeeded", 1))

    def test_webhooks_late_doubled_and_out_of_order_change_nothing(self):
        self.begin()
        self.check_out("c1", VISA)
        self.last("c1", "checkout.completed")
        before = self.decided("c1")
        succeeded = self.stripe.held("payment_intent.succeeded")
        capturable = self.webhook("payment_intent.amount_capturable_updated", {**succeeded["data"]["object"], "status": "requires_capture"})
        for event in (succeeded, capturable, succeeded, capturable):
            self.assertEqual(self.stripe.send(event), 200)
        after = self.decided("c1")
        self.assertEqual(sorted(set(after) - set(before)), [])
        self.assertEqual(after.count("payment.captured"), 1)

    def test_three_d_secure_leaves_the_payment_open_until_the_buyer_has_typed_the_code(self):
        self.begin(PAY_PAGE=PAGE)
        self.check_out("c1", NEEDS_CODE)
        url = self.last("c1", "payment.action_required")["url"]
        intent = self.intent()
        self.assertEqual(url, f"{PAGE}?payment_intent_client_secret={intent['client_secret']}")
        updated = self.webhook("payment_intent.amount_capturable_updated", self.authenticate(intent, True))
        self.assertEqual([self.stripe.send(updated), self.stripe.send(updated)], [200, 200])
        self.last("c1", "checkout.completed")
        self.assertEqual(self.decided("c1").count("payment.authorized"), 1)

    def test_an_attempt_that_fails_leaves_the_payment_open_for_another_card(self):
        self.begin(PAY_PAGE=PAGE)
        self.check_out("c1", NEEDS_CODE)
        self.last("c1", "payment.action_required")
        failed = self.webhook("payment_intent.payment_failed", self.authenticate(self.intent(), False))
        self.assertEqual([self.stripe.send(failed), self.stripe.send(failed)], [200, 200])
        told = self.last("c1", "payment.attempt_failed")
        self.assertEqual((told["attempt"], told["reason"]), (1, "The provided PaymentMethod has failed authentication."))
        path = f"payment_intents/{told['reference']}"  # the page takes another card
        self.stripe.ask("POST", path, payment_method=self.stripe.card(VISA))
        self.assertEqual(self.stripe.ask("POST", path + "/confirm")["status"], "requires_capture")
        self.assertEqual([self.stripe.send(failed), self.stripe.send(failed)], [200, 200])  # late: what is so counts
        self.last("c1", "checkout.completed")
        self.assertEqual(self.decided("c1").count("payment.attempt_failed"), 1)

    def test_a_declined_card_ends_the_payment_where_there_is_no_page_and_the_buyer_checks_out_again(self):
        for card, reason in ((DECLINED, "Your card was declined."), (NEEDS_CODE, "The bank wants to ask the buyer."), ("pm_unknown", "Not Found")):
            with self.subTest(card):
                self.stripe.loses = lambda path, times: times == 1
                cart = "c" + card
                if not self.stripe.service:
                    self.begin()
                self.check_out(cart, card)
                self.assertEqual(self.last(cart, "payment.declined")["reason"], reason)
                self.assertEqual(self.last(cart, "checkout.reopened")["why"], "payment_declined")
                self.assertNotIn("requires_capture", [intent["status"] for intent in self.stripe.intents()])
        self.assertEqual([intent["status"] for intent in self.stripe.intents()], ["canceled", "canceled"])
        self.command(cart, "checkout.complete", {"expected_total_minor": 1000, "payment": {"provider": "stripe", "token": self.stripe.card(VISA)}})
        self.command(cart, "inventory.reserved", {"reservation_id": cart + "-r2"})
        self.last(cart, "checkout.completed")

    def test_a_buyer_who_goes_back_is_not_charged_and_what_was_taken_meanwhile_is_given_back(self):
        self.begin(PAY_PAGE=PAGE)
        self.check_out("c1", NEEDS_CODE)
        self.last("c1", "payment.action_required")
        self.command("c1", "checkout.abandon", {})
        self.last("c1", "payment.canceled")
        self.assertEqual(self.intent()["status"], "canceled")
        self.stripe.loses = lambda path, times: path.endswith(("/cancel", "/refunds")) and times == 1
        self.check_out("c2", NEEDS_CODE)
        self.last("c2", "payment.action_required")
        intent = next(i for i in self.stripe.intents() if i["status"] == "requires_action")
        self.authenticate(intent, True)  # in the very moment, and somebody captures it by hand
        self.stripe.take("POST", f"/v1/payment_intents/{intent['id']}/capture", b"amount_to_capture=1000", {"Idempotency-Key": "by hand"})
        self.command("c2", "checkout.abandon", {})
        self.assertEqual(self.last("c2", "payment.refunded")["amount_minor"], 1000)
        self.assertEqual([r["amount"] for r in self.stripe.ask("GET", "refunds")["data"]], [1000])

    def test_part_of_the_money_is_taken_at_shipment_and_the_rest_released(self):
        self.begin()
        self.check_out("c1", VISA, capture="on_command")
        self.last("c1", "order.placed")
        self.command("c1", "payment.capture", {"total_minor": 600, "final": True})
        self.assertEqual(self.last("c1", "checkout.completed")["captured_minor"], 600)
        self.assertEqual(self.stripe.send(self.stripe.held("payment_intent.succeeded")), 200)
        self.assertNotIn("payment.refunded", self.decided("c1"))

    def test_a_dispute_is_passed_on(self):
        self.begin()
        self.check_out("c1", VISA)
        self.last("c1", "checkout.completed")
        for status, state in (("needs_response", "opened"), ("lost", "lost")):
            thing = {"object": "dispute", "payment_intent": self.intent()["id"], "amount": 1000, "status": status, "reason": "fraudulent"}
            self.assertEqual(self.stripe.send(self.webhook("charge.dispute.created", thing)), 200)
            self.decided("c1")
            told = [event["data"] for event in call(f"{self.front}/carts/c1/events")[1] if "disputed" in event["headers"]["ce_type"]]
            self.assertEqual((told[-1]["state"], told[-1]["reason"], told[-1]["amount_minor"]), (state, "fraudulent", 1000))

    def test_a_payment_that_nobody_began_is_not_found_and_is_not_begun_later(self):
        self.begin()
        for kind, cart, said in (("status", "c1", "payment.status"), ("cancel", "c2", "payment.canceled")):
            status, reply = self.ask_service(kind, cart, amount_minor=0, currency="GBP")
            self.assertEqual((status, reply["type"], reply["data"].get("state", "not_found")), (200, said, "not_found"))
            status, reply = self.ask_service("authorization", cart, amount_minor=1000, currency="GBP", token=self.stripe.card(VISA))
            self.assertEqual((status, reply["type"]), (200, "payment.declined"))
        self.assertEqual(self.stripe.intents(), [])

    def test_a_payment_whose_confirmation_was_not_answered_is_known_when_mayfly_asks_for_it(self):
        self.stripe.loses = lambda path, times: path.endswith("/confirm")
        self.begin()
        self.assertEqual(self.ask_service("authorization", "c1", amount_minor=1000, currency="GBP", token=self.stripe.card(VISA))[0], 503)
        status, reply = self.ask_service("status", "c1", amount_minor=1000, currency="GBP")
        self.assertEqual((status, reply["data"]["state"], reply["data"]["authorized_minor"]), (200, "authorized", 1000))

    def test_what_stripe_does_not_answer_is_no_decline(self):
        self.begin()
        token = self.stripe.card(VISA)
        for fault in (True, 500, 503, 429, 409, 401):
            self.stripe.loses = lambda path, times, fault=fault: fault
            self.assertEqual(self.ask_service("authorization", "c1", amount_minor=1000, currency="GBP", token=token), (503, None), fault)
        self.stripe.loses = lambda path, times: False
        status, reply = self.ask_service("authorization", "c1", amount_minor=1000, currency="GBP", token=token)
        self.assertEqual((status, reply["type"], len(self.stripe.intents())), (200, "payment.authorized", 1))

    def test_who_is_not_mayfly_or_stripe_is_refused(self):
        self.begin()
        other = "whsec_" + base64.b64encode(b"the secret of somebody else").decode()
        self.assertEqual(self.ask_service("status", "c1", secret=other, amount_minor=0, currency="GBP")[0], 401)
        self.assertEqual(self.stripe.send({"type": "x", "data": {"object": {}}}, secret="whsec_of_somebody_else"), 401)
        self.assertEqual(call(self.stripe.service + "/stripe", b"{}")[0], 401)


if __name__ == "__main__":
    unittest.main()

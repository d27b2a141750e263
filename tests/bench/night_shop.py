"""Ordinary checkouts for hostile_night.py: a shop, a warehouse and a payment service in one process, at a steady rate, with
a book of every cart. They use Kafka as any producer and consumer does."""
import collections
import datetime
import json
import time

import confluent_kafka

COMMANDS, EVENTS = "checkout.commands.v1", "checkout.events.v1"
SHOP, STOCK, PAY = "/shop/night", "/stock/night", "/pay/night"
LINES = 2
TOTAL_MINOR = 499 * 2 * LINES
PACE_S = 0.01
STEP = "dev.mayfly."
# A checkout that nothing disturbs has each of these once, and nothing else.
EXPECTED = collections.Counter({
    "cart.created": 1, "cart.line_added": LINES, "checkout.started": 1, "inventory.reservation_requested": 1, "payment.session_opened": 1,
    "payment.authorization_requested": 1, "payment.authorized": 1, "order.placed": 1, "payment.capture_requested": 1,
    "inventory.commit_requested": 1, "payment.captured": 1, "payment.session_ended": 1, "checkout.completed": 1, "cart.converted": 1})
REFUSALS = {"command.rejected", "command.dead_lettered"}
# Only a deadline that has passed, or a refusal, says these.
LATE = {"payment.status_requested", "payment.in_doubt", "inventory.release_requested", "payment.cancel_requested", "checkout.reopened", "cart.expired"}


def headers_of(kind, number, source):
    return [("ce_specversion", b"1.0"), ("ce_id", number), ("ce_source", source), ("ce_type", f"{STEP}{kind}.v1"), ("content-type", b"application/json")]


def milliseconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


class Shop:
    def __init__(self, brokers, phase, begun):
        self.phase, self.begun = phase, begun  # `begun`: how many carts, for others to see
        self.producer = confluent_kafka.Producer({"bootstrap.servers": brokers, "partitioner": "murmur2_random", "linger.ms": 5, "compression.codec": "lz4",
                                                  "enable.idempotence": True, "queue.buffering.max.messages": 1000000, "log_level": 0})
        self.consumer = confluent_kafka.Consumer({"bootstrap.servers": brokers, "group.id": f"night-{phase}", "enable.auto.commit": False,
                                                  "isolation.level": "read_committed", "fetch.wait.max.ms": 20, "log_level": 0})
        partitions = self.consumer.list_topics(EVENTS, timeout=20).topics[EVENTS].partitions
        ends = [(p, self.consumer.get_watermark_offsets(confluent_kafka.TopicPartition(EVENTS, p), timeout=20)[1]) for p in partitions]
        self.consumer.assign([confluent_kafka.TopicPartition(EVENTS, p, end) for p, end in ends])
        self.open, self.done, self.wrong, self.last = {}, 0, [], {}
        self.late, self.doubled, self.events, self.others = 0, 0, 0, 0
        self.waits_ms = collections.Counter()

    def send(self, cart, kind, number, data, source=SHOP):
        while True:
            try:
                return self.producer.produce(COMMANDS, key=cart, value=json.dumps(data), headers=headers_of(kind, f"{cart}-{number}", source))
            except BufferError:
                self.producer.poll(0.1)

    def begin_one(self):
        cart = f"ordinary-{self.phase}-{self.begun.value}"
        self.begun.value += 1
        self.open[cart] = collections.Counter()
        self.send(cart, "cart.create", 0, {"currency": "GBP"})
        for n in range(LINES):
            self.send(cart, "cart.add_line", 1 + n, {"sku": f"{20000 + n}A", "quantity": 2, "unit_price_minor": 499, "name": "WHITE HANGING HEART T-LIGHT HOLDER"})
        self.send(cart, "checkout.complete", 9, {"expected_total_minor": TOTAL_MINOR, "payment": {"provider": "night", "token": "tok_1"}})

    def take(self, message, now_ms):
        key = message.key()
        if key is None or not key.startswith(b"ordinary-" + self.phase.encode()):
            self.others += 1
            return
        cart, headers = key.decode(), dict(message.headers())
        kind = headers["ce_type"].decode()[len(STEP):-len(".v1")]
        if not headers.get("ce_causationid", b"").startswith((key + b"-")) and kind in REFUSALS:
            self.others += 1  # what others sent to this cart
            return
        self.events += 1
        self.waits_ms[max(0, int(now_ms - milliseconds(headers["ce_time"].decode())))] += 1
        number = int(headers.get("ce_sequence", 0))
        if number != self.last.get(cart, 0) + 1:
            self.doubled += 1
            self.wrong.append(f"{cart}: {kind} has number {number} after {self.last.get(cart, 0)}")
        self.last[cart] = number
        if cart not in self.open:
            self.doubled += 1
            self.wrong.append(f"{cart}: {kind} after its end")
            return
        self.open[cart][kind] += 1
        self.answer(cart, kind, message, now_ms)
        if kind == "cart.converted":
            self.close(cart)

    def close(self, cart):
        counts = self.open.pop(cart)
        self.last.pop(cart)
        self.done += 1
        if counts != EXPECTED:
            self.late += bool(LATE & set(counts))
            self.wrong.append(f"{cart}: {dict(counts - EXPECTED)} too many, {dict(EXPECTED - counts)} missing")

    def answer(self, cart, kind, message, now_ms):
        if kind not in ("inventory.reservation_requested", "payment.authorization_requested", "payment.capture_requested"):
            return
        data = json.loads(message.value())
        if now_ms > milliseconds(data["deadline"]):
            self.late += 1
            self.wrong.append(f"{cart}: {kind} came after its own deadline")
        if kind == "inventory.reservation_requested":
            return self.send(cart, "inventory.reserved", "r", {"reservation_id": data["reservation_id"]}, STOCK)
        said = {"session_id": data["session_id"], "reference": "ref-" + data["session_id"], "amount_minor": data["amount_minor"], "currency": data["currency"]}
        self.send(cart, "payment.authorized" if kind == "payment.authorization_requested" else "payment.captured", kind, said, PAY)

    def turn(self):
        for message in self.consumer.consume(2000, PACE_S):
            if message.error() is None:
                self.take(message, time.time() * 1000)
        self.producer.poll(0)

    def run(self, rate, seconds, patience_s):
        begun = time.monotonic()
        until = begun + seconds
        while (now := time.monotonic()) < until:
            # What a busy machine could not begin in time is begun later, and never in one burst.
            for _ in range(min(int(rate * (now - begun)) - self.begun.value, max(1, rate // 10))):
                self.begin_one()
            self.turn()
        end = time.monotonic() + patience_s
        while self.open and time.monotonic() < end:
            self.turn()
        self.producer.flush(patience_s)
        return self.book()

    def book(self):
        return {"begun": self.begun.value, "done": self.done, "lost": len(self.open), "doubled": self.doubled, "late": self.late, "wrong": self.wrong[:10] + [f"{c}: open with {dict(k)}" for c, k in list(self.open.items())[:5]],
                "wrongs": len(self.wrong), "events": self.events, "other_events": self.others, "waits_ms": dict(self.waits_ms)}


def run(brokers, phase, begun, rate, seconds, patience_s, told):
    """A process of its own; its book goes into the queue `told`."""
    told.put(Shop(brokers, phase, begun).run(rate, seconds, patience_s))

"""Commands from clients that are not ours, on a real broker: kcat, confluent-kafka (Python) and Java's console, binary
and structured mode; they land in the partition that the engine looks for them in, are decided, and what was decided is
read by all three with read_committed. And `mayfly deadletters`, all of it. Usage: MAYFLY_KAFKA=HOST:PORT test_kafka.py MAYFLY
Needs Debian's kcat and python3-confluent-kafka (/usr/bin/python3), and tools/scripts/kafka for Java's console."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from program import MAYFLY, PATIENCE_S
from dead_letter_cases import DeadLetterCases

ROOT = pathlib.Path(__file__).resolve().parents[3]
BROKERS = os.environ.get("MAYFLY_KAFKA") or sys.exit("no broker: run tools/scripts/kafka start, then set MAYFLY_KAFKA")
PARTITIONS = 4
COMMANDS, EVENTS = "checkout.commands.v1", "checkout.events.v1"
# In letters: digits that look like a card number are masked in what Mayfly writes.
RUN = f"{os.getpid()}-{int(time.time())}".translate(str.maketrans("0123456789", "abcdefghij"))  # carts of this run: a broker may have seen others


def murmur2(data):
    """Kafka's, from its description; shares no code with the engine."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = (0x9747B28C ^ len(data)) & mask
    whole = len(data) // 4 * 4
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = (h * m & mask) ^ k
    rest = data[whole:]
    if rest:
        h = (h ^ int.from_bytes(rest, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


def partition_of(cart):
    return (murmur2(cart.encode()) & 0x7FFFFFFF) % PARTITIONS


def headers(cart, kind, number):
    return {
        "ce_specversion": "1.0",
        "ce_id": f"{cart}-{number}",
        "ce_source": "/test/shop",
        "ce_type": f"dev.mayfly.{kind}.v1",
        "ce_subject": cart,
        "content-type": "application/json",
    }


def structured(cart, kind, number, data):
    h = headers(cart, kind, number)
    event = {name[3:]: value for name, value in h.items() if name.startswith("ce_")}
    return json.dumps({**event, "datacontenttype": "application/json", "data": data})


CREATE = {"currency": "GBP"}
LINE = {"sku": "TEA", "quantity": 2, "unit_price_minor": 499, "name": "Breakfast tea"}


class Kcat:
    """Partitions by librdkafka's murmur2_random; one record a call, since headers are the call's."""

    name = "kcat"

    def send(self, cart, value, h):
        words = ["kcat", "-P", "-b", BROKERS, "-t", COMMANDS, "-k", cart, "-X", "partitioner=murmur2_random"]
        for name, text in h.items():
            words += ["-H", f"{name}={text}"]
        subprocess.run(words, input=value, text=True, check=True, timeout=PATIENCE_S)


class ConfluentKafka:
    name = "python"

    def __init__(self):
        self.producer = Producer({"bootstrap.servers": BROKERS, "partitioner": "murmur2_random"})

    def send(self, cart, value, h):
        self.producer.produce(COMMANDS, key=cart, value=value, headers=list(h.items()))
        self.producer.flush(PATIENCE_S)


class JavaConsole:
    """Java's own producer, with its own partitioner. Slow to start: all of a cart's records in one call."""

    name = "java"

    def __init__(self):
        self.lines = []

    def send(self, cart, value, h):
        self.lines.append(",".join(f"{n}:{v}" for n, v in h.items()) + f"\t{cart}\t{value}\n")

    def end(self):
        words = [str(ROOT / "tools/scripts/kafka"), "produce", "--topic", COMMANDS]
        for name, value in (("parse.headers", "true"), ("parse.key", "true")):
            words += ["--reader-property", f"{name}={value}"]
        subprocess.run(words, input="".join(self.lines), text=True, check=True, timeout=PATIENCE_S)


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        with open(cls.folder.name + "/log", "w", encoding="utf-8") as log:
            cls.engine = subprocess.Popen([MAYFLY, "serve", "--log", f"kafka:{BROKERS}"], stderr=log)
        cls.expected = {}
        end = time.monotonic() + PATIENCE_S
        while COMMANDS not in AdminClient({"bootstrap.servers": BROKERS}).list_topics(timeout=PATIENCE_S).topics:
            if cls.engine.poll() is not None or time.monotonic() > end:
                raise RuntimeError(pathlib.Path(cls.folder.name + "/log").read_text())
            time.sleep(0.1)
        for client in (Kcat(), ConfluentKafka(), JavaConsole()):
            for mode in ("binary", "structured"):
                for n in range(2):
                    cart = f"{client.name}-{mode}-{n}-{RUN}"
                    cls.expected[cart] = ["cart.created", "cart.line_added"]
                    for number, (kind, data) in enumerate((("cart.create", CREATE), ("cart.add_line", LINE))):
                        if mode == "binary":
                            client.send(cart, json.dumps(data), headers(cart, kind, number))
                        else:
                            value = structured(cart, kind, number, data)
                            client.send(cart, value, {"content-type": "application/cloudevents+json"})
            if hasattr(client, "end"):
                client.end()

    @classmethod
    def tearDownClass(cls):
        cls.engine.send_signal(signal.SIGTERM)
        cls.engine.wait(PATIENCE_S)
        cls.folder.cleanup()

    def read(self, topic, enough):
        """Records of this run's carts by key, committed ones, until there are enough."""
        consumer = Consumer(
            {"bootstrap.servers": BROKERS, "group.id": f"reader-{RUN}", "isolation.level": "read_committed"}
        )
        consumer.assign([TopicPartition(topic, p, 0) for p in range(PARTITIONS)])
        found, count, end = {}, 0, time.monotonic() + PATIENCE_S
        while count < enough and time.monotonic() < end:
            message = consumer.poll(0.5)
            if message is None or message.error() or not message.key():
                continue
            cart = message.key().decode()
            if cart in self.expected:
                found.setdefault(cart, []).append(message)
                count += 1
        consumer.close()
        return found

    def test_every_clients_commands_lie_where_the_engine_looks_for_them(self):
        found = self.read(COMMANDS, 2 * len(self.expected))
        self.assertEqual(set(found), set(self.expected))
        for cart, messages in found.items():
            self.assertEqual({m.partition() for m in messages}, {partition_of(cart)}, cart)

    def test_every_clients_commands_are_decided_and_pythons_client_reads_what_was_decided(self):
        found = self.read(EVENTS, 2 * len(self.expected))
        for cart, types in self.expected.items():
            said = [dict(m.headers()) for m in found.get(cart, [])]
            self.assertEqual([s["ce_type"].decode()[11:-3] for s in said], types, cart)
            self.assertEqual([s["ce_sequence"].decode() for s in said], ["1", "2"], cart)
            self.assertEqual({m.partition() for m in found[cart]}, {partition_of(cart)}, cart)

    def events_of(self, lines):
        """Types by cart, of lines of headers, key and value."""
        found = {}
        for line in lines.splitlines():
            h, cart, _ = line.split("\t", 2)
            if cart in self.expected:
                kind = [x for x in h.split(",") if x.startswith("ce_type")][0]
                found.setdefault(cart, []).append(kind.replace("=", ":").split(":", 1)[1][11:-3])
        return found

    def test_kcat_reads_what_was_decided(self):
        self.read(EVENTS, 2 * len(self.expected))  # all is there
        words = ["kcat", "-C", "-b", BROKERS, "-t", EVENTS, "-o", "beginning", "-e", "-q", "-f", "%h\t%k\t%s\n"]
        words += ["-X", "isolation.level=read_committed"]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=PATIENCE_S)
        self.assertEqual(self.events_of(done.stdout), self.expected)

    def test_javas_console_reads_what_was_decided(self):
        self.read(EVENTS, 2 * len(self.expected))
        words = [str(ROOT / "tools/scripts/kafka"), "console", "--topic", EVENTS, "--from-beginning", "--timeout-ms", "5000"]
        words += ["--isolation-level", "read_committed"]
        for name in ("print.headers", "print.key"):
            words += ["--formatter-property", f"{name}=true"]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        self.assertEqual(self.events_of(done.stdout), self.expected)


    def test_the_messages_of_the_cloudevents_conformance_suite_are_read(self):
        feature = ROOT.parent / "shared/data/cloudevents/features/kafka-protocol-binding.feature"
        if not feature.is_file():
            self.skipTest(f"{feature} is not here")
        producer, carts = ConfluentKafka(), []
        for scenario in re.split(r"Scenario(?: Outline)?:", feature.read_text())[1:]:
            payload = json.loads(scenario.split('\"""')[1])
            table = scenario.split("Kafka headers:")[1].split("When")[0]
            given = dict(re.findall(r"^\s*\|\s*(\S+)\s*\|\s*(.*?)\s*\|\s*$", table, re.M)[1:])
            for content_type in re.findall(r"^\s*\| (application/\S.*?)\s*\|", (scenario.split("Examples:") + [""])[1], re.M) or [given["content-type"]]:
                carts.append(f"conformance-{len(carts)}-{RUN}")
                h = {**given, "content-type": content_type}
                of = h if "ce_type" in h else payload  # a command, as far as its type says
                of.update({"ce_type" if of is h else "type": "dev.mayfly.cart.create.v1"})
                producer.send(carts[-1], json.dumps(payload), h)
        self.assertEqual(len(carts), 3)
        for cart in carts:
            end = time.monotonic() + PATIENCE_S
            words = [MAYFLY, "tail", "--log", f"kafka:{BROKERS}", "--cart", cart, "--json"]
            while not (said := subprocess.run(words, capture_output=True, text=True, check=True, timeout=PATIENCE_S).stdout):
                self.assertLess(time.monotonic(), end, cart)
            event = json.loads(said)  # it was read, and its data are those of no command
            self.assertEqual((event["headers"]["ce_causationid"], event["data"]["code"]), ("1234-1234-1234", "data_invalid"), event)
            self.assertIn("currency", event["data"]["message"])


class DeadLetters(DeadLetterCases, unittest.TestCase):
    """On topics of its own in each case."""

    cases = 0

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        DeadLetters.cases += 1
        self.own = f"dead-{RUN}-{DeadLetters.cases}"
        self.plain = self.config("")

    def config(self, text):
        streams = ("commands", "events", "state", "deadletters", "alerts")
        topics = "".join(f'{stream} = "{self.own}-{stream}"\n' for stream in streams)
        path = self.folder / f"{len(text)}.toml"
        path.write_text(f'[engine]\nname = "{self.own}"\n[kafka.topics]\n{topics}{text}')
        return str(path)

    def verb(self, *words, stdin=None):
        words = [MAYFLY, *words, "--log", f"kafka:{BROKERS}", "--config", self.plain]
        return subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    def serve(self, *words):
        words = [MAYFLY, "serve", "--log", f"kafka:{BROKERS}", "--http", "off", *(words or ("--config", self.plain))]
        engine = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: engine.stderr.close())
        self.addCleanup(engine.wait)
        self.addCleanup(lambda: engine.poll() is None and engine.kill())
        for line in engine.stderr:
            if '"name":"ready"' in line:
                return engine
        self.fail("the engine ended")

    def send(self, *words):
        done = self.verb("send", *words)
        self.assertEqual(done.returncode, 0, done.stderr)

    def newest_state(self, cart):
        consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": f"state-{RUN}", "isolation.level": "read_committed"})
        self.addCleanup(consumer.close)
        place = TopicPartition(f"{self.own}-state", partition_of(cart), 0)
        end = consumer.get_watermark_offsets(place, timeout=PATIENCE_S)[1]
        consumer.assign([place])
        newest, deadline = None, time.monotonic() + PATIENCE_S
        while consumer.position([place])[0].offset < end:
            self.assertLess(time.monotonic(), deadline)
            message = consumer.poll(0.1)
            if message is not None and not message.error() and message.key() == cart.encode():
                newest = message.value()
        return newest

    def put_state(self, cart, value):
        producer = Producer({"bootstrap.servers": BROKERS})
        producer.produce(f"{self.own}-state", key=cart, value=value, partition=partition_of(cart))
        self.assertEqual(producer.flush(PATIENCE_S), 0)

    def test_a_damaged_state_record_costs_its_cart_until_it_is_mended(self):
        def stop(engine):
            engine.send_signal(signal.SIGTERM)
            self.assertEqual(engine.wait(PATIENCE_S), 0)

        engine = self.serve()
        for cart in ("c1", "c2"):
            self.send("cart.create", cart, "currency=GBP")
            self.events(cart, "cart.created")
        stop(engine)
        whole = self.newest_state("c1")
        self.put_state("c1", whole[:10])
        engine = self.serve()
        for cart, said in (("c1", "command.dead_lettered"), ("c2", "cart.line_added")):
            self.send("cart.add_line", cart, "sku=A", "quantity=1", "unit_price_minor=5")
            self.events(cart, said)
        self.assertEqual([(d["reason"], d["key"]) for d in self.dead_letters()], [("state_unreadable", "c1")])
        stop(engine)
        self.put_state("c1", whole)
        self.serve()
        self.assertEqual(self.verb("deadletters", "retry", "--cart", "c1", "--yes").returncode, 0)
        self.events("c1", "cart.line_added")

    def keep_batches_as_they_are_compressed(self):
        """The commands topic is made before the engine comes, as brokers make topics."""
        topic = f"{self.own}-commands"
        settings = {"message.timestamp.type": "LogAppendTime", "max.message.bytes": "1114112", "compression.type": "producer"}
        admin = AdminClient({"bootstrap.servers": BROKERS})  # it must outlive what it promised
        admin.create_topics([NewTopic(topic, PARTITIONS, config=settings)])[topic].result(PATIENCE_S)

    def test_a_batch_that_comes_to_more_than_its_topic_takes_is_refused_to_its_producer_however_it_is_compressed(self):
        engine = self.serve()
        for codec in ("gzip", "lz4", "snappy", "zstd"):
            producer = Producer({"bootstrap.servers": BROKERS, "message.max.bytes": 100_000_000, "compression.type": codec})
            refused = []
            producer.produce(f"{self.own}-commands", key="bomb", value=bytes(8 << 20), partition=partition_of("bomb"), on_delivery=lambda error, _, refused=refused: refused.append(error.name()))
            self.assertEqual((producer.flush(PATIENCE_S), refused), (0, ["MSG_SIZE_TOO_LARGE"]), codec)
        self.send("cart.create", "bomb", "currency=GBP")
        self.assertEqual(self.events("bomb", "cart.created"), ["cart.created"])
        self.assertIsNone(engine.poll())

    def test_a_record_as_large_as_its_topic_takes_is_a_dead_letter_and_the_engine_serves_on(self):
        self.keep_batches_as_they_are_compressed()
        engine = self.serve()
        cases = {
            "value": (b"v" * 1_060_000, [], "none"),
            "headers": (b"v", [("x", b"h" * 1_113_000)], "none"),
            "compressed": (b"v" * 3_000_000, [], "gzip"),
        }
        for cart, (value, h, codec) in cases.items():
            producer = Producer(
                {"bootstrap.servers": BROKERS, "message.max.bytes": 4_000_000, "compression.type": codec}
            )
            refused = []
            producer.produce(
                f"{self.own}-commands", key=cart, value=value, headers=h, partition=partition_of(cart),
                on_delivery=lambda error, _, refused=refused: refused.append(error),
            )
            self.assertEqual((producer.flush(PATIENCE_S), refused), (0, [None]), cart)
            self.send("cart.create", cart, "currency=GBP")
            self.assertEqual(self.events(cart, "cart.created"), ["command.dead_lettered", "cart.created"], cart)
        self.assertEqual(sorted(d["key"] for d in self.dead_letters()), sorted(cases))
        self.assertIsNone(engine.poll())

    def test_a_batch_that_unpacks_to_more_than_a_client_takes_costs_itself_and_the_engine_serves_on(self):
        self.keep_batches_as_they_are_compressed()
        engine = self.serve()
        self.send("cart.create", "before", "currency=GBP")
        producer = Producer({"bootstrap.servers": BROKERS, "message.max.bytes": 1_000_000_000, "batch.size": 900_000_000, "linger.ms": 2_000, "queue.buffering.max.kbytes": 2_000_000, "compression.type": "zstd"})
        refused = []
        zeros = bytes(32 << 20)
        for _ in range(5):  # one batch of some KB that comes to 160 MiB
            producer.produce(f"{self.own}-commands", key="bomb", value=zeros, partition=partition_of("bomb"), on_delivery=lambda error, _: refused.append(error))
        self.assertEqual((producer.flush(PATIENCE_S), refused), (0, [None] * 5))
        self.send("cart.create", "bomb", "currency=GBP")
        self.assertEqual(self.events("bomb", "cart.created"), ["cart.created"])
        alerts = [json.loads(line)["data"] for line in self.verb("tail", "--stream", "alerts", "--from", "begin", "--json").stdout.splitlines()]
        self.assertEqual([(a["alert"], a["partition"]) for a in alerts], [("commands_skipped", partition_of("bomb"))])
        engine.send_signal(signal.SIGTERM)
        self.assertEqual(engine.wait(PATIENCE_S), 0)
        self.assertIn("the same, byte for byte", self.verb("replay", "verify").stdout)

    def events(self, cart, until):
        """Types of the cart's events, once the last one is there."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            out = self.verb("tail", "--from", "begin", "--cart", cart, "--json").stdout
            types = [json.loads(line)["headers"]["ce_type"][11:-3] for line in out.splitlines()]
            if until in types:
                return types
        self.fail(f"{until} was never said of {cart}")


if __name__ == "__main__":
    unittest.main()

"""An engine whose brokers go away, whose topics are deleted, that is started twice or too early: what it says, whether it
is ready, how it ends. On a broker of its own, which is killed and started. Usage: test_kafka_away.py MAYFLY
Needs python3-confluent-kafka (/usr/bin/python3) and tools/scripts/kafka; MAYFLY_KAFKA_HOME and MAYFLY_KAFKA_PORT as there."""
import base64
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from kafka_log import KafkaLog
from machine import Machine
from program import MAYFLY, PATIENCE_S

ROOT = pathlib.Path(__file__).resolve().parents[3]
# In letters: digits that look like a card number are masked in what Mayfly writes.
RUN = f"{os.getpid()}-{int(time.time())}".translate(str.maketrans("0123456789", "abcdefghij"))
STREAMS = ("commands", "events", "state", "deadletters", "alerts")


def kafka(word):
    done = subprocess.run([str(ROOT / "tools/scripts/kafka"), word], capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"tools/scripts/kafka {word}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


BROKERS = kafka("address")


def java(tool, *words):
    """One of Kafka's own tools, which can do what this client library cannot."""
    done = subprocess.run(["java", "-cp", kafka("classpath"), tool, "--bootstrap-server", BROKERS, *words],
                          capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    return done.stdout + done.stderr


def restarted_codes():
    """What deploy/mayfly.service starts again: all but these."""
    unit = (ROOT / "deploy/mayfly.service").read_text()
    return set(range(1, 256)) - {int(c) for c in re.search(r"^RestartPreventExitStatus=(.*)$", unit, re.M)[1].split()}


class Engine:
    """A process; its log lines are read by a thread, so that it never waits for us."""

    def __init__(self, *words, environment=None):
        words = [MAYFLY, "serve", "--log", f"kafka:{BROKERS}", "--json", *words]
        self.process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment)
        self.lines = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            if line.startswith("{"):
                self.lines.append(json.loads(line))

    def said(self, name):
        return [line["message"] for line in list(self.lines) if line["name"] == name]

    def http(self, path):
        for message in self.said("http"):
            connection = http.client.HTTPConnection(re.search(r"http://([^/]+)/", message)[1], timeout=60)
            try:
                connection.request("GET", path)
                return connection.getresponse().status
            finally:
                connection.close()
        return 0

    def text(self, path):
        with urllib.request.urlopen(re.search(r"http://[^/]+", self.said("http")[0])[0] + path, timeout=60) as answer:
            return answer.read().decode()

    def code(self):
        code = self.process.wait(PATIENCE_S)
        self.reader.join(PATIENCE_S)
        return code

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(PATIENCE_S)
        self.process.stderr.close()


class Away(unittest.TestCase):
    cases = 0
    before = ""

    @classmethod
    def setUpClass(cls):
        if not kafka("start").startswith("already"):
            cls.addClassCleanup(kafka, "kill")

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        Away.cases += 1
        self.name = f"away-{RUN}-{Away.cases}"
        topics = "".join(f'{stream} = "{self.name}.{stream}"\n' for stream in STREAMS)
        self.config = self.folder / "mayfly.toml"
        self.config.write_text(f'{self.before}[engine]\nname = "{self.name}"\n[kafka]\nrequest_limit_ms = 5000\n[kafka.topics]\n{topics}')

    def engine(self, *words, http="127.0.0.1:0", environment=None):
        engine = Engine("--config", str(self.config), "--http", http, *words, environment=environment)
        self.addCleanup(engine.end)
        return engine

    def wait(self, what, reached, engine=None):
        end = time.monotonic() + PATIENCE_S
        while not (found := reached()):
            if time.monotonic() > end or (engine and engine.process.poll() is not None):
                self.fail(f"{what}: not within {PATIENCE_S} s; said: {engine.lines[-5:] if engine else ''}")
            time.sleep(0.1)
        return found

    def serving(self, *words, **named):
        engine = self.engine(*words, **named)
        self.wait("ready", lambda: engine.said("ready"), engine=engine)
        return engine

    def verb(self, *words):
        words = [MAYFLY, *words, "--log", f"kafka:{BROKERS}", "--config", str(self.config)]
        return subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    def decided(self, cart):
        """The cart is created, by an engine that serves."""
        done = self.verb("send", "cart.create", cart, "currency=GBP")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait("an event", lambda: "cart.created" in self.verb("tail", "--from", "begin", "--cart", cart).stdout)

    def stopped(self, engine):
        engine.process.send_signal(signal.SIGTERM)
        self.assertEqual(engine.code(), 0, engine.lines[-5:])

    def hang_and_read(self, stream):
        """A transaction of a producer that is gone holds that stream's partition; where it begins."""
        gone = Producer({"bootstrap.servers": BROKERS, "transactional.id": f"{self.name}.gone", "transaction.timeout.ms": 900000})
        gone.init_transactions(PATIENCE_S)
        gone.begin_transaction()
        stored = []
        gone.produce(f"{self.name}.{stream}", b"{}", b"hanging", 0, on_delivery=lambda error, message: stored.append((error, message.offset())))
        gone.flush(PATIENCE_S)
        self.assertIsNone(stored[0][0])
        return stored[0][1]  # never ended: this client is dropped here

    def run_commands(self, message, stream, start):
        """What the message says to run names the producer and ends its transaction."""
        describe, abort = (c.split() for c in re.findall(r"`([^`]*)`", message))
        place = ["--topic", f"{self.name}.{stream}", "--partition", "0"]
        self.assertEqual(describe, ["kafka-transactions", "--bootstrap-server", BROKERS, "describe-producers", *place])
        self.assertEqual(abort[3:], ["abort", *place, "--start-offset", str(start)])
        tool = "org.apache.kafka.tools.TransactionsCommand"
        heads, *rows = [line.split() for line in java(tool, *describe[3:]).splitlines() if re.match(r"ProducerId|\d", line)]
        begun = [row for row in rows if dict(zip(heads, row))["CurrentTransactionStartOffset"] == str(start)]
        self.assertEqual(len(begun), 1, rows)
        self.assertEqual(set(heads[:2]), {"ProducerId", "ProducerEpoch"})
        java(tool, *abort[3:])


class KafkaAway(Away):
    def test_1_a_commands_topic_that_is_deleted_is_said_and_makes_the_engine_not_ready(self):
        # The settings that partitions begin with: else each is told of others by a tick, which it decides.
        self.config.write_text(self.config.read_text() + "[decisions]\ncart_life_s = 2592000\n")
        engine = self.serving()
        self.decided("c1")
        topic = f"{self.name}.commands"
        admin = AdminClient({"bootstrap.servers": BROKERS})
        admin.delete_topics([topic])[topic].result(PATIENCE_S)
        self.wait("not ready", lambda: engine.http("/readyz") == 503, engine=engine)
        said = self.wait("the topic's name", lambda: [m for m in engine.said("log_unavailable") if topic in m and "deleted" in m], engine=engine)
        self.assertIn(BROKERS, said[0])
        self.assertIn("docs/kafka.md", said[0])
        time.sleep(5)
        self.assertEqual((engine.http("/readyz"), engine.http("/livez")), (503, 200))
        # Another of that name, with nothing in it, is not taken for the old one: the partition that had decided commands is
        # named and left alone, the others are served.
        settings = {"message.timestamp.type": "LogAppendTime", "max.message.bytes": "1114112"}
        admin.create_topics([NewTopic(topic, 4, config=settings)])[topic].result(PATIENCE_S)
        cut = self.wait("log_cut", lambda: engine.said("log_cut"), engine=engine)
        self.assertRegex(cut[0], r"^partition \d+ is not served: its position is [1-9]\d*, but its commands begin at offset 0 and end before 0\.")
        phases = ('mayfly_partitions{phase="stopped"} 1\n', 'mayfly_partitions{phase="serving"} 3\n')
        self.wait("the others are served", lambda: all(phase in engine.text("/metrics") for phase in phases), engine=engine)
        self.wait("ready for them", lambda: engine.http("/readyz") == 200, engine=engine)

    def test_8_a_commands_topic_made_anew_after_all_partitions_had_decided_ends_the_engine(self):
        engine = self.serving()
        metrics = lambda: engine.text("/metrics")  # noqa: E731
        self.wait("a tick of settings in each partition", lambda: "\nmayfly_ticks_total 4\n" in metrics(), engine=engine)
        topic = f"{self.name}.commands"
        admin = AdminClient({"bootstrap.servers": BROKERS})
        admin.delete_topics([topic])[topic].result(PATIENCE_S)
        self.wait("deleted", lambda: [m for m in engine.said("log_unavailable") if topic in m and "deleted" in m], engine=engine)
        settings = {"message.timestamp.type": "LogAppendTime", "max.message.bytes": "1114112"}
        admin.create_topics([NewTopic(topic, 4, config=settings)])[topic].result(PATIENCE_S)
        self.assertEqual(engine.code(), 6, engine.lines[-5:])
        self.assertEqual(len(engine.said("log_cut")), 4)

    def test_2_a_second_start_ends_by_the_port_or_the_flight_recorder_and_the_first_goes_on(self):
        first = self.serving("--state-dir", str(self.folder))
        address = re.search(r"http://([^/]+)/", first.said("http")[0])[1]
        self.decided("c1")
        other = self.folder / "other"
        other.mkdir()
        by_port = self.engine("--state-dir", str(other), http=address)
        self.assertEqual(by_port.code(), 2, by_port.lines)
        self.assertTrue(by_port.said("http_not_opened"))
        by_recorder = self.engine("--state-dir", str(self.folder))
        self.assertEqual(by_recorder.code(), 5, by_recorder.lines)
        self.assertTrue(by_recorder.said("flight_recorder"))
        self.decided("c2")
        time.sleep(1)
        self.assertIsNone(first.process.poll(), first.lines[-5:])
        self.assertEqual(first.http("/readyz"), 200)
        self.assertEqual([line for line in first.lines if line["level"] == "warning" and line["name"].startswith("commit")], [])

    def test_3_a_start_without_a_broker_ends_with_a_code_that_is_started_again(self):
        kafka("kill")
        self.addCleanup(kafka, "start")
        engine = self.engine()
        self.wait("/livez while the log is opened", lambda: engine.http("/livez") == 200, engine=engine)
        self.assertEqual(engine.http("/readyz"), 503)
        code = engine.code()
        self.assertEqual(code, 4, engine.lines)
        self.assertIn(code, restarted_codes())
        self.assertNotIn("tried again", engine.said("log_not_opened")[0])

    def test_4_an_idle_engine_notices_that_the_brokers_are_away_and_that_they_are_back(self):
        engine = self.serving()
        self.decided("c1")
        kafka("kill")
        try:
            self.wait("not ready", lambda: engine.http("/readyz") == 503, engine=engine)
            self.wait("said", lambda: engine.said("log_unavailable"), engine=engine)
            for _ in range(50):
                self.assertEqual((engine.http("/readyz"), engine.http("/livez")), (503, 200))
                time.sleep(0.1)
        finally:
            kafka("start")
        self.wait("ready again", lambda: engine.http("/readyz") == 200, engine=engine)
        self.decided("c2")
        engine.process.send_signal(signal.SIGTERM)
        self.assertEqual(engine.code(), 0, engine.lines[-5:])
        self.assertTrue(engine.said("stopped"))

    def sent(self, kind, cart, **data):
        """Into which partition. By a client that does not look at the topics' settings, as Mayfly's verbs do."""
        producer = Producer({"bootstrap.servers": BROKERS, "partitioner": "murmur2_random"})
        stored = []
        headers = {"ce_specversion": "1.0", "ce_id": f"{kind}-{len(data)}-{time.monotonic_ns()}", "ce_source": "/shop", "ce_type": f"dev.mayfly.{kind}.v1",
                   "content-type": "application/json"}
        producer.produce(f"{self.name}.commands", json.dumps(data), cart, headers=headers, on_delivery=lambda error, message: stored.append((error, message.partition())))
        producer.flush(PATIENCE_S)
        self.assertIsNone(stored[0][0])
        return stored[0][1]

    def one_cart_of_each_other_partition(self, than=0, begin="beside"):
        """Each is sent a command."""
        carts = {}
        while set(carts) != {0, 1, 2, 3}:
            cart = f"{begin}-{sum(map(len, carts.values()))}"  # by its hash it belongs to any of the four
            carts.setdefault(self.sent("cart.create", cart, currency="GBP"), []).append(cart)
        return [of[0] for partition, of in carts.items() if partition != than]

    def records(self, stream, cart):
        """Values and types of all of that key, as one text."""
        with KafkaLog(BROKERS, f"{self.name}.reader", {s: f"{self.name}.{s}" for s in STREAMS}) as log:
            return "".join(f"{m.headers()}{m.value()}" for m in log.messages(stream) if (m.key() or b"").decode() == cart)

    def test_7_an_engine_whose_clock_is_an_hour_behind_the_brokers_is_not_ready_until_it_is_set(self):
        machine = Machine(self.folder)
        engine = self.serving(environment=machine.environment)
        self.sent("cart.create", "c1", currency="GBP", expires_after_s=3600)
        machine.late.touch()
        said = self.wait("clocks_apart", lambda: (self.sent("cart.create", f"c-{time.monotonic_ns()}", currency="GBP"), engine.said("clocks_apart"))[1], engine=engine)
        self.assertRegex(said[0], r"clock less the log's is -3[56]\d\d s\..* Set both clocks \(NTP\)")
        self.wait("not ready", lambda: engine.http("/readyz") == 503, engine=engine)
        machine.late.unlink()
        self.wait("clocks_agree", lambda: engine.said("clocks_agree"), engine=engine)
        self.wait("ready", lambda: engine.http("/readyz") == 200, engine=engine)
        alerts = self.verb("tail", "--stream", "alerts", "--from", "begin", "--json").stdout
        self.assertEqual([alerts.count(f'"{name}"') for name in ("clocks_apart", "clocks_agree")], [1, 1], alerts)
        self.stopped(engine)

    def limited(self, stream, most_bytes):
        """From now on that topic takes no larger batch."""
        said = java("kafka.admin.ConfigCommand", "--alter", "--entity-type", "topics", "--entity-name", f"{self.name}.{stream}",
                    "--add-config", f"max.message.bytes={most_bytes}")
        self.assertIn("Completed updating config", said)

    def test_5_a_partition_that_a_transaction_holds_up_holds_up_no_other(self):
        self.config.write_text(self.config.read_text().replace("5000", "3000\ntransaction_timeout_ms = 3000", 1))
        engine = self.serving()
        self.decided("c1")
        self.stopped(engine)
        start = self.hang_and_read("state")
        engine = self.engine()
        said = self.wait("held up", lambda: [m for m in engine.said("log_unavailable") if "describe-producers" in m], engine=engine)
        for cart in self.one_cart_of_each_other_partition():
            self.wait(f"{cart}, meanwhile", lambda cart=cart: "cart.created" in self.verb("tail", "--from", "begin", "--cart", cart).stdout, engine=engine)
        self.assertEqual((engine.http("/readyz"), engine.said("ready")), (503, []))
        self.run_commands(said[0], "state", start)
        self.wait("ready", lambda: engine.said("ready"), engine=engine)


    def test_6_a_topic_that_takes_less_than_it_did_holds_up_what_it_refuses_and_nothing_else(self):
        self.config.write_text(self.config.read_text().replace("[kafka]", "most_pause_ms = 100\n[kafka]", 1))
        engine = self.serving()
        text = base64.b64encode(os.urandom(180)).decode()  # does not become less when it is packed
        line = {"sku": "last", "quantity": 1, "unit_price_minor": 1, "name": text}
        much = base64.b64encode(os.urandom(3000)).decode()
        cases = (("events", "checkout.complete", {"expected_total_minor": 12, "payment": {"provider": "sim", "token": "tok_1"}}, ("events", "requested")),
                 ("state", "cart.add_line", line, ("events", '"last"')),
                 ("deadletters", "no.command", {"label": much}, ("deadletters", much)))
        for stream, kind, data, (where, what) in cases:
            with self.subTest(stream=stream):
                cart = f"large-{stream}"
                partition = self.sent("cart.create", cart, currency="GBP")
                for number in range(12):
                    self.sent("cart.add_line", cart, **line | {"sku": f"{number}-{base64.b64encode(os.urandom(42)).decode()}"})
                self.wait("lines", lambda: self.records("events", cart).count("cart.line_added") == 12, engine=engine)
                self.limited(stream, 900)
                before = len(engine.said("record_too_large"))
                self.sent(kind, cart, **data)
                said = self.wait("record_too_large", lambda: engine.said("record_too_large")[before:], engine=engine)
                self.assertIn(f"{self.name}.{stream}", said[0])
                self.assertIn("max.message.bytes", said[0])
                for beside in self.one_cart_of_each_other_partition(partition, f"beside-{stream}"):
                    self.wait(f"{beside}, meanwhile", lambda beside=beside: "cart.created" in self.records("events", beside), engine=engine)
                self.assertEqual(engine.http("/readyz"), 503)
                self.assertNotIn(what, self.records(where, cart))
                self.limited(stream, 1114112)
                self.wait("written", lambda: what in self.records(where, cart), engine=engine)
                self.wait("record_taken", lambda: len(engine.said("record_taken")) > before, engine=engine)
                self.wait("ready", lambda: engine.http("/readyz") == 200, engine=engine)
        self.stopped(engine)
        alerts = self.verb("tail", "--stream", "alerts", "--from", "begin", "--json").stdout
        self.assertEqual([alerts.count(f'"{name}"') for name in ("record_too_large", "record_taken")], [3, 3], alerts)
        replay = self.verb("replay", "verify")
        self.assertEqual(replay.returncode, 0, replay.stdout + replay.stderr)


class OnePartition(Away):
    """What becomes of an engine that has no other partition to serve."""
    before = "partitions = 1\n"

    def test_5_a_group_that_the_brokers_have_forgotten_goes_on_from_the_state(self):
        engine = self.serving()
        self.decided("c1")
        self.stopped(engine)
        group = f"mayfly-{self.name}"
        tool = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
        self.wait("the group's end", lambda: "was successful" in java(tool, "--group", group, "--delete"))
        engine = self.serving()
        said = engine.said("position_forgotten")
        self.assertEqual(len(said), 1, engine.lines)
        self.assertRegex(said[0], r"partition 0 .* the state's, offset [1-9]\d*$")
        self.decided("c2")
        events = self.verb("tail", "--from", "begin", "--cart", "c1").stdout
        self.assertEqual(events.count("cart.created"), 1, events)
        self.stopped(engine)
        self.assertEqual(self.serving().said("position_forgotten"), [])

    def test_6_commands_deleted_before_they_were_decided_are_a_gap_and_the_engine_ends(self):
        engine = self.serving()
        self.decided("c1")
        self.stopped(engine)
        for cart in ("d1", "d2"):
            self.assertEqual(self.verb("send", "cart.create", cart, "currency=GBP").returncode, 0)
        until = self.folder / "until.json"
        until.write_text(json.dumps({"version": 1, "partitions": [{"topic": f"{self.name}.commands", "partition": 0, "offset": -1}]}))
        self.assertIn("low_watermark", java("org.apache.kafka.tools.DeleteRecordsCommand", "--offset-json-file", str(until)))
        engine = self.engine()
        self.assertEqual(engine.code(), 6, engine.lines[-5:])
        self.assertRegex(engine.said("log_gap")[0], r"^partition 0 is not served: its position is (\d+), .* Those from \1 to \d+ were deleted")
        self.assertIn("No partition given to this engine can be served", engine.said("failed")[0])

    def test_7_a_hanging_transaction_is_said_with_the_commands_that_name_its_producer_and_end_it(self):
        self.config.write_text(self.config.read_text().replace("[kafka]", "pending_limit_ms = 1000\n[kafka]", 1))
        engine = self.serving()
        self.decided("c1")
        start = self.hang_and_read("commands")
        said = self.wait("transaction_hanging", lambda: engine.said("transaction_hanging"), engine=engine)
        alerts = self.verb("tail", "--stream", "alerts", "--from", "begin", "--json").stdout
        self.assertIn(f"describe-producers --topic {self.name}.commands --partition 0`", alerts)
        self.run_commands(said[0], "commands", start)
        self.wait("transaction_ended", lambda: engine.said("transaction_ended"), engine=engine)
        self.decided("c2")

    def test_8_so_is_one_that_keeps_a_partition_of_the_state_from_being_read(self):
        self.config.write_text(self.config.read_text().replace("5000", "3000\ntransaction_timeout_ms = 3000", 1))
        engine = self.serving()
        self.decided("c1")
        self.stopped(engine)
        start = self.hang_and_read("state")
        engine = self.engine()
        said = self.wait("held up", lambda: [m for m in engine.said("log_unavailable") if "describe-producers" in m], engine=engine)
        self.run_commands(said[0], "state", start)
        self.wait("ready", lambda: engine.said("ready"), engine=engine)


if __name__ == "__main__":
    unittest.main(verbosity=2)

"""TLS, certificates of clients, passwords and ACLs on a real broker of this test's own, with the StandardAuthorizer:
each account of docs/security.md can do what it needs and is denied the rest, and no secret is ever shown.
Usage: test_kafka_security.py MAYFLY. Needs openssl, Debian's python3-confluent-kafka (/usr/bin/python3) and tools/scripts/kafka."""
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import confluent_kafka
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))
import free_ports  # noqa: E402

from program import MAYFLY, PATIENCE_S

COMMANDS, EVENTS, STATE, DEADLETTERS, ALERTS = TOPICS = [f"checkout.{name}.v1" for name in ("commands", "events", "state", "deadletters", "alerts")]
# The table "What broker ACLs separate" of docs/security.md.
ACCOUNTS = {
    "engine": [("topic", t, "Describe,DescribeConfigs,Write") for t in TOPICS]
    + [("topic", t, "Read") for t in (COMMANDS, STATE)]
    + [("group", "mayfly-shop", "Read"), ("transactional-id", "mayfly-shop-*", "Write,Describe")],
    "shop": [("topic", t, "Describe,DescribeConfigs") for t in TOPICS] + [("topic", COMMANDS, "Write")],
    "connector": [("topic", t, "Describe,DescribeConfigs") for t in TOPICS]
    + [("topic", COMMANDS, "Write"), ("topic", EVENTS, "Read"), ("group", "mayfly.reader.pay", "Read")],
    "reader": [("topic", t, "Describe,DescribeConfigs,Read") for t in TOPICS],
}
# Engines that lack one right each: what they are told.
LACKING = {
    "no-read": ("topic", COMMANDS, "Read"), "no-state": ("topic", STATE, "Read"), "no-events": ("topic", EVENTS, "Write"), "no-ticks": ("topic", COMMANDS, "Write"),
    "no-alerts": ("topic", ALERTS, "Write"), "no-group": ("group", "mayfly-shop", "Read"), "no-transactions": ("transactional-id", "mayfly-shop-*", "Write"),
}
PASSWORDS = {name: f"never-show-{name}-8c1f" for name in (*ACCOUNTS, *LACKING)}
KEY_PASSWORD = "never-show-key-8c1f"


def run(*words, check=True, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=PATIENCE_S, check=False, **more)
    if check and done.returncode != 0:
        raise AssertionError(f"{words}: {done.stdout}{done.stderr}")
    return done


def acl_words(account, kind, name, operations):
    words = ["acl", "--add", "--force", "--allow-principal", f"User:{account}"]
    for operation in operations.split(","):
        words += ["--operation", operation]
    if name.endswith("*"):
        words += ["--resource-pattern-type", "prefixed"]
    return words + [f"--{kind}", name.rstrip("*")]


class Security(unittest.TestCase):
    mechanism = "PLAIN"

    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        try:
            cls.start()
        except BaseException:
            cls.stack.close()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    @classmethod
    def start(cls):
        cls.folder = pathlib.Path(cls.stack.enter_context(tempfile.TemporaryDirectory()))
        cls.shown = []  # all that the program printed
        cls.certificates()
        port = free_ports.pair()
        cls.plain, cls.ports = port, {name: free_ports.one() for name in ("TLS", "CERTIFICATE", "PASSWORD")}
        listeners = {"PLAINTEXT": port, "CONTROLLER": port + 1, **cls.ports}
        on = [f"{name}://127.0.0.1:{at}" for name, at in listeners.items()]
        f = cls.folder
        (f / "more.properties").write_text("\n".join((
            "listeners=" + ",".join(on),
            "advertised.listeners=" + ",".join(one for one in on if not one.startswith("CONTROLLER")),
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL,CERTIFICATE:SSL,PASSWORD:SASL_SSL",
            "ssl.keystore.type=PEM", f"ssl.keystore.location={f}/broker.pem",
            "ssl.truststore.type=PEM", f"ssl.truststore.location={f}/ca.pem",
            "ssl.principal.mapping.rules=RULE:^CN=(.*)$/$1/",
            "listener.name.certificate.ssl.client.auth=required",
            "listener.name.password.sasl.enabled.mechanisms=SCRAM-SHA-256,PLAIN",
            "listener.name.password.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required "
            + " ".join(f'user_{name}="{word}"' for name, word in PASSWORDS.items()) + ";",
            "listener.name.password.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;",
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users=User:ANONYMOUS",  # the broker itself, and whoever prepares this test
            "")))
        scram = " ".join(f"--add-scram SCRAM-SHA-256=[name={name},password={word}]" for name, word in PASSWORDS.items())
        cls.environment = dict(os.environ, MAYFLY_KAFKA_HOME=str(f / "broker"), MAYFLY_KAFKA_PORT=str(port), MAYFLY_KAFKA_PROPERTIES=str(f / "more.properties"), MAYFLY_KAFKA_FORMAT=scram)
        cls.environment.setdefault("MAYFLY_KAFKA_LIBS", str(ROOT / "build" / "kafka" / "libs-4.3.1"))
        cls.environment.pop("MAYFLY_KAFKA_CONTROLLER_PORT", None)
        cls.stack.callback(cls.kafka, "clean")
        signal.signal(signal.SIGTERM, lambda *_: (cls.stack.close(), os._exit(143)))  # its broker goes with it
        cls.kafka("start")
        run(MAYFLY, "send", "--create", "--log", f"kafka:127.0.0.1:{port}", "cart.create", "first", "currency=GBP")
        granted = [acl_words(account, *right) for account, rights in ACCOUNTS.items() for right in rights]
        # Of one resource kind and set of operations several names fit into one call, and a call takes a second of Java.
        calls = {}
        for words in granted:
            key = tuple(words[:-2])
            calls.setdefault((key, words[-2]), []).append(words[-1])
        for (key, option), names in calls.items():
            cls.kafka(*key, *[word for name in names for word in (option, name)])

        cls.grant_to_lacking()

    @classmethod
    def grant_to_lacking(cls):
        """Each the engine's rights but one. Write and Read bring Describe with them."""
        rights = [("topic", t, "Describe,DescribeConfigs") for t in TOPICS] + [("topic", t, "Write") for t in TOPICS]
        rights += [("topic", t, "Read") for t in (COMMANDS, STATE)] + [("group", "mayfly-shop", "Read"), ("transactional-id", "mayfly-shop-*", "Write")]
        calls = {}
        for right in rights:
            accounts = tuple(name for name, lacks in LACKING.items() if lacks != right)
            words = acl_words("x", *right)
            calls.setdefault((accounts, tuple(words[:3] + words[5:-2]), words[-2]), []).append(words[-1])
        for (accounts, words, option), names in calls.items():
            cls.kafka(*words, *[w for name in accounts for w in ("--allow-principal", f"User:{name}")], *[w for name in names for w in (option, name)])

    @classmethod
    def kafka(cls, *words):
        return run(ROOT / "tools/scripts/kafka", *words, env=cls.environment)

    @classmethod
    def certificates(cls):
        def in_folder(*words):
            run("openssl", *words, cwd=cls.folder)

        in_folder("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test", "-keyout", "ca.key", "-out", "ca.pem")
        (cls.folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
        for name in ("broker", "engine", "stranger"):
            in_folder("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
            signer = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial") if name != "stranger" else ("-signkey", "stranger.key")
            in_folder("x509", "-req", "-in", f"{name}.csr", *signer, "-days", "2", "-extfile", "names", "-out", f"{name}.crt")
        in_folder("pkcs8", "-topk8", "-in", "engine.key", "-out", "engine.locked.key", "-passout", f"pass:{KEY_PASSWORD}")
        (cls.folder / "broker.pem").write_text((cls.folder / "broker.key").read_text() + (cls.folder / "broker.crt").read_text())

    def secret(self, name, text, mode=0o600):
        file = self.folder / name
        file.write_text(text)
        file.chmod(mode)
        return file

    def config(self, listener, **properties):
        """The words of a config; properties' names with __ for a dot."""
        lines = [f'log = "kafka:127.0.0.1:{self.ports[listener]}"', '[engine]', 'name = "shop"', "[kafka]", "request_limit_ms = 5000", "[kafka.properties]"]
        lines += [f"'{name.replace('__', '.')}' = '{value}'" for name, value in properties.items()]
        file = self.folder / f"{self.id().rsplit('.', 1)[-1]}-{len(self.shown)}.toml"
        file.write_text("\n".join(lines) + "\n")
        return "--config", str(file)

    def tls(self, **more):
        return self.config("TLS", security__protocol="ssl", ssl__ca__location=self.folder / "ca.pem", **more)

    def certificate(self, **more):
        return self.config("CERTIFICATE", security__protocol="ssl", ssl__ca__location=self.folder / "ca.pem", **more)

    def password(self, account, **more):
        given = more or {"sasl__password_file": self.secret(f"password-{account}", PASSWORDS[account] + "\n")}
        return self.config("PASSWORD", security__protocol="sasl_ssl", ssl__ca__location=self.folder / "ca.pem", sasl__mechanism=self.mechanism, sasl__username=account, **given)

    def mayfly(self, *words, env=None):
        done = run(MAYFLY, *words, check=False, env=dict(os.environ, **(env or {})))
        self.shown.append(done.stdout + done.stderr)
        return done

    def does(self, *words, env=None):
        done = self.mayfly(*words, env=env)
        self.assertEqual(done.returncode, 0, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout

    def does_not(self, *words, code=(4, 6), env=None):
        done = self.mayfly(*words, env=env)
        self.assertIn(done.returncode, code, f"{words}: {done.stdout}{done.stderr}")
        return done.stderr

    def tearDown(self):
        for text in self.shown:
            for secret in (*PASSWORDS.values(), KEY_PASSWORD, "never-show"):
                self.assertNotIn(secret, text)

    def test_tls_is_spoken_with_a_broker_whose_certificate_is_known_and_with_no_other(self):
        self.does("send", "cart.create", "tls", "currency=GBP", *self.tls())
        self.assertIn("tls", self.does("tail", "--stream", "commands", "--from", "begin", "--cart", "tls", *self.tls()))
        self.does_not("send", "cart.create", "tls2", "currency=GBP", *self.config("TLS", security__protocol="ssl", ssl__ca__location=self.folder / "stranger.crt"))
        self.does_not("send", "cart.create", "tls3", "currency=GBP", *self.config("TLS"))  # in the clear
        self.assertEqual(self.does("tail", "--stream", "commands", "--from", "begin", "--cart", "tls2", *self.tls()), "")

    def test_a_client_s_certificate_is_its_account(self):
        locked = {"ssl__certificate__location": self.folder / "engine.crt", "ssl__key__location": self.folder / "engine.locked.key"}
        password = self.secret("key-password", KEY_PASSWORD)
        self.does("send", "cart.create", "cert", "currency=GBP", *self.certificate(ssl__key__password_file=password, **locked))
        self.does("send", "cart.create", "cert2", "currency=GBP", *self.certificate(ssl__key__password_env="KEY_PASSWORD", **locked), env={"KEY_PASSWORD": KEY_PASSWORD})
        self.does("send", "cart.create", "cert3", "currency=GBP", *self.certificate(ssl__key__password=KEY_PASSWORD, **locked))
        refused = (2, 4, 6)
        self.does_not("send", "cart.create", "no", "currency=GBP", *self.certificate(ssl__key__password="never-show-wrong", **locked), code=refused)
        self.does_not("send", "cart.create", "no", "currency=GBP", *self.certificate())
        stranger = {"ssl__certificate__location": self.folder / "stranger.crt", "ssl__key__location": self.folder / "stranger.key"}
        self.does_not("send", "cart.create", "no", "currency=GBP", *self.certificate(**stranger))

    def test_a_password_comes_from_a_file_the_environment_or_the_config_and_is_never_shown(self):
        word = PASSWORDS["shop"]
        self.does("send", "cart.create", "pw", "currency=GBP", *self.password("shop"))
        self.does("send", "cart.create", "pw2", "currency=GBP", *self.password("shop", sasl__password_env="SHOP_PASSWORD"), env={"SHOP_PASSWORD": word})
        self.does("send", "cart.create", "pw3", "currency=GBP", *self.password("shop", sasl__password=word))
        wrong = self.secret("wrong", "never-show-wrong\n")
        for serving in (("send", "cart.create", "no", "currency=GBP"), ("serve", "--http", "off"), ("tail",)):
            self.does_not(*serving, *self.password("shop", sasl__password_file=wrong))
        bad_configs = (
            ({"sasl__password_file": self.secret("open", word, 0o644)}, "chmod 600"),
            ({"sasl__password_file": self.folder / "none"}, "No such file"),
            ({"sasl__password_file": self.secret("empty", "\n")}, "is empty"),
            ({"sasl__password_env": "NO_SUCH_VARIABLE"}, "NO_SUCH_VARIABLE"),
            ({"sasl__password": word, "sasl__password_env": "SHOP_PASSWORD"}, "twice"),
            ({"linger__ms_env": "SHOP_PASSWORD"}, "not taken"),
            ({"acks_env": "SHOP_PASSWORD"}, "acks"),
            ({"sasl__oauthbearer__method_env": "SHOP_PASSWORD"}, "not taken"),
        )
        for given, said in bad_configs:
            self.assertIn(said, self.does_not("serve", "--check-config", *self.password("shop", **given), code=(3,), env={"SHOP_PASSWORD": word}))
        for given in ({"sasl__password": word}, {"sasl__password_env": "SHOP_PASSWORD"}):
            self.does("serve", "--check-config", *self.password("shop", **given), env={"SHOP_PASSWORD": word})

    def test_scram_where_librdkafka_knows_how_brokers_since_3_9_want_it(self):
        self.mechanism = "SCRAM-SHA-256"
        words = ("send", "cart.create", "scram", "currency=GBP")
        version = run("pkg-config", "--modversion", "rdkafka").stdout.strip()
        if tuple(int(n) for n in version.split(".")) < (2, 6, 1):
            self.does_not(*words, *self.password("shop"))
            self.skipTest(f"librdkafka {version} repeats a nonce that these brokers refuse (docs/security.md)")
        self.does(*words, *self.password("shop"))
        self.does_not(*words, *self.password("shop", sasl__password_file=self.secret("wrong", "never-show-wrong\n")))

    def test_each_account_does_its_work(self):
        command = [MAYFLY, "serve", "--http", "off", *self.password("engine")]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as engine:
            try:
                lines = []
                self.assertTrue(any(lines.append(line) or '"name":"ready"' in line for line in engine.stderr), lines)
                self.does("send", "cart.create", "work", "currency=GBP", *self.password("shop"))
                follow = ("tail", "--follow", "--limit", "1", "--cart", "work", "--from", "begin")
                self.assertIn("cart.created", self.does(*follow, *self.password("reader")))
            finally:
                engine.send_signal(signal.SIGTERM)
                _, rest = engine.communicate(timeout=PATIENCE_S)
        self.shown.append("".join(lines) + rest)
        self.assertEqual(engine.returncode, 0, lines + [rest])
        self.assertIn("cart.created", self.does("tail", "--group", "pay", "--from", "begin", "--limit", "1", *self.password("connector")))
        reply = ("payment.captured", "work", "session_id=work-p1", "reference=r", "amount_minor=1", "currency=GBP")
        self.does("send", *reply, *self.password("connector"))
        for words in (("inspect", "work"), ("funds",), ("deadletters", "list"), ("tail", "--stream", "state", "--from", "begin"), *self.replaying()):
            self.does(*words, *self.password("reader"))

    def test_an_engine_that_lacks_a_right_is_told_which_and_how_to_give_it_before_it_reads_anything(self):
        for account, (kind, name, operation) in LACKING.items():
            with self.subTest(account=account):
                said = self.does_not("serve", "--http", "off", *self.password(account), code=(6,) if kind == "group" else (2,))  # a member of the group is told later
                named = name.replace("*", "")
                self.assertIn(f"{operation} on {kind} {named}", said)
                self.assertIn(f"kafka-acls --bootstrap-server 127.0.0.1:{self.ports['PASSWORD']} --add --allow-principal User:NAME --operation {operation} --{kind} {named}", said)
                self.assertEqual(said.count("kafka-acls"), 1, said)
                self.assertNotIn('"name":"ready"', said)

    def replaying(self):
        """Each replay verb that reads a log: none can have an effect, for the right to read is enough."""
        plan = self.folder / "plan.json"
        plan.write_text('{"settings": {"reservation_wait_s": 10}}')
        new = str(self.folder / "new")
        return [("replay", *words) for words in (
            ("verify",), ("verify", "--carts"), ("verify", "--against", MAYFLY), ("show", "work"), ("show", "work", "--index", f"{new}.index"),
            ("index", f"{new}.index"), ("at", "end", "work"), ("diff", "begin", "end"), ("whatif", str(plan)),
            ("bisect", "--when", "event == cart.created"), ("checkpoint", f"{new}.checkpoint"), ("verify", "--from", f"{new}.checkpoint"), ("export", f"{new}.bundle"))]

    def test_each_account_is_denied_the_rest(self):
        def client(account):
            return {"bootstrap.servers": f"127.0.0.1:{self.ports['PASSWORD']}", "security.protocol": "sasl_ssl", "ssl.ca.location": str(self.folder / "ca.pem"), "sasl.mechanism": "PLAIN", "sasl.username": account, "sasl.password": PASSWORDS[account]}

        def write(account, topic):
            told = []
            producer = Producer(client(account))
            producer.produce(topic, b"denied", partition=0, on_delivery=lambda error, _: told.append(error))
            producer.flush(PATIENCE_S)
            return told[0]

        def first(consumer, error):
            """What comes first: a record or the end (none), or that error."""
            end = time.monotonic() + PATIENCE_S
            while time.monotonic() < end:  # not closed afterwards: librdkafka 2.0 waits for a group that it may not read
                message = consumer.poll(1)
                if message is None:
                    continue
                if message.error() is None or message.error().code() == KafkaError._PARTITION_EOF:
                    return None
                if message.error().code() == error:
                    return message.error()
            raise AssertionError("nothing came")

        def read(account, topic):
            consumer = Consumer({**client(account), "group.id": "unused", "auto.offset.reset": "earliest", "enable.partition.eof": True})
            consumer.assign([TopicPartition(topic, 0, 0)])
            return first(consumer, KafkaError.TOPIC_AUTHORIZATION_FAILED)

        def group(account, name):
            consumer = Consumer({**client(account), "group.id": name})
            consumer.subscribe([COMMANDS])
            return first(consumer, KafkaError.GROUP_AUTHORIZATION_FAILED)

        def transaction(account, name):
            producer = Producer({**client(account), "transactional.id": name})
            try:
                producer.init_transactions(PATIENCE_S)
            except confluent_kafka.KafkaException as refused:
                return refused.args[0]
            return None

        rights = {
            write: [(topic, {COMMANDS: ("engine", "shop", "connector")}.get(topic, ("engine",))) for topic in TOPICS],
            read: [(COMMANDS, ("engine", "reader")), (EVENTS, ("connector", "reader")), (STATE, ("engine", "reader")), (DEADLETTERS, ("reader",)), (ALERTS, ("reader",))],
            group: [("mayfly-shop", ("engine",)), ("mayfly.reader.pay", ("connector",))],
            transaction: [("mayfly-shop-x", ("engine",)), ("mine", ())],
        }
        denied = {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED}
        for attempt, of in rights.items():
            for name, allowed in of:
                for account in ACCOUNTS:
                    if account in allowed and attempt != read:
                        continue  # the test above; here it would spoil what others read, fence them or take their partitions
                    with self.subTest(attempt=attempt.__name__, of=name, account=account):
                        error = attempt(account, name)
                        self.assertEqual(error is None, account in allowed, error)
                        self.assertTrue(error is None or error.code() in denied, error)


if __name__ == "__main__":
    unittest.main()

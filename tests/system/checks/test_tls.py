"""HTTPS at the front door and the hooks, and to addresses that events are delivered to. Usage: test_tls.py MAYFLY

Needs openssl, which makes the certificates. Nothing here is timed: it waits for what must come.
"""
import base64
import http.client
import json
import pathlib
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from program import MAYFLY, PATIENCE_S

ROOT = pathlib.Path(__file__).resolve().parents[3]
SECRET = "whsec_" + base64.b64encode(b"a key of 24 bytes or more").decode()


class Authority:
    """Signs certificates for 127.0.0.1, or for another name."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.file = folder / f"{name}.pem"
        self.openssl("req", "-x509", *self.new_key, "-days", "2", "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                     "-keyout", f"{name}.key", "-out", self.file)

    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")

    def openssl(self, *words):
        subprocess.run(["openssl", *map(str, words)], cwd=self.folder, capture_output=True, check=True)

    def sign(self, name, of="IP:127.0.0.1"):
        """Files of a certificate and its key."""
        certificate, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        (self.folder / "names").write_text(f"subjectAltName={of}\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n")
        self.openssl("req", "-new", *self.new_key, "-subj", f"/CN={name}", "-keyout", key, "-out", f"{name}.csr")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", self.file, "-CAkey", f"{self.name}.key", "-CAcreateserial", "-days", "2",
                     "-extfile", "names", "-out", certificate)
        key.chmod(0o600)
        return certificate, key


def strict_context(authorities):
    """What Python's default is since 3.13, with earlier ones too."""
    context = ssl.create_default_context(cafile=str(authorities))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


class Program:
    """One that says where it listens, and everything that it says, a line each."""

    def __init__(self, *words, until):
        self.process = subprocess.Popen([MAYFLY, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines, self.came = [], threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.wait_for(until)

    def read(self):
        for line in self.process.stdout:
            with self.came:
                self.lines.append(line)
                self.came.notify_all()

    def wait_for(self, words):
        with self.came:
            assert self.came.wait_for(lambda: any(words in line for line in self.lines), PATIENCE_S), f"{words!r} not in {self.lines}"
            return next(line for line in self.lines if words in line)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        self.reader.join()
        self.process.stdout.close()
        return code


class OnALog(unittest.TestCase):
    """A log with one command, certificates, and an authority that signs them."""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.authority = Authority(cls.folder, "authority")
        cls.stranger = Authority(cls.folder, "stranger")
        cls.log = f"sqlite:{cls.folder}/shop.db"
        cls.sent(cls, "first", "--create")

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def sent(self, cart, *more):
        subprocess.run([MAYFLY, "send", "--log", self.log, *more, "cart.create", cart, "currency=GBP"], capture_output=True, check=True)

    def connection(self, port, trusted=None):
        trust = strict_context((trusted or self.authority).file)
        return http.client.HTTPSConnection("127.0.0.1", port, timeout=PATIENCE_S, context=trust)


class FrontDoor(OnALog):
    def front(self, certificate, key):
        front = Program("front", "--log", self.log, "--address", "127.0.0.1:0", "--certificate", certificate, "--key", key, until="docs/http.md")
        self.addCleanup(front.end)
        where = front.wait_for("docs/http.md")
        self.assertIn("at https://127.0.0.1:", where)
        return front, int(where.split(":")[2].split("/")[0])

    def ask(self, connection, cart):
        connection.request("POST", f"/carts/{cart}/commands/cart.create", '{"currency":"GBP"}')
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def serial(self, port):
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as plain:
            with strict_context(self.authority.file).wrap_socket(plain, server_hostname="127.0.0.1") as wrapped:
                return wrapped.getpeercert()["serialNumber"]

    def test_commands_are_taken_over_https_by_who_trusts_the_certificate(self):
        _, port = self.front(*self.authority.sign("front"))
        connection = self.connection(port)
        self.assertEqual([self.ask(connection, "c1"), self.ask(connection, "c2")], [202, 202])  # on one connection
        connection.close()
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.ask(self.connection(port, self.stranger), "c3")
        with self.assertRaises((ConnectionError, http.client.HTTPException)):
            self.ask(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S), "c4")  # in the clear

    def test_what_is_older_than_tls_1_2_is_refused(self):
        _, port = self.front(*self.authority.sign("old"))
        for version, taken in (("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)):
            done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-cipher", "ALL:@SECLEVEL=0", version],
                                  input="", capture_output=True, text=True, timeout=PATIENCE_S, check=False)
            self.assertEqual("Cipher is (NONE)" not in done.stdout, taken, version + done.stdout + done.stderr)

    def test_a_stream_of_events_has_no_end_over_https_either(self):
        _, port = self.front(*self.authority.sign("stream"))
        connection = self.connection(port)
        connection.request("GET", "/events")
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.readline()), (200, b"retry: 1000\n"))
        connection.close()

    def test_a_client_that_never_ends_its_handshake_keeps_nobody_waiting_and_is_let_go(self):
        _, port = self.front(*self.authority.sign("slow"))
        silent = [socket.create_connection(("127.0.0.1", port), PATIENCE_S) for _ in range(200)]
        silent[0].sendall(b"\x16\x03\x01\x02\x00\x01")  # the begin of a ClientHello
        connection = self.connection(port)
        self.assertEqual(self.ask(connection, "c5"), 202)
        connection.close()
        for one in silent:
            self.assertEqual(one.recv(1), b"")
            one.close()

    def test_a_new_certificate_is_served_from_then_on_and_a_broken_one_is_not(self):
        certificate, key = self.authority.sign("renewed")
        front, port = self.front(certificate, key)
        kept = self.connection(port)
        self.assertEqual(self.ask(kept, "c6"), 202)
        first = self.serial(port)
        certificate.write_text("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
        front.wait_for("renewed.crt holds no certificate as PEM")
        self.assertEqual(self.serial(port), first)
        self.authority.sign("renewed")
        front.wait_for("the certificate was read again")
        until = time.monotonic() + PATIENCE_S
        while (second := self.serial(port)) == first:
            self.assertLess(time.monotonic(), until, "the certificate before is still served")
        self.assertNotEqual(second, first)
        self.assertEqual(self.ask(kept, "c7"), 202)
        kept.close()

    def test_what_cannot_be_served_is_said_at_the_start(self):
        certificate, key = self.authority.sign("whole")
        other, _ = self.authority.sign("other")
        locked, open_to_all, text = self.folder / "locked.key", self.folder / "open.key", self.folder / "text"
        self.authority.openssl("pkcs8", "-topk8", "-in", key, "-out", locked, "-passout", "pass:secret")
        locked.chmod(0o600)
        open_to_all.write_text(key.read_text())
        open_to_all.chmod(0o644)
        text.write_text("no certificate")
        for files, said in (((self.folder / "none", key), "none cannot be read"),
                            ((self.folder, key), "cannot be read"),
                            ((text, key), "text holds no certificate as PEM"),
                            ((certificate, self.folder / "none"), "none"),
                            ((certificate, open_to_all), "open.key"),
                            ((certificate, locked), "locked.key holds no key of"),
                            ((other, key), "whole.key holds no key of")):
            done = subprocess.run([MAYFLY, "front", "--log", self.log, "--address", "127.0.0.1:0", "--certificate", str(files[0]), "--key", str(files[1])],
                                  capture_output=True, text=True, timeout=PATIENCE_S, stdin=subprocess.DEVNULL, check=False)
            self.assertEqual((done.returncode, said in done.stderr), (2, True), f"{files}: {done.returncode} {done.stderr}")
            self.assertNotIn("PRIVATE", done.stderr)
        done = subprocess.run([MAYFLY, "front", "--log", self.log, "--certificate", str(certificate)], capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)
        self.assertEqual((done.returncode, "--key" in done.stderr), (2, True), done.stderr)


class Receiver:
    """Takes webhooks over HTTPS."""

    def __init__(self, certificate, key):
        self.taken, self.came = [], threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(204)
                self.end_headers()
                with receiver.came:
                    receiver.taken.append(body["subject"])
                    receiver.came.notify_all()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.handle_error = lambda *_: None  # who does not trust the certificate
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"https://127.0.0.1:{self.server.server_port}/"

    def end(self):
        self.server.shutdown()
        self.server.server_close()


class Connector(OnALog):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.engine = Program("serve", "--log", cls.log, "--http", "off", until="ready")
        cls.secret = cls.folder / "secret"
        cls.secret.write_text(SECRET)
        cls.secret.chmod(0o600)

    @classmethod
    def tearDownClass(cls):
        cls.engine.end()
        super().tearDownClass()

    def config(self, name, head, *tables):
        file = self.folder / f"{name}.toml"
        file.write_text("[connect]\n" + head + "".join(tables))
        return file

    def deliver(self, name, url):
        return f"[connect.deliver.{name}]\nurl = '{url}'\ntypes = 'cart.created'\nsecret_file = '{self.secret}'\n"

    def receiver(self, *files):
        receiver = Receiver(*files)
        self.addCleanup(receiver.end)
        return receiver

    def test_events_go_to_an_address_whose_certificate_is_trusted_and_to_no_other(self):
        good = self.receiver(*self.authority.sign("good"))
        unknown = self.receiver(*self.stranger.sign("unknown"))
        misnamed = self.receiver(*self.authority.sign("misnamed", of="DNS:shop.example.com"))
        config = self.config("deliver", f"ca_file = '{self.authority.file}'\n", self.deliver("good", good.url),
                             self.deliver("unknown", unknown.url), self.deliver("misnamed", misnamed.url))
        connect = Program("connect", "--log", self.log, "--config", config, until="connected")
        self.addCleanup(connect.end)
        with good.came:
            self.assertTrue(good.came.wait_for(lambda: "first" in good.taken, PATIENCE_S), connect.lines)
        for name in ("unknown", "misnamed"):
            self.assertIn("certificate verify failed", connect.wait_for(f"{name}: https"))
        self.assertEqual((unknown.taken, misnamed.taken), ([], []))

    def test_hooks_are_taken_over_https(self):
        certificate, key = self.authority.sign("hooks")
        config = self.config("hooks", f"listen = '127.0.0.1:0'\ncertificate_file = '{certificate}'\nkey_file = '{key}'\n",
                             f"[connect.hooks.mine]\nsecret_file = '{self.secret}'\n")
        connect = Program("connect", "--log", self.log, "--config", config, until="connected")
        self.addCleanup(connect.end)
        where = connect.wait_for("mine: at https://127.0.0.1:")
        connection = self.connection(int(where.split(":")[3].split("/")[0]))
        connection.request("POST", "/hooks/mine", "{}")
        self.assertEqual(connection.getresponse().status, 401)  # over HTTPS, but without a signature
        connection.close()

    def test_files_that_cannot_be_used_are_named(self):
        certificate, key = self.authority.sign("named")
        (self.folder / "text").write_text("no certificate")
        hook = f"[connect.hooks.mine]\nsecret_file = '{self.secret}'\n"
        for head, said in ((f"certificate_file = '{certificate}'\n", "key_file go together"),
                           (f"certificate_file = '{self.folder}/none'\nkey_file = '{key}'\n", "none cannot be read"),
                           (f"ca_file = '{self.folder}/text'\n", "text holds no certificate authorities")):
            config = self.config("wrong", "listen = '127.0.0.1:0'\n" + head, hook)
            done = subprocess.run([MAYFLY, "connect", "--log", self.log, "--config", str(config), "--check-config"], capture_output=True,
                                  text=True, timeout=PATIENCE_S, check=False)
            self.assertEqual((done.returncode, said in done.stderr), (3, True), f"{head}: {done.returncode} {done.stderr}")


if __name__ == "__main__":
    unittest.main(verbosity=0)

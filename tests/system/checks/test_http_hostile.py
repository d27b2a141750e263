"""Hostile clients of a running engine's HTTP, each by a plain socket on loopback, bounded in bytes and count: what they
send is not kept, what they hold open is given up, and while they do their worst the probes answer.

Usage: test_http_hostile.py MAYFLY
"""
import contextlib
import json
import os
import pathlib
import re
import resource
import select
import signal
import socket
import subprocess
import tempfile
import unittest

from program import MAYFLY, PATIENCE_S

MIB = 1024 * 1024
ENDLESS_BYTES = 96 * MIB  # what an endless sender sends if nobody stops it
KEPT_BYTES = 48 * MIB  # most by which the process may have grown while it did
CONNECTIONS = 64  # http.connections, the default
PROBES = ("/livez", "/readyz")
SLOW = {
    "silent": b"",
    "in the request line": b"GET /tr",
    "in a header": b"GET /tree HTTP/1.1\r\nHost: 127.0.0.1\r\nX",
    "in a body": b"POST /renew HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n",
}
# Patient, so that on a busy machine nobody is given up for being slow; and hasty, where being given up is waited for.
PATIENT = "[http]\nrequest_ms = 600000\nconnection_ms = 86400000\n"
HASTY = "[http]\nrequest_ms = 3000\nconnection_ms = 6000\n"


class Engine:
    """One engine on a SQLite log, its address and what the system says about its process."""

    def __init__(self, config=PATIENT, prefix=()):
        self.folder = tempfile.TemporaryDirectory()
        file = pathlib.Path(self.folder.name) / "mayfly.toml"
        file.write_text(config)
        words = [*prefix, MAYFLY, "serve", "--log", f"sqlite:{self.folder.name}/shop.db", "--config", str(file), "--http", "127.0.0.1:0"]
        self.process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
        self.said = []
        for line in self.process.stderr:
            said = json.loads(line) if line.startswith("{") else {"name": "", "message": line}
            self.said.append(said)
            if said["name"] == "http":
                host, port = re.search(r"http://([^/]+):(\d+)/", said["message"]).groups()
                self.address = (host, int(port))
            if said["name"] == "ready":
                return
        raise AssertionError(f"the engine ended: {self.said}")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.communicate(timeout=PATIENCE_S)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    def resident_bytes(self):
        return int(re.search(r"^VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{self.process.pid}/status").read_text(), re.M)[1]) * 1024

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def connect(self, receive_bytes=None):
        connection = socket.socket()
        connection.settimeout(PATIENCE_S)
        if receive_bytes is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        connection.connect(self.address)
        return connection

    def ask(self, request):
        """The status of what is answered, 0 if the connection ends without an answer; and all that came."""
        with self.connect() as connection:
            with contextlib.suppress(ConnectionError):
                connection.sendall(request)
            return status_and_rest(connection)

    def get(self, path, host="127.0.0.1", more=""):
        return self.ask(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n".encode())


def status_and_rest(connection):
    got = b""
    with contextlib.suppress(ConnectionError):
        while part := connection.recv(65536):
            got += part
    words = got.split(b" ", 2)
    return (int(words[1]) if got.startswith(b"HTTP/1.") and len(words) > 2 else 0), got


def send_until_stopped(connection, begin, chunk, most_bytes):
    """Sends `begin`, then `chunk` again and again until the other side ends the connection. How many bytes went."""
    sent = len(begin)
    try:
        connection.sendall(begin)
        while sent < most_bytes:
            connection.sendall(chunk)
            sent += len(chunk)
    except ConnectionError:
        pass
    return sent


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192) if hard != resource.RLIM_INFINITY else 8192, hard))
        cls.addClassCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    def setUp(self):
        self.engine = Engine()
        self.addCleanup(self.engine.stop)

    def assert_serving(self, of=None):
        """Probes answer at once, whatever else is open; to call while an attack is held."""
        engine = of or self.engine
        for path in PROBES:
            self.assertEqual(engine.get(path)[0], 200, path)
        self.assertIsNone(engine.process.poll())

    def test_what_has_no_end_is_not_kept(self):
        fill = b"a" * 65536
        chunk = b"10000\r\n" + fill + b"\r\n"
        post = b"POST /renew HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        for name, begin, more in (
            ("request line", b"GET /", fill),
            ("method", b"", fill),
            ("query", b"GET /tree?", fill),
            ("version", b"GET / HTTP/1.", b"1" * 65536),
            ("header's name", b"GET / HTTP/1.1\r\n", fill),
            ("header's value", b"GET / HTTP/1.1\r\nHost: ", fill),
            ("folded header", b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n", b" a\r\n" * 16384),
            ("headers", b"GET / HTTP/1.1\r\n", b"a: b\r\n" * 10000),
            ("empty lines", b"", b"\r\n" * 32768),
            ("chunked body", post + b"Transfer-Encoding: chunked\r\n\r\n", chunk),
            ("chunk's size", post + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * 65536),
            ("chunk's extension", post + b"Transfer-Encoding: chunked\r\n\r\n1;", fill),
            ("trailer", post + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n" * 10000),
            ("body of a length", post + b"Content-Length: 4294967296\r\n\r\n", fill),
            ("body of a GET", b"GET /tree HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n", chunk),
            ("body without a length", b"POST /renew HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\r\n", fill),
        ):
            with self.subTest(name), self.engine.connect() as connection:
                before = self.engine.resident_bytes()
                sent = send_until_stopped(connection, begin, more, ENDLESS_BYTES)
                self.assertLess(sent, ENDLESS_BYTES)
                self.assertLess(self.engine.resident_bytes() - before, KEPT_BYTES)
                self.assert_serving()

    def test_one_connection_brings_no_memory_pressure_and_its_want_of_memory_ends_nothing(self):
        limited = Engine(PATIENT + "[memory]\nprocess_bytes = 201326592\n", prefix=("prlimit", "--core=0", f"--data={512 * MIB}"))
        self.addCleanup(limited.stop)
        chunked = b"POST /renew HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        for begin, chunk in ((b"GET /", b"a" * MIB), (chunked, b"100000\r\n" + b"a" * MIB + b"\r\n")):
            with limited.connect() as connection:
                send_until_stopped(connection, begin, chunk, 600 * MIB)
                self.assert_serving(limited)
                self.assertEqual(json.loads(limited.get("/memory")[1].partition(b"\r\n\r\n")[2])["pressure"], "normal")

    def test_what_is_no_request_of_ours_is_refused_and_nothing_behind_it_is_heeded(self):
        host = b"Host: 127.0.0.1\r\n"
        post = b"POST /renew HTTP/1.1\r\n" + host + b"Content-Type: application/json\r\n"
        for name, request, statuses in (
            ("a range of bytes", b"GET / HTTP/1.1\r\n" + host + b"Connection: close\r\nRange: bytes=0-1\r\n\r\n", {200}),
            ("a chunked body", post + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {411}),
            ("another transfer coding", post + b"Transfer-Encoding: gzip\r\n\r\n", {400, 411}),
            ("both lengths", post + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400, 411}),
            ("two lengths", post + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", {400}),
            ("a length that is none", post + b"Content-Length: -1\r\n\r\n", {400}),
            ("a body that is too long", post + b"Content-Length: 1025\r\n\r\n" + b"a" * 1025, {413}),
            ("a long header", b"GET / HTTP/1.1\r\n" + host + b"X: " + b"a" * 9000 + b"\r\n\r\n", {431}),
            ("two hosts", b"GET /tree HTTP/1.1\r\n" + host + host + b"\r\n", {400}),
            ("no host", b"GET /tree HTTP/1.1\r\n\r\n", {400}),
            ("another site's whole address", b"GET http://example.com/tree HTTP/1.1\r\n" + host + b"\r\n", {400}),
            ("a path that is none", b"GET tree HTTP/1.1\r\n" + host + b"\r\n", {400}),
            ("a tunnel", b"CONNECT 127.0.0.1:22 HTTP/1.1\r\n" + host + b"\r\n", {400, 404, 405, 501}),
            ("a preflight", b"OPTIONS /renew HTTP/1.1\r\n" + host + b"Connection: close\r\n\r\n", {404, 405}),
            ("a byte that is none", b"GET /\x00 HTTP/1.1\r\n" + host + b"\r\n", {400}),
            ("a line end in a value", b"GET /tree HTTP/1.1\r\n" + host + b"X: a\rb\r\n\r\n", {400}),
            ("a space before the colon", b"GET /tree HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n", {400}),
            ("another version", b"GET / HTTP/9.9\r\n" + host + b"\r\n", {400, 505}),
            ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {0, 400, 505}),
            ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200) + b"\r\n\r\n", {0, 400}),
        ):
            with self.subTest(name):
                status, got = self.engine.ask(request + b"GET /tree HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                self.assertIn(status, statuses)
                self.assertNotIn(b'"partitions"', got)
        self.assert_serving()

    def test_a_header_of_ranges_does_not_multiply_the_answer(self):
        ranges = "Range: bytes=" + ",".join(["0-"] * 2300) + "\r\n"
        status, got = self.engine.get("/", more=ranges)
        self.assertEqual(status, 200)
        self.assertEqual(len(got.partition(b"\r\n\r\n")[2]), len(self.engine.get("/")[1].partition(b"\r\n\r\n")[2]))

    def test_only_names_of_ours_are_answered_but_a_probe_always_is(self):
        port = self.engine.address[1]
        ours = ["127.0.0.1", f"127.0.0.1:{port}", "localhost", f"LocalHost:{port}", "localhost.", "[::1]", f"[::1]:{port}", "10.244.1.7:9290", "[fd00::7]:9290", socket.gethostname()]
        others = ["example.com", f"example.com:{port}", "127.0.0.1.example.com", "localhost.example.com", "1.2.3.4.5", "[::1", "::1", "", "a b", "127.0.0.1@example.com", "127.0.0.1:x", "0x7f.1"]
        post = "POST /renew HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n"
        for host in ours:
            for path in ("/", "/tree", "/memory", "/metrics"):
                self.assertEqual(self.engine.get(path, host)[0], 200, (host, path))
            self.assertEqual(self.engine.ask(post.format(host).encode())[0], 202, host)
        for host in others:
            for path in ("/", "/tree", "/memory", "/metrics", "/else"):
                self.assertIn(self.engine.get(path, host)[0], (400, 421), (host, path))
            self.assertIn(self.engine.ask(post.format(host).encode())[0], (400, 421), host)
        for path in PROBES:
            for host in ("10.244.1.7:9290", "anything.example.com", "mayfly-0"):
                self.assertEqual(self.engine.get(path, host)[0], 200, host)
            self.assertEqual(self.engine.ask(f"GET {path} HTTP/1.0\r\n\r\n".encode())[0], 200)

    def test_names_that_the_config_gives_are_ours(self):
        named = Engine('[http]\nhosts = "mayfly.example.com, *.mayfly.svc"\n')
        self.addCleanup(named.stop)
        for host, status in (("mayfly.example.com", 200), ("MAYFLY.example.com:80", 200), ("mayfly-0.mayfly.svc", 200), ("a.b.mayfly.svc", 200), ("mayfly.svc", 421), ("xmayfly.svc", 421), ("www.mayfly.example.com", 421), ("127.0.0.1", 200)):
            self.assertEqual(named.get("/tree", host)[0], status, host)

    def test_while_slow_clients_are_held_open_the_probes_answer(self):
        for name, begin in SLOW.items():
            for count in (4, CONNECTIONS - len(PROBES), 10 * CONNECTIONS):
                with self.subTest(name, count=count), contextlib.ExitStack() as held:
                    slow = [held.enter_context(self.engine.connect()) for _ in range(count)]
                    for connection in slow:
                        with contextlib.suppress(ConnectionError):
                            connection.sendall(begin)
                    self.assert_serving()
                    ended = select.select(slow, [], [], 0)[0]
                    if count < CONNECTIONS:  # all of them were open while it answered
                        self.assertEqual(ended, [])
                    else:  # the room is for who came last
                        self.assertNotIn(slow[-1], ended)
                        self.assertGreaterEqual(len(ended), count - CONNECTIONS)

    def hasty(self):
        engine = Engine(HASTY)
        self.addCleanup(engine.stop)
        return engine

    def test_each_slow_client_is_given_up(self):
        engine = self.hasty()
        with contextlib.ExitStack() as held:
            slow = {name: held.enter_context(engine.connect()) for name in SLOW}
            for name, connection in slow.items():
                connection.sendall(SLOW[name])
            for name, connection in slow.items():
                self.assertEqual(status_and_rest(connection), (0, b""), name)  # returns: the other side has ended it

    def test_a_byte_now_and_then_does_not_prolong_a_request(self):
        engine = self.hasty()
        for begin in (b"GET /tree HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ", b"POST /renew HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\nContent-Type: application/json\r\n\r\n"):
            with engine.connect() as connection:
                connection.sendall(begin)
                drops = 0
                with contextlib.suppress(ConnectionError):
                    while not select.select([connection], [], [], 0.1)[0]:
                        connection.sendall(b"a")
                        drops += 1
                        self.assertLess(drops, 10 * PATIENCE_S, "never given up")
                self.assert_serving(engine)

    def test_a_connection_that_asks_again_and_again_ends_too(self):
        with self.engine.connect() as connection:
            answers = 0
            with contextlib.suppress(ConnectionError):
                while answers < 10_000:
                    connection.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                    if not connection.recv(65536):
                        break
                    answers += 1
            self.assertLess(answers, 10_000)
        self.assert_serving()

    def test_a_thousand_requests_at_once_on_one_connection_are_bounded(self):
        status, got = self.engine.ask(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 1000)
        self.assertEqual(status, 200)
        self.assertLess(got.count(b"HTTP/1.1 200"), 1000)
        self.assert_serving()

    def test_answers_that_nobody_reads_are_bounded_and_given_up(self):
        engine = self.hasty()
        before = engine.resident_bytes()
        with contextlib.ExitStack() as held:
            slow = [held.enter_context(engine.connect(receive_bytes=2048)) for _ in range(4 * CONNECTIONS)]
            for connection in slow:
                with contextlib.suppress(ConnectionError):
                    connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 50)
            self.assert_serving(engine)
            self.assertLess(engine.resident_bytes() - before, KEPT_BYTES)
            for connection in slow:
                status_and_rest(connection)
        self.assert_serving(engine)

    def test_thousands_of_connections_at_once_are_bounded(self):
        before, files = self.engine.resident_bytes(), self.engine.open_files()
        with contextlib.ExitStack() as held:
            for _ in range(3000):
                held.enter_context(self.engine.connect())
            self.assert_serving()
            self.assertLessEqual(self.engine.open_files(), files + CONNECTIONS + 1)
            self.assertLess(self.engine.resident_bytes() - before, KEPT_BYTES)

    def test_ten_thousand_requests_leave_nothing_behind(self):
        request = b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n%s\r\n"
        flood = b"".join(b"X-%d: %s\r\n" % (i, b"a" * 60) for i in range(100))
        kinds = ((b"/livez", b""), (b"/readyz", flood), (b"/tree", b""), (b"/metrics", flood), (b"/", b""), (b"/else", b"Range: bytes=0-1,1-2\r\n"))
        files = self.engine.open_files()
        before = None
        for turn in range(10_000):
            path, more = kinds[turn % len(kinds)]
            with self.engine.connect() as connection:
                connection.sendall(request % (path, more))
                if turn % 3:  # the others leave without waiting for an answer
                    status_and_rest(connection)
            if turn == 1000:
                before = self.engine.resident_bytes()
        self.assert_serving()
        self.assertLess(self.engine.resident_bytes() - before, KEPT_BYTES)
        self.engine.get("/livez")
        self.assertLessEqual(self.engine.open_files(), files + CONNECTIONS)


if __name__ == "__main__":
    unittest.main()

"""CloudEvents' own SDKs of Java, Python, Go and JavaScript over HTTP: what they send is decided, binary and structured, and they
read what Mayfly sends as webhooks. Over Kafka the programs of examples/kafka do so (test_examples.py).
Usage: test_cloudevents_sdks.py MAYFLY     A language whose toolchain or packages are not to be had is skipped."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from program import MAYFLY, PATIENCE_S
from example_languages import made_ready
from from_registry import INSTALL_S

HERE = pathlib.Path(__file__).resolve().parent
# What each needs beside its example (examples/kafka), and how it is called there.
PROGRAMS = {
    "java": (["mvn", "-q", "-B", "dependency:copy", "-Dartifact=io.cloudevents:cloudevents-http-basic:4.0.1", "-DoutputDirectory=http-libs"],
             ["java", "-cp", "libs/*:http-libs/*", str(HERE / "cloudevents/Sdk.java")]),
    "python": ([], ["venv/bin/python", str(HERE / "cloudevents/sdk.py")]),
    "go": (["go", "build", "-mod=mod", "-o", "bin/sdk", "./sdk"], ["bin/sdk"]),
    "typescript": ([], ["node", str(HERE / "cloudevents/sdk.mjs")]),
}


def made(words, folder):
    try:
        return subprocess.run(words, cwd=folder, capture_output=True, check=False, timeout=INSTALL_S).returncode == 0
    except subprocess.TimeoutExpired:
        return False


class OverHttp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        log = f"sqlite:{folder.name}/shop.db"
        subprocess.run([MAYFLY, "send", "--log", log, "--create", "cart.create", "first", "currency=GBP"], check=True, stdout=subprocess.DEVNULL)
        cls.webhooks, cls.came = {}, threading.Condition()  # by cart: the content type and body of its line_added

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with cls.came:
                    cls.webhooks[json.loads(body)["subject"]] = (self.headers["Content-Type"], body)
                    cls.came.notify_all()
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        cls.addClassCleanup(receiver.server_close)
        cls.addClassCleanup(receiver.shutdown)
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        config = pathlib.Path(folder.name) / "connect.toml"
        config.write_text(f'[connect.deliver.sdk]\nurl = "http://127.0.0.1:{receiver.server_port}/"\ntypes = "cart.line_added"\nsecret_env = "SECRET"\n')
        cls.start("serve", "--log", log, "--http", "off")
        cls.start("connect", "--log", log, "--config", str(config), SECRET="whsec_" + "MDEy" * 8)
        front = cls.start("front", "--log", log, "--address", "127.0.0.1:0")
        cls.front = re.search(r"at (http://\S+)/ ", front.stdout.readline()).group(1)

    @classmethod
    def start(cls, *words, **environment):
        process = subprocess.Popen([MAYFLY, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, **environment})
        cls.addClassCleanup(process.stdout.close)
        cls.addClassCleanup(process.wait)
        cls.addClassCleanup(process.send_signal, signal.SIGTERM)
        return process

    def talks(self, language):
        folder, reason = made_ready(language)
        if not folder:
            self.skipTest(f"{language}: {reason}")
        more, program = PROGRAMS[language]
        if language == "go":
            (folder / "sdk").mkdir(exist_ok=True)
            shutil.copy(HERE / "cloudevents/sdk.go", folder / "sdk/main.go")
        if more and not made(more, folder):
            self.skipTest(f"{language}: failed: {' '.join(more)}")
        cart = f"of-{language}"
        done = subprocess.run([*program, "send", self.front, cart], cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        self.assertEqual((done.returncode, done.stdout.split()), (0, ["200", "200"]), done.stdout + done.stderr)
        with self.came:
            self.assertTrue(self.came.wait_for(lambda: cart in self.webhooks, PATIENCE_S))
            content_type, body = self.webhooks[cart]
        done = subprocess.run([*program, "read", content_type], cwd=folder, input=body, capture_output=True, check=False, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        sent, read = json.loads(body), json.loads(done.stdout)
        self.assertEqual(read, {**{name: sent[name] for name in ("id", "source", "type", "subject", "sequence", "data")}, "time": sent["time"][:19]})
        self.assertEqual((sent["causationid"], sent["data"]["total_minor"]), (f"{cart}-cart.add_line", 5))

    def test_java(self):
        self.talks("java")

    def test_python(self):
        self.talks("python")

    def test_go(self):
        self.talks("go")

    def test_javascript(self):
        self.talks("typescript")


if __name__ == "__main__":
    unittest.main()

"""What a running engine shows over HTTP: probes, metrics by Prometheus's own checker, the tree, the page.

Usage: test_http.py MAYFLY
"""
import http.client
import json
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

from program import MAYFLY, PATIENCE_S

ROOT = pathlib.Path(__file__).resolve().parents[3]


class Http(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = f"sqlite:{folder.name}/shop.db"
        self.engine = subprocess.Popen([MAYFLY, "serve", "--log", self.log, "--http", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.engine.stderr.close)
        self.addCleanup(self.engine.wait)
        self.addCleanup(lambda: self.engine.poll() is None and self.engine.kill())
        self.address = None
        self.lines = []
        for line in self.engine.stderr:
            said = json.loads(line)
            self.lines.append(said)
            if said["name"] == "http":
                self.address = re.search(r"http://([^/]+)/", said["message"])[1]
            if said["name"] == "ready":
                return
        self.fail("the engine ended")

    def get(self, path):
        with urllib.request.urlopen(f"http://{self.address}{path}", timeout=PATIENCE_S) as answer:
            return answer.headers.get_content_type(), answer.read().decode()

    def send(self, *words):
        subprocess.run([MAYFLY, "send", "--log", self.log, *words], check=True, capture_output=True, timeout=PATIENCE_S)

    def wait_for_commands(self, count):
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            tree = json.loads(self.get("/tree")[1])
            if tree["engine"]["commands"] >= count:
                return tree
        self.fail("the commands were not decided")

    def test_log_lines_have_their_numbers_as_members(self):
        taken = [line for line in self.lines if line["name"] == "partition_taken"]
        self.assertEqual([(line["partition"], line["offset"], line["carts_open"]) for line in taken], [(p, 0, 0) for p in range(4)])
        self.send("cart.create", "c1", "currency=GBP")
        self.wait_for_commands(1)
        self.engine.terminate()
        census = next(line for line in map(json.loads, self.engine.stderr) if line["name"] == "census")
        self.assertEqual([census[name] for name in ("commands", "events", "rejections", "dead_letters", "carts_open", "sessions_open")], [1, 1, 0, 0, 1, 0])
        self.assertGreater(census["resident_bytes"], 0)

    def test_a_served_engine_is_alive_and_ready(self):
        self.assertEqual(self.get("/livez"), ("text/plain", "alive\n"))
        self.assertEqual(self.get("/readyz"), ("text/plain", "ready\n"))
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.get("/else")
        self.assertEqual(refused.exception.code, 404)
        refused.exception.close()

    def test_metrics_pass_prometheus_own_checker_and_name_no_cart(self):
        self.send("cart.create", "secret-cart", "currency=GBP")
        self.send("cart.add_line", "secret-cart", "sku=A", "quantity=0", "unit_price_minor=1")
        self.wait_for_commands(2)
        _, text = self.get("/metrics")
        self.assertNotIn("secret-cart", text)
        self.assertIn('mayfly_events_total{type="cart.created"} 1\n', text)
        self.assertIn('mayfly_memory_blocks{kind="partition",purpose="partition.entries"} ', text)
        self.assertIn("mayfly_memory_pressure_level 0\n", text)
        self.assertRegex(text, r'mayfly_rejections_total\{code="[a-z_]+"\} 1\n')
        if not shutil.which("promtool"):
            self.skipTest("promtool is not here: apt-get install prometheus")
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    def test_the_tree_shows_partitions_and_their_carts_to_programs_and_people(self):
        self.send("cart.create", "c1", "currency=GBP")
        tree = self.wait_for_commands(1)
        self.assertEqual([p["phase"] for p in tree["partitions"]], ["serving"] * 4)
        self.assertEqual(sum(p["carts_open"] for p in tree["partitions"]), 1)
        self.assertEqual(tree["process"]["pid"], self.engine.pid)
        self.assertEqual([tree["engine"][m] for m in ("restarts", "rebuilds", "carts_quarantined")], [0, 0, 0])
        shown = subprocess.run([MAYFLY, "tree", "--http", self.address], capture_output=True, text=True, check=True, timeout=PATIENCE_S).stdout
        self.assertIn(f"process {self.engine.pid}", shown)
        self.assertEqual(shown.count("serving"), 4)
        self.assertEqual(len({len(line.rstrip("\n")) for line in shown.splitlines()}), 1, shown)
        again = subprocess.run([MAYFLY, "tree", "--http", self.address, "--json"], capture_output=True, text=True, check=True, timeout=PATIENCE_S)
        self.assertEqual(json.loads(again.stdout)["engine"]["carts_open"], 1)

    def test_now_holds_the_tree_and_memory_and_the_history_grows_with_each_second(self):
        self.send("cart.create", "c1", "currency=GBP")
        self.wait_for_commands(1)
        now = json.loads(self.get("/now")[1])
        self.assertEqual(set(now["tree"]), set(json.loads(self.get("/tree")[1])))
        self.assertEqual(set(now["memory"]), set(json.loads(self.get("/memory")[1])))
        self.assertEqual(now["tree"]["engine"]["carts_open"], 1)
        self.assertGreaterEqual(sum(now["command_age"]["counts"]), 1)
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            history = json.loads(self.get("/history")[1])
            if len(history["at_ms"]) >= 3 and history["commands"][-1] >= 1:
                break
        self.assertEqual({len(history[name]) for name in ("at_ms", "commands", "used_bytes", "slowest_us")}, {len(history["at_ms"])})
        self.assertGreaterEqual(len(history["at_ms"]), 3)
        self.assertEqual(history["at_ms"], sorted(set(history["at_ms"])))
        self.assertGreater(history["used_bytes"][-1], 0)
        self.assertEqual(sum(rows[-1] for rows in history["memory_bytes"].values()), history["used_bytes"][-1])

    def test_a_search_finds_a_cart_by_its_order_and_shows_its_events(self):
        for command in (["cart.create", "c1", "currency=GBP"], ["cart.add_line", "c1", "sku=TEA", "quantity=1", "unit_price_minor=499"],
                        ["checkout.complete", "c1", "expected_total_minor=499", "payment.provider=sim", "payment.token=tok_1"],
                        ["inventory.reserved", "c1", "reservation_id=c1-r1"],
                        ["payment.authorized", "c1", "session_id=c1-p1", "reference=pi_1", "amount_minor=499", "currency=GBP"]):
            self.send(*command)
        self.wait_for_commands(5)
        for asked in ("c1", "o-c1", "c1-p1", "pi_1"):
            found = json.loads(self.get(f"/search?id={asked}")[1])
            self.assertEqual((found["found"], found["state"]["cart"], found["total"]), (True, "c1", "4.99 GBP"), found)
            self.assertIn("order.placed", [event["type"] for event in found["events"]])
            self.assertNotIn("tok_1", json.dumps(found))
        self.assertFalse(json.loads(self.get("/search?id=c2")[1])["found"])
        for wrong in ("/search", "/search?id=", "/search?id=%zz", "/search?id=" + 257 * "x"):
            with self.assertRaises(urllib.error.HTTPError) as refused:
                self.get(wrong)
            self.assertEqual(refused.exception.code, 400)
            refused.exception.close()

    def test_of_many_searches_at_once_each_is_answered_and_probes_never_wait(self):
        self.send("cart.create", "c1", "currency=GBP")
        self.wait_for_commands(1)
        statuses = []

        def search():
            try:
                with urllib.request.urlopen(f"http://{self.address}/search?id=nobody", timeout=PATIENCE_S) as answer:
                    statuses.append(answer.status)
            except urllib.error.HTTPError as busy:
                statuses.append(busy.code)
                busy.close()

        threads = [threading.Thread(target=search) for _ in range(40)]
        for thread in threads:
            thread.start()
        self.assertEqual(self.get("/livez")[1], "alive\n")
        for thread in threads:
            thread.join()
        self.assertEqual((len(statuses), set(statuses) | {503}), (40, {200, 503}))
        self.assertFalse(json.loads(self.get("/search?id=nobody")[1])["found"])

    def test_money_that_waits_for_an_answer_is_said_with_its_age(self):
        for command in (["cart.create", "c1", "currency=GBP"], ["cart.add_line", "c1", "sku=TEA", "quantity=1", "unit_price_minor=499"],
                        ["checkout.complete", "c1", "expected_total_minor=499", "payment.provider=sim", "payment.token=tok_1"],
                        ["inventory.reserved", "c1", "reservation_id=c1-r1"]):
            self.send(*command)
        until = time.monotonic() + PATIENCE_S
        rows = []
        while not rows and time.monotonic() < until:
            rows = json.loads(self.get("/now")[1])["log"]["money"]["at_risk"]
        self.assertEqual([(row["state"], row["rows"], row["amount"]) for row in rows], [("authorization_asked", 1, "4.99 GBP")])

    def test_renew_compares_the_carts_of_each_partition_and_serving_goes_on(self):
        self.send("cart.create", "c1", "currency=GBP")
        self.wait_for_commands(1)
        renewed = subprocess.run([MAYFLY, "renew", "--http", self.address, "--json"], capture_output=True, text=True, check=True, timeout=PATIENCE_S)
        partitions = json.loads(renewed.stdout)["partitions"]
        self.assertEqual([p["renewals"]["count"] for p in partitions], [1] * 4)
        self.assertEqual(sum(p["renewals"]["newest_carts"] for p in partitions), 1)
        self.send("cart.cancel", "c1")
        self.wait_for_commands(2)
        one = subprocess.run([MAYFLY, "renew", "--http", self.address, "--partition", "2"], capture_output=True, text=True, check=True, timeout=PATIENCE_S)
        self.assertEqual(one.stdout.count("partition "), 1)
        none = subprocess.run([MAYFLY, "renew", "--http", self.address, "--partition", "9"], capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        self.assertEqual((none.returncode, "serves no partition 9" in none.stderr), (1, True))

    def test_a_head_is_the_same_without_its_body_and_a_connection_takes_several_requests(self):
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE_S)
        self.addCleanup(connection.close)
        seen = []
        for method, path in (("HEAD", "/"), ("GET", "/"), ("HEAD", "/livez"), ("GET", "/livez"), ("GET", "/else"), ("HEAD", "/else"), ("GET", "/readyz"), ("GET", "/renew"), ("PUT", "/tree")):
            connection.request(method, path)
            socket = socket if seen else connection.sock
            self.assertIs(connection.sock, socket, "the connection was not kept")
            answer = connection.getresponse()
            seen.append((answer.status, dict(answer.headers), answer.read()))
        for head, get in ((0, 1), (2, 3), (5, 4)):
            self.assertEqual(seen[head], (seen[get][0], seen[get][1], b""))
        self.assertEqual(int(seen[0][1]["Content-Length"]), len(seen[1][2]))
        self.assertEqual([status for status, _, _ in seen], [200, 200, 200, 200, 404, 404, 200, 405, 405])
        self.assertEqual([headers.get("Allow") for _, headers, _ in seen[-3:]], [None, "POST", "GET, HEAD"])

    def test_a_name_that_is_not_the_engine_s_is_told_what_to_do(self):
        named = f"mayfly.localhost.example.com:{self.address.split(':')[1]}"
        asked = urllib.request.Request(f"http://{self.address}/tree", headers={"Host": named})
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(asked, timeout=PATIENCE_S)
        with refused.exception as answer:
            self.assertEqual((answer.code, b"http.hosts" in answer.read()), (421, True))

    def test_a_page_of_another_site_cannot_renew(self):
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(f"http://{self.address}/renew", data=b"", method="POST"), timeout=PATIENCE_S)
        self.assertEqual(refused.exception.code, 415)
        refused.exception.close()

    def test_the_page_loads_nothing_from_elsewhere(self):
        kind, page = self.get("/")
        self.assertEqual(kind, "text/html")
        self.assertEqual(re.findall(r"""(?:src|href|url|@import)\s*[=(]\s*["']?(?:https?:)?//""", page), [])

    def test_runbooks_are_read_where_the_page_is(self):
        for name in ("MayflyLeak", "README"):
            kind, text = self.get("/runbooks/" + name)
            self.assertEqual((kind, text), ("text/plain", (ROOT / "docs" / "runbooks" / (name + ".md")).read_text()))
        for name in ("MayflyElse", "", "..%2FREADME"):
            with self.assertRaises(urllib.error.HTTPError) as refused:
                self.get("/runbooks/" + name)
            self.assertEqual(refused.exception.code, 404)
            refused.exception.close()

    def test_where_nobody_listens_tree_says_what_to_do(self):
        self.engine.send_signal(signal.SIGTERM)
        self.engine.wait(PATIENCE_S)
        asked = subprocess.run([MAYFLY, "tree", "--http", self.address], capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        self.assertEqual(asked.returncode, 1)
        self.assertIn("Is an engine running there?", asked.stderr)

    def test_an_address_that_is_taken_ends_the_second_engine(self):
        second = subprocess.run([MAYFLY, "serve", "--log", self.log + "2", "--http", self.address], capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        self.assertEqual(second.returncode, 2)
        self.assertIn("cannot be listened on", second.stderr)


class WhoMayRead(unittest.TestCase):
    """http.search: an address that others reach shows no cart unless it is told to."""
    def test_carts_are_shown_on_loopback_only_unless_the_setting_says_otherwise(self):
        for address, setting, shown in (("127.0.0.1:0", "", True), ("0.0.0.0:0", "", False), ("0.0.0.0:0", "always", True), ("127.0.0.1:0", "never", False)):
            with self.subTest(address=address, setting=setting), tempfile.TemporaryDirectory() as folder:
                config = pathlib.Path(folder, "mayfly.toml")
                config.write_text(f'[http]\nsearch = "{setting}"\n' if setting else "")
                engine = subprocess.Popen([MAYFLY, "serve", "--log", f"sqlite:{folder}/shop.db", "--http", address, "--config", config],
                                          stderr=subprocess.PIPE, text=True)
                try:
                    port = None
                    for line in engine.stderr:
                        said = json.loads(line)
                        if said["name"] == "http":
                            port = re.search(r":(\d+)/", said["message"])[1]
                        if said["name"] == "ready":
                            break
                    here = f"http://127.0.0.1:{port}"
                    with urllib.request.urlopen(here + "/now", timeout=PATIENCE_S) as answer:
                        self.assertEqual(json.load(answer)["log"]["search"], shown)
                    try:
                        with urllib.request.urlopen(here + "/search?id=c1", timeout=PATIENCE_S) as answer:
                            status = answer.status
                    except urllib.error.HTTPError as refused:
                        status = refused.code
                        refused.close()
                    self.assertEqual(status, 200 if shown else 403)
                finally:
                    engine.terminate()
                    engine.wait(PATIENCE_S)
                    engine.stderr.close()


if __name__ == "__main__":
    unittest.main()

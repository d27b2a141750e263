"""The page of a running engine, and a re-enactment's report, in a real browser. Usage: test_page.py MAYFLY [SCREENSHOTS]

Needs Chromium, node and npm; playwright-core and axe-core come from npm into build/. What is not here is said, and the
checks are skipped. With a folder SCREENSHOTS the page is pictured there in both widths and both schemes.
"""
import base64
import contextlib
import hashlib
import json
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile
import unittest
import urllib.request

from browser import Browser, why_not

ROOT = pathlib.Path(__file__).resolve().parents[3]
PATIENCE_S = 300
# What an engine would say in a night in which much goes wrong.
BAD_NIGHT = """
    const restart = { reason: "a cart's actor died of it at offset 7", at: json.tree.process.now };
    Object.assign(json.tree.partitions[2], { phase: "stopped", restarts: 9, newest_restarts: [restart] });
    json.tree.engine.carts_quarantined = 3;
    Object.assign(json.memory, { pressure: "admission_closed", used_bytes: json.memory.budget_bytes * .96 });
    json.memory.leaks = [{ kind: "growth_per_actor", purpose: "cart.lines", owner: "cart", bytes: 67108864, bytes_per_s: 1048576, limit_in_s: 1200 }];
    const row = { currency: "GBP", rows: 1, amount_minor: 998, amount: "9.98 GBP" };
    json.log.money.at_risk = [{ ...row, state: "capture_asked", oldest_s: 5 }, { ...row, state: "in_doubt", oldest_s: 7300 },
                              { ...row, state: "unresolved", rows: 2, oldest_s: 260000 }];
    json.log.alerts = [{ name: "leak", state: "open", at: restart.at, partition: 0, what: "cart.lines growth_per_actor", message: "cart.lines grows.", runbook: "MayflyLeak" },
                       { name: "cart_quarantined", state: "open", at: restart.at, partition: 1, cart: "c1", message: "It kept dying.", runbook: "MayflyCartsQuarantined" },
                       { name: "payment_unresolved", state: "once", at: restart.at, partition: 1, cart: "c1", message: "Look at it.", runbook: "MayflyPaymentUnresolved" }];
"""
SIZES = [(1280, 900), (390, 844)]


class Engine:
    def __init__(self, folder, config=""):
        self.log = f"sqlite:{folder}/shop.db"
        pathlib.Path(folder, "mayfly.toml").write_text(config)
        self.process = subprocess.Popen([MAYFLY, "serve", "--log", self.log, "--http", "127.0.0.1:0", "--config", f"{folder}/mayfly.toml"],
                                        stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            said = json.loads(line)
            if said["name"] == "http":
                self.url = re.search(r"http://[^ ]+/", said["message"])[0]
            if said["name"] == "ready":
                return
        raise AssertionError("the engine ended")

    def send(self, *words, lines=None):
        subprocess.run([MAYFLY, "send", "--log", self.log, *words], input=lines, text=True, check=True, capture_output=True, timeout=PATIENCE_S)

    def close(self):
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        self.process.stderr.close()


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if why := why_not():
            raise unittest.SkipTest(why)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        cls.engine = Engine(folder.name, "[sqlite]\nalert_wal_bytes = 20000000\n[decisions]\ncapture_wait_s = 86400\n")  # no doubt, however slow
        cls.addClassCleanup(cls.engine.close)
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)
        for words in (["cart.create", "c1", "currency=GBP"], ["cart.add_line", "c1", "sku=TEA", "quantity=2", "unit_price_minor=499"],
                      ["checkout.complete", "c1", "expected_total_minor=998", "payment.provider=sim", "payment.token=tok_1"],
                      ["inventory.reserved", "c1", "reservation_id=c1-r1"],
                      ["payment.authorized", "c1", "session_id=c1-p1", "reference=pi_1", "amount_minor=998", "currency=GBP"]):
            cls.engine.send(*words)

    def open(self, size=(1280, 900), scheme="light"):
        self.browser.open(self.engine.url, *size, scheme)
        self.browser.wait("document.getElementById('state').textContent === 'serving' && document.querySelectorAll('.chart .area').length === 7")

    def tearDown(self):
        """Whatever a check did: no error was said, and nothing asked for elsewhere."""
        if self.browser.asked():
            self.assertEqual(self.browser.heard(), [])
            self.assertEqual([url for url in self.browser.asked() if not url.startswith((self.engine.url, "data:"))], [])

    def test_it_opens_and_moves_with_what_the_engine_does(self):
        self.open()
        before = int(self.browser.text("#carts").replace(",", ""))
        self.engine.send("cart.create", "moves-1", "currency=GBP")
        self.browser.wait(f"Number(document.getElementById('carts').textContent.replace(',', '')) === {before + 1}")
        self.assertIn("up ", self.browser.text("#about"))
        self.assertIn("version 0.1.0", self.browser.text("#about"))
        self.browser.wait("/authorization|capture/.test(document.getElementById('money').textContent)")
        self.assertIn("9.98 GBP", self.browser.text("#money"))
        self.assertIn("partition 3", self.browser.text("#tree"))

    def test_an_alert_is_shown_with_its_runbook_and_then_its_end(self):
        self.open()
        reader = sqlite3.connect(f"file:{self.folder}/shop.db?mode=ro", uri=True)
        with contextlib.closing(reader):
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM events").fetchone()  # a reader that stays: what is written cannot leave the WAL
            for part in range(10):
                over = self.browser.evaluate("document.getElementById('alerts').textContent.includes('log_over_limit')")
                if over:
                    break
                self.engine.send("-", lines="".join(json.dumps({"type": "cart.create", "cart": f"wal-{part}-{i}", "data": {"currency": "GBP"}}) + "\n"
                                               for i in range(8000)))
            self.browser.wait("document.querySelector('#alerts li.open')?.textContent.includes('log_over_limit')")
            self.browser.wait("document.getElementById('verdict').textContent.includes('log_over_limit')")
            self.assertEqual(self.browser.evaluate("document.querySelector('#alerts li.open a').getAttribute('href')"), "runbooks/MayflyLogOverLimit")
        with urllib.request.urlopen(self.engine.url + "runbooks/MayflyLogOverLimit", timeout=PATIENCE_S) as answer:
            self.assertIn("# MayflyLogOverLimit", answer.read().decode())
        self.engine.send("cart.create", "after-the-reader", "currency=GBP")
        self.browser.wait("document.querySelector('#alerts li.ended')?.textContent.includes('log_over_limit')")
        self.browser.wait("document.getElementById('verdict').className === 'well'")
        told = self.browser.evaluate("document.getElementById('announce').textContent")
        for words in ("Alert log_over_limit is open", "Needs attention", "Alert log_over_limit is ended", "All is well"):
            self.assertIn(words, told)

    def test_a_cart_is_found_by_keyboard_with_its_timeline(self):
        self.open()
        for asked in ("c1", "o-c1", "c1-p1", "pi_1"):
            with self.subTest(asked):
                self.browser.press("/")
                self.browser.fill("#search-id", asked)
                self.browser.press("Enter")
                self.browser.wait("document.getElementById('found-title').textContent.startsWith('Cart c1:') && document.activeElement.id === 'found-title'")
                steps = self.browser.evaluate("[...document.querySelectorAll('.timeline b')].map(b => b.textContent)")
                self.assertEqual((steps[0], steps.count("order.placed")), ("cart.created", 1))
                for words in ("total 9.98 GBP, 1 line", "waits for the provider"):
                    self.assertIn(words, self.browser.text("#found-state"))
                self.browser.press("Escape")
                self.browser.wait("document.getElementById('found').hidden && document.activeElement.id === 'search-id'")
                self.browser.evaluate("document.getElementById('found-title').textContent = ''; document.activeElement.blur()")
        self.browser.fill("#search-id", "nobody")
        self.browser.click("#search button")
        self.browser.wait("document.getElementById('found-title').textContent === 'nobody: not found'")

    def test_what_needs_a_person_comes_first_each_with_its_runbook(self):
        for size, scheme in zip(SIZES, ("dark", "light")):
            with self.subTest(size=size, scheme=scheme):
                self.open(size, scheme)
                self.browser.alter("/now", BAD_NIGHT)
                self.browser.wait("document.querySelectorAll('#verdict li').length === 6")
                said = self.browser.text("#verdict")
                for words in ("Partition 2 is not served", "Memory pressure: admission closed", "Leak of cart.lines: 64 MiB lost, 1.0 MiB/s, 20 min left",
                              "3 carts are quarantined", "2 payments are unresolved, the oldest for 3 d", "1 payment is in doubt, the oldest for 2 h"):
                    self.assertIn(words, said)
                links = self.browser.evaluate("[...document.querySelectorAll('#verdict a')].map(a => a.getAttribute('href'))")
                self.assertEqual(len(links), 6)
                for link in links:
                    with urllib.request.urlopen(self.engine.url + link, timeout=PATIENCE_S) as answer:
                        self.assertEqual(answer.status, 200)
                self.assertEqual(self.browser.text("#state"), "serving in part")
                self.assertIn("died of it", self.browser.text("#restarts"))
                self.assertEqual(self.browser.text("#money tbody th"), "unresolved: for a person")
                self.assertEqual(self.browser.axe(), [])
                if SCREENSHOTS:
                    self.browser.screenshot(str(SCREENSHOTS / f"page-bad-night-{size[0]}-{scheme}.png"))

    def test_charts_are_read_by_keyboard_and_say_their_units(self):
        self.open()
        self.browser.evaluate("document.getElementById('chart-memory').focus()")
        self.browser.press("Home")
        self.browser.wait("document.getElementById('chart-memory').getAttribute('aria-valuenow') === '0'")
        words = self.browser.evaluate("document.getElementById('chart-memory').getAttribute('aria-valuetext')")
        self.assertRegex(words, r"^\d\d:\d\d:\d\d: carts [\d.]+ (B|KiB|MiB).*everything else")
        self.assertRegex(self.browser.evaluate("document.querySelector('#chart-memory svg').textContent"), r"(KiB|MiB).*budget")

    def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(self):
        for size in SIZES:
            for scheme in ("light", "dark"):
                with self.subTest(size=size, scheme=scheme):
                    self.open(size, scheme)
                    self.browser.fill("#search-id", "c1")
                    self.browser.press("Enter")
                    self.browser.wait("!document.getElementById('found').hidden")
                    self.browser.evaluate("document.querySelector('details').open = true")
                    self.assertEqual(self.browser.axe(), [])
                    self.assertLessEqual(self.browser.evaluate("document.documentElement.scrollWidth"), size[0])
                    if SCREENSHOTS:
                        self.browser.screenshot(str(SCREENSHOTS / f"page-{size[0]}-{scheme}.png"))

    def test_its_policy_lets_in_its_own_style_and_script_and_nothing_else(self):
        with urllib.request.urlopen(self.engine.url, timeout=PATIENCE_S) as answer:
            policy, page = answer.headers["Content-Security-Policy"], answer.read().decode()
        self.assertNotIn("unsafe", policy)
        for tag, directive in (("style", "style-src"), ("script", "script-src")):
            texts = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.S)
            self.assertEqual(len(texts), 1)
            hashed = base64.b64encode(hashlib.sha256(texts[0].encode()).digest()).decode()
            self.assertIn(f"{directive} 'sha256-{hashed}';", policy)
        self.assertEqual(re.findall(r"<[^>]*\s(?:on\w+|style|src)=", page), [])
        self.open()
        self.browser.evaluate("document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.let_in = 1' }))")
        self.assertIsNone(self.browser.evaluate("window.let_in ?? null"))
        self.assertEqual(len(self.browser.heard()), 1)
        self.browser.open(self.engine.url, 390, 844, "light")


class Report(unittest.TestCase):
    def test_axe_finds_nothing_in_a_reenactment_s_report(self):
        if why := why_not():
            self.skipTest(why)
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder, "report.html")
            # 0 and 1: how fast it was is nothing for a test.
            done = subprocess.run([MAYFLY, "reenact", "cart-leak", "--seconds", "10", "--limit-mib", "128", "--carts-per-second", "20", "--html", page],
                                  capture_output=True, text=True, check=False, timeout=600)
            self.assertIn(done.returncode, (0, 1), done.stderr)
            browser = Browser()
            self.addCleanup(browser.close)
            for size in SIZES:
                for scheme in ("light", "dark"):
                    with self.subTest(size=size, scheme=scheme):
                        browser.open(page.as_uri(), *size, scheme)
                        self.assertEqual(browser.axe(), [])
                        self.assertLessEqual(browser.evaluate("document.documentElement.scrollWidth"), size[0])
                        self.assertEqual(browser.heard(), [])


if __name__ == "__main__":
    MAYFLY = str(pathlib.Path(sys.argv.pop(1)).resolve()) if len(sys.argv) > 1 else str(ROOT / "build/release/mayfly")
    SCREENSHOTS = pathlib.Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else None
    unittest.main()

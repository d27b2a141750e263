"""The web shop of examples/ in a real browser, between a real front door and a real engine that is killed meanwhile.
Usage: test_webshop_browser.py MAYFLY [SCREENSHOTS]     Needs Chromium, node and npm (browser.py); else it is skipped."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

from browser import Browser, why_not

ROOT = pathlib.Path(__file__).resolve().parents[3]


class InABrowser(unittest.TestCase):
    def setUp(self):
        if why := why_not():
            self.skipTest(why)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = f"sqlite:{folder.name}/shop.db"
        self.send("--create", "cart.create", "first", "currency=GBP")
        self.engine = self.serve()
        front = self.start([MAYFLY, "front", "--log", self.log, "--address", "127.0.0.1:0"], r"at (http://\S+)/ ")
        self.shop = self.start([sys.executable, str(ROOT / "examples/webshop/webshop.py"), "0"], r"at (http://\S+/)", front)
        self.browser = Browser()
        self.addCleanup(self.browser.close)

    def start(self, words, until, front=""):
        """Starts a program; what its line that fits `until` says."""
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "MAYFLY_FRONT": front})
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.send_signal, signal.SIGKILL)
        return re.search(until, process.stdout.readline()).group(1)

    def serve(self):
        words = [MAYFLY, "serve", "--log", self.log, "--http", "off", "--config", str(ROOT / "examples/tour.toml")]
        engine = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        self.addCleanup(engine.wait)
        self.addCleanup(engine.kill)
        return engine

    def killed_meanwhile(self, *commands):
        """The engine is killed, the commands come, and an engine starts again."""
        self.engine.kill()
        self.engine.wait()
        for command in commands:
            self.send(*command.split())
        self.engine = self.serve()

    def send(self, *words):
        subprocess.run([MAYFLY, "send", "--log", self.log, *words], check=True, stdout=subprocess.DEVNULL)

    def told(self, text, picture=""):
        self.browser.wait(f"document.getElementById('told').textContent.includes({text!r})")
        if SCREENSHOTS:
            self.browser.screenshot(str(SCREENSHOTS / f"webshop-{picture}.png"))

    def buys(self, width, scheme):
        browser = self.browser
        browser.open(self.shop, width, 800, scheme)
        self.told("What would you like?")
        for total in ("8.50", "17.00"):
            browser.click("button[aria-label='Add Blue mug']")
            browser.wait(f"document.getElementById('total').textContent === '{total}'")
        browser.click("button[aria-label='Add Kettle, 1.7 l']")
        browser.wait("document.getElementById('total').textContent === '51.99'")
        browser.click("button[aria-label='One less of Kettle, 1.7 l']")
        browser.wait("document.getElementById('total').textContent === '17.00'")
        self.assertIn("2 × Blue mug", browser.text("#lines"))
        self.assertEqual(browser.axe(), [])
        cart = browser.evaluate("fetch('/cart').then(answer => answer.json()).then(known => known.cart)")

        browser.click("#buy")
        self.told("setting your goods aside", f"{width}-reserving")
        self.killed_meanwhile(f"inventory.reserved {cart} reservation_id={cart}-r1")
        self.told("Waiting for the payment", f"{width}-paying")
        self.send("payment.requires_action", cart, f"session_id={cart}-p1", "url=https://bank.example/code")
        self.told("Your bank asks you to confirm: https://bank.example/code")
        self.send("payment.declined", cart, f"session_id={cart}-p1", "reason=insufficient_funds", "retryable=true")
        self.told("The payment was declined. Your cart is as it was", f"{width}-declined")

        browser.wait("!document.getElementById('buy').disabled")
        browser.click("#buy")
        self.told("setting your goods aside")
        self.killed_meanwhile(f"inventory.reserved {cart} reservation_id={cart}-r2")
        self.told("Waiting for the payment")
        money = f"{cart} session_id={cart}-p2 reference=pi_2 amount_minor=1700 currency=GBP"
        self.killed_meanwhile(f"payment.authorized {money}")
        self.told(f"Your order is o-{cart}.", f"{width}-ordered")
        self.send("payment.captured", *money.split())
        self.told(f"Your order is o-{cart}, and it is paid.", f"{width}-paid")
        self.assertTrue(browser.evaluate("document.getElementById('buy').disabled"))
        self.assertEqual(browser.axe(), [])
        self.assertLessEqual(browser.evaluate("document.documentElement.scrollWidth"), width)
        self.assertEqual(browser.heard(), [])
        self.assertEqual([url for url in browser.asked() if not url.startswith((self.shop, "data:"))], [])

    def test_a_cart_is_declined_and_then_paid_while_engines_are_killed(self):
        self.buys(1280, "light")

    def test_the_same_on_a_telephone_in_the_dark(self):
        self.buys(390, "dark")


if __name__ == "__main__":
    MAYFLY = str(pathlib.Path(sys.argv.pop(1)).resolve()) if len(sys.argv) > 1 else str(ROOT / "build/release/mayfly")
    SCREENSHOTS = pathlib.Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else None
    unittest.main()

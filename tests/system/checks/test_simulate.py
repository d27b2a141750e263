"""`mayfly simulate provider warehouse` beside a real engine: everything goes wrong, it is killed again and again, and the books come out
even; by this file's own sums from the events, too. Usage: test_simulate.py MAYFLY     MAYFLY_SEED chooses what goes wrong."""
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

from program import MAYFLY, PATIENCE_S, run

ROOT = pathlib.Path(__file__).resolve().parents[3]
SEED = os.environ.get("MAYFLY_SEED", "1")
CARTS = 60
KILLS = 3
# As short as whole seconds allow: the simulation is faster than time.
ENGINE = "[decisions]\n" + "\n".join(f"{name}_s = {value}" for name, value in {
    "reservation_wait": 2, "authorization_wait": 2, "pending_wait": 2, "refund_wait": 2, "action_wait": 2, "action_total": 4,
    "capture_wait": 2, "cancel_wait": 2, "capture_retry_1": 1, "capture_retry_2": 1, "request_answer": 2, "status_try_1": 1,
    "status_try_2": 1, "status_try_3": 1, "status_try_4": 1}.items()) + "\nstatus_tries_order_placed = 4\n"
BAD_DAY = ["--seed", SEED, "--faster", "3600", "--silence", "10", "--double", "20", "--decline", "10", "--late", "5", "--pending", "20",
           "--attempt-fails", "50", "--capture-fails", "10", "--out-of-stock", "5"]


class Simulate(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = f"sqlite:{folder.name}/shop.db"
        config = pathlib.Path(folder.name, "engine.toml")
        config.write_text(ENGINE)
        run("send", "--log", self.log, "--create", "cart.create", "first", "currency=GBP")
        self.start("serve", "--http", "off", "--config", str(config))

    def start(self, verb, *words):
        process = subprocess.Popen([MAYFLY, verb, "--log", self.log, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (process.poll() is None and process.kill(), process.communicate()))
        return process

    def simulate(self, *words):
        process = self.start("simulate", "provider", "warehouse", *words)
        self.assertIn(f"seed {SEED}.", process.stdout.readline())
        return process

    def stop(self, process):
        """Its exit code, what it printed, and what it complained of."""
        process.send_signal(signal.SIGTERM)
        said, wrong = process.communicate(timeout=PATIENCE_S)
        return process.returncode, said, wrong

    def events(self, *types):
        words = [word for kind in types for word in ("--type", kind)]
        return [json.loads(line) for line in run("tail", "--log", self.log, "--json", *words).stdout.splitlines()]

    def count(self, *types):
        return len(self.events(*types))

    def wait_until(self, condition):
        end = time.monotonic() + PATIENCE_S
        while not condition():
            self.assertLess(time.monotonic(), end, "it never came to that")

    def check_out(self, carts, **terms):
        lines = []
        for number, cart in enumerate(carts, 1):
            lines += [{"type": "cart.create", "cart": cart, "data": {"currency": "GBP"}},
                      {"type": "cart.add_line", "cart": cart, "data": {"sku": "TEA", "quantity": number, "unit_price_minor": 499}},
                      {"type": "checkout.complete", "cart": cart,
                       "data": {"expected_total_minor": number * 499, "payment": {"provider": "sim", "token": "t", **terms}}}]
        done = run("send", "--log", self.log, "-", stdin="\n".join(map(json.dumps, lines)) + "\n")
        self.assertEqual(done.returncode, 0, done.stderr)

    def table(self, said):
        head, row = (line.split() for line in said.splitlines() if line.startswith(("currency", "GBP")))
        return {name: int(value.replace(",", "")) for name, value in zip(head[1:], row[1:], strict=True)}

    def test_on_a_bad_day_killed_again_and_again_every_checkout_ends_and_the_books_are_even(self):
        simulation = self.simulate(*BAD_DAY)
        self.check_out([f"c{i}" for i in range(CARTS)])
        ends = "cart.converted", "checkout.reopened"
        for kill in range(1, KILLS + 1):
            self.wait_until(lambda enough=CARTS * kill // (KILLS + 1): self.count(*ends) >= enough)
            simulation.kill()
            simulation.communicate()
            simulation = self.simulate(*BAD_DAY)
        self.wait_until(lambda: self.count(*ends) >= CARTS)
        code, said, wrong = self.stop(simulation)
        self.assertEqual((code, wrong, said.splitlines()[-1]), (0, "", "The books are even."))
        table = self.table(said)
        orders = {event["data"].get("session_id") for event in self.events("order.placed")}
        paid = {session: amount for session, amount in self.last("payment.captured").items() if session in orders}  # of unpaid orders too, late
        listed = sum(row["amount_minor"] for row in map(json.loads, run("funds", "--log", self.log, "--json").stdout.splitlines()) if row["row"] == "risk")
        self.assertEqual(table["authorized"], table["captured"] + table["released"] + table["held"])
        self.assertEqual(table["captured"], table["completed"] + table["refunded"] + table["loose"])
        self.assertLessEqual(table["held"] + table["loose"], listed)
        self.assertGreaterEqual(table["completed"], sum(paid.values()))  # an answer may be on its way
        self.assertLessEqual(table["completed"] - sum(paid.values()), listed)

    def last(self, kind):
        """By session, the amount that was told last."""
        return {event["data"]["session_id"]: event["data"]["amount_minor"] for event in self.events(kind)}

    def test_started_again_it_reads_the_same_books_out_of_the_log(self):
        simulation = self.simulate(*BAD_DAY)
        self.check_out([f"c{i}" for i in range(20)])
        self.wait_until(lambda: self.count("cart.converted", "checkout.reopened") >= 20)
        _, before, _ = self.stop(simulation)
        code, after, wrong = self.stop(self.simulate(*BAD_DAY))
        self.assertEqual((code, wrong), (0, ""))
        self.assertEqual(self.table(after), self.table(before))

    def test_on_a_good_day_each_order_is_paid_and_parts_are_captured_as_they_are_asked_for(self):
        simulation = self.simulate("--seed", SEED, "--delay-ms", "0")
        self.check_out(["c1", "c2"])
        self.check_out(["c3"], capture="on_command")
        self.wait_until(lambda: self.count("checkout.completed") == 2 and self.count("order.placed") == 3)
        for total, final in ((100, "false"), (300, "true")):
            run("send", "--log", self.log, "--wait", "payment.capture", "c3", f"total_minor={total}", f"final={final}")
            self.wait_until(lambda total=total: total in [event["data"]["amount_minor"] for event in self.events("payment.captured")])
        self.wait_until(lambda: self.count("checkout.completed") == 3)
        code, said, wrong = self.stop(simulation)
        self.assertEqual((code, wrong), (0, ""))
        self.assertEqual(self.table(said), {"sessions": 3, "authorized": 1996, "released": 199, "held": 0, "captured": 1797,
                                            "completed": 1797, "refunded": 0, "loose": 0, "listed": 0})


if __name__ == "__main__":
    unittest.main()

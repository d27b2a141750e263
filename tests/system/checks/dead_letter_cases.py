"""What `mayfly deadletters` does on every log. A test case that takes these in has `folder`, `verb(*words, stdin=None)`
(the program on the case's log), `serve(*words)`, `send(*words)`, `config(text)` (a file's path) and `events(cart, until)`.
"""
import json
import signal
import time

PATIENCE_S = 300


class DeadLetterCases:
    def dead_letters(self, *words):
        done = self.verb("deadletters", "list", "--json", *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def until(self, true):
        end = time.monotonic() + PATIENCE_S
        while not true():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def test_a_quarantined_cart_is_released_and_gets_what_it_missed(self):
        engine = self.serve()
        self.send("cart.create", "c1", "currency=GBP")
        self.events("c1", "cart.created")
        engine.send_signal(signal.SIGTERM)
        engine.wait()
        engine = self.serve("--config", self.config("[memory]\ncart_bytes = 1\n[supervision]\ncart_dead_letters = 1\n"))
        for sku in ("A", "B", "C"):
            self.send("cart.add_line", "c1", f"sku={sku}", "quantity=1", "unit_price_minor=100")
        self.until(lambda: len(self.dead_letters()) == 3)
        engine.send_signal(signal.SIGTERM)
        engine.wait()
        self.assertEqual([d["reason"] for d in self.dead_letters()], ["keeps_failing", "quarantined", "quarantined"])
        self.serve()
        asked = self.verb("deadletters", "retry", "--cart", "c1", stdin="y\n")
        self.assertEqual((asked.returncode, "say --yes" in asked.stderr), (2, True), asked.stderr)
        released = self.verb("deadletters", "release", "c1")
        self.assertEqual((released.returncode, "is let out of quarantine as soon as an engine decides the tick at" in released.stdout), (0, True), released.stderr)
        retried = self.verb("deadletters", "retry", "--cart", "c1", "--yes")
        self.assertEqual((retried.returncode, retried.stdout), (0, "3 dead letters sent again\n"), retried.stderr)
        self.until(lambda: self.events("c1", "cart.line_added").count("cart.line_added") == 3)
        self.assertEqual(self.dead_letters(), [])
        self.assertEqual({d["state"] for d in self.dead_letters("--all")}, {"retried"})
        again = self.verb("deadletters", "release", "c1")
        self.assertEqual((again.returncode, "is not quarantined" in again.stderr), (1, True), again.stderr)
        nothing = self.verb("deadletters", "retry", "--cart", "c1", "--yes")
        self.assertEqual((nothing.returncode, nothing.stdout), (0, "No open dead letter fits.\n"), nothing.stderr)

    def test_dead_letters_are_listed_shown_and_dropped(self):
        self.serve()
        bad = "".join(json.dumps({"type": "cart.create", "cart": c, "data": "no json", "id": c}) + "\n" for c in ("c1", "c2"))
        self.verb("send", "--unchecked", "-", stdin=bad)
        self.until(lambda: len(self.dead_letters()) == 2)
        one, other = [f"{d['partition']}:{d['offset']}" for d in self.dead_letters()]
        self.assertIn("2 dead letters: 2 json_invalid", self.verb("deadletters", "list").stdout)
        self.assertIn('\nmayfly_deadletters_open{reason="json_invalid"} 2\n', self.verb("deadletters", "list", "--metrics").stdout)
        self.assertEqual(self.verb("deadletters", "show", one, "--metrics").returncode, 2)
        self.assertIn("no json", self.verb("deadletters", "show", one).stdout)
        self.assertEqual(self.dead_letters("--reason", "quarantined"), [])
        dropped = self.verb("deadletters", "drop", one)  # one that is named: nothing is asked
        self.assertEqual((dropped.returncode, dropped.stdout), (0, "1 dead letter dropped\n"), dropped.stderr)
        self.assertEqual([f"{d['partition']}:{d['offset']}" for d in self.dead_letters()], [other])
        open_ones = self.verb("deadletters", "list", "--metrics").stdout
        self.assertIn('\nmayfly_deadletters_open{reason="json_invalid"} 1\n', open_ones)
        self.assertIn('\nmayfly_deadletters_open{reason="quarantined"} 0\n', open_ones)
        rows = (
            (("drop", one), "it is handled"),
            (("drop",), "Which?"),
            (("show",), "Which?"),
            (("release",), "Which carts?"),
            (("retry", "--since", "later"), "RFC 3339"),
        )
        for words, sentence in rows:
            done = self.verb("deadletters", *words)
            self.assertEqual((done.returncode, sentence in done.stderr), (2, True), done.stderr)

    def test_a_dry_run_sends_nothing_and_says_what_a_retry_then_comes_to(self):
        engine = self.serve()
        bad = "".join(json.dumps({"type": "cart.create", "cart": c, "data": "no json", "id": c}) + "\n" for c in ("d1", "d2"))
        self.verb("send", "--unchecked", "-", stdin=bad)
        self.until(lambda: len(self.dead_letters()) == 2)
        engine.send_signal(signal.SIGTERM)
        engine.wait()
        before = self.dead_letters("--all")
        dry = self.verb("deadletters", "retry", "--all", "--dry-run")
        self.assertEqual(dry.returncode, 0, dry.stderr)
        self.assertIn("2 dead letters would be sent again: 2 dead letter json_invalid. Nothing was sent.", dry.stdout)
        lines = [json.loads(line) for line in self.verb("deadletters", "retry", "--all", "--dry-run", "--json").stdout.splitlines()]
        self.assertEqual([(line["outcome"], line["redriven"], line["events"]) for line in lines], [("dead letter json_invalid", 0, ["command.dead_lettered"])] * 2)
        self.assertEqual(self.dead_letters("--all"), before)
        self.assertEqual(self.verb("deadletters", "drop", "--all", "--dry-run").returncode, 2)

        for times in range(1, 5):  # what comes back each time is not sent for ever
            (one,) = [d for d in self.dead_letters() if d["key"] == "d1"]
            sent = self.verb("deadletters", "retry", f"{one['partition']}:{one['offset']}", "--why", "the shop has mended it")
            if times == 4:
                break
            self.assertEqual((sent.returncode, one["redriven"]), (0, times - 1), sent.stderr)
            engine = self.serve()
            self.until(lambda: any(d["key"] == "d1" for d in self.dead_letters()))
            engine.send_signal(signal.SIGTERM)
            engine.wait()
        self.assertEqual((sent.returncode, "sent again 3 times already" in sent.stdout), (1, True), sent.stdout)
        (handled, *_) = [d for d in self.dead_letters("--all") if d["state"] == "retried"]
        self.assertEqual(handled["why"], "the shop has mended it")
        self.assertRegex(handled["by"], r"^[^@]+@.+$")
        listed = self.verb("deadletters", "list", "--all").stdout
        self.assertIn(f"by {handled['by']}: the shop has mended it", listed)
        forced = self.verb("deadletters", "retry", f"{one['partition']}:{one['offset']}", "--force")
        self.assertEqual(forced.stdout, "1 dead letter sent again\n", forced.stderr)

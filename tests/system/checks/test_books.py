"""The checker of the books finds what it is there to find, on books that are made up. No engine, no log."""
import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

import books


BEGIN = "2026-01-01T00:00:00.000Z"
TIMES = {"payment.session_ended": "2026-01-03T12:00:00.000Z"}


def event(kind, data=None, cart="c1"):
    return {"key": cart, "headers": {"ce_type": f"dev.mayfly.{kind}.v1", "ce_time": TIMES.get(kind, BEGIN)}, "data": data or {}}


SESSION = {"session_id": "c1-p1", "amount_minor": 1000, "currency": "GBP"}
EVENTS = [
    event("cart.created"),
    event("payment.session_opened", SESSION),
    event("order.placed", {"order_id": "o-c1", "session_id": "c1-p1"}),
    event("payment.session_ended", SESSION),
    event("checkout.completed", {"order_id": "o-c1", "total_minor": 1000}),
    event("cart.converted"),
]
ACCOUNT = {
    "session": "c1-p1",
    "cart": "c1",
    "currency": "GBP",
    "authorized_minor": 1000,
    "captured_minor": 1000,
    "canceled_minor": 0,
    "refunded_minor": 0,
}
STOCK = {
    "reservation": "c1-r1",
    "cart": "c1",
    "state": "committed",
    "hold_until": "2026-01-01T03:00:00.000Z",
    "held_at_ms": 1767225600000,
    "ended_at_ms": 1767225660000,
    "wrong": 0,
}


def without(kind):
    return [e for e in EVENTS if kind not in e["headers"]["ce_type"]]


class Books(unittest.TestCase):
    def found(self, events=None, account=None, stock=None, listed=0, listed_before=None):
        """What the checker prints of books that are even but for what is given."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            self.write(folder / "events.ndjson", EVENTS if events is None else events)
            for part, amount in (("before", listed if listed_before is None else listed_before), ("after", listed)):
                (folder / part).mkdir()
                row = {"row": "risk", "session": "c1-p1", "state": "unresolved", "amount_minor": amount}
                self.write(folder / part / "funds.ndjson", [row] if amount else [])
                self.write(folder / part / "provider.ndjson", [{**ACCOUNT, **(account or {})}])
                self.write(folder / part / "inventory.ndjson", [{**STOCK, **(stock or {})}])
            out = io.StringIO()
            with mock.patch.object(sys, "argv", ["books.py", name]), contextlib.redirect_stdout(out):
                self.assertEqual(books.main(), 0 if "the books are even" in out.getvalue() else 1)
            return out.getvalue()

    @staticmethod
    def write(path, rows):
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def test_even_books_are_even(self):
        self.assertIn("the books are even", self.found())

    def test_one_minor_unit_is_found(self):
        for account, listed, said in [
            ({"captured_minor": 999}, 0, "before: at risk, not listed"),
            ({"captured_minor": 999}, 1, "completed, not paid"),
            ({"captured_minor": 1001, "authorized_minor": 1001}, 0, "after: not what is listed"),
            ({"authorized_minor": 1001}, 0, "before: at risk, not listed"),
            ({"authorized_minor": 999}, 0, "books"),
            ({"refunded_minor": 1}, 0, "completed, not paid"),
            ({}, 1, "after: not what is listed"),
        ]:
            self.assertIn(said, self.found(account=account, listed=listed), (account, listed))

    def test_too_much_may_be_listed_before_people_looked_only(self):
        self.assertIn("the books are even", self.found(listed_before=5))

    def test_lives_without_end_are_found(self):
        for events, said in [
            (without("cart.converted"), "carts not over"),
            (without("session_ended"), "sessions not over"),
            (without("order.placed"), "completed without order"),
            (EVENTS + [EVENTS[2]], "orders doubled"),
            (EVENTS + [event("order.canceled", {"order_id": "o-c1"}), EVENTS[2]], "orders doubled"),
            (EVENTS + [EVENTS[0]], "carts not over"),
        ]:
            self.assertIn(said, self.found(events=events), said)

    def test_terms_change_what_an_order_keeps_and_how_long_its_session_may_live(self):
        def with_terms(captured=None, canceled=False, final=None, **terms):
            asked = event("payment.authorization_requested", {**SESSION, **terms})
            said = EVENTS[:2] + [asked] + EVENTS[2:]
            if captured is not None:
                said[5] = event("checkout.completed", {"total_minor": 1000, "captured_minor": captured})
            if canceled:
                said[5] = event("order.canceled", {"order_id": "o-c1", "why": "released"})
            if final is not None:  # asked for twice, 100 of it captured in between
                capture = event("payment.capture_requested", {**SESSION, "amount_minor": final, "final": True})
                said[4:4] = [capture, event("payment.captured", {**SESSION, "amount_minor": 100}), capture]
            return said

        def unpaid(events):
            return [e for e in events if "checkout.completed" not in e["headers"]["ce_type"]]

        less = {"authorized_minor": 1000, "captured_minor": 600, "canceled_minor": 400}
        for events, account, said in [
            (with_terms(captured=1100, extra_up_to_minor=100), {"authorized_minor": 1100, "captured_minor": 1100}, "the books are even"),
            (with_terms(captured=1100, extra_up_to_minor=100), {"authorized_minor": 1101, "captured_minor": 1101}, "at risk, not listed"),
            (with_terms(captured=1101, extra_up_to_minor=100), {"authorized_minor": 1101, "captured_minor": 1101}, "completed, not paid"),
            (with_terms(captured=600, capture="on_command"), less, "the books are even"),
            (with_terms(captured=600, capture="on_command", final=600), less, "the books are even"),
            (with_terms(captured=601, capture="on_command", final=600), {**less, "captured_minor": 601, "canceled_minor": 399}, "completed, not paid"),
            (unpaid(with_terms(capture="on_command", final=600)), less, "the books are even"),
            (unpaid(with_terms(capture="on_command", final=600)), {}, "at risk, not listed"),
            (with_terms(captured=599, capture="on_command"), less, "at risk, not listed"),
            (with_terms(captured=601, capture="on_command"), less, "completed, not paid"),
            (with_terms(canceled=True, capture="on_command"), {"captured_minor": 0, "canceled_minor": 1000}, "the books are even"),
            (with_terms(canceled=True, capture="on_command"), {}, "at risk, not listed"),
        ]:
            self.assertIn(said, self.found(events=events, account=account), events)
        with mock.patch.dict(TIMES, {"payment.session_ended": "2026-01-09T00:00:00.000Z"}):
            late = event("payment.session_ended", SESSION)
        for terms, said in [({}, "sessions too old"), ({"capture": "on_command", "capture_within_s": 604800}, "the books are even"),
                            ({"settles_within_s": 3600}, "sessions too old"), ({"settles_within_s": 864000}, "the books are even")]:
            events = [late if e is EVENTS[3] else e for e in with_terms(**terms)]
            self.assertIn(said, self.found(events=events), terms)

    def test_stock_that_is_kept_or_given_away_is_found(self):
        for stock, said in [
            ({"state": "held"}, "held at the end"),
            ({"state": "released"}, "orders without stock"),
            ({"state": "released", "ended_at_ms": 1767236400001}, "held beyond hold_until"),
            ({"wrong": 1}, "asked for what cannot be"),
            ({"cart": "c2"}, "committed without order"),
        ]:
            self.assertIn(said, self.found(stock=stock), said)


if __name__ == "__main__":
    unittest.main()

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


def event(kind, data=None, cart="c1"):
    return {"key": cart, "headers": {"ce_type": f"dev.mayfly.{kind}.v1"}, "data": data or {}}


SESSION = {"session_id": "c1-p1", "amount_minor": 1000, "currency": "GBP"}
EVENTS = [
    event("cart.created"),
    event("payment.session_opened", SESSION),
    event("order.placed", {"order_id": "o-c1", "session_id": "c1-p1"}),
    event("payment.session_ended", SESSION),
    event("checkout.completed"),
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
            (EVENTS + [EVENTS[0]], "carts not over"),
        ]:
            self.assertIn(said, self.found(events=events), said)

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

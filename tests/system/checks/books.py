#!/usr/bin/env python3
"""Whether money and stock come out even: the provider's and the inventory's own books against events and `mayfly funds`.

Usage: books.py OUT [--log L --mayfly PROGRAM]   OUT is what tests/system/hostile has written; without --log the events are in
OUT/events.ndjson. Shares no code with the engine. Per session and in total, to the minor unit:
    authorized = captured + canceled + held        held, loose: at risk, and listed by `funds`
    captured   = paid + refunded + loose    paid: what an order keeps, agreed extras included
No session lives longer than it may by docs/memory.md, and no stock is held without an order beyond hold_until. Before people
have looked, `funds` may list too much, never too little; afterwards exactly what the books say.
Exits 1 on any finding.
"""
import argparse
import collections
import datetime
import json
import pathlib
import subprocess
import sys

MOST_SHOWN = 10
ENDS = ("cart.converted", "cart.canceled", "cart.expired", "cart.merged")

# How long a session may live by the rules' defaults (docs/decisions.md 3.3): its waits one after the other, and a quarter.
TRIES_S = 30 + 120 + 600 + 1800
TRIES_PLACED_S = TRIES_S + 44 * 1800
AUTHORIZING_S = 3600 + 120 + TRIES_S
CAPTURING_S = 3 * 60 + 60 + 300 + TRIES_PLACED_S
REFUNDING_S = 3 * 120 + 300 + 3600
DAY_S = 24 * 3600


def lines(path):
    with open(path, encoding="utf-8") as text:
        yield from map(json.loads, text)


def ms(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000 + 0.5)


class Findings:
    def __init__(self):
        self.by_kind = collections.defaultdict(list)

    def unless(self, true, kind, sentence):
        if not true:
            self.by_kind[kind].append(sentence)

    def show(self):
        for kind, sentences in self.by_kind.items():
            print(f"{kind}: {len(sentences)}")
            for sentence in sentences[:MOST_SHOWN]:
                print("   ", sentence)
        return bool(self.by_kind)


class Said:
    """What the events say: carts, sessions, orders."""

    def __init__(self):
        self.created = collections.Counter()
        self.ended = collections.Counter()
        self.opened = {}  # session: (amount, currency)
        self.opened_ms = {}
        self.terms = {}  # session: its authorization's request
        self.captured = collections.Counter()  # by session
        self.final = {}  # session: all that shall be captured, where that was said
        self.closed = collections.Counter()
        self.lived = {}  # session: (seconds, whether its order was placed)
        self.placed = set()
        self.order_session = {}  # cart: session, None where nothing was to be paid or nothing is left to pay
        self.completed = {}  # cart: what was captured
        self.types = collections.Counter()

    def hear(self, record):
        kind = record["headers"]["ce_type"][len("dev.mayfly.") : -len(".v1")]
        self.types[kind] += 1
        cart, data = record.get("key"), record.get("data", {})
        if kind == "cart.created":
            self.created[cart] += 1
        elif kind in ENDS:
            self.ended[cart] += 1
        elif kind == "payment.session_opened":
            self.opened[data["session_id"]] = (data["amount_minor"], data["currency"])
            self.opened_ms[data["session_id"]] = ms(record["headers"]["ce_time"])
        elif kind == "payment.authorization_requested":
            self.terms[data["session_id"]] = data
        elif kind == "payment.captured":
            self.captured[data["session_id"]] = max(self.captured[data["session_id"]], data["amount_minor"])
        elif kind == "payment.capture_requested" and data.get("final"):  # made again it asks for the same
            self.final.setdefault(data["session_id"], self.captured[data["session_id"]] + data["amount_minor"])
        elif kind == "payment.session_ended":
            session = data["session_id"]
            self.closed[session] += 1
            lived_s = (ms(record["headers"]["ce_time"]) - self.opened_ms.get(session, 0)) / 1000
            self.lived[session] = (lived_s, self.order_session.get(cart) == session)
        elif kind == "order.canceled":
            self.order_session.pop(cart, None)
        elif kind == "order.placed":
            self.order_session[cart] = "twice" if cart in self.placed else data.get("session_id")
            self.placed.add(cart)
        elif kind == "checkout.completed":
            self.completed[cart] = data.get("captured_minor", data["total_minor"])

    def most(self, session):
        """What its order may keep."""
        amount = self.final.get(session, self.opened.get(session, (0, ""))[0])
        return amount + self.terms.get(session, {}).get("extra_up_to_minor", 0)

    def longest_life_s(self, session, placed):
        terms = self.terms.get(session, {})
        life_s = AUTHORIZING_S + REFUNDING_S
        life_s += CAPTURING_S + TRIES_PLACED_S if placed else 60 + 2 * TRIES_S
        if "settles_within_s" in terms or "capture" in terms or "extra_up_to_minor" in terms:
            life_s += terms.get("settles_within_s", 0) + terms.get("capture_within_s", 0) + DAY_S
        return life_s * 5 / 4


def check_lives(said, found):
    for cart, lives in said.created.items():
        found.unless(lives == 1 == said.ended[cart], "carts not over", f"{cart}: created {lives}, ended {said.ended[cart]}")
    for session in said.opened:
        found.unless(said.closed[session] == 1, "sessions not over", f"{session}: ended {said.closed[session]} times")
    for session, (lived_s, placed) in said.lived.items():
        most_s = said.longest_life_s(session, placed)
        found.unless(lived_s <= most_s, "sessions too old", f"{session}: ended after {lived_s:,.0f} s, at most {most_s:,.0f}")
    for cart, session in said.order_session.items():
        found.unless(session != "twice", "orders doubled", cart)
    for cart in said.completed:
        found.unless(cart in said.placed, "completed without order", cart)


def check_money(said, folder, exact, found):
    """Totals by currency."""
    listed = collections.Counter()
    for row in lines(folder / "funds.ndjson"):
        if row["row"] == "risk":
            listed[row["session"]] += row["amount_minor"]
            if exact:
                found.unless(row["state"] == "unresolved", "open at the end", json.dumps(row))
    totals = collections.defaultdict(collections.Counter)
    orders = {s for s in said.order_session.values() if s}
    seen = set()
    for a in lines(folder / "provider.ndjson"):
        session = a["session"]
        seen.add(session)
        found.unless(session in said.opened, "unknown to the events", session)
        amount = said.opened.get(session, (0, ""))[0]
        held = a["authorized_minor"] - a["captured_minor"] - a["canceled_minor"]
        kept = a["captured_minor"] - a["refunded_minor"]
        most = said.most(session)
        paid = min(kept, most, said.completed.get(a["cart"], most)) if session in orders else 0
        loose = kept - paid
        found.unless(held >= 0 and kept >= 0, "books", json.dumps(a))
        risk = held + loose
        if risk > listed[session] or (exact and risk != listed[session]):
            kind = "after: not what is listed" if exact else "before: at risk, not listed"
            found.unless(False, kind, f"{session}: {risk} at risk, {listed[session]} listed; A {amount}; {json.dumps(a)}")
        if session in orders and a["cart"] in said.completed:
            found.unless(paid == said.completed[a["cart"]], "completed, not paid", json.dumps(a))
        t = totals[a["currency"]]
        for name in ("authorized", "captured", "canceled", "refunded"):
            t[name] += a[name + "_minor"]
        t["held"] += held
        t["paid"] += paid
        t["loose"] += loose
        t["listed"] += listed[session]
        t["sessions"] += 1
    for session in set(listed) - seen:
        found.unless(not exact, "after: listed, not in the books", f"{session}: {listed[session]}")
    for session in orders - seen:
        found.unless(False, "order of a session the provider never saw", session)
    for currency, t in totals.items():
        found.unless(t["authorized"] == t["captured"] + t["canceled"] + t["held"], "totals", f"{currency}: authorized")
        found.unless(t["captured"] == t["paid"] + t["refunded"] + t["loose"], "totals", f"{currency}: captured")
        found.unless(not exact or t["held"] + t["loose"] == t["listed"], "totals", f"{currency}: listed")
    return totals


def check_stock(said, folder, found):
    states = collections.Counter()
    committed = collections.Counter()
    longest_ms = 0
    for r in lines(folder / "inventory.ndjson"):
        states[r["state"] or "never seen"] += 1
        found.unless(r["wrong"] == 0, "stock: asked for what cannot be", json.dumps(r))
        found.unless(r["state"] != "held", "stock: held at the end", json.dumps(r))
        if r["state"] == "committed":
            committed[r["cart"]] += 1
            found.unless(r["cart"] in said.placed, "stock: committed without order", json.dumps(r))
        if r["state"] == "released":
            longest_ms = max(longest_ms, r["ended_at_ms"] - r["held_at_ms"])
            found.unless(r["ended_at_ms"] <= ms(r["hold_until"]), "stock: held beyond hold_until", json.dumps(r))
    for cart in said.placed:
        found.unless(committed[cart] == 1, "stock: orders without stock", f"{cart}: committed {committed[cart]} times")
    return states, longest_ms / 1000


def events(given):
    if given.log is None:
        yield from lines(given.out / "events.ndjson")
        return
    words = [given.mayfly, "tail", "--log", given.log, "--from", "begin", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as tail:
        yield from map(json.loads, tail.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--log")
    parser.add_argument("--mayfly", default="build/release/mayfly")
    given = parser.parse_args()
    said, found = Said(), Findings()
    for record in events(given):
        said.hear(record)
    check_lives(said, found)
    check_money(said, given.out / "before", False, found)
    totals = check_money(said, given.out / "after", True, found)
    states, longest_s = check_stock(said, given.out / "after", found)
    columns = ("sessions", "authorized", "captured", "canceled", "held", "paid", "refunded", "loose", "listed")
    print(" ".join(f"{c:>14}" for c in ("currency", *columns)))
    for currency, t in sorted(totals.items()):
        print(" ".join(f"{v:>14}" for v in (currency, *(f"{t[c]:,}" for c in columns))))
    print(
        f"{len(said.created):,} carts, {len(said.opened):,} sessions, {len(said.placed):,} orders, {len(said.completed):,}"
        f" paid; stock: {dict(states)}, held without order at most {longest_s:,.0f} s"
    )
    print(f"{sum(said.types.values()):,} events: " + ", ".join(f"{k} {n:,}" for k, n in sorted(said.types.items())))
    if found.show():
        return 1
    print("the books are even")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""What an engine must have said after `mayfly feed` gave it the Online Retail rows (docs/feed.md), worked out anew.

Shares no code with the engine: reads the CSV, keeps the shop's book and applies the rules of carts in one line each.
With --events it compares the events that `mayfly tail --json` printed (one object per line) and exits 1 on a difference.
"""
import argparse
import collections
import csv
import decimal
import io
import itertools
import json
import subprocess
import sys

MOST_QUANTITY = 1_000_000
MOST_LINES = 2_000
MOST_TEXT_BYTES = 256 * 1024
MOST_MINOR = 10**15

Row = collections.namedtuple("Row", "invoice sku name quantity unit_price_minor customer")


class Expected:
    """Orders by cart id with their totals, and how often each thing is said."""

    def __init__(self):
        self.commands = 0
        self.carts = 0
        self.orders = {}
        self.two_prices = set()  # carts whose order has one article at two prices
        self.refusals = collections.Counter()
        self.canceled = 0
        self.unresolved = 0

    def as_json(self):
        return {
            "commands": self.commands,
            "carts": self.carts,
            "orders": len(self.orders),
            "gross_minor": sum(self.orders.values()),
            "two_prices": len(self.two_prices),
            "canceled": self.canceled,
            "unresolved": self.unresolved,
            "refusals": dict(sorted(self.refusals.items())),
        }


def pence(text):
    """Pounds as decimal text in pence, half away from zero."""
    return int((decimal.Decimal(text) * 100).quantize(decimal.Decimal(1), rounding=decimal.ROUND_HALF_UP))


def rows(path):
    """The rows of a .csv or .csv.zst, in file order."""
    if path.endswith(".zst"):
        unpacked = subprocess.run(["zstd", "-dc", path], check=True, stdout=subprocess.PIPE).stdout
        stream = io.StringIO(unpacked.decode("utf-8"), newline="")
    else:
        stream = open(path, encoding="utf-8", newline="")
    with stream:
        for row in csv.DictReader(stream):
            customer = row["CustomerID"].strip()
            yield Row(
                row["InvoiceNo"],
                row["StockCode"],
                row["Description"].strip(),
                int(row["Quantity"]),
                pence(row["UnitPrice"]),
                customer[:-2] if customer.endswith(".0") else customer,
            )


class Book:
    """The lines of one cart: (sku, unit price) -> quantity. An article at a second price is a line with a line_id."""

    def __init__(self):
        self.lines = {}
        self.text_bytes = 0

    def total(self):
        return sum(quantity * price for (_, price), quantity in self.lines.items())

    def has_two_prices(self):
        return len({sku for sku, _ in self.lines}) < len(self.lines)

    def line_id(self, row):
        first = next((price for sku, price in self.lines if sku == row.sku), row.unit_price_minor)
        return "" if first == row.unit_price_minor else f"{row.sku}@{row.unit_price_minor}"

    def add(self, row):
        """Accepts the row (None) or gives the code of its refusal; the first that is true wins."""
        name = (row.sku, row.unit_price_minor)
        known = self.lines.get(name, 0)
        quantity = row.quantity + known
        if not row.sku or row.unit_price_minor < 0:
            return "data_invalid"
        if not 1 <= row.quantity <= MOST_QUANTITY or quantity > MOST_QUANTITY:
            return "quantity_out_of_range"
        text_bytes = len(json.dumps(row.sku + row.name + self.line_id(row), ensure_ascii=False).encode()) - 2
        if not known and (len(self.lines) >= MOST_LINES or self.text_bytes + text_bytes > MOST_TEXT_BYTES):
            return "cart_full"
        line = quantity * row.unit_price_minor
        if line > MOST_MINOR or self.total() + row.quantity * row.unit_price_minor > MOST_MINOR:
            return "amount_out_of_range"
        if not known:
            self.text_bytes += text_bytes
        self.lines[name] = quantity
        return None


def first_run(expected, cart_id, lines):
    """A cart's first run. Gives how it ended: its order's total, or None where it was canceled as empty."""
    book = Book()
    expected.carts += 1
    expected.commands += 2 + len(lines)  # create, lines, complete
    for row in lines:
        refusal = book.add(row)
        if refusal:
            expected.refusals[refusal] += 1
    if not book.lines:
        expected.commands += 1
        expected.refusals["cart_empty"] += 1
        expected.canceled += 1
        return None
    total = book.total()
    expected.commands += 1 if total == 0 else 3
    expected.orders[cart_id] = total
    if book.has_two_prices():
        expected.two_prices.add(cart_id)
    return total


def later_run(expected, lines, ended):
    """A run for a cart that is over; `ended`: what its first run gave. decisions.md 2 (ended) and 6."""
    book = Book()
    expected.commands += 2 + len(lines)
    expected.refusals["cart_ended"] += 1  # cart.create
    for row in lines:
        # The shop keeps its book as if the cart were new. Members are looked at before the cart is.
        invalid = book.add(row) == "data_invalid"
        expected.refusals["data_invalid" if invalid else "cart_ended"] += 1
    expected.refusals["cart_ended" if ended is None else "already_converted"] += 1  # checkout.complete
    if not book.lines:
        expected.commands += 1
        expected.refusals["cart_ended"] += 1  # cart.cancel
        return
    expected.commands += 1 if book.total() == 0 else 3
    if ended is None:
        expected.refusals["reservation_unknown"] += 1  # the cart never asked for -r1
    if book.total() > 0 and not ended:
        expected.refusals["session_unknown"] += 2  # nor for -p1: authorized, captured
        expected.unresolved += 2


def expect(all_rows):
    """What the engine must say to these rows."""
    expected = Expected()
    ended = {}
    for invoice, run in itertools.groupby(all_rows, key=lambda row: row.invoice):
        lines = list(run)
        if invoice in ended:
            later_run(expected, lines, ended[invoice])
        else:
            ended[invoice] = first_run(expected, "retail-" + invoice, lines)
    return expected


class Observed:
    """The same, counted from events."""

    def __init__(self):
        self.orders = collections.defaultdict(list)
        self.two_prices = set()
        self.types = collections.Counter()
        self.refusals = collections.Counter()

    def add(self, key, ce_type, data):
        kind = ce_type.removeprefix("dev.mayfly.").removesuffix(".v1")
        self.types[kind] += 1
        if kind == "order.placed":
            self.orders[key].append(data["total_minor"])
            lines = data.get("lines", [])
            if len({line["sku"] for line in lines}) < len(lines):
                self.two_prices.add(key)
        elif kind == "command.rejected":
            self.refusals[data["code"]] += 1


def observe_lines(stream):
    """Events as `mayfly tail --json` prints them: one object per line with key, headers and data."""
    observed = Observed()
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            event = json.loads(line)
            observed.add(event["key"], event["headers"]["ce_type"], event["data"])
        except (ValueError, KeyError, TypeError) as error:
            sys.exit(f"events, line {number}: not an event as `mayfly tail --json` prints it ({error!r})")
    return observed


def compare(expected, observed):
    """Rows (what, expected, observed) and the carts whose orders differ."""
    placed = [total for totals in observed.orders.values() for total in totals]
    table = [
        ("carts created", expected.carts, observed.types["cart.created"]),
        ("orders", len(expected.orders), len(placed)),
        ("gross, pence", sum(expected.orders.values()), sum(placed)),
        ("orders, one sku at two prices", len(expected.two_prices), len(observed.two_prices)),
        ("carts converted", len(expected.orders), observed.types["cart.converted"]),
        ("carts canceled", expected.canceled, observed.types["cart.canceled"]),
        ("carts expired", 0, observed.types["cart.expired"]),
        ("payments unresolved", expected.unresolved, observed.types["payment.unresolved"]),
        ("dead letters", 0, observed.types["command.dead_lettered"]),
    ]
    for code in sorted(expected.refusals.keys() | observed.refusals.keys()):
        table.append(("refused: " + code, expected.refusals[code], observed.refusals[code]))
    carts = expected.orders.keys() | observed.orders.keys()
    different = [
        f"order of {cart}: expected {expected.orders.get(cart, 'none')}, found {observed.orders.get(cart) or 'none'}"
        for cart in sorted(carts)
        if observed.orders.get(cart, []) != [expected.orders[cart]] * (cart in expected.orders)
    ]
    return table, different


def report(table, different, out=sys.stdout):
    """Prints the table; True if nothing differs."""
    width = max(len(name) for name, _, _ in table)
    print(f"{'':{width}} {'expected':>12} {'found':>12}", file=out)
    for name, wanted, found in table:
        print(f"{name:{width}} {wanted:>12} {found:>12}{'' if wanted == found else '  DIFFERENT'}", file=out)
    for line in different[:10]:
        print(line, file=out)
    if len(different) > 10:
        print(f"... and {len(different) - 10} more orders", file=out)
    return not different and all(wanted == found for _, wanted, found in table)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("csv", help="the Online Retail rows, .csv or .csv.zst")
    arguments.add_argument("--json", action="store_true", help="print what is expected as one JSON object")
    arguments.add_argument("--events", metavar="FILE", help="compare with these events (- reads standard input)")
    given = arguments.parse_args()
    expected = expect(rows(given.csv))
    if given.json:
        print(json.dumps(expected.as_json(), indent=2))
    if given.events:
        stream = sys.stdin if given.events == "-" else open(given.events, encoding="utf-8")
        with stream:
            same = report(*compare(expected, observe_lines(stream)), sys.stderr if given.json else sys.stdout)
        sys.exit(0 if same else 1)
    if not given.json:
        for name, value in expected.as_json().items():
            if isinstance(value, dict):
                continue
            print(f"{name:32} {value:>12}")
        for code, count in sorted(expected.refusals.items()):
            print(f"refused: {code:23} {count:>12}")


if __name__ == "__main__":
    main()

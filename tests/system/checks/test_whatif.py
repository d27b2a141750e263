"""`mayfly replay whatif` beside fresh runs that are made with the change (tests/system/fresh): carts among hostile connectors, recorded;
what would have come of a shorter wait, or of replies that had been lost. Usage: test_whatif.py MAYFLY FRESH_RUN"""
import collections
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

from program import MAYFLY, PATIENCE_S

FRESH_RUN = str(pathlib.Path(sys.argv.pop(1)).resolve()) if len(sys.argv) > 1 else str(pathlib.Path(MAYFLY).parent / "tests/fresh_run")
CARTS, MINUTES = 300, 15
LOSE = 3  # the first authorization of every third cart
TEN_SECONDS = {"reservation_wait_s": 10}

Command = collections.namedtuple("Command", "position time cart type data source id")


def short(headers):
    return headers["ce_type"].removeprefix("dev.mayfly.").removesuffix(".v1")


def place(position):
    return f"{position[0]}:{position[1]}"


class Run:
    """A recorded run: its commands, and what each led to."""

    def __init__(self, file, *words):
        self.log = f"sqlite:{file}"
        done = subprocess.run([FRESH_RUN, str(file), "--carts", str(CARTS), "--minutes", str(MINUTES), *words], capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)
        assert done.returncode == 0, done.stderr
        self.commands = []
        for r in self.stream("commands"):
            self.commands.append(Command((r["partition"], r["offset"]), r["append_time"], r.get("key"), short(r["headers"]), json.dumps(r.get("data")),
                                         r["headers"]["ce_source"], r["headers"]["ce_id"]))
        time_of = {c.position: c.time for c in self.commands}
        self.counts = collections.Counter()
        self.outcomes = collections.defaultdict(list)  # by cart, in order: the time of a command or tick, and the events that it led to
        last = {}
        for r in self.stream("events"):
            kind, data, cart = short(r["headers"]), r["data"], r["key"]
            at = tuple(int(number) for number in r["headers"]["ce_id"].split("-")[:2])
            self.count(kind, data)
            told = f"{kind} {data['code']}" if kind == "command.rejected" else kind
            for member in ("deadline", "hold_until", "idempotency_key"):  # follow from waits, from the command's offset
                data.pop(member, None)
            if last.get(cart) != at:
                self.outcomes[cart].append((time_of[at], []))
                last[cart] = at
            self.outcomes[cart][-1][1].append((told, data))

    def stream(self, stream):
        done = subprocess.run([MAYFLY, "tail", "--json", "--stream", stream, "--log", self.log], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def count(self, kind, data):
        self.counts[kind] += 1
        if kind == "command.rejected":
            self.counts[f"{kind} {data['code']}"] += 1
        if kind == "order.placed":
            self.counts[f"money ordered {data['currency']}"] += data["total_minor"]

    def of_shop_and_connectors(self):
        return [c for c in self.commands if c.type != "clock.tick"]


def first_differences(recorded, fresh):
    """By cart: when it is first another one, and what came of it at that time in either run."""
    found = {}
    for cart in recorded.outcomes.keys() | fresh.outcomes.keys():
        one, two = recorded.outcomes.get(cart, []), fresh.outcomes.get(cart, [])
        same = 0
        while same < min(len(one), len(two)) and one[same] == two[same]:
            same += 1
        rest = [outcomes[same] for outcomes in (one, two) if len(outcomes) > same]
        if rest:
            time = min(time for time, _ in rest)
            found[cart] = (time, *(", ".join(told for told, _ in outcomes[same][1]) if len(outcomes) > same and outcomes[same][0] == time else "nothing"
                                   for outcomes in (one, two)))
    return found


def same_command(c):
    return c.time, c.cart, c.type, c.data


def reactions(recorded, fresh):
    """What the shop and the connectors did in one of two runs only, as changes for a plan: those of the recorded run do not come,
    those of the fresh run come at their time, each cart's in their order."""
    there = collections.defaultdict(collections.deque)
    for c in recorded.of_shop_and_connectors():
        there[same_command(c)].append(c.position)
    tick_at = {(c.position[0], c.time): c.position for c in recorded.commands if c.type == "clock.tick"}
    inserts, behind = [], {}
    kept = [(c, there[same_command(c)].popleft() if there[same_command(c)] else None) for c in fresh.of_shop_and_connectors()]
    for c, position in reversed(kept):
        if position is None:
            before = behind.get((c.cart, c.time), tick_at[c.position[0], c.time])
            command = {"type": c.type, "cart": c.cart, "data": json.loads(c.data), "id": c.id, "source": c.source}
            inserts.append({"insert": command, "before": place(before)})
        else:
            behind[c.cart, c.time] = position
    return [{"drop": place(position)} for left in there.values() for position in left] + inserts[::-1]


class WhatIf(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)

    def run_of(self, *words, seed):
        return Run(self.folder / f"{self.id()}{len(list(self.folder.iterdir()))}.db", "--seed", str(seed), *words)

    def whatif(self, run, plan):
        """What it says per cart, and how each sum changes."""
        file = self.folder / "plan.json"
        file.write_text(json.dumps(plan))
        done = subprocess.run([MAYFLY, "replay", "whatif", str(file), "--json", "--log", run.log], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        *carts, last = map(json.loads, done.stdout.splitlines())
        return {c["cart"]: c for c in carts}, collections.Counter({name: s["changed"] - s["recorded"] for name, s in last["sums"].items()})

    def same_first_differences(self, carts, recorded, fresh):
        self.assertEqual({cart: (c["time"], c["as_recorded"], c["as_changed"]) for cart, c in carts.items()}, first_differences(recorded, fresh))

    def same_sums(self, sums, recorded, fresh, only=None):
        names = only or recorded.counts.keys() | fresh.counts.keys()
        self.assertEqual({name: sums[name] for name in names}, {name: fresh.counts[name] - recorded.counts[name] for name in names})

    def lost(self, recorded):
        """The plan of a run with --lose."""
        firsts, drops = {}, []
        for c in recorded.commands:
            if c.type == "payment.authorized" and c.cart.removeprefix("cart-").isdigit() and int(c.cart.removeprefix("cart-")) % LOSE == 0:
                if firsts.setdefault(c.cart, c.time) == c.time:
                    drops.append({"drop": place(c.position)})
        self.assertGreater(len(firsts), 20)
        return drops

    def test_how_many_orders_a_reservation_wait_of_10_s_would_have_cost(self):
        """Buyers try once, so what is lost is lost: the orders, their money and each cart's first difference are those of the fresh run."""
        for seed in (1, 2):
            with self.subTest(seed=seed):
                recorded = self.run_of(seed=seed)
                fresh = self.run_of("--settings", json.dumps(TEN_SECONDS), seed=seed)
                carts, sums = self.whatif(recorded, {"settings": TEN_SECONDS})
                self.same_first_differences(carts, recorded, fresh)
                money = {name for name in recorded.counts | fresh.counts if name.startswith("money ordered")}
                self.same_sums(sums, recorded, fresh, only={"order.placed", "payment.authorization_requested", "checkout.reopened", *money})
                self.assertLess(sums["order.placed"], 0)

    def test_a_dropped_reply_of_the_provider(self):
        """Connectors answer what the recorded ones were never asked. Until then it is the fresh run; with those answers put in, to the end."""
        recorded, fresh = self.run_of(seed=4), self.run_of("--lose", str(LOSE), seed=4)
        drops = self.lost(recorded)
        carts, sums = self.whatif(recorded, {"commands": drops})
        self.same_first_differences(carts, recorded, fresh)
        self.assertLess(sums["order.placed"], fresh.counts["order.placed"] - recorded.counts["order.placed"])
        changes = reactions(recorded, fresh)
        self.assertEqual([d for d in drops if d not in changes], [])
        carts, sums = self.whatif(recorded, {"commands": changes})
        self.same_first_differences(carts, recorded, fresh)
        self.same_sums(sums, recorded, fresh)

    def test_with_what_shop_and_connectors_did_then_it_is_the_fresh_run(self):
        """Buyers try again, cancel and pay in other ways because of the change. Everything is compared."""
        recorded = self.run_of("--tries", "3", seed=6)
        for words, plan in ((("--settings", json.dumps(TEN_SECONDS)), {"settings": TEN_SECONDS}), (("--lose", str(LOSE)), {})):
            with self.subTest(words):
                fresh = self.run_of("--tries", "3", *words, seed=6)
                changes = reactions(recorded, fresh)
                self.assertTrue(any("insert" in c for c in changes))
                carts, sums = self.whatif(recorded, {**plan, "commands": changes})
                self.same_first_differences(carts, recorded, fresh)
                self.same_sums(sums, recorded, fresh)

    def test_the_same_seed_is_the_same_run(self):
        one, two = self.run_of(seed=1), self.run_of(seed=1)
        self.assertEqual(one.commands, two.commands)
        self.assertEqual(first_differences(one, two), {})


if __name__ == "__main__":
    unittest.main()

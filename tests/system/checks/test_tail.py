"""`mayfly tail` from several positions, of several types, since a time. Usage: test_tail.py MAYFLY"""
import contextlib
import itertools
import json
import signal
import sqlite3
import subprocess
import tempfile
import threading
import unittest

from program import MAYFLY, PATIENCE_S, run

CARTS = 40
MANY = 12_000
BATCH = 2_000  # records that tail reads at once, tools/records/each_record.h


class Tail(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = f"sqlite:{folder.name}/shop.db"
        kinds = (("cart.create", {"currency": "GBP"}), ("cart.cancel", {"reason": "gave up"}))
        lines = [json.dumps({"type": kind, "cart": f"c{i}", "data": data}) for i in range(CARTS) for kind, data in kinds]
        done = run("send", "--log", self.log, "--create", "-", stdin="\n".join(lines) + "\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.all = self.tail("--from", "begin")

    def tail(self, *words):
        done = run("tail", "--log", self.log, "--stream", "commands", "--json", *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def send_until(self, stop):
        while not stop.wait(0.05):
            run("send", "--log", self.log, "cart.create", "new", "currency=GBP")

    def at_or_after(self, begins):
        return [r for r in self.all if r["partition"] in begins and r["offset"] >= begins[r["partition"]]]

    def refused(self, *words):
        done = run("tail", "--log", self.log, *words)
        self.assertEqual((done.returncode, done.stdout), (2, ""), words)
        self.assertIn(words[0], done.stderr)

    def test_several_positions_each_in_its_partition(self):
        self.assertEqual(len(self.all), 2 * CARTS)
        self.assertEqual(self.tail("--from", "0:3", "--from", "2:5"), self.at_or_after({0: 3, 2: 5}))
        self.assertEqual(self.tail("--from", "0:3", "--from", "begin"), self.at_or_after({0: 3, 1: 0, 2: 0, 3: 0}))
        self.refused("--from", "0:3", "--from", "0:4")
        self.refused("--from", "0:3", "--from", "4:0")

    def test_without_follow_it_prints_what_is_there_and_ends(self):
        self.assertEqual(self.tail(), self.all)
        self.assertEqual(self.tail("--from", "end"), [])
        self.assertEqual(self.tail("--from", "0:end", "--from", "1:2"), self.at_or_after({1: 2}))
        self.assertEqual(self.tail("--from", "end", "--limit", "3"), [])
        self.assertEqual(self.tail("--limit", "3"), self.all[:3])

    def test_with_follow_it_prints_only_what_comes_unless_told_where_to_begin(self):
        for words, old in (((), []), (("--from", "end"), []), (("--from", "begin"), self.all), (("--since", "1d"), self.all), (("--group", "books"), self.all)):
            reader = subprocess.Popen([MAYFLY, "tail", "--log", self.log, "--stream", "commands", "--json", "--follow", *words],
                                      stdout=subprocess.PIPE, text=True)
            self.addCleanup(reader.stdout.close)
            self.addCleanup(reader.wait)
            self.addCleanup(reader.kill)
            stop = threading.Event()
            sender = threading.Thread(target=self.send_until, args=(stop,))  # it may not have looked for the end yet
            sender.start()
            seen = []
            for line in reader.stdout:
                seen.append(json.loads(line))
                if len(seen) > len(old) and any(r["key"] == "new" for r in seen):
                    break
            stop.set()
            sender.join()
            reader.send_signal(signal.SIGINT)
            seen += [json.loads(line) for line in reader.stdout]
            self.assertEqual(reader.wait(PATIENCE_S), 0)
            self.assertEqual([r for r in seen if r["key"] != "new"], old, words)

    def test_several_types(self):
        both = self.tail("--from", "begin", "--type", "cart.create", "--type", "cart.cancel")
        self.assertEqual(both, self.all)
        self.assertEqual(len(self.tail("--from", "begin", "--type", "cart.cancel")), CARTS)
        self.refused("--type", "cart.create", "--type", "no.such")

    def test_since_a_time_or_how_long_ago(self):
        self.assertEqual(self.tail("--since", "1d"), self.all)
        self.assertEqual(self.tail("--since", "2100-01-01T00:00:00Z"), [])
        middle = self.all[-1]["append_time"]
        self.assertEqual(self.tail("--since", middle), [r for r in self.all if r["append_time"] >= middle])
        self.assertEqual(self.tail("--since", "1d", "--from", "1:2"), self.at_or_after({1: 2}))
        self.refused("--since", "yesterday")

    def test_a_group_goes_on_where_it_ended_and_others_are_not_touched(self):
        first = self.tail("--group", "books", "--limit", "5")
        self.assertEqual(first, self.all[:5])
        self.assertEqual(self.tail("--group", "books"), self.all[5:])
        self.assertEqual(self.tail("--group", "books"), [])
        self.assertEqual(self.tail("--group", "books", "--from", "begin"), [])  # --from: only where it has no position
        self.assertEqual(self.tail("--group", "mail", "--from", "1:2"), self.at_or_after({1: 2}))
        self.assertEqual(self.tail("--group", "mail"), self.at_or_after({0: 0, 2: 0, 3: 0}))
        self.assertEqual(self.tail("--group", "sums", "--type", "cart.cancel"), [r for r in self.all if "cancel" in r["headers"]["ce_type"]])
        self.assertEqual(self.tail("--group", "sums"), [])  # what was left out is passed too
        run("send", "--log", self.log, "cart.create", "late", "currency=GBP")
        self.assertEqual([r["key"] for r in self.tail("--group", "books")], ["late"])
        self.refused("--group", "two words")

    def test_a_group_whose_log_was_restored_from_before_its_position_is_told(self):
        self.tail("--group", "books")
        with contextlib.closing(sqlite3.connect(self.log.removeprefix("sqlite:"))) as db, db:
            db.execute("UPDATE group_positions SET next = 100000 WHERE partition = 1")
        done = run("tail", "--log", self.log, "--stream", "commands", "--group", "books")
        self.assertEqual((done.returncode, done.stdout), (6, ""))
        self.assertIn("1:100000", done.stderr)

    def test_a_group_killed_in_the_middle_loses_nothing(self):
        lines = [json.dumps({"type": "cart.create", "cart": f"d{i}", "data": {"currency": "GBP"}}) for i in range(MANY)]
        self.assertEqual(run("send", "--log", self.log, "-", stdin="\n".join(lines) + "\n").returncode, 0)
        wanted = {(r["partition"], r["offset"]) for r in self.tail("--from", "begin")}
        seen, firsts = set(), []
        for read_before_kill in (1, 700, BATCH + 1, 2 * BATCH - 1, 5, BATCH + 500):
            reader = subprocess.Popen([MAYFLY, "tail", "--log", self.log, "--stream", "commands", "--json", "--group", "books"],
                                      stdout=subprocess.PIPE, text=True)
            got = [json.loads(line) for line in itertools.islice(reader.stdout, read_before_kill)]
            reader.kill()
            got += [json.loads(line) for line in reader.stdout if line.endswith("\n")]  # the pipe still has them
            reader.wait()
            reader.stdout.close()
            self.assertGreaterEqual(len(got), read_before_kill, "it ended before all was printed")
            firsts.append((got[0]["partition"], got[0]["offset"]))
            seen |= {(r["partition"], r["offset"]) for r in got}
        rest = {(r["partition"], r["offset"]) for r in self.tail("--group", "books")}
        self.assertEqual(seen | rest, wanted)
        self.assertEqual(self.tail("--group", "books"), [])
        self.assertEqual(firsts[:3], [(0, 0)] * 3)
        self.assertNotEqual(firsts[3], (0, 0))  # a batch was read whole: it does not come again


if __name__ == "__main__":
    unittest.main()

"""`mayfly tail` from several positions, of several types, since a time. Usage: test_tail.py MAYFLY"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

MAYFLY = str(pathlib.Path(sys.argv.pop(1)).resolve()) if len(sys.argv) > 1 else "build/release/mayfly"
PATIENCE_S = 60
CARTS = 40


def run(*words, stdin=None):
    return subprocess.run([MAYFLY, *words], input=stdin, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


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


if __name__ == "__main__":
    unittest.main()

"""Both outages played again, small: test_reenact.py MAYFLY. What is asserted is what happens, never how fast: 30 s of 30 carts a
second on 128 MiB, with a bug twice as large as the outage's time wants, so that the limit is reached for certain."""
import html.parser
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

MAYFLY = sys.argv.pop(1) if len(sys.argv) > 1 else "build/release/mayfly"
SEED = os.environ.get("MAYFLY_SEED", "1")
OUTAGES = {"cart-leak": ("cart.lines", 60_000), "session-leak": ("session.actor", 300_000)}  # what leaks, bytes each time
SHOP = ("--limit-mib", "128", "--carts-per-second", "30", "--seed", SEED)
SMALL = ("--seconds", "30", *SHOP)


def run(*words, **options):
    return subprocess.run([MAYFLY, "reenact", *words], capture_output=True, text=True, check=False, **options)


class Page(html.parser.HTMLParser):
    """What a page needs from elsewhere, and its text."""
    def __init__(self, page):
        super().__init__()
        self.foreign, self.tags, self.text = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag in ("script", "iframe", "object", "embed", "use", "image") or tag == "link" and dict(attributes).get("href") != "data:,":
            self.foreign.append(tag)
        self.foreign += [f"{tag} {name}" for name, _ in attributes if name in ("src", "srcset") or name.startswith("on")]

    def handle_data(self, data):
        self.text.append(data)


class Reenact(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        begun = {}
        for outage, (_, size) in OUTAGES.items():
            page = pathlib.Path(cls.folder.name, outage + ".html")
            words = [MAYFLY, "reenact", outage, *SMALL, "--bug-bytes", str(size), "--html", page, "--json"]
            begun[outage] = page, subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={"TMPDIR": cls.folder.name})
        # 0 and 1: how fast it was is part of what it promises, and nothing for a test.
        cls.results, cls.pages = {}, {}
        for outage, (page, process) in begun.items():
            said = process.communicate()[0]
            if process.returncode not in (0, 1):
                raise AssertionError(f"{outage} ended with {process.returncode}")
            cls.results[outage] = json.loads(said)
            cls.pages[outage] = page.read_text()

    def each(self, check):
        """`check` gets the outage's name and its runs by name."""
        for outage, result in self.results.items():
            with self.subTest(outage, seed=SEED):
                check(outage, {one["run"]: one for one in result["runs"]})

    def test_unprotected_the_service_crashes_and_nobody_was_told(self):
        def check(_, runs):
            dead = runs["unprotected"]
            self.assertRegex(dead["ending"], "^crashed|exit code 7$")
            self.assertGreater(dead["checkouts"]["failed"], 0)
            self.assertGreater(dead["carts"]["unanswered"], 0)
            self.assertEqual(dead["leaks"], [])
            self.assertIsNone(dead["recovered_after_ms"])
        self.each(check)

    def test_protected_it_lives_and_admits_every_cart(self):
        def check(_, runs):
            for live in (runs["protected"], runs["without the bug"]):
                self.assertIsNone(live["died_ms"], live["last_words"])
                self.assertEqual(live["carts"]["admitted"], 900)
                self.assertEqual(live["carts"]["refused"], 0)
                self.assertEqual(live["checkouts"]["orders"] + live["checkouts"]["failed"], live["checkouts"]["begun"])
                self.assertGreater(live["checkouts"]["orders"], 0)
        self.each(check)

    def test_the_leak_has_its_name_and_no_other_and_without_the_bug_there_is_none(self):
        def check(outage, runs):
            self.assertEqual(runs["protected"]["leaks"], [OUTAGES[outage][0]])
            self.assertEqual(runs["without the bug"]["leaks"], [])
        self.each(check)

    def test_what_the_bug_takes_is_bounded_where_the_engine_is_protected(self):
        def check(_, runs):
            limit = 128 << 20
            self.assertGreater(runs["unprotected"]["peak_bytes"], limit * 6 // 10)
            self.assertLess(runs["protected"]["peak_bytes"], limit * 9 // 10)
            self.assertGreater(runs["protected"]["peak_bytes"], runs["without the bug"]["peak_bytes"] + (4 << 20))
        self.each(check)

    def test_the_same_buyers_come_to_each_run(self):
        def check(_, runs):
            self.assertEqual({one["carts"]["offered"] for one in runs.values()}, {900})
            self.assertEqual(len({one["checkouts"]["begun"] for one in runs.values()}), 1)
        self.each(check)

    def test_the_page_is_one_file_that_needs_no_other_and_says_what_was_measured(self):
        def check(outage, runs):
            page = Page(self.pages[outage])
            self.assertEqual(page.foreign, [])
            self.assertNotRegex(self.pages[outage], r"https?://|url\(|@import")
            self.assertIn("default-src 'none'", self.pages[outage])
            self.assertEqual(page.tags.count("svg"), 6)
            text = " ".join(page.text)
            for figure in [one["checkouts"]["failed"] for one in runs.values()]:
                self.assertRegex(text, rf"\b{figure:,}\b")
            self.assertIn(runs["protected"]["first_alert"]["message"], text)
            self.assertIn(f"mayfly reenact {outage} --seed {SEED} --seconds 30", text)
        self.each(check)

    def test_nothing_is_left_behind(self):
        self.assertEqual([p.name for p in pathlib.Path(self.folder.name).iterdir() if p.suffix != ".html"], [])


class CommandLine(unittest.TestCase):
    def test_what_does_not_fit_is_said_before_anything_is_played(self):
        for words in (["heap-leak"], [], ["cart-leak", "--fast", "--real"], ["cart-leak", "--limit-mib", "1"],
                      ["cart-leak", "--html", "/nowhere/report.html"]):
            with self.subTest(words):
                done = run(*words)
                self.assertEqual(done.returncode, 2)
                self.assertEqual(done.stdout, "")
                self.assertNotEqual(done.stderr, "")

    def stopped(self, folder, until, stop):
        """What it said when `stop` was done to it once a line fitted `until`, or at once; and its runs are gone. Its first line
        comes after 5 s of 120, so that it is stopped before it ends."""
        process = subprocess.Popen([MAYFLY, "reenact", "session-leak", "--seconds", "120", *SHOP, "--html", f"{folder}/page.html"], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"TMPDIR": folder}, start_new_session=True)
        seen = []
        while until and not re.match(until, seen[-1] if seen else ""):
            seen.append(process.stdout.readline())
            self.assertNotEqual(seen[-1], "", "it ended")
        while len(children := subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False).stdout.split()) < 3:
            self.assertIsNone(process.poll())
        stop(process)
        said, complained = process.communicate(timeout=300)
        self.assertEqual(process.returncode, 1)
        self.assertEqual([pid for pid in children if pathlib.Path("/proc", pid).exists()], [])
        return "".join(seen) + said, complained

    def test_ctrl_c_gives_the_report_so_far(self):
        with tempfile.TemporaryDirectory() as folder:
            # The terminal tells the whole group: the runs must not take that for their own end.
            # The report wants something of all three runs, and so does the line: a minute and three figures of each.
            said, complained = self.stopped(folder, r" *-?\d+\.\d( +\d+){9}$", lambda process: os.killpg(process.pid, signal.SIGINT))
            self.assertEqual(complained, "")
            self.assertRegex(said, r"\nStopped at minute -?\d+\.\d, after \d+\.\d s of 120\.0 s\. These are the figures so far")
            self.assertRegex(said, r"\ncarts offered( +\d[\d,]*){3}\n")
            self.assertRegex(said, r"\ncrash( +none){3}\n")
            self.assertNotRegex(said, r"(?m)^(yes|NO) ")
            self.assertEqual([p.name for p in pathlib.Path(folder).iterdir()], ["page.html"])
            self.assertIn("These are the figures so far", pathlib.Path(folder, "page.html").read_text())

    def test_whenever_it_is_stopped_there_is_a_report_or_none_is_promised(self):
        with tempfile.TemporaryDirectory() as folder:
            said, complained = self.stopped(folder, "", lambda process: process.terminate())
            left = [p.name for p in pathlib.Path(folder).iterdir()]
            if complained:  # most often: nothing was seen yet
                self.assertEqual((complained, left), ("Stopped before anything was seen: there is no report.\n", []))
            else:
                self.assertIn("These are the figures so far", said)
                self.assertEqual(left, ["page.html"])


if __name__ == "__main__":
    unittest.main()

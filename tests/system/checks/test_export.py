"""`mayfly replay export`, ended in the middle and called again: the bundle is the one that nobody ended.
Usage: test_export.py MAYFLY"""
import contextlib
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import tempfile
import unittest

from program import MAYFLY, PATIENCE_S
import shop_log

CARTS = 2_500


def run(*words, **how):
    return subprocess.run([MAYFLY, *words], capture_output=True, text=True, timeout=PATIENCE_S, check=False, **how)


def block_ends(content):
    """Where the blocks of a bundle end (docs/replay.md, The bundle's format)."""
    at, found = 0, []
    while at < len(content):
        note = int.from_bytes(content[at + 4:at + 8], "little")
        at += 8 + note + int(content[at + 8:at + 8 + note].split(b" bytes ")[1].split()[0])
        found.append(at)
    return found


class Export(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.file = cls.folder / "shop.db"
        cls.log = f"sqlite:{cls.file}"
        shop_log.send(MAYFLY, cls.log, shop_log.carts(CARTS, "c"))
        shop_log.decide(MAYFLY, cls.file)

    def setUp(self):
        self.bundle = self.folder / f"{self.id()}.bundle"
        self.partial = self.folder / f"{self.bundle.name}.partial"
        self.resume = self.folder / f"{self.bundle.name}.resume"

    def export(self, *words, code=0, log=None, **how):
        done = run("replay", "export", str(self.bundle), *words, "--log", log or self.log, **how)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stderr + done.stdout

    def dies_at(self, size, *words, log=None):
        """It is killed by the write that would make a file longer than that: at least 64 KiB, for what SQLite maps."""
        return self.export(*words, log=log, code=-signal.SIGXFSZ, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))

    def killed_by(self, sign, block, *words):
        """Ended after its first block, which has so many bytes, and before it was done, however often it takes to meet that."""
        while True:
            running = subprocess.Popen([MAYFLY, "replay", "export", str(self.bundle), *words, "--log", self.log], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            self.wait_for_bytes(running, block)
            running.send_signal(sign)
            if running.wait(PATIENCE_S) == -sign and self.partial.exists():
                return
            self.bundle.unlink()

    def wait_for_bytes(self, running, least):
        """Until so many are there, or it has ended. A block may be seen before it is whole."""
        while running.poll() is None:
            with contextlib.suppress(FileNotFoundError):
                if self.partial.stat().st_size >= least:
                    return

    def bundle_alone(self):
        """The finished bundle, beside which nothing is left."""
        self.assertEqual(list(self.folder.glob(f"{self.bundle.name}*")), [self.bundle])
        self.assertEqual(self.bundle.stat().st_mode & 0o777, 0o600)
        content = self.bundle.read_bytes()
        self.bundle.unlink()
        return content

    def test_what_was_killed_goes_on_and_the_bundle_is_the_same_byte_for_byte(self):
        said = self.export("--plain")
        whole = self.bundle_alone()
        ends = block_ends(whole)
        self.assertGreater(len(ends), 10)
        for sign in (signal.SIGKILL, signal.SIGTERM):
            with self.subTest(sign.name):
                self.killed_by(sign, ends[0], "--plain")
                again = self.export("--plain")
                self.assertIn("continues after", again)
                self.assertEqual(again.splitlines()[-1], said.strip())
                self.assertEqual(self.bundle_alone(), whole)
        resume = b""
        for at in (ends[8] - 1, ends[9], len(whole) // 2 + 100, ends[-2], len(whole) - 1):
            with self.subTest(killed_by_the_write_beyond=at):
                self.dies_at(at, "--plain")
                self.assertEqual(self.partial.read_bytes(), whole[:at])
                resume = self.resume.read_bytes()
                self.assertEqual(self.export("--plain").splitlines()[-1], said.strip())
                self.assertEqual(self.bundle_alone(), whole)
        for at in (0, 1, 8, 100, ends[0] - 1, ends[0], ends[0] + 4, ends[1] + 200, *ends[-4:]):
            with self.subTest(left_behind=at):  # an SQLite reader cannot be limited to so small a file
                self.resume.write_bytes(resume)
                self.partial.write_bytes(whole[:at])
                self.assertEqual(self.export("--plain").splitlines()[-1], said.strip())
                self.assertEqual(self.bundle_alone(), whole)

    def test_killed_again_and_again_under_pseudonyms_it_ends_as_if_it_had_not_been(self):
        """The key of the pseudonyms is drawn anew for each bundle: the one that is not killed begins with the same."""
        self.dies_at(100_000)
        begun = self.resume.read_bytes()
        self.assertEqual(self.resume.stat().st_mode & 0o777, 0o600)
        for at in (150_000, 150_001, 250_000):
            self.dies_at(at)
            self.assertEqual(self.resume.read_bytes(), begun)
        self.export()
        several = self.bundle_alone()
        self.resume.write_bytes(begun)
        self.partial.write_bytes(several[:block_ends(several)[0]])
        self.export()
        self.assertEqual(self.bundle_alone(), several)
        imported = f"sqlite:{self.bundle}.db"
        self.bundle.write_bytes(several)
        self.assertEqual(run("replay", "import", str(self.bundle), "--log", imported).returncode, 0)
        self.assertIn(": 0 carts differ", run("replay", "verify", "--carts", "--log", imported).stdout)

    def test_a_log_that_has_grown_meanwhile_gives_the_bundle_of_the_moment_when_it_began(self):
        file = self.folder / "grows.db"
        shutil.copy(self.file, file)
        log = f"sqlite:{file}"
        words = ("--partition", "0", "--partition", "1")
        self.dies_at(100_000, *words, log=log)
        resume, partial = self.resume.read_bytes(), self.partial.read_bytes()
        self.export(*words, log=log)
        before = self.bundle_alone()
        self.resume.write_bytes(resume)
        self.partial.write_bytes(partial)
        shop_log.send(MAYFLY, log, shop_log.carts(50, "later"))
        shop_log.decide(MAYFLY, file)
        self.export(*words[2:], *words[:2], log=log)  # in another order they are the same words
        self.assertEqual(self.bundle_alone(), before)
        self.export(*words, log=log)
        self.assertNotEqual(len(block_ends(self.bundle_alone())), 0)

    def test_a_block_that_is_damaged_is_written_anew_with_all_behind_it(self):
        self.export("--plain")
        whole = self.bundle_alone()
        ends = block_ends(whole)
        self.dies_at(ends[5] + 10, "--plain")
        for at in (ends[2] + 150, 3):
            begun = bytearray(self.partial.read_bytes())
            begun[at] ^= 1
            with self.subTest(byte=at):
                resume = self.resume.read_bytes()
                self.partial.write_bytes(begun)
                self.export("--plain")
                self.assertEqual(self.bundle_alone(), whole)
                self.resume.write_bytes(resume)
                self.partial.write_bytes(whole[:ends[5]])

    def test_what_it_cannot_go_on_with_is_refused_and_left_as_it_is(self):
        self.dies_at(100_000, "--plain")
        begun = self.partial.read_bytes()
        other, older = self.folder / "other.db", self.folder / "older.db"
        shop_log.send(MAYFLY, f"sqlite:{other}", shop_log.carts(CARTS, "other"))
        shop_log.decide(MAYFLY, other)
        shop_log.send(MAYFLY, f"sqlite:{older}", shop_log.carts(10, "c"))
        shop_log.decide(MAYFLY, older)
        for words, log, said in (((), None, "it was begun with --plain, not with these options"), (("--plain", "--cart", "c-1"), None, "not with these options"),
                                 (("--plain", "--partition", "0"), None, "not with these options"), (("--plain",), f"sqlite:{other}", "of another log"),
                                 (("--plain",), f"sqlite:{older}", "of another log")):
            with self.subTest(words=words, log=log):
                told = self.export(*words, log=log, code=2)
                self.assertIn(said, told)
                self.assertIn(f"Remove {self.partial} and {self.resume} to begin anew", told)
                self.assertEqual(self.partial.read_bytes(), begun)
        resume = self.resume.read_bytes()
        for content in (b"", resume[:50], b"{}"):
            self.resume.write_bytes(content)
            self.assertIn("is not whole", self.export("--plain", code=2))
        self.resume.write_bytes(resume)
        self.export("--plain")
        self.resume.write_bytes(resume)  # as if it had been ended before it removed that file
        self.assertIn("is there already", self.export("--plain", code=2))
        self.bundle_alone()

    def test_two_exports_do_not_write_the_same_bundle(self):
        running = subprocess.Popen([MAYFLY, "replay", "export", str(self.bundle), "--log", self.log], stdout=subprocess.DEVNULL)
        self.addCleanup(running.wait, PATIENCE_S)
        self.addCleanup(running.kill)
        self.wait_for_bytes(running, 1)
        running.send_signal(signal.SIGSTOP)  # does nothing if it has ended already
        if running.returncode is None:
            os.waitid(os.P_PID, running.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        if running.poll() is None and self.partial.exists():
            self.assertIn("Another process writes", self.export(code=2))
        running.send_signal(signal.SIGCONT)

    def test_a_cart_that_is_not_there_leaves_nothing_behind_whatever_it_is_called(self):
        for cart in ("nobody", b"\xff".decode(errors="surrogateescape")):
            with self.subTest(cart=ascii(cart)):
                self.assertIn("has no decided command of cart", self.export("--cart", cart, code=1))
                self.assertEqual(list(self.folder.glob(f"{self.bundle.name}*")), [])


if __name__ == "__main__":
    unittest.main()

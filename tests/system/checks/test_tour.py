"""The README's five minutes, as a reader goes through them: its commands are taken from the page and run one after the
other, and what they print is what the page shows. Usage: test_tour.py MAYFLY

On the page `...` stands for what is left out. Positions, ids and the numbers of a replay are those of another run.
"""
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

from program import MAYFLY, PATIENCE_S

ROOT = pathlib.Path(__file__).resolve().parents[3]
FRONT = "127.0.0.1:9280"  # where the page says the demo takes commands
ENDED = "-- ended with "
GOES_ON = re.compile(r"\bmayfly serve\b")
# Changes nothing, so it may be asked again until an engine has decided what was sent before.
ONLY_READS = re.compile(r"^mayfly (inspect|tail|replay|funds) |^curl (?!.* -d )")
OF_THIS_RUN = re.compile(r"\b\d+:\d+\b|\b\d+-\d+-\d+\b|\b[\d,]+ (?=commands|events|state records)")


def tour(page):
    """Blocks of the page's section: each a list of commands with the lines shown below them; a block without commands is
    a list of lines."""
    section = page.split("\n## Five minutes\n")[1].split("\n## ")[0]
    for block in re.findall(r"(?:^ {4}.*\n)+", section, re.M):
        lines = [line[4:] for line in block.replace("\\\n", "").splitlines()]
        if not any(line.startswith("$ ") for line in lines):
            yield [], lines
            continue
        commands = []
        for line in lines:
            if line.startswith("$ "):
                commands.append((line[2:], []))
            else:
                commands[-1][1].append(line)
        yield commands, []


def of_any_run(text):
    return OF_THIS_RUN.sub("N ", " ".join(text.split()))


def is_shown(lines, printed):
    """Whether what was printed is what the page shows: all that stands between what is left out, in order."""
    pieces = [piece.strip() for piece in of_any_run(" ".join(lines)).split("...")]
    text = of_any_run(printed)
    if not text.startswith(pieces[0]) or not text.endswith(pieces[-1]):
        return False
    at = 0
    for piece in pieces:
        found = text.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return len(pieces) > 1 or at == len(text)


class Tour(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "build" / "release").mkdir(parents=True)
        (self.folder / "build" / "release" / "mayfly").symlink_to(MAYFLY)
        (self.folder / "examples").symlink_to(ROOT / "examples")
        self.shell = self.start(["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.ask("shopt -s expand_aliases")

    def start(self, words, **how):
        running = subprocess.Popen(words, cwd=self.folder, text=True, bufsize=1, **how)
        for stream in (running.stdin, running.stdout, running.stderr):
            if stream:
                self.addCleanup(stream.close)
        self.addCleanup(running.wait)
        self.addCleanup(lambda: running.poll() is None and running.send_signal(signal.SIGTERM))
        return running

    def ask(self, command):
        """What the shell prints to a command, and the code that it ends with."""
        self.shell.stdin.write(f"{command}\ncode=$?; echo; echo '{ENDED}'$code\n")
        lines = []
        for line in self.shell.stdout:
            if line.startswith(ENDED):
                return "".join(lines), int(line.removeprefix(ENDED))
            lines.append(line)
        self.fail(f"the shell ended at: {command}")

    def serve(self, command):
        engine = self.start(["bash", "-c", f"exec {command}"], stderr=subprocess.PIPE)
        self.assertTrue(any('"name":"ready"' in line for line in engine.stderr), command)

    def demo(self):
        """Started as tools/run does, at addresses that are free, with nothing left to chance. What it prints at first, and
        the address of its front door."""
        self.assertIn("mayfly demo", (ROOT / "tools" / "run").read_text())
        chances = [word for name in ("silence", "decline", "out-of-stock") for word in (f"--{name}", "0")]
        demo = self.start([MAYFLY, "demo", "--http", "127.0.0.1:0", "--front", "127.0.0.1:0", "--delay-ms", "5", *chances], stdout=subprocess.PIPE)
        said = ""
        for line in demo.stdout:
            said += line
            if line.startswith("     "):
                return said, re.search(r"commands over HTTP at http://([\d.:]+)/", said).group(1)
        self.fail(f"the demo ended with {demo.wait()}")

    def check(self, command, lines):
        end = time.monotonic() + PATIENCE_S
        wanted = 1 if any("command.rejected" in line for line in lines) else 0
        while True:
            printed, code = self.ask(command)
            fits = code == wanted and (not lines or is_shown(lines, printed))
            if fits or not ONLY_READS.search(command) or time.monotonic() > end:
                break
        self.assertEqual(code, wanted, f"{command}\n{printed}")
        self.assertTrue(fits, f"$ {command}\n{printed}\nThe page shows:\n" + "\n".join(lines))

    def test_every_command_of_the_tour_prints_what_the_page_shows(self):
        said, front = self.demo()
        ran = 0
        for commands, lines in tour((ROOT / "README.md").read_text()):
            if not commands:
                self.assertIn(lines[0].split(), [line.split() for line in said.splitlines()])  # the head of the demo's table
            for command, below in commands:
                ran += 1
                if GOES_ON.search(command):
                    self.serve(command)
                    continue
                # A machine that is busy may take longer than the page lets its reader wait.
                self.check(command.replace(FRONT, front).replace("wait=5", f"wait={PATIENCE_S}"), below)
        self.assertGreater(ran, 10)


if __name__ == "__main__":
    unittest.main()

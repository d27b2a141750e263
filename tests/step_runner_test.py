"""What runs the steps of tools/test. Each case has a folder of its own and steps that are shell commands."""
import contextlib
import fcntl
import io
import pathlib
import tempfile
import unittest

import step_runner
from step_runner import Step


class Runner(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.logs = self.root / "logs"
        self.ended = 0
        self.said = ""

    def main(self, steps, *words):
        def at_end():
            self.ended += 1

        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = step_runner.main(steps, self.root, self.logs, 2, list(words), at_end)
        self.said = out.getvalue()
        return code

    def steps(self, second="true"):
        return [Step("first", ["true"], quick=True), Step("second", ["sh", "-c", second], needs=("first",))]

    def test_steps_that_pass_end_with_0_and_what_failed_is_shown(self):
        self.assertEqual((self.main(self.steps()), self.ended), (0, 1))
        self.assertIn("2 passed, 0 failed", self.said)
        self.assertEqual((self.main(self.steps("echo why; false")), self.ended), (1, 2))
        self.assertIn("why", self.said)

    def test_what_is_only_asked_about_ends_nothing(self):
        for words, code in ((["--list"], 0), (["--unknown"], 2), (["no such step"], 2)):
            self.assertEqual((self.main(self.steps(), *words), self.ended), (code, 0), words)

    def test_a_second_run_in_the_same_clone_is_refused_and_leaves_the_first_alone(self):
        self.logs.mkdir()
        with open(self.logs / ".lock", "w", encoding="utf-8") as first:
            fcntl.flock(first, fcntl.LOCK_EX)
            self.assertEqual((self.main(self.steps()), self.ended), (2, 0))
        self.assertIn("another one runs", self.said)
        self.assertEqual((self.main(self.steps()), self.ended), (0, 1))

    def test_a_word_chooses_steps_with_what_they_need(self):
        self.assertEqual(self.main(self.steps(), "--list", "second"), 0)
        self.assertEqual(self.said.split(), ["first", "second"])
        self.assertEqual(self.main(self.steps(), "--list", "--quick"), 0)
        self.assertEqual(self.said.split(), ["first"])

    def test_a_step_whose_need_failed_is_not_run(self):
        steps = [Step("first", ["false"]), Step("second", ["touch", "ran"], needs=("first",))]
        self.assertEqual(self.main(steps), 1)
        self.assertFalse((self.root / "ran").exists())


if __name__ == "__main__":
    unittest.main()

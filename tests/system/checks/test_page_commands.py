"""Every command of mayfly's that a page shows exists: its verb and its options are in --help. What docs/command-line.md has
of a verb's options is all that --help has. Usage: test_page_commands.py MAYFLY
"""
import re
import subprocess
import unittest

from program import MAYFLY
import command_pages

ROOT = command_pages.ROOT
# Where a shell would look for a program.
COMMAND = re.compile(r"(?:^|[|;&(=]|-- )\s*(?:\$ +)?(?:[\w./-]*/)?mayfly((?: +(?:\"[^\"]*\"|'[^']*'|[^\s`|;#>&(){}]+))+)", re.M)
NO_COMMANDS = {"bundle block N bytes LENGTH sha256 DIGITS"}  # the text in a bundle (docs/replay.md)
OF_ALL_VERBS = {"--config"}  # on the page in one sentence below the table
SHORT = {"-f": "--follow", "-h": "--help"}


def code_of(page):
    """Line by line, what stands as code: blocks, and spans between backticks."""
    fenced = False
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            yield number, line
        else:
            yield from ((number, span) for span in re.findall(r"`([^`]+)`", line.replace("\\|", "|")))


def commands(page):
    for number, code in code_of(page):
        for words in COMMAND.findall(code):
            if words.strip() not in NO_COMMANDS:
                yield number, words.split()


class PageCommands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.verbs = command_pages.verbs_of_help(MAYFLY)
        cls.options = {verb: command_pages.options(MAYFLY, verb) for verb in cls.verbs}
        cls.options |= {"help": set(), "replay": set(), "deadletters": cls.options["deadletters list"]}

    def verb_of(self, words):
        """One of --help's; a page may name a group of verbs by its first word."""
        two = " ".join(words[:2])
        return two if two in self.options else words[0]

    def check(self, words, where):
        if words[0].startswith("-"):
            self.assertIn(words[0], ("--help", "--version"), where)
            return
        verb = self.verb_of(words)
        self.assertTrue(verb in self.options, f"{where}: no such verb")
        for word in words:
            if re.match(r"--?[a-z]", word):
                option = re.match(r"--?[\w-]*", word).group()
                self.assertIn(SHORT.get(option, option), self.options[verb] | {"--help"}, f"{where}: {verb} has no such option")

    def test_every_command_on_a_page_exists(self):
        names = subprocess.run(["git", "ls-files", "*.md", "*.service"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
        checked = 0
        for name in names:
            found = commands(ROOT / name) if name.endswith(".md") else ((0, words.split()) for words in COMMAND.findall((ROOT / name).read_text()))
            for line, words in found:
                with self.subTest(page=name, line=line):
                    self.check(words, " ".join(words))
                checked += 1
        self.assertGreater(checked, 100)

    def test_the_page_of_verbs_has_every_option_and_no_other(self):
        for verb, synopses in command_pages.synopses().items():
            on_page = {SHORT.get(word, word) for word in re.findall(r"(?<![\w-])--?[a-z][\w-]*", " ".join(synopses))}
            has = self.options[verb.removesuffix(" -")] - {"--help"}
            if verb != "send -":  # `send` has its options
                self.assertEqual((has - on_page - OF_ALL_VERBS, on_page - has), (set(), set()), f"{verb}: not on the page; not in --help")


if __name__ == "__main__":
    unittest.main()

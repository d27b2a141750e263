"""The pages: every link leads somewhere, every file they name is there, every page is in the index, and what the code
cites of them exists.

The code cites pages as "docs/memory.md", "docs/memory.md, Budgets" (a heading of it that begins so) and
"decisions.md 5.4, 6" or "contract.md 2" (numbered sections and guards).
"""
import pathlib
import re
import subprocess
import unittest

ROOT = next(parent for parent in pathlib.Path(__file__).resolve().parents if (parent / "docs").is_dir())
CODE = {".h", ".cpp", ".py", ".sh", ".toml", ".in", ".html", ".yaml", ".service", ".txt", ""}
NUMBERS = r"\d+(?:\.\d+)*(?:(?:, | and )\d+(?:\.\d+)*)*"


def tracked():
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def pages():
    return [file for file in tracked() if file.suffix == ".md"]


def headings(page):
    return re.findall(r"^#+ +(.+?) *$", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S), re.M)


def anchor(heading):
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-")


def numbers_of(page):
    """Numbered headings, and numbered guards."""
    found = {h.split(" ")[0] for h in headings(page) if h[0].isdigit()}
    return found | set(re.findall(r"^\| (\d+\.\d+\.\d+) \|", page.read_text(), re.M))


def comments_joined(text):
    """A citation may go over a line's end."""
    return re.sub(r"\s*\n\s*(?://+|#|\*)?\s*", " ", text)


class Pages(unittest.TestCase):
    def test_every_link_leads_to_a_page_and_a_heading_of_it(self):
        for page in pages():
            text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
            for target in re.findall(r"\]\(([^)\s]+)\)", text):
                if target.startswith(("http://", "https://", "mailto:")):
                    continue
                name, _, heading = target.partition("#")
                file = page.parent / name if name else page
                where = f"{page.relative_to(ROOT)}: {target}"
                self.assertTrue(file.exists(), where)
                if heading and file.suffix == ".md":
                    self.assertIn(heading, [anchor(h) for h in headings(file)], where)

    def test_the_files_that_pages_name_are_there(self):
        """But those that a reader is to make."""
        to_make = {"adapters/postgres/"}
        for page in pages():
            for name in re.findall(r"`((?:actors|adapters|deploy|events|examples|tests|tools)/[^`\s]*)`", page.read_text()):
                self.assertTrue(name in to_make or list(ROOT.glob(name.rstrip("/"))), f"{page.relative_to(ROOT)}: {name}")

    def test_every_page_is_in_the_index(self):
        index = ROOT / "docs" / "README.md"
        linked = set(re.findall(r"\]\(([\w-]+\.(?:md|yaml))\)", index.read_text()))
        self.assertEqual(linked, {page.name for page in (ROOT / "docs").iterdir() if page.suffix in (".md", ".yaml")} - {"README.md"})

    def test_the_sections_that_code_cites_exist(self):
        cited = 0
        for file in tracked():
            if file.suffix not in CODE or file == pathlib.Path(__file__).resolve() or "docs" in file.parts:
                continue
            text = comments_joined(file.read_text(errors="replace"))
            for name, numbers in re.findall(rf"\b(contract|decisions)\.md(?: ({NUMBERS}))?", text):
                page = ROOT / "docs" / f"{name}.md"
                for number in re.findall(r"\d+(?:\.\d+)*", numbers or ""):
                    cited += 1
                    self.assertIn(number, numbers_of(page), f"{file.relative_to(ROOT)} cites {name}.md {number}")
            for name, heading in re.findall(r"\bdocs/([\w-]+\.(?:md|yaml))(?:, ([A-Z][\w']*))?", text):
                page = ROOT / "docs" / name
                where = f"{file.relative_to(ROOT)} cites docs/{name}"
                self.assertTrue(page.exists(), where)
                if heading and page.suffix == ".md":
                    self.assertTrue(any(h.startswith(heading) for h in headings(page)), f"{where}, {heading}")
        self.assertGreater(cited, 20)

    def test_code_cites_no_page_that_is_not_here(self):
        """Design notes and other texts that a reader of the repository does not have."""
        outside = re.compile(r"\b(additions|architecture|style)\.md\b|§|\bcontract\.md(?:'s|, [A-Z])")
        for file in tracked():
            if file.suffix in CODE and "docs" not in file.parts and file != pathlib.Path(__file__).resolve():
                for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
                    self.assertIsNone(outside.search(line), f"{file.relative_to(ROOT)}:{number}: {line.strip()}")


if __name__ == "__main__":
    unittest.main()

"""A real browser for checks of pages: Debian's Chromium, driven by playwright-core through browser.mjs. Its packages come from
npm into build/browser."""
import json
import os
import pathlib
import shutil
import subprocess

from from_registry import why_not_made

PACKAGES = pathlib.Path(__file__).resolve().parents[3] / "build" / "browser"
WANTED = ("playwright-core@1.65.1", "axe-core@4.14.1")
PATIENCE_S = 300


def why_not():
    """Why there is no browser here; empty if there is one."""
    for program in ("chromium", "node", "npm"):
        if not shutil.which(program):
            return f"{program} is missing: apt-get install chromium npm"
    install = ["npm", "install", "--silent", "--no-save", "--prefix", PACKAGES, *WANTED]
    return why_not_made(PACKAGES, " ".join(WANTED).encode(), [install])


class Browser:
    """Each verb of browser.mjs is a method."""

    def __init__(self):
        self.process = subprocess.Popen(["node", pathlib.Path(__file__).with_name("browser.mjs"), shutil.which("chromium")],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PACKAGES": str(PACKAGES)})

    def __getattr__(self, verb):
        def do(*words):
            self.process.stdin.write(json.dumps([verb, *words]) + "\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline())
            if "problem" in answer:
                raise AssertionError(f"{verb} {words}: {answer['problem']}")
            return answer["value"]
        return do

    def close(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE_S)
        self.process.stdout.close()

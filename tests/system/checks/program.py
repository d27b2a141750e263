"""The program that a check is of: what the command line names first, else this clone's release build."""
import pathlib
import subprocess
import sys

MAYFLY = str(pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else pathlib.Path(__file__).parents[3] / "build/release/mayfly").resolve())
PATIENCE_S = 300  # for anything, on a machine that is very busy; nothing takes a tenth of it


def run(*words, stdin=None):
    """It, with these words and that text as its input, to its end."""
    return subprocess.run([MAYFLY, *words], input=stdin, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

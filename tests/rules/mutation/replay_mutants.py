"""Does `mayfly replay verify --against` find a changed rule on recorded traffic? Draws mutants of the ladders (mutate.py), and
compares a recorded run of hostile connectors with what each of them decides.

Usage: replay_mutants.py [--mutants N] [--seed N] [--only ID,ID...] [--carts N] [--keep DIR]
       replay_mutants.py --sources DIR   (writes the mutated sources; the target mayfly_mutants does that)
Needs `tools/build mayfly mayfly_mutants hostile`. What verify has to say, the first command of each cart after which the
events differ, is found once more here, from what both programs print as `replay decisions`. Exits with 1 if verify was
wrong about any mutant."""
import argparse
import collections
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

import mutate

RELEASE = mutate.ROOT / "build/release"
MAYFLY, MUTANTS, HOSTILE = RELEASE / "mayfly", RELEASE / "tests/mayfly_mutants", RELEASE / "tests/hostile"
TIME_LIMIT_S = 600
DIFFERENCE = re.compile(r"^cart (.*): first difference at (\d+):(\d+) (.*)$", re.MULTILINE)


def run(*words, mutant=0):
    environment = dict(os.environ, MUTANT=str(mutant))
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=TIME_LIMIT_S, check=False)


def decisions(program, log, mutant=0):
    """By command: its events in order, each with its cart. None if the program fails."""
    done = run(program, "replay", "decisions", "--log", log, mutant=mutant)
    if done.returncode != 0:
        return None
    found = collections.defaultdict(list)
    for line in done.stdout.splitlines():
        event = json.loads(line)
        partition, offset = event.pop("position").split(":")
        found[int(partition), int(offset)].append(event)
    return found


def first_differences(recorded, other):
    """By cart: the first command after which its events differ."""
    first = {}
    for at in sorted(recorded.keys() | other.keys()):
        one, two = recorded.get(at, []), other.get(at, [])
        for cart in {e["cart"] for e in one + two}:
            if [e for e in one if e["cart"] == cart] != [e for e in two if e["cart"] == cart]:
                first.setdefault(cart, at)
    return first


def judge(log, recorded, mutant):
    """What verify says of the mutant, and whether that is right: a word, and for people more."""
    try:
        said = run(MAYFLY, "replay", "verify", "--against", MUTANTS, "--log", log, mutant=mutant)
        other = decisions(MUTANTS, log, mutant)
    except subprocess.TimeoutExpired:
        return "hangs", ""
    if other is None:
        return ("fails" if said.returncode == 2 else "WRONG"), said.stderr.strip()
    first = first_differences(recorded, other)
    if not first:
        return ("survives" if said.returncode == 0 else "WRONG"), ""
    told = {cart: (int(partition), int(offset)) for cart, partition, offset, _ in DIFFERENCE.findall(said.stdout)}
    right = (said.returncode == 1 and f" {len(first):,} carts differ" in said.stdout and len(told) == min(len(first), 20)
             and all(first.get(cart) == at for cart, at in told.items()))
    cart, partition, offset, command = (DIFFERENCE.findall(said.stdout) or [("", 0, 0, "")])[0]
    return ("found" if right else "WRONG"), f"{len(first):,} carts, {cart} at {partition}:{offset} {command}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--sources", type=pathlib.Path)
    arguments.add_argument("--mutants", type=int, default=30)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--only", default="")
    arguments.add_argument("--carts", type=int, default=500)
    arguments.add_argument("--keep", type=pathlib.Path, help="leave the recorded run in this folder")
    given = arguments.parse_args()
    mutator = mutate.Mutator()
    if given.sources:
        mutate.mutate_ladders(mutator, given.sources)
        return
    folder = given.keep or pathlib.Path(tempfile.mkdtemp(prefix="replay-mutants-"))
    try:
        mutate.mutate_ladders(mutator, folder / "mutated")
        log = f"sqlite:{folder}/hostile.db"
        if not (folder / "hostile.db").exists():
            done = run(HOSTILE, folder, "--log", log, "--carts", str(given.carts), "--hours", "1", "--seed", str(given.seed))
            assert done.returncode == 0, done.stdout + done.stderr
        recorded = decisions(MAYFLY, log)
        word, more = judge(log, recorded, 0)
        assert word == "survives", f"without a mutant they differ: {more}"
        ids = [int(i) for i in given.only.split(",") if i]
        ids = ids or sorted(random.Random(given.seed).sample(range(1, len(mutator.sites) + 1), given.mutants))
        print(f"seed {given.seed}: {len(ids)} of {len(mutator.sites)} mutants, {len(recorded):,} commands that say something", flush=True)
        words = collections.Counter()
        for mutant in ids:
            word, more = judge(log, recorded, mutant)
            words[word] += 1
            file, line, was, now = mutator.sites[mutant - 1]
            print(f"{word:8} {mutant:4} {file}:{line}: {was} -> {now}{': ' + more if more else ''}", flush=True)
        print(", ".join(f"{count} {word}" for word, count in words.most_common()))
    finally:
        if not given.keep:
            shutil.rmtree(folder)
    sys.exit(1 if words["WRONG"] else 0)


if __name__ == "__main__":
    main()

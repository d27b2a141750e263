"""Changes each guard, comparison and constant of the rules, one at a time, and runs the rules' tests: who notices?

All mutants are compiled into one copy of the program, each behind a switch (mutant.h); a run chooses one. So a mutant
costs a run, not a build. Usage: mutate.py [--jobs N] [--sequences N] [--keep DIR] [--only ID,ID...] [--since COMMIT]
[--sample N --seed S]. --since takes the lines that were written since that commit, --sample draws N of what there is.
Prints the survivors with file, line and change, and how many died. Needs what a build needs; changes nothing in the
repository.
"""
import argparse
import concurrent.futures
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
LADDERS = ["decide_cart.cpp", "decide_session.cpp", "decide_without_cart.cpp", "merging.cpp", "replies.cpp", "cart.cpp", "session.cpp"]
CONSTANTS = "settings.h"
# Limits that no ladder reads: the reader's, the epitaphs' and the supervisor's have their own tests.
NOT_OURS = re.compile(r"\b(data|cart_id|short_id|reference|text|token|url|attribute)_bytes\b|\b(attempts|line_attributes(_bytes)?)\b|\bepitaph")
OF_CONSTANTS = re.compile(r"\bconstexpr (?=[^\n;]*(?:limits::|Settings\{\}))")  # what follows from them is no constant expression either
TIME_LIMIT_S = 120

LEVELS = [["||"], ["&&"], ["==", "!="], ["<", "<=", ">", ">="], ["+", "-"], ["*", "/"]]
INSTEAD = {"==": ["!="], "!=": ["=="], "<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="], ">=": [">", "<"],
           "+": ["-"], "-": ["+"], "*": ["+"], "/": ["*"], "+=": ["-="], "-=": ["+="]}
ENUMS = r"\b(?:Code|Why|State|SessionState|SessionOutcome|EventType|WaitKind|StatusState|Phase|CartOutcome|Concern|Seen)::\w+"
CLOSES = {"(": ")", "[": "]", "{": "}"}


def without_comments(text):
    """Comments become spaces: positions stay."""
    return re.sub(r"//[^\n]*", lambda m: " " * len(m.group()), text)


def group_end(text, at):
    """The position behind the bracket group that opens at `at`."""
    depth = 0
    while at < len(text):
        c = text[at]
        if c in "\"'" and not (c == "'" and at > 0 and text[at - 1].isalnum()):
            at = quoted_end(text, at)
            continue
        depth += (c in "([{") - (c in ")]}")
        at += 1
        if depth == 0:
            return at
    raise ValueError("unbalanced: " + text[:60])


def quoted_end(text, at):
    quote = text[at]
    at += 1
    while text[at] != quote:
        at += 2 if text[at] == "\\" else 1
    return at + 1


def top_level(text):
    """Positions outside bracket groups and quotes."""
    at = 0
    while at < len(text):
        c = text[at]
        if c in "([{":
            at = group_end(text, at)
        elif c in "\"'" and not (c == "'" and at > 0 and text[at - 1].isalnum()):
            at = quoted_end(text, at)
        else:
            yield at
            at += 1


class Mutator:
    def __init__(self):
        self.sites = []  # (file, line, was, now); the id is the index + 1
        self.file, self.source = "", ""

    def new(self, at, was, now):
        line = self.source.count("\n", 0, at) + 1
        self.sites.append((self.file, line, " ".join(was.split()), now))
        return len(self.sites)

    def ladder(self, name, source):
        self.file, self.source = name, without_comments(source)
        return '#include "mutant.h"\n' + self.sequence(self.source, 0)

    # text: what is rendered; at: where it stands in the source
    def sequence(self, text, at):
        """Statements, arguments or members: what stands between ; and , on this level."""
        out, begin = [], 0
        cuts = [p for p in top_level(text) if text[p] in ";,"]
        for cut in cuts + [len(text)]:
            out.append(self.statement(text[begin:cut], at + begin))
            if cut < len(text):
                out.append(text[cut])
            begin = cut + 1
        return "".join(out)

    def statement(self, text, at):
        """Takes off what stands before an expression: keywords, conditions, blocks."""
        lead = re.match(r"\s+|return\b|else\b|do\b|case [^;{}]*?[^:]:(?!:)|default:|public:|private:|#[^\n]*\n", text)
        if lead and lead.end() > 0:
            return lead.group() + self.statement(text[lead.end():], at + lead.end())
        control = re.match(r"(if|while|for|switch) (?=\()", text)
        if control:
            end = group_end(text, control.end())
            inner = text[control.end() + 1:end - 1]
            inside = self.sequence(inner, at + control.end() + 1)
            if control.group(1) == "if" and not re.search(r";|\b(const )?auto\b[*&]? ?\w+ = ", inner):
                yes = self.new(at, text[:end], "if (true)")
                no = self.new(at, text[:end], "if (false)")
                inside = f"mutant::guard({yes}, {no}, [&] {{ return static_cast<bool>({inside}); }})"
            return control.group() + "(" + inside + ")" + self.statement(text[end:], at + end)
        if text.startswith("{"):
            end = group_end(text, 0)
            return "{" + self.sequence(text[1:end - 1], at + 1) + "}" + self.statement(text[end:], at + end)
        block = next(self.blocks(text), None)
        if block is not None:
            end = group_end(text, block)
            return (self.expression(text[:block], at) + "{" + self.sequence(text[block + 1:end - 1], at + block + 1) + "}"
                    + self.statement(text[end:], at + end))
        return self.expression(text, at)

    def blocks(self, text):
        """Where a block of statements opens on this level: not a list of values."""
        at = 0
        while at < len(text):
            if text[at] == "{" and re.search(r"(\)|\bconst|\belse|\bclass \w+|\bstruct \w+|\bnamespace( [\w:]+)?) $", text[:at]):
                yield at
            if text[at] in "([{":
                at = group_end(text, at)
            elif text[at] in "\"'" and not (text[at] == "'" and at > 0 and text[at - 1].isalnum()):
                at = quoted_end(text, at)
            else:
                at += 1

    def expression(self, text, at):
        places = set(top_level(text))

        def spaced(operator):
            word = f" {operator}"
            return [p for p in range(len(text))
                    if text.startswith(word, p) and text[p + len(word):p + len(word) + 1].isspace() and p in places]

        for operator in ("=", "+=", "-="):
            found = spaced(operator)
            if found:
                p = found[0]
                left, right = self.primary(text[:p], at), self.expression(text[p + len(operator) + 2:], at + p + len(operator) + 2)
                if operator == "=":
                    return f"{left} = {right}"
                id = self.new(at + p, text.strip(), INSTEAD[operator][0])
                pad = re.match(r"\s*", left).group()
                return f"{pad}(mutant::is({id}) ? {left.strip()} {INSTEAD[operator][0]} {right} : {left.strip()} {operator} {right})"
        for operator in ("?", ":"):
            found = spaced(operator)
            if found:
                p = found[0]
                return self.expression(text[:p], at) + f" {operator} " + self.expression(text[p + 3:], at + p + 3)
        for level in LEVELS:
            found = sorted((p, o) for o in level for p in spaced(o))
            if not found or re.search(r"\.(begin|data)\(\)", text):  # iterators have no other arithmetic
                continue
            p, operator = found[-1]
            behind = p + len(operator) + 2
            pad = re.match(r"\s*", text).group()
            left, right = self.expression(text[:p], at).strip(), self.expression(text[behind:], at + behind)
            if operator in ("&&", "||"):
                id = self.new(at + p, text.strip(), "||" if operator == "&&" else "&&")
                name = "both" if operator == "&&" else "either"
                return (f"{pad}mutant::{name}({id}, [&] {{ return static_cast<bool>({left}); }}, "
                        f"[&] {{ return static_cast<bool>({right}); }})")
            ids = [self.new(at + p, text.strip(), other) for other in INSTEAD[operator]]
            others = ", ".join(INSTEAD[operator])
            return f"{pad}MUTANT_{len(ids) + 1}({ids[0]}, ({left}), {operator}, {others}, ({right}))"
        return self.primary(text, at)

    def primary(self, text, at):
        out, begin = [], 0
        p = 0
        while p < len(text):
            if text[p] in "([{":
                end = group_end(text, p)
                out.append(self.words(text[begin:p], at + begin, text[p]))
                out.append(text[p] + self.sequence(text[p + 1:end - 1], at + p + 1) + CLOSES[text[p]])
                p = begin = end
            elif text[p] in "\"'" and not (text[p] == "'" and p > 0 and text[p - 1].isalnum()):
                end = quoted_end(text, p)
                out.append(self.words(text[begin:p], at + begin, "") + text[p:end])
                p = begin = end
            else:
                p += 1
        out.append(self.words(text[begin:], at + begin, ""))
        return "".join(out)

    def words(self, text, at, before_group):
        """Constants, min, max and ! of a stretch without brackets."""
        pattern = (r"(?P<limit>std::(?P<which>max|min)(?P<type><[\w:]+>)?$)|(?P<enum>" + ENUMS + r")|(?P<bool>\b(?:true|false)\b)"
                   r"|(?P<length>\b\d[\d']*_(?:ms|s|h|d)\b)|(?P<number>(?<![\w.'<])(?:0x[0-9a-f]+|\d[\d']*)(?![\w.'>]))"
                   r"|(?P<no>(?<![\w=])!(?=[\w(*]))|(?P<step>\+\+|--)")

        def change(m):
            where = at + m.start()
            if m.group("limit"):
                if before_group != "(":
                    return m.group()
                other = "min" if m.group("which") == "max" else "max"
                id = self.new(where, m.group(), other)
                kind = m.group("type") or ""
                return f"mutant::{m.group('which')}{kind}({id}, "[:-1] + "\x00"
            if m.group("enum"):
                return f"mutant::neighbour({self.new(where, m.group(), 'its neighbour')}, {m.group()})"
            if m.group("bool"):
                id = self.new(where, m.group(), "the other")
                return f"(mutant::is({id}) != {m.group()})"
            if m.group("length"):
                return f"Millis{{({m.group()}).count + mutant::one({self.new(where, m.group(), '1 ms more')})}}"
            if m.group("number"):
                return f"({m.group()} + mutant::one({self.new(where, m.group(), '1 more')}))"
            if m.group("no"):
                return f"mutant::no{{{self.new(where, '!', 'nothing')}}} ->* "
            return m.group()

        return re.sub(pattern, change, text)

    def constants(self, name, source):
        """settings.h: defaults of members, and limits, which no longer are constant expressions then."""
        self.file, self.source = name, source
        lines = []
        at = 0
        for line in source.split("\n"):
            code = without_comments(line)
            if not NOT_OURS.search(code) and re.match(r"\s*(inline constexpr \S+|Millis|std::int\d+_t|bool) [\w\[\]]+ = ", code):
                head, value = code.rstrip().split(" = ", 1)
                value = self.words(value, at + len(head) + 3, "") if "*" not in value else self.product(value, at + len(head) + 3)
                line = head.replace("inline constexpr", "inline const") + " = " + value
            lines.append(line)
            at += len(code) + 1
        text = "\n".join(lines)
        return text.replace("#pragma once", '#pragma once\n#include "mutant.h"', 1)

    def product(self, value, at):
        id = self.new(at, value.rstrip(";"), "1 more")
        return f"({value.rstrip(';')}) + mutant::one({id});"


def finish(text):
    """max and min take the mutant's id as their first argument: `mutant::max(7,\\0(` -> `mutant::max(7, `."""
    return text.replace("\x00(", " ")


def mutate_ladders(mutator, into):
    """Writes the ladders with all their mutants to that folder. Their ids are the same each time."""
    into.mkdir(parents=True, exist_ok=True)
    for name in LADDERS:
        source = (ROOT / "events/rules" / name).read_text()
        (into / name).write_text(finish(mutator.ladder(f"events/rules/{name}", source)))


def copy_and_mutate(folder):
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    mutator = Mutator()
    mutate_ladders(mutator, folder / "events/rules")
    path = folder / "events/rules" / CONSTANTS
    path.write_text(finish(mutator.constants(f"events/rules/{CONSTANTS}", path.read_text())))
    for place in ("events", "tests/unit/events", "tests/rules/model"):
        for path in (folder / place).rglob("*.cpp"):
            path.write_text(OF_CONSTANTS.sub("const ", path.read_text()))
    shutil.copy(ROOT / "tests/rules/mutation/mutant.h", folder / "events/mutant.h")
    return mutator.sites


def build(folder):
    flags = f"-O1 -w -Wno-error -I{folder}/events"
    subprocess.run(["cmake", "-S", folder, "-B", folder / "build", "-G", "Ninja", f"-DCMAKE_CXX_FLAGS={flags}", "-DMAYFLY_TESTS=ON"],
                   check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", folder / "build", "--target", "test_events", "test_model"], check=True)


def survives(folder, id, sequences):
    """True if no test notices the mutant. Too slow counts as noticed."""
    environment = dict(os.environ, MUTANT=str(id), MAYFLY_SEED="0", MAYFLY_SEQUENCES=str(sequences))
    tests = folder / "build/tests"
    for command in ([tests / "test_events", "-sf=*decide*,*event_json*,*command_reader*"], [tests / "test_model"]):
        try:
            done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  timeout=TIME_LIMIT_S)
        except subprocess.TimeoutExpired:
            return False
        if done.returncode != 0:
            return False
    return True


def written_since(commit, file):
    """The numbers of the lines of a file that are not those of that commit."""
    diff = subprocess.run(["git", "diff", "-U0", commit, "--", file], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = set()
    for first, count in re.findall(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", diff, re.MULTILINE):
        lines.update(range(int(first), int(first) + int(count or 1)))
    return lines


def chosen(given, sites):
    """The ids of the mutants to run."""
    if given.only:
        return [int(i) for i in given.only.split(",")]
    ids = list(range(1, len(sites) + 1))
    if given.since:
        new = {file: written_since(given.since, file) for file in {site[0] for site in sites}}
        ids = [id for id in ids if sites[id - 1][1] in new[sites[id - 1][0]]]
        print(f"{len(ids)} of them in lines since {given.since}", flush=True)
    if given.sample:
        print(f"{min(given.sample, len(ids))} of these, drawn by --seed {given.seed}", flush=True)
        ids = sorted(random.Random(given.seed).sample(ids, min(given.sample, len(ids))))
    return ids


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--jobs", type=int, default=1)
    arguments.add_argument("--sequences", type=int, default=2000)
    arguments.add_argument("--keep", help="work in this folder and leave it there")
    arguments.add_argument("--only", default="", help="ids of mutants, separated by commas")
    arguments.add_argument("--since", help="a commit: only lines that were written since")
    arguments.add_argument("--sample", type=int, help="only so many of them")
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32), help="of the sample; random without")
    given = arguments.parse_args()
    folder = pathlib.Path(given.keep or tempfile.mkdtemp(prefix="mutation-")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    try:
        sites = copy_and_mutate(folder)
        print(f"{len(sites)} mutants", flush=True)
        build(folder)
        if not survives(folder, 0, given.sequences):
            sys.exit("the tests fail without a mutant: mend them first")
        ids = chosen(given, sites)
        with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
            alive = list(pool.map(lambda id: survives(folder, id, given.sequences), ids))
    finally:
        if not given.keep:
            shutil.rmtree(folder)
    survivors = [id for id, lives in zip(ids, alive) if lives]
    for id in survivors:
        file, line, was, now = sites[id - 1]
        print(f"survived {id}: {file}:{line}: {was} -> {now}")
    died = len(ids) - len(survivors)
    print(f"{died} of {len(ids)} mutants died ({100 * died / len(ids):.1f}%) in {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()

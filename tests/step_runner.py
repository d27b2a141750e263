"""Runs the steps of tools/test: in the order of their table, as many at once as there are cores, each once what it needs
has passed. Counts cases, shows the output of what failed, and closes with where the time went and "N passed, N failed"."""
import dataclasses
import fcntl
import os
import re
import signal
import subprocess
import sys
import time

SHOWN_LINES = 80  # of a failed step's output
POLL_S = 0.05


@dataclasses.dataclass
class Step:
    name: str  # a sentence's beginning; unique
    command: list  # argv, run at the project's root
    needs: tuple = ()  # names of steps that must have passed
    alone_on: str = ""  # steps that name the same thing here never run at the same time
    cores: int = 1  # how many it keeps busy; 0: it mostly waits
    quick: bool = False  # part of --quick too
    skipped: str = ""  # why it does not run here; empty: it runs
    env: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Result:
    step: Step
    passed: int
    failed: int
    seconds: float
    cpu_seconds: float


def count_cases(text):
    """(passed, failed) as the program itself tells: doctest, Python's unittest; (0, 0) where it tells nothing."""
    passed = failed = 0
    for p, f in re.findall(r"^\[doctest\] test cases: +\d+ \| +(\d+) passed \| +(\d+) failed", text, re.M):
        passed, failed = passed + int(p), failed + int(f)
    for ran, result in re.findall(r"^Ran (\d+) tests? in [^\n]*\n\n(?:OK|FAILED)(?: \(([^)]*)\))?", text, re.M):
        told = {word: int(n) for word, n in re.findall(r"(\w+)=(\d+)", result)}
        wrong = told.get("failures", 0) + told.get("errors", 0)
        passed, failed = passed + int(ran) - wrong - told.get("skipped", 0), failed + wrong
    return passed, failed


def judged(text, exit_code):
    """(passed, failed) of a step: its cases, or itself as one; an exit code other than 0 is always a failure."""
    passed, failed = count_cases(text)
    if exit_code == 0:
        return (passed, failed) if passed + failed else (1, 0)
    return passed, max(failed, 1)


class Running:
    def __init__(self, step, root, logs):
        self.step = step
        self.log = logs / (re.sub(r"\W+", "-", step.name).strip("-") + ".log")
        self.begun = time.monotonic()
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(step.command, cwd=root, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=subprocess.STDOUT, env={**os.environ, **step.env}, start_new_session=True)

    def ended(self):
        """Its result, or None while it runs. CPU time includes that of all the processes it waited for."""
        pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
        if pid == 0:
            return None
        code = os.waitstatus_to_exitcode(status)
        self.process.returncode = code
        passed, failed = judged(self.log.read_text(errors="replace"), code)
        return Result(self.step, passed, failed, time.monotonic() - self.begun, usage.ru_utime + usage.ru_stime)

    def end(self):
        """It and all that it started: a step leads a session of its own."""
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
        except ProcessLookupError:
            return
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)


def say(result, log):
    word = "FAILED" if result.failed else "ok"
    print(f"{result.step.name:<52} {word:>6} {result.passed:>6} passed {result.failed:>3} failed "
          f"{result.seconds:>5.0f} s {result.cpu_seconds:>5.0f} s CPU", flush=True)
    if result.failed:
        print("\n".join(log.read_text(errors="replace").splitlines()[-SHOWN_LINES:]), flush=True)


def next_to_start(waiting, results, running, free):
    """The first step whose needs have passed and for which there is room; None if there is none now."""
    taken = {r.step.alone_on for r in running if r.step.alone_on}
    for step in waiting:
        if step.cores <= free and step.alone_on not in taken and all(n in results and not results[n].failed for n in step.needs):
            return step
    return None


def run(steps, root, logs, cores):
    """All of them; returns the results in the order in which they ended. A step whose need failed fails too."""
    waiting, running, results = [s for s in steps if not s.skipped], [], {}
    for step in steps:
        if step.skipped:
            print(f"{step.name:<52} skipped: {step.skipped}", flush=True)
    try:
        while waiting or running:
            for step in [s for s in waiting if any(n in results and results[n].failed for n in s.needs)]:
                waiting.remove(step)
                results[step.name] = Result(step, 0, 1, 0, 0)
                print(f"{step.name:<52} FAILED: not run, what it needs has failed", flush=True)
            step = next_to_start(waiting, results, running, cores - sum(r.step.cores for r in running))
            if step:
                waiting.remove(step)
                running.append(Running(step, root, logs))
                continue
            time.sleep(POLL_S)
            for one in list(running):
                result = one.ended()
                if result:
                    running.remove(one)
                    results[one.step.name] = result
                    say(result, one.log)
    finally:
        for one in running:
            one.end()
    return list(results.values())


def close(results, seconds):
    """Where the time went, then the line that counts."""
    print(f"\nthe most CPU time, of {sum(r.cpu_seconds for r in results):.0f} s in {seconds / 60:.1f} min:")
    for result in sorted(results, key=lambda r: -r.cpu_seconds)[:10]:
        print(f"  {result.cpu_seconds:>5.0f} s CPU {result.seconds:>5.0f} s  {result.step.name}")
    passed, failed = sum(r.passed for r in results), sum(r.failed for r in results)
    print(f"{passed} passed, {failed} failed")
    return failed


def chosen(steps, only, quick):
    """Those of --quick, or those whose names hold one of the words, with all that they need."""
    by_name = {s.name: s for s in steps}
    wanted = [s for s in steps if (s.quick or not quick) and (not only or any(word in s.name for word in only))]
    names = set()

    def take(step):
        names.add(step.name)
        for need in step.needs:
            take(by_name[need])

    for step in wanted:
        take(step)
    return [s for s in steps if s.name in names]


def main(steps, root, logs, cores, words, at_end):
    """The command line of tools/test; returns the exit code. `at_end` is called once steps have run, however they end."""
    usage = "usage: tools/test [--quick] [--list] [WORD ...]   (WORDs choose the steps whose names hold one of them)"
    flags = {w for w in words if w.startswith("-")}
    if flags - {"--quick", "--list"}:
        print(usage, file=sys.stderr)
        return 2
    only = [w for w in words if not w.startswith("-")]
    steps = chosen(steps, only, "--quick" in flags)
    if not steps:
        print(f"tools/test: no step's name holds {' or '.join(only)}; tools/test --list shows them\n{usage}", file=sys.stderr)
        return 2
    if "--list" in flags:
        print("\n".join(s.name for s in steps))
        return 0
    logs.mkdir(parents=True, exist_ok=True)
    with open(logs / ".lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("tools/test: another one runs in this clone and uses its broker and builds: wait for it, or use another clone",
                  file=sys.stderr)
            return 2
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended, as at Control-C
        begun = time.monotonic()
        try:
            results = run(steps, root, logs, cores)
        finally:
            at_end()
        return 1 if close(results, time.monotonic() - begun) else 0

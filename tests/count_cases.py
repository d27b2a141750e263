"""Counts the cases that a test program's output reports: doctest, Python's unittest. Prints "PASSED FAILED"."""
import re
import sys

text = open(sys.argv[1], errors="replace").read()
passed = failed = 0
for p, f in re.findall(r"^\[doctest\] test cases: +\d+ \| +(\d+) passed \| +(\d+) failed", text, re.M):
    passed, failed = passed + int(p), failed + int(f)
for ran, bad in re.findall(r"^Ran (\d+) tests? in [^\n]*\n\n(?:OK|FAILED \(([^)]*)\))", text, re.M):
    wrong = sum(int(n) for n in re.findall(r"(?:failures|errors)=(\d+)", bad))
    passed, failed = passed + int(ran) - wrong, failed + wrong
print(passed, failed)

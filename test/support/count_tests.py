"""Adds up the test cases in meson's testlog.json and prints `N passed, N failed, N skipped` as the last line.

A doctest program counts its test cases, a TAP script its lines; a program that fails without naming a failed
case (a crash, a timeout) counts as one failure. Skipped cases are listed with their reasons.
"""
import json
import re
import sys

DOCTEST = re.compile(r"test cases:\s*(\d+) \|\s*(\d+) passed \|\s*(\d+) failed(?: \|\s*(\d+) skipped)?")
TAP = re.compile(r"^(not ok|ok)\b(.*)$", re.MULTILINE)
SKIP = re.compile(r"#\s*SKIP\b\s*(.*)", re.IGNORECASE)


def count(test):
    """Returns (passed, failed, skip reasons) of one test program."""
    output = test.get("stdout", "")
    passed, failed, skips = 0, 0, []
    for total in DOCTEST.finditer(output):
        passed += int(total[2])
        failed += int(total[3])
        skips += ["this machine does not give the privileges"] * int(total[4] or 0)
    if passed + failed == 0:
        for result, rest in TAP.findall(output):
            skip = SKIP.search(rest)
            if skip:
                skips.append(skip[1])
            elif result == "ok":
                passed += 1
            else:
                failed += 1
    if test["result"] not in ("OK", "SKIP") and failed == 0:
        failed += 1
    if test["result"] == "SKIP" and not skips:
        skips.append("skipped as a whole")
    return passed, failed, skips


def main():
    passed, failed, skipped = 0, 0, 0
    with open(sys.argv[1], encoding="utf-8") as log:
        for line in log:
            test = json.loads(line)
            ok, bad, skips = count(test)
            passed, failed, skipped = passed + ok, failed + bad, skipped + len(skips)
            for reason in skips:
                print(f"skipped in {test['name']}: {reason}")
            if bad:
                print(f"FAILED {test['name']} ({bad}): see {sys.argv[1].replace('.json', '.txt')}")
                print("\n".join("  " + text for text in test.get("stdout", "").splitlines()[-60:]))
                print("\n".join("  " + text for text in test.get("stderr", "").splitlines()[-30:]))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or passed == 0 else 0


sys.exit(main())

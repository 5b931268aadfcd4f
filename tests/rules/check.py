#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""check.py: `kunai test` passes with these rules, their recordings and the baseline, and does not when a rule or a recording
is broken. Prints TAP."""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
KUNAI = TOP / "build/kunai"
RULES_MIN = 150

sys.path.insert(0, str(TOP / "tests/commands"))

from tap import Tap  # noqa: E402


class Rule:
    """One document of a rule file: its text and what of it matters here."""

    def __init__(self, file, text):
        self.file, self.text = file, text
        self.name = self.value("name")
        self.kind = self.value("type") or "detection"
        self.excludes = self.value("decision") == "exclude"
        self.disabled = "disable: true" in text

    def value(self, key):
        match = re.search(rf"^{key}: *(.*)$", self.text, re.MULTILINE)
        return match and match[1].strip("'\"")

    def negated(self):
        condition = re.search(r"^condition: *(?:\|\n((?:  .*\n?)+)|(.*))", self.text, re.MULTILINE)
        if condition:
            inner = " ".join((condition[1] or condition[2]).split())
            return self.text[: condition.start()] + f"condition: not ({inner})\n" + self.text[condition.end() :]
        return f"{self.text}\nmatches:\n  $never: .info.event.id == 0\ncondition: $never\n"


def load_rules():
    rules = []
    for path in sorted(HERE.glob("*.kun")):
        rules += [Rule(path.name, text) for text in path.read_text().split("\n---\n")[1:]]
    return [rule for rule in rules if not rule.disabled]


def kunai(*args):
    return subprocess.run([KUNAI, *map(str, args)], capture_output=True, text=True, check=False)


def test(rules=HERE, recordings=HERE / "recordings"):
    """Every detection counts, of whatever severity."""
    return kunai("-v", "test", "-r", rules, "-t", recordings, "-b", HERE / "baseline", "-m", "0")


def told(run, what):
    return set(re.findall(rf"rule=(\S+) {what}", run.stderr))


def failed(run):
    return told(run, "(?:detection|filter) rule has false negatives")


def check_as_they_are(tap, rules, tested):
    run = kunai("rules", "check", "--strict", HERE)
    tap.equal((run.returncode, run.stderr), (0, ""), "the rules are right, and no warning is due")
    tap.ok(len(rules) >= RULES_MIN, f"there are at least {RULES_MIN} rules", f"{len(rules)}")
    run = test()
    tap.equal((run.returncode, run.stderr.replace("INFO", "").count("ERROR")), (0, 0), "each matches its recording, none the baseline")
    tap.equal(tested - told(run, "test successful"), set(), "  and kunai says so of each")
    tap.ok("not tested against any baseline" not in run.stderr, "  and there is a baseline")
    there = {path.stem for path in (HERE / "recordings").glob("*.json")}
    tap.equal(there ^ tested, set(), "no rule without a recording, no recording without a rule")


def check_negated(tap, rules, chosen, work, name):
    """The same rules, but of those that are chosen the condition is turned round."""
    directory = work / name
    directory.mkdir()
    shutil.copy(HERE / "templates.yaml", directory)
    for number, rule in enumerate(rules):
        text = rule.negated() if rule.name in chosen else rule.text
        (directory / f"{number:04}.kun").write_text(text)
    run = test(directory)
    tap.equal((run.returncode, chosen - failed(run)), (1, set()), f"{name}: each of the {len(chosen)} rules fails")


def check_broken_recordings(tap, tested, work):
    empty = work / "empty"
    shutil.copytree(HERE / "recordings", empty)
    for path in empty.iterdir():
        path.write_text("")
    run = test(recordings=empty)
    tap.equal((run.returncode, told(run, "its recording is empty")), (1, tested), "an empty recording fails")
    swapped = work / "swapped"
    swapped.mkdir()
    event = (HERE / "recordings/known.backup.json").read_text()
    for name in tested:
        (swapped / f"{name}.json").write_text(event)
    run = test(recordings=swapped)
    may_pass = {"known.backup", "keep.root", "all.but.two"}
    tap.equal((run.returncode, tested - failed(run) - may_pass), (1, set()), "a recording of another event fails")


def check_baseline(tap, rules, work):
    """Whatever its rule matches makes a baseline one that is refused."""
    broken = work / "baseline"
    broken.mkdir()
    for path in (HERE / "recordings").glob("*.json"):
        shutil.copy(path, broken)
    run = kunai("test", "-r", HERE, "-b", broken, "-m", "0")
    detections = {rule.name for rule in rules if rule.kind == "detection" and not rule.excludes}
    tap.equal((run.returncode, detections - told(run, "rule has false positives")), (1, set()), "a match in the baseline fails")


def main():
    tap = Tap()
    rules = load_rules()
    tested = {rule.name for rule in rules if rule.kind != "dependency"}
    excluding = {rule.name for rule in rules if rule.excludes}
    used = set(re.findall(r"rule\( ?([A-Za-z0-9._-]+)\)", "".join(rule.text for rule in rules))) & tested
    check_as_they_are(tap, rules, tested)
    with tempfile.TemporaryDirectory(prefix="kunai-rules.") as directory:
        work = Path(directory)
        check_negated(tap, rules, tested - excluding - used, work, "negated")
        check_negated(tap, rules, excluding, work, "negated exclusions")
        check_negated(tap, rules, used, work, "negated rules that others use")
        check_broken_recordings(tap, tested, work)
        check_baseline(tap, rules, work)
    print(f"1..{tap.count}")


main()

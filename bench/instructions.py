#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fails when an event costs more instructions in user space than bench/instructions.txt says; prints TAP. callgrind
counts them, so a busy machine changes nothing. With --update the file says what is counted now."""
import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
PROGRAM = TOP / "build/bench/pipeline"
BASELINE = TOP / "bench/instructions.txt"
EVENTS = 1000  # of each type, and as many before them that warm up
MORE = 0.03  # what a change may cost
HEAD = """\
# Instructions of one event in user space, without the kernel: `./dev bench instructions --update` writes this file.
"""


def dumps(work):
    """What callgrind counted inside each call of replay(), in their order."""
    files = [p for p in Path(work).iterdir() if re.fullmatch(r"out\.\d+", p.name)]
    for path in sorted(files, key=lambda p: int(p.suffix[1:])):
        trigger = re.search(r"^desc: Trigger: (.*)$", path.read_text(), re.MULTILINE)[1]
        if "replay" in trigger:
            yield int(re.search(r"^totals: (\d+)$", path.read_text(), re.MULTILINE)[1])


def count_instructions():
    """{event: instructions of one}"""
    with tempfile.TemporaryDirectory(prefix="kunai-bench.") as work:
        command = ["valgrind", "--tool=callgrind", "--toggle-collect=replay", "--dump-after=replay"]
        done = subprocess.run(
            [*command, f"--callgrind-out-file={work}/out", PROGRAM, str(EVENTS)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, cwd=work,
        )  # fmt: skip
        names = re.findall(r"^(\w+) events=", done.stdout, re.MULTILINE)
        counted = list(dumps(work))
    if not names or len(counted) != 2 * len(names):
        raise RuntimeError(f"{len(counted)} dumps for {len(names)} types of events")
    return {name: round(counted[2 * i + 1] / EVENTS) for i, name in enumerate(names)}


def read_baseline():
    lines = [line.split() for line in BASELINE.read_text().splitlines() if line and not line.startswith("#")]
    return {name: int(count) for name, count in lines}


def judge(now, before):
    """(event, what is wrong or None, note)"""
    for name in sorted(now | before):
        if name not in now or name not in before:
            yield name, "is on one side only: ./dev bench instructions --update", ""
            continue
        change = now[name] / before[name] - 1
        note = f"{now[name]:,} instructions, {change:+.1%} of {before[name]:,}"
        yield name, note if change > MORE else None, note


def main():
    parser = argparse.ArgumentParser(prog="dev bench instructions", description=__doc__)
    parser.add_argument("--update", action="store_true", help="write the file")
    args = parser.parse_args()
    now = count_instructions()
    if args.update:
        BASELINE.write_text(HEAD + "".join(f"{name} {count}\n" for name, count in sorted(now.items())))
        return 0
    results = list(judge(now, read_baseline()))
    print(f"1..{len(results)}")
    for number, (name, wrong, note) in enumerate(results, 1):
        print(f"# {wrong or note}")
        print(f"{'not ok' if wrong else 'ok'} {number} - {name} costs at most {MORE:.0%} more than before")
    return 1 if any(wrong for _, wrong, _ in results) else 0


if __name__ == "__main__":
    sys.exit(main())

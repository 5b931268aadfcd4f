#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What matching an event with rules costs on one core: events a second of CPU time, and instructions as callgrind
counts them, which do not depend on the machine. Beside it the interpreter that evaluates every rule by itself."""
import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from table import print_head, print_row

TOP = Path(__file__).resolve().parent.parent
PROGRAM = TOP / "build/bench/rules"
# Rules: events/s and instructions an event that are to be reached.
SETS = {
    127: (2_500_000, 2_500),
    1016: (2_000_000, 2_800),
    10160: (1_500_000, 3_500),
}
COUNTED = 50_000  # events under callgrind
ALONE = 2_000_000  # rules times events, of the interpreter


def run(rules, events, *mode):
    text = subprocess.run(
        [PROGRAM, str(rules), str(events), *mode], capture_output=True, text=True, check=True, cwd=TOP
    ).stdout
    return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", text)}


def instructions(rules):
    """Of one event, everything inside detect_event(). The program has callgrind begin when it has warmed up."""
    with tempfile.TemporaryDirectory(prefix="kunai-bench.") as work:
        command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--toggle-collect=detect_event", f"--callgrind-out-file={work}/out"]
        done = subprocess.run(
            [*command, PROGRAM, str(rules), str(COUNTED)], capture_output=True, text=True, check=True, cwd=TOP
        )
        collected = re.search(r"Collected : (\d+)", done.stderr)
    return int(collected[1]) / COUNTED


def main():
    parser = argparse.ArgumentParser(prog="dev bench rules", description=__doc__)
    parser.add_argument("--events", type=int, default=500_000, help="default: %(default)s")
    parser.add_argument("--fast", action="store_true", help="without counting instructions")
    parser.add_argument("rules", nargs="*", type=int, default=list(SETS), help="default: 127 1016 10160")
    args = parser.parse_args()
    print_head("rules", "events/s", "target", "instructions", "target", "one by one, events/s", "load s", "compile s", "MB")
    for rules in args.rules:
        rate_target, count_target = SETS.get(rules, (0, 0))
        fast = run(rules, args.events)
        slow = run(rules, max(ALONE // rules, 100), "one-by-one")
        count = "-" if args.fast else f"{instructions(rules):,.0f}"
        print_row(
            f"{rules:,}", f"{fast['events'] * 1e9 / fast['ns']:,.0f}", f"{rate_target:,}", count, f"{count_target:,}",
            f"{slow['events'] * 1e9 / slow['ns']:,.0f}", f"{fast['load_ns'] / 1e9:.2f}",
            f"{fast['compile_ns'] / 1e9:.1f}", f"{fast['rss_kb'] / 1024:.1f}",
        )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())

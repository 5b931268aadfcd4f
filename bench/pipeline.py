#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an event costs in user space: events a second on one core, and instructions as callgrind counts them."""
import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
PROGRAM = TOP / "build/bench/pipeline"
TARGETS = {"execve": 150_000, "execve_script": 150_000}  # events a second
TARGET = 400_000
COUNTED = 5000  # events under callgrind; one round more warms up


def run_native(events, types):
    text = subprocess.run([PROGRAM, str(events), *types], capture_output=True, text=True, check=True).stdout
    return [
        (m[1], int(m[2]), int(m[3]), int(m[4])) for m in re.finditer(r"(\w+) events=(\d+) ns=(\d+) bytes=(\d+)", text)
    ]


def instructions(name):
    """Of one event, everything inside replay()."""
    with tempfile.TemporaryDirectory(prefix="kunai-bench.") as work:
        command = ["valgrind", "--tool=callgrind", "--toggle-collect=replay", f"--callgrind-out-file={work}/out"]
        done = subprocess.run(
            [*command, PROGRAM, str(COUNTED), name], capture_output=True, text=True, check=True, cwd=work
        )
        collected = re.search(r"Collected : (\d+)", done.stderr)
    return int(collected[1]) / (COUNTED + 1000)


def main():
    parser = argparse.ArgumentParser(prog="dev bench pipeline", description=__doc__)
    parser.add_argument("--events", type=int, default=200_000, help="of each type; default: %(default)s")
    parser.add_argument("--fast", action="store_true", help="without counting instructions")
    parser.add_argument("types", nargs="*", help="default: all that have a golden case")
    args = parser.parse_args()
    print("| event | events/s | target | instructions | bytes |")
    print("|---|---|---|---|---|")
    for name, events, ns, size in run_native(args.events, args.types):
        rate = events * 1e9 / ns
        count = "-" if args.fast else f"{instructions(name):,.0f}"
        print(f"| {name} | {rate:,.0f} | {TARGETS.get(name, TARGET):,} | {count} | {size / events:,.0f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

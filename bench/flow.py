#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long an event takes from the kernel to the sensor's output, how many of a burst arrive, and what the sensor takes
for it, on this machine as it is. Needs root and no other sensor. The times are those of a machine that does nothing else."""
import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from table import print_head, print_row

TOP = Path(__file__).resolve().parent.parent
PROGRAM = TOP / "build/bench/flow"
SENSOR = TOP / "build-static/kunai"
OPTIONS = ["run", "--exclude=all", "--include=file_create"]
# What is done, files a second of each writer (0: as fast as they can), files of each, writers.
ROWS = [
    ("1,000 a second", 1_000, 10_000, 1),
    ("50,000 a second", 25_000, 125_000, 2),
    ("a burst of 100,000", 0, 50_000, 2),
    ("a burst of 1,000,000", 0, 500_000, 2),
]


def flow(sensor, options, rate, count, writers):
    with tempfile.TemporaryDirectory(prefix="kunai-bench.", dir="/dev/shm") as directory:
        command = [PROGRAM, directory, str(rate), str(count), str(writers), "--", sensor, *OPTIONS, *options]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"flow: {done.stderr}")
    return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", done.stdout)}


def main():
    parser = argparse.ArgumentParser(prog="dev bench flow", description=__doc__)
    parser.add_argument("--kunai", default=SENSOR, help="default: the static one")
    parser.add_argument("--burst", type=int, metavar="N", help="a burst of N files instead, to see memory after it")
    parser.add_argument("options", nargs="*", help="of kunai run, after --")
    args = parser.parse_args()
    rows = [(f"a burst of {args.burst:,}", 0, args.burst // 2, 2)] if args.burst else ROWS
    print_head("files created", "in s", "not in the output", "of these counted as lost", "median ms", "99 % ms", "most ms",
               "sensor CPU, us a file", "MB, own", "start ms")  # fmt: skip
    for name, rate, count, writers in rows:
        r = flow(args.kunai, args.options, rate, count, writers)
        print_row(
            name, f"{r['created_ns'] / 1e9:.2f}", f"{r['sent'] - r['seen']:,}", f"{r['lost']:,}",
            f"{r['median_ns'] / 1e6:.2f}", f"{r['p99_ns'] / 1e6:.1f}", f"{r['max_ns'] / 1e6:.1f}",
            f"{r['cpu_ns'] / 1e3 / r['sent']:.1f}", f"{r['rss_kb'] / 1024:.0f}, {r['own_kb'] / 1024:.0f}",
            f"{r['start_ns'] / 1e6:,.0f}",
        )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())

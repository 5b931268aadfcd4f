#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sensor costs: every workload with and without it in a VM that counts instructions, so that the
figures are the same on a busy machine. Prints a Markdown table beside the figures of other sensors."""
import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests/vm"))

import kernels  # noqa: E402
import report  # noqa: E402
import vm  # noqa: E402
from reference import NOTHING_US, WORKLOADS  # noqa: E402
from tree import write_tree  # noqa: E402

KERNEL = "6.1"
ROUNDS = 3  # and one before them that warms up and is thrown away
SENSOR_OPTIONS = "--include=write_close,file_create"
TIERS = {
    "auto": ("auto",),
    "tracepoint": ("tracepoint",),
    "trampoline": ("trampoline",),
    "both": ("tracepoint", "trampoline"),
}
TIMEOUT = 3600  # seconds


class BenchError(Exception):
    pass


def shared_libraries(program):
    """The loader and the libraries of a program of this machine, by absolute path."""
    listing = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(/\S+) \(0x", listing)


def guest_files(kunai, work):
    tcc = subprocess.run(["which", "tcc"], capture_output=True, text=True, check=False).stdout.strip()
    if not tcc:
        raise BenchError("tcc is not installed: ./dev deps bench")
    tree = Path(work) / "tree.tar"
    write_tree(tree)
    # as it is installed: the start event has the digests of the whole file
    stripped = Path(work) / "kunai"
    subprocess.run(["strip", "-o", stripped, kunai], check=True)
    files = {
        "kunai/kunai": stripped,
        "bench/workloads": TOP / "build/bench/workloads",
        "bench/observe": TOP / "build/bench/observe",
        "bench/true": TOP / "build/tests/actors/true",
        "bench/guest.sh": TOP / "bench/guest.sh",
        "bench/mix.sh": TOP / "bench/mix.sh",
        "bench/busybox": vm.find_busybox("amd64"),
        "bench/tcc": tcc,
        "bench/tree.tar": tree,
    }
    for library in shared_libraries(tcc):
        files[library.lstrip("/")] = library
    return files


def numbers(line):
    return {k: float(v) for k, v in re.findall(r"(\w+)=([0-9.]+)", line)}


def parse_rounds(text):
    """{(workload, "off" or the tier): [values of one round each]} without the first round, and the other lines."""
    measured, other, context = {}, [], None
    for line in text.splitlines():
        if match := re.match(r"round=(\d+) sensor=(\w+)", line):
            context = (int(match[1]), match[2])
        elif match := re.match(r"workload=(\w+) ", line):
            workload, values = match[1], numbers(line)
        elif line.startswith("sensor_us="):
            values.update(numbers(line))
            if context[0] > 0:
                measured.setdefault((workload, context[1]), []).append(values)
        else:
            other.append(line)
    return measured, other


def median(rounds, key):
    return statistics.median(r[key] for r in rounds)


def summarize(measured, tier):
    """One row a workload: us per operation without the sensor, slowdown, sensor us and events per operation."""
    rows = {}
    for name in WORKLOADS:
        off, on = measured.get((name, "off")), measured.get((name, tier))
        if not off or not on:
            continue
        n = off[0]["n"]
        rows[name] = {
            "n": int(n),
            "alone_us": median(off, "cpu_us") / n,
            "slowdown": median(on, "cpu_us") / median(off, "cpu_us"),
            "sensor_us": median(on, "sensor_us") / n,
            "events": median(on, "lines") / n,
        }
    return rows


def verdict(row, slowdown, sensor_us):
    if slowdown is None:
        return ""
    missed = []
    if row["slowdown"] > slowdown:
        missed.append("slowdown")
    if row["sensor_us"] > max(sensor_us, NOTHING_US):
        missed.append("sensor")
    return "over: " + ", ".join(missed) if missed else "met"


def print_table(rows, tier):
    print("| workload | us/operation alone (reference) | slowdown | sensor us/operation | events/operation | target |"
          " reached | best peer | other peers |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")
    for name, row in rows.items():
        _, alone, best, others, *slowdowns, sensor_us = WORKLOADS[name]
        slowdown = slowdowns[tier != "tracepoint"]
        target = f"<= {slowdown} / {sensor_us}" if slowdown else ""
        reference = f" ({alone:g})" if alone else ""
        print(f"| {name} | {row['alone_us']:.4g}{reference} | {row['slowdown']:.3f} | {row['sensor_us']:.4g} |"
              f" {row['events']:.3g} | {target} | {verdict(row, slowdown, sensor_us)} | {best} | {others} |")  # fmt: skip


def median_of(lines, prefix, pattern):
    found = [float(m[1]) for line in lines if line.startswith(prefix) and (m := re.search(pattern, line))]
    return statistics.median(found) if found else None


def print_memory(other, prefix, separator, when):
    for what in ("VmRSS", "RssAnon", "RssShmem", "RssFile"):
        value = median_of(other, prefix, rf"{what}:{separator}(\d+)")
        if value is not None:
            print(f"{what} after {when}: {value:.0f} KiB")


def print_start(other, tier):
    """In the VM a millisecond is a million instructions, whoever executes them."""
    start = f"start tier={tier} "
    starts = [m for line in other if (m := re.match(start + r".*from=([0-9.]+) to=([0-9.]+)", line))]
    cpu = median_of(other, start, r"cpu_ns=(\d+)")
    user = median_of(other, start, r"user_ticks=(\d+)")
    if starts:
        print(f"Time until the start event: {statistics.median(float(m[2]) - float(m[1]) for m in starts):.1f} s")
    if cpu is not None:
        print(f"CPU until the start event: {cpu / 1e6:.0f} ms, of which in user space: {user * 10:.0f} ms")
    print_memory(other, start, "", "the start")


def print_process(other, tier):
    print_start(other, tier)
    print_memory(other, f"memory tier={tier} ", " ", "the workloads")
    lost = [line for line in other if line.startswith(f"loss tier={tier} ") and not line.endswith("events=0")]
    print("event_loss lines: " + (", ".join(lost) if lost else "none"))


def measure(args, out):
    with tempfile.TemporaryDirectory(prefix="kunai-bench.") as work:
        names = args.workloads or list(WORKLOADS)
        unknown = [n for n in names if n not in WORKLOADS]
        if unknown:
            raise BenchError(f"no workload {unknown[0]}: {', '.join(WORKLOADS)}")
        files = guest_files(args.kunai, work)
        env = {
            "ROUNDS": args.rounds + 1,
            "WORKLOADS": " ".join(f"{n}:{WORKLOADS[n][0]}" for n in names),
            "SENSOR_OPTIONS": args.options,
            "TIERS": " ".join(TIERS[args.tier]),
            "HARDEN": "1" if args.harden else "",
        }
        status = vm.boot_vm(KERNEL, files, "sh /bench/guest.sh", out, timeout=TIMEOUT, counted=True, env=env)
        if status:
            text = "".join((out / f).read_text(errors="replace")[-4000:] for f in ("guest.stdout", "guest.stderr"))
            raise BenchError(f"exit status {status} in the guest:\n{text}")
        size = Path(files["kunai/kunai"]).stat().st_size
    return *parse_rounds((out / "rounds").read_text()), size


def main():
    parser = argparse.ArgumentParser(prog="dev bench", description=__doc__)
    parser.add_argument("--kunai", default=str(TOP / "build-static/kunai"), help="the static sensor")
    parser.add_argument("--options", default=SENSOR_OPTIONS, help="of kunai run; default: %(default)s")
    parser.add_argument("--tier", default="auto", choices=TIERS, help="default: %(default)s, which is trampoline there")
    parser.add_argument("--harden", action="store_true", help="a sensor in the hardened mode")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="default: %(default)s, after one that is thrown away")
    parser.add_argument("--write", action="store_true", help=f"both tiers; write the table and the plot to {report.PAGE.relative_to(TOP)}")
    parser.add_argument("--json", help="write the figures to this file as well")
    parser.add_argument("--keep", help="keep what the guest handed back in this directory")
    parser.add_argument("workloads", nargs="*", help=f"of {', '.join(WORKLOADS)}; default: all")
    args = parser.parse_args()
    if args.write:
        args.tier = "both"
    with tempfile.TemporaryDirectory(prefix="kunai-bench-out.") as temporary:
        try:
            measured, other, size = measure(args, Path(args.keep or temporary))
        except (BenchError, vm.VmError, kernels.KernelError) as error:
            sys.exit(f"dev bench: {error}")
    print(f"Size of the stripped binary: {size} bytes")
    tiers = {tier: summarize(measured, tier) for tier in TIERS[args.tier]}
    for tier, rows in tiers.items():
        print(f"\n## {tier}\n")
        print_table(rows, tier)
        print()
        print_process(other, tier)
    if args.json:
        Path(args.json).write_text(json.dumps(tiers, indent=1) + "\n")
    if args.write:
        report.write_page(tiers["tracepoint"], tiers["trampoline"])
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The live test: starts the real sensor, lets the actors do a known number of things, and demands exactly the
events that they must cause. Prints TAP.

    live.py --kunai build/kunai --actors build/tests/actors     natively, as root
    live.py ... --vm-output DIR                                 only judges what guest.sh left there in a VM
    live.py ... --self-test                                     tests the judge, without a sensor

KUNAI_TEST_SLOW=1 leaves the storms out."""
import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import behaviour
import brief
import detection
import differential
import judge
import matching
import refused
import runc
import selftest
import throttle

HERE = Path(__file__).resolve().parent
GUEST_TIMEOUT = 1200
COMPLAINT = re.compile(r"error|\blost\b|\blate\b|balance|refused|sanitizer", re.IGNORECASE)
NEED_OPEN = {"file_create", "ptrace"}  # the functions that guest.sh makes the throttled sensor do without
EXPECTED_OF_DETECT = re.compile("matches detection signatures|sending SIGKILL")


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def report(self, result):
        self.count += 1
        self.failed += bool(result.problems)
        for problem in result.problems[: judge.PROBLEMS_SHOWN]:
            print("# " + problem.replace("\n", "\\n").encode("ascii", "backslashreplace").decode())
        if len(result.problems) > judge.PROBLEMS_SHOWN:
            print(f"# and {len(result.problems) - judge.PROBLEMS_SHOWN} more")
        skip = f" # SKIP {result.skip}" if result.skip else ""
        print(f"{'not ok' if result.problems else 'ok'} {self.count} - {result.name}{skip}", flush=True)

    def finish(self):
        print(f"1..{self.count}")
        return self.failed != 0


def read_run(out, name):
    pid = (out / f"{name}.pid").read_text()
    return judge.Log((out / f"{name}.jsonl").read_bytes(), int(pid))


def judge_end(out, name, expected=None):
    """Its exit status, and that it had nothing to complain of."""
    status = (out / f"{name}.status").read_text().strip()
    complaints = [line for line in (out / f"{name}.stderr").read_text(errors="replace").splitlines()
                  if " INFO " not in line and COMPLAINT.search(line) and not (expected and expected.search(line))]
    return [
        judge.Result(f"{name}: SIGTERM ends it with status 0", [] if status == "0" else [f"status {status}"]),
        judge.Result(f"{name}: no complaints on stderr", complaints),
    ]


def read_trampoline(out, name):
    """The events that ran on trampolines, as the sensor said."""
    said = re.search(r"on trampolines:([^,\n]*)", (out / f"{name}.stderr").read_text(errors="replace"))
    return set(said[1].split()) - {"nothing"} if said else set()


def print_not_shown(facts, kernel, trampoline):
    """run.py repeats these lines at its end."""
    for why, cases in sorted(judge.not_shown(facts, kernel, trampoline).items()):
        print(f"# not shown by Linux {kernel[0]}.{kernel[1]}: {why} ({len(cases)} cases: {', '.join(sorted(cases)[:3])})")


def read_facts(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def judge_throttled(out, files):
    if not (out / "sensor3.status").exists():
        return [judge.Result("the throttled sensor ran", ["it did not come to its end"])]
    stderr = (out / "sensor3.stderr").read_text(errors="replace")
    facts = read_facts(out / "throttled.facts")
    trampoline = read_trampoline(out, "sensor3")
    results = throttle.judge_throttled(facts, read_run(out, "sensor3"), stderr, files, trampoline)
    if (out / "other.pid").exists():
        results.append(judge_fallback(trampoline, read_trampoline(out, "other"), stderr))
    return results + judge_end(out, "sensor3")


def judge_fallback(trampoline, all_hooks, stderr):
    """A function of the kernel is missing: what needs it is taken at tracepoints, and nothing else."""
    problems = []
    if trampoline != all_hooks - NEED_OPEN or not all_hooks >= NEED_OPEN:
        problems.append(f"on trampolines are {sorted(trampoline)}, with all functions {sorted(all_hooks)}")
    for event in NEED_OPEN:
        line = f"not on a trampoline: {event}: do_filp_open, this kernel has no such function"
        problems += [] if line in stderr else [f"not said: {line}"]
    return judge.Result("a missing function costs only the events that need it the better tier", problems)


def judge_other_tier(out, files, log):
    """All cases once more, on the other tier. log: of the run on tracepoints."""
    if not (out / "other.status").exists():
        return [judge.Result("the sensor ran on the other tier", ["it did not come to its end"])]
    other = read_run(out, "other")
    results = judge.judge(read_facts(out / "other.facts"), [other], files, read_trampoline(out, "other"))
    results.append(differential.compare(log, other))
    for result in results:
        result.name = f"other tier: {result.name}"
    return results + judge_end(out, "other")


def at_system_calls(out, name):
    return bool({"sys_enter", "sys_exit"} & set((out / f"{name}.tracepoints").read_text().split()))


def tier_words(has_trampolines, out):
    best = "trampoline" if has_trampolines else "tracepoint"
    wanted = {"sensor": "tracepoint", "sensor2": best, "sensor3": "mixed" if has_trampolines else best, "other": best}
    told = {name: json.loads((out / f"{name}.told").read_text())["tier"] for name in wanted if (out / f"{name}.told").exists()}
    return [f"{name}: {word} instead of {wanted[name]}" for name, word in told.items() if word != wanted[name]]


def judge_tiers(out):
    """What was chosen by name and by the kernel, and that trampolines cost no system call."""
    refusal = (out / "refused.stderr").read_text(errors="replace")
    has_none = "this kernel refuses trampolines" in refusal
    found, wanted = read_trampoline(out, "sensor2"), read_trampoline(out, "other") if (out / "other.stderr").exists() else None
    chosen = [] if bool(found) != has_none else [f"on trampolines: {sorted(found)}"]
    if wanted is not None and found != wanted:
        chosen.append(f"on trampolines: {sorted(found)}, where {sorted(wanted)} can be")
    if has_none and "on trampolines: nothing, this kernel refuses them" not in (out / "sensor2.stderr").read_text():
        chosen.append("it does not say why it chose tracepoints")
    refused = [] if (out / "refused.status").read_text() == "1\n" else ["it started"]
    if not has_none and "--force-load is not given: ptrace: do_filp_open, this kernel has no such function" not in refusal:
        refused.append(f"it says: {refusal}")
    attached = [f"{name} is{'' if at_system_calls(out, name) else ' not'} attached to all system calls" for name, expected in
                (("sensor", True), ("sensor2", has_none), ("other", has_none))
                if (out / f"{name}.tracepoints").exists() and at_system_calls(out, name) != expected]  # fmt: skip
    words = tier_words(bool(found), out)
    return [
        judge.Result("status tells the tier", words),
        judge.Result("--tier=auto is trampolines where the kernel allows them", chosen),
        judge.Result("--tier=trampoline is refused when a function is missing", refused),
        judge.Result("system calls are hooked on the tracepoint tier, and on no other", attached),
    ]


def judge_directory(out, files, detect=True):
    missing = [n for n in ("facts.jsonl", "sensor.status", "sensor2.status") if not (out / n).exists()]
    if missing:
        stderr = out / "sensor.stderr"
        told = stderr.read_text(errors="replace").splitlines() if stderr.exists() else []
        return [judge.Result("the sensor ran", [f"no {', '.join(missing)}", *told])]
    facts = read_facts(out / "facts.jsonl")
    logs = [read_run(out, "sensor"), read_run(out, "sensor2")]
    trampoline = read_trampoline(out, "sensor")
    print_not_shown(facts, judge.kernel_of(logs[0]), trampoline)
    results = judge.judge(facts, logs, files, trampoline)
    results += judge_end(out, "sensor") + judge_end(out, "sensor2") + judge_tiers(out)
    if (out / "sensor3.pid").exists():
        results += judge_throttled(out, files)
    if (out / "other.pid").exists():
        results += judge_other_tier(out, files, logs[0])
    if detect:
        results += [*detection.judge_run(out), *judge_end(out, "detect", expected=EXPECTED_OF_DETECT)]
    return results


def judge_machine(out):
    """Of a VM, whose log begins with this test."""
    log = out / "kernel.log"
    yield refused.judge_log(log.read_text(errors="replace").splitlines() if log.exists() else [])


def run_guest(kunai, actors, out, cases):
    env = {**os.environ, "KUNAI": kunai, "ACTORS": actors, "OUT": str(out), "CASES": cases}
    if os.environ.get("KUNAI_TEST_SLOW"):
        env["STORM"] = "0"
    guest = subprocess.Popen([HERE / "guest.sh"], env=env, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        return guest.wait(GUEST_TIMEOUT)
    except BaseException:
        # guest.sh cleans up on SIGTERM; what it started is in its session.
        os.killpg(guest.pid, signal.SIGTERM)
        guest.wait()
        raise


def run_on_machine(kunai, actors, files, cases):
    with tempfile.TemporaryDirectory(prefix="kunai-live-out.") as out:
        status = run_guest(kunai, actors, out, cases)
        yield judge.Result("guest.sh ran to its end", [f"exit status {status}"] if status else [])
        yield from judge_directory(Path(out), files, cases in ("*", "detect"))
    if cases in ("*", "brief"):
        yield from brief.run(kunai, actors)
    if cases == "*":
        yield from runc.run(kunai)
        yield from behaviour.run_all(kunai)
        yield from matching.run_all(kunai)


def run_natively(kunai, actors, files, cases):
    began = refused.end_of_log()
    with refused.without_limit():
        yield from run_on_machine(kunai, actors, files, cases)
        yield refused.judge_log(refused.log_after(began), untold=refused.why_untold())


def main():
    parser = argparse.ArgumentParser(description="The live test; prints TAP.")
    parser.add_argument("--kunai", default="build/kunai")
    parser.add_argument("--actors", default="build/tests/actors")
    parser.add_argument("--vm-output", type=Path, metavar="DIR", help="judge what guest.sh left there")
    parser.add_argument("--self-test", action="store_true", help="test the judge")
    parser.add_argument("--cases", default="*", metavar="PATTERN", help="only these cases (natively)")
    args = parser.parse_args()

    kunai, actors = os.path.abspath(args.kunai), os.path.abspath(args.actors)
    files = {name: Path(actors, name).read_bytes() for name in ("scenario", "true")}
    tap = Tap()
    if args.vm_output:
        results = [*judge_directory(args.vm_output, files), *judge_machine(args.vm_output)]
    elif os.geteuid() != 0:
        print("1..0 # SKIP needs root")
        return 0
    elif args.self_test:
        results = selftest.self_test(actors, files)
    else:
        results = run_natively(kunai, actors, files, args.cases)
    for result in results:
        tap.report(result)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())

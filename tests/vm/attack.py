#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""attack.py [KERNEL ...]: boots each kernel with a hardened sensor and an attacker that has root and may read every file, and
judges that each attack was refused and told, with the process that tried, that what is allowed stays allowed, and that only
the secret stops the sensor, and Ctrl-C one on a terminal; and that one that is not hardened tells when its programs are
detached; on the first kernel also that the lease of one that hangs ends; then once without the BPF LSM, where the sensor must
refuse to start. Prints TAP."""
import argparse
import collections
import json
import sys
import tempfile
from pathlib import Path

import kernels
import vm

HERE = Path(__file__).resolve().parent
EPERM, ENOENT = 1, 2
LAPSE_AFTER, LAPSE_LIMIT = 24, 200  # seconds; the lease of attack.sh is 30, slept in steps of 2
DENIED_LAPSED, STOP_REFUSED, LAPSED = 29, 30, 31
SILENT, DETACHED = 17, 18
COMMAND = "sh /kunai/attack.sh"
# The host's list of modules without bpf: the last lsm= counts.
WITHOUT_LSM = "lsm=lockdown,yama"
REFUSED_START = 'kunai run --harden >/out/o 2>/out/sensor.stderr; echo $? >/out/sensor.status'
TIMEOUT = 600

counter = 0
failed = 0


def check(good, name, detail=""):
    global counter, failed
    counter += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {counter} - {name}", flush=True)
    if not good and detail:
        for line in str(detail).splitlines():
            print(f"# {line}", flush=True)


def read(path):
    return path.read_text(errors="replace").strip() if path.exists() else ""


def read_lines(path):
    return [json.loads(line) for line in read(path).splitlines() if line.startswith("{")]


def judge_attack(kernel, fact, reported):
    name = f"{kernel} {fact['name']}"
    errors = reported.get(fact["pid"], [])
    codes = [e["data"]["code"] for e in errors]
    if not fact["code"]:
        check(fact["errno"] == 0 and not codes, f"{name} is allowed", f"{fact}, reported as {codes}")
        return
    if fact["optional"] and fact["errno"] == ENOENT:
        print(f"# {name}: this kernel has no such file")
        return
    refused = fact["errno"] == (0 if fact["silent"] else EPERM) and fact["alive"]
    check(refused, f"{name} is refused", fact)
    check(fact["code"] in codes and set(codes) == {fact["code"]}, f"{name} is told", f"{fact}, reported as {codes}")


def read_errors(path):
    return [e for e in read_lines(path) if e["info"]["event"]["name"] == "error"]


def by_process(errors):
    found = collections.defaultdict(list)
    for event in errors:
        found[event["info"]["task"]["tgid"]].append(event)
    return found


def judge(kernel, out):
    stderr = read(out / "sensor.stderr")
    facts = read_lines(out / "attack.facts")
    errors = read_errors(out / "sensor.jsonl")
    reported = by_process(errors)

    traced = read(out / "traced.stderr")
    refused = [line for line in traced.splitlines() if line.startswith("Error:")]
    check(read(out / "traced.status") == "1" and len(refused) == 1 and "traces the sensor" in refused[0],
          f"{kernel} it does not start when it is traced", traced[-2000:])  # fmt: skip
    check(len(facts) > 50, f"{kernel} all attacks were tried", stderr[-3000:] + read(out / "guest.stderr")[-1000:])
    for fact in facts:
        judge_attack(kernel, fact, reported)
    check(read(out / "sensor.pid") in read(out / "sensor.group").split(), f"{kernel} the sensor is in its group")
    check(read(out / "sensor.proc").split()[-1:] == ["kunai"], f"{kernel} the sensor has its name")
    check(read(out / "stop_wrong.status") == "1", f"{kernel} a wrong secret is refused", read(out / "stop_wrong.stderr"))
    check(read(out / "stop_empty.status") == "1", f"{kernel} no secret is refused", read(out / "stop_empty.stderr"))
    check(any(e["data"]["code"] == STOP_REFUSED for e in errors), f"{kernel} refused stops are told")
    check(read(out / "alive") == "yes", f"{kernel} the sensor still runs")
    check(read(out / "stop.status") == "0", f"{kernel} the secret stops it", read(out / "stop.stderr"))
    check(read(out / "sensor.status") == "0", f"{kernel} the sensor ends well", stderr[-2000:])
    check("do not balance" not in stderr and "accounting" in stderr, f"{kernel} its accounts balance", stderr[-2000:])
    check(read(out / "removed") == "yes", f"{kernel} its files can be deleted afterwards")


def judge_terminal(kernel, out):
    facts = read_lines(out / "terminal.facts")
    name = f"{kernel} on a terminal"
    detail = f"{facts}\n" + read(out / "terminal.stderr")[-2000:]

    check(len(facts) == 2, f"{name} it runs", detail)
    if len(facts) != 2:
        return
    attack, end = facts
    judge_attack(f"{name},", attack, by_process(read_errors(out / "terminal.jsonl")))
    check(end["others"], f"{name} other keys do nothing", detail)
    check(end["pressed"] and end["status"] == 0, f"{name} Ctrl-C ends it", detail)


def judge_silence(kernel, out):
    errors = read_errors(out / "silent.jsonl")
    codes = [e["data"]["code"] for e in errors]
    switched = [SILENT] if read(out / "silent.switched") else []
    detail = f"{[e['data']['message'] for e in errors]} {read(out / 'silent.closed')}\n" + read(out / "silent.stderr")[-2000:]
    closed = read(out / "silent.closed").split()[:1]

    check(read(out / "silent.closing") == "0", f"{kernel} its programs were detached", detail)
    check(codes == [*switched, DETACHED, SILENT], f"{kernel} both are told: that, and that it is not called any more", detail)
    if switched:
        check("ftrace_enabled" in errors[0]["data"]["message"], f"{kernel} so is who switches them off", detail)
    check(any(e["data"]["message"].split()[:1] == closed for e in errors), f"{kernel} and how many they are", detail)
    check(read(out / "silent.status") == "0", f"{kernel} it ends well nevertheless", detail)


def judge_lapse(kernel, out):
    codes = {e["data"]["code"] for e in read_errors(out / "lapse.jsonl")}
    names = ("before", "during", "after", "stop.status", "status")
    found = f"{[(n, read(out / f'lapse.{n}')) for n in names]}, {sorted(codes)}"
    waited = int(read(out / "lapse.during") or 0)

    detail = found + "\n" + read(out / "lapse.stderr")[-2000:]
    check(read(out / "lapse.before") == "1", f"{kernel} a signal is refused", detail)
    check(LAPSE_AFTER <= waited < LAPSE_LIMIT, f"{kernel} but not after the lease of a sensor that hangs", detail)
    check(read(out / "lapse.after") == "1", f"{kernel} and again when it no longer hangs", detail)
    check({DENIED_LAPSED, LAPSED} <= codes, f"{kernel} both are told", detail)
    stopped = read(out / "lapse.stop.status"), read(out / "lapse.status")
    check(stopped == ("0", "0"), f"{kernel} the secret stops that sensor, too", detail)


def judge_without(kernel, out):
    stderr = read(out / "sensor.stderr")
    check(read(out / "sensor.status") == "1", f"{kernel} without the BPF LSM it does not start", stderr)
    lines = [line for line in stderr.splitlines() if line.startswith("Error:")]
    check(len(lines) == 1 and "BPF LSM" in lines[0], f"{kernel} it says why in one line", stderr)


def boot(kernel, args, command, append=""):
    files = vm.guest_files(args.kunai, args.actors, [f"kunai/attack.sh={HERE / 'attack.sh'}", f"usr/bin/kunai={args.kunai}"])
    out = Path(args.out or tempfile.mkdtemp(prefix="kunai-attack.")) / (kernel + ("-without" if append else ""))
    out.mkdir(parents=True, exist_ok=True)
    vm.boot_vm(kernel, files, command, out, arch=args.arch, timeout=TIMEOUT, append=append)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kernels", nargs="*", default=["6.1"])
    parser.add_argument("--kunai", default="build-static/kunai")
    parser.add_argument("--actors", default="build/tests/actors")
    parser.add_argument("--arch", default="amd64", choices=vm.MACHINES)
    parser.add_argument("--out", help="where results are kept")
    args = parser.parse_args()
    try:
        for kernel in args.kernels:
            lease = kernel == args.kernels[0]
            out = boot(kernel, args, f"{COMMAND} {'lease' if lease else ''}")
            judge(kernel, out)
            judge_terminal(kernel, out)
            judge_silence(kernel, out)
            if lease:
                judge_lapse(kernel, out)
        judge_without(args.kernels[0], boot(args.kernels[0], args, REFUSED_START, WITHOUT_LSM))
    except (vm.VmError, kernels.KernelError) as error:
        check(False, "the guest ran", error)
    print(f"1..{counter}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""record.py: takes the recordings of the rules anew. Boots a VM, plays the scenarios there under the sensor, and keeps of
each scenario the events that the rule of its name matches. Needs ./dev build and ./dev build static."""
import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(TOP / "tests/vm"))

import vm  # noqa: E402

KEPT = 3  # events of one rule
MARKS = "/run/marks"
COMMAND = f"""
mkdir -p {MARKS}
# every address is this machine's
ip link set lo up
ip route add local default dev lo
ip -6 route add local default dev lo
mkdir -p /usr/lib/systemd
cp /kunai/actors/play /usr/lib/systemd/systemd
echo 'backup:x:34:34::/:/bin/false' >>/etc/passwd
/usr/lib/systemd/systemd prepare /kunai/scenarios
/kunai/kunai -v run --include=all --send-data-min-len=0 >/out/events.jsonl 2>/out/sensor.stderr &
sensor=$!
/kunai/actors/scenario await-line /out/events.jsonl 180
/usr/lib/systemd/systemd /kunai/scenarios {MARKS}
/kunai/actors/scenario await-mark /out/events.jsonl {MARKS}/end 300
kill -TERM $sensor
wait $sensor
# what hands the results back is busybox again
for name in dmesg tar sync poweroff; do
    /bin/busybox rm -f /usr/bin/$name /usr/sbin/$name
done
"""


def run_scenarios(kernel, text, out):
    scenarios = out / "scenarios"
    scenarios.write_text(text)
    files = {
        "kunai/kunai": TOP / "build-static/kunai",
        "kunai/actors": TOP / "build/tests/actors",
        "kunai/scenarios": scenarios,
    }
    if vm.boot_vm(kernel, files, COMMAND, out, timeout=900):
        sys.exit(f"record.py: the guest failed: {(out / 'guest.stderr').read_text()}")
    sys.stderr.write((out / "guest.stderr").read_text() + (out / "sensor.stderr").read_text())
    return out / "events.jsonl"


def match(events, work):
    """All events, with detection and filter where a rule matched; those that exclude are among them."""
    rules = work / "rules"
    shutil.copytree(HERE, rules, ignore=shutil.ignore_patterns("recordings", "scenarios", "baseline"))
    for path in rules.glob("*.kun"):
        path.write_text(path.read_text().replace("decision: exclude", "decision: include"))
    log = work / "derived.jsonl"
    log.write_text("".join(json.dumps(event) + "\n" for event in events))
    command = [TOP / "build/kunai", "replay", "--all", "-r", rules, log]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def matched_by(event):
    return {*event.get("detection", {}).get("rules", []), *event.get("filter", {}).get("rules", [])}


def segments(events):
    """scenario -> its events; the marks themselves belong to none."""
    found, current = {}, None
    for event in events:
        path = event["data"].get("path", "") or ""
        if path.startswith(MARKS + "/"):
            if event["info"]["event"]["name"] == "file_create":
                current = found.setdefault(Path(path).name, [])
        elif current is not None:
            current.append(event)
    return found


def lose_digests(event):
    """What is told of a deleted program where the kernel has no fanotify(7), or had no room to keep it open."""
    event["data"]["exe"] |= dict.fromkeys(("magic", "md5", "sha1", "sha256", "sha512"), "") | {"size": 0, "error": "file not found"}


def derive(events):
    """Where the sensor sees more than it might elsewhere: the events of these scenarios are changed to what that gives."""
    for event in events:
        if event["info"]["event"]["name"] == "execve" and event["data"]["exe"]["path"].startswith("/srv/app/"):
            lose_digests(event)
    return events


def keep(rule, events, directory):
    """The events that differ most: of each type and program one, as far as there is room."""
    kept, seen = [], set()
    for event in events:
        kind = (event["info"]["event"]["name"], event["data"].get("exe", {}).get("path"))
        if rule in matched_by(event) and kind not in seen and len(kept) < KEPT:
            seen.add(kind)
            kept.append({key: value for key, value in event.items() if key not in ("detection", "filter")})
    if kept:
        lines = (json.dumps(event, separators=(",", ":"), ensure_ascii=False) + "\n" for event in kept)
        (directory / f"{rule}.json").write_text("".join(lines))
    return len(kept)


def report_failure(rule, events):
    print(f"{rule}: no event of its scenario is matched:")
    for event in events:
        print("   ", event["info"]["event"]["name"], json.dumps(event["data"])[:600])


def main():
    parser = argparse.ArgumentParser(description="Takes the recordings of the rules anew.")
    parser.add_argument("rules", nargs="*", help="only these rules")
    parser.add_argument("--kernel", default="6.1")
    parser.add_argument("--log", help="take events from a log that an earlier run left")
    parser.add_argument("--keep-log", help="leave all events there")
    args = parser.parse_args()
    directory = HERE / "recordings"
    directory.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kunai-record.") as out:
        text = "".join(path.read_text() for path in sorted((HERE / "scenarios").glob("*.play")))
        log = Path(args.log) if args.log else run_scenarios(args.kernel, text, Path(out))
        if args.keep_log:
            Path(args.keep_log).write_bytes(log.read_bytes())
        events = match(derive([json.loads(line) for line in log.read_bytes().splitlines()]), Path(out))
    failures = 0
    for rule, own in segments(events).items():
        if rule != "end" and (not args.rules or rule in args.rules) and not keep(rule, own, directory):
            report_failure(rule, own)
            failures += 1
    print(f"{len(events)} events; {failures} rules have no recording")
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())

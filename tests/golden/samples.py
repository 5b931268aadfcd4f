#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""samples.py --describe PROGRAM --log FILE [EVENT...]: writes docs/events/samples/EVENT.json from the sensor's output
in a run of the live test (`./dev docs --samples` makes one in a VM). Without names: every event. What a healthy sensor
has none of comes from the golden lines."""
import argparse
import json
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
SAMPLES = TOP / "docs/events/samples"
GOLDEN = TOP / "tests/golden/expected.jsonl"
NOT_LIVE = ("error", "event_loss", "file_scan")


def read_events(path):
    """Event name -> its lines, parsed; keys stay in their order."""
    events = {}
    for line in Path(path).read_bytes().splitlines():
        event = json.loads(line)
        events.setdefault(event["info"]["event"]["name"], []).append(event)
    return events


def fitness(event):
    """The plainest one: of an actor, outside containers, without what is left out normally, short."""
    task, data = event["info"]["task"], event["data"]
    plain = task["name"] == "scenario" and event["info"]["host"]["container"] is None
    failed = any(data.get(key) is False for key in ("success", "connected", "loaded"))
    return (not plain, failed, len(data), len(json.dumps(event)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--describe", required=True)
    parser.add_argument("--log", required=True, help="sensor.jsonl of a live run")
    parser.add_argument("events", nargs="*")
    args = parser.parse_args()
    known = subprocess.run([args.describe, "names"], capture_output=True, check=True, text=True).stdout.split()
    unknown = set(args.events) - set(known)
    if unknown:
        sys.exit(f"samples.py: no event {', '.join(unknown)}")

    live, golden = read_events(args.log), read_events(GOLDEN)
    SAMPLES.mkdir(parents=True, exist_ok=True)
    missing = []
    for name in args.events or known:
        events = (golden if name in NOT_LIVE else live).get(name)
        if events:
            text = json.dumps(min(events, key=fitness), indent=2, ensure_ascii=False)
            (SAMPLES / f"{name}.json").write_text(text + "\n")
        else:
            missing.append(name)
    if missing:
        sys.exit(f"samples.py: the run has no {', '.join(missing)}")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: GPL-3.0-or-later
"""What detect.sh left: files that rules had scanned, and a program that a rule killed."""
import re

import shape
from judge import Result, kind_of

SIGNATURE = "dropped_script"
TIMED_OUT = "the scan took longer than 8 s and was given up"


def read_facts(path):
    facts = {}
    for line in path.read_text().splitlines():
        key, *values = line.split(" ")
        facts.setdefault(key, []).append(values)
    return facts


class Scans:
    """The events of the run, and which scans each event led to."""

    def __init__(self, data):
        self.events, self.bad = [], []
        for number, line in enumerate(data.splitlines(), 1):
            event, problem = shape.parse_line(line)
            plain = {k: v for k, v in (event or {}).items() if k not in ("detection", "filter")}
            problems = [problem] if problem else list(shape.misshapen_event(plain))
            self.bad += [f"line {number}: {p}" for p in problems]
            self.events += [] if problems else [event]
        self.place = {e["info"]["event"]["uuid"]: i for i, e in enumerate(self.events)}
        self.of = {}
        for event in self.events:
            if kind_of(event) == "file_scan":
                self.of.setdefault(event["data"]["source_event"], []).append(event)

    def sources(self, kind, path):
        return [e for e in self.events if kind_of(e) == kind and e["data"].get("path") == path]

    def problems(self, kind, path, check):
        """Of a file that one event of this kind named: two scans come behind it, of the program and of the file."""
        sources = self.sources(kind, path)
        if len(sources) != 1:
            yield f"{path}: {len(sources)} events {kind}"
            return
        source = sources[0]
        uuid = source["info"]["event"]["uuid"]
        scans = self.of.get(uuid, [])
        if [s["data"]["path"] for s in scans] != [source["data"]["exe"]["path"], path]:
            yield f"{path}: scans of {[s['data']['path'] for s in scans]}"
            return
        for scan in scans:
            if self.place[scan["info"]["event"]["uuid"]] < self.place[uuid]:
                yield f"{path}: the scan comes before its source"
            yield from different_info(source, scan)
        yield from check(scans[1])


def different_info(source, scan):
    wanted, got = source["info"], scan["info"]
    for key in ("host", "task", "parent_task", "utc_time"):
        if got[key] != wanted[key]:
            yield f"{scan['data']['path']}: info.{key} is {got[key]}, of the source {wanted[key]}"
    if got["event"]["uuid"] == wanted["event"]["uuid"] or got["event"]["batch"] != wanted["event"]["batch"]:
        yield f"{scan['data']['path']}: info.event is {got['event']}"


def has(scan, **wanted):
    for key, value in wanted.items():
        got = scan["data"]["meta"][key] if key in scan["data"]["meta"] else scan["data"][key]
        if got != value:
            yield f"{scan['data']['path']}: {key} is {got!r}, not {value!r}"


def judge_files(scans, facts):
    def check(path, sha256):
        names = [SIGNATURE] if path.endswith("/script.sh") else []
        return lambda scan: has(scan, sha256=sha256, error=None, scan_error=None, signatures=names, positives=len(names))

    return [p for sha256, path in facts["file"] for p in scans.problems("write_close", path, check(path, sha256))]


def judge_gone(scans, facts):
    return [p for (path,) in facts["gone"]
            for p in scans.problems("write_close", path, lambda scan: has(scan, error=None, scan_error=None))]


def judge_verdicts(scans, facts):
    """What rules say of the events and of the scans."""
    script = next(path for _, path in facts["file"] if path.endswith("/script.sh"))
    dropped = {"rules": ["file.dropped"], "tags": ["drop"], "attack": ["T1105"], "actions": ["echoed", "scan-files"],
               "severity": 2}  # fmt: skip
    for event in scans.sources("write_close", script):
        if event.get("detection") != dropped:
            yield f"the source's detection is {event.get('detection')}"
    found = [e for e in scans.events if kind_of(e) == "file_scan" and "detection" in e]
    wanted = {"rules": ["file.of.interest"], "tags": ["yara"], "severity": 9}
    if [(e["data"]["path"], e["detection"]) for e in found] != [(script, wanted)]:
        yield f"detections of scans: {[(e['data']['path'], e['detection']) for e in found]}"


def judge_stderr(stderr, facts):
    script = next(path for _, path in facts["file"] if path.endswith("/script.sh"))
    told = [line for line in stderr.splitlines() if "matches detection signatures" in line]
    if len(told) != 1 or f"file='{script}'" not in told[0] or f"[{SIGNATURE}]" not in told[0]:
        yield f"warnings of matches: {told}"
    counts = re.search(r"scans: requested=(\d+) .*timed_out=(\d+) refused=(\d+) unfinished=(\d+)", stderr)
    wanted = 2 * (len(facts["file"]) + len(facts["gone"]) + len(facts["slow"]) + 2 * len(facts["read"]))
    if not counts or (counts[1], counts[3], counts[4]) != (str(wanted), "0", "0") or int(counts[2]) < 1:
        yield f"the account line says {counts and counts.group()}, {wanted} were asked for"
    killed = [line for line in stderr.splitlines() if "SIGKILL" in line]
    if len(killed) != 1:
        yield f"the kill is told by {killed}"


def judge_kill(scans, facts):
    if facts["killed"] != [["137"]]:
        yield f"the program ended with {facts['killed']}"
    if facts["bystanders"] != [["7"]]:
        yield f"{facts['bystanders']} of 7 bystanders live"
    killed = [e for e in scans.events if "kill" in e.get("detection", {}).get("actions", [])]
    if [(e["info"]["task"]["name"], e["detection"]["severity"]) for e in killed] != [("kworker", 10)]:
        yield f"{len(killed)} detections with the action kill"


def judge_run(out):
    if not (out / "detect.status").exists():
        stderr = out / "detect.stderr"
        yield Result("detect: the sensor ran", ["no status", *(stderr.read_text(errors="replace").splitlines() if stderr.exists() else [])])
        return
    facts = read_facts(out / "detect.facts")
    stderr = (out / "detect.stderr").read_text(errors="replace")
    scans = Scans((out / "detect.jsonl").read_bytes())
    slow, read = facts["slow"][0][0], facts["read"][0][0]
    late = lambda scan: has(scan, error=None, scan_error=TIMED_OUT, signatures=[])
    yield Result("detect: lines are events", scans.bad)
    yield Result(f"detect: {len(facts['file'])} files are scanned with their final content", judge_files(scans, facts))
    yield Result(f"detect: {len(facts['gone'])} files that were deleted at once are scanned", judge_gone(scans, facts))
    yield Result("detect: a scan without end is given up", list(scans.problems("write_close", slow, late)))
    yield Result("detect: a filter asks for scans, too", list(scans.problems("read", read, lambda s: has(s, error=None))))
    yield Result("detect: verdicts", list(judge_verdicts(scans, facts)))
    yield Result("detect: what is told and counted", list(judge_stderr(stderr, facts)))
    yield Result("detect: a rule kills one program", list(judge_kill(scans, facts)))
    bare = [] if int(facts["bare"][0][0]) >= 1 else ["no thread of the sensor is without capabilities"]
    yield Result("detect: contents are matched without capabilities", bare)

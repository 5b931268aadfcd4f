# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares what the sensor printed with what the actors did."""
import bisect
import collections
import dataclasses
import functools
import re
import struct
import uuid

import model
import shape

PROBLEMS_SHOWN = 8
PAIRS_MAX = 300  # more that do not match are only counted: pairing them would be quadratic
KINDS = set(shape.DATA) - {"start", "event_loss", "error"}
COMMON = ("data.ancestors", "data.command_line", "data.exe.path")  # what says little in a message
SENSOR_KINDS = ("start", "event_loss")


@dataclasses.dataclass
class Result:
    name: str
    problems: list = dataclasses.field(default_factory=list)
    skip: str = ""


class Identity(collections.namedtuple("Identity", "start salt tgid")):
    """A decoded guuid: start of the process in ns since boot, salt of the sensor, process id."""

    @classmethod
    @functools.lru_cache(maxsize=65536)
    def of(cls, text):
        return cls(*struct.unpack("<QII", uuid.UUID(text).bytes))


class Log:
    """One run of the sensor."""

    def __init__(self, data, sensor_pid=None):
        self.sensor_pid, self.bad, self.shape_problems, self.events = sensor_pid, [], [], []
        if data and not data.endswith(b"\n"):
            self.bad.append("the last line has no end")
        for number, line in enumerate(data.split(b"\n")[:-1], 1):
            event, problem = shape.parse_line(line)
            if problem:
                self.bad.append(f"line {number}: {problem}")
                continue
            problems = list(shape.misshapen_event(event))
            self.shape_problems += (f"line {number}: {p}" for p in problems)
            if not problems:
                self.events.append(event)

        self.reported = [e for e in self.events if kind_of(e) in KINDS and not model.is_background(kind_of(e), e["data"])]
        order = sorted((identity(e).start, i) for i, e in enumerate(self.reported))
        self.starts, self.by_start = [start for start, _ in order], [i for _, i in order]

    def born_between(self, begin, end):
        """The reported events of processes that started in that time."""
        first, last = bisect.bisect_left(self.starts, begin), bisect.bisect_right(self.starts, end)
        return [self.reported[i] for i in sorted(self.by_start[first:last])]


def forget_ancestors(log, positions):
    """What the actors cannot know, no comparison may see."""
    for event in log.reported:
        names = event["data"]["ancestors"].split("|")
        event["data"]["ancestors"] = "|".join("?" if i in positions else name for i, name in enumerate(names))


def kind_of(event):
    return event["info"]["event"]["name"]


def identity(event, whose="task"):
    return Identity.of(event["info"][whose]["guuid"])


def value_at(event, path):
    for key in path.split("."):
        if not isinstance(event, dict) or key not in event:
            return Missing
        event = event[key]
    return event


class Missing:
    pass


# One case

def is_of_facts(event):
    """Whoever writes a fact asks for its name."""
    return kind_of(event) == "prctl" and event["data"]["option"] == "PR_GET_NAME"


def select(log, facts):
    """The events of the processes that the case made: started in its time, by its first process or below it."""
    begin = next(f["ns"] for f in facts if f["op"] == "begin")
    end = next(f["ns"] for f in facts if f["op"] == "end")
    known = {f["tgid"] for f in facts if f["op"] == "clone"}
    ignored = {f["tgid"] for f in facts if f["op"] == "ignore"}
    foreign = {f["tgid"] for f in facts if f.get("foreign")}  # its loader maps who knows what
    ours, selected = set(), []
    for event in log.born_between(begin, end):
        who = identity(event)
        if who not in ours and who.tgid not in known and identity(event, "parent_task") not in ours:
            continue
        ours.add(who)
        if who.tgid in foreign and kind_of(event) == "mmap_exec":
            continue
        is_birth = kind_of(event) == "clone" and event["info"]["task"]["pid"] == who.tgid
        if (who.tgid not in ignored or is_birth) and not is_of_facts(event):
            selected.append(event)
    return selected


def select_lingering(log, facts):
    """The events of a process that lives longer than the run of the sensor, and of its children."""
    root, end = facts[0]["tgid"], facts[-1]["ns"]
    clones = {f["tgid"] for f in facts if f["op"] == "clone"}
    return [
        e for e in log.reported
        if (identity(e).tgid == root and kind_of(e) == "file_create")
        or (identity(e).tgid in clones and facts[0]["ns"] <= identity(e).start <= end and not is_of_facts(e))
    ]  # fmt: skip


def is_plain(value):
    return type(value) in (str, int, bool, type(None)) or value is model.ABSENT


def key_of(value):
    return "absent" if value is Missing or value is model.ABSENT else repr(value)


def pair_exactly(expected, actual):
    """Removes the pairs whose every field agrees, by hashing. Returns what is left of both."""
    by_paths, rest, used = collections.defaultdict(list), [], set()
    for want in expected:
        plain = all(is_plain(v) or isinstance(v, dict) for v in want.fields.values())
        (by_paths[tuple(want.fields)] if plain else rest).append(want)
    for paths, wants in by_paths.items():
        pool = collections.defaultdict(list)
        for i, event in enumerate(actual):
            if i not in used:
                pool[kind_of(event), *(key_of(value_at(event, p)) for p in paths)].append(i)
        for want in wants:
            candidates = pool.get((want.kind, *map(key_of, want.fields.values())))
            if candidates:
                used.add(candidates.pop())
            else:
                rest.append(want)
    return rest, [e for i, e in enumerate(actual) if i not in used]


def differences(want, event):
    return [(p, v, value_at(event, p)) for p, v in want.fields.items() if not v == value_at(event, p)]


def describe(event):
    task = event["info"]["task"]
    data = {k: v for k, v in event["data"].items() if k not in ("ancestors", "command_line", "exe", "interpreter")}
    return f"{kind_of(event)} of {task['name']} {task['tgid']}/{task['pid']}: {data}"[:300]


def compare(expected, actual):
    """What is wrong, one text each. Every expected event must have exactly one actual one."""
    wants, events = pair_exactly(expected, actual)
    for kind in sorted({w.kind for w in wants} | {kind_of(e) for e in events}):
        left = [w for w in wants if w.kind == kind]
        found = [e for e in events if kind_of(e) == kind]
        if len(left) != len(found):
            count = sum(w.kind == kind for w in expected)
            yield f"{count - len(left) + len(found)} {kind}, not {count}"
        if max(len(left), len(found)) > PAIRS_MAX:
            yield f"{len(left)} {kind} with other fields, the first: {differences(left[0], found[0]) if left and found else ''}"
            continue
        yield from compare_rest(left, found)


def compare_rest(wants, events):
    for want in wants:
        if not events:
            own = {p: v for p, v in want.fields.items() if p.startswith("data.") and p not in COMMON}
            yield f"missing: {want.kind} of {want.tgid}: {own}"[:400]
            continue
        best = min(events, key=lambda e: len(differences(want, e)))
        events.remove(best)
        for path, value, got in differences(want, best):
            got = "missing" if got is Missing else repr(got)
            yield f"{want.kind} of {want.tgid}: {path} is {got[:200]}, not {value!r:.200}"
    for event in events:
        yield f"unexpected: {describe(event)}"


def own_problems(facts):
    """What the actors themselves found wrong."""
    for fact in facts:
        if fact["op"] == "broken":
            yield f"the actor could not {model.text(fact['what'])}: {fact['error']}"
    if not any(f["op"] == "end" for f in facts):
        yield "the case did not come to its end"


def identity_problems(facts, events):
    """guuids against what /proc showed, and pids that were used twice."""
    ticks = {(f["tgid"], f["start_ticks"]) for f in facts if f.get("start_ticks")}
    tgids = {tgid for tgid, _ in ticks}
    for event in events:
        who = identity(event)
        if who.tgid in tgids and (who.tgid, who.start // model.TICK) not in ticks:
            yield f"{describe(event)}: started at {who.start} ns, /proc says {sorted(t for p, t in ticks if p == who.tgid)}"
    for fact in facts:
        if fact["op"] == "reused":
            lives = {identity(e) for e in events if identity(e).tgid == fact["reused_pid"]}
            if len(lives) != 2:
                yield f"the processes with pid {fact['reused_pid']} have {len(lives)} guuids, not 2"


def unverified_problems(expected, events):
    """A script that was named by a link may be shown as the link, if it is said."""
    links = {w.fields["data.exe.path"].second for w in expected
             if w.kind == "execve_script" and isinstance(w.fields["data.exe.path"], model.AnyOf)}  # fmt: skip
    for event in events:
        if kind_of(event) == "execve_script" and event["data"]["exe"]["path"] in links:
            if event["data"].get("exe_unverified") is not True:
                yield f"{describe(event)}: the link's path without exe_unverified"


def cut_path_problems(facts, events):
    for fact in facts:
        if fact["op"] == "create" and fact.get("cut"):
            for event in events:
                marked = event["data"].get("path", "").startswith("...") or any("truncated" in k for k in event["data"])
                if kind_of(event) == "file_create" and not marked:
                    yield f"{describe(event)}: cut and not marked"


def judge_case(name, facts, expected, logs):
    skip = next((model.text(f["reason"]) for f in facts if f["op"] == "skip"), "")
    if skip:
        return Result(name, skip=skip)
    problems = list(own_problems(facts))
    if problems:
        return Result(name, problems)
    if facts[0]["op"] == "linger":
        events = select_lingering(logs[facts[0]["phase"] - 1], facts)
    else:
        events = select(logs[0], facts)
    problems += compare(expected, events)
    problems += identity_problems(facts, events)
    problems += unverified_problems(expected, events)
    problems += cut_path_problems(facts, events)
    return Result(name, problems)


def kernel_of(log):
    """(6, 1) of "6.1.0-50-cloud-amd64", as the start event has it."""
    release = next((e["data"]["system"]["release"] for e in log.events if kind_of(e) == "start"), "")
    numbers = re.match(r"(\d+)\.(\d+)", release)
    return (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)


def judge_cases(facts, logs, files, trampoline):
    """One result a case, in their order."""
    table = model.Model(files, kernel_of(logs[0]), trampoline)
    of_case, expected = collections.defaultdict(list), collections.defaultdict(list)
    for fact in facts:
        if fact["case"]:
            of_case[fact["case"]].append(fact)
        expected[fact["case"]] += table.feed(fact)
    for log in logs:
        forget_ancestors(log, table.unknown_ancestors())
    return [judge_case(name, of_case[name], expected[name], logs) for name in of_case]


def judge_results(facts, log):
    """A request has its result, unless it takes longer than the sensor waits, or asks for silence."""
    if kernel_of(log) < model.URING_TOLD:
        return []
    cases = {f["case"] for f in facts if f["op"] == "uring"}
    tgids = {f["tgid"] for f in facts if f["case"] in cases}
    requests = [e for e in log.reported if kind_of(e) == "io_uring_sqe" and e["info"]["task"]["tgid"] in tgids]
    having = sum("result" in e["data"] for e in requests)
    if not requests:
        return []
    return [Result("io_uring: requests have their results", [f"{having} of {len(requests)}"] if having * 2 < len(requests) else [])]


def not_shown(facts, kernel, trampoline=()):
    """Reason -> the cases in which this kernel cannot show what was done, or could not be made to do it."""
    table = collections.defaultdict(set)
    for fact in facts:
        row = model.unseen_row(fact["case"], kernel, trampoline) if fact.get("subject") else None
        if row:
            table[row.why].add(fact["case"])
        elif fact.get("unseen"):
            table["stores through a mapping, where the file system does not update mtime"].add(fact["case"])
        elif fact["op"] == "skip":
            table["not tried: " + model.text(fact["reason"])].add(fact["case"])
    return table


# The whole output

def check_lines(log):
    return log.bad


def check_shape(log):
    return log.shape_problems


def check_start(log):
    names = [kind_of(e) for e in log.events]
    if not names or names[0] != "start":
        yield f"the first line is {names[:1]}"
    if names.count("start") > 1:
        yield f"{names.count('start')} start events"


def check_losses(log):
    for event in log.events:
        if kind_of(event) in ("event_loss", "error"):
            yield f"{kind_of(event)}: {event['data']}"


def check_time(log):
    """RFC 3339 with nine digits sorts as text."""
    last, inversions, first = "", 0, ""
    for event in log.events:
        now = event["info"]["utc_time"]
        if now < last and kind_of(event) not in SENSOR_KINDS:
            inversions += 1
            first = first or f"{now} after {last}"
        last = max(last, now) if kind_of(event) not in SENSOR_KINDS else last
    if inversions:
        yield f"{inversions} inversions, the first: {first}"


def check_own_activity(log):
    for event in log.reported:
        if event["info"]["task"]["tgid"] == log.sensor_pid:
            yield f"the sensor reports itself: {describe(event)}"


def check_guuids(log):
    salts = set()
    for event in log.events:
        for whose in ("task", "parent_task"):
            who, tgid = identity(event, whose), event["info"][whose]["tgid"]
            if tgid and who.tgid != tgid:
                yield f"{describe(event)}: the guuid of {whose} is of {who.tgid}, the event of {tgid}"
            if tgid and kind_of(event) in KINDS:
                salts.add(who.salt)
    if len(salts) > 1:
        yield f"{len(salts)} salts: {sorted(salts)[:5]}"


def check_event_uuids(log):
    """The events of one DNS message may share theirs."""
    seen = collections.Counter(e["info"]["event"]["uuid"] for e in log.events if kind_of(e) != "dns_query")
    for number, count in seen.items():
        if count > 1:
            yield f"{number} is on {count} events"


def check_order(log):
    """A process's life begins with its clone event."""
    seen = set()
    for event in log.reported:
        who = identity(event)
        if kind_of(event) == "clone" and event["info"]["task"]["pid"] == who.tgid and who in seen:
            yield f"after other events of the process: {describe(event)}"
        seen.add(who)


def check_host(log):
    hosts = {(e["info"]["host"]["uuid"], e["info"]["host"]["name"], e["info"]["event"]["source"]) for e in log.events}
    if len(hosts) > 1:
        yield f"several hosts: {hosts}"
    if any(source != "kunai" for _, _, source in hosts):
        yield f"the source is not kunai: {hosts}"


def check_community_ids(log):
    numbers = {name: number for number, name in model.PROTOCOLS.items()}
    for event in log.reported:
        data = event["data"]
        peer = data.get("dst") or data.get("dns_server")
        if not peer or "community_id" not in data or data["socket"]["proto"] not in numbers or "::ffff:" in peer["ip"]:
            continue
        want = model.community_id_of(numbers[data["socket"]["proto"]], data["src"]["ip"], data["src"]["port"], peer["ip"],
                                     peer["port"])  # fmt: skip
        if data["community_id"] != want:
            yield f"{describe(event)}: not {want}"


LOG_CHECKS = {
    "every line is JSON as Kunai spells it": check_lines,
    "keys, their order and types": check_shape,
    "begins with one start event": check_start,
    "nothing is lost, no errors": check_losses,
    "in the order of time": check_time,
    "own activity is not reported": check_own_activity,
    "guuids": check_guuids,
    "event uuids": check_event_uuids,
    "clone comes first": check_order,
    "one host": check_host,
    "community ids": check_community_ids,
}


def judge_log(name, log):
    return [Result(f"{name}: {title}", list(check(log))) for title, check in LOG_CHECKS.items()]


def judge_lingering(facts, logs):
    """A process has one identity, whether the sensor found it or saw it start, and in each of its runs."""
    results = []
    for tgid in sorted({f["tgid"] for f in facts if f["op"] == "linger"}):
        name = next(f["case"].split(".")[1] for f in facts if f["op"] == "linger" and f["tgid"] == tgid)
        ticks = next(f["start_ticks"] for f in facts if f["op"] == "linger" and f["tgid"] == tgid)
        seen = [{identity(e, w) for e in log.reported for w in ("task", "parent_task")
                 if identity(e, w).tgid == tgid and identity(e, w).start // model.TICK == ticks} for log in logs]  # fmt: skip
        problems = [f"{len(s)} guuids in run {i} of the sensor" for i, s in enumerate(seen, 1) if len(s) != 1]
        if len({who.start for s in seen for who in s}) > 1:
            problems.append(f"other starts in other runs: {seen}")
        if len({who.salt for s in seen for who in s}) != len(seen):
            problems.append(f"the salt is no new one in each run: {seen}")
        results.append(Result(f"identity of the {name} process", problems))
    return results


def judge(facts, logs, files, trampoline=()):
    """trampoline: the events that ran on that tier."""
    results = judge_cases(facts, logs, files, trampoline) + judge_results(facts, logs[0])
    for number, log in enumerate(logs, 1):
        results += judge_log(f"run {number}", log)
    if len(logs) > 1:
        results += judge_lingering(facts, logs)
    return results

# SPDX-License-Identifier: GPL-3.0-or-later
"""The run of the sensor with max_eps_fs: what is shown and what is counted as throttled are together what was made, each
limit that was reached is told, and nothing but file events is left out."""
import re
from datetime import datetime, timedelta

import judge
import model

LIMIT = 101  # guest.sh
SHOWN_MAX = {"throttle.task": LIMIT * 2 // 3 - 1, "throttle.all": LIMIT - 1}  # a second, on one CPU
CODES = {"throttle.task": 1, "throttle.all": 2}
THROTTLED = {"read", "write", "file_create", "file_rename", "file_unlink", "write_close"}
ROW = re.compile(r"accounting: (\w+) hits=(\d+) emitted=(\d+) filtered=(\d+) throttled=(\d+)")
SECOND = 1_000_000_000


def throttled_rows(stderr):
    return {match[1]: int(match[5]) for match in ROW.finditer(stderr)}


def time_of(event):
    return datetime.fromisoformat(event["info"]["utc_time"][:26])


def is_made(event, facts):
    where = {model.text(fact["dir"]) for fact in facts if fact["op"] == "made_files"}
    return judge.kind_of(event) == "file_create" and event["data"]["path"].rpartition("/")[0] + "/" in where


def judge_case(name, facts, table, log):
    problems = list(judge.own_problems(facts))
    if problems:
        return judge.Result(name, problems)
    expected = [event for fact in facts for event in table.feed(fact)]
    events = judge.select(log, facts)
    shown = [e for e in events if is_made(e, facts)]
    problems += judge.compare(expected, [e for e in events if not is_made(e, facts)])
    seconds = facts[-1]["ns"] // SECOND - facts[0]["ns"] // SECOND + 1
    most = SHOWN_MAX[name] * seconds
    # another process of this CPU may have used up the second, and be the one that was told
    others = [e for e in log.events if judge.kind_of(e) in THROTTLED and not is_made(e, facts)]
    if len(shown) > most or not (shown or len(others) >= LIMIT - 1):
        problems.append(f"{len(shown)} files are shown in {seconds} s, at most {most} may be")
    tgids = {fact["tgid"] for fact in facts if fact["op"] == "made_files"}
    told = [e for e in log.events if judge.kind_of(e) == "error"]
    if len(others) < LIMIT - 1:
        told = [e for e in told if e["info"]["task"]["tgid"] in tgids]
    else:  # it may be one of which no event is shown, but in the seconds of this case
        times = [time_of(e) for e in events]
        told = [e for e in told if min(times) - timedelta(seconds=1) <= time_of(e) <= max(times)]
    if CODES[name] not in {e["data"]["code"] for e in told}:
        problems.append(f"no error with code {CODES[name]} of {tgids}: {[e['data']['code'] for e in told]}")
    return judge.Result(name, problems)


def sum_problems(facts, log, stderr):
    """Other processes of this machine may make files, too, and be throttled with them."""
    made = sum(fact["count"] for fact in facts if fact["op"] == "made_files")
    created = [e for e in log.events if judge.kind_of(e) == "file_create"]
    shown = sum(is_made(e, facts) for e in created)
    others = sum("/mark-" not in e["data"]["path"] for e in created) - shown
    rows = throttled_rows(stderr)
    total = shown + rows.get("file_create", 0)
    print(f"# throttled: {made} files were made, {shown} are shown, {rows.get('file_create')} counted", flush=True)
    if total < made or (total > made and not others):
        yield f"{made} files were made, {shown} are shown and {rows.get('file_create')} throttled"
    for name, count in rows.items():
        if count and name not in THROTTLED:
            yield f"{count} {name} are throttled"


def judge_throttled(facts, log, stderr, files, trampoline):
    table = model.Model(files, judge.kernel_of(log), trampoline)
    cases = {}
    for fact in facts:
        if fact["case"] in CODES:
            cases.setdefault(fact["case"], []).append(fact)
        else:
            table.feed(fact)
    judge.forget_ancestors(log, table.unknown_ancestors())
    results = [judge_case(name, cases[name], table, log) if name in cases else judge.Result(name, ["it did not run"])
               for name in CODES]  # fmt: skip
    results.append(judge.Result("throttled: shown and counted are all", list(sum_problems(facts, log, stderr))))
    for title in ("every line is JSON as Kunai spells it", "keys, their order and types", "in the order of time"):
        results.append(judge.Result(f"throttled: {title}", list(judge.LOG_CHECKS[title](log))))
    return results

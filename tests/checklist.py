# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sensor must do to be taken for Kunai, item by item, and which tests show it. `./dev test` prints it at its end."""
import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Item:
    text: str
    tests: tuple = ()  # (part, pattern of names): of each at least one must have run, and none may have failed
    waived: str = ""  # what of it is not shown by a test, and why


ITEMS = (
    Item("`config --dump` is what the start event has the digest of", (("unit", r"^config: SHA-256 of the default dump"),)),
    Item("a start event comes first, at once; lines are flushed; the binary may be removed; SIGTERM ends it with 0",
         (("live", r"begins with one start event"), ("live", r"events are written at once"), ("live", r"its binary may be deleted"),
          ("live", r"SIGTERM ends it with status 0"))),
    Item("ids, names, order and types of all keys", (("pages", r"have the shape of Kunai's"), ("live", r"keys, their order and types"))),
    Item("host UUID, community id and guuid by their vectors",
         (("unit", r"^config: a null UUID is derived"), ("unit", r"^community_id: "), ("live", r"guuids$"))),
    Item("rules in the field load and pass `test`", (("rules", r""),),
         waived="Kunai's own community rules are not kept here; 260 rules in their manner are"),
    Item("the tables of expressions and conditions, row by row", (("unit", r"^expression: "), ("unit", r"^condition: "))),
    Item("match-on, order of exclusion and inclusion, what is printed", (("unit", r"^rules: match-on"), ("unit", r"^detect: "))),
    Item("indicators are looked up in the right fields only", (("unit", r"^ioc: "), ("live", r"indicators: "))),
    Item("replay reads old recordings and acts on nothing", (("commands", r"and nobody is killed"), ("unit", r"^reader: "))),
    Item("pykunai runs on the output", (("unit", r"^json: .*answers as one text"),),
         waived="kunai-graph and kunai-search are not run by a test: pykunai is not in Debian"),
    Item("rotation: indexes, mode, bound, order of `logs`",
         (("unit", r"^rotating: "), ("commands", r"rotated files, oldest first"))),
    Item("a second instance ends with 0; an old pid file is no hindrance", (("live", r"a second instance warns and ends"),)),
    Item("hardened mode", (("attack", r"signal.kill is refused"), ("attack", r"the secret stops it"))),
    Item("throttling of file events: codes 1 and 2", (("live", r"throttled"),)),
    Item("5.10, 6.1, 6.12, newest; arm64",
         tuple((f"vm-{name}", r"begins with one start event") for name in ("5.10", "6.1", "6.12", "newest", "arm64-6.1", "arm64-6.12"))),
)


def judge(item, results):
    """results: of each part that ran, its results. Returns passed, failed, waived or not run, and why."""
    if not item.tests:
        return "waived", item.waived
    problems, missing = [], []
    for part, pattern in item.tests:
        if not results.get(part):
            missing.append(part)
            continue
        found = [r for r in results[part] if re.search(pattern, r.name)]
        if not any(r.status == "passed" for r in found):
            problems.append(f"{part}: no test passed that is named {pattern!r}")
        problems += [f"{part}: {r.name}" for r in found if r.status == "failed"]
    if problems:
        return "failed", "; ".join(problems)
    if missing:
        return "not run", ", ".join(dict.fromkeys(missing))
    return ("waived in part", item.waived) if item.waived else ("passed", "")


def print_checklist(results):
    """Returns how many items failed."""
    verdicts = [(item, *judge(item, results)) for item in ITEMS]
    if all(verdict in ("waived", "not run") for _, verdict, _ in verdicts):
        return 0
    print("checklist of compatibility:")
    for number, (item, verdict, why) in enumerate(verdicts, 1):
        print(f"  {number:2} {verdict:14} {item.text}{': ' + why if why else ''}")
    return sum(verdict == "failed" for _, verdict, _ in verdicts)

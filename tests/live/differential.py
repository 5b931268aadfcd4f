# SPDX-License-Identifier: GPL-3.0-or-later
"""One long mix of operations (tests/actors/mix.c) under both tiers: the same must be told, but for what docs/tiers.md
lists. The mix leaves some of that out: accesses that move nothing, refused deletions; and what depends on the clock:
shared mappings that are written, names that are links."""
import collections
import json

import judge

NAMES = ("mixture", "mix")  # of its tasks
# What no two runs have in common; and what user space reads from files milliseconds later, when the mix has changed them.
VARYING = {"pid", "tgid", "guuid", "addr", "community_id", "md5", "sha1", "sha256", "sha512", "size", "magic", "error",
           "data_entropy", "data_sampled"}  # fmt: skip
SHOWN = 8
EVENTS_MIN = 1000  # of so many operations fewer events would tell of a mix that did nothing


def fixed_part(value, within=""):
    if isinstance(value, dict):
        kept = ((k, v) for k, v in value.items() if k not in VARYING and f"{within}.{k}" not in ("src.port", "dst.port"))
        return {k: fixed_part(v, k) for k, v in kept}
    return [fixed_part(v, within) for v in value] if isinstance(value, list) else value


def without_allowed(data):
    """Less what docs/tiers.md allows: (3) paths that could not be verified, (4) the source of a refused connection."""
    data.pop("path_unverified", None)
    if data.get("connected") is False:
        data.pop("src", None)
    return data


def told(log):
    """What was told of the mix, without order: two CPUs may finish two things in either."""
    events = (e for e in log.events if e["info"]["task"]["name"] in NAMES)
    return collections.Counter((e["info"]["event"]["name"], e["info"]["task"]["name"],
                                json.dumps(without_allowed(fixed_part(e["data"])), sort_keys=True)) for e in events)  # fmt: skip


def compare(one, other):
    """Two logs -> a result."""
    first, second = told(one), told(other)
    problems = [f"{n} times only in {where}: {event}" for where, left in (("the first", first - second), ("the other", second - first))
                for event, n in sorted(left.items())]  # fmt: skip
    if first.total() < EVENTS_MIN:
        problems.append(f"only {first.total()} events of the mix")
    return judge.Result(f"both tiers tell the same {first.total()} events of the mix", problems)

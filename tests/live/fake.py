# SPDX-License-Identifier: GPL-3.0-or-later
"""A sensor that is always right: makes the output from the facts. It is what the judge is tested with."""
import json
import struct
import time
import uuid

import model
import shape

SALT = 0x12345678
BOOT = 1_700_000_000
DIGESTS = {"md5": "0" * 32, "sha1": "0" * 40, "sha256": "0" * 64, "sha512": "0" * 128}


def guuid_of(start, salt, tgid):
    return str(uuid.UUID(bytes=struct.pack("<QII", start, salt, tgid)))


def utc_time_of(ns):
    seconds, rest = divmod(ns, 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(BOOT + seconds)) + f".{rest:09}Z"


def put(event, path, value):
    if value is model.ABSENT:
        return
    *parents, leaf = path.split(".")
    for key in parents:
        event = event.setdefault(key, {})
    event[leaf] = sample(value)


def sample(value):
    return value.sample if isinstance(value, model.Match) else str(value) if isinstance(value, str) else value


def blank(wanted):
    """An object with every documented key and some value of its type."""
    if not callable(wanted):
        return {key: blank(inner) for key, inner in wanted}
    for value in ("", 0, False, 0.5, [], "0x0", None, str(uuid.UUID(int=0)), "1:" + "A" * 27 + "=", "0" * 64):
        if wanted(value) and not (value is False and wanted(0)):
            return value
    return "2023-11-14T22:13:20.000000000Z"


class Sensor:
    """One run: starts with the start event."""

    def __init__(self, salt=SALT):
        self.salt, self.lines, self.starts, self.children = salt, [], {}, 0
        self.emit("start", 0, {}, 1, 1)

    def emit(self, kind, ns, fields, tgid, parent_tgid):
        event = {"data": blank(shape.DATA[kind]), "info": blank(shape.INFO)}
        for name in ("exe", "interpreter", "mapped"):
            if "md5" in (event["data"].get(name) or {}):
                event["data"][name] |= DIGESTS | {"error": None}
        info = event["info"]
        info["host"]["name"] = "host"
        info["event"] |= {"source": "kunai", "id": shape.IDS[kind], "name": kind, "uuid": str(uuid.uuid4())}
        info["task"] |= {"namespaces": {"mnt": 0}, "pid": tgid, "tgid": tgid}
        info["parent_task"]["tgid"] = parent_tgid
        for path, value in fields.items():
            if value is not model.ABSENT:
                put(event, path, value)
        for task in ("task", "parent_task"):
            pid = info[task]["tgid"]
            info[task]["guuid"] = guuid_of(self.starts.setdefault(pid, ns), self.salt, pid)
        info["utc_time"] = utc_time_of(ns)
        self.finish(event["data"], info)
        self.lines.append((ns, event))

    @staticmethod
    def finish(data, info):
        peer = data.get("dst") or data.get("dns_server")
        if peer and "socket" in data and data["socket"]["proto"]:
            number = {name: n for n, name in model.PROTOCOLS.items()}[data["socket"]["proto"]]
            data["src"]["ip"] = data["src"]["ip"] or "0.0.0.0"
            if "::ffff:" not in peer["ip"] and (":" in peer["ip"]) == (":" in data["src"]["ip"]):
                data["community_id"] = model.community_id_of(number, data["src"]["ip"], data["src"]["port"], peer["ip"],
                                                             peer["port"])  # fmt: skip
            elif "::ffff:" not in peer["ip"]:
                data["src"]["ip"] = "::"
                Sensor.finish(data, info)

    def learn_start(self, fact):
        """A start within the right tick, and not after the fact."""
        tick = fact.get("start_ticks")
        if fact["op"] != "clone" and self.starts.get(fact["tgid"], 0) // model.TICK == tick:
            return
        if tick:
            self.starts[fact["tgid"]] = min(fact["ns"], tick * model.TICK + model.TICK - 1)
        elif fact["op"] == "clone":
            self.starts[fact["tgid"]] = fact["ns"]

    def take(self, expected):
        fact, tgid = expected.fact, expected.tgid
        if tgid is None:  # a child of a storm: its three events come one after the other
            tgid = 4_000_000 + self.children // 3
            self.children += 1
            self.starts.setdefault(tgid, fact["ns"])
        fields = {"info.task.tgid": tgid, "info.task.pid": tgid} | expected.fields
        if any(type(v) is model.AnyOf for v in fields.values()):
            fields["data.exe_unverified"] = True
        if fact.get("cut"):
            fields["data.path_truncated"] = True
        self.emit(expected.kind, fact["ns"], fields, tgid, expected.fields["info.parent_task.tgid"])

    def events(self):
        return [event for _, event in sorted(self.lines, key=lambda line: line[0])]


def output_of(events):
    return b"".join(json.dumps(e, separators=(",", ":"), ensure_ascii=False).encode() + b"\n" for e in events)


def sense(facts, files):
    """The events of both runs of the sensor."""
    table, runs = model.Model(files), [Sensor(), Sensor(SALT + 1)]
    for fact in facts:
        second = fact["case"].startswith("identity.") and fact["case"].endswith(".2")
        for run in runs:
            if fact["op"] in ("driver", "clone", "linger"):
                run.learn_start(fact)
        for expected in table.feed(fact):
            runs[second].take(expected)
    return [run.events() for run in runs]

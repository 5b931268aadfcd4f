# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules and indicators at work, with those of tests/rules/live."""
import json
import os
import shutil
import socket
import struct
import subprocess
import threading
from pathlib import Path

import behaviour
import judge
import shape
from sensor import OPTIONS, Sensor, must

RULES = Path(__file__).resolve().parent.parent / "rules/live"
DNS_SERVER = ("127.0.0.77", 53)
ALIAS, NAME, ADDRESS = "www.evil.test", "evil.test", "192.0.2.77"


def program(directory, name):
    path = os.path.join(directory, name)
    shutil.copy("/bin/true", path)
    return path


class Matching(Sensor):
    def __init__(self, kunai, directory, rules, *options):
        super().__init__([kunai, *OPTIONS, "-r", str(RULES / rules), *options], directory)

    def finish(self):
        """The events: what was done before is there when it ends."""
        must(self.stop() == 0, f"its end: {self.stderr()}")
        events = [json.loads(line) for line in self.out.read_bytes().splitlines()]
        for event in events:
            plain = {key: value for key, value in event.items() if key not in ("detection", "filter")}
            problems = list(shape.misshapen_event(plain))
            must(not problems, f"{problems}: {event}")
        return events


def check_filters(kunai, directory):
    """Two types are left out, all others are there and say which filter chose them."""
    with Matching(kunai, directory, "filters.kun") as sensor:
        must(sensor.started(), f"it did not start: {sensor.stderr()}")
        path = program(directory, "program")
        subprocess.run([path], check=True)
        events = sensor.finish()
    ours = [e for e in events if directory in json.dumps(e["data"]) and judge.kind_of(e) != "start"]
    kinds = {judge.kind_of(e) for e in ours}
    must({"execve", "file_create", "write", "write_close"} <= kinds, f"there are only {kinds}")
    must(not {"clone", "exit_group"} & {judge.kind_of(e) for e in events}, "what is excluded is there")
    wrong = [e for e in ours if e.get("filter") != {"rules": ["all.but.two"], "tags": ["log"]} or "detection" in e]
    must(not wrong, f"not chosen by the filter: {wrong[:1]}")


def check_dependency(kunai, directory):
    """It is evaluated for both rules, is none itself, and the severities sum."""
    with Matching(kunai, directory, "dependencies.kun") as sensor:
        must(sensor.started(), f"it did not start: {sensor.stderr()}")
        subprocess.run([program(directory, "marked")], check=True)
        subprocess.run([program(directory, "unmarked")], check=True)
        events = sensor.finish()
    got = {judge.kind_of(e): e.get("detection") for e in events if judge.kind_of(e) != "start"}
    both = {"rules": ["marked.does.anything", "marked.runs"], "tags": ["one", "two"], "attack": ["T1204", "T1204.002"], "severity": 7}
    one = {"rules": ["marked.does.anything"], "tags": ["two"], "attack": ["T1204.002"], "severity": 4}
    must(got == {"execve": both, "exit_group": one}, f"{got}")


def check_whitelist(kunai, directory):
    """What is excluded is no detection; a filter is another category."""
    with Matching(kunai, directory, "whitelist.kun") as sensor:
        must(sensor.started(), f"it did not start: {sensor.stderr()}")
        path = program(directory, "program")
        for arguments in ([], ["--known"], ["--known", "--not"]):
            subprocess.run([path, *arguments], check=True)
        events = sensor.finish()
    got = [(e["data"]["command_line"].split(" ", 1)[1:], e.get("detection"), e.get("filter")) for e in events if judge.kind_of(e) == "execve"]
    detected, seen = {"rules": ["program.of.test"], "severity": 5}, {"rules": ["program.of.test.seen"]}
    want = [([], detected, seen), (["--known"], None, seen), (["--known --not"], detected, seen)]
    must(got == want, f"{got}")


def encode(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def answer(query):
    """ALIAS is another name of NAME, which has an address."""
    question = query[12:]
    alias = b"\xc0\x0c" + struct.pack(">HHIH", 5, 1, 60, len(encode(NAME))) + encode(NAME)
    address = encode(NAME) + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton(ADDRESS)
    return query[:2] + struct.pack(">HHHHH", 0x8180, 1, 2, 0, 0) + question + alias + address


def serve_once(server):
    query, client = server.recvfrom(512)
    server.sendto(answer(query), client)


def ask_and_connect():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(DNS_SERVER)
        thread = threading.Thread(target=serve_once, args=(server,))
        thread.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(10)
            client.connect(DNS_SERVER)
            client.send(struct.pack(">HHHHHH", 4711, 0x100, 1, 0, 0, 0) + encode(ALIAS) + struct.pack(">HH", 1, 1))
            client.recv(512)
        thread.join()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect((ADDRESS, 9))


def check_names(kunai, directory):
    """A name is found where it is asked for, where it is the answer, and where it is connected to; severities sum."""
    iocs = os.path.join(directory, "names.ioc")
    Path(iocs).write_text("".join(json.dumps({"source": "test", "value": value, "severity": severity}) + "\n"
                                  for value, severity in ((ALIAS, 3), (NAME, 4), (ADDRESS, 1))))  # fmt: skip
    with Matching(kunai, directory, "names.kun", "-i", iocs) as sensor:
        must(sensor.started(), f"it did not start: {sensor.stderr()}")
        ask_and_connect()
        events = sensor.finish()
    got = [(judge.kind_of(e), e["data"].get("query"), e["detection"]) for e in events if "detection" in e]
    rule = {"rules": ["question.from.test"]}
    want = [
        ("dns_query", ALIAS, {"iocs": [NAME, ALIAS], **rule, "severity": 8}),
        ("dns_query", NAME, {"iocs": [ADDRESS, NAME], **rule, "severity": 6}),
        ("connect", None, {"iocs": [ADDRESS, NAME, ALIAS], "severity": 8}),
    ]
    must(got == want, f"{got}")


CHECKS = {
    "rules: everything but two events": check_filters,
    "rules: a dependency of two rules, whose severities sum": check_dependency,
    "rules: what is excluded is no detection": check_whitelist,
    "indicators: a name as question, as answer and as destination": check_names,
}


def run_all(kunai):
    for name, check in CHECKS.items():
        yield judge.Result(name, behaviour.run_check(check, kunai))

# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests the judge: what is right passes, and whatever is spoilt fails, in the check that is there for it.

The facts are real: the actors run, without a sensor. The output is made from them (fake.py)."""
import copy
import json
import os
import re
import subprocess
import tempfile

import fake
import judge

STORM = 7

# Enough for every kind of event; spoiling the output of all cases would take minutes.
SPOILT_CASES = re.compile(
    r"|exec\..*|script\..*|args\.odd|clone\..*|exit.*|write_close\.(write|nothing)\..*|file_create\.(open|odd_names)"
    r"|prctl\..*|kill\.(tgkill|refused\.kill)|ptrace\..*|m(protect|map)_exec\..*|connect\.(tcp|refused)\..*|send_data\.tcp4\..*|dns\.(udp4|zone\.udp)\..*|storm\..*|identity\.seeded\..*"
    r"|filter\.(tcp4|udp6)|prog\.(xdp|unnamed|refused\.code)|module\.(init|finit)\.(full|garbage)"
)


def run_actors(actors):
    """The facts of all cases, and of a lingering process in both phases."""
    with tempfile.TemporaryDirectory(prefix="kunai-selftest.") as work:
        os.chmod(work, 0o755)
        scenario, facts = os.path.join(actors, "scenario"), os.path.join(work, "facts.jsonl")
        subprocess.run(["touch", f"{work}/first", f"{work}/second"], check=True)
        subprocess.run([scenario, "linger", "seeded", work, facts, f"{work}/first", f"{work}/second"], check=True)
        subprocess.run([scenario, "run", work, facts, str(STORM)], check=True)
        with open(facts) as lines:
            return [json.loads(line) for line in lines]


class Spoiler:
    """Finds an event of the output and changes it."""

    def __init__(self, runs):
        self.events = runs[0]

    def index(self, kind, path=None, value=None, nth=0):
        found = [i for i, e in enumerate(self.events)
                 if judge.kind_of(e) == kind and (path is None or judge.value_at(e, path) == value)]  # fmt: skip
        return found[nth]

    def nth(self, kind, path, value):
        """Which of its kind is the first with that value."""
        return [judge.value_at(e, path) for e in self.events if judge.kind_of(e) == kind].index(value)

    def drop(self, kind, nth=0):
        del self.events[self.index(kind, nth=nth)]

    def double(self, kind):
        i = self.index(kind)
        again = copy.deepcopy(self.events[i])
        again["info"]["event"]["uuid"] = "00000000-0000-0000-0000-000000000001"
        self.events.insert(i, again)

    def set(self, kind, path, value, nth=0):
        fake.put(self.events[self.index(kind, nth=nth)], path, value)


def reorder_keys(spoiler):
    event = spoiler.events[spoiler.index("execve")]
    event["data"] = dict(sorted(event["data"].items(), reverse=True))


def swap_times(spoiler):
    first, last = spoiler.events[10]["info"], spoiler.events[-1]["info"]
    first["utc_time"], last["utc_time"] = last["utc_time"], first["utc_time"]


def change_salt(spoiler):
    task = spoiler.events[-1]["info"]["task"]
    who = judge.Identity.of(task["guuid"])
    task["guuid"] = fake.guuid_of(who.start, who.salt ^ 1, who.tgid)


def shift_start(spoiler):
    """Of a clone event, by one tick."""
    task = spoiler.events[spoiler.index("clone", nth=5)]["info"]["task"]
    who = judge.Identity.of(task["guuid"])
    task["guuid"] = fake.guuid_of(who.start - 2 * judge.model.TICK, who.salt, who.tgid)


def report_sensor(spoiler):
    event = copy.deepcopy(spoiler.events[5])
    event["info"]["task"] |= {"tgid": 3, "guuid": fake.guuid_of(1, fake.SALT, 3)}
    event["info"]["event"]["uuid"] = "00000000-0000-0000-0000-000000000002"
    spoiler.events.insert(6, event)


def clone_late(spoiler):
    """A process does something before it exists."""
    i = spoiler.index("exit_group")
    who = spoiler.events[i]["info"]["task"]["guuid"]
    j = next(k for k, e in enumerate(spoiler.events)
             if judge.kind_of(e) == "clone" and e["info"]["task"]["guuid"] == who)  # fmt: skip
    spoiler.events[i], spoiler.events[j] = spoiler.events[j], spoiler.events[i]


def other_digest(kind):
    return lambda s: s.set(kind, "data.exe.sha256", "1" * 64)


def model_digests():
    return {"md5": "1" * 32, "sha1": "1" * 40, "sha256": "1" * 64, "sha512": "1" * 128}


def show_unwritten(spoiler):
    """A close of a file that was not written."""
    i = next(k for k, e in enumerate(spoiler.events) if "/write_close.nothing.exit/" in e["data"].get("path", "")
             and judge.kind_of(e) == "write_close")  # fmt: skip
    again = copy.deepcopy(spoiler.events[i])
    again["info"]["event"]["uuid"] = "00000000-0000-0000-0000-000000000003"
    spoiler.events.insert(i, again)


# What is spoilt -> (name, a part of the names of the results that must fail).
SPOILS = {
    "an execve is missing": (lambda s: s.drop("execve"), "exec."),
    "a script is missing": (lambda s: s.drop("execve_script"), "script."),
    "a clone is missing": (lambda s: s.drop("clone", 9), ""),
    "an exit is missing": (lambda s: s.drop("exit"), ""),
    "an exit_group is missing": (lambda s: s.drop("exit_group"), ""),
    "a write_close is missing": (lambda s: s.drop("write_close", 30), ""),
    "a file_create is missing": (lambda s: s.drop("file_create", -3), ""),
    "a connect is missing": (lambda s: s.drop("connect"), "connect."),
    "a dns_query is missing": (lambda s: s.drop("dns_query"), "dns."),
    "a send_data is missing": (lambda s: s.drop("send_data"), "send_data."),
    "an execve comes twice": (lambda s: s.double("execve"), "exec."),
    "a write_close comes twice": (lambda s: s.double("write_close"), ""),
    "a dns_query comes twice": (lambda s: s.double("dns_query"), "dns."),
    "a close without a write is shown": (show_unwritten, "write_close.nothing.exit"),
    "a stormed execve is missing": (lambda s: s.drop("execve", -1), "storm.exec"),
    "another exe": (lambda s: s.set("execve", "data.exe.path", "/x"), "exec."),
    "another digest": (other_digest("execve"), "exec."),
    "another digest of a script": (other_digest("execve_script"), "script."),
    "another interpreter": (lambda s: s.set("execve_script", "data.interpreter.path", "/x"), "script."),
    "another command line": (lambda s: s.set("execve", "data.command_line", "x"), "exec."),
    "another parent_exe": (lambda s: s.set("execve", "data.parent_exe", "x"), "exec."),
    "another parent_command_line": (lambda s: s.set("execve", "data.parent_command_line", "x"), "exec."),
    "other ancestors": (lambda s: s.set("execve", "data.ancestors", "x"), "exec."),
    "another error code": (lambda s: s.set("exit_group", "data.error_code", 255), ""),
    "other flags": (lambda s: s.set("clone", "data.flags", "0x12", 5), ""),
    "another path": (lambda s: s.set("write_close", "data.path", "/x"), ""),
    "another way of writing": (lambda s: s.set("write_close", "data.written_by", ["aio"]), ""),
    "another created path": (lambda s: s.set("file_create", "data.path", "/x"), ""),
    "another address": (lambda s: s.set("connect", "data.dst.ip", "9.9.9.9"), "connect."),
    "another port": (lambda s: s.set("connect", "data.dst.port", 9), "connect."),
    "another source": (lambda s: s.set("connect", "data.src.port", 9), "connect."),
    "another community id": (lambda s: s.set("connect", "data.community_id", "1:" + "B" * 27 + "="), "community ids"),
    "not connected": (lambda s: s.set("connect", "data.connected", False), "connect."),
    "a public loopback": (lambda s: s.set("connect", "data.dst.public", True), "connect."),
    "another host name": (lambda s: s.set("connect", "data.dst.hostname", "x", -1), ""),
    "another size": (lambda s: s.set("send_data", "data.data_size", 2), "send_data."),
    "another entropy": (lambda s: s.set("send_data", "data.data_entropy", 7.9), "send_data."),
    "another program": (lambda s: s.set("bpf_prog_load", "data.bpf_prog", {**model_digests(), "size": 16}), "prog."),
    "a program that was not loaded": (lambda s: s.set("bpf_prog_load", "data.loaded", False), "prog."),
    "another tag": (lambda s: s.set("bpf_prog_load", "data.tag", "0" * 16), "prog."),
    "another type of program": (lambda s: s.set("bpf_prog_load", "data.prog_type", {"id": 1, "name": "xdp"}), "prog."),
    "an init_module is missing": (lambda s: s.drop("init_module"), "module."),
    "another module": (lambda s: s.set("init_module", "data.module_name", "x"), "module."),
    "other parameters of a module": (lambda s: s.set("init_module", "data.args", "x=y"), "module."),
    "a module that was loaded": (lambda s: s.set("init_module", "data.loaded", True, s.nth("init_module", "data.loaded", False)), "module."),
    "another filter": (lambda s: s.set("bpf_socket_filter", "data.filter.sha256", "1" * 64), "filter."),
    "another length of a filter": (lambda s: s.set("bpf_socket_filter", "data.filter.len", 77), "filter."),
    "a filter that was not attached": (lambda s: s.set("bpf_socket_filter", "data.attached", False), "filter."),
    "another kind of socket": (lambda s: s.set("bpf_socket_filter", "data.socket.domain", "AF_UNIX"), "filter."),
    "a filter that is marked as cut": (lambda s: s.set("bpf_socket_filter", "data.filter.truncated", True), "filter."),
    "another query": (lambda s: s.set("dns_query", "data.query", "x"), "dns."),
    "another query type": (lambda s: s.set("dns_query", "data.query_type", "MX"), "dns."),
    "another response": (lambda s: s.set("dns_query", "data.response", ["1.1.1.1"]), "dns."),
    "a prctl is missing": (lambda s: s.drop("prctl"), "prctl."),
    "another option": (lambda s: s.set("prctl", "data.option", "PR_SET_MM"), "prctl."),
    "another argument": (lambda s: s.set("prctl", "data.arg5", "0x99"), "prctl."),
    "a prctl that succeeds": (lambda s: s.set("prctl", "data.success", True, 1), "prctl."),
    "a kill is missing": (lambda s: s.drop("kill"), ""),
    "a kill comes twice": (lambda s: s.double("kill"), ""),
    "another signal": (lambda s: s.set("kill", "data.signal", "SIGPWR"), ""),
    "another target": (lambda s: s.set("kill", "data.target.task.tgid", 1), ""),
    "a kill that is not refused": (lambda s: s.set("kill", "data.success", True, s.nth("kill", "data.success", False)), "kill."),
    "a ptrace is missing": (lambda s: s.drop("ptrace"), "ptrace."),
    "another access": (lambda s: s.set("ptrace", "data.access", "peek"), "ptrace."),
    "another mode": (lambda s: s.set("ptrace", "data.mode", "0x1"), "ptrace."),
    "another target's executable": (lambda s: s.set("ptrace", "data.target.exe.path", "/x"), "ptrace."),
    "an mprotect_exec is missing": (lambda s: s.drop("mprotect_exec"), "mprotect_exec."),
    "another addr": (lambda s: s.set("mprotect_exec", "data.addr", "0x1"), "mprotect_exec."),
    "another prot": (lambda s: s.set("mprotect_exec", "data.prot", "0x3"), "mprotect_exec."),
    "a file where none is": (lambda s: s.set("mprotect_exec", "data.path", "/x"), "mprotect_exec."),
    "an mmap_exec is missing": (lambda s: s.drop("mmap_exec"), "mmap_exec."),
    "another mapped file": (lambda s: s.set("mmap_exec", "data.mapped.path", "/x"), "mmap_exec."),
    "another digest of a mapped file": (lambda s: s.set("mmap_exec", "data.mapped.sha1", "1" * 40), "mmap_exec."),
    "a refused mmap that succeeds": (lambda s: s.set("mmap_exec", "data.success", True, 4), "mmap_exec.refused"),
    "another comm": (lambda s: s.set("execve", "info.task.name", "x"), "exec."),
    "another pid": (lambda s: s.set("execve", "info.task.pid", 9), "exec."),
    "another uid": (lambda s: s.set("execve", "info.task.uid", 9), "exec."),
    "another user": (lambda s: s.set("execve", "info.task.user", "x"), "exec."),
    "another group": (lambda s: s.set("execve", "info.task.group", "x"), "exec."),
    "another mount namespace": (lambda s: s.set("execve", "info.task.namespaces.mnt", 9), "exec."),
    "a zombie": (lambda s: s.set("execve", "info.task.zombie", True), "exec."),
    "a container": (lambda s: s.set("execve", "info.host.container", {"name": "x", "type": None}), "exec."),
    "another parent": (lambda s: s.set("execve", "info.parent_task.tgid", 9), "exec."),
    "a key too many between": (reorder_keys, "keys, their order"),
    "a number as text": (lambda s: s.set("send_data", "data.data_size", "2"), "keys, their order"),
    "an unknown event": (lambda s: s.set("execve", "info.event.name", "exec"), "keys, their order"),
    "another event id": (lambda s: s.set("execve", "info.event.id", 3), "keys, their order"),
    "an error and digests": (lambda s: s.set("execve", "data.exe.error", "x"), "keys, their order"),
    "no start event": (lambda s: s.drop("start"), "one start event"),
    "a start event too many": (lambda s: s.double("start"), "one start event"),
    "times out of order": (swap_times, "order of time"),
    "another salt": (change_salt, "guuids"),
    "a start that /proc does not have": (shift_start, ""),
    "the sensor's own activity": (report_sensor, "own activity"),
    "two events with one uuid": (lambda s: s.set("exit_group", "info.event.uuid", s.events[9]["info"]["event"]["uuid"], 30), "event uuids"),
    "a clone too late": (clone_late, "clone comes first"),
    "two hosts": (lambda s: s.set("clone", "info.host.name", "x"), "one host"),
    "another source of events": (lambda s: s.set("clone", "info.event.source", "x"), "one host"),
}  # fmt: skip

# The same for the bytes of the output.
SPOILT_BYTES = {
    "bad UTF-8": (lambda data: data.replace(b'"kunai"', b'"kun\xffi"', 1), "every line is JSON"),
    "blanks": (lambda data: data[:-2] + b' }\n', "every line is JSON"),
    "needless escapes": (lambda data: data.replace(b'"clone"', b'"\\u0063lone"', 1), "every line is JSON"),
    "half a line": (lambda data: data[:-20], "every line is JSON"),
    "an empty line": (lambda data: data + b"\n", "every line is JSON"),
}


def failures(facts, outputs, files):
    logs = [judge.Log(output, sensor_pid=3) for output in outputs]
    return {r.name: r.problems for r in judge.judge(facts, logs, files) if r.problems}


def loss_event():
    event = {"data": fake.blank(fake.shape.DATA["event_loss"]), "info": fake.blank(fake.shape.INFO)}
    event["info"]["event"] |= {"source": "kunai", "id": 1100, "name": "event_loss", "uuid": "0" * 8 + "-0000-0000-0000-" + "0" * 12}
    event["info"]["host"]["name"] = "host"
    return event


def report(name, wanted, failed):
    problems = [] if any(wanted in n for n in failed) else [f"wanted a failure of {wanted!r}, got {sorted(failed)[:5]}"]
    return judge.Result(f"the judge sees: {name}", problems)


def self_test(actors, files):
    facts = run_actors(actors)
    accepted = accept(facts, files)
    yield accepted
    if not accepted.problems:
        yield from check_results(facts, files)
        yield from spoil_all([f for f in facts if SPOILT_CASES.fullmatch(f["case"])], files)


def accept(facts, files):
    """Problems of the facts themselves are problems, too: a broken actor must not hide in its case."""
    outputs = [fake.output_of(events) for events in fake.sense(facts, files)]
    failed = failures(facts, outputs, files)
    return judge.Result("the judge accepts what is right", [f"{name}: {p[:3]}" for name, p in failed.items()])


def spoil_all(facts, files):
    runs = fake.sense(facts, files)
    outputs = [fake.output_of(events) for events in runs]

    for name, (spoil, wanted) in SPOILS.items():
        spoilt = [copy.deepcopy(runs[0]), runs[1]]
        spoil(Spoiler(spoilt))
        yield report(name, wanted, failures(facts, [fake.output_of(spoilt[0]), outputs[1]], files))
    for name, (spoil, wanted) in SPOILT_BYTES.items():
        yield report(name, wanted, failures(facts, [spoil(outputs[0]), outputs[1]], files))
    yield report("losses", "nothing is lost", failures(facts, [outputs[0] + fake.output_of([loss_event()]), outputs[1]], files))
    yield report("one salt for two runs", "identity of the seeded", failures(facts, [outputs[0], fake.output_of(same_salt(runs[1]))], files))
    yield report("what the table says is unseen", "write_close.write.exit", failures_with_unseen(facts, outputs, files))
    broken = [f for f in facts if not (f["op"] == "end" and f["case"] == "clone.fork")]
    yield report("a case that did not end", "clone.fork", failures(broken, outputs, files))


def failures_of_results(facts, files, having):
    """The sensor of a kernel that tells results, which io_uring requests have or not."""
    facts = [f for f in facts if f["case"] in ("", "io_uring.nop")]
    events = fake.sense(facts, files)[0]
    fake.put(events[0], "data.system.release", "6.12.0")
    for event in events:
        if having and judge.kind_of(event) == "io_uring_sqe":
            fake.put(event, "data.result", 0)
    results = judge.judge_results(facts, judge.Log(fake.output_of(events), sensor_pid=3))
    return {r.name: r.problems for r in results if r.problems or having}


def check_results(facts, files):
    yield report("requests without their results", "requests have their results", failures_of_results(facts, files, having=False))
    accepted = failures_of_results(facts, files, having=True)
    yield judge.Result("the judge accepts requests with their results", [] if list(accepted.values()) == [[]] else [str(accepted)])


def failures_with_unseen(facts, outputs, files):
    judge.model.UNSEEN.append(judge.model.Unseen("write_close.write.exit", "of this test"))
    try:
        return failures(facts, outputs, files)
    finally:
        judge.model.UNSEEN.pop()


def same_salt(events):
    events = copy.deepcopy(events)
    for event in events:
        for whose in ("task", "parent_task"):
            who = judge.identity(event, whose)
            event["info"][whose]["guuid"] = fake.guuid_of(who.start, fake.SALT, who.tgid)
    return events

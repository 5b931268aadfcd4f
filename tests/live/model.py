# SPDX-License-Identifier: GPL-3.0-or-later
"""From the facts of the actors to the events that they must have caused.

A small process table follows the facts, as the sensor's follows the kernel: so a fact says only what was done,
and ancestors, command lines and executables of each expected event come from here."""
import base64
import dataclasses
import fnmatch
import hashlib
import ipaddress
import math
import struct
from collections import Counter

ARGS_MAX = 32 * 1024  # default of max_args
PAYLOAD_MAX = 4096
PATH_LIMIT = 4096
FIND_VMA = (5, 17)  # kernels from there on tell what is mapped at an address
TICK = 10_000_000  # ns; the kernel shows start times in 1/100 s

DOMAINS = {2: "AF_INET", 10: "AF_INET6"}
TYPES = {1: "SOCK_STREAM", 2: "SOCK_DGRAM"}
PROTOCOLS = {6: "TCP", 17: "UDP"}
FILTER_DOMAINS = {1: "AF_UNIX", 2: "AF_INET", 10: "AF_INET6", 16: "AF_NETLINK", 17: "AF_PACKET", 40: "AF_VSOCK"}
FILTER_TYPES = {1: "SOCK_STREAM", 2: "SOCK_DGRAM", 3: "SOCK_RAW"}
FILTER_PROTOCOLS = {0: "IP", 6: "TCP", 17: "UDP"}
FILTER_OPTIONS = {26: "SO_ATTACH_FILTER", 50: "SO_ATTACH_BPF", 51: "SO_ATTACH_REUSEPORT_CBPF", 52: "SO_ATTACH_REUSEPORT_EBPF"}
MODULE_ARGS_MAX = 1024
FILTER_BYTES = 16384  # of a classic filter that are kept
DIGESTS = ("md5", "sha1", "sha256", "sha512")
PROG_TYPES = {
    0: "unspec", 1: "socket_filter", 2: "kprobe", 3: "sched_cls", 5: "tracepoint", 6: "xdp", 17: "raw_tracepoint",
    26: "tracing",
}  # fmt: skip
QUERY_TYPES = {1: "A", 5: "CNAME", 15: "MX", 16: "TXT", 28: "AAAA"}

@dataclasses.dataclass
class Unseen:
    """A close that cannot be seen, as docs/tiers.md says. It must then be absent in the cases that are about it, so
    that the table fails as soon as it is wrong."""

    cases: str  # pattern
    why: str
    since: tuple = (0, 0)  # kernel versions
    before: tuple = (999, 0)
    event: str | None = "write_close"  # that sees it on the trampoline tier


UNSEEN = [
    Unseen("io_uring.registered_files*", "the ring held it: it goes in a thread of the kernel", event=None),
    Unseen("write_close.*.undelivered", "it goes while a socket is torn down, after the call has returned", before=(6, 6)),
]


def unseen_row(case, kernel, trampoline):
    rows = (row for row in UNSEEN if row.since <= kernel < row.before and row.event not in trampoline
            and fnmatch.fnmatchcase(case, row.cases))  # fmt: skip
    return next(rows, None)


URING_TOLD = (5, 18)  # kernels from there on tell which request has ended
UNCONFIRMED = ("connect", "send_data", "file_rename", "file_unlink")
VIA = (*UNCONFIRMED, "file_create", "dns_query", "read", "read_config", "write", "write_config")


ACCESSES = ("read", "read_config", "write", "write_config")


def is_background(kind, data):
    """Every program reads and writes some files: only those of the cases about it are judged."""
    return kind in ACCESSES and "/access." not in data["path"] and data["path"] != "/etc/hostname"


class Match:
    """An expected value that is not one value. `sample` is an example of what passes."""

    def __init__(self, test, sample, text):
        self.test, self.sample, self.text = test, sample, text

    def __eq__(self, got):
        return self.test(got)

    def __repr__(self):
        return self.text


ABSENT = Match(lambda got: isinstance(got, type), None, "absent")  # judge.Missing


@dataclasses.dataclass
class Expected:
    """One event. `fields` maps dotted paths to values; `extra` are fields that are checked when present."""

    kind: str
    tgid: int
    fields: dict
    fact: dict


@dataclasses.dataclass
class Process:
    tgid: int
    exe: str  # as events show it: the script, if it is one
    image: str  # as the kernel has it: the interpreter
    command_line: object
    parent: object
    zombie: bool = False
    container: object = None  # its name
    cgroup: object = None  # what its cgroup tells of the container

    cgroup_of_children: object = None

    def ancestors(self):
        names, process = [], self.parent
        while process:
            names.append(process.exe)
            process = process.parent
        return "|".join(reversed(names))


def raw(value):
    """The bytes of a fact's string."""
    return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value.encode()


def text(value):
    return raw(value).decode("utf-8", "replace")


def quote(argument):
    if not any(c.isspace() for c in argument):
        return argument
    return '"' + argument.replace('"', '\\"') + '"'


def command_line_of(area):
    """Joined as Kunai does: empty arguments dropped, bad bytes replaced, quoted where there is white space."""
    arguments = [a.decode("utf-8", "replace") for a in area.split(b"\0") if a]
    return " ".join(map(quote, arguments))


def expect_command_line(area):
    full = command_line_of(area)
    if len(area) <= ARGS_MAX:
        return full
    return Match(
        lambda got: isinstance(got, str) and full.startswith(got) and ARGS_MAX - 64 <= len(got) <= ARGS_MAX,
        full[: ARGS_MAX - 16], f"the first {ARGS_MAX} bytes of the arguments",
    )  # fmt: skip


def expect_path(fact):
    path = text(fact["path"])
    if not fact.get("cut"):
        return path
    kept = path[-(PATH_LIMIT - 300) :]
    return Match(lambda got: isinstance(got, str) and got.endswith(kept) and got != path, "..." + kept,
                 f"the last {PATH_LIMIT} bytes of the path")  # fmt: skip


def entropy_of(data):
    total = len(data)
    return -sum(n / total * math.log2(n / total) for n in Counter(data).values()) if total else 0.0


def about(value):
    """data_entropy is a 32-bit float summed up in 32 bits."""
    return Match(lambda got: isinstance(got, float) and abs(got - value) < 1e-3, value, f"about {value:.5f}")


def is_public(ip):
    address = ipaddress.ip_address(ip)
    if address.version == 6 and address.ipv4_mapped:
        return True  # as Kunai has it
    return address.is_global


def community_id_of(proto, src, sport, dst, dport):
    """Community ID v1 with seed 0; see github.com/corelight/community-id-spec."""
    a, b = ipaddress.ip_address(src).packed, ipaddress.ip_address(dst).packed
    if (a, sport) > (b, dport):
        a, b, sport, dport = b, a, dport, sport
    packed = struct.pack("!H", 0) + a + b + struct.pack("!BBHH", proto, 0, sport, dport)
    return "1:" + base64.b64encode(hashlib.sha1(packed).digest()).decode()


class Model:
    def __init__(self, files, kernel=(0, 0), trampoline=()):
        """files: name -> content of the programs that the actors execute. kernel: version of the kernel. trampoline: the
        events that ran on that tier."""
        self.kernel, self.trampoline = kernel, trampoline
        self.digests = {name: digests_of(content) for name, content in files.items()}
        self.processes = {}
        self.drivers = {}

    def feed(self, fact):
        """Takes one fact in, returns the events that it stands for."""
        handler = getattr(self, "on_" + fact["op"], None)
        return handler(fact) if handler else []

    # Processes that are not part of a case

    def on_driver(self, fact):
        process = Process(fact["tgid"], text(fact["exe"]), text(fact["exe"]), command_line_of(raw(fact["cmdline"])), None)
        self.processes[fact["tgid"]] = self.drivers[fact["tgid"]] = process
        process.container = text(fact["nodename"]) if fact["contained"] else None
        process.youngest = process
        process.start_ticks = fact["start_ticks"]
        return []

    def on_ancestor(self, fact):
        driver = self.drivers[fact["tgid"]]
        exe = text(fact["exe"]).removesuffix(" (deleted)")
        if exe.startswith("/memfd:"):
            exe = "?"  # /proc and the dentries disagree about its name
        ancestor = Process(fact["ancestor_pid"], exe, exe, None, None)
        driver.youngest.parent = ancestor
        driver.youngest = ancestor
        return []

    def unknown_ancestors(self):
        """Positions in `ancestors`, from its beginning, of what /proc does not tell the actors."""
        positions = set()
        for driver in self.drivers.values():
            if driver.parent:
                positions |= {i for i, exe in enumerate(driver.ancestors().split("|")) if exe == "?"}
        return positions

    # Processes

    def common(self, fact, process=None):
        process = process or self.processes[fact["tgid"]]
        fields = {
            "data.ancestors": process.ancestors(),
            "data.command_line": process.command_line,
            "data.exe.path": process.exe,
            "info.task.name": text(fact["comm"]),
            "info.task.pid": fact["pid"],
            "info.task.tgid": fact["tgid"],
            "info.task.zombie": process.zombie,
            "info.parent_task.tgid": process.parent.tgid,
            "info.host.container": self.container(process),
        }
        if "uid" in fact:  # the writer's own fact
            fields |= {
                "info.task.uid": fact["uid"],
                "info.task.gid": fact["gid"],
                "info.task.user": text(fact["user"]),
                "info.task.group": text(fact["group"]),
            }
            for name in ("euid", "egid"):
                if fact[name] != fact[name[1:]]:
                    fields[f"info.task.{name}"] = fact[name]
            if fact["sid"] not in (0, fact["tgid"]) and "pid_namespace" not in fact["case"]:
                fields["info.task.sid"] = fact["sid"]
            if "tty" in fact:
                fields["info.task.tty"] = text(fact["tty"])
            if fact["mnt"]:
                fields["info.task.namespaces.mnt"] = fact["mnt"]
        return fields

    @staticmethod
    def container(process):
        return {"name": process.container} | (process.cgroup or {"type": None}) if process.container else None

    def event(self, kind, fact, fields, process=None):
        fields = self.common(fact, process) | fields
        if fact.get("uring"):
            return self.event_of_uring(kind, fact, fields)
        if kind in VIA and "count" not in fact:
            fields["data.via"] = ABSENT
        return [Expected(kind, fact["tgid"], fields, fact)]

    def event_of_uring(self, kind, fact, fields):
        """Where the end of a request is not told, it is taken at its word, or not seen."""
        if self.kernel >= URING_TOLD and fact.get("crowded"):
            return []
        told = self.kernel >= URING_TOLD and not fact.get("untold")
        if not told and (kind in ("file_create", "dns_query") or fact.get("untold_unseen")):
            return []
        if kind in VIA:
            fields["data.via"] = "io_uring"
            fields["data.unconfirmed"] = mark(not told and kind in UNCONFIRMED)
        if not told and kind in ("connect", "send_data"):  # nothing is known of the socket yet
            fields.pop("data.src.ip", None), fields.pop("data.src.port", None)
        if not told and kind == "connect":
            fields["data.connected"] = True
        if kind == "write_close" and kind in self.trampoline:  # whichever drops the last reference, the ring's workers, too
            own, worker = fields["info.task.name"], f"iou-wrk-{fact['tgid']}"
            fields["info.task.name"] = Match(lambda got: got in (own, worker), own, f"{own} or {worker}")
            fields.pop("info.task.pid")
        if fact.get("by_helper"):
            for own in ("name", "pid", "namespaces.mnt"):
                fields.pop(f"info.task.{own}", None)
        return [Expected(kind, fact["tgid"], fields, fact)]

    def on_clone(self, fact):
        if fact["pid"] == fact["tgid"]:
            parent = self.processes[fact["ppid"]]
            container = text(fact.get("nodename", parent.container)) if parent.container else None
            self.processes[fact["tgid"]] = Process(
                fact["tgid"], parent.image, parent.image, parent.command_line, parent, container=container,
                cgroup=parent.cgroup_of_children or parent.cgroup,
            )  # fmt: skip
        events = self.event("clone", fact, {"data.flags": hex(fact["flags"])})
        if fact.get("helper"):  # of the kernel: it may be made by another helper
            events[0].fields.pop("info.task.name")
        return events

    def on_exec(self, fact):
        process, area = self.processes[fact["tgid"]], raw(fact["cmdline"])
        process.image = process.exe = text(fact["exe"])
        process.command_line = expect_command_line(area)
        if process.container:
            process.container = text(fact.get("nodename", process.container))
        fields = {"data.parent_exe": process.parent.exe, "data.parent_command_line": process.parent.command_line}
        if len(area) > ARGS_MAX:
            fields["data.command_line_size"] = len(area)
        if fact.get("cwd"):
            fields["data.cwd"] = text(fact["cwd"])
        program = "data.exe"
        if "script" in fact:
            program = "data.interpreter"
            process.exe = self.script_path(fact)
            fields["data.interpreter.path"] = process.image
            fields |= hash_fields("data.exe", digests_of(raw(fact["script_data"])))
        if not self.is_detached(fact):
            fields |= hash_fields(program, self.digests["scenario"])
        return self.event("execve_script" if "script" in fact else "execve", fact, fields)

    @staticmethod
    def is_detached(fact):
        """No name leads to the image, or the judge has no copy of it."""
        return fact.get("foreign") or text(fact["exe"]).startswith("memfd:") or fact["case"] == "exec.deleted"

    @staticmethod
    def script_path(fact):
        resolved, named = text(fact["script"]), text(fact["script_name"])
        if resolved == named:
            return resolved
        # A link's own path will do, if it is marked (exe_unverified; judge.check_unverified).
        return AnyOf(resolved, named)

    def on_exit(self, fact):
        return self.event("exit", fact, {"data.error_code": fact["code"] & 0xFFFFFFFF})

    def on_exit_group(self, fact):
        return self.event("exit_group", fact, {"data.error_code": fact["code"] & 0xFFFFFFFF})

    def on_orphaned(self, fact):
        self.processes[fact["tgid"]].zombie = True
        return []

    def on_new_mount_namespace(self, fact):
        self.processes[fact["tgid"]].container = text(fact["nodename"])
        return []

    @staticmethod
    def docker(fact):
        return {"type": "docker", "id": text(fact["container_id"]), "runtime": "docker"}

    def on_cgroup(self, fact):
        self.processes[fact["tgid"]].cgroup = self.docker(fact)
        return []

    def on_cgroup_of_children(self, fact):
        self.processes[fact["tgid"]].cgroup_of_children = self.docker(fact)
        return []

    # Files

    def on_create(self, fact):
        fields = {"data.path": expect_path(fact)}
        return self.event("file_create", fact, fields)

    def on_close(self, fact):
        if fact.get("unseen") or self.is_unseen(fact):
            return []
        fields = {"data.path": expect_path(fact), "data.written_by": Match(
            lambda got: isinstance(got, list) and fact["written_by"] in got, [fact["written_by"]],
            f"a list with {fact['written_by']}")}  # fmt: skip
        events = self.event("write_close", fact, fields)
        if fact.get("during_exec"):
            forget_image(events[0])
        return events

    def on_read(self, fact):
        return self.access("read", fact)

    def on_write(self, fact):
        return self.access("write", fact)

    def access(self, kind, fact):
        path = text(fact["path"])
        return self.event(kind + "_config" if path.startswith("/etc/") else kind, fact, {"data.path": path})

    def on_moved_nothing(self, fact):
        """The trampoline tier asks whether an access is allowed, not what came of it."""
        kinds = ("read", "write") if fact["reading"] else ("write",)
        data = {"path": text(fact["path"])}
        events = [e for kind in kinds if kind in self.trampoline and not is_background(kind, data) for e in self.access(kind, fact)]
        if "write_close" in self.trampoline:
            events += self.on_close(fact | {"written_by": "write"})
        return events

    def on_unlink(self, fact):
        fields = {"data.path": expect_path(fact), "data.success": fact["success"]}
        return self.event("file_unlink", fact, fields | self.expect_unverified("file_unlink", fact))

    def on_rename(self, fact):
        fields = {"data.old": text(fact["old"]), "data.new": text(fact["new"])}
        if fact.get("exchanged"):
            fields["data.exchanged"] = True
        return self.event("file_rename", fact, fields | self.expect_unverified("file_rename", fact))

    def expect_unverified(self, kind, fact):
        """On trampolines every path is the kernel's; io_uring requests are not seen there."""
        marked = bool(fact.get("unverified") and (kind not in self.trampoline or fact.get("uring")))
        return {"data.path_unverified": Match(lambda got: (got is True) == marked, marked, "there" if marked else "absent")}

    def is_unseen(self, fact):
        return fact.get("subject") and unseen_row(fact["case"], self.kernel, self.trampoline) is not None

    def on_close_many(self, fact):
        directory = text(fact["dir"]).removesuffix("/f")
        events = []
        for i in range(fact["count"]):
            name = f"f{i % 10}{i // 10 % 10}{i // 100}"
            events += self.event("write_close", fact, {"data.path": f"{directory}/{name}"})
            if fact["during_exec"]:
                forget_image(events[-1])
        return events

    # Network

    def flow(self, fact, destination="data.dst"):
        fields = {
            "data.socket.domain": DOMAINS[fact["domain"]],
            "data.socket.type": TYPES[fact["type"]],
            "data.socket.proto": PROTOCOLS[fact["proto"]],
            f"{destination}.ip": fact["dst_ip"],
            f"{destination}.port": fact["dst_port"],
            f"{destination}.public": is_public(fact["dst_ip"]),
            f"{destination}.is_v6": fact["domain"] == 10,
        }
        # A refused socket loses its source again, and who looks later sees less of it.
        if fact["src_port"] and not fact["case"].startswith(("connect.refused", "connect.unreachable", "io_uring.refused")):
            fields |= {"data.src.ip": fact["src_ip"], "data.src.port": fact["src_port"]}
        return fields

    def on_connect(self, fact):
        fields = self.flow(fact) | {"data.dst.hostname": fact["hostname"], "data.connected": fact["connected"]}
        return self.event("connect", fact, fields)

    def on_send(self, fact):
        fields = self.flow(fact) | {
            "data.dst.hostname": fact["hostname"],
            "data.data_size": fact["size"],
            "data.data_entropy": about(entropy_of(raw(fact["data"])[:PAYLOAD_MAX])),
        }
        return self.event("send_data", fact, fields)

    def on_dns(self, fact):
        response = fact["response"].split(";")
        fields = self.flow(fact, "data.dns_server") | {
            "data.query": fact["query"],
            "data.query_type": QUERY_TYPES[fact["query_type"]],
            "data.response": prefix_of(response) if fact["partial"] else response,
        }
        if fact["asked"]:
            fields["data.asked"] = fact["asked"]
        for mark in ("truncated", "malformed", "unasked"):
            if fact[mark]:
                fields[f"data.{mark}"] = True
        return self.event("dns_query", fact, fields)
    # Control and memory

    def on_prctl(self, fact):
        fields = {f"data.{key}": fact[key] for key in ("option", "arg2", "arg3", "arg4", "arg5", "success")}
        return self.event("prctl", fact, fields)

    def target(self, fact):
        process = self.processes[fact["target"]]
        return {
            "data.target.command_line": process.command_line,
            "data.target.exe.path": process.exe,
            "data.target.task.tgid": process.tgid,
            "data.target.task.pid": process.tgid,
            "data.success": fact["success"],
        }

    def on_kill(self, fact):
        return self.event("kill", fact, self.target(fact) | {"data.signal": fact["signal"]})

    def on_access(self, fact):
        mode = "0xa" if fact["access"] == "proc_mem" else "0x12"
        return self.event("ptrace", fact, self.target(fact) | {"data.access": fact["access"], "data.mode": mode})

    def on_mprotect(self, fact):
        fields = {"data.addr": fact["addr"], "data.prot": hex(fact["prot"]), "data.size": fact["size"],
                  "data.success": fact["success"]}  # fmt: skip
        told = self.kernel >= FIND_VMA and fact["path"]
        fields["data.path"] = text(fact["path"]) if told else ABSENT
        return self.event("mprotect_exec", fact, fields)

    def on_mmap(self, fact):
        path = text(fact["path"])
        fields = {"data.mapped.path": path, "data.prot": hex(fact["prot"]), "data.success": fact["success"]}
        if path.startswith("memfd:"):
            fields |= dict.fromkeys((f"data.mapped.{digest}" for digest in DIGESTS), "")
            fields["data.mapped.error"] = "file not found"
        else:
            content = fact.get("content")
            fields |= hash_fields("data.mapped", self.digests["scenario"] if content is None else digests_of(raw(content)))
        return self.event("mmap_exec", fact, fields)
    # Code for the kernel

    def on_prog(self, fact):
        fields = {
            "data.prog_type": {"id": fact["prog_type"], "name": PROG_TYPES.get(fact["prog_type"], "unknown")},
            "data.name": text(fact["prog_name"]),
            "data.loaded": not fact["error"],
            "data.error": fact["error"] or ABSENT,
            "data.unverified": mark(fact["error"]),
        }
        if fact["error"]:
            fields |= {"data.id": 0, "data.tag": "", "data.verified_insns": None, "data.ksym": "", "data.attached_func": "",
                       "data.bpf_prog": unknown_digests(8 * fact["instructions"])}  # fmt: skip
            return self.event("bpf_prog_load", fact, fields)
        digests = digests_of(raw(fact["code"]))
        fields |= {
            "data.id": fact["prog_id"], "data.tag": fact["prog_tag"], "data.verified_insns": fact["verified"] or None,
            "data.ksym": fact["ksym"], "data.attached_func": fact["attached_func"],
            "data.bpf_prog": digests if fact["kept"] else either(digests, unknown_digests(digests["size"])),
        }  # fmt: skip
        return self.event("bpf_prog_load", fact, fields)

    def on_module(self, fact):
        args = text(fact["args"])
        fields = {
            "data.syscall": fact["syscall"],
            "data.module_name": fact["name"],
            "data.args": args[:MODULE_ARGS_MAX],
            "data.args_truncated": mark(len(args) > MODULE_ARGS_MAX),
            "data.loaded": not fact["error"],
            "data.error": fact["error"] or ABSENT,
            "data.flags": hex(fact["flags"]) if fact["flags"] else ABSENT,
        }
        if "path" not in fact:
            return self.event("init_module", fact, fields | {"data.file": ABSENT})
        fields |= {"data.file.path": text(fact["path"]), "data.file.size": fact["size"], "data.file.error": None}
        if "content" in fact:
            fields |= hash_fields("data.file", digests_of(raw(fact["content"])))
        return self.event("init_module", fact, fields)

    def on_filter(self, fact):
        code = raw(fact["code"])
        digests = digests_of(code[:FILTER_BYTES]) if code else unknown_digests(0)
        fields = {f"data.filter.{key}": value for key, value in digests.items()} | {
            "data.socket": {"domain": FILTER_DOMAINS[fact["domain"]], "type": FILTER_TYPES[fact["type"]],
                            "proto": FILTER_PROTOCOLS[fact["proto"]]},
            "data.filter.len": fact["len"],
            "data.filter.truncated": mark(len(code) > FILTER_BYTES),
            "data.filter.unverified": mark(fact["error"]),
            "data.attached": not fact["error"],
            "data.option": FILTER_OPTIONS[fact["option"]],
            "data.error": fact["error"] or ABSENT,
        }  # fmt: skip
        return self.event("bpf_socket_filter", fact, fields | program_fields(fact))

    # io_uring

    def on_uring(self, fact):
        fields = {"data.op.code": fact["code"], "data.op.name": fact["name"]}
        if "count" in fact:  # a storm: plain values only, there are too many to compare the slow way
            return self.event("io_uring_sqe", fact, fields) * fact["count"]
        for key in ("path", "new_path", "size"):
            value = fact.get(key)
            fields[f"data.{key}"] = ABSENT if value is None else value if key == "size" else text(value)
        if "dst_ip" in fact:
            fields |= {"data.dst.ip": fact["dst_ip"], "data.dst.port": fact["dst_port"]}
        else:
            fields["data.dst"] = ABSENT
        fields["data.result"] = self.result_of_request(fact)
        return self.event("io_uring_sqe", fact, fields)

    def result_of_request(self, fact):
        """The sensor waits a few milliseconds for it: a request that takes longer, or a busy machine, leaves it out. That
        most are there is judged of all together."""
        if self.kernel < URING_TOLD or "result" not in fact:
            return ABSENT
        return Match(lambda got: got == fact["result"] or got == ABSENT, fact["result"], f"{fact['result']} or absent")

    # Storms: one fact for many events of processes that state nothing

    def on_storm_exec(self, fact):
        worker, events = self.processes[fact["tgid"]], []
        for _ in range(fact["count"]):
            child = Process(None, worker.image, worker.image, worker.command_line, worker, container=worker.container)
            events += self.stormed("clone", fact, child, "scenario", {"data.flags": hex(fact["flags"])})
            child = Process(None, text(fact["exe"]), text(fact["exe"]), "true", worker, container=worker.container)
            fields = {"data.parent_exe": worker.exe, "data.parent_command_line": worker.command_line}
            fields |= hash_fields("data.exe", self.digests["true"])
            events += self.stormed("execve", fact, child, "true", fields)
            events += self.stormed("exit_group", fact, child, "true", {"data.error_code": 0})
        return events

    def stormed(self, kind, fact, child, comm, fields):
        fields = self.common(fact, child) | {"info.task.name": comm} | fields
        for unknown in ("info.task.pid", "info.task.tgid"):
            del fields[unknown]
        return [Expected(kind, None, fields, fact)]

    def on_storm_files(self, fact):
        events, directory = [], text(fact["dir"]).rstrip("/")
        for i in range(fact["count"]):
            for kind in ("file_create", "write_close"):
                events += self.event(kind, fact, {"data.path": f"{directory}/f{i}"})
        return events


class AnyOf(str):
    """A path that may be spelt in two ways. Prints as the first, equals both."""

    def __new__(cls, first, second):
        self = super().__new__(cls, first)
        self.second = second
        return self

    def __eq__(self, other):
        return str.__eq__(self, other) or str.__eq__(self.second, other)

    __hash__ = str.__hash__


def mark(condition):
    """A key that says true or is not there."""
    return True if condition else ABSENT


def program_fields(fact):
    """Of an eBPF program, where there is one."""
    if "prog_id" not in fact:
        return {"data.prog_id": ABSENT}
    return {"data.prog_id": fact["prog_id"], "data.prog_type": PROG_TYPES[fact["prog_type"]],
            "data.prog_tag": fact["prog_tag"], "data.prog_name": fact["prog_name"]}  # fmt: skip


def prefix_of(whole):
    return Match(lambda got: isinstance(got, list) and len(whole) // 2 < len(got) < len(whole)
                 and got == whole[: len(got)], whole[:-1], f"most of {len(whole)} records")  # fmt: skip


def forget_image(expected):
    """An exec closes files while the old image goes and the new one comes."""
    for path in ("data.command_line", "data.exe.path", "info.task.name"):
        expected.fields.pop(path)


def unknown_digests(size):
    return dict.fromkeys(("md5", "sha1", "sha256", "sha512"), "?") | {"size": size}


def either(*values):
    return Match(lambda got: got in values, values[0], f"one of {values}")


def digests_of(content):
    digests = {name: hashlib.new(name, content).hexdigest() for name in DIGESTS}
    return digests | {"size": len(content)}


def hash_fields(prefix, digests):
    return {f"{prefix}.{key}": value for key, value in digests.items()} | {f"{prefix}.error": None}

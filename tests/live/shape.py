# SPDX-License-Identifier: GPL-3.0-or-later
"""What every line of output must look like: which keys, in which order, of which types.

Written from Kunai's documentation and independent of schema/*.def on purpose, so that a mistake there shows here.
Keys of our own may follow the documented ones, in every object."""
import json
import re

U32_MAX = (1 << 32) - 1
UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
UTC_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
HEX = re.compile(r"^0x(0|[1-9a-f][0-9a-f]*)$")
COMMUNITY_ID = re.compile(r"^1:[A-Za-z0-9+/]{27}=$")
BOOT_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6}|\.\d{9})?Z$")


def is_str(value):
    return isinstance(value, str)


def is_u64(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 64


def is_u32(value):
    return is_u64(value) and value <= U32_MAX


def is_u16(value):
    return is_u64(value) and value < 1 << 16


def is_i32(value):
    return isinstance(value, int) and not isinstance(value, bool) and -(1 << 31) <= value < 1 << 31


def is_bool(value):
    return isinstance(value, bool)


def is_float(value):
    return isinstance(value, float)


def is_strings(value):
    return isinstance(value, list) and all(is_str(v) for v in value)


def matches(pattern):
    return lambda value: is_str(value) and bool(pattern.match(value))


def or_null(check):
    return lambda value: value is None or (check(value) if callable(check) else not list(misshapen(value, check)))


is_uuid = matches(UUID)
is_hex = matches(HEX)

# An object is a list of (key, check); a check is a function or another object. A key that ends in ? may be absent.
IMAGE = [("path", is_str)]
HASHES = [("path", is_str), ("magic", is_str), ("md5", is_str), ("sha1", is_str), ("sha256", is_str),
          ("sha512", is_str), ("size", is_u64), ("error", or_null(is_str))]  # fmt: skip
DIGESTS = [("md5", is_str), ("sha1", is_str), ("sha256", is_str), ("sha512", is_str)]
COMMON = [("ancestors", is_str), ("command_line", is_str), ("exe", IMAGE)]
SOCKET = [("domain", is_str), ("type", is_str), ("proto", is_str)]
ENDPOINT = [("ip", is_str), ("port", is_u32)]
SERVER = [*ENDPOINT, ("public", is_bool), ("is_v6", is_bool)]
PEER = [("hostname", is_str), *SERVER]
FLOW = [("community_id", matches(COMMUNITY_ID))]
EXEC = [("ancestors", is_str), ("parent_command_line", is_str), ("parent_exe", is_str), ("command_line", is_str),
        ("exe", HASHES)]  # fmt: skip
SYSTEM = [("uptime", or_null(is_float)), ("boot_time", or_null(matches(BOOT_TIME))), ("sysname", is_str),
          ("release", is_str), ("version", is_str), ("machine", is_str), ("domainname", is_str)]  # fmt: skip
SENSOR = [("version", is_str), ("exe", HASHES), ("config", [("sha256", matches(re.compile(r"^[0-9a-f]{64}$")))])]

TASK = [("name", is_str), ("pid", is_i32), ("tgid", is_i32), ("guuid", is_uuid), ("uid", is_u32), ("user", is_str),
        ("gid", is_u32), ("group", is_str), ("namespaces", or_null([("mnt", is_u32)])), ("flags", is_hex),
        ("zombie", is_bool)]  # fmt: skip
TARGET = [("command_line", is_str), ("exe", IMAGE), ("task", TASK)]

DATA = {
    "execve": EXEC,
    "execve_script": [*EXEC, ("interpreter", HASHES)],
    "exit": [*COMMON, ("error_code", is_u64)],
    "exit_group": [*COMMON, ("error_code", is_u64)],
    "clone": [*COMMON, ("flags", is_hex)],
    "connect": [*COMMON, ("socket", SOCKET), ("src", ENDPOINT), ("dst", PEER), *FLOW, ("connected", is_bool)],
    "dns_query": [*COMMON, ("socket", SOCKET), ("src", ENDPOINT), ("query", is_str), ("query_type", is_str),
                  ("response", is_strings), ("dns_server", SERVER), *FLOW],
    "send_data": [*COMMON, ("socket", SOCKET), ("src", ENDPOINT), ("dst", PEER), *FLOW, ("data_entropy", is_float),
                  ("data_size", is_u64)],
    "write_close": [*COMMON, ("path", is_str)],
    "file_create": [*COMMON, ("path", is_str)],
    "read": [*COMMON, ("path", is_str)],
    "read_config": [*COMMON, ("path", is_str)],
    "write": [*COMMON, ("path", is_str)],
    "write_config": [*COMMON, ("path", is_str)],
    "file_rename": [*COMMON, ("old", is_str), ("new", is_str)],
    "file_unlink": [*COMMON, ("path", is_str), ("success", is_bool)],
    "prctl": [*COMMON, ("option", is_str), ("arg2", is_hex), ("arg3", is_hex), ("arg4", is_hex), ("arg5", is_hex),
              ("success", is_bool)],
    "kill": [*COMMON, ("signal", is_str), ("target", TARGET)],
    "ptrace": [*COMMON, ("mode", is_hex), ("target", TARGET)],
    "mprotect_exec": [*COMMON, ("addr", is_hex), ("prot", is_hex)],
    "init_module": [*COMMON, ("syscall", is_str), ("module_name", is_str), ("args", is_str), ("loaded", is_bool)],
    "bpf_prog_load": [*COMMON, ("id", is_u32), ("prog_type", [("id", is_u32), ("name", is_str)]), ("tag", is_str),
                      ("attached_func", is_str), ("name", is_str), ("ksym", is_str),
                      ("bpf_prog", [*DIGESTS, ("size", is_u64)]), ("verified_insns", or_null(is_u32)),
                      ("loaded", is_bool)],
    "bpf_socket_filter": [*COMMON, ("socket", SOCKET), ("filter", [*DIGESTS, ("len", is_u16), ("size", is_u64)]),
                          ("attached", is_bool)],
    "mmap_exec": [*COMMON, ("mapped", HASHES)],
    "io_uring_sqe": [*COMMON, ("op", [("code", is_u32), ("name", is_str)])],
    "file_scan": [("path", is_str), ("meta", [("magic", is_str), *DIGESTS, ("size", is_u64), ("error", or_null(is_str))]),
                  ("signatures", is_strings), ("positives", is_u64), ("source_event", is_uuid),
                  ("scan_error", or_null(is_str))],
    "error": [*COMMON, ("code", is_u64), ("message", is_str)],
    "event_loss": [("read", is_u64), ("lost", is_u64), ("eps", is_float)],
    "start": [("system", SYSTEM), ("kunai", SENSOR)],
}  # fmt: skip

IDS = {
    "execve": 1, "execve_script": 2, "exit": 4, "exit_group": 5, "clone": 6, "prctl": 7, "kill": 8, "ptrace": 9, "mprotect_exec": 40, "mmap_exec": 41, "connect": 60, "dns_query": 61,
    "send_data": 62, "read": 81, "read_config": 82, "write": 83, "write_config": 84, "file_rename": 85, "file_unlink": 86, "write_close": 87, "file_create": 88, "error": 1000, "event_loss": 1100, "start": 1101,
    "init_module": 20, "bpf_prog_load": 21, "bpf_socket_filter": 22,
    "io_uring_sqe": 100, "file_scan": 500,
}  # fmt: skip

CONTAINER = [("name", is_str), ("type", or_null(is_str))]
INFO = [
    ("host", [("uuid", is_uuid), ("name", is_str), ("container", or_null(CONTAINER))]),
    ("event", [("source", is_str), ("id", is_u32), ("name", is_str), ("uuid", is_uuid), ("batch", is_u64)]),
    ("task", TASK),
    ("parent_task", TASK),
    ("utc_time", matches(UTC_TIME)),
]


def misshapen(value, shape, where=""):
    """What is wrong with a value, one text each."""
    if callable(shape):
        if not shape(value):
            yield f"{where} is {value!r}"
        return
    if not isinstance(value, dict):
        yield f"{where} is no object but {value!r}"
        return
    wanted = [key for key, _ in shape]
    got = list(value)[: len(wanted)]
    if got != wanted:
        yield f"{where} begins with the keys {got}, not {wanted}"
        return
    for key, check in shape:
        yield from misshapen(value[key], check, f"{where}.{key}")


def misshapen_event(event):
    if not isinstance(event, dict) or list(event) != ["data", "info"]:
        yield f"the line's keys are not data and info: {str(event)[:100]}"
        return
    problems = list(misshapen(event["info"], INFO, ".info"))
    yield from problems
    if problems:
        return
    name, number = event["info"]["event"]["name"], event["info"]["event"]["id"]
    if name not in DATA:
        yield f"there is no event {name!r}"
        return
    if number != IDS[name]:
        yield f"{name} has the id {number}, not {IDS[name]}"
    yield from misshapen(event["data"], DATA[name], f"{name}.data")
    if name == "execve" and "interpreter" in event["data"]:
        yield "execve has an interpreter"
    yield from inconsistent_hashes(name, event["data"])


def inconsistent_hashes(name, data):
    """Digests or an error, and what means what."""
    lengths = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}
    for key in ("exe", "interpreter", "mapped", "file", "meta"):
        hashes = data.get(key)
        if not isinstance(hashes, dict) or "md5" not in hashes:
            continue
        for digest, length in lengths.items():
            if hashes["error"] is None and not re.fullmatch(f"[0-9a-f]{{{length}}}", hashes[digest]):
                yield f"{name}.data.{key}.{digest} is {hashes[digest]!r} and there is no error"
            if hashes["error"] is not None and hashes[digest] not in ("", "?"):
                yield f"{name}.data.{key} has an error and a digest"


def parse_line(raw):
    """Returns (event, None) or (None, what is wrong)."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return None, f"not UTF-8: {error}"
    try:
        event = json.loads(text)
    except ValueError as error:
        return None, f"not JSON: {error}: {text[:200]}"
    # Compact, and nothing escaped that need not be. Floats have several right spellings.
    floats = []
    json.loads(text, parse_float=lambda number: floats.append(number) or 0.0)
    if not floats and json.dumps(event, separators=(",", ":"), ensure_ascii=False) != text:
        return None, f"not spelt as Kunai does: {text[:200]}"
    return event, None

# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the sensor or its helpers made a system call that their filters refuse: the kernel's log tells each of them."""
import contextlib
import os
import re
import socket
import struct
from pathlib import Path

import judge

NAME = "nothing that the sensor calls is refused to it"
BEGINS = "kunai: the live test begins"  # guest.sh writes it to the log
LOG = "/dev/kmsg"
LIMIT = Path("/proc/sys/kernel/printk_ratelimit")  # seconds in which ten lines are written; 0: no limit
ACTIONS = Path("/proc/sys/kernel/seccomp/actions_logged")
RECORD_MAX = 8192
# What audit could not write, of which the log tells only when there is room again.
LEFT_OUT = re.compile(r"audit_lost=|audit_\w+: \d+ callbacks suppressed")
REFUSED = re.compile(r'type=1326 .* comm=(\S+) exe=(\S+) .* syscall=(\d+)')  # AUDIT_SECCOMP


def read_log():
    """(number, text) of each record of the kernel's log that is still there."""
    try:
        fd = os.open(LOG, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return
    try:
        while True:
            try:
                head, _, text = os.read(fd, RECORD_MAX).decode(errors="replace").partition(";")
            except BrokenPipeError:  # overwritten meanwhile: the next one is given then
                continue
            except OSError:
                return
            yield int(head.split(",")[1]), text
    finally:
        os.close(fd)


def end_of_log():
    return max((number for number, _ in read_log()), default=-1)


def log_after(began):
    """The texts, after the one that guest.sh writes; that is not among them if the log was overwritten."""
    return [text for number, text in read_log() if number > began]


@contextlib.contextmanager
def without_limit():
    """Meanwhile the kernel logs as much as there is. In a VM it always does, see vm.py."""
    before = LIMIT.read_text()
    with contextlib.suppress(OSError):  # a machine that is not ours: that lines were left out is seen
        LIMIT.write_text("0")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            LIMIT.write_text(before)


def audit_daemon():
    """The pid of who gets the kernel's audit messages in the log's stead, or 0. OSError: this kernel has no audit."""
    kind, request, acknowledged = 1000, 1, 4  # AUDIT_GET, NLM_F_REQUEST, NLM_F_ACK
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9) as audit:  # NETLINK_AUDIT
        audit.settimeout(10)
        audit.send(struct.pack("=IHHII", 16, kind, request | acknowledged, 1, 0))
        while True:
            reply = audit.recv(RECORD_MAX)
            length, found, _, _, _ = struct.unpack_from("=IHHII", reply)
            if found == kind:
                return struct.unpack_from("=4I", reply, 16)[3]  # mask, enabled, failure, pid


def why_untold():
    """Why this machine's log cannot tell what filters refuse, if so."""
    if not os.access(LOG, os.R_OK | os.W_OK):
        return f"{LOG} cannot be read and written"
    if not ACTIONS.exists() or "errno" not in ACTIONS.read_text().split():
        return f"{ACTIONS} leaves errno out"
    try:
        daemon = audit_daemon()
    except OSError as error:
        return f"the kernel has no audit: {error}"
    return f"audit messages go to process {daemon}, not to the kernel's log" if daemon else ""


def program_of(text):
    """The kernel writes names with blanks, as that of a deleted file, in hexadecimal."""
    return text.strip('"') if text.startswith('"') else bytes.fromhex(text).decode(errors="replace")


def judge_log(lines, untold=""):
    """untold: why the log may be silent. Otherwise it has to tell of the call that was refused to scenario."""
    begin = max((n for n, line in enumerate(lines) if BEGINS in line), default=None)
    if begin is None:
        short = "the kernel's log does not reach back to the beginning of the test"
        return judge.Result(NAME, skip=untold) if untold else judge.Result(NAME, [short])
    found = [m for m in map(REFUSED.search, lines[begin:]) if m]
    calls = [(program_of(m[1]), program_of(m[2]), int(m[3])) for m in found]
    if left_out := [line for line in lines[begin:] if LEFT_OUT.search(line)]:
        return judge.Result(NAME, ["the kernel's log leaves lines out", *left_out])
    if not any(name == "scenario" for name, _, _ in calls):
        silent = "the kernel's log does not tell of the call that was refused to scenario"
        return judge.Result(NAME, skip=untold) if untold else judge.Result(NAME, [silent])
    ours = [c for c in calls if c[0].startswith("kunai") or re.search(r"/kunai(-static)?( \(deleted\))?$", c[1])]
    return judge.Result(NAME, [f"{name} ({exe}): system call {number}" for name, exe, number in ours])

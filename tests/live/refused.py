# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the sensor or its helpers made a system call that their filters refuse: the kernel's log tells each of them."""
import os
import re

import judge

NAME = "nothing that the sensor calls is refused to it"
LOG = "/dev/kmsg"
RECORD_MAX = 8192
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


def log_after(number):
    return [text for n, text in read_log() if n > number]


def program_of(text):
    """The kernel writes names with blanks, as that of a deleted file, in hexadecimal."""
    return text.strip('"') if text.startswith('"') else bytes.fromhex(text).decode(errors="replace")


def judge_log(lines):
    found = [m for m in map(REFUSED.search, lines) if m]
    calls = [(program_of(m[1]), program_of(m[2]), int(m[3])) for m in found]
    if not any(name == "scenario" for name, _, _ in calls):
        return judge.Result(NAME, skip="this kernel's log does not tell what filters refuse")
    ours = [c for c in calls if c[0].startswith("kunai") or re.search(r"/kunai(-static)?( \(deleted\))?$", c[1])]
    return judge.Result(NAME, [f"{name} ({exe}): system call {number}" for name, exe, number in ours])

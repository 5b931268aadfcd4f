# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of short life whose file is deleted right after their execution: hashed all the same."""
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import judge
from sensor import Sensor

COUNT = 1009
BATCH = 101  # that live at the same time
DOCUMENTED = "file not found"
OPTIONS = ["run", "--exclude=all", "--include=execve,execve_script,file_create"]


def write_program(path, content):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700), "wb") as file:
        file.write(content)


def end(processes):
    for process in processes:
        if process.stdin:
            process.stdin.close()
        process.wait()
    processes.clear()


def execute_all(directory, content, lives):
    """Popen() returns when the exec is over. What lives waits for the end of its input. Each file is different, so
    that no result can come from a cache. Returns their SHA-256 by path."""
    wanted, living = {}, []
    for number in range(COUNT):
        path = os.path.join(directory, f"program{number}")
        data = content + b"\n# %d\n" % number
        write_program(path, data)
        wanted[path] = hashlib.sha256(data).hexdigest()
        stdin = subprocess.PIPE if lives else subprocess.DEVNULL
        living.append(subprocess.Popen([path], stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        os.unlink(path)
        if not lives or number % BATCH == BATCH - 1 or number == COUNT - 1:
            time.sleep(0.05 if lives else 0)
            end(living)
    return wanted


def judge_hashes(log, wanted, all_hashed):
    got = {e["data"]["exe"]["path"]: e["data"]["exe"] for e in log.events if judge.kind_of(e).startswith("execve")}
    hashed = gone = 0
    for path, sha256 in wanted.items():
        exe = got.get(path)
        if exe is None:
            yield f"{path}: no event"
        elif exe["error"] is None and exe["sha256"] == sha256:
            hashed += 1
        elif exe["error"] == DOCUMENTED and not exe["sha256"]:
            gone += 1
        else:
            yield f"{path}: {exe}"
    print(f"# {len(wanted)} executed and deleted: {hashed} hashed, {gone} {DOCUMENTED!r}", flush=True)
    if all_hashed and hashed != len(wanted):
        yield f"{hashed} of {len(wanted)} are hashed"


def run_one(kunai, directory, content, lives):
    with Sensor([kunai, *OPTIONS], directory) as sensor:
        if not sensor.started():
            return [f"the sensor did not start: {sensor.stderr()}"]
        wanted = execute_all(directory, content, lives)
        sensor.await_mark(os.path.join(directory, "mark"))
        sensor.stop()
        return list(judge_hashes(sensor.log(), wanted, lives))


def run(kunai, actors):
    true = Path(actors, "true").read_bytes()
    cat = Path(shutil.which("cat")).read_bytes()
    cases = {
        "programs that end at once": (true, False),
        "programs that live for 50 ms": (cat, True),
        "scripts that end at once": (b"#!/bin/true\n", False),
        "scripts that live for 50 ms": (b"#!/bin/cat -\n", True),
    }
    for name, (content, lives) in cases.items():
        with tempfile.TemporaryDirectory(prefix="kunai-brief.") as directory:
            yield judge.Result(f"executed, then deleted: {name}", run_one(kunai, directory, content, lives))

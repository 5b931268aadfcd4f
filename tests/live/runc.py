# SPDX-License-Identifier: GPL-3.0-or-later
"""Real containers: runc with a bundle of busybox."""
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import judge
from sensor import OPTIONS, Sensor

BOX_ID = 1234
DOCKER_ID = hashlib.sha256(str(os.getpid()).encode()).hexdigest()
DOCKER_CGROUP = f"/docker-{DOCKER_ID}.scope"
COMMAND = "echo hi > /tmp/x; /bin/busybox sleep 0.5; exit 0"


def make_bundle(directory, hostname, cgroup):
    root = Path(directory, "rootfs")
    for name in ("bin", "etc", "tmp", "proc"):
        (root / name).mkdir(parents=True)
    (root / "tmp").chmod(0o777)
    for name in ("busybox", "sh"):
        shutil.copy(shutil.which("busybox"), root / "bin" / name)
    (root / "etc/passwd").write_text(f"# comment\nroot:x:0:0::/:/bin/sh\nboxuser:x:{BOX_ID}:{BOX_ID}::/:/bin/sh\n")
    (root / "etc/group").write_text(f"root:x:0:\n\nboxgroup:x:{BOX_ID}:\n")
    subprocess.run(["runc", "spec"], cwd=directory, check=True)
    path = Path(directory, "config.json")
    config = json.loads(path.read_text())
    config["process"] |= {"terminal": False, "args": ["/bin/sh", "-c", COMMAND], "user": {"uid": BOX_ID, "gid": BOX_ID}}
    config["root"]["readonly"] = False
    config["hostname"] = hostname
    if cgroup:
        config["linux"]["cgroupsPath"] = cgroup
    path.write_text(json.dumps(config))


def run_container(directory, name):
    command = ["runc", "--root", os.path.join(directory, "state"), "run", name]
    return subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


def reset(directory):
    Path(directory, "rootfs/tmp/x").unlink(missing_ok=True)


def judge_container(log, hostname, kind, digest):
    """Exactly what the two programs in the container did, seen from inside."""
    inside = [e for e in log.reported if (e["info"]["host"]["container"] or {}).get("name") == hostname]
    user = {"uid": BOX_ID, "gid": BOX_ID, "user": "boxuser", "group": "boxgroup"}
    shell = [e for e in inside if judge.kind_of(e) == "execve" and e["data"]["exe"]["path"] == "/bin/sh"]
    if len(shell) != 1:
        yield f"{len(shell)} executions of /bin/sh: {[judge.describe(e) for e in inside][:5]}"
        return
    who = judge.identity(shell[0])
    ours = [e for e in inside if who in (judge.identity(e), judge.identity(e, "parent_task"))]
    # A shell may become its last command instead of waiting for it, but this command ends with a builtin.
    counts = {
        ("execve", "/bin/sh"): 1, ("execve", "/bin/busybox"): 1, ("clone", "/bin/sh"): 1, ("file_create", "/bin/sh"): 1,
        ("write_close", "/bin/sh"): 1, ("exit_group", "/bin/sh"): 1, ("exit_group", "/bin/busybox"): 1,
    }  # fmt: skip
    got = {}
    for event in ours[ours.index(shell[0]) :]:
        key = judge.kind_of(event), event["data"]["exe"]["path"]
        got[key] = got.get(key, 0) + 1
    if got != counts:
        yield f"events are {got}, not {counts}"
    wanted = {"name": hostname, "type": kind} | ({"id": DOCKER_ID, "runtime": "docker"} if kind else {})
    for event in ours[ours.index(shell[0]) :]:
        if event["info"]["host"]["container"] != wanted:
            yield f"{judge.describe(event)}: container {event['info']['host']['container']}, not {wanted}"
        task = event["info"]["task"]
        if {key: task[key] for key in user} != user:
            yield f"{judge.describe(event)}: user {task['user']}, group {task['group']}"
        if event["data"].get("path", "/tmp/x") != "/tmp/x":
            yield f"{judge.describe(event)}: another path"
        if judge.kind_of(event) == "execve" and event["data"]["exe"]["sha256"] != digest:
            yield f"{judge.describe(event)}: hash {event['data']['exe']}"
    if shell[0]["data"]["command_line"] != f'/bin/sh -c "{COMMAND}"':
        yield f"the command line is {shell[0]['data']['command_line']}"


def run_one(kunai, directory, name, hostname, kind):
    digest = hashlib.sha256(Path(directory, "rootfs/bin/sh").read_bytes()).hexdigest()
    with Sensor([kunai, *OPTIONS], directory) as sensor:
        if not sensor.started():
            return [f"the sensor did not start: {sensor.stderr()}"]
        done = run_container(directory, name)
        if done.returncode:
            return [f"runc ended with {done.returncode}: {done.stderr}"]
        sensor.await_mark(os.path.join(directory, "mark"))
        sensor.stop()
        return list(judge_container(sensor.log(), hostname, kind, digest))


def run(kunai):
    for kind in (None, "docker"):
        name = f"kunai-test-{os.getpid()}-{kind or 'plain'}"
        title = f"a container of runc, {'its cgroup named as by docker' if kind else 'of no known kind'}"
        if not shutil.which("runc") or not shutil.which("busybox"):
            yield judge.Result(title, skip="no runc or no busybox here")
            continue
        with tempfile.TemporaryDirectory(prefix="kunai-runc.") as directory:
            os.chmod(directory, 0o755)
            make_bundle(directory, f"{name}.box", DOCKER_CGROUP if kind else None)
            probe = run_container(directory, name)
            if probe.returncode:
                yield judge.Result(title, skip=f"runc cannot run here: {' '.join(probe.stderr.split())[:150]}")
                continue
            reset(directory)
            yield judge.Result(title, run_one(kunai, directory, name, f"{name}.box", kind))

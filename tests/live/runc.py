# SPDX-License-Identifier: GPL-3.0-or-later
"""Real containers: runc with a bundle of busybox."""
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import judge
from sensor import Sensor

COUNTED = "execve,clone,exit_group,file_create,write_close"
OPTIONS = ["run", "--exclude=all", f"--include={COUNTED}"]
BOX_ID = 1234
DOCKER_ID = hashlib.sha256(str(os.getpid()).encode()).hexdigest()
DOCKER_CGROUP = f"/docker-{DOCKER_ID}.scope"
SHORT_LIVED = 101
AT_ONCE = 4
SHORT_SECONDS = 0.1
NAMED_AT_LEAST = 51  # nothing waits for names (docs/differences.md): on a machine with time to spare nearly all have them
RUNC_SECONDS = 120
COMMAND = "echo hi > /tmp/x; /bin/busybox sleep 0.5; exit 0"


def annotations(name):
    return {
        "io.kubernetes.cri.container-name": f"{name}-app",
        "io.kubernetes.cri.sandbox-name": f"{name}-pod",
        "io.kubernetes.cri.sandbox-namespace": "tests",
        "io.kubernetes.cri.image-name": "example.org/box:1",
    }


def names(name):
    """What events make of them."""
    return {"container_name": f"{name}-app", "pod": f"{name}-pod", "namespace": "tests", "image": "example.org/box:1"}


def make_bundle(directory, name, hostname, cgroup):
    root = Path(directory, "rootfs")
    for part in ("bin", "etc", "tmp", "proc"):
        (root / part).mkdir(parents=True)
    (root / "tmp").chmod(0o777)
    for tool in ("busybox", "sh"):
        shutil.copy(shutil.which("busybox"), root / "bin" / tool)
    (root / "etc/passwd").write_text(f"# comment\nroot:x:0:0::/:/bin/sh\nboxuser:x:{BOX_ID}:{BOX_ID}::/:/bin/sh\n")
    (root / "etc/group").write_text(f"root:x:0:\n\nboxgroup:x:{BOX_ID}:\n")
    subprocess.run(["runc", "spec"], cwd=directory, check=True)
    path = Path(directory, "config.json")
    config = json.loads(path.read_text())
    config["process"] |= {"terminal": False, "args": ["/bin/sh", "-c", COMMAND], "user": {"uid": BOX_ID, "gid": BOX_ID}}
    config["root"]["readonly"] = False
    config["hostname"] = hostname
    config["annotations"] = annotations(name)
    if cgroup:
        config["linux"]["cgroupsPath"] = cgroup
    path.write_text(json.dumps(config))


def run_container(directory, name):
    command = ["runc", "run", name]
    try:
        return subprocess.run(
            command, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=RUNC_SECONDS
        )
    finally:
        subprocess.run(["runc", "delete", "--force", name], stderr=subprocess.DEVNULL, check=False)


def reset(directory):
    Path(directory, "rootfs/tmp/x").unlink(missing_ok=True)


def judge_identity(events, name, hostname, kind):
    """What the cgroup tells is there from the first event; what the runtime tells is there when it has been read."""
    certain = {"name": hostname, "type": kind} | ({"id": DOCKER_ID, "runtime": "docker"} if kind else {})
    told = certain | ({} if kind else {"id": name, "runtime": "runc"} | names(name))
    for event in events:
        got = event["info"]["host"]["container"]
        if got not in (certain, told):
            yield f"{judge.describe(event)}: container {got}, not {told}"
    if events[-1]["info"]["host"]["container"] != told:
        yield f"{judge.describe(events[-1])}: container {events[-1]['info']['host']['container']}, not {told}"


def judge_container(log, name, hostname, kind, digest):
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
    yield from judge_identity(ours[ours.index(shell[0]) :], name, hostname, kind)
    for event in ours[ours.index(shell[0]) :]:
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
        return list(judge_container(sensor.log(), name, hostname, kind, digest))


def make_short_lived(directory):
    """Bundles that share a root: ids as engines make them, and the directory of each."""
    ids = {}
    template = json.loads(Path(directory, "config.json").read_text())
    template["root"]["path"] = os.path.join(directory, "rootfs")
    template["process"]["args"] = ["/bin/busybox", "true"]
    for i in range(SHORT_LIVED):
        container_id = hashlib.sha256(f"{os.getpid()} {i}".encode()).hexdigest()
        bundle = Path(directory, f"bundle{i}")
        bundle.mkdir()
        config = template | {"hostname": f"short{i}.box", "annotations": annotations(f"short{i}")}
        (bundle / "config.json").write_text(json.dumps(config))
        ids[container_id] = bundle
    return ids


def judge_short_lived(log, ids):
    """(problems, how many were named in all events, how many were short)."""
    problems, named, short = [], 0, 0
    for i, container_id in enumerate(ids):
        def of(event):
            return event["info"]["host"]["container"] or {}

        inside = [e for e in log.reported if of(e).get("name") == f"short{i}.box"]
        kinds = sorted(judge.kind_of(e) for e in inside)
        if kinds != ["execve", "exit_group"]:
            problems.append(f"short{i}: events are {kinds}")
            continue
        certain = {"name": f"short{i}.box", "type": None, "id": container_id}
        told = certain | {"runtime": "runc"} | names(f"short{i}")
        problems += [f"short{i}: {of(e)}, not {told}" for e in inside if of(e) not in (certain, told)]
        named += all(of(e) == told for e in inside)
        first, last = (datetime.fromisoformat(e["info"]["utc_time"][:26].rstrip("Z")) for e in inside)
        short += (last - first).total_seconds() < SHORT_SECONDS
    if named < NAMED_AT_LEAST:
        problems.append(f"only {named} of {SHORT_LIVED} have their names")
    return problems, named, short


def run_short_lived(kunai, directory):
    make_bundle(directory, "short", "short.box", None)
    ids = make_short_lived(directory)
    with Sensor([kunai, *OPTIONS], directory) as sensor:
        if not sensor.started():
            return judge.Result("short-lived containers", [f"the sensor did not start: {sensor.stderr()}"])
        with ThreadPoolExecutor(AT_ONCE) as pool:
            done = list(pool.map(lambda item: run_container(item[1], item[0]), ids.items()))
        sensor.await_mark(os.path.join(directory, "mark"))
        sensor.stop()
        problems, named, short = judge_short_lived(sensor.log(), ids)
    problems += [f"runc ended with {d.returncode}: {d.stderr}" for d in done if d.returncode]
    title = f"{SHORT_LIVED} containers, {short} of them under {SHORT_SECONDS} s: all with their id, {named} with their names"
    return judge.Result(title, problems)


def run(kunai):
    runs = True
    for kind in (None, "docker"):
        name = f"kunai-test-{os.getpid()}-{kind or 'plain'}"
        title = f"a container of runc, {'its cgroup named as by docker' if kind else 'of no known kind'}"
        if not shutil.which("runc") or not shutil.which("busybox"):
            runs = False
            yield judge.Result(title, skip="no runc or no busybox here")
            continue
        with tempfile.TemporaryDirectory(prefix="kunai-runc.") as directory:
            os.chmod(directory, 0o755)
            make_bundle(directory, name, f"{name}.box", DOCKER_CGROUP if kind else None)
            probe = run_container(directory, name)
            if probe.returncode:
                runs = False
                yield judge.Result(title, skip=f"runc cannot run here: {' '.join(probe.stderr.split())[:150]}")
                continue
            reset(directory)
            yield judge.Result(title, run_one(kunai, directory, name, f"{name}.box", kind))
    if runs:
        with tempfile.TemporaryDirectory(prefix="kunai-runc.") as directory:
            os.chmod(directory, 0o755)
            yield run_short_lived(kunai, directory)

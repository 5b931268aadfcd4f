# SPDX-License-Identifier: GPL-3.0-or-later
"""The sensor as a service: what it tells the service manager, and that it can do its work in the unit's sandbox."""
import json
import os
import re
import socket
import subprocess
import time
from pathlib import Path

from outputs import await_true, create_files, write_config
from sensor import OPTIONS, Sensor, must


def receive_until(manager, word, seconds=20):
    """Datagrams of the notification socket up to one that holds the word."""
    got = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        manager.settimeout(max(end - time.monotonic(), 0.01))
        try:
            got.append(manager.recv(4096).decode())
        except TimeoutError:
            break
        if word in got[-1]:
            return got
    must(False, f"the manager is not told {word}: {got}")


def check_notify(kunai, directory):
    path = os.path.join(directory, "notify")
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(path)
    command = ["env", f"NOTIFY_SOCKET={path}", "WATCHDOG_USEC=4000000", kunai, *OPTIONS]
    with Sensor(command, directory) as sensor:
        receive_until(manager, "READY=1")
        must(b"\n" in sensor.out.read_bytes(), "it says that it is ready before its first line")
        receive_until(manager, "WATCHDOG=1")
        began = time.monotonic()
        receive_until(manager, "WATCHDOG=1")
        must(1 < time.monotonic() - began < 4, f"{time.monotonic() - began} s between signs of life")
        must(sensor.stop() == 0, f"its end: {sensor.stderr()}")
        receive_until(manager, "STOPPING=1")


def capabilities(unit):
    names = re.search(r"^CapabilityBoundingSet=(.*)$", unit, re.MULTILINE)[1].split()
    return ",".join(["-all"] + ["+" + name.removeprefix("CAP_").lower() for name in names])


def runs_contained():
    """Whether all of this test runs in a mount namespace other than the host's, which kthreadd lives in."""
    return os.stat("/proc/2/ns/mnt").st_ino != os.stat("/proc/self/ns/mnt").st_ino


def check_sandbox(kunai, directory):
    """With the unit's capabilities, in a mount namespace where the system is read-only: everything works, and other
    processes are no containers."""
    installed = Path(directory, "installed")
    subprocess.run([kunai, "install", "--install-dir", installed / "bin", "--config", installed / "config.yaml", "--log-file",
                    installed / "log/events", "--systemd", "--systemd-unit", installed / "kunai.service"],
                   check=True, stdout=subprocess.DEVNULL)  # fmt: skip
    unit = (installed / "kunai.service").read_text()
    script = 'for d in /usr /etc; do mount --bind -o ro "$d" "$d" && mount -o remount,bind,ro "$d"; done && exec "$@"'
    command = ["unshare", "--mount", "--uts", "sh", "-c", script, "sh", "setpriv", "--no-new-privs", "--bounding-set", capabilities(unit),
               installed / "bin/kunai", "run", "-c", installed / "config.yaml"]  # fmt: skip
    log = installed / "log/events"
    with Sensor(list(map(str, command)), directory, output=log) as sensor:
        must(sensor.started(), f"it did not start: {sensor.stderr()}")
        program = os.path.join(directory, "copy-of-true")
        subprocess.run(["cp", "/bin/true", program], check=True)
        subprocess.run([program], check=True)

        def executed():
            events = (json.loads(line) for line in log.read_bytes().splitlines())
            return [e for e in events if e["info"]["event"]["name"] == "execve" and e["data"]["exe"]["path"] == program]

        await_true(executed, 20, f"the execution is missing: {sensor.stderr()}")
        event = executed()[0]
        container = event["info"]["host"]["container"]
        must((container is not None) == runs_contained(), f"a container: {event['info']['host']}")
        must(len(event["data"]["exe"]["sha256"]) == 64, f"no digest: {event['data']['exe']}")
        must(sensor.stop() == 0, f"its end: {sensor.stderr()}")
        must("refused" not in sensor.stderr(), sensor.stderr())


def status_lines(task, *names):
    lines = dict(line.split(":\t", 1) for line in Path(task, "status").read_text().splitlines() if ":\t" in line)
    return [lines[name].strip() for name in names]


def check_privileges(kunai, directory):
    """When it has started, every thread is filtered and holds no more than the unit's capabilities; its helpers are filtered."""
    rules = Path(directory, "none.kun")
    rules.write_text("")
    with Sensor([kunai, *OPTIONS, f"--rules={rules}"], directory) as sensor:
        must(sensor.started(), f"it did not start: {sensor.stderr()}")
        tasks = f"/proc/{sensor.process.pid}/task"
        await_true(lambda: status_lines(f"/proc/{sensor.process.pid}", "Seccomp") == ["2"], 20, f"no filter: {sensor.stderr()}")
        kept = [status_lines(f"{tasks}/{task}", "CapPrm")[0] for task in os.listdir(tasks)]
        must(f"{1 << 2:016x}" in kept, f"no thread that reads rules with CAP_DAC_READ_SEARCH alone: {kept}")
        for task in os.listdir(tasks):
            seccomp, no_new, *sets = status_lines(f"{tasks}/{task}", "Seccomp", "NoNewPrivs", "CapPrm", "CapBnd")
            must((seccomp, no_new) == ("2", "1"), f"thread {task}: Seccomp {seccomp}, NoNewPrivs {no_new}")
            modules = [s for s in sets if int(s, 16) >> 16 & 1]  # CAP_SYS_MODULE
            must(not modules, f"thread {task} may load modules: {sets}")

        def helpers():
            children = Path(tasks, str(sensor.process.pid), "children").read_text().split()
            return {Path(f"/proc/{child}/comm").read_text().strip(): status_lines(f"/proc/{child}", "Seccomp", "NoNewPrivs") for child in children}

        filtered = dict.fromkeys(("kunai-progs", "kunai-compile"), ["2", "1"])
        await_true(lambda: helpers() == filtered, 20, f"the helpers and their filters: {helpers()}")
        must(sensor.stop() == 0, f"its end: {sensor.stderr()}")


def check_run_dir(kunai, directory):
    """A second sensor with a directory of its own, and each is told apart from the other."""
    other = os.path.join(directory, "run")
    with Sensor([kunai, *OPTIONS], directory) as first, Sensor([kunai, *OPTIONS, f"--run-dir={other}"], directory, "second") as second:
        must(first.started() and second.started(), f"they did not start: {first.stderr()} {second.stderr()}")
        must(Path(other, "kunai.pid").read_text() == str(second.process.pid), "no pid file of its own")
        must(os.stat(other).st_mode & 0o777 == 0o700, "the directory's mode")
        done = subprocess.run([kunai, "reload", "--run-dir", other], capture_output=True, text=True, timeout=60, check=False)
        must(done.returncode == 0, f"reload: {done.stderr}")
        must(second.stop() == 0 and first.process.poll() is None, "the end of one is that of the other")
        must(not os.path.exists(os.path.join(other, "kunai.pid")), "its pid file is still there")
        must(first.stop() == 0, f"its end: {first.stderr()}")


def http(port, request):
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(request)
        answer = b""
        while data := client.recv(65536):
            answer += data
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.decode(), body.decode()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask_status(kunai, *options, **how):
    return subprocess.run([kunai, "status", *options], capture_output=True, text=True, timeout=60, check=False, **how)


def check_doctor(kunai, directory):
    """Every event has its place; the word of the status is that of the findings."""
    run = subprocess.run([kunai, "doctor", "--json"], capture_output=True, text=True, timeout=120, check=False)
    told = json.loads(run.stdout)
    failed = [f["name"] for f in told["findings"] if f["state"] == "failure"]
    must(not failed and run.returncode == 0, f"status {run.returncode}, failures: {failed}")
    nowhere = [e["name"] for e in told["events"] if not e["tier"] or not e["hooks"]]
    must(told["events"] and not nowhere, f"events without a place: {nowhere}")
    moved = {e["name"] for e in told["events"] if e["tier"] == "trampoline"}
    allowed = next(f["state"] for f in told["findings"] if f["name"] == "trampolines") == "ok"
    must(bool(moved) == allowed, f"on trampolines, which are {'' if allowed else 'not '}allowed: {moved}")
    hooks = {e["name"]: e["hooks"].split() for e in told["events"]}
    must(("vfs_unlink" if "file_unlink" in moved else "unlinkat") in hooks["file_unlink"] and hooks["execve"] == ["sched_process_exec"], f"hooks: {hooks}")
    must({e["name"] for e in told["events"]} >= {"write_close", "send_data", "io_uring_sqe"}, "not all events")


def check_status(kunai, directory):
    """Counters over the socket and over HTTP are those of the log."""
    port, log = free_port(), Path(directory, "events.log")
    config = write_config(directory, {"path": log, "rotate_size": "1GB"})
    with open(config, "a") as file:
        file.write(f"metrics: 127.0.0.1:{port}\n")
    rules = Path(directory, "status.kun")
    rules.write_text('name: made.files\nmatch-on: {events: {kunai: [file_create]}}\nmatches: {$p: .data.path ~= "/made/"}\ncondition: $p\n')
    refused = ask_status(kunai)
    must(refused.returncode == 1 and "no sensor is running" in refused.stderr, f"without a sensor: {refused}")
    command = [kunai, "run", "--tier=tracepoint", "--exclude=all", "--include=file_create", "-c", config, f"--rules={rules}"]
    with Sensor(command, directory, output=log) as sensor:
        must(sensor.started(), f"it did not start: {sensor.stderr()}")
        files = os.path.join(directory, "made")
        os.mkdir(files)
        create_files(files, range(101))

        def told():
            return json.loads(ask_status(kunai, "--json").stdout)

        await_true(lambda: told()["events"].get("file_create", {}).get("received", 0) >= 101, 20, "the files are not counted")
        before, status, after = log.read_bytes().count(b"\n"), told(), log.read_bytes().count(b"\n")
        must(status["pid"] == sensor.process.pid and status["tier"] == "tracepoint" and status["uptime"] > 0, f"{status}")
        must(status["events"]["file_create"]["rate"] > 0 and status["lost"] == 0, f"{status}")
        must(1 << 20 < status["resident_bytes"] < 1 << 30 and status["processes"] > 1, f"{status}")
        must(status["outputs"][0]["name"] == f"file {log}" and 1 <= status["outputs"][0]["written"] <= after, f"{status} {before}")
        slow = status["slowest_rules"]
        must([r["name"] for r in slow] == ["made.files"] and 0 < slow[0]["share"] <= 1 and slow[0]["seconds"] > 0, f"slowest rules: {slow}")
        text = ask_status(kunai).stdout
        must(f"pid {sensor.process.pid}," in text and "file_create" in text and "made.files" in text, text)
        head, body = http(port, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        must(head.startswith("HTTP/1.1 200 OK\r\n") and f"Content-Length: {len(body)}" in head, head)
        samples = dict(line.rsplit(" ", 1) for line in body.splitlines() if not line.startswith("#"))
        must(int(samples['kunai_events_received_total{event="file_create"}']) >= 101, body)
        must(samples[f'kunai_output_works{{output="file {log}"}}'] == "1", body)
        must(float(samples['kunai_slowest_rules_seconds_total{rule="made.files"}']) > 0, body)
        must(http(port, b"GET / HTTP/1.1\r\n\r\n")[0].startswith("HTTP/1.1 404"), "another path")
        # one that says nothing holds up nobody else for long, and nobody at the other socket
        silent = socket.create_connection(("127.0.0.1", port))
        began = time.monotonic()
        must(told()["pid"], "the socket")
        must(http(port, b"GET /metrics HTTP/1.0\r\n\r\n")[1] and time.monotonic() - began < 10, "a silent client")
        silent.close()
        stranger = ask_status(kunai, user=65534, group=65534, extra_groups=[])
        must(stranger.returncode == 1 and "root" in stranger.stderr, f"a stranger: {stranger}")
        must(sensor.stop() == 0, f"its end: {sensor.stderr()}")
        must(not os.path.exists("/run/kunai/status.sock"), "the socket is still there")


def first_line(sensor):
    return json.loads(sensor.out.read_bytes().split(b"\n", 1)[0])


def check_gap(kunai, directory):
    """Each start tells until when the run before it watched, and how that one ended."""
    command = [kunai, *OPTIONS, f"--run-dir={directory}/gap"]
    before = None
    for number, (end, said) in enumerate(((lambda s: s.stop(), "stopped"), (lambda s: (s.process.kill(), s.process.wait()), "killed"), (lambda s: s.stop(), None))):
        with Sensor(command, directory, f"gap{number}") as sensor:
            must(sensor.started(), f"it did not start: {sensor.stderr()}")
            start = first_line(sensor)
            told = start["data"]["kunai"]
            if before is None:
                must("previous_until" not in told and "previous_end" not in told, f"a first run tells of another: {told}")
            else:
                began, ended, expected = before
                must(told["previous_end"] == expected, f"{told}, not {expected}")
                must(began <= told["previous_until"] <= ended < start["info"]["utc_time"], f"{told} is not between {began} and {ended}")
            time.sleep(2.5)  # it says so once a second
            began = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 2.2))
            end(sensor)
            before = (began, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 1)), said)
            time.sleep(1)


CHECKS = {
    "it gives up what it does not need": check_privileges,
    "the gap between two runs is told": check_gap,
    "doctor finds a place for every event": check_doctor,
    "status and metrics are those of the log": check_status,
    "a second one runs beside it with --run-dir": check_run_dir,
    "a service manager is told when it is ready, lives and ends": check_notify,
    "it works in the sandbox of its unit": check_sandbox,
}

# SPDX-License-Identifier: GPL-3.0-or-later
"""The sensor as a service: what it tells the service manager, and that it can do its work in the unit's sandbox."""
import json
import os
import re
import socket
import subprocess
import time
from pathlib import Path

from outputs import await_true, must
from sensor import OPTIONS, Sensor


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
        must(event["info"]["host"]["container"] is None, f"a container: {event['info']['host']}")
        must(len(event["data"]["exe"]["sha256"]) == 64, f"no digest: {event['data']['exe']}")
        must(sensor.stop() == 0, f"its end: {sensor.stderr()}")
        must("refused" not in sensor.stderr(), sensor.stderr())


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


CHECKS = {
    "a second one runs beside it with --run-dir": check_run_dir,
    "a service manager is told when it is ready, lives and ends": check_notify,
    "it works in the sandbox of its unit": check_sandbox,
}

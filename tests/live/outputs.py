# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of the sensor's lines: files that rotate, full disks, several sinks."""
import contextlib
import ctypes
import gzip
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from sensor import OPTIONS, Sensor, must

LONG = bool(os.environ.get("KUNAI_TEST_LONG"))
ROTATIONS = 1009 if LONG else 11
ROTATE_SIZE = 100 << 10
MS_REMOUNT = 32


def write_config(directory, output, events=()):
    path = Path(directory, "config.yaml")
    lines = ["output:", *(f"  {key}: {value}" for key, value in output.items())]
    if events:
        lines += ["events:", *(f"  {name}:\n    enable: true" for name in events)]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def await_true(condition, seconds, text):
    end = time.monotonic() + seconds
    while not condition():
        must(time.monotonic() < end, text)
        time.sleep(0.05)


def archives(log):
    """(index, path) of what was rotated, oldest first."""
    pattern = re.compile(re.escape(log.name) + r"\.(\d+)(\.gz)?$")
    found = ((pattern.match(p.name), p) for p in log.parent.iterdir())
    return sorted((int(match[1]), path) for match, path in found if match)


def read_all(log):
    """Every line of a log, from the oldest archive to the file."""
    lines = []
    for path in [path for _, path in archives(log)] + [log]:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            data = file.read()
        must(data.endswith(b"\n") or not data, f"{path.name} ends within a line")
        lines += data.splitlines()
    return lines


def created(lines, where):
    """The files that were created below a directory, in the order of the lines."""
    events = (json.loads(line) for line in lines)
    prefix = str(where) + "/"
    return [e["data"]["path"][len(prefix):] for e in events
            if e["info"]["event"]["name"] == "file_create" and e["data"]["path"].startswith(prefix)]  # fmt: skip


def create_files(where, numbers):
    for number in numbers:
        path = os.path.join(where, str(number))
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        os.unlink(path)


def count_written(sensor):
    """From the account at the end: (printed, unwritten)."""
    match = re.search(r"printed=(\d+).* unwritten=(\d+)", sensor.stderr())
    must(match, f"no account: {sensor.stderr()}")
    return int(match[1]), int(match[2])


def check_rotation(kunai, directory):
    """Rotations by size under load, one asked for from outside, archives compressed meanwhile: every line exactly once."""
    log, where = Path(directory, "logs/events.log"), os.path.join(directory, "made")
    config = write_config(directory, {"path": log, "rotate_size": "100KB"}, ["file_create"])
    os.mkdir(where)
    with Sensor([kunai, "-v", "run", "-c", config], directory, output=log) as sensor:
        must(sensor.started(), f"it did not start: {sensor.stderr()}")
        files = 0
        while not archives(log) or archives(log)[-1][0] < ROTATIONS:
            create_files(where, range(files, files + 101))
            files += 101
            if files == 101 * 3:
                log.rename(log.parent / "moved")
                sensor.process.send_signal(signal.SIGUSR1)
                await_true(log.exists, 60, "SIGUSR1 does not open the file again")
            must(sensor.process.poll() is None, f"it has ended: {sensor.stderr()}")
        must(sensor.stop() == 0, f"its end: {sensor.stderr()}")
        moved = (log.parent / "moved").read_bytes().splitlines()
        lines = moved + read_all(log)
    printed, unwritten = count_written(sensor)
    must((len(lines), unwritten) == (printed, 0), f"{len(lines)} lines for {printed} events, {unwritten} unwritten")
    must(moved, "nothing in the file that was moved")
    names = [json.loads(line)["info"]["event"]["uuid"] for line in lines]
    must(len(set(names)) == len(names), "a line is there twice")
    seen, losses = created(lines, where), [e for e in map(json.loads, lines) if e["info"]["event"]["name"] == "event_loss"]
    must(losses or sorted(map(int, seen)) == list(range(files)), f"{len(seen)} of {files} files were seen")
    for _, path in archives(log):
        must(path.stat().st_mode & 0o777 == 0o600, f"{path.name} has mode {path.stat().st_mode:o}")
    sizes = [path.stat().st_size for _, path in archives(log) if path.suffix != ".gz"]
    must(all(size < ROTATE_SIZE + 8192 for size in sizes), f"sizes {sizes}")


@contextlib.contextmanager
def small_file_system(directory, size):
    """In a mount namespace of our own, which the sensor shares; remount(size) changes it."""
    libc = ctypes.CDLL(None, use_errno=True)
    point = os.path.join(directory, "small")
    os.mkdir(point)

    def mount(flags, options):
        if libc.mount(b"kunai-test", point.encode(), b"tmpfs", flags, options.encode()) < 0:
            raise OSError(ctypes.get_errno(), "mount")

    mount(0, f"size={size}")
    try:
        yield Path(point), lambda new: mount(MS_REMOUNT, f"size={new}")
    finally:
        libc.umount2(point.encode(), 2)
        os.rmdir(point)


def check_full_disk(kunai, directory):
    """The file's disk is full, then there is room: nothing is lost, all is told, another sink is not held up."""
    where = os.path.join(directory, "made")
    os.mkdir(where)
    with small_file_system(directory, 64 << 10) as (point, resize):
        log = point / "events.log"
        config = write_config(directory, {"path": log, "stdout": "true"}, ["file_create"])
        with Sensor([kunai, "-v", "run", "-c", config], directory) as sensor:
            must(sensor.started(), f"it did not start: {sensor.stderr()}")
            create_files(where, range(307))
            await_true(lambda: "No space left" in sensor.stderr(), 20, f"a full disk is not told: {sensor.stderr()}")
            await_true(lambda: len(created(sensor.out.read_bytes().splitlines(), where)) == 307, 20, "standard output is held up")
            time.sleep(1.5)
            must(sensor.stderr().count("No space left") == 1, f"it is told more than once a minute: {sensor.stderr()}")
            resize(8 << 20)
            await_true(lambda: "works again" in sensor.stderr(), 20, f"it does not recover: {sensor.stderr()}")
            create_files(where, range(307, 311))
            must(sensor.stop() == 0, f"its end: {sensor.stderr()}")
            lines = log.read_bytes().splitlines()
            must(created(lines, where) == [str(n) for n in range(311)], f"{len(created(lines, where))} of 311 files")
        must(lines == sensor.out.read_bytes().splitlines(), "file and standard output differ")


def check_closed_pipe(kunai, directory):
    """With another sink the end of a pipe is not the end of the sensor."""
    log, path = Path(directory, "events.log"), os.path.join(directory, "created")
    config = write_config(directory, {"path": log, "stdout": "true"})
    with open(os.path.join(directory, "err"), "w+b") as err:
        process = subprocess.Popen([kunai, *OPTIONS, "-c", config], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err)
        try:
            must(process.stdout.readline().startswith(b'{"data":'), "no first line")
            process.stdout.close()
            create_files(directory, ["created"])
            await_true(lambda: path.encode() in log.read_bytes(), 20, "the file gets nothing more")
            must(process.poll() is None, "it has ended")
            process.terminate()
            must(process.wait(20) == 0, f"exit status {process.returncode}")
        finally:
            process.kill()
            process.wait()


def check_sinks(kunai, directory):
    """File, socket, syslog and journal have the same lines."""
    log, sockets = Path(directory, "events.log"), {}
    for name in ("syslog", "journald"):
        sockets[name] = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sockets[name].bind(os.path.join(directory, name))
    where = os.path.join(directory, "made")
    os.mkdir(where)
    paths = {name: os.path.join(directory, name) for name in ("socket", "syslog", "journald")}
    config = write_config(directory, {"path": log, **paths}, ["file_create"])
    got = {name: [] for name in paths}

    def receive(name):
        with contextlib.suppress(OSError):
            while data := sockets[name].recv(1 << 20):
                got[name].append(data)

    with Sensor([kunai, "run", "-c", config], directory, output=log) as sensor:
        must(sensor.started(), f"it did not start: {sensor.stderr()}")
        sockets["socket"] = socket.socket(socket.AF_UNIX)
        sockets["socket"].connect(paths["socket"])
        threads = [threading.Thread(target=receive, args=(name,), daemon=True) for name in got]
        for thread in threads:
            thread.start()
        time.sleep(0.2)
        create_files(where, range(103))
        await_true(lambda: len(created(log.read_bytes().splitlines(), where)) == 103, 60, "the file is not complete")
        # at its end it does not wait for who is slow to take datagrams
        await_true(lambda: all(b"".join(parts).count(where.encode() + b"/") >= 103 for parts in got.values()), 60,
                   f"not all lines came: {[len(parts) for parts in got.values()]}")  # fmt: skip
        must(sensor.stop() == 0, f"its end: {sensor.stderr()}")
    for name in sockets:
        with contextlib.suppress(OSError):
            sockets[name].shutdown(socket.SHUT_RDWR)
    texts = {
        "socket": b"".join(got["socket"]).splitlines(),
        "syslog": [data.split(b" ", 7)[7] for data in got["syslog"]],
        "journald": [data.rstrip(b"\n").split(b"\nMESSAGE=", 1)[1] for data in got["journald"]],
    }
    for name, lines in texts.items():
        seen = created(lines, where)
        must(seen == [str(n) for n in range(103)], f"{name}: {len(seen)} of 103 files")
    must(not os.path.exists(paths["socket"]), "the socket is still there")


CHECKS = {
    f"{ROTATIONS} rotations under load keep every line once": check_rotation,
    "a full disk is told, survived, and costs nothing": check_full_disk,
    "a closed pipe beside another sink is not the end": check_closed_pipe,
    "file, socket, syslog and journal have the same lines": check_sinks,
}

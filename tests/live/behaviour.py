# SPDX-License-Identifier: GPL-3.0-or-later
"""How the sensor behaves as a program: how it starts, ends and refuses."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import examples
import judge
import muting
import outputs
import reloading
import service
from sensor import NOBODY, OPTIONS, PID_FILE, Failed, Sensor, create_file, must, run

STOOD_STILL = 19
SLOW = bool(os.environ.get("KUNAI_TEST_SLOW"))


def has_created(log, path):
    return sum(judge.kind_of(e) == "file_create" and e["data"]["path"] == path for e in log.events) == 1


def ends_by(number):
    """A file is created and the sensor told to end at once: the event must be there, and whole."""

    def check(kunai, directory):
        """ends cleanly with everything written"""
        path = os.path.join(directory, "last")
        with Sensor([kunai, *OPTIONS], directory) as sensor:
            must(sensor.started(), f"it did not start: {sensor.stderr()}")
            create_file(path)
            status = sensor.stop(number)
            must(status == 0, f"exit status {status}: {sensor.stderr()}")
            log = sensor.log()
            must(not log.bad, f"{log.bad}")
            must(has_created(log, path), "the last event is not there")
            must(not PID_FILE.exists(), "the pid file is still there")

    return check


def check_open_files(kunai, directory):
    """As many as it wants where it may raise the limit, else as many as it may have."""
    with Sensor(["prlimit", "--nofile=512:4000", kunai, *OPTIONS], directory) as sensor:
        must(sensor.started(), f"it did not start: {sensor.stderr()}")
        limits = Path(f"/proc/{sensor.process.pid}/limits").read_text()
        soft = int(re.search(r"Max open files +(\d+)", limits)[1])
        must(sensor.stop() == 0, "it does not end")
        must(soft == 32768 or (soft == 4000 and "it is 4000" in sensor.stderr()), f"the limit is {soft}: {sensor.stderr()}")


def check_closed_pipe(kunai, directory):
    with open(os.path.join(directory, "err"), "w+b") as err:
        process = subprocess.Popen([kunai, *OPTIONS], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err)
        try:
            first = process.stdout.readline()
            must(first.startswith(b'{"data":'), f"the first line is {first[:80]}")
            process.stdout.close()
            began = time.monotonic()
            subprocess.run(["true"], check=True)  # something to write about
            status = process.wait(20)
            took = time.monotonic() - began
        finally:
            process.kill()
            process.wait()
        err.seek(0)
        must(status == 0, f"exit status {status}: {err.read()}")
        must(took < (10 if SLOW else 1), f"it took {took:.1f} s")


def check_not_root(kunai, directory):
    status, stderr = run([kunai, "run"], user=NOBODY, group=NOBODY, extra_groups=[])
    must(status == 1, f"exit status {status}")
    must(len(stderr.splitlines()) == 1 and "root" in stderr, f"stderr: {stderr}")


def check_second_instance(kunai, directory):
    with Sensor([kunai, *OPTIONS], directory) as first:
        must(first.started(), f"it did not start: {first.stderr()}")
        status, stderr = run([kunai, *OPTIONS])
        must(status == 0, f"exit status {status}: {stderr}")
        wanted = f"An instance of Kunai pid={first.process.pid} is already running"
        must(wanted in stderr, f"stderr: {stderr}")
        must(first.process.poll() is None, "the first instance ended")
        must(first.stop() == 0, "the first instance does not end well")


def with_config(directory, text):
    path = os.path.join(directory, "config.yaml")
    Path(path).write_text(text)
    return path


def check_unwritable_output(kunai, directory):
    config = with_config(directory, "output:\n  path: /proc/no/such/directory/events.log\n")
    status, stderr = run([kunai, "run", "-c", config])
    must(status == 1, f"exit status {status}")
    must(len(stderr.splitlines()) == 1, f"stderr: {stderr}")


def check_no_config(kunai, directory):
    status, stderr = run([kunai, "run", "-c", os.path.join(directory, "missing.yaml")])
    must(status == 1, f"exit status {status}")
    must(len(stderr.splitlines()) == 1 and "missing.yaml" in stderr, f"stderr: {stderr}")


def check_output_file(kunai, directory):
    output, path = Path(directory, "events.log"), os.path.join(directory, "created")
    config = with_config(directory, f"output:\n  path: {output}\n")
    with Sensor([kunai, *OPTIONS, "-c", config], directory, output=output) as sensor:
        must(sensor.started(), f"it did not start: {sensor.stderr()}")
        create_file(path)
        must(sensor.stop() == 0, f"it does not end well: {sensor.stderr()}")
        must(has_created(sensor.log(), path), "the event is not in the file")
        must(output.stat().st_mode & 0o777 == 0o600, f"mode {output.stat().st_mode:o}")
        must(not sensor.out.read_bytes(), "something is on stdout")


def check_deleted_binary(kunai, directory):
    copy, path = os.path.join(directory, "copy"), os.path.join(directory, "created")
    shutil.copy(kunai, copy)
    with Sensor([copy, *OPTIONS], directory) as sensor:
        os.unlink(copy)
        must(sensor.started(), f"it did not start: {sensor.stderr()}")
        create_file(path)
        must(sensor.stop() == 0, f"it does not end well: {sensor.stderr()}")
        must(has_created(sensor.log(), path), "the event is missing")


def check_unknown_option(kunai, directory):
    status, stderr = run([kunai, "run", "--inclde=all"])
    must(status == 2 and "--include" in stderr, f"exit status {status}: {stderr}")


def check_flush(kunai, directory):
    """A reader sees each event soon, not when a buffer is full."""
    path = os.path.join(directory, "created")
    with Sensor([kunai, *OPTIONS], directory) as sensor:
        must(sensor.started(), f"it did not start: {sensor.stderr()}")
        create_file(path)
        end = time.monotonic() + (10 if SLOW else 2)
        while time.monotonic() < end and path.encode() not in sensor.out.read_bytes():
            time.sleep(0.05)
        must(path.encode() in sensor.out.read_bytes(), "the event is not written while the sensor runs")
        sensor.stop()


RULE = """\
name: rule{n}
match-on:
  events:
    kunai: [execve]
matches:
  $a: .data.command_line ~= '/[^/]*/(a|b{n}|c)(-[a-zA-Z0-9._]+)?$'
condition: $a
severity: 1
"""


def check_rules(kunai, directory):
    """Rules that take long to compile: they match before that is done, and an end does not wait for it."""
    rules, program = os.path.join(directory, "many.kun"), os.path.join(directory, "b7-detected")
    with open(rules, "w") as file:
        file.write("---\n".join(RULE.format(n=n) for n in range(3001)))
    os.symlink("/bin/true", program)
    with Sensor([kunai, *OPTIONS, "-r", rules], directory) as sensor:
        must(sensor.started(), f"it did not start: {sensor.stderr()}")
        subprocess.run([program], check=True)
        begun = time.monotonic()
        must(sensor.stop() == 0, f"its end: {sensor.stderr()}")
        must(time.monotonic() - begun < (30 if SLOW else 5), "its end waits")
        must(not PID_FILE.exists(), "the pid file is still there")
        lines = map(json.loads, sensor.out.read_bytes().splitlines())
        detected = [event["detection"] for event in lines if "detection" in event]
        must(detected == [{"rules": ["rule7"], "severity": 1}], f"detections: {detected}")


def fill_pipe(kunai, directory, err):
    """A sensor with small rings whose output nobody reads, after more files than pipe and rings hold."""
    files = 5003
    command = [kunai, "run", "--exclude=all", "--include=file_create", "--max-buffered-events=1"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err)
    first = process.stdout.readline()
    if not first.startswith(b'{"data":'):
        process.kill()
        process.wait()
        raise Failed(f"the first line is {first[:80]}")
    where = os.path.join(directory, "many")
    os.mkdir(where)
    for number in range(files):
        create_file(os.path.join(where, str(number)))
    return process, where, files


def check_slow_reader(kunai, directory):
    """Nothing waits for the reader but the sensor itself; what it misses meanwhile is counted."""
    with open(os.path.join(directory, "err"), "w+b") as err:
        process, where, files = fill_pipe(kunai, directory, err)
        try:
            time.sleep(2.5)  # several of the sensor's ticks
            must(process.poll() is None, f"it has ended: {process.returncode}")
            timer = threading.Timer(5, process.send_signal, [signal.SIGTERM])
            timer.start()
            log = judge.Log(process.stdout.read(), process.pid)
            status = process.wait(30)
        finally:
            process.kill()
        err.seek(0)
        stderr = err.read().decode(errors="replace")
    must(status == 0 and not log.bad, f"exit status {status}, {log.bad}: {stderr}")
    losses = [e["data"]["lost"] for e in log.events if judge.kind_of(e) == "event_loss"]
    seen = {e["data"]["path"] for e in log.events if judge.kind_of(e) == "file_create"}
    ours = sum(path.startswith(where + "/") for path in seen)
    must(0 < ours < files and losses, f"{ours} of {files} files were seen, losses {losses}")
    must(ours + losses[-1] >= files, f"{ours} of {files} files were seen, but {losses[-1]} events lost")
    must("balance" not in stderr, stderr)


def check_stuck_reader(kunai, directory):
    """One that never reads again does not keep it from ending."""
    with open(os.path.join(directory, "err"), "w+b") as err:
        process, _, _ = fill_pipe(kunai, directory, err)
        try:
            process.send_signal(signal.SIGTERM)
            status = process.wait(30 if SLOW else 6)
        finally:
            process.kill()
            process.stdout.close()
    must(status == 0, f"exit status {status}")


def check_stood_still(kunai, directory):
    """Stopped for a while, it says so, and its programs were called all the same."""
    with Sensor([kunai, *OPTIONS], directory) as sensor:
        must(sensor.started(), f"it did not start: {sensor.stderr()}")
        time.sleep(2)
        sensor.process.send_signal(signal.SIGSTOP)
        time.sleep(11)
        sensor.process.send_signal(signal.SIGCONT)
        sensor.await_stderr("stood still")
        must(sensor.stop() == 0, f"it does not end well: {sensor.stderr()}")
        codes = [e["data"]["code"] for e in sensor.log().events if judge.kind_of(e) == "error"]
        must(codes == [STOOD_STILL], f"errors: {codes}")


CHECKS = {
    "many rules match at once, and do not hold up its end": check_rules,
    "SIGINT ends it cleanly with everything written": ends_by(signal.SIGINT),
    "SIGTERM ends it cleanly with everything written": ends_by(signal.SIGTERM),
    "a limit of open files is used up to what is allowed": check_open_files,
    "a closed pipe ends it with status 0 within a second": check_closed_pipe,
    "a slow reader costs counted events and nothing else": check_slow_reader,
    "a reader that is stuck does not keep it from ending": check_stuck_reader,
    "events are written at once": check_flush,
    "not root: one line, status 1": check_not_root,
    "a second instance warns and ends with status 0": check_second_instance,
    "unwritable output: one line, status 1": check_unwritable_output,
    "unreadable configuration: one line, status 1": check_no_config,
    "output to a file": check_output_file,
    "its binary may be deleted": check_deleted_binary,
    "a sensor that was stopped for a while says so": check_stood_still,
    "an unknown option is answered with the nearest": check_unknown_option,
    **examples.CHECKS,
    **muting.CHECKS,
    **outputs.CHECKS,
    **reloading.CHECKS,
    **service.CHECKS,
}


def run_check(check, kunai):
    # Readable by nobody, who is one of the users.
    with tempfile.TemporaryDirectory(prefix="kunai-live.") as directory:
        os.chmod(directory, 0o755)
        copy = os.path.join(directory, "kunai")
        shutil.copy(kunai, copy)
        os.chmod(copy, 0o755)
        try:
            check(copy, directory)
        except (Failed, OSError, subprocess.TimeoutExpired) as error:
            return [str(error)]
    return []


def run_all(kunai):
    for name, check in CHECKS.items():
        yield judge.Result(name, run_check(check, kunai))

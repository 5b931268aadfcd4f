# SPDX-License-Identifier: GPL-3.0-or-later
"""New rules, indicators and YARA rules for a sensor that runs, and what it keeps of them."""
import array
import errno
import fcntl
import json
import os
import signal
import subprocess
import termios
import threading
import time
from pathlib import Path

import judge
from sensor import NOBODY, OPTIONS, PID_FILE, START_SECONDS, Sensor, create_file, must, run

CACHE = Path("/var/lib/kunai")

FILTER = """\
name: {name}
type: filter
match-on: {{events: {{kunai: [file_create]}}}}
matches: {{$path: .data.path ~= '/{pattern}'}}
condition: $path
"""


class Storm(threading.Thread):
    """Files that are created until it is told to stop."""

    def __init__(self, where):
        super().__init__()
        self.where, self.files, self.stopped = where, 0, threading.Event()

    def run(self):
        while not self.stopped.is_set() and self.files < 20011:
            create_file(os.path.join(self.where, f"storm.{self.files}"))
            self.files += 1
            if self.files % 100 == 0:
                time.sleep(0.05)  # it is about the reload, not about full rings

    def stop(self):
        self.stopped.set()
        self.join()
        return [os.path.join(self.where, f"storm.{n}") for n in range(self.files)]


def reload_in_storm(kunai, directory, rules, sensor):
    """Seven reloads; the rule that the storm is about is in all of them, with another name in each."""
    storm = Storm(directory)
    storm.start()
    try:
        for number in range(7):
            rules.write_text(FILTER.format(name=f"storm-{number}", pattern="storm"))
            if number % 2:
                sensor.process.send_signal(signal.SIGHUP)
                time.sleep(0.1)
                continue
            status, stderr = run([kunai, "reload"])
            must(status == 0 and "1 filters" in stderr, f"reload {number}: status {status}: {stderr}")
            # what waits for its turn is matched with the rules that are in use then
            sensor.await_mark(os.path.join(directory, f"storm.mark.{number}"))
    finally:
        paths = storm.stop()
    return paths


def check_reload(kunai, directory):
    rules = Path(directory, "test.kun")
    after, bad, last = (os.path.join(directory, name) for name in ("after", "bad", "last"))
    rules.write_text(FILTER.format(name="before", pattern="storm"))
    with Sensor([kunai, *OPTIONS, "-r", rules], directory) as sensor:
        must(sensor.started(), f"it did not start: {sensor.stderr()}")
        must(run([kunai, "reload"], user=NOBODY, group=NOBODY, extra_groups=[])[0] == 1, "nobody may reload")
        paths = reload_in_storm(kunai, directory, rules, sensor)
        sensor.await_mark(os.path.join(directory, "storm.mark"))
        rules.write_text(FILTER.format(name="new", pattern="after|bad|last"))
        status, stderr = run([kunai, "reload"])
        must(status == 0, f"exit status {status}: {stderr}")
        create_file(after)
        rules.write_text(FILTER.format(name="worse", pattern="after|bad|last") + "---\nname: x\nmatchs: {}\n---\nname: y\nseverity: z\n")
        status, stderr = run([kunai, "reload"])
        wanted = [f"{rules}:{line}:" for line in (8, 11)]
        must(status == 1 and all(w in stderr for w in wanted), f"bad rules: exit status {status}: {stderr}")
        must(all(w in sensor.stderr() for w in wanted), f"it does not log what is wrong: {sensor.stderr()}")
        create_file(bad)
        rules.unlink()
        status, stderr = run([kunai, "reload"])
        must(status == 1 and "no such file" in stderr, f"no rules: exit status {status}: {stderr}")
        create_file(last)
        must(sensor.stop() == 0, f"it does not end well: {sensor.stderr()}")
    events = [json.loads(line) for line in sensor.out.read_text().splitlines()]
    found = {}
    for e in events:
        if judge.kind_of(e) == "file_create":
            found.setdefault(e["data"]["path"], []).extend(e["filter"]["rules"])
    wrong = [p for p in paths if len(found.get(p, [])) != 1]
    must(not wrong, f"{len(wrong)} of {len(paths)} files of the storm are not there once: {wrong[:3]}")
    used = {found[p][0] for p in paths}
    must(len(paths) > 200 and len(used) > 3, f"{len(paths)} files, matched by {used}")
    must([found.get(p) for p in (after, bad, last)] == [["new"]] * 3, [found.get(p) for p in (after, bad, last)])
    must(not [e for e in events if judge.kind_of(e) == "event_loss"], "events were lost")
    must(run([kunai, "reload"])[0] == 1, "there is no sensor any more")


def check_compiled_patterns(kunai, directory):
    """Made once, by a child; a file that is damaged is told, and made anew."""
    rules = Path(directory, "test.kun")
    rules.write_text(FILTER.format(name="r", pattern=f"here.{os.getpid()}.{time.monotonic_ns()}$"))
    command, compiled = [kunai, "-v", *OPTIONS, "-r", rules], "the patterns of the rules were compiled"
    before = set(CACHE.iterdir()) if CACHE.exists() else set()
    with Sensor(command, directory) as sensor:
        must(sensor.started(), f"it did not start: {sensor.stderr()}")
        sensor.await_stderr(compiled)
        must(sensor.stop() == 0, f"it does not end well: {sensor.stderr()}")
    made = sorted(set(CACHE.iterdir()) - before)
    must(len(made) == 1 and made[0].stat().st_mode & 0o777 == 0o600, f"made: {made}")
    with Sensor(command, directory) as sensor:
        must(sensor.started(), f"it did not start: {sensor.stderr()}")
        must(sensor.stop() == 0, f"it does not end well: {sensor.stderr()}")
        must(compiled not in sensor.stderr() and "tried_alone=0 " in sensor.stderr(), f"not found again: {sensor.stderr()}")
    image = bytearray(made[0].read_bytes())
    image[-1] ^= 1
    made[0].write_bytes(image)
    with Sensor(command, directory) as sensor:
        must(sensor.started(), f"it did not start: {sensor.stderr()}")
        sensor.await_stderr(compiled)
        must(sensor.stop() == 0 and "cannot be used" in sensor.stderr(), f"the damage is not told: {sensor.stderr()}")
    made[0].unlink()


SCAN = """\
name: scan
match-on: {events: {kunai: [write_close]}}
matches: {$path: .data.path ~= '/scanned'}
condition: $path
actions: [scan-files]
---
""" + FILTER.format(name="mark", pattern="scanned")
YARA = "rule {name} {{ strings: $a = \"{text}\" condition: $a }}\n"


def check_reload_of_signatures(kunai, directory):
    """YARA rules and indicators are taken with the rules, all or none."""
    rules, yara, iocs = (Path(directory, name) for name in ("test.kun", "test.yar", "test.ioc"))
    text = "what both signatures look for"

    def signatures(name, indicator):
        yara.write_text(YARA.format(name=name, text=text))
        iocs.write_text(json.dumps({"value": indicator, "severity": 3}) + "\n")

    def scanned(name):
        Path(directory, name).write_text(text)
        sensor.await_mark(os.path.join(directory, name + ".mark"))

    rules.write_text(SCAN)
    signatures("first", os.path.join(directory, "scanned.1"))
    with Sensor([kunai, *OPTIONS, "-r", rules, "-y", yara, "-i", iocs, "--include=write_close,file_create,file_scan"], directory) as sensor:
        must(sensor.started(), f"it did not start: {sensor.stderr()}")
        scanned("scanned.1")
        signatures("second", os.path.join(directory, "scanned.2"))
        must(run([kunai, "reload"])[0] == 0, f"the reload: {sensor.stderr()}")
        scanned("scanned.2")
        yara.write_text("rule third { condition: nonsense }\n")
        status, stderr = run([kunai, "reload"])
        must(status == 1 and f"{yara}" in stderr and "nonsense" in stderr, f"bad YARA rules: exit status {status}: {stderr}")
        scanned("scanned.3")
        must(sensor.stop() == 0, f"it does not end well: {sensor.stderr()}")
    events = [json.loads(line) for line in sensor.out.read_text().splitlines()]
    found = {e["data"]["path"][-1]: e["data"]["signatures"] for e in events if judge.kind_of(e) == "file_scan"}
    must(found == {"1": ["first"], "2": ["second"], "3": ["second"]}, f"signatures: {found}")
    severe = {e["data"]["path"][-1] for e in events if judge.kind_of(e) == "write_close" and e["detection"].get("severity") == 3}
    must(severe == {"1", "2"}, f"indicators: {severe}")


def threads_of(pid, name):
    """The lines of each thread's status, by their keys, of those of this name."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            status = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
        if status["Name"] == name:
            yield status


def must_be_bare(sensor, name):
    threads = list(threads_of(sensor.process.pid, name))
    must(len(threads) == 1, f"{len(threads)} threads are called {name}")
    for key in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        must(int(threads[0][key], 16) == 0, f"{name} has {key} {threads[0][key]}")


def catch_reader(sensor, fifo):
    """Has the sensor read the beginning of a file, and looks at the thread that waits for the rest."""
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            fd = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
            break
        except OSError as error:
            must(error.errno == errno.ENXIO and time.monotonic() < end, f"nobody reads {fifo}: {error}: {sensor.stderr()}")
            time.sleep(0.01)
    with open(fd, "wb", buffering=0) as file:
        file.write(b'{"value": "first"}\n')
        unread = array.array("i", [1])
        while unread[0]:
            must(time.monotonic() < end, "nobody reads what is in the fifo")
            fcntl.ioctl(fd, termios.FIONREAD, unread)
        must_be_bare(sensor, "kunai-load")


def check_bare_readers(kunai, directory):
    """Who reads rules and who matches files has no capability; the files of others are read all the same."""
    home = Path(directory, "stranger")
    home.mkdir(0o700)
    rules, yara, iocs = home / "test.kun", home / "test.yar", home / "test.ioc"
    rules.write_text(SCAN)
    yara.write_text('include "more.inc"\n')
    (home / "more.inc").write_text(YARA.format(name="included", text="any"))
    os.mkfifo(iocs)
    for path in (rules, yara, home / "more.inc", iocs, home):
        path.chmod(0o700)
        os.chown(path, NOBODY, NOBODY)
    with Sensor([kunai, *OPTIONS, "-r", home, "-y", home, "-i", home, "--include=file_create,file_scan"], directory) as sensor:
        catch_reader(sensor, iocs)
        must(sensor.started(), f"it did not start: {sensor.stderr()}")
        main = next(threads_of(sensor.process.pid, "kunai"))
        must(int(main["CapEff"], 16) != 0, "no thread has capabilities")
        must_be_bare(sensor, "kunai-match")
        with subprocess.Popen([kunai, "reload"], stderr=subprocess.PIPE, text=True) as reload:
            catch_reader(sensor, iocs)
            stderr = reload.communicate()[1]
        must(reload.returncode == 0 and "1 filters, 0 dependencies and 1 IoCs" in stderr, f"the reload: {stderr}")
        must(sensor.stop() == 0, f"it does not end well: {sensor.stderr()}")


def check_reload_of_stranger(kunai, directory):
    """The number in the pid file is believed only if that process holds the lock."""
    other = subprocess.Popen(["sleep", "60"])
    try:
        with Sensor([kunai, *OPTIONS], directory) as sensor:
            must(sensor.started(), f"it did not start: {sensor.stderr()}")
            PID_FILE.write_text(str(other.pid))
            status, stderr = run([kunai, "reload"])
            must(status == 1 and "cannot find out" in stderr, f"exit status {status}: {stderr}")
            must(other.poll() is None, "a process that is no sensor got the signal")
            must(sensor.stop() == 0, f"it does not end well: {sensor.stderr()}")
    finally:
        other.kill()
        other.wait()


CHECKS = {
    "a reload in a storm loses nothing, and bad rules are not taken": check_reload,
    "a reload takes YARA rules and indicators": check_reload_of_signatures,
    "rules are read and files are matched without capabilities": check_bare_readers,
    "compiled patterns are kept": check_compiled_patterns,
    "a reload signals nobody but the holder of the lock": check_reload_of_stranger,
}

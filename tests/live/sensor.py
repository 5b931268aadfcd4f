# SPDX-License-Identifier: GPL-3.0-or-later
"""A running sensor, for the tests that guest.sh cannot do."""
import os
import signal
import subprocess
import time
from pathlib import Path

import judge

START_SECONDS = 30
END_SECONDS = 30
MARK_SECONDS = 60
OPTIONS = ["run", "--include=all", "--send-data-min-len=0"]
NOBODY = 65534
PID_FILE = Path("/run/kunai/kunai.pid")


class Failed(Exception):
    pass


def must(condition, text):
    if not condition:
        raise Failed(text)


def create_file(path):
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def run(command, **options):
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, text=True, **options
    )  # fmt: skip
    return done.returncode, done.stderr


class Sensor:
    """Use as a context: killed at its end unless it ended before. Its output is in `out`."""

    def __init__(self, command, directory, name="sensor", output=None):
        self.out, self.err = Path(directory, f"{name}.jsonl"), Path(directory, f"{name}.stderr")
        self.written_to = output or self.out
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def started(self):
        """Whether it has printed its first line, in time."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            if self.written_to.exists() and b"\n" in self.written_to.read_bytes():
                return True
            time.sleep(0.05)
        return False

    def stop(self, number=signal.SIGTERM):
        """Returns its exit status, None when it would not end."""
        self.process.send_signal(number)
        try:
            return self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            return None

    def await_mark(self, path):
        """Output is in the order of time: when a new file shows in it, so has everything before."""
        create_file(path)
        end = time.monotonic() + MARK_SECONDS
        while path.encode() not in self.written_to.read_bytes():
            must(time.monotonic() < end, f"{path} was made and is not in the output")
            time.sleep(0.05)

    def log(self):
        return judge.Log(self.written_to.read_bytes(), self.process.pid)

    def await_stderr(self, text):
        end = time.monotonic() + MARK_SECONDS
        while time.monotonic() < end and text not in self.stderr():
            time.sleep(0.05)
        must(text in self.stderr(), f"it does not say '{text}': {self.stderr()}")

    def stderr(self):
        return self.err.read_text(errors="replace")

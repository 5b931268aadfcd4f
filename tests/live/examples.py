# SPDX-License-Identifier: GPL-3.0-or-later
"""What README.md and kunai(8) tell to try, word for word: each command is run, and shows what it is said to show."""
import hashlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from outputs import await_true
from sensor import must

TOP = Path(__file__).resolve().parent.parent.parent


def readme_commands():
    section = (TOP / "README.md").read_text().split("## Three things to try\n")[1].split("\n## ")[0]
    return [line.strip() for line in section.splitlines() if line.startswith("    build/kunai ")]


def manual_commands():
    section = (TOP / "man/kunai.8").read_text().split(".Sh EXAMPLES\n")[1].split("\n.Sh ")[0]
    return re.findall(r"^\.Dl # (.*)$", section, re.MULTILINE)


def execute(directory):
    """A program that no other test executes; returns what tells of it."""
    program = Path(directory, "program")
    shutil.copy("/bin/true", program)
    program.write_bytes(program.read_bytes() + os.urandom(8))  # behind the end of the ELF file
    subprocess.run([program], check=True)
    return str(program), hashlib.sha256(program.read_bytes()).hexdigest()


def connect(_directory):
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        return ('["connect",',)


def write(directory):
    path = Path(directory, "written")
    subprocess.run(["sh", "-c", 'echo hi >"$1"', "sh", path], check=True)
    return (f"-> {path}",)


def execute_alone(directory):
    return (execute(directory)[0], '"name":"clone"')


def write_event(directory):
    write(directory)
    return ('"name":"write_close"', str(Path(directory, "written")))


def show(kunai, directory, command, do):
    """Runs it as a shell would, lets something happen, ends the sensor, and looks at what was printed."""
    config = Path(directory, "config.yaml")
    config.write_text("send_data_min_len: 0\n")
    command = command.replace("/etc/kunai/config.yaml", shlex.quote(str(config)))
    command = re.sub(r"^(build/)?kunai ", lambda _: shlex.quote(str(kunai)) + " ", command)
    pid_file = Path("/run/kunai/kunai.pid")
    with subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True) as shell:
        try:
            await_true(lambda: subprocess.run([kunai, "status"], capture_output=True, check=False).returncode == 0, 30, f"{command}: no sensor")
            expected = do(directory)
            time.sleep(1)
            os.kill(int(pid_file.read_text()), signal.SIGTERM)
            out, err = shell.communicate(timeout=30)
        finally:
            if shell.poll() is None:
                os.killpg(shell.pid, signal.SIGKILL)
    missing = [e for e in expected if e not in out]
    must(shell.returncode == 0 and not missing and "error" not in err.lower(), f"{command}: status {shell.returncode}, without {missing}: {out[-500:]} {err}")


def check_readme(kunai, directory):
    commands = readme_commands()
    must(len(commands) == 3, f"{len(commands)} commands")
    for command, do in zip(commands, (execute, connect, write)):
        show(kunai, directory, command, do)


def check_manual(kunai, directory):
    commands = manual_commands()
    must(len(commands) == 2, f"{len(commands)} commands")
    for command, do in zip(commands, (execute_alone, write_event)):
        show(kunai, directory, command, do)


CHECKS = {
    "the commands of README.md show what they say": check_readme,
    "and those of kunai(8)": check_manual,
}

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""boot.py: boots a Debian 12 with systemd in which the sensor is installed and enabled, once from the Debian package and once
as README.md says, with `kunai install`, and looks at it as a service, by the commands of README.md: early start, restart under
load, a killed sensor, a full disk, `logs -f`, and its removal. Prints TAP. Needs root, debootstrap, ./dev build static and the
package, which it makes.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "live"))

import idle  # noqa: E402
import refused  # noqa: E402
import vm  # noqa: E402
from archive import ArchiveError  # noqa: E402

TOP = vm.TOP
PACKAGES = ("systemd", "systemd-sysv", "dbus", "udev")
TIMEOUT = 1500
LOG = "/var/log/kunai/events.log"
UNIT = "00-kunai.service"
DISK = "12M"  # of the file system that the log lies on

# Small, so that it can be filled; it is there before the sensor is, as that of a real host.
MOUNT = f"""[Unit]
Before=local-fs.target
[Mount]
What=tmpfs
Where=/var/log/kunai
Type=tmpfs
Options=mode=700,size={DISK}
"""

# Loading takes a minute or two where every instruction is emulated and the machine is shared.
SLOW = "[Service]\nTimeoutStartSec=900\nWatchdogSec=300\n"

# Leaves files in /out, which are judged outside. Numbered programs are the load, each one an event.
SCRIPT = f"""
for module in /modules/*.ko; do /kunai/busybox insmod "$module"; done
echo 'kunai-vm: userland' >/dev/console
mkdir -p /out
cd /out
log={LOG}
number=0
run_programs() {{
    last=$((number + $1))
    while [ $number -lt $last ]; do
        number=$((number + 1))
        /bin/echo "number-$number." >/dev/null
    done
}}
show() {{ systemctl show -p "$2" --value "$1"; }}
# await SECONDS COMMAND...
await() {{
    tries=$(($1 * 5))
    shift
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        sleep 0.2
    done
}}
starts() {{ kunai logs -l $log | grep -c '"name":"start"'; }}
started() {{ [ "$(starts)" -ge "$1" ]; }}
is_written() {{ kunai logs -l $log | grep -q "$1"; }}
error_shown() {{ kunai status | grep -q 'does not work: No space'; }}
no_error_shown() {{ ! error_shown; }}

systemctl is-active {UNIT} >active.first
systemctl is-enabled {UNIT} >enabled
for unit in {UNIT} sysinit.target dbus.service; do
    echo "$unit $(show $unit ActiveEnterTimestampMonotonic)"
done >order
kunai status --json >status.first
README_DOCTOR >doctor 2>&1; echo $? >doctor.status
README_STATUS >status.text 2>&1; echo $? >status.status

# restart under load, while logs -f looks on
kunai logs -f -l $log >followed 2>&1 &
follower=$!
README_LOGS >followed.text 2>&1 &
reader=$!
run_programs 50
await 120 is_written "number-50\\."
await 20 grep -q "number-50\\." followed.text
kill $reader
( while [ ! -e stop ]; do /bin/echo load >/dev/null; done ) &
load=$!
{{ systemctl restart {UNIT}; echo $? >restart.status; touch restarted; }} &
while [ ! -e restarted ]; do run_programs 1; done
run_programs 50
touch stop
wait $load
await 120 is_written "number-$number\\."
echo $number >last.restart
systemctl reload {UNIT}; echo $? >reload.status

# killed: the manager starts it again
show {UNIT} MainPID >pid.killed
systemctl kill -s KILL {UNIT}
await 300 started 3
starts >starts
await 300 systemctl is-active {UNIT}

# a disk that is full, and is not
show {UNIT} MainPID >pid.before
dd if=/dev/zero of=/var/log/kunai/fill bs=64k 2>/dev/null
cat /dev/zero >>/var/log/kunai/fill 2>/dev/null
run_programs 200
await 120 error_shown && echo yes >error.shown
full=$number
rm /var/log/kunai/fill
await 120 no_error_shown && echo yes >error.gone
run_programs 20
await 120 is_written "number-$number\\."
echo "$full $number" >last.disk
show {UNIT} MainPID >pid.after
systemctl is-active {UNIT} >active.last
kunai status --json >status.last
kill $follower
kunai logs -l $log >events.jsonl
journalctl -u {UNIT} --no-pager -o cat >journal
dmesg >kernel.log
umount /var/log/kunai
README_UNINSTALL >removed.log 2>&1 </dev/null
echo $? >removed.status
systemctl is-active {UNIT} >active.removed
ls -d /usr/bin/kunai /etc/kunai /lib/systemd/system/{UNIT} /etc/systemd/system/*/{UNIT} /etc/systemd/system/kunai.service \\
    /var/log/kunai/* /var/lib/kunai 2>/dev/null >left
echo 0 >guest.status
tar -c -f /dev/vda -C /out .
sync
poweroff -f
"""


def readme_commands():
    """Those of the section about the service, by their verbs."""
    section = (TOP / "README.md").read_text().split("## As a service\n")[1].split("\n## ")[0]
    lines = [line.partition(" #")[0].strip() for line in section.splitlines() if line.startswith("    ")]
    return {line.split()[1]: line for line in lines}


def run(*command, **kwargs):
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **kwargs)
    if done.returncode:
        raise vm.VmError(f"{' '.join(map(str, command))}: {done.stdout[-1500:]}")


def dependencies(deb):
    depends = subprocess.run(["dpkg-deb", "-f", deb, "Depends"], capture_output=True, text=True, check=True).stdout
    return sorted(word.split()[0] for word in depends.split(","))


def with_package(root, deb):
    shutil.copy(deb, root / "kunai.deb")
    run("chroot", root, "dpkg", "-i", "/kunai.deb")
    (root / "kunai.deb").unlink()


def with_install(root, kunai):
    shutil.copy(kunai, root / "kunai-static")
    command = readme_commands()["install"].replace("build/kunai", "/kunai-static")
    inside = 'mount -t proc proc "$0/proc" && exec chroot "$0" ' + command
    run("unshare", "--mount", "--propagation", "private", "sh", "-c", inside, root)
    (root / "kunai-static").unlink()


def prepare(base, to, install, what):
    run("cp", "-a", "--reflink=auto", base, to)
    install(to, what)
    units = to / "etc/systemd/system"
    (units / "var-log-kunai.mount").write_text(MOUNT)
    (units / "local-fs.target.wants").mkdir(exist_ok=True)
    (units / "local-fs.target.wants/var-log-kunai.mount").symlink_to("../var-log-kunai.mount")
    (units / f"{UNIT}.d").mkdir()
    (units / f"{UNIT}.d/slow.conf").write_text(SLOW)
    # what the journal says is asked for by unit
    (to / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")


class Results:
    def __init__(self, out):
        self.out = out

    def text(self, name):
        path = self.out / name
        return path.read_text(errors="replace").strip() if path.exists() else ""

    def json(self, name):
        try:
            return json.loads(self.text(name))
        except ValueError:
            return {}

    def events(self):
        return [json.loads(line) for line in self.text("events.jsonl").splitlines()]


def numbers_of(events):
    """The numbered programs of the load that were seen, in the order of the log."""
    lines = (e["data"].get("command_line", "") for e in events if e["info"]["event"]["name"] == "execve")
    return [int(m[1]) for m in (re.search(r"number-(\d+)\.", line) for line in lines) if m]


def runs_of(events):
    """The events of each run of the sensor: they begin with its start."""
    runs = []
    for event in events:
        if event["info"]["event"]["name"] == "start":
            runs.append([])
        if runs:
            runs[-1].append(event)
    return runs


def judge_early(results):
    order = dict(line.split() for line in results.text("order").splitlines())
    times = {unit: int(time) for unit, time in order.items()}
    yield "it is enabled and runs", (results.text("enabled"), results.text("active.first")) == ("enabled", "active"), results.text("enabled")
    sensor = times.get(UNIT, 0)
    yield "it is ready before sysinit.target is reached", 0 < sensor < times.get("sysinit.target", 0), order
    yield "and before other services", sensor < times.get("dbus.service", 0), order


def judge_readme(results):
    yield "kunai doctor finds it fit", results.text("doctor.status") == "0" and results.text("doctor"), results.text("doctor")
    yield "kunai status tells how it is", results.text("status.status") == "0" and "events:" in results.text("status.text"), results.text("status.text")
    lines = [line for line in results.text("followed.text").splitlines() if "number-50." in line]
    yield "kunai logs -f --format text has a line for a program", len(lines) == 1 and not lines[0].startswith("{"), lines


def judge_restart(results, runs):
    numbers = [numbers_of(run) for run in runs[:2]]
    last = int(results.text("last.restart") or 0)
    yield "systemctl restart works", results.text("restart.status") == "0", results.text("journal")[-500:]
    first, second = (*numbers, [], [])[:2]
    second = [n for n in second if n <= last]
    yield "all that ran before the gap was seen, in order", first == list(range(1, len(first) + 1)) and len(first) >= 50, first[-5:]
    after = list(range(second[0], last + 1)) if second else []
    yield "and all that ran after it", bool(second) and second == after and second[0] > len(first), (second[:3], second[-3:], last)
    if len(runs) < 2:
        return
    told = runs[1][0]["data"]["kunai"]
    # while hooks are taken off, events may still come
    yield "the start event tells the gap", told.get("previous_end") == "stopped" and \
        runs[0][0]["info"]["utc_time"] < told["previous_until"] < runs[1][0]["info"]["utc_time"], told  # fmt: skip
    gap = (told.get("previous_until"), runs[1][0]["info"]["utc_time"])
    print(f"# the gap: {gap[0]} to {gap[1]}, {second[0] - len(first) - 1 if second else '?'} programs of {last} ran in it")
    yield "systemctl reload works", results.text("reload.status") == "0", results.text("journal")[-500:]


def judge_killed(results, runs):
    yield "killed, it is started again, once", results.text("starts") == "3" and len(runs) == 3, (results.text("starts"), len(runs))
    if len(runs) > 2:
        yield "which is told", runs[2][0]["data"]["kunai"].get("previous_end") == "killed", runs[2][0]["data"]["kunai"]


def judge_disk(results, runs):
    full, last = map(int, results.text("last.disk").split() or (0, 0))
    yield "a full disk is told by kunai status", results.text("error.shown") == "yes", results.text("status.last")
    yield "and the end of it", results.text("error.gone") == "yes", results.text("status.last")
    same = results.text("pid.before") == results.text("pid.after") != "0"
    yield "the sensor goes on all the while", same and results.text("active.last") == "active", results.text("journal")[-500:]
    seen = numbers_of(runs[-1]) if runs else []
    want = list(range(full - 199, last + 1))
    dropped = sum(o["dropped"] for o in results.json("status.last").get("outputs", ()))
    yield "what the queue held is written in order, nothing twice", [n for n in seen if n in want] == want and not dropped, (seen[-5:], last, dropped)


def judge_all(results):
    events = results.events()
    runs = runs_of(events)
    yield from judge_early(results)
    yield from judge_readme(results)
    yield from judge_restart(results, runs)
    yield from judge_killed(results, runs)
    yield from judge_disk(results, runs)
    followed, written = results.text("followed").splitlines(), results.text("events.jsonl").splitlines()
    yield "logs -f shows all of it once", len(followed) > 100 and followed == written[: len(followed)], (len(followed), len(written))
    host = next((e["info"]["parent_task"]["namespaces"]["mnt"] for e in events), 0)  # the first parent is systemd
    contained = [e for e in events if e["info"]["host"]["container"] and e["info"]["task"]["namespaces"] == {"mnt": host}]
    yield "no process of the host is a container", host and not contained, contained[:1]
    lost = [e for e in events if e["info"]["event"]["name"] == "event_loss"]
    yield "no event was lost", not lost, lost
    log = results.text("kernel.log").splitlines()
    calls = [line for line in log if refused.LEFT_OUT.search(line) or "type=1326" in line and 'comm="kunai' in line]
    yield "no system call was refused to it", bool(log) and "Linux version" in log[0] and not calls, calls or log[:1]
    yield "removal works", results.text("removed.status") == "0" and results.text("active.removed") == "inactive", results.text("removed.log")[-800:]
    yield "and leaves nothing", not results.text("left"), results.text("left")


def boot(install, what, remove, base, kernel, kept):
    with tempfile.TemporaryDirectory(prefix="kunai-boot.", dir="/var/tmp") as work:
        root, out = Path(work, "root"), Path(kept or work, "out-" + install.__name__)
        prepare(base, root, install, what)
        shutil.rmtree(out, ignore_errors=True)
        script = SCRIPT
        for verb, command in {**readme_commands(), "uninstall": remove}.items():
            script = script.replace(f"README_{verb.upper()}", command)
        idle.boot(TOP / "build-static/kunai", kernel, out, root, script, TIMEOUT)
        yield from judge_all(Results(out))


def make_package(to):
    run(TOP / "dev", "package", "--deb", to, cwd=TOP)
    return next(Path(to).glob("*.deb"))


def main():
    parser = argparse.ArgumentParser(description="Boots with the sensor installed.")
    parser.add_argument("--kernel", default="6.1")
    parser.add_argument("--deb", type=Path, help="the package; without it, it is made")
    parser.add_argument("--out", help="leave all that the guests handed back there")
    parser.add_argument("--only", default="", help="package or install")
    args = parser.parse_args()
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        print("1..0 # SKIP needs root and debootstrap")
        return 0
    number = failed = 0
    with tempfile.TemporaryDirectory(prefix="kunai-boot-package.", dir="/var/tmp") as work:
        try:
            deb = args.deb or make_package(Path(work))
            base = idle.make_root("boot", (*PACKAGES, *dependencies(deb)))
            kunai = TOP / "build-static/kunai"
            for name, case in {
                "package": (with_package, deb, "dpkg --purge kunai"),
                # as README.md says, but with nobody to be asked
                "install": (with_install, kunai, readme_commands()["uninstall"] + " --force"),
            }.items():
                if args.only not in name:
                    continue
                for told, passed, note in boot(*case, base, args.kernel, args.out):
                    number += 1
                    failed += not passed
                    print(f"{'ok' if passed else 'not ok'} {number} - {name}: {told}")
                    if not passed:
                        print("# " + str(note)[:1500].replace("\n", "\n# "))
        except (vm.VmError, ArchiveError) as error:
            print("Bail out! " + str(error).replace("\n", " | "))
            return 1
    print(f"1..{number}")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())

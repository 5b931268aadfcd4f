#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""idle.py KUNAI: boots a Debian 12 with systemd, cron and sshd in a VM, lets it stand, and prints how many events of
each type a minute brings: what the sensor writes about a machine that does nothing. Needs root and debootstrap; the
root is made once and kept in the cache."""
import argparse
import collections
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import kernels
import vm
from archive import CACHE, ArchiveError, locked, mirror_uris

PACKAGES = ("systemd", "systemd-sysv", "dbus", "udev", "cron", "openssh-server", "logrotate")
SETTLE = 60  # seconds after the sensor's start that are not counted: services still start
MEASURE = 180  # seconds
TIMEOUT = SETTLE + MEASURE + 240
# An initramfs is in memory twice while it is unpacked.
MEMORY = "3G"
UNWANTED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/i18n", "var/cache/apt", "var/lib/apt/lists")

UNIT = """[Unit]
Description=measures events of an idle system
[Service]
Type=exec
ExecStart=/bin/sh /kunai/measure
[Install]
WantedBy=multi-user.target
"""

# All events; what the measuring itself does happens outside the time that is counted.
MEASURE_SCRIPT = f"""
for module in /modules/*.ko; do /kunai/busybox insmod "$module"; done
echo 'kunai-vm: userland' >/dev/console
mkdir -p /out
/kunai/kunai run --include=all --send-data-min-len=0 >/out/events.jsonl 2>/out/stderr &
sensor=$!
sleep {SETTLE + MEASURE + 10}
kill -TERM $sensor
wait $sensor
systemctl list-units --state=running --no-legend --plain >/out/units
echo 0 >/out/guest.status
tar -c -f /dev/vda -C /out .
sync
poweroff -f
"""


def make_root(name="idle", packages=PACKAGES):
    """The directory of the guest's root."""
    home = CACHE / name / "root"
    with locked(CACHE / f"{name}.lock"):
        if (home / "made").exists():
            return home
        shutil.rmtree(home, ignore_errors=True)
        home.parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["debootstrap", "--variant=minbase", f"--include={','.join(packages)}", "bookworm", str(home), mirror_uris()[0]],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise vm.VmError(f"debootstrap: {done.stdout[-500:]}")
        for path in UNWANTED:
            shutil.rmtree(home / path, ignore_errors=True)
        (home / "made").touch()
    return home


def copy_root(cpio, root):
    """With its symbolic links and modes; owners do not matter here, devices come from devtmpfs."""
    for directory, names, files in os.walk(root):
        here = Path(directory).relative_to(root)
        for name in sorted(names + files):
            path, inside = Path(directory, name), str(here / name)
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                cpio.entry(inside, mode, os.readlink(path).encode())
            elif stat.S_ISDIR(mode):
                cpio.seen.add(inside)
                cpio.entry(inside, mode, b"")
            elif stat.S_ISREG(mode):
                cpio.entry(inside, mode, path.read_bytes())


def make_initramfs(path, kernel, kunai, root, script):
    with vm.Initramfs(path) as cpio:
        copy_root(cpio, root)
        cpio.entry("dev/console", stat.S_IFCHR | 0o600, b"", (5, 1))
        cpio.entry("init", stat.S_IFLNK | 0o777, b"/lib/systemd/systemd")
        cpio.put("etc/hostname", b"idle\n")
        cpio.put("etc/fstab", b"")
        cpio.put("etc/systemd/system/kunai-idle.service", UNIT.encode())
        cpio.directory("etc/systemd/system/multi-user.target.wants")
        cpio.entry("etc/systemd/system/multi-user.target.wants/kunai-idle.service", stat.S_IFLNK | 0o777,
                   b"../kunai-idle.service")  # fmt: skip
        cpio.put("kunai/measure", script.encode())
        cpio.copy("kunai/kunai", kunai)
        cpio.copy("kunai/busybox", vm.find_busybox("amd64"))  # Debian's smallest root has no insmod
        for module in sorted((kernel / "modules").iterdir()):
            cpio.copy(f"modules/{module.name}", module)


def boot(kunai, kernel_name, out, root, script, timeout=TIMEOUT):
    kernel = kernels.fetch_kernel(kernel_name)
    with tempfile.TemporaryDirectory(prefix="kunai-idle.") as work:
        initramfs, disk, console = (Path(work) / n for n in ("initramfs", "disk", "console"))
        make_initramfs(initramfs, kernel, kunai, root, script)
        with open(disk, "wb") as f:
            f.truncate(vm.OUT_SIZE)
        console.touch()
        qemu = vm.qemu_command("amd64", kernel, initramfs, disk, False, MEMORY, "systemd.show_status=0")
        process = subprocess.Popen([*qemu, "-display", "none", "-serial", f"file:{console}"], stdin=subprocess.DEVNULL)
        vm.running.add(process)
        try:
            vm.wait_for(process, console, timeout)
        except vm.VmError as error:
            raise type(error)(f"{error}; console:\n{vm.tail(console)}") from error
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
            vm.running.discard(process)
        vm.unpack_results(disk, out)


def seconds_of(event):
    hours, minutes, seconds = event["info"]["utc_time"][11:29].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def count(log):
    """Events of each type in the time that counts; those of the guest's own script have not begun or have ended."""
    events = [json.loads(line) for line in log.read_bytes().splitlines()]
    start = seconds_of(events[0])
    ages = ((event, (seconds_of(event) - start) % 86400) for event in events)
    return collections.Counter(e["info"]["event"]["name"] for e, age in ages if SETTLE <= age < SETTLE + MEASURE)


def main():
    parser = argparse.ArgumentParser(description="Events per minute of an idle Debian, by type.")
    parser.add_argument("kunai", help="the static sensor")
    parser.add_argument("--kernel", default="6.1")
    args = parser.parse_args()
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        print("1..0 # SKIP needs root and debootstrap")
        return 0
    with tempfile.TemporaryDirectory(prefix="kunai-idle-out.") as out:
        try:
            boot(args.kunai, args.kernel, Path(out), make_root(), MEASURE_SCRIPT)
        except (vm.VmError, ArchiveError) as error:
            print(f"Bail out! {error}")
            return 1
        found = count(Path(out) / "events.jsonl")
        running = [line.split()[0] for line in (Path(out) / "units").read_text().splitlines() if ".service" in line]
    print(f"# kernel {args.kernel}, {MEASURE} s of a Debian 12 with {', '.join(running)}")
    print("# events a minute, by type:")
    for name, number in sorted(found.items(), key=lambda item: -item[1]):
        print(f"# {name:20} {number * 60 / MEASURE:8.1f}")
    problem = "" if running and "event_loss" not in found else "not "
    print(f"{problem}ok 1 - the system was up, and no event was lost\n1..1")
    return bool(problem)


if __name__ == "__main__":
    sys.exit(main())

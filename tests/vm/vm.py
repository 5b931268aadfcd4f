#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boots a Debian kernel in QEMU (never KVM) with an initramfs of busybox, the static sensor and the actors.

The guest leaves its results in /out. They come back as a tar on a raw virtio disk: a serial port moves
about a megabyte a second under emulation, the disk moves what a storm of events makes at once.
"""
import argparse
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import kernels
import sysroot  # of cross/, which kernels has put on the path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
OUT_SIZE = 2 << 30  # bytes of the sparse disk that carries /out
BOOT_TIMEOUT = 180  # seconds until userland; a boot takes 4 s alone, 20 s when the machine is shared
GRACE = 90  # seconds beyond the guest's own timeout, for handing back and powering off

# -cx16: under TCG QEMU 7.2 kills kernels from 6.12 on with a random double fault in __kmalloc.
MACHINES = {
    "amd64": {
        "qemu": "qemu-system-x86_64",
        "args": ["-cpu", "max,-cx16"],
        "console": "ttyS0",
    },
    "arm64": {
        "qemu": "qemu-system-aarch64",
        "args": ["-M", "virt", "-cpu", "max,pauth-impdef=on"],
        "console": "ttyAMA0",
    },
}

# bpf is named because the default list of 5.10 lacks it. The kernel's log keeps all of what audit tells, see refused.py.
COMMAND_LINE = "quiet panic=-1 lsm=lockdown,yama,bpf log_buf_len=4M sysctl.kernel.printk_ratelimit=0"

DIRECTORIES = (
    "bin", "sbin", "usr", "usr/bin", "usr/sbin", "etc", "etc/security", "dev", "proc", "sys", "tmp", "run", "out",
    "root", "modules", "var", "var/log", "mnt", "home",
)  # fmt: skip

ETC = {
    "hostname": "kunai-vm\n",
    "passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "group": "root:x:0:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost kunai-vm\n::1 localhost\n",
}


# The QEMUs of this process, for whoever must stop them.
running = set()


class VmError(Exception):
    pass


class BootError(VmError):
    """Userland was never reached: the only failure that is worth another try."""


class Initramfs:
    """Writes a newc cpio archive. Uncompressed: unpacking gzip in an emulated CPU costs more than reading."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.inode = 0
        self.seen = set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.entry("TRAILER!!!", 0, b"")
        self.file.close()

    def entry(self, name, mode, data, device=(0, 0)):
        self.inode += 1
        raw = name.encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(raw), 0)
        header = b"070701" + b"".join(b"%08X" % f for f in fields) + raw
        self.file.write(header + b"\0" * (-len(header) % 4))
        self.file.write(data + b"\0" * (-len(data) % 4))

    def directory(self, name):
        if name and name not in self.seen:
            self.directory(os.path.dirname(name))
            self.seen.add(name)
            self.entry(name, stat.S_IFDIR | 0o755, b"")

    def put(self, name, data, mode=0o644):
        self.directory(os.path.dirname(name))
        self.entry(name, stat.S_IFREG | mode, data)

    def copy(self, name, path):
        """A file, or a directory with all that is in it."""
        path = Path(path)
        if path.is_dir():
            self.directory(name)
            for child in sorted(path.iterdir()):
                if child.name != "__pycache__" and not child.name.endswith(".p"):
                    self.copy(f"{name}/{child.name}", child)
        elif path.is_symlink() and not path.exists():
            self.entry(name, stat.S_IFLNK | 0o777, os.readlink(path).encode())
        else:
            self.put(name, path.read_bytes(), path.stat().st_mode & 0o777)


def find_busybox(arch):
    """Any machine builds for arm64, but is not one: its busybox lies with the libraries."""
    path = shutil.which("busybox") if arch == "amd64" else sysroot.find_busybox(arch)
    if not path:
        raise VmError("busybox-static is not installed: ./dev deps test")
    return path


def make_initramfs(path, arch, kernel, files, command, environment):
    """files: name in the guest -> file or directory here. command None: an interactive shell."""
    settings = dict(environment, VM_INTERACTIVE="" if command else "1")
    with Initramfs(path) as cpio:
        for name in DIRECTORIES:
            cpio.directory(name)
        # The kernel opens the console before devtmpfs is mounted.
        cpio.entry("dev/console", stat.S_IFCHR | 0o600, b"", (5, 1))
        cpio.copy("bin/busybox", find_busybox(arch))
        cpio.copy("init", HERE / "init")
        for module in sorted((kernel / "modules").iterdir()):
            cpio.copy(f"modules/{module.name}", module)
        for name, text in ETC.items():
            cpio.put(f"etc/{name}", text.encode())
        cpio.put("kunai/env", "".join(f"{k}={shlex.quote(str(v))}\n" for k, v in settings.items()).encode())
        cpio.put("kunai/command", (command or "").encode())
        for name, source in files.items():
            cpio.copy(name, source)


def unpack_results(disk, to):
    """The guest is not trusted with paths: regular files and directories below to, nothing else."""
    to.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(disk, "r:") as tar:
            for member in tar:
                name = os.path.normpath(member.name)
                if name.startswith(("/", "..")):
                    raise VmError(f"the guest sent a file named {member.name}")
                if member.isdir():
                    (to / name).mkdir(parents=True, exist_ok=True)
                elif member.isreg():
                    (to / name).parent.mkdir(parents=True, exist_ok=True)
                    with open(to / name, "wb") as f:
                        shutil.copyfileobj(tar.extractfile(member), f)
    except tarfile.TarError as error:
        raise VmError(f"the guest handed nothing back: {error}") from error


def qemu_command(arch, kernel, initramfs, disk, counted, memory, append):
    machine = MACHINES[arch]
    command = [machine["qemu"], *machine["args"], "-m", memory, "-no-reboot", "-nodefaults"]
    if counted:
        # One guest nanosecond is one instruction, whatever else this machine does.
        command += ["-accel", "tcg,thread=single", "-smp", "1", "-icount", "shift=0,sleep=off"]
        append += " tsc=reliable"
    else:
        command += ["-accel", "tcg,thread=multi", "-smp", "2"]
    command += ["-kernel", str(kernel / "vmlinuz"), "-initrd", str(initramfs)]
    command += ["-drive", f"file={disk},if=none,id=out,format=raw,cache=unsafe", "-device", "virtio-blk-pci,drive=out"]
    command += ["-append", f"console={machine['console']} {COMMAND_LINE} {append}"]
    return command


def wait_for(process, console, limit):
    """Until the guest powers off. BootError when userland does not show in time."""
    started = time.monotonic()
    booted = False
    while True:
        try:
            process.wait(0.2)
        except subprocess.TimeoutExpired:
            pass
        booted = booted or b"kunai-vm: userland" in console.read_bytes()
        if process.returncode is not None:
            break
        elapsed = time.monotonic() - started
        if not booted and elapsed > BOOT_TIMEOUT:
            raise BootError(f"no userland after {BOOT_TIMEOUT} s")
        if elapsed > BOOT_TIMEOUT + limit + GRACE:
            raise VmError(f"the guest did not end within {limit} s")
    if not booted:
        raise BootError(f"QEMU ended with status {process.returncode} before userland")


def tail(path, lines=30):
    text = path.read_bytes().decode(errors="replace") if path.exists() else ""
    return "\n".join("    " + line.rstrip() for line in text.splitlines()[-lines:])


def boot_vm(name, files, command, out, *, arch="amd64", timeout=600, counted=False, memory="2G", append="", env=None):
    """Boots kernel `name`, runs the shell text `command` and leaves the guest's /out in `out`.

    Returns the command's exit status. Raises BootError when the guest did not come up.
    """
    kernel = kernels.fetch_kernel(name, arch)
    with tempfile.TemporaryDirectory(prefix="kunai-vm.") as work:
        initramfs, disk, console = (Path(work) / n for n in ("initramfs", "disk", "console"))
        settings = dict(env or {}, VM_TIMEOUT=timeout, VM_CONSOLE="/dev/" + MACHINES[arch]["console"])
        make_initramfs(initramfs, arch, kernel, files, command, settings)
        with open(disk, "wb") as f:
            f.truncate(OUT_SIZE)
        console.touch()
        qemu = qemu_command(arch, kernel, initramfs, disk, counted, memory, append)
        if command is None:
            qemu += ["-display", "none", "-serial", "mon:stdio"]
            subprocess.run(qemu, check=False)
        else:
            qemu += ["-display", "none", "-serial", f"file:{console}"]
            process = subprocess.Popen(qemu, stdin=subprocess.DEVNULL)
            running.add(process)
            try:
                wait_for(process, console, timeout)
            except VmError as error:
                raise type(error)(f"{error}; console:\n{tail(console)}") from error
            finally:
                if process.returncode is None:
                    process.kill()
                    process.wait()
                running.discard(process)
        try:
            unpack_results(disk, out)
        except VmError as error:
            raise VmError(f"{error}; console:\n{tail(console)}") from error
        status = out / "guest.status"
        return int(status.read_text()) if status.exists() else 1


def guest_files(kunai, actors, extra=()):
    """What every guest gets: the sensor, the actors and the scenario scripts of the live test."""
    files = {"kunai/kunai": kunai, "kunai/actors": actors, "kunai/live": TOP / "tests/live"}
    guest = TOP / "tests/live/guest.sh"
    if guest.exists():
        files["kunai/guest.sh"] = guest
    for pair in extra:
        name, _, source = pair.partition("=")
        files[name.lstrip("/")] = source
    return {name: source for name, source in files.items() if source and Path(source).exists()}


def main():
    parser = argparse.ArgumentParser(
        prog="dev vm",
        usage="%(prog)s KERNEL [OPTIONS] [-- COMMAND]",
        description="Boots a kernel and runs a shell command in it; without one, a shell on this terminal.",
    )
    parser.add_argument("kernel", help=f"one of {', '.join(kernels.KERNELS)}")
    parser.add_argument("--arch", default="amd64", choices=MACHINES)
    parser.add_argument("--kunai", help="the static sensor")
    parser.add_argument("--actors", help="directory of static actors")
    parser.add_argument("--add", action="append", default=[], metavar="GUEST=HOST", help="one more file or directory")
    parser.add_argument("--out", help="where the guest's /out goes; default: shown only as output")
    parser.add_argument("--timeout", type=int, default=600, metavar="S")
    parser.add_argument("--append", default="", help="more kernel options")
    parser.add_argument("--counted", action="store_true", help="one CPU that counts instructions")
    cut = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    args = parser.parse_args(sys.argv[1:cut])
    command = " ".join(sys.argv[cut + 1 :]) or None

    work = None if args.out else tempfile.TemporaryDirectory(prefix="kunai-vm-out.")
    out = Path(args.out or work.name)
    try:
        status = boot_vm(
            args.kernel, guest_files(args.kunai, args.actors, args.add), command, out, arch=args.arch,
            timeout=args.timeout, counted=args.counted, append=args.append,
        )  # fmt: skip
    except (VmError, kernels.KernelError) as error:
        sys.exit(f"dev vm: {error}")
    for name, stream in (("guest.stdout", sys.stdout), ("guest.stderr", sys.stderr)):
        if (out / name).exists():
            stream.write((out / name).read_text(errors="replace"))
    return status


if __name__ == "__main__":
    sys.exit(main())

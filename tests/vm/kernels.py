#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds, downloads and unpacks the Debian kernels that the VM tests boot.

Package names are looked up in the suites' indexes at run time, because names with an ABI number vanish
from the mirror.
"""
import lzma
import os
import re
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "cross"))

from archive import CACHE, Apt, ArchiveError, locked, newest_first, run  # noqa: E402

MAX_TRIES = 16  # packages of one series

# name -> series and the suites that may carry it: the newest version found in any of them wins.
KERNELS = {
    "5.10": (r"5\.10\.", ("bullseye", "bullseye-updates", "bullseye-security")),
    "6.1": (r"6\.1\.", ("bookworm", "bookworm-updates", "bookworm-security")),
    "6.12": (r"6\.12\.", ("trixie", "trixie-updates", "trixie-security")),
    "newest": (r"[0-9]+\.[0-9]+\.", ("trixie-backports",)),
}

# Modules that the guest loads, in this order; what they depend on comes first by itself. One that a
# kernel has built in, or does not have, is passed over.
MODULES = ("virtio_pci", "virtio_blk", "overlay")


KernelError = ArchiveError


def find_packages(apt, name):
    """The cloud kernels of a series, newest first, each a list of packages: one image, or binary + modules
    since 7.x."""
    series, suites = KERNELS[name]
    image = re.compile(rf"linux-(image|binary)-{series}\S*-cloud-{apt.arch}(-unsigned)?")
    packages = {}
    for package, version in apt.packages(suites):
        packages.setdefault(package, set()).add(version)
    found = [(p, v) for p in packages if image.fullmatch(p) for v in packages[p]]
    # linux-image-* of a split kernel only depends on the others, so binary wins where there is one.
    found = [f for f in found if f[0].startswith("linux-binary-")] or found
    found.sort(key=lambda f: newest_first(f[1]))
    for package, version in found:
        chosen = [f"{package}={version}"]
        modules = re.sub(r"^linux-binary-(.*?)(-unsigned)?$", r"linux-modules-\1", package)
        if modules != package and version in packages.get(modules, ()):
            chosen.append(f"{modules}={version}")
        yield chosen


def read_module(path):
    data = path.read_bytes()
    if path.suffix == ".xz":
        data = lzma.decompress(data)
    return data


def take_modules(root, to):
    """Copies the wanted modules and what they need, uncompressed, numbered in the order of loading."""
    files = {}
    for path in root.glob("**/*.ko*"):
        files[path.name.split(".")[0].replace("-", "_")] = path
    order = []

    def add(module):
        if module in order or module not in files:
            return
        depends = re.search(rb"\0depends=([^\0]*)\0", b"\0" + read_module(files[module]))
        for needed in depends.group(1).decode().split(",") if depends else ():
            add(needed.replace("-", "_"))
        order.append(module)

    for module in MODULES:
        add(module)
    to.mkdir()
    for number, module in enumerate(order):
        (to / f"{number:02}-{module}.ko").write_bytes(read_module(files[module]))


def unpack_kernel(apt, packages, to):
    work = to.with_name(to.name + f".{os.getpid()}")
    try:
        apt.unpack(packages, work)
        images = list((work / "root").glob("**/vmlinu[xz]*"))
        if len(images) != 1:
            raise KernelError(f"{packages}: {len(images)} kernel images in the package")
        shutil.copy(images[0], work / "vmlinuz")
        take_modules(work / "root", work / "modules")
        shutil.rmtree(work / "root")
        work.rename(to)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def fetch_newest(apt, name, home):
    """An index may name a package that the pool has lost already, so older ones are tried too."""
    apt.update()
    for known in home.glob("*/checked"):
        if known.stat().st_mtime >= apt.stamp.stat().st_mtime:
            return known.parent
    problem = KernelError(f"no cloud kernel for {name} in {', '.join(KERNELS[name][1])}")
    for packages in list(find_packages(apt, name))[:MAX_TRIES]:
        to = home / packages[0].replace("=", "_")
        try:
            if not to.exists():
                unpack_kernel(apt, packages, to)
        except KernelError as error:
            problem = error
            continue
        (to / "checked").touch()
        for old in home.iterdir():
            if old != to:
                shutil.rmtree(old)
        return to
    raise problem


def fetch_kernel(name, arch="amd64"):
    """Returns the directory with vmlinuz and modules/ of the newest package; the cached one when offline."""
    if name not in KERNELS:
        raise KernelError(f"unknown kernel {name}: one of {', '.join(KERNELS)}")
    home = CACHE / "kernels" / arch / name
    with locked(CACHE / "lock"):
        home.mkdir(parents=True, exist_ok=True)
        try:
            return fetch_newest(Apt(arch), name, home)
        except KernelError as error:
            cached = sorted(d for d in home.iterdir() if (d / "vmlinuz").exists())
            if not cached:
                raise
            print(f"# kernel {name}: {error}; using the cached {cached[-1].name}", file=sys.stderr)
            return cached[-1]


def main():
    names = [a for a in sys.argv[1:] if a not in ("amd64", "arm64")] or KERNELS
    arch = "arm64" if "arm64" in sys.argv else "amd64"
    try:
        for name in names:
            kernel = fetch_kernel(name, arch)
            print(name, kernel, " ".join(m.name for m in sorted((kernel / "modules").iterdir())))
    except KernelError as error:
        sys.exit(f"kernels.py: {error}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds, downloads and unpacks the Debian kernels that the VM tests boot.

Package names are looked up in the suites' indexes at run time, because names with an ABI number vanish
from the mirror. The machine's own apt sources and lists stay untouched: everything lives in a private
apt state directory under the cache. The mirror itself is the one the machine is configured with.
"""
import contextlib
import fcntl
import functools
import lzma
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kunai-dev"
INDEX_MAX_AGE = 24 * 3600  # seconds
MAX_TRIES = 6  # packages of one series

# name -> series and the suites that may carry it: the newest version found in any of them wins.
# A suite that is gone from the mirror is passed over.
KERNELS = {
    "5.10": (r"5\.10\.", ("bullseye", "bullseye-updates", "bullseye-security")),
    "6.1": (r"6\.1\.", ("bookworm", "bookworm-updates", "bookworm-security")),
    "6.12": (r"6\.12\.", ("trixie", "trixie-updates", "trixie-security")),
    "newest": (r"[0-9]+\.[0-9]+\.", ("trixie-backports",)),
}

# Modules that the guest loads, in this order; what they depend on comes first by itself. One that a
# kernel has built in, or does not have, is passed over.
MODULES = ("virtio_pci", "virtio_blk", "overlay")


class KernelError(Exception):
    pass


def run(*command, **kwargs):
    """Runs a command quietly; its output is shown only when it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs)
    if done.returncode:
        raise KernelError(f"{command[0]} {command[-1]}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


@contextlib.contextmanager
def locked(path):
    """Two test runs on one machine must not unpack into the same place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def mirror_uris():
    """The machine's own mirror: (main archive, security archive)."""
    uris = {}
    wanted = "$(LABEL)\t$(REPO_URI)"
    for line in run("apt-get", "indextargets", "--format", wanted, "Created-By: Packages", "Origin: Debian").splitlines():
        label, uri = line.split("\t")
        uris.setdefault(label, uri.rstrip("/"))
    if "Debian" not in uris:
        raise KernelError("apt on this machine has no index of a Debian archive: run apt-get update first")
    return uris["Debian"], uris.get("Debian-Security")


class Apt:
    """A private apt whose sources are all the suites of KERNELS."""

    def __init__(self, arch):
        self.root = CACHE / "apt" / arch
        self.arch = arch
        self.stamp = self.root / "updated"
        self.options = []
        for key, value in {
            "Dir::Etc::SourceList": self.root / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::State": self.root / "state",
            "Dir::State::status": self.root / "status",
            "Dir::Cache": self.root / "cache",
            "APT::Architecture": arch,
            "APT::Architectures": arch,
            "APT::Sandbox::User": "root",
            "APT::Get::List-Cleanup": "false",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
        }.items():
            self.options += ["-o", f"{key}={value}"]

    def get(self, *args, **kwargs):
        return run("apt-get", "-q", *self.options, *args, **kwargs)

    def update(self):
        """Fetches the indexes, one suite at a time, so that one that is gone does not sink the others."""
        if self.stamp.exists() and time.time() - self.stamp.stat().st_mtime < INDEX_MAX_AGE:
            return
        (self.root / "state/lists/partial").mkdir(parents=True, exist_ok=True)
        (self.root / "cache/archives/partial").mkdir(parents=True, exist_ok=True)
        (self.root / "status").touch()
        main, security = mirror_uris()
        sources, missing = [], []
        for _, suites in KERNELS.values():
            for suite in suites:
                uri = security if suite.endswith("-security") else main
                line = f"deb [arch={self.arch}] {uri} {suite} main\n"
                self.write_sources([line])
                try:
                    if not uri:
                        raise KernelError(f"no mirror of {suite} is configured")
                    self.get("update", "--error-on=any")
                    sources.append(line)
                except KernelError as error:
                    missing.append(str(error))
        self.write_sources(sources)
        if not sources:
            raise KernelError("no suite could be read:\n" + "\n".join(missing))
        self.stamp.touch()

    def write_sources(self, lines):
        (self.root / "sources.list").write_text("".join(lines))

    def packages(self, suites):
        """Yields (name, version) of every package in these suites."""
        targets = self.get("indextargets", "--format", "$(RELEASE)\t$(FILENAME)", "Created-By: Packages")
        for line in targets.splitlines():
            release, index = line.split("\t")
            if release not in suites:
                continue
            name = None
            for field in run("/usr/lib/apt/apt-helper", *self.options, "cat-file", index).splitlines():
                if field.startswith("Package: "):
                    name = field[9:]
                elif field.startswith("Version: ") and name:
                    yield name, field[9:]

    def unpack(self, packages, to):
        """Downloads name=version packages and unpacks them all into one directory."""
        debs = to / "debs"
        debs.mkdir(parents=True)
        self.get("download", *packages, cwd=debs)
        for deb in sorted(debs.glob("*.deb")):
            run("dpkg-deb", "-x", str(deb), str(to / "root"))
        shutil.rmtree(debs)


def compare_versions(a, b):
    if a == b:
        return 0
    greater = subprocess.run(["dpkg", "--compare-versions", a, "gt", b], check=False)
    return 1 if greater.returncode == 0 else -1


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
    found.sort(key=functools.cmp_to_key(lambda a, b: compare_versions(b[1], a[1])))
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

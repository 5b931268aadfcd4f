#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""sysroot.py ARCH PACKAGE...: prints the directory with these packages of another architecture, unpacked, from
Debian 12, the oldest release that the project builds with. Those that are no -dev package are passed over: the
compiler is a cross compiler of this machine, which brings its libc."""
import shutil
import sys

import archive

SUITES = ("bookworm", "bookworm-updates", "bookworm-security")
OF_THE_COMPILER = {"libc6-dev"}


def find_packages(apt, wanted):
    versions = {}
    for name, version in apt.packages(SUITES):
        if name in wanted:
            versions.setdefault(name, set()).add(version)
    missing = [p for p in wanted if p not in versions]
    if missing:
        raise archive.ArchiveError(f"no {', '.join(missing)} for {apt.arch} in {', '.join(SUITES)}")
    return [f"{name}={min(found, key=archive.newest_first)}" for name, found in sorted(versions.items())]


def unpack_once(arch, name, wanted):
    """Unpacks the packages below the cache, where they stay until others are wanted. Returns the directory; its
    root/ holds the files."""
    home = archive.CACHE / "sysroot" / f"{arch}-{name}"
    made = home / "packages"
    with archive.locked(archive.CACHE / "lock"):
        if made.exists() and {line.split("=")[0] for line in made.read_text().splitlines()} == set(wanted):
            return home
        apt = archive.Apt(arch)
        apt.update()
        packages = find_packages(apt, wanted)
        shutil.rmtree(home, ignore_errors=True)
        apt.unpack(packages, home)
        # What meson's cross file cannot know. It looks for ccache by itself only where it looks for the compiler.
        ccache = "['ccache']" if shutil.which("ccache") else "[]"
        (home / "where.ini").write_text(f"[constants]\nsysroot = '{home}/root'\nccache = {ccache}\n")
        made.write_text("\n".join(packages) + "\n")
    return home


def find_busybox(arch):
    return unpack_once(arch, "busybox", ["busybox-static"]) / "root/bin/busybox"


def main():
    if len(sys.argv) < 3:
        sys.exit("usage: sysroot.py ARCH PACKAGE...")
    wanted = {p for p in sys.argv[2:] if p.endswith("-dev")} - OF_THE_COMPILER
    try:
        print(unpack_once(sys.argv[1], "libraries", wanted))
    except archive.ArchiveError as error:
        sys.exit(f"sysroot.py: {error}")


if __name__ == "__main__":
    main()

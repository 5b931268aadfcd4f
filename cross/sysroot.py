#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""sysroot.py ARCH: prints the directory with the static libraries of another architecture, from Debian 12, the
oldest release that the project builds with, and the busybox of its test VMs. The compiler and its libc are the
distribution's cross packages."""
import shutil
import sys

import archive

SUITES = ("bookworm", "bookworm-updates", "bookworm-security")

# The build packages of ./dev that hold a library, and the test VM's busybox.
PACKAGES = (
    "libbpf-dev", "libelf-dev", "zlib1g-dev", "libssl-dev", "libmagic-dev", "libyaml-dev", "uuid-dev", "uthash-dev",
    "libbz2-dev", "liblzma-dev", "busybox-static",
)  # fmt: skip

ARCHES = ("arm64",)


def find_packages(apt):
    versions = {}
    for name, version in apt.packages(SUITES):
        if name in PACKAGES:
            versions.setdefault(name, set()).add(version)
    missing = [p for p in PACKAGES if p not in versions]
    if missing:
        raise archive.ArchiveError(f"no {', '.join(missing)} for {apt.arch} in {', '.join(SUITES)}")
    return [f"{name}={min(found, key=archive.newest_first)}" for name, found in sorted(versions.items())]


def is_whole(home):
    """Made for the packages that are wanted today."""
    made = home / "packages"
    return made.exists() and {line.split("=")[0] for line in made.read_text().splitlines()} == set(PACKAGES)


def make_sysroot(arch):
    """Once; it is only renewed when the list of packages changes. Returns its directory."""
    home = archive.CACHE / "sysroot" / arch
    with archive.locked(archive.CACHE / "lock"):
        if is_whole(home):
            return home
        apt = archive.Apt(arch)
        apt.update()
        packages = find_packages(apt)
        shutil.rmtree(home, ignore_errors=True)
        apt.unpack(packages, home)
        # What meson's cross file cannot know. It looks for ccache by itself only where it looks for the compiler.
        ccache = "['ccache']" if shutil.which("ccache") else "[]"
        (home / "where.ini").write_text(f"[constants]\nsysroot = '{home}/root'\nccache = {ccache}\n")
        (home / "packages").write_text("\n".join(packages) + "\n")
    return home


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in ARCHES:
        sys.exit(f"usage: sysroot.py {'|'.join(ARCHES)}")
    try:
        print(make_sysroot(sys.argv[1]))
    except archive.ArchiveError as error:
        sys.exit(f"sysroot.py: {error}")


if __name__ == "__main__":
    main()

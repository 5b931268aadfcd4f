# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages of other Debian releases and architectures, from the mirror that this machine is configured with.

The machine's own apt sources and lists stay untouched: everything lives in a private apt state directory under
the cache, one for each architecture."""
import contextlib
import fcntl
import functools
import os
import shutil
import subprocess
import time
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kunai-dev"
INDEX_MAX_AGE = 24 * 3600  # seconds

# A suite that is gone from the mirror is passed over.
RELEASES = ("bullseye", "bookworm", "trixie")
SUITES = tuple(r + s for r in RELEASES for s in ("", "-updates", "-security")) + ("trixie-backports",)


class ArchiveError(Exception):
    pass


def run(*command, **kwargs):
    """Runs a command quietly; its output is shown only when it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs)
    if done.returncode:
        raise ArchiveError(f"{command[0]} {command[-1]}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


@contextlib.contextmanager
def locked(path):
    """Two runs on one machine must not unpack into the same place."""
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
        raise ArchiveError("apt on this machine has no index of a Debian archive: run apt-get update first")
    return uris["Debian"], uris.get("Debian-Security")


def compare_versions(a, b):
    if a == b:
        return 0
    greater = subprocess.run(["dpkg", "--compare-versions", a, "gt", b], check=False)
    return 1 if greater.returncode == 0 else -1


newest_first = functools.cmp_to_key(lambda a, b: compare_versions(b, a))


class Apt:
    """A private apt whose sources are all of SUITES."""

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
        for suite in SUITES:
            uri = security if suite.endswith("-security") else main
            line = f"deb [arch={self.arch}] {uri} {suite} main\n"
            self.write_sources([line])
            try:
                if not uri:
                    raise ArchiveError(f"no mirror of {suite} is configured")
                self.get("update", "--error-on=any")
                sources.append(line)
            except ArchiveError as error:
                missing.append(str(error))
        self.write_sources(sources)
        if not sources:
            raise ArchiveError("no suite could be read:\n" + "\n".join(missing))
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

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks what no compiler checks: who may include whom (docs: "Include rules"), that every source is built,
that every file names its licence. Prints TAP."""
import collections
import re
import sys
from pathlib import Path

import checklist

Test = collections.namedtuple("Test", "name status")

TOP = Path(__file__).resolve().parent.parent

# Directory -> the directories whose headers it may include. Stages never see each other; sinks see bytes only.
MAY_INCLUDE = {
    "src/base": {"base"},
    "src/event": {"base", "event", "schema"},
    "src/enrich": {"base", "event", "schema", "enrich"},
    "src/detect": {"base", "event", "schema", "detect"},
    "src/json": {"base", "event", "schema", "json"},
    "src/text": {"base", "event", "schema", "text"},
    "src/sink": {"base", "sink"},
    "src/config": {"base", "event", "schema", "config"},
    "src/probe": {"base", "event", "schema", "bpf", "probe"},
    "src/cmd": {"base", "event", "schema", "enrich", "detect", "json", "text", "sink", "config", "probe", "cmd"},
    "schema": {"schema"},
}
LIBBPF_USERS = ("src/probe/", "bpf/")
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)


def bad_includes(path, text):
    """The includes of a file (path relative to the top) that it may not have."""
    directory = path if path in MAY_INCLUDE else next((d for d in MAY_INCLUDE if path.startswith(d + "/")), None)
    for bracket, name in INCLUDE.findall(text):
        if bracket == "<":
            if name.startswith("bpf/") and not path.startswith(LIBBPF_USERS):
                yield f"<{name}>: libbpf is for src/probe only"
        elif directory and name.split("/")[0] not in MAY_INCLUDE[directory]:
            yield f'"{name}": {directory} may include {", ".join(sorted(MAY_INCLUDE[directory]))} only'


def sources(*patterns):
    return sorted(p for pattern in patterns for p in TOP.glob(pattern))


def check_includes():
    for path in sources("src/**/*.[ch]", "schema/*", "tests/**/*.[ch]", "bpf/**/*.[ch]"):
        name = str(path.relative_to(TOP))
        yield from (f"{name}: {bad}" for bad in bad_includes(name, path.read_text()))


def check_rule_can_fail():
    wrong = (
        ("src/json/writer.c", '#include "enrich/users.h"\n'),
        ("src/base/buf.c", '#include "event/event.h"\n'),
        ("src/event/event.h", '#include "sink/sink.h"\n'),
        ("src/sink/file.c", '#include "event/event.h"\n'),
        ("src/config/yaml.c", "  #  include <bpf/libbpf.h>\n"),
        ("src/cmd/run.c", "#include <bpf/libbpf.h>\n"),
        ("src/json/writer.c", '#include "writer.h"\n'),
    )
    yield from (f"{path} passes with {text.strip()}" for path, text in wrong if not list(bad_includes(path, text)))


def check_built():
    """A source that no meson.build names is dead, or a test that never runs."""
    for path in sources("src/*/*.c", "tests/unit/*.c", "tests/golden/*.c", "tests/fuzz/*.c", "tests/actors/*.c"):
        stem = re.sub(r"^(test|fuzz)_", "", path.stem)
        here = (path.parent / "meson.build").read_text()
        above = (path.parent.parent / "meson.build").read_text()
        if not (f"'{path.name}'" in here or f"'{stem}'" in here or f"'{path.parent.name}/{path.name}'" in above):
            yield f"{path.relative_to(TOP)} is in no meson.build"


def check_licences():
    for path in sources("src/**/*.[ch]", "src/**/*.def", "src/**/*.py", "tests/**/*.[ch]", "tests/**/*.py", "bench/*.[ch]"):
        if "SPDX-License-Identifier: GPL-3.0-or-later" not in "".join(path.open().readlines()[:2]):
            yield f"{path.relative_to(TOP)}: no GPL-3.0-or-later in its first lines"
    for path in sources("bpf/**/*.[ch]", "schema/*.[ch]", "schema/*.def"):
        if "SPDX-License-Identifier: GPL-2.0-or-later" not in path.open().readline():
            yield f"{path.relative_to(TOP)}: no GPL-2.0-or-later in its first line"


def check_packaging():
    """debian/ says what ./dev and meson.build say."""
    version = re.search(r"version: '([^']+)'", (TOP / "meson.build").read_text())[1]
    released = re.match(r"kunai \(([^)]+)\)", (TOP / "debian/changelog").read_text())[1]
    if released != version:
        yield f"debian/changelog is of version {released}, meson.build of {version}"
    needed = set(re.search(r"^build_packages=\((.*?)\)$", (TOP / "dev").read_text(), re.DOTALL | re.MULTILINE)[1].split())
    control = re.search(r"^Build-Depends:(.*?)^$", (TOP / "debian/control").read_text(), re.DOTALL | re.MULTILINE)[1]
    named = {word.split()[0] for word in control.split(",")} | {"gcc", "libc6-dev"}  # which are build-essential
    yield from (f"only ./dev or debian/control names {package}" for package in sorted(needed ^ (named - {"debhelper-compat"})))


def check_checklist():
    """Its verdicts: an item fails with a failed test, and when a part ran that had none of its tests."""
    item = checklist.Item("x", (("unit", "^a: "), ("live", "b")))
    good, bad, other = (Test("a: 1", "passed"), Test("a: 2", "failed"), Test("c", "passed"))
    cases = (
        ({"unit": [good], "live": [Test("b", "passed")]}, "passed"),
        ({"unit": [good, bad], "live": [Test("b", "passed")]}, "failed"),
        ({"unit": [other], "live": [Test("b", "passed")]}, "failed"),
        ({"unit": [good]}, "not run"),
        ({"unit": [bad]}, "failed"),
    )
    yield from (f"{results} is {checklist.judge(item, results)[0]}, not {want}" for results, want in cases if checklist.judge(item, results)[0] != want)
    yield from (f"{item.text}: neither tests nor a reason" for item in checklist.ITEMS if not item.tests and not item.waived)


CHECKS = {
    "the checklist of compatibility can fail": check_checklist,
    "the Debian package is built of what ./dev build needs": check_packaging,
    "include rules": check_includes,
    "the include check sees violations": check_rule_can_fail,
    "every source is built": check_built,
    "every file names its licence": check_licences,
}


def main():
    failed = 0
    for number, (name, check) in enumerate(CHECKS.items(), 1):
        problems = list(check())
        failed += bool(problems)
        for problem in problems:
            print(f"# {problem}")
        print(f"{'not ok' if problems else 'ok'} {number} - {name}")
    print(f"1..{len(CHECKS)}")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the tests and adds them up; called by ./dev test. Everything speaks TAP, or is one check by its exit
status. What a part printed is in build/test-logs/PART.log; of a failed part it is shown as well."""
import argparse
import concurrent.futures
import contextlib
import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / "tests/vm"), str(TOP / "tests")]

import checklist  # noqa: E402
import kernels  # noqa: E402
import vm  # noqa: E402

LOGS = TOP / "build/test-logs"
ACTORS = "build/tests/actors"
SMOKE_KERNEL = "6.1"
ATTACKED_KERNELS = ("newest", "5.10")  # all with --long
ARM64_KERNELS = ("6.1", "6.12")
ARM64_TIERS = {"6.1": "", "6.12": "trampoline"}  # beside tracepoints; 6.1 has no trampolines there
ARM32_KERNEL = "6.1"  # where the actors run as 32-bit programs, too
VMS_AT_ONCE = 2
CPUS = 2  # of programs that do not mind others beside them
BOOT_TRIES = 2
FUZZ_SECONDS = 5
FUZZ_SECONDS_LONG = 600
PART_TIMEOUT = 900  # seconds for one program
PACKAGE_TIMEOUT = 3600  # seconds for two builds of everything
STOP_TIMEOUT = 20  # seconds between asking and killing
MIX = 10007  # operations that two tiers are compared by
MIX_LONG = 100003
SCANNED_IN_VM = 211  # files that are written and scanned: an emulated CPU takes 0.1 s for the type and digests of each
GUEST_TIMEOUT = 1800  # seconds for all scenarios in one VM
GUEST_TIMEOUT_LONG = 5400

# Tells tests that promise a speed that this run says nothing about it.
SLOW_ENV = {"KUNAI_TEST_SLOW": "1"}
SANITIZER_ENV = {
    **SLOW_ENV,
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    # Of the live test: no storms, a sanitized sensor is not meant to keep up.
    "STORM": "0",
}
VALGRIND = ["valgrind", "--quiet", "--leak-check=full", "--errors-for-leak-kinds=definite,possible", "--error-exitcode=99"]


@dataclasses.dataclass
class Result:
    name: str
    status: str  # passed, failed or skipped
    detail: str = ""


@dataclasses.dataclass
class Part:
    """A named piece of the run. `run` writes to the log and yields Results."""

    name: str
    run: object
    needs: tuple = ()
    in_vm: bool = False
    more: bool = False  # only with --all, or when it is named
    slow: bool = False  # only with --long, or when it is named
    results: list = dataclasses.field(default_factory=list)
    seconds: float = 0.0


class Failure(Exception):
    """A part that could not do its work: one failed result."""


# TAP

TAP_LINE = re.compile(r"^(not )?ok\b(?: +\d+)?(?: +- )?(.*?)(?: *(?<!\\)# *(skip|todo)\S*\s*(.*))?$", re.IGNORECASE)
TAP_PLAN = re.compile(r"^1\.\.(\d+)(?:\s*#\s*skip\S*\s*(.*))?$", re.IGNORECASE)


def parse_tap(text, status, program):
    """Results of one TAP program. A broken plan, a bad exit or no test at all is a failure of its own."""
    results, notes, plan = [], [], None
    for line in text.splitlines():
        if match := TAP_PLAN.match(line):
            plan = int(match[1])
            if plan == 0:
                return [Result(program, "skipped", match[2] or "no reason given")]
        elif match := TAP_LINE.match(line):
            name = f"{program}: {match[2].strip()}"
            directive = (match[3] or "").lower()
            if directive == "skip":
                results.append(Result(name, "skipped", match[4] or "no reason given"))
            elif match[1]:
                results.append(Result(name, "failed", "\n".join(notes)))
            else:
                results.append(Result(name, "passed"))
            notes = []
        elif line.startswith("Bail out!"):
            results.append(Result(program, "failed", line))
        elif line.startswith("#"):
            notes.append(line)
    failed = any(r.status == "failed" for r in results)
    if plan is None:
        results.append(Result(program, "failed", f"ended without a TAP plan, exit status {status}"))
    elif plan != len(results):
        results.append(Result(program, "failed", f"{len(results)} of {plan} planned tests ran, exit status {status}"))
    elif status and not failed:
        results.append(Result(program, "failed", f"exit status {status} although no test failed"))
    return results


# Running programs

children = set()
stopping = threading.Event()


def stop(process):
    """SIGINT first: the live test then cleans up what it started in sessions of their own."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        return process.communicate(timeout=STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.communicate()


def run(command, log, *, env=None, timeout=PART_TIMEOUT, cwd=TOP):
    """Returns (exit status, stdout). All goes to the log in one piece: the command, stdout, stderr, the time."""
    started = time.monotonic()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        errors="replace", cwd=cwd, env={**os.environ, **(env or {})}, start_new_session=True,
    )  # fmt: skip
    children.add(process)
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        stdout, stderr = stop(process)
        stderr += f"\n# stopped after {timeout} s\n"
    finally:
        children.discard(process)
    elapsed = f"# {time.monotonic() - started:.1f} s, exit status {process.returncode}\n"
    log.write(f"$ {' '.join(map(str, command))}\n{stdout}{stderr}{elapsed}")
    log.flush()
    return process.returncode, stdout


def must(command, log, what, **kwargs):
    status, _ = run(command, log, **kwargs)
    if status:
        raise Failure(f"{what}: exit status {status}")


def run_tap(command, log, program, **kwargs):
    status, stdout = run(command, log, **kwargs)
    return parse_tap(stdout, status, program)


def run_check(command, log, name, **kwargs):
    """A program that is one test by its exit status."""
    status, _ = run(command, log, **kwargs)
    return Result(name, "failed" if status else "passed", f"exit status {status}" if status else "")


# Parts

def build(variant, *targets):
    def part(log):
        must(["./dev", "build-variant", variant, *targets], log, f"building {variant}")
        yield Result(f"build {variant}", "passed")

    return part


def part_tree(log):
    yield from run_tap(["tests/check_tree.py"], log, "tree")


def style_format(log):
    sources = sorted(str(p) for d in ("src", "bpf", "schema", "tests", "bench") for p in (TOP / d).glob("**/*.[ch]"))
    log.write("$ clang-format --dry-run\n")
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *sources], stderr=subprocess.PIPE, text=True, check=False)
    wrong = sorted({line.split(":")[0] for line in done.stderr.splitlines() if " error: " in line})
    detail = "./dev fmt mends\n" + "\n".join(os.path.relpath(w, TOP) for w in wrong)
    return Result("clang-format", "failed", detail) if done.returncode else Result("clang-format", "passed")


def style_syntax(script):
    try:
        compile(script.read_text(), str(script), "exec")
        return Result(f"syntax of {script.name}", "passed")
    except SyntaxError as error:
        return Result(f"syntax of {script.name}", "failed", str(error))


def part_style(log):
    yield style_format(log)
    scripts = [p for d in ("tests", "bench", "etc") for p in sorted((TOP / d).glob("**/*.sh"))]
    names = [str(p.relative_to(TOP)) for p in scripts]
    yield run_check(["shellcheck", "--exclude=SC1007", "dev", ".ci/run", "tests/fresh", "tests/package", *names], log, "shellcheck")
    for script in sorted(p for d in ("src", "tests", "bench", "cross") for p in (TOP / d).glob("**/*.py")):
        yield style_syntax(script)


def part_docs(log):
    """The committed pages are what schema/ and the samples say today."""
    names = run(["build/src/describe", "names"], log)[1].split()
    pages = {"docs/events.md": ["events"], "docs/events.schema.json": ["schema"], "man/kunai-events.5": ["manual"]}
    for name in names:
        pages[f"docs/events/{name}.md"] = ["event", name, f"docs/events/samples/{name}.json"]
    for page, arguments in pages.items():
        status, text = run(["build/src/describe", *arguments], log)
        same = status == 0 and (TOP / page).exists() and text == (TOP / page).read_text()
        yield Result(f"{page} is what schema/ says", "passed" if same else "failed",
                     "" if same else "./dev docs writes it; a new event needs ./dev docs --samples EVENT")  # fmt: skip
    there = sorted(p.stem for d, kind in (("docs/events", "md"), ("docs/events/samples", "json")) for p in (TOP / d).glob(f"*.{kind}"))
    stray = set(there) - set(names)
    yield Result("no page or sample without an event", "failed" if stray else "passed", " ".join(stray))


def meson_tests(directory, log):
    """(name, command) of the programs that meson.build registers with test()."""
    status, stdout = run(["meson", "introspect", "--tests", directory], log)
    if status:
        raise Failure("meson introspect failed")
    tests = [(t["name"], t["cmd"]) for t in json.loads(stdout)]
    if not tests:
        raise Failure("no test is registered")
    return tests


def unit(directory, prefix=(), env=None):
    def part(log):
        with concurrent.futures.ThreadPoolExecutor(CPUS) as pool:
            jobs = [
                pool.submit(run_tap, [*prefix, *command], log, name, env=env)
                for name, command in meson_tests(directory, log)
            ]
            for job in jobs:
                yield from job.result()

    return part


def part_pages(log):
    yield from run_tap(["tests/golden/check.py"], log, "pages")


def update_golden():
    """Writes the golden lines and the seeds that are made of their records. What changed is for a person to read."""
    golden = TOP / "build/tests/golden/golden"
    corpus = TOP / "tests/fuzz/corpus/decode"
    subprocess.run(["./dev", "build-variant", "release", "tests/golden/golden"], cwd=TOP, check=True)
    subprocess.run([golden, "--update"], cwd=TOP, check=True)
    subprocess.run([golden, "--corpus", corpus], cwd=TOP, check=True)
    return subprocess.run(["git", "--no-pager", "diff", "--stat", "tests/golden"], cwd=TOP, check=False).returncode


def fuzz_target(target, seconds, log):
    name = target.name.removeprefix("fuzz_")
    found = TOP / "build-asan/found" / name
    found.mkdir(parents=True, exist_ok=True)
    seeds = TOP / "tests/fuzz/corpus" / name
    if not seeds.is_dir() or not any(seeds.iterdir()):
        return Result(f"{name}: seeds", "failed", f"{seeds} is empty")
    command = [target, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=1024", "-max_len=65536",
               f"-artifact_prefix={found}-", "-print_final_stats=1", found, seeds]  # fmt: skip
    return run_check(command, log, f"{name} for {seconds} s", env=SANITIZER_ENV, timeout=seconds + 120)


def fuzz(seconds):
    def part(log):
        targets = sorted(p for p in (TOP / "build-asan/tests/fuzz").glob("fuzz_*") if p.is_file())
        if not targets:
            raise Failure("there are no fuzz targets")
        with concurrent.futures.ThreadPoolExecutor(CPUS) as pool:
            yield from pool.map(lambda t: fuzz_target(t, seconds, log), targets)

    return part


def live(kunai, env=None):
    def part(log):
        yield from run_tap(["tests/live/live.py", "--kunai", kunai, "--actors", ACTORS], log, "live", env=env)

    return part


def part_idle(log):
    """Its figures are for people: docs/performance.md has those of today."""
    yield from run_tap(["tests/vm/idle.py", "build-static/kunai"], log, "idle")


def attack(names):
    def part(log):
        yield from run_tap(["tests/vm/attack.py", *names], log, "attack", timeout=PACKAGE_TIMEOUT)

    return part


def part_boot(log):
    yield from run_tap(["tests/vm/boot.py"], log, "boot", timeout=PACKAGE_TIMEOUT)


def part_hacking(log):
    yield from run_tap(["tests/hacking.py"], log, "hacking")


def part_package(log):
    yield from run_tap(["tests/package"], log, "package", timeout=PACKAGE_TIMEOUT)


def part_instructions(log):
    must(["./dev", "build-variant", "release", "bench-pipeline"], log, "building the bench")
    yield from run_tap(["bench/instructions.py"], log, "instructions")


def part_commands(log):
    yield from run_tap(["tests/commands/commands.py"], log, "commands")


def part_frames(log):
    yield from run_tap(["tests/frames.py"], log, "frames")


def part_rules(log):
    yield from run_tap(["tests/rules/check.py"], log, "rules")


def part_judge(log):
    yield from run_tap(["tests/live/live.py", "--self-test", "--actors", ACTORS], log, "judge")


def is_long():
    return "KUNAI_TEST_LONG" in os.environ


def boot(name, arch, programs, log, out, command):
    """Runs the scenarios in one VM. Only a VM that does not come up gets a second try."""
    files = vm.guest_files(programs / "kunai", programs / "actors")
    for tries in range(1, BOOT_TRIES + 1):
        try:
            return vm.boot_vm(name, files, command, out, arch=arch, timeout=GUEST_TIMEOUT_LONG if is_long() else GUEST_TIMEOUT)
        except vm.BootError as error:
            log.write(f"# boot {tries} of {name}: {error}\n")
            if tries == BOOT_TRIES or stopping.is_set():
                raise


def copy_programs(kunai, actors, to):
    """What the guest runs must be what its results are compared with, even if somebody builds meanwhile."""
    (to / "actors").mkdir()
    shutil.copy(TOP / kunai, to / "kunai")
    for actor in (TOP / actors).iterdir():
        if actor.is_file() and os.access(actor, os.X_OK):
            shutil.copy(actor, to / "actors" / actor.name)


def guest_command(tier):
    mix = MIX_LONG if is_long() else MIX
    return f"FILES={SCANNED_IN_VM} OTHER_TIER={tier} MIX={mix} sh /kunai/guest.sh"


def kernel_vm(part_name, name, arch, kunai, actors, tier):
    """tier: all cases run on that one, too."""

    def part(log):
        out = LOGS / part_name
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        with tempfile.TemporaryDirectory(prefix="kunai-programs.") as programs:
            copy_programs(kunai, actors, Path(programs))
            try:
                status = boot(name, arch, Path(programs), log, out, guest_command(tier))
            except (vm.VmError, kernels.KernelError) as error:
                raise Failure(str(error)) from error
            for stream in ("guest.stdout", "guest.stderr"):
                log.write((out / stream).read_text(errors="replace") if (out / stream).exists() else "")
            yield Result("guest.sh", "failed" if status else "passed", f"exit status {status} in the guest")
            yield from run_tap(
                ["tests/live/live.py", "--kunai", f"{programs}/kunai", "--actors", f"{programs}/actors",
                 "--vm-output", str(out)], log, "live",
            )  # fmt: skip

    return part


def vm_part(part, kernel, arch="amd64", actors=None, tier="trampoline"):
    programs, needs = ("build-static/kunai", actors or ACTORS), ("build", "build-static")
    if arch == "arm64":
        programs, needs = ("build-arm64/kunai", actors or "build-arm64/tests/actors"), ("build-arm64",)
    return Part(part, kernel_vm(part, kernel, arch, *programs, tier), needs, in_vm=True, more=part != f"vm-{SMOKE_KERNEL}")


def all_parts(args):
    seconds = FUZZ_SECONDS_LONG if args.long else FUZZ_SECONDS
    return [
        Part("build", build("release", "kunai", "actors", "src/describe", "meson-test-prereq")),
        Part("tree", part_tree),
        Part("style", part_style),
        Part("docs", part_docs, ("build",)),
        Part("frames", part_frames, ("build",)),
        Part("unit", unit("build"), ("build",)),
        Part("pages", part_pages, ("build",)),
        Part("commands", part_commands, ("build",)),
        Part("rules", part_rules, ("build",)),
        Part("judge", part_judge, ("build",)),
        Part("live", live("build/kunai"), ("build",)),
        Part("valgrind", unit("build", VALGRIND, SLOW_ENV), ("build",)),
        Part("instructions", part_instructions, ("build",), more=True),
        Part("build-asan", build("asan", "kunai", "fuzz-targets", "meson-test-prereq")),
        Part("unit-asan", unit("build-asan", env=SANITIZER_ENV), ("build-asan",)),
        Part("fuzz", fuzz(seconds), ("build-asan",)),
        Part("live-asan", live("build-asan/kunai", SANITIZER_ENV), ("build", "build-asan")),
        Part("build-static", build("static", "kunai")),
        Part("build-arm64", build("arm64", "kunai", "actors", "actors32"), more=True),
        *(vm_part(f"vm-{n}", n) for n in kernels.KERNELS),
        *(vm_part(f"vm-arm64-{n}", n, "arm64", tier=ARM64_TIERS[n]) for n in ARM64_KERNELS),
        Part("hacking", part_hacking, slow=True),
        Part("attack", attack(kernels.KERNELS if args.long else ATTACKED_KERNELS), ("build", "build-static"), in_vm=True, more=True),
        Part("package", part_package, slow=True),
        Part("boot", part_boot, ("build-static",), in_vm=True, slow=True),
        Part("idle", part_idle, ("build-static",), in_vm=True, slow=True),
        vm_part(f"vm-arm64-{ARM32_KERNEL}-32bit", ARM32_KERNEL, "arm64", "build-arm64/tests/actors32", ""),
    ]


# The run

def run_part(part, broken):
    if stopping.is_set():
        return
    started = time.monotonic()
    missing = [n for n in part.needs if n in broken]
    with open(LOGS / f"{part.name}.log", "w") as log:
        try:
            if missing:
                part.results = [Result(part.name, "skipped", f"{missing[0]} failed")]
            else:
                for result in part.run(log):
                    part.results.append(result)
        except (Failure, OSError, ValueError) as error:
            part.results.append(Result(part.name, "failed", str(error)))
    part.seconds = time.monotonic() - started
    report(part)


print_lock = threading.Lock()


def count(parts, status):
    return sum(r.status == status for p in parts for r in p.results)


def report(part):
    """One line, and for a failed part what a person needs to act."""
    failed = [r for r in part.results if r.status == "failed"]
    with print_lock:
        print(f"{part.name:14} {part.seconds:7.1f} s  {count([part], 'passed')} passed, {len(failed)} failed, "
              f"{count([part], 'skipped')} skipped")  # fmt: skip
        for result in failed:
            print(f"  FAILED {result.name}")
            for line in result.detail.splitlines():
                print(f"    {line}")
        if failed:
            path = LOGS / f"{part.name}.log"
            lines = path.read_text(errors="replace").splitlines()
            print(f"  the last lines of {path.relative_to(TOP)}:")
            for line in lines[-40:]:
                print(f"  | {line[:400]}")
        sys.stdout.flush()


def choose(parts, wanted, more, slow):
    """The named parts and what they need; without names those of a short run, or all."""
    if not wanted:
        return [p for p in parts if (more or not p.more) and (slow or not p.slow)]
    names = {p.name: p for p in parts}
    unknown = [w for w in wanted if w not in names]
    if unknown:
        sys.exit(f"dev test: no part {unknown[0]}; there are {', '.join(names)}")
    chosen = set(wanted)
    for part in parts:
        if part.name in wanted:
            chosen.update(part.needs)
    return [p for p in parts if p.name in chosen]


def run_all(parts):
    """One after the other, since timing matters to the live tests; then the VMs, a few at a time."""
    broken = set()
    for part in parts:
        if not part.in_vm:
            run_part(part, broken)
            if any(r.status == "failed" for r in part.results):
                broken.add(part.name)
    with concurrent.futures.ThreadPoolExecutor(VMS_AT_ONCE) as pool:
        list(pool.map(lambda p: run_part(p, broken), [p for p in parts if p.in_vm]))


def stop_all(signum, _frame):
    """Ctrl-C or a terminated CI: what was started ends, its temporary files go, no further part runs."""
    stopping.set()
    for process in list(vm.running):
        process.kill()
    for process in list(children):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
    sys.exit(128 + signum)


def print_not_shown(parts):
    """What each kernel cannot show and why, as the live test found it."""
    for part in parts:
        log = LOGS / f"{part.name}.log"
        if part.seconds and log.exists():
            for line in log.read_text(errors="replace").splitlines():
                if line.startswith("# not shown by "):
                    print(f"{part.name}: {line[2:]}")


def main():
    parser = argparse.ArgumentParser(prog="dev test", description="Runs the tests; ends with one line of totals.")
    parser.add_argument("--all", action="store_true", help=f"every kernel and arm64, not only {SMOKE_KERNEL}")
    parser.add_argument("--long", action="store_true", help=f"{FUZZ_SECONDS_LONG} s for each fuzz target, {MIX_LONG} operations for both tiers, the events of an idle Debian, docs/hacking.md followed, two packages, two boots of a Debian with the sensor installed, and 1,009 rotations")
    parser.add_argument("--update-golden", action="store_true", help="write tests/golden/expected.jsonl and stop")
    parser.add_argument("--list", action="store_true", help="name the parts and stop")
    parser.add_argument("parts", nargs="*", metavar="PART")
    args = parser.parse_args()
    if args.update_golden:
        return update_golden()
    if args.long:
        os.environ["KUNAI_TEST_LONG"] = "1"  # for tests that have more to do then
    parts = all_parts(args)
    if args.list:
        print("\n".join(p.name for p in parts))
        return 0
    parts = choose(parts, args.parts, args.all, args.long)

    signal.signal(signal.SIGTERM, stop_all)
    signal.signal(signal.SIGINT, stop_all)
    LOGS.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    run_all(parts)

    for part in parts:
        for result in part.results:
            if result.status == "skipped":
                print(f"skipped {part.name}: {result.name}: {result.detail}")
    print_not_shown(parts)
    unmet = checklist.print_checklist({p.name: p.results for p in parts if not any(r.status == "skipped" and r.name == p.name for r in p.results)})
    passed, failed, skipped = (count(parts, s) for s in ("passed", "failed", "skipped"))
    failed += unmet
    print(f"{time.monotonic() - started:.0f} s in all")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return failed != 0 or passed == 0


if __name__ == "__main__":
    sys.exit(main())

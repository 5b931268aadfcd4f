#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""commands.py: `kunai replay` and `kunai test` as a person uses them; prints TAP."""
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import textwrap
import time
from pathlib import Path

from completion import test_completion, test_root
from prompts import test_prompts
from tap import Tap

TOP = Path(__file__).resolve().parent.parent.parent
KUNAI = TOP / "build/kunai"
GOLDEN = TOP / "tests/golden/expected.jsonl"

RULES = """\
name: remote.https
match-on:
  events:
    kunai: [connect]
matches:
  $port: .data.dst.port == '443'
condition: $port
severity: 7
actions: [kill]
---
name: programs
type: filter
match-on:
  events:
    kunai: [execve]
matches:
  $exe: .data.exe.path ~= '^/usr/bin/'
condition: $exe
"""


def kunai(*args, stdin=None):
    return subprocess.run([KUNAI, *map(str, args)], capture_output=True, text=True, input=stdin, check=False)


def events_of(run):
    return [json.loads(line) for line in run.stdout.splitlines()]


def names(events):
    return sorted({event["info"]["event"]["name"] for event in events})


def test_replay(tap, work):
    rules, iocs, golden = work / "test.kun", work / "test.ioc", GOLDEN.read_text()
    rules.write_text(RULES)
    recorded = [json.loads(line) for line in golden.splitlines()]
    https = [e for e in recorded if e["info"]["event"]["name"] == "connect" and e["data"]["dst"]["port"] == 443]
    programs = [e for e in recorded
                if e["info"]["event"]["name"] == "execve" and e["data"]["exe"]["path"].startswith("/usr/bin/")]  # fmt: skip

    run = kunai("replay", GOLDEN)
    tap.equal((run.returncode, run.stdout), (0, golden), "without rules every event is printed as it was")
    run = kunai("replay", "-r", rules, GOLDEN)
    got = events_of(run)
    tap.equal([e for e in got if "detection" in e and e["detection"] != {"rules": ["remote.https"], "actions": ["kill"], "severity": 7}],
              [], "a detection says rule, actions and severity")  # fmt: skip
    tap.equal(len([e for e in got if "detection" in e]), len(https), "each connection to 443 is detected")
    tap.equal(len([e for e in got if e.get("filter") == {"rules": ["programs"]}]), len(programs), "each program is selected")
    tap.equal(len(got), len(https) + len(programs), "nothing else is printed")
    tap.equal(names(events_of(kunai("replay", "-r", rules, "-s", "8", GOLDEN))), ["execve"], "--min-severity leaves detections out")
    tap.equal(len(events_of(kunai("replay", "--all", "-r", rules, GOLDEN))), len(recorded), "--all prints the rest, too")
    again = kunai("replay", "-r", rules, "-", stdin=run.stdout)
    tap.equal(again.stdout, run.stdout, "what was detected before can be replayed")

    ip = https[0]["data"]["dst"]["ip"]
    iocs.write_text(json.dumps({"value": ip, "severity": 9}) + "\n")
    hit = [e["detection"] for e in events_of(kunai("replay", "-r", rules, "-i", iocs, GOLDEN))
           if e["info"]["event"]["uuid"] == https[0]["info"]["event"]["uuid"]]  # fmt: skip
    tap.equal(hit, [{"iocs": [ip], "rules": ["remote.https"], "actions": ["kill"], "severity": 10}],
              "rule and IoC on one event: one line, severities sum up to 10")  # fmt: skip
    with open("/dev/full", "w") as full:
        run = subprocess.run([KUNAI, "replay", GOLDEN], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    tap.ok(run.returncode == 1 and "No space left" in run.stderr, "output that cannot be written fails", run.stderr)
    bench = kunai("replay", "--bench", "-r", rules, GOLDEN)
    tap.equal([line.split(":")[0] for line in bench.stdout.splitlines()],
              ["scan duration", "scan throughput", "scan rate"], "--bench prints figures only")  # fmt: skip


def test_text(tap, work):
    run = kunai("replay", "--format", "text", GOLDEN)
    lines = run.stdout.splitlines()
    tap.equal((run.returncode, len(lines)), (0, len(GOLDEN.read_text().splitlines())), "as text every event is one line")
    kinds = {line.split()[2] for line in lines}
    tap.equal(sorted(kinds), names([json.loads(line) for line in GOLDEN.read_text().splitlines()]), "which says what it is")
    tap.ok("\x1b" not in run.stdout, "without colours where there is no terminal")
    (work / "text.kun").write_text(RULES)
    run = kunai("replay", "--format=text", "-r", work / "text.kun", GOLDEN)
    tap.ok("DETECTED severity 7 rules remote.https actions kill" in run.stdout, "detections are marked", run.stdout[:500])
    tap.equal(kunai("replay", "--format=xml", GOLDEN).returncode, 2, "another format is refused")


def test_damaged_logs(tap, work):
    lines = GOLDEN.read_text().splitlines()
    log = work / "damaged.json"
    log.write_text("\n".join(["rubbish", lines[0][:100], json.dumps(json.loads(lines[0]), indent=2), lines[1]]))
    run = kunai("replay", log)
    tap.equal((run.returncode, len(run.stdout.splitlines())), (0, 2), "a damaged log is read as far as it goes")
    tap.ok(f"{log}:1: passed over" in run.stderr and f"{log}:2: passed over" in run.stderr, "  and what was passed over is told", run.stderr)
    with gzip.open(work / "log.jsonl.gz", "wt") as file:
        file.write("\n".join(lines))
    tap.equal(kunai("replay", work / "log.jsonl.gz").stdout, GOLDEN.read_text(), "a compressed log")
    tap.equal(kunai("replay", work / "nothing").returncode, 1, "no such log")
    (work / "bad.kun").write_text("name: x\ncondition: $a\nmatches: {$a: .data.exe.pth == '1'}\nmatch-on: {events: {kunai: [execve]}}\n")
    run = kunai("replay", "-r", work / "bad.kun", GOLDEN)
    tap.ok(not run.stdout and "did you mean .data.exe.path?" in run.stderr, "a misspelt field: a suggestion", run.stderr)
    (work / "bad.kun").write_text("name: x\nmatchs: {}\n")
    run = kunai("replay", "-r", work / "bad.kun", GOLDEN)
    tap.ok(run.returncode == 1 and not run.stdout and "bad.kun:2:1: error" in run.stderr, "bad rules: an error with file and line", run.stderr)
    run = kunai("rules", "check", work / "missing.kun")
    tap.ok(run.returncode == 1 and "missing.kun: error: no such file" in run.stderr, "rules check of nothing fails", run.stderr)
    (work / "iocs").mkdir()
    (work / "iocs/a.ioc").write_text("rubbish\n")
    (work / "iocs/b.ioc").symlink_to("nowhere")
    (work / "iocs/c.ioc").mkdir()
    (work / "iocs/d.ioc").write_text('{"value":"?"}\n')
    run = kunai("replay", "-i", work / "iocs", GOLDEN)
    told = [any(line.startswith(f"{work}/iocs/{name}.ioc:") for line in run.stderr.splitlines()) for name in "abcd"]
    tap.equal((run.returncode, told), (1, [True, True, False, True]), "each bad file of IoCs is told, directories are passed by")
    run = kunai("replay", "-i", work / "bad.kun", GOLDEN)
    tap.ok(run.returncode == 1 and "bad.kun:1:" in run.stderr, "bad IoCs: an error with file and line", run.stderr)


def line_at(number):
    """Something like an event, a second after the one before it."""
    return json.dumps({"data": {"n": number}, "info": {"utc_time": f"2026-11-22T06:{number // 60:02}:{number % 60:02}.5Z"}},
                      separators=(",", ":"))  # fmt: skip


def numbers(text):
    return [json.loads(line)["data"]["n"] for line in text.splitlines()]


def test_logs(tap, work):
    log = work / "logs" / "events.log"
    log.parent.mkdir()
    # 10 comes after 9; .2 is still being compressed, .3 has been just now
    for begin, name in ((1, "1.gz"), (4, "2"), (7, "3.gz"), (10, "9.gz"), (13, "10")):
        text = "".join(line_at(begin + n) + "\n" for n in range(3))
        opener = gzip.open if name.endswith("gz") else open
        with opener(log.parent / f"events.log.{name}", "wt") as file:
            file.write(text)
    (log.parent / "events.log.3").write_text(line_at(7) + "\n")
    (log.parent / "events.log.10.gz.tmp").write_text("half of it")
    log.write_text("\0\0" + line_at(16) + "\0\n\n\0\n" + line_at(17) + "\n" + line_at(18))
    run = kunai("logs", "-l", log)
    tap.equal((run.returncode, numbers(run.stdout)), (0, list(range(1, 19))), "rotated files, oldest first, each once, without NULs")
    config = work / "logs.yaml"
    config.write_text(f"output:\n  path: {log}\n")
    tap.equal(kunai("logs", "-c", config).stdout, run.stdout, "the file that a configuration names")
    some = kunai("logs", "-l", log, "--since", "2026-11-22T06:00:05Z", "--until=2026-11-22T06:00:12.5Z")
    tap.equal(numbers(some.stdout), list(range(5, 13)), "a range of time")
    tap.equal(numbers(kunai("logs", "-l", log, "--since", "-100years").stdout), list(range(1, 19)), "so long ago")
    for wrong in ("2026-13-01", "tomorrow", "yesterdayish", "yesterday 6", "today ", "2026-11-22 25:61", "24:00", "6", "-", "-1x", "ago", ""):
        tap.equal(kunai("logs", "-l", log, "--since", wrong).returncode, 2, f"no time: {wrong!r}")
    if not os.path.exists("/etc/kunai/config.yaml"):
        run = kunai("logs")
        tap.ok(run.returncode == 1 and "--log-file=FILE" in run.stderr, "no log and no configuration: what to do is told", run.stderr)
    run = kunai("logs", "-l", work)
    tap.equal((run.returncode, run.stderr), (1, f"Error: kunai output={work} is not a regular file\n"), "a directory")
    tap.equal(kunai("logs", "-l", log, "-c", config).returncode, 2, "--log-file excludes --config")
    (log.parent / "events.log.1.gz").write_bytes((log.parent / "events.log.1.gz").read_bytes()[:-12])
    run = kunai("logs", "-l", log)
    tap.ok(numbers(run.stdout)[-15:] == list(range(4, 19)) and "1 older files" in run.stderr, "a damaged archive is told", run.stderr)


def await_numbers(path, want):
    end = time.monotonic() + 20
    while time.monotonic() < end and numbers(path.read_text()[: path.read_text().rfind("\n") + 1]) != want:
        time.sleep(0.05)
    return numbers(path.read_text())


def test_follow(tap, work):
    log, out = work / "follow" / "events.log", work / "follow.out"
    log.parent.mkdir()
    log.write_text(line_at(0) + "\n")
    with open(out, "wb") as stdout:
        process = subprocess.Popen([KUNAI, "logs", "-f", "-l", log], stdout=stdout)
    try:
        tap.equal(await_numbers(out, [0]), [0], "-f: what is there")
        with open(log, "a") as file:
            file.write(line_at(1) + "\n" + line_at(2)[:20])
            file.flush()
            await_numbers(out, [0, 1])
            file.write(line_at(2)[20:] + "\n")
        tap.equal(await_numbers(out, [0, 1, 2]), [0, 1, 2], "-f: what comes, in whole lines")
        # two rotations between two looks: one file is never seen under its first name
        process.send_signal(signal.SIGSTOP)
        with open(log, "a") as file:
            file.write(line_at(3) + "\n")
        log.rename(log.parent / "events.log.1")
        with gzip.open(log.parent / "events.log.1.gz", "wt") as file:
            file.write("".join(line_at(n) + "\n" for n in range(4)))
        (log.parent / "events.log.1").unlink()
        with gzip.open(log.parent / "events.log.2.gz", "wt") as file:
            file.write(line_at(4) + "\n" + line_at(5) + "\n")
        log.write_text(line_at(6) + "\n")
        process.send_signal(signal.SIGCONT)
        tap.equal(await_numbers(out, list(range(7))), list(range(7)), "-f: through two rotations, each line once")
    finally:
        process.kill()
        process.wait()


FAKE_SYSTEMCTL = """#!/bin/sh
echo "$*" >>{log}
[ "$1" != "$(cat {fail} 2>/dev/null)" ]
"""


def with_systemctl(work, *args, stdin=None):
    """As root in a mount namespace where systemctl only writes down what it is told."""
    fake = work / "systemctl"
    fake.write_text(FAKE_SYSTEMCTL.format(log=work / "systemctl.log", fail=work / "systemctl.fail"))
    fake.chmod(0o755)
    (work / "systemctl.log").write_text("")
    script = 'mount --bind "$0" /usr/bin/systemctl && exec "$@"'
    run = subprocess.run(["unshare", "--mount", "sh", "-c", script, fake, KUNAI, *map(str, args)],
                         capture_output=True, text=True, input=stdin, check=False)  # fmt: skip
    return run, (work / "systemctl.log").read_text().splitlines()


def check_service(tap, work, places, gone, unit, binary):
    """What systemctl is told: a stand-in writes it down."""
    if os.geteuid() != 0 or not os.path.exists("/usr/bin/systemctl"):
        tap.skip("what systemctl is told", "needs root, and systemd")
        return
    config, log = (Path(places[places.index(o) + 1]) for o in ("--config", "--log-file"))
    run, told = with_systemctl(work, "install", "-f", *places, "--systemd", "--enable-unit")
    tap.equal((run.returncode, told), (0, ["stop -- 00-kunai.service", "daemon-reload", "enable -- 00-kunai.service"]), "--enable-unit")
    (work / "systemctl.fail").write_text("daemon-reload")
    runs = os.path.isdir("/run/systemd/system")
    run, told = with_systemctl(work, "install", "-f", *places, "--systemd", "--enable-unit")
    tap.equal((run.returncode, "enable -- 00-kunai.service" in told), (1, False) if runs else (0, True),
              "a manager that does not run need not read units again")  # fmt: skip
    (work / "systemctl.fail").write_text("stop")
    run, told = with_systemctl(work, "uninstall", "-f", "--all", *gone)
    tap.ok(run.returncode == 1 and unit.exists() and binary.exists(), "a service that cannot be stopped: nothing is removed", run.stderr)
    (work / "systemctl.fail").unlink()
    (log.parent / "link").symlink_to(work)
    run, told = with_systemctl(work, "uninstall", "-f", "--all", *gone)
    tap.equal((run.returncode, told), (0, ["stop -- 00-kunai.service", "disable -- 00-kunai.service", "daemon-reload"]), "uninstall --all")
    tap.ok(not any(p.exists() for p in (binary, config.parent, log.parent, unit)) and work.exists(), "  everything is gone, and nothing else")


def test_install(tap, work):
    root = work / "in stall"
    binary, config, log, unit = root / "b%n/kunai", root / "etc/c.yaml", root / "log/deep/e.log", root / "00-kunai.service"
    places = ["--install-dir", binary.parent, "--config", config, "--log-file", log, "--systemd-unit", unit]
    run = kunai("install", *places)
    tap.equal((run.returncode, run.stderr), (0, ""), "install")
    tap.equal(binary.read_bytes() == KUNAI.read_bytes() and binary.stat().st_mode & 0o777, 0o755, "  the program")
    tap.equal(log.parent.stat().st_mode & 0o777, 0o700, "  the directory of the logs")
    tap.equal((config.stat().st_mode & 0o777, kunai("config", "--validate", config).returncode), (0o600, 0), "  a valid configuration")
    tap.ok(f"  path: {log}\n  rotate_size: 10MB\n  rotate_interval: 15m\n  max_size: 1GB\n" in config.read_text(), "  that rotates")
    tap.ok(not unit.exists(), "  no unit if it is not asked for")
    config.write_text("# mine\n")
    run = subprocess.run([binary, "install", *map(str, places), "--systemd"], capture_output=True, text=True, input="y\ny\n", check=False)
    tap.equal((run.returncode, config.read_text()), (0, "# mine\n"), "install again: without a terminal the configuration stays")
    text = unit.read_text()
    tap.ok(f'\nExecStart="{str(binary).replace("%", "%%")}" run -c "{config}"\n' in text, "the unit quotes its paths", text)
    if verify := shutil.which("systemd-analyze"):
        done = subprocess.run([verify, "verify", "--man=no", unit], capture_output=True, text=True, check=False)
        tap.equal((done.returncode, done.stderr), (0, ""), "systemd finds nothing wrong with the unit")
    else:
        tap.skip("systemd finds nothing wrong with the unit", "no systemd")
    run = kunai("install", *places)
    tap.ok(run.returncode == 1 or binary.read_bytes() == KUNAI.read_bytes(), "another program stays")
    run = kunai("install", "-f", *places)
    tap.ok(run.returncode == 0 and "rotate_size" in config.read_text(), "--force replaces", run.stderr)
    tap.equal(kunai("install", "--install-dir", "bin").returncode, 2, "a relative path is refused")
    tap.equal(kunai("install", "-f", "--systemd", *places[:-2], "--systemd-unit", root / "x", "--config", f"{root}/a\nb").returncode, 1,
              "a path that no unit can hold is refused")  # fmt: skip

    gone = ["--bin", binary, "--config-dir", config.parent, "--log-dir", log.parent, "--systemd-unit", unit]
    run = kunai("uninstall", "--all", *gone)
    tap.ok(run.returncode == 0 and run.stdout.endswith("Uninstall cancelled.\n") and binary.exists(), "uninstall asks", run.stdout)
    check_service(tap, work, places, gone, unit, binary)
    tap.equal(kunai("uninstall", "-f", "--all", "--log-dir", "/", "--bin", root / "no", "--config-dir", root / "no", "-u", root / "no").returncode,
              1, "the root directory is not removed")  # fmt: skip


def test_test(tap, work):
    rules, directory = work / "test.kun", work / "tests"
    directory.mkdir()
    lines = GOLDEN.read_text().splitlines()
    matching = {"remote.https": '"port":443', "programs": '"name":"execve"'}
    for rule, text in matching.items():
        events = [e for e in lines if text in e and ("connect" in e or rule == "programs")]
        events = [e for e in events if kunai("replay", "-r", rules, "-", stdin=e).stdout]
        tap.ok(len(events) >= 3, f"{rule}: there are events for its recording", len(events))
        (directory / f"{rule}.json").write_text("\n".join(events[:3]))

    run = kunai("-v", "test", "-r", rules, "-t", directory)
    tap.equal(run.returncode, 0, "rules that match their recordings")
    tap.ok(all(f"rule={rule} test successful" in run.stderr for rule in matching), "  are named", run.stderr)
    tap.ok("rules were not tested against any baseline" in run.stderr, "  no baseline: a warning", run.stderr)
    run = kunai("test", "-r", rules, "-t", directory, "-b", GOLDEN)
    tap.ok(run.returncode == 1 and "rule=remote.https rule has false positives" in run.stderr, "a match in the baseline fails", run.stderr)
    tap.equal(kunai("test", "-r", rules, "-t", directory, "-b", GOLDEN, "-m", "8").returncode, 0, "  but not below --min-severity-fp")
    (directory / "remote.https.json").write_text(lines[0])
    run = kunai("test", "-r", rules, "-t", directory)
    tap.ok(run.returncode == 1 and "rule=remote.https detection rule has false negatives" in run.stderr, "a recording that is not matched fails", run.stderr)
    (directory / "programs.json").unlink()
    run = kunai("test", "-r", rules, "-t", directory)
    tap.ok("rule=programs rule is untested" in run.stderr, "a rule without a recording fails", run.stderr)
    (directory / "programs.json").write_text("")
    run = kunai("test", "-r", rules, "-t", directory)
    tap.ok("rule=programs its recording is empty" in run.stderr, "an empty recording fails", run.stderr)
    tap.equal(kunai("test").returncode, 2, "no rules")
    run = kunai("test", "-r", rules, "-b", GOLDEN, "-m", "256")
    tap.ok(run.returncode == 2 and "min-severity-fp" in run.stderr, "--min-severity-fp has a range", run.stderr)
    run = kunai("test", "-r", rules, "-b", work / "no such baseline")
    tap.ok(run.returncode == 1 and "no such baseline" in run.stderr, "a baseline that cannot be read fails", run.stderr)
    (work / "baseline").mkdir()
    (work / "baseline/golden.jsonl").write_text(GOLDEN.read_text())
    (work / "link").symlink_to("baseline")
    tap.equal(kunai("test", "-r", rules, "-b", work / "link").returncode, 1, "a link to a baseline is followed")


def test_test_of_exclusion(tap, work):
    """A rule that excludes is tested, too: by events that it leaves out."""
    rules, directory = work / "exclude.kun", work / "excluded"
    directory.mkdir()
    for kind in ("detection", "filter"):
        rules.write_text(f"name: left.out\ntype: {kind}\ndecision: exclude\nmatch-on:\n  events:\n    kunai: [connect]\n")
        by_kind = {json.loads(line)["info"]["event"]["name"]: line for line in GOLDEN.read_text().splitlines()}
        (directory / "left.out.json").write_text(by_kind["connect"])
        run = kunai("-v", "test", "-r", rules, "-t", directory, "-b", GOLDEN, "-m", "0")
        tap.ok(run.returncode == 0 and "rule=left.out test successful" in run.stderr, f"a {kind} that excludes", run.stderr)
        (directory / "left.out.json").write_text(by_kind["execve"])
        tap.equal(kunai("test", "-r", rules, "-t", directory).returncode, 1, "  fails where it leaves nothing out")


def test_readme(tap, work):
    """The rule of the README, on an execution that it is about, and on a real kernel thread's helper."""
    lines = (TOP / "README.md").read_text().split("    name: fake.kworker\n")[1].splitlines()
    indented = [line[4:] for line in lines[: next(i for i, line in enumerate(lines) if not line.startswith("    "))]]
    rule = work / "readme.kun"
    rule.write_text("\n".join(["name: fake.kworker", *indented]) + "\n")
    tap.equal(kunai("rules", "check", "--strict", rule).returncode, 0, "the rule of the README is right")
    event = next(e for e in map(json.loads, GOLDEN.read_text().splitlines()) if e["info"]["event"]["name"] == "execve")
    for name, flags, detected in (("kworker/0:1", "0x400000", True), ("kworker/0:1", "0x4208060", False), ("bash", "0x0", False)):
        event["info"]["task"] |= {"name": name, "flags": flags}
        got = events_of(kunai("replay", "-r", rule, "-", stdin=json.dumps(event)))
        tap.equal(bool(got), detected, f"  {name} with flags {flags}")


def test_rules_page(tap, work):
    """Every rule of kunai-rules(5) is right, and they choose what the page says."""
    shown = subprocess.run(["mandoc", "-T", "ascii", TOP / "man/kunai-rules.5"], capture_output=True, text=True, check=True).stdout
    text = re.sub(".\x08", "", shown)
    blocks = re.findall(r"^ +name: .*?(?=\n\n|\n {3,7}\S|\Z)", text, re.MULTILINE | re.DOTALL)
    tap.ok(len(blocks) >= 4, "kunai-rules(5) has rules", len(blocks))
    rules = work / "page.kun"
    rules.write_text("\n---\n".join(textwrap.dedent(block) for block in blocks) + "\n")
    run = kunai("rules", "check", "--strict", rules)
    tap.equal((run.returncode, run.stderr), (0, ""), "which are all right")
    recorded = [json.loads(line) for line in GOLDEN.read_text().splitlines()]
    event = next(e for e in recorded if e["info"]["event"]["name"] == "execve")
    for path, ancestors, want in (
        ("/tmp/x", "/usr/bin/bash", ["exec.from.tmp", "exec.from.tmp.no.dpkg"]),
        ("/tmp/x", "/usr/lib/systemd/systemd|/usr/bin/dpkg", ["exec.from.tmp"]),
        ("/usr/bin/x", "", None),
    ):
        event["data"]["exe"]["path"], event["data"]["ancestors"] = path, ancestors
        got = [e["detection"]["rules"] for e in events_of(kunai("replay", "-r", rules, "-", stdin=json.dumps(event)))]
        tap.equal(got, [want] if want else [], f"  {path} below {ancestors or 'nothing'}")
    event = next(e for e in recorded if e["info"]["event"]["name"] == "connect" and e["data"]["dst"]["public"])
    for exe, ip, port, want in (
        ("/usr/bin/bash", "9.9.9.9", 4444, (["shell.connects"], ["all.connections"])),
        ("/usr/bin/bash", "9.9.9.9", 443, (None, ["all.connections"])),
        ("/usr/bin/curl", "127.0.0.1", 4444, None),
    ):
        event["data"]["exe"]["path"] = exe
        event["data"]["dst"] |= {"ip": ip, "port": port}
        got = events_of(kunai("replay", "-r", rules, "-", stdin=json.dumps(event)))
        told = [(e.get("detection", {}).get("rules"), e.get("filter", {}).get("rules")) for e in got]
        tap.equal(told, [want] if want else [], f"  {exe} to {ip}:{port}")


def test_config_page(tap, work):
    """Every configuration of kunai.conf(5) is right."""
    page = (TOP / "man/kunai.conf.5").read_text()
    blocks = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", page, re.MULTILINE | re.DOTALL)
    tap.ok(len(blocks) >= 2, "kunai.conf(5) has configurations", len(blocks))
    rules, config = work / "page-rules", work / "page.yaml"
    rules.mkdir()
    for number, block in enumerate(blocks, 1):
        config.write_text(block.replace("/etc/kunai/rules", str(rules)))
        run = kunai("config", "--validate", config)
        # a map of events switches off what it does not name, which is told
        wrong = [line for line in run.stderr.splitlines() if "disabled because the map of events does not name them" not in line]
        tap.equal((run.returncode, wrong), (0, []), f"number {number} is right")


ACTS = """\
name: acts
match-on:
  events:
    kunai: [execve]
matches:
  $name: .info.task.name == 'sleep'
condition: $name
severity: 10
actions: [kill, scan-files, my-label]
"""


def test_no_actions(tap, work):
    """A recorded event that names a living process of ours: neither replay nor test touches it, nor the file."""
    rules, log = work / "acts.kun", work / "acts.json"
    rules.write_text(ACTS)
    event = next(e for e in map(json.loads, GOLDEN.read_text().splitlines()) if e["info"]["event"]["name"] == "execve")
    with subprocess.Popen(["sleep", "60"]) as victim:
        event["info"]["task"] |= {"name": "sleep", "pid": victim.pid, "tgid": victim.pid}
        event["data"]["exe"]["path"] = str(rules)
        log.write_text(json.dumps(event))
        got = events_of(kunai("replay", "-r", rules, log))
        detection = {"rules": ["acts"], "actions": ["kill", "my-label", "scan-files"], "severity": 10}
        tap.equal([e.get("detection") for e in got], [detection], "replay names the actions, labels of users too, and scans nothing")
        tap.equal(kunai("test", "-r", rules, "-t", work).returncode, 0, "test matches the same event")
        tap.equal(victim.poll(), None, "and nobody is killed")
        victim.kill()


YARA = """\
rule one { strings: $a = "attack" condition: $a }
rule two { condition: $missing }
rule three { condition: ( }
"""


def test_yara_check(tap, work):
    good, bad = work / "good.yar", work / "bad.yar"
    good.write_text("rule one { condition: filename == \"x\" }\n")
    bad.write_text(YARA)
    run = kunai("rules", "check", good)
    tap.equal((run.returncode, "1 YARA rules" in run.stdout), (0, True), "YARA rules are checked")
    run = kunai("rules", "check", bad)
    tap.equal(run.returncode, 1, "bad ones are refused")
    tap.ok(f"{bad}:2:1: error: rule 'two': undefined string" in run.stderr, "with file, line and rule", run.stderr)
    tap.ok(f"{bad}:3:1: error: rule 'three': syntax error" in run.stderr, "every one of them", run.stderr)


def test_doctor(tap, work):
    """Without root it tells what it can, and of a wrong configuration where it is wrong."""
    config = work / "config.yaml"
    config.write_text("workers: many\n")
    config.chmod(0o644)
    work.chmod(0o755)
    program = work / "kunai"
    shutil.copy(KUNAI, program)
    run = subprocess.run([program, "doctor", "--json", "-c", config], capture_output=True, text=True, check=False,
                         user=65534, group=65534, extra_groups=[])  # fmt: skip
    told = {f["name"]: f for f in json.loads(run.stdout)["findings"]}
    tap.equal(run.returncode, 1, "the status says that something fails")
    tap.equal((told["configuration"]["state"], "config.yaml:1:10: workers: found" in told["configuration"]["found"]),
              ("failure", True), "the configuration's mistake, with its place")  # fmt: skip
    tap.equal((told["privileges"]["state"], told["programs"]["state"]), ("failure", "unknown"), "what root is needed for")
    tap.equal(told["kernel"]["state"], "ok", "what it is not needed for")


def test_hardened(tap, work):
    """A kernel without the BPF LSM: it is told by doctor, and the sensor does not start. Its unit asks before it kills."""
    config = work / "hardened.yaml"
    config.write_text("harden: true\n")
    told = {f["name"]: f for f in json.loads(kunai("doctor", "--json", "-c", config).stdout)["findings"]}
    state, found = told["hardened mode"]["state"], told["hardened mode"]["found"]
    tap.ok((state, found[:12]) in (("ok", "possible"), ("failure", "not possible"), ("unknown", "it cannot be")),
           "doctor tells whether the hardened mode is possible", told["hardened mode"])  # fmt: skip
    if state == "failure":
        run = kunai("run", "--harden", f"--run-dir={work / 'run'}")
        tap.equal((run.returncode, run.stdout, run.stderr.count("\n"), "the BPF LSM" in run.stderr), (1, "", 1, True),
                  "without it the sensor does not start, and says why in one line")  # fmt: skip
    root = work / "hardened"
    kunai("install", "--harden", "--systemd", f"--root={root}")
    unit = next(root.rglob("*.service")).read_text().splitlines()
    wanted = {'ExecStop="/usr/bin/kunai" stop', "RefuseManualStop=true", "TimeoutStopSec=5"}
    tap.equal(wanted - set(unit), set(), "its unit asks for a stop, which needs the secret, and does not wait long")


def test_manual(tap):
    """The pages are well-formed, and name every command and option that there is."""
    for page in sorted((TOP / "man").iterdir()):
        lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True, check=False)
        tap.equal((lint.returncode, lint.stdout), (0, ""), f"{page.name} is well-formed")
    shown = subprocess.run(["mandoc", "-T", "ascii", TOP / "man/kunai.8"], capture_output=True, text=True, check=True).stdout
    text = re.sub(".\x08", "", shown)
    for command in re.findall(r"^  ([a-z]+) ", kunai("help").stdout.split("Commands:\n")[1].split("\n\n")[0], re.MULTILINE):
        options = re.findall(r"^ .*?(--[a-z-]+)", kunai("help", command).stdout, re.MULTILINE)
        missing = [o for o in options if not re.search(rf"{o}(?![a-z-])", text)]
        tap.ok(re.search(rf"\b{command}\b", text) and not missing, f"kunai(8) tells of {command} and its options", missing)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="kunai-commands.") as directory:
        work = Path(directory)
        test_replay(tap, work)
        test_text(tap, work)
        test_damaged_logs(tap, work)
        test_logs(tap, work)
        test_follow(tap, work)
        test_install(tap, work)
        test_prompts(tap, work, KUNAI)
        test_test(tap, work)
        test_test_of_exclusion(tap, work)
        test_readme(tap, work)
        test_rules_page(tap, work)
        test_config_page(tap, work)
        test_no_actions(tap, work)
        test_yara_check(tap, work)
        test_doctor(tap, work)
        test_hardened(tap, work)
        test_completion(tap, work, kunai)
        test_root(tap, work, kunai, KUNAI)
        test_manual(tap)
    print(f"1..{tap.count}")


main()

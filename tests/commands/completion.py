# SPDX-License-Identifier: GPL-3.0-or-later
"""What shells complete, and what the manual pages and `install --root` say: all of it from the tables of the program."""
import re
import shutil
import subprocess

BASH = """
source "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_kunai
printf '%s\\n' "${COMPREPLY[@]}"
"""

# _arguments is zsh's own; here it writes down what it is asked to do, after zsh has parsed it.
ZSH = """
_arguments() { print -rl -- "$@"; state=rest; words=($wanted); }
_describe() { print -rl -- $commands; }
compadd() {}
wanted=$2
source "$1"
"""


def bash_offers(script, *words):
    done = subprocess.run(["bash", "--norc", "-c", BASH, "bash", script, "kunai", *words], capture_output=True, text=True, check=True)
    return done.stdout.split()


def options_of(kunai, command):
    return sorted(set(re.findall(r"^ .*?(--[a-z-]+)", kunai("help", command).stdout, re.MULTILINE)))


def test_bash(tap, work, kunai, commands):
    script = work / "kunai.bash"
    script.write_text(kunai("completion", "bash").stdout)
    tap.equal(bash_offers(script, ""), commands, "bash: the commands")
    for command in commands:
        tap.equal(sorted(bash_offers(script, command, "--")), options_of(kunai, command), f"  options of {command} are those of its help")
    events = [line.split(":")[0] for line in kunai("config", "--list-events").stdout.splitlines()]
    tap.equal(bash_offers(script, "run", "--include", ""), ["all", *events], "  events")
    tap.equal(bash_offers(script, "run", "--include", "=", "kill,exec"), ["kill,execve", "kill,execve_script"], "  a list of them")
    tap.equal(bash_offers(script, "--format", "="), ["json", "text"], "  words, and `run` without its name")
    (work / "two words").mkdir()
    (work / "file").touch()
    done = subprocess.run(["bash", "--norc", "-c", BASH, "bash", script, "kunai", "rules", ""], cwd=work, capture_output=True, text=True, check=True)
    offered = done.stdout.splitlines()
    tap.ok("two words" in offered and "check" in offered, "  files with blanks, words and files", offered)
    tap.ok("file" not in bash_offers(script, "status", "--run-dir", f"{work}/"), "  directories")
    done = subprocess.run(["shellcheck", "--shell=bash", script], capture_output=True, text=True, check=False)
    tap.equal((done.returncode, done.stdout), (0, ""), "  shellcheck finds nothing")


def test_zsh(tap, work, kunai, commands):
    script = work / "_kunai"
    script.write_text(kunai("completion", "zsh").stdout)
    if not shutil.which("zsh"):
        tap.ok(True, "zsh: its completion # SKIP zsh is not installed")
        return
    for command in commands:
        done = subprocess.run(["zsh", "-f", "-c", ZSH, "zsh", script, command], capture_output=True, text=True, check=False)
        # those of `run` come first, as it is what kunai does without a command
        asked = done.stdout[done.stdout.index("*:: :->rest") :]
        second = re.findall(r"^\*(--[a-z-]+)=?\[[^\n]+\]", asked.split("\n-s\n")[-1], re.MULTILINE)
        tap.equal((done.stderr, sorted(set(second))), ("", options_of(kunai, command)), f"zsh: options of {command} are those of its help")


def test_completion(tap, work, kunai):
    commands = re.findall(r"^  ([a-z]+) ", kunai("help").stdout.split("Commands:\n")[1].split("\n\n")[0], re.MULTILINE)
    home = work / "completion"
    home.mkdir()
    test_bash(tap, home, kunai, commands)
    test_zsh(tap, home, kunai, commands)
    tap.equal(kunai("completion").returncode, 2, "completion of no shell is refused")


def test_root(tap, work, kunai, program):
    """Everything for another system: nothing of this host, nothing outside."""
    root = work / "other system"
    run = kunai("install", "--root", root, "--systemd")
    made = sorted(str(p.relative_to(root)) for p in root.rglob("*") if not p.is_dir())
    tap.equal((run.returncode, run.stderr, made), (0, "", ["etc/kunai/config.yaml", "lib/systemd/system/00-kunai.service", "usr/bin/kunai"]), "install --root")
    tap.equal((root / "usr/bin/kunai").read_bytes() == program.read_bytes(), True, "  the program")
    unit, config = (root / made[1]).read_text(), (root / made[0]).read_text()
    tap.ok('ExecStart="/usr/bin/kunai" run -c "/etc/kunai/config.yaml"\n' in unit and str(root) not in unit, "  paths are those inside", unit)
    tap.ok("host_uuid" not in config and "path: /var/log/kunai/events.log" in config, "  the configuration is nobody's host's", config)
    tap.equal(kunai("config", "--validate", root / made[0]).returncode, 0, "  and it is valid")
    tap.equal(kunai("install", "--root", root, "--systemd", "--enable-unit").returncode, 2, "  a unit of another system is not enabled")
    # below the checkout: its own path may be one that the program has to know
    inside = program.read_bytes()
    known = [d for d in ("src/", "schema/", "bpf/", "build") if f"{program.parent.parent}/{d}".encode() in inside]
    tap.equal(known, [], "the program does not know where it was built")

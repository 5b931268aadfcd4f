#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""hacking.py: adds an event to a copy of this tree, step by step as docs/hacking.md says, and looks for it where the page
promises it: documentation, JSON Schema, manual, and a line of JSON when it happens. Prints TAP. Needs root for the last."""
import ctypes
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / "tests/commands"), str(TOP / "tests/live")]

from sensor import Sensor  # noqa: E402
from tap import Tap  # noqa: E402

CALLS = 13
PERSONA = 0x0020000  # UNAME26

# (step of the page, file, a line in it, what goes before that line)
STEPS = (
    (1, "schema/events.def", "EVENT(init_module,", 'EVENT(persona, 10, true, OTHER, CONFIGURABLE, "a task changed its personality")\n'),
    (2, "schema/task.def", "DATA(prctl,", 'DATA(persona, "hook: the exit of personality(2).")\nCOMMON\n'
     'KERNEL(persona, HEX, "what it asked for")\nKERNEL(success, BOOL, "the call did not fail")\nEND(persona)\n\n'),
    (3, "schema/hooks.def", "SYSCALL(exit_prctl,", "SYSCALL(exit_personality, personality, E(persona))\n"),
    (3, "src/probe/hooks.c", "\tCOMPAT_prctl =", "\tCOMPAT_personality = 136,\n"),
    (4, "bpf/emit/control.h", "static __always_inline void emit_prctl(", """\
static __always_inline void emit_persona(u64 persona, s64 ret)
{
	struct scratch *s = record_begin(EVENT_persona, sizeof(struct wire_persona), false, current_task());
	if (!s)
		return;
	struct wire_persona *w = record_fixed(s);
	w->persona = persona;
	w->success = ret >= 0;
	record_submit_other(s, EVENT_persona);
}

"""),
    (4, "bpf/tier_tracepoint/control.h", "EXIT(exit_prctl)",
     "EXIT(exit_personality)\n{\n\temit_persona(regs_arg(regs, 0), ret);\n\treturn 0;\n}\n\n"),
    (5, "src/enrich/enricher.c", "\tcase EVENT_prctl:", "\tcase EVENT_persona:\n\t\temit(context, event);\n\t\tbreak;\n"),
    (5, "src/text/summaries.def", "SUMMARY(prctl,", 'SUMMARY(persona, YELLOW, "{.data.persona}{!.data.success|  FAILED}")\n'),
)  # fmt: skip


def copy_tree(to):
    files = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, check=False).stdout.decode()
    if files:
        command = ["tar", "-c", "--null", "-T", "-"]
    else:  # not a checkout
        command = ["tar", "-c", "--exclude=./build*", "."]
    with subprocess.Popen(["tar", "-x", "-C", to], stdin=subprocess.PIPE) as unpack:
        subprocess.run(command, cwd=TOP, input=files.encode(), stdout=unpack.stdin, check=True)
        unpack.stdin.close()


def follow(tap, tree):
    page = (TOP / "docs/hacking.md").read_text().split("## How to add an event\n")[1].split("\n## ")[0]
    steps = {int(line.split(".")[0]): line for line in page.replace("\n   ", " ").splitlines() if line[:1].isdigit()}
    for number, name, anchor, text in STEPS:
        path = Path(tree, name)
        before, found, after = path.read_text().partition("\n" + anchor)
        path.write_text(f"{before}\n{text}{anchor}{after}")
        told = name in steps[number] or any(part + "/" in steps[number] for part in (str(Path(name).parent), Path(name).parts[0]))
        tap.ok(found and told, f"step {number}: {name}, as the page says", steps[number])


def happen(tap, kunai):
    """Each call is one line."""
    with tempfile.TemporaryDirectory(prefix="kunai-hacking.") as directory:
        with Sensor([kunai, "run", "--exclude=all", "--include=persona"], directory) as sensor:
            tap.ok(sensor.started(), "the sensor starts", sensor.stderr())
            libc = ctypes.CDLL(None, use_errno=True)
            before = libc.personality(ctypes.c_ulong(0xFFFFFFFF))
            for _ in range(CALLS - 2):
                libc.personality(ctypes.c_ulong(PERSONA))
            libc.personality(ctypes.c_ulong(before))
            time.sleep(1)
            tap.equal(sensor.stop(), 0, "and ends")
        lines = [json.loads(line) for line in sensor.out.read_text().splitlines()]
        mine = [e for e in lines if e["info"]["event"]["name"] == "persona" and e["info"]["task"]["tgid"] == os.getpid()]
        tap.equal([e["data"]["persona"] for e in mine].count(hex(PERSONA)), CALLS - 2, "each call is a line of JSON")
        tap.equal(len(mine), CALLS, "all of them")
        tap.equal({(e["info"]["event"]["id"], e["data"]["success"]) for e in mine}, {(10, True)}, "with its number")


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="kunai-hacking.", dir="/var/tmp") as tree:
        copy_tree(tree)
        follow(tap, tree)
        built = subprocess.run(["./dev", "build-variant", "release", "kunai", "src/describe"], cwd=tree, capture_output=True, text=True, check=False)
        tap.equal(built.returncode, 0, f"it builds {built.stderr[-1500:] if built.returncode else ''}")
        if built.returncode == 0:
            kunai, describe = Path(tree, "build/kunai"), Path(tree, "build/src/describe")
            pages = {page: subprocess.run([describe, page], capture_output=True, text=True, check=True).stdout for page in ("events", "schema", "manual")}
            tap.ok("[persona](events/persona.md) | 10 | on | a task changed its personality" in pages["events"], "the list of events has it")
            titles = [e["title"] for e in json.loads(pages["schema"])["oneOf"]]
            tap.ok("persona" in titles, "JSON Schema has it", titles)
            tap.ok(".Ss persona\n" in pages["manual"] and ".It Va .data.persona\n" in pages["manual"], "kunai-events(5) has it")
            listed = subprocess.run([kunai, "config", "--list-events"], capture_output=True, text=True, check=True).stdout
            tap.ok("persona" in listed, "it can be configured", listed)
            if os.geteuid() == 0:
                happen(tap, kunai)
    print(f"1..{tap.count}")


if __name__ == "__main__":
    main()

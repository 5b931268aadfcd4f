#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stack of each BPF program, from its code: a chain of frames that passes the verifier's bound is refused by the kernels
that walk it, and by those only with the events enabled that need it. Prints TAP.

The verifier (check_max_stack_depth in kernel/bpf/verifier.c) adds up the frames of the deepest chain of calls, each rounded
up to 32 bytes; a frame reaches down to the lowest address that is used of it."""
import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests/commands"))
from tap import Tap  # noqa: E402

STACK_MAX, ROUND = 512, 32  # MAX_BPF_STACK
FUNCTION = re.compile(r"^[0-9a-f]+ <(?!LBB)(\w+)>:")
DIRECT = re.compile(r"\br10 (?:- |\+ -)(\d+)")
COPIED = re.compile(r"\b(r\d) = r10$")
LOWERED = re.compile(r"\b(r\d) \+= -(\d+)$")
CALLED = re.compile(r"R_BPF_64_32\s+(\w+)")


def read_functions(text):
    """Of each function how deep its frame is, and whom it calls."""
    frames, calls, name, pointer = {}, {}, None, None
    for line in map(str.rstrip, text.splitlines()):
        if match := FUNCTION.match(line):
            name, pointer = match[1], None
            frames[name], calls[name] = 0, set()
        elif name is None:
            continue
        elif match := CALLED.search(line):
            calls[name].add(match[1])
        elif match := COPIED.search(line):
            pointer = match[1]
        elif (match := LOWERED.search(line)) and match[1] == pointer:
            frames[name] = max(frames[name], int(match[2]))
            pointer = None
        else:
            frames[name] = max([frames[name], *map(int, DIRECT.findall(line))])
    return frames, calls


def deepest(name, frames, calls):
    """The deepest chain of frames from a function on: its size, and the names. The verifier refuses recursion."""
    depth, chain = max((deepest(c, frames, calls) for c in calls[name] if c in frames), default=(0, []))
    return depth + -(-max(frames[name], 1) // ROUND) * ROUND, [name, *chain]


def main():
    tap = Tap()
    for variant in ("modern", "legacy"):
        run = subprocess.run(["llvm-objdump", "-dr", "--no-show-raw-insn", TOP / f"build/bpf/{variant}.full.bpf.o"],
                             capture_output=True, text=True, check=True)
        frames, calls = read_functions(run.stdout)
        chains = sorted((deepest(name, frames, calls) for name in frames), reverse=True)
        tap.ok(len(chains) > 200, f"{variant}: the functions are read", len(chains))
        tap.equal([c for c in chains if c[0] > STACK_MAX], [], f"{variant}: no chain of frames passes {STACK_MAX} bytes")
        print(f"# {variant}: {chains[0][0]} bytes: {' > '.join(chains[0][1])}")
    print(f"1..{tap.count}")


if __name__ == "__main__":
    main()

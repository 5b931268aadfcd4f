# SPDX-License-Identifier: GPL-3.0-or-later
"""What install and uninstall ask at a terminal."""
import os
import pty
import select
import time

SECONDS = 60


def at_terminal(command, answers):
    """Runs it at a terminal of its own and types the answers, each when it was asked. Returns its status and all that it printed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], [str(argument) for argument in command])
    printed, answered, end = b"", 0, time.monotonic() + SECONDS
    try:
        while time.monotonic() < end:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                some = os.read(terminal, 4096)
            except OSError:  # it has ended
                break
            printed += some
            if printed.count(b"[y/N] ") > answered and printed.endswith(b"[y/N] "):
                os.write(terminal, answers[answered].encode() if answered < len(answers) else b"\x04")
                answered += 1
    finally:
        os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), printed.decode().replace("\r\n", "\n")


def test_prompts(tap, work, program):
    root = work / "asked"
    binary, config, log, unit = root / "bin/kunai", root / "etc/config.yaml", root / "log/events.log", root / "00-kunai-asked.service"
    places = ["--install-dir", binary.parent, "--config", config, "--log-file", log, "--systemd-unit", unit]
    install = [program, "install", "--systemd", *places]
    for directory in (binary.parent, config.parent):
        directory.mkdir(parents=True)
    there = {binary: "another Kunai", config: "# of another Kunai\n", unit: "[Unit]\n"}
    for path, text in there.items():
        path.write_text(text)

    status, printed = at_terminal(install, ["n\n"])
    tap.ok(status == 1 and f"the program {binary} exists, replace it? [y/N] n\n" in printed, "install asks before it replaces a program", printed)
    tap.ok("nothing was installed" in printed and all(p.read_text() == t for p, t in there.items()), "  no: nothing is replaced", printed)
    for answer in ("\n", "yes please\n", "\x04"):
        status, printed = at_terminal(install, [answer])
        tap.ok(status == 1 and binary.read_text() == there[binary], f"  {answer!r} is no, too", printed)
    status, printed = at_terminal(install, ["y\n", "n\n", "n\n"])
    tap.ok(status == 0 and binary.read_bytes() == program.read_bytes(), "  yes: the program is replaced", printed)
    tap.ok(config.read_text() == there[config] and "the old configuration stays" in printed, "  no: the configuration stays", printed)
    tap.ok(unit.read_text() == there[unit] and "the old unit stays" in printed, "  no: the unit stays", printed)
    status, printed = at_terminal([binary, *install[1:]], ["Y\n", "y\n"])
    tap.ok(status == 0 and "rotate_size" in config.read_text() and "ExecStart" in unit.read_text(), "  yes: both are replaced", printed)

    unit.unlink()  # whether there is a systemd that could stop it is another matter
    uninstall = [program, "uninstall", "--all", "--bin", binary, "--config-dir", config.parent, "--log-dir", log.parent, "-u", unit]
    status, printed = at_terminal(uninstall, ["n\n"])
    tap.ok(status == 0 and printed.endswith("[y/N] n\nUninstall cancelled.\n") and binary.exists(), "uninstall asks", printed)
    status, printed = at_terminal(uninstall, ["y\n"])
    tap.ok(not any(p.exists() for p in (binary, config.parent, log.parent)), "  yes: all is gone", printed)

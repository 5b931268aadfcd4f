#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""baseline.py: takes the baseline anew, events that no rule may match: a Debian in a VM boots, then people work there.
Needs root, debootstrap and ./dev build static."""
import argparse
import gzip
import json
import re
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(TOP / "tests/vm"))

import idle  # noqa: E402

PACKAGES = (
    *idle.PACKAGES, "gcc", "libc6-dev", "make", "git", "python3-minimal", "man-db", "less", "rsync", "sudo", "procps",
    "iproute2", "bzip2", "file",
)  # fmt: skip
KEPT = 2  # events of a kind
TIMEOUT = 900

# What administrators and developers do all day.
SESSION = r"""
set -x
systemctl --no-pager status cron; systemctl list-timers --no-pager; systemctl restart cron
journalctl -n 20 --no-pager
useradd -m -s /bin/bash carol; echo carol:changeme | chpasswd; usermod -c Carol carol
echo 'carol ALL=(ALL) NOPASSWD: /usr/bin/ls' >/root/carol.sudo; visudo -c -f /root/carol.sudo
logrotate -f /etc/logrotate.conf
dpkg -l; dpkg -S /bin/ls; dpkg -L bash; apt-cache policy bash; apt list --installed; apt-get check; apt-mark showmanual
dpkg-query -W -f '${Package}\n'; apt-config dump; debconf-show man-db; update-alternatives --list pager
mkdir -p /root/pkg/DEBIAN /root/pkg/usr/bin /root/pkg/etc/cron.d
printf 'Package: hello\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n' >/root/pkg/DEBIAN/control
printf '#!/bin/sh\nldconfig\n' >/root/pkg/DEBIAN/postinst; chmod 755 /root/pkg/DEBIAN/postinst
printf '#!/bin/sh\necho hello\n' >/root/pkg/usr/bin/hello; chmod 755 /root/pkg/usr/bin/hello
printf '0 4 * * * root true\n' >/root/pkg/etc/cron.d/hello
dpkg-deb -b /root/pkg /root/hello.deb; dpkg -i /root/hello.deb; hello; dpkg -r hello; dpkg -P hello
ldconfig; mandb -q; updatedb; depmod -a
ip addr; ip route; ss -tlnp; ps aux; top -b -n 1; free; df; mount; lsns; uptime; who; last; id; uname -a; dmesg | tail
su - carol <<'EOF'
mkdir -p proj .ssh && cd proj
printf '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n' >hello.c
printf 'all: hello\nhello: hello.o\n\t$(CC) -o $@ $^\nclean:\n\trm -f hello *.o\ninstall: all\n\tinstall -D hello $(DESTDIR)/bin/hello\n' >Makefile
make; ./hello; make install DESTDIR=$HOME/root; make clean; make CFLAGS='-O2 -g -Wall'
git init -q .; git config user.email c@example.org; git config user.name Carol; git add .; git commit -qm first
git log --oneline | cat; git status; git diff; git branch x; git checkout -q x; git clone -q . ../clone; git gc -q
ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519; cat ~/.ssh/id_ed25519.pub >~/pub
find . -name '*.c' | xargs wc -l; grep -rn main .; sort hello.c | uniq -c | head; sed -i s/hello/hallo/ hello.c; awk '{print $1}' hello.c
tar czf ../proj.tgz .; tar tzf ../proj.tgz; gzip -k hello.c; bzip2 -k Makefile; zcat hello.c.gz | md5sum; sha256sum *; file hello
python3 -c 'import json, os; print(json.dumps(dict(a=1)))'; python3 -c 'print(sum(range(1000)))'; perl -e 'print "x\n"'
cp -r . ../copy; mv ../copy ../moved; rm -rf ../moved; ln -s hello link; touch new; chmod 644 new; ls -la; du -s .; date
env; diff hello.c Makefile; less hello.c </dev/null; man -P cat make >/dev/null; vi --version; rsync -a . ../mirror
sudo -n /usr/bin/ls / || true; crontab -l; sleep 1 & wait
EOF
install -d -m 700 -o carol /home/carol/.ssh
ssh-copy-id -h; runuser -u carol -- ssh -o BatchMode=yes -o ConnectTimeout=2 localhost true
python3 -m http.server 8000 --bind 127.0.0.1 & server=$!
sleep 2
python3 -c 'import urllib.request; print(len(urllib.request.urlopen("http://127.0.0.1:8000/").read()))'
kill $server
systemd-run --wait true; systemctl daemon-reload; systemctl restart ssh; systemd-tmpfiles --clean; systemctl start logrotate
userdel -r carol
run-parts /etc/cron.daily
"""

SCRIPT = f"""
cat >/run/session <<'SESSION'
{SESSION}
SESSION
for module in /modules/*.ko; do /kunai/busybox insmod "$module"; done
echo 'kunai-vm: userland' >/dev/console
mkdir -p /out
/kunai/kunai run --include=all --send-data-min-len=0 >/out/events.jsonl 2>/out/stderr &
sensor=$!
sleep 20
/bin/bash /run/session >/out/session.log 2>&1 </dev/null
sleep 10
kill -TERM $sensor
wait $sensor
echo 0 >/out/guest.status
tar -c -f /dev/vda -C /out .
sync
poweroff -f
"""


def kind(event):
    """Events of one kind are alike to every rule: numbers and random names do not count."""
    data = event["data"]
    words = (data.get(key) for key in ("path", "old", "new", "option", "query", "command_line", "signal", "prot", "ancestors"))
    parts = [event["info"]["event"]["name"], data.get("exe", {}).get("path"), data.get("mapped", {}).get("path"), *words]
    return re.sub(r"[0-9]+|[A-Za-z0-9]{6}(?=$|[/.])", "0", json.dumps(parts))


def thin_out(lines):
    seen = {}
    for line in lines:
        event = json.loads(line)
        if "/kunai/" in event["data"].get("command_line", ""):
            continue  # our own script, which also ends the sensor
        name = kind(event)
        seen[name] = seen.get(name, 0) + 1
        if seen[name] <= KEPT and event["info"]["event"]["name"] not in ("start", "event_loss"):
            yield line


def main():
    parser = argparse.ArgumentParser(description="Takes the baseline of the rules anew.")
    parser.add_argument("--kernel", default="6.1")
    parser.add_argument("--log", help="take events from a log that an earlier run left")
    parser.add_argument("--out", help="leave all that the guest handed back there")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kunai-baseline.") as work:
        out = Path(args.out or work)
        log = Path(args.log or out / "events.jsonl")
        if not args.log:
            idle.boot(TOP / "build-static/kunai", args.kernel, out, idle.make_root("session", PACKAGES), SCRIPT, TIMEOUT)
        lines = log.read_bytes().splitlines()
    kept = list(thin_out(lines))
    (HERE / "baseline").mkdir(exist_ok=True)
    with open(HERE / "baseline/debian-12.jsonl.gz", "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
        file.write(b"\n".join(kept) + b"\n")
    print(f"{len(lines)} events, {len(kept)} kept")


if __name__ == "__main__":
    sys.exit(main())

#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# attack.py's part in the guest: a hardened sensor in a control group of its own, all attacks, then stops with wrong and right
# secrets; with `lease` also the end of a lease. What is left in $OUT is judged there.
set -u
groups=/sys/fs/cgroup/guarded
group=$groups/sensor
binary=/usr/bin/kunai
config=/etc/kunai/config.yaml
log=/var/log/kunai/events.log
secret=0123456789abcdef

mkdir -p $groups
[ ! -e /sys/fs/cgroup/cgroup.subtree_control ] || echo +memory >/sys/fs/cgroup/cgroup.subtree_control
mkdir -p $group /etc/kunai /var/log/kunai
hash=$(printf %s $secret | sha256sum | cut -d' ' -f1)
cat >$config <<TXT
harden: true
harden_token_sha256: "$hash"
output:
  path: $log
TXT
cp $config "$OUT/config.yaml"

# shellcheck disable=SC2016 # the inner shell is to expand
sh -c 'echo 0 >'$group'/cgroup.procs && exec "$@"' sh $binary -v run -c $config >"$OUT/sensor.out" 2>"$OUT/sensor.stderr" &
sensor=$!
echo $sensor >"$OUT/sensor.pid"
"$ACTORS/scenario" await-line $log 200 || exit 1

"$ACTORS/attack" $sensor $binary $config $log /run/kunai $group >"$OUT/attack.facts"
cat $group/cgroup.procs >"$OUT/sensor.group"
grep ^State /proc/$sensor/status >"$OUT/sensor.state"
cat /proc/$sensor/oom_score_adj /proc/$sensor/comm >"$OUT/sensor.proc"
# the tests below end after what they do is told
sleep 3
echo wrong | $binary stop 2>"$OUT/stop_wrong.stderr"
echo $? >"$OUT/stop_wrong.status"
$binary stop </dev/null 2>"$OUT/stop_empty.stderr"
echo $? >"$OUT/stop_empty.status"
sleep 3
kill -0 $sensor && echo yes >"$OUT/alive"
echo $secret | timeout 100 $binary stop 2>"$OUT/stop.stderr"
echo $? >"$OUT/stop.status"
timeout 20 sh -c "while kill -0 $sensor 2>/dev/null; do sleep 1; done"
if kill -0 $sensor 2>/dev/null; then
    echo running >"$OUT/sensor.status"
else
    wait $sensor
    echo $? >"$OUT/sensor.status"
fi
cp $log "$OUT/sensor.jsonl"

# A sensor that hangs loses its protection, tells so, and has it again: it may only run where something else always runs.
lapse() {
    hung_log=/var/log/kunai/hung.log
    printf 'harden: true\nharden_token_sha256: "%s"\nharden_lease: 30s\noutput:\n  path: %s\n' "$hash" $hung_log >$config.lease
    taskset 2 $binary -v run -c $config.lease 2>"$OUT/lapse.stderr" &
    sensor=$!
    "$ACTORS/scenario" await-line $hung_log 200
    kill -HUP $sensor 2>/dev/null
    echo $? >"$OUT/lapse.before"
    # a processor for real-time tasks alone, on Linux 6.8 and newer, too
    echo -1 >/proc/sys/kernel/sched_rt_runtime_us
    mount -t debugfs none /sys/kernel/debug 2>/dev/null
    server=/sys/kernel/debug/sched/fair_server/cpu1/runtime
    [ ! -e $server ] || echo 0 >$server
    "$ACTORS/attack" occupy 1 40 &
    hog=$!
    sleep 33
    kill -HUP $sensor
    echo $? >"$OUT/lapse.during"
    kill -KILL $hog
    sleep 3
    kill -HUP $sensor 2>/dev/null
    echo $? >"$OUT/lapse.after"
    echo $secret | timeout 100 $binary stop 2>"$OUT/lapse.stop.stderr"
    echo $? >"$OUT/lapse.stop"
    cp $hung_log "$OUT/lapse.jsonl"
}

[ "${1-}" != lease ] || lapse

# nothing is left that refuses
rm -f $log && echo yes >"$OUT/removed"

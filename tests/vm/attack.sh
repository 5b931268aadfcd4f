#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# attack.py's part in the guest: a hardened sensor in a control group of its own, all attacks, then stops with wrong and right
# secrets; a terminal; programs that are detached; with `lease` also the end of a lease. What is left in $OUT is judged there.
set -u
groups=/sys/fs/cgroup/guarded
group=$groups/sensor
binary=/usr/bin/kunai
config=/etc/kunai/config.yaml
log=/var/log/kunai/events.log
secret=0123456789abcdef

# await_text TEXT FILE: what is missing after that is found by the judge.
await_text() {
    for _ in $(seq 200); do
        ! grep -qF -- "$1" "$2" || return 0
        sleep 1
    done
}

# end STOP STATUS: the sensor, with its secret; what becomes of that goes to files of these names.
end() {
    echo $secret | timeout 100 $binary stop 2>"$1.stderr"
    status=$?
    echo $status >"$1.status"
    [ $status -ne 0 ] || wait $sensor
    echo $? >"$2"
}

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

# whoever traces it from the beginning would have it in hand
"$ACTORS/attack" traced $binary run -c $config --exclude=all --include=start 2>"$OUT/traced.stderr"
echo $? >"$OUT/traced.status"
rm -f $log

exec 8<>$config
# shellcheck disable=SC2016 # the inner shell is to expand
sh -c 'echo 0 >'$group'/cgroup.procs && exec "$@"' sh $binary -v run -c $config >"$OUT/sensor.out" 2>"$OUT/sensor.stderr" 8>&- &
sensor=$!
echo $sensor >"$OUT/sensor.pid"
"$ACTORS/scenario" await-line $log 200 || exit 1

"$ACTORS/attack" $sensor $binary $config $log /run/kunai $group >"$OUT/attack.facts"
cat $group/cgroup.procs >"$OUT/sensor.group"
cat /proc/$sensor/oom_score_adj /proc/$sensor/comm >"$OUT/sensor.proc"
echo wrong | $binary stop 2>"$OUT/stop_wrong.stderr"
echo $? >"$OUT/stop_wrong.status"
$binary stop </dev/null 2>"$OUT/stop_empty.stderr"
echo $? >"$OUT/stop_empty.status"
await_text '"code":30,' $log
kill -0 $sensor && echo yes >"$OUT/alive"
end "$OUT/stop" "$OUT/sensor.status"
cp $log "$OUT/sensor.jsonl"

# One that a person started on a terminal.
terminal_log=/var/log/kunai/terminal.log
printf 'harden: true\noutput:\n  path: %s\n' $terminal_log >$config.terminal
"$ACTORS/attack" terminal $terminal_log $binary -v run -c $config.terminal --exclude=all --include=start,error \
    >"$OUT/terminal.facts" 2>"$OUT/terminal.stderr"
cp $terminal_log "$OUT/terminal.jsonl"

# One that is not hardened tells when its programs are switched off, and when they are gone. Where the kernel lets nobody do
# the former, nothing is to be told.
silent_log=/var/log/kunai/silent.log
switch=/proc/sys/kernel/ftrace_enabled
printf 'output:\n  path: %s\n' $silent_log >$config.silent
$binary -v run -c $config.silent --exclude=all --include=start,error,file_create 2>"$OUT/silent.stderr" &
sensor=$!
"$ACTORS/scenario" await-line $silent_log 200
echo 0 2>/dev/null >$switch
if [ "$(cat $switch)" = 0 ]; then
    echo yes >"$OUT/silent.switched"
    await_text ftrace_enabled $silent_log
    echo 1 >$switch
fi
"$ACTORS/attack" silence $sensor >"$OUT/silent.closed" 2>&1
echo $? >"$OUT/silent.closing"
await_text '"code":18,' $silent_log
await_text 'for 6 seconds' $silent_log
kill -TERM $sensor
wait $sensor
echo $? >"$OUT/silent.status"
cp $silent_log "$OUT/silent.jsonl"

# A sensor that hangs loses its protection, tells so, and has it again: it may only run where something else always runs, and
# we run elsewhere.
lapse() {
    hung_log=/var/log/kunai/hung.log
    printf 'harden: true\nharden_token_sha256: "%s"\nharden_lease: 30s\noutput:\n  path: %s\n' "$hash" $hung_log >$config.lease
    taskset -p 1 $$ >/dev/null
    taskset 2 $binary -v run -c $config.lease --exclude=all --include=start,error 2>"$OUT/lapse.stderr" &
    sensor=$!
    "$ACTORS/scenario" await-line $hung_log 200
    # on a machine under load the first lease may have run out before the start had ended
    for _ in $(seq 100); do
        kill -HUP $sensor 2>/dev/null || break
        sleep 1
    done
    kill -HUP $sensor 2>/dev/null
    echo $? >"$OUT/lapse.before"
    told=$(grep -c '"code":31,' $hung_log)
    # a processor for real-time tasks alone, on Linux 6.8 and newer, too
    echo -1 >/proc/sys/kernel/sched_rt_runtime_us
    mount -t debugfs none /sys/kernel/debug 2>/dev/null
    server=/sys/kernel/debug/sched/fair_server/cpu1/runtime
    [ ! -e $server ] || echo 0 >$server
    "$ACTORS/attack" occupy 1 300 &
    hog=$!
    seconds=0
    until kill -HUP $sensor 2>/dev/null || [ $seconds -ge 200 ]; do
        sleep 2
        seconds=$((seconds + 2))
    done
    echo $seconds >"$OUT/lapse.during"
    kill -KILL $hog
    for _ in $(seq 200); do
        [ "$(grep -c '"code":31,' $hung_log)" -le "$told" ] || break
        sleep 1
    done
    kill -HUP $sensor 2>/dev/null
    echo $? >"$OUT/lapse.after"
    end "$OUT/lapse.stop" "$OUT/lapse.status"
    cp $hung_log "$OUT/lapse.jsonl"
}

[ "${1-}" != lease ] || lapse

# nothing is left that refuses
rm -f $log && echo yes >"$OUT/removed"

#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs in the VM: every workload without and with the sensor, alternating, ROUNDS times. $OUT/rounds gets
# `round=R sensor=off|on` lines, each followed by what the workload and the observer printed.
set -u
events=/tmp/events.json
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

# measure STATE PID
measure() {
    for workload in $WORKLOADS; do
        echo "round=$round sensor=$1" >>"$OUT/rounds"
        /bench/observe "$2" $events /bench/workloads "$workload" >>"$OUT/rounds" || return 1
    done
}

# The start event is written when every hook is attached.
start_sensor() {
    # shellcheck disable=SC2086 # several options
    "$KUNAI" run $SENSOR_OPTIONS >$events 2>"$OUT/sensor.stderr.$round" &
    sensor=$!
    tries=0
    until grep -q '"name":"start"' $events; do
        tries=$((tries + 1))
        if [ $tries -gt 1200 ] || ! kill -0 $sensor; then
            echo "the sensor did not start"
            cat "$OUT/sensor.stderr.$round"
            return 1
        fi
        sleep 0.1
    done
}

round=0
while [ $round -lt "$ROUNDS" ]; do
    : >$events
    measure off 0 || exit 1

    before=$(cut -d' ' -f1 /proc/uptime)
    start_sensor || exit 1
    started=$(cut -d' ' -f1 /proc/uptime)
    echo "start round=$round from=$before to=$started" \
        "cpu_ns=$(cat /proc/$sensor/task/*/schedstat | awk '{n += $1} END {printf "%.0f", n}')" \
        "user_ticks=$(cat /proc/$sensor/task/*/stat | awk '{n += $14} END {print n}')" \
        "$(awk '/^(VmRSS|RssAnon|RssFile|RssShmem):/ {printf "%s%s ", $1, $2}' /proc/$sensor/status)" >>"$OUT/rounds"
    measure on $sensor || exit 1
    awk -v round=$round '/^(VmRSS|RssAnon|RssFile|RssShmem|VmHWM):/ {printf "memory round=%s %s %s\n", round, $1, $2}' \
        /proc/$sensor/status >>"$OUT/rounds"
    kill -TERM $sensor
    wait $sensor
    echo "stop round=$round status=$?" >>"$OUT/rounds"
    grep -c '"name":"event_loss"' $events | sed "s/^/loss round=$round events=/" >>"$OUT/rounds"
    head -c 1000000 $events >"$OUT/events.$round.json"
    round=$((round + 1))
done

#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs in the VM: every workload without the sensor, and with it on each of TIERS, ROUNDS times. The first round warms up, on
# one tier. $OUT/rounds gets `round=R sensor=off|TIER` lines, each followed by what the workload and the observer printed.
# HARDEN: the sensor is hardened.
set -u
SETTLE=5
events=/tmp/events.json
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

# measure STATE PID
measure() {
    for workload in $WORKLOADS; do
        echo "round=$round sensor=$1" >>"$OUT/rounds"
        /bench/observe "$2" $events /bench/workloads "$workload" >>"$OUT/rounds" || return 1
    done
}

# A hardened one ends by its secret alone.
secret=bench
if [ "$HARDEN" ]; then
    printf 'harden: true\nharden_token_sha256: "%s"\n' "$(printf %s $secret | sha256sum | cut -d' ' -f1)" >/etc/kunai.yaml
    SENSOR_OPTIONS="-c /etc/kunai.yaml $SENSOR_OPTIONS"
fi

stop_sensor() {
    if [ "$HARDEN" ]; then
        echo $secret | "$KUNAI" stop
    else
        kill -TERM $sensor
    fi
    wait $sensor
}

# start_sensor TIER: the start event is written when every hook is attached.
start_sensor() {
    # shellcheck disable=SC2086 # several options
    "$KUNAI" run --tier=$1 $SENSOR_OPTIONS >$events 2>"$OUT/sensor.stderr.$round" &
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

# measure_sensor TIER
measure_sensor() {
    : >$events
    before=$(cut -d' ' -f1 /proc/uptime)
    start_sensor "$1" || return 1
    started=$(cut -d' ' -f1 /proc/uptime)
    echo "start tier=$1 round=$round from=$before to=$started" \
        "cpu_ns=$(cat /proc/$sensor/task/*/schedstat | awk '{n += $1} END {printf "%.0f", n}')" \
        "user_ticks=$(cat /proc/$sensor/task/*/stat | awk '{n += $14} END {print n}')" \
        "$(awk '/^(VmRSS|RssAnon|RssFile|RssShmem):/ {printf "%s%s ", $1, $2}' /proc/$sensor/status)" >>"$OUT/rounds"
    # the bench's own programs are digested once: in no workload's time
    /bench/observe $sensor $events /bench/workloads cpu:1 >/dev/null || return 1
    measure "$1" $sensor || return 1
    awk -v tier="$1" '/^(VmRSS|RssAnon|RssFile|RssShmem|VmHWM):/ {printf "memory tier=%s %s %s\n", tier, $1, $2}' \
        /proc/$sensor/status >>"$OUT/rounds"
    stop_sensor
    echo "stop tier=$1 round=$round status=$?" >>"$OUT/rounds"
    grep -c '"name":"event_loss"' $events | sed "s/^/loss tier=$1 round=$round events=/" >>"$OUT/rounds"
    head -c 1000000 $events >"$OUT/events.$1.$round.json"
}

round=0
while [ $round -lt "$ROUNDS" ]; do
    : >$events
    measure off 0 || exit 1
    for tier in $TIERS; do
        measure_sensor "$tier" || exit 1
        sleep "$SETTLE" # the kernel frees what the sensor had
        [ $round -gt 0 ] || break
    done
    round=$((round + 1))
done

#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The live test's part that needs a kernel, natively and in a VM: starts the sensor, runs every case, stops the
# sensor, starts it once more for the processes that outlived it. live.py judges what is left in $OUT:
#   facts.jsonl                      what the actors did
#   sensor.jsonl .stderr .pid .status    the first run of the sensor, on tracepoints; sensor2.* the second, on the tier that it
#                                    chooses
#   NAME.tracepoints .told           where each run sat beside trampolines; what status told of it
#   refused.stderr .status           one that was asked for trampolines, but did without a function that they need
#   throttled.facts                  what was done while a third one, sensor3.*, throttled file events; in a VM with
#                                    trampolines without the functions that tell of created files
#   other.*                          a run on $OTHER_TIER, if that is set: all cases, but no storms
#   detect.*                         a run with rules, see detect.sh
#   kernel.log                       with the calls that a filter refused, see refused.py
# POSIX sh only: a VM has nothing but busybox.
set -u
: "${KUNAI:?the sensor}" "${ACTORS:?the directory of the actors}" "${OUT:?where the results go}"
: "${STORM:=10007}" "${CASES:=*}" "${OTHER_TIER:=}" "${MIX:=10007}"
: "${OPTIONS:=}" # more options of the sensor, separated by spaces

WITHOUT_OPEN=--without-hook=do_filp_open,do_file_open
scenario=$ACTORS/scenario
live=$(dirname "$0")
[ -e "$live/detect.sh" ] || live=$live/live # as a VM has it
# shellcheck source=tests/live/detect.sh
. "$live/detect.sh"
work=$(mktemp -d "${TMPDIR:-/tmp}/kunai-live.XXXXXX") || exit 1
chmod 755 "$work"
sensor= seeded= seen=
echo "kunai: the live test begins" >/dev/kmsg

clean_up() {
    for pid in $sensor $seeded $seen; do
        kill -KILL "$pid" 2>/dev/null
    done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

# $1: name of the run; then more options. Returns when the sensor has printed its first line.
start_sensor() {
    name=$1
    shift
    # shellcheck disable=SC2086
    "$KUNAI" -v run "$@" --include=all --send-data-min-len=0 $OPTIONS >"$OUT/$name.jsonl" 2>"$OUT/$name.stderr" &
    sensor=$!
    echo "$sensor" >"$OUT/$name.pid"
    "$scenario" await-line "$OUT/$name.jsonl" 180 || return
    cat /proc/$sensor/fdinfo/* 2>/dev/null | sed -n 's/^tp_name:[[:space:]]*//p' | sort -u >"$OUT/$name.tracepoints"
    "$KUNAI" status --json >"$OUT/$name.told"
}

# $1: name of the run.
stop_sensor() {
    "$scenario" await-mark "$OUT/$1.jsonl" "$work/mark-$1" 60
    kill -TERM "$sensor"
    wait "$sensor"
    echo $? >"$OUT/$1.status"
    sensor=
}

# $1: name. Lives through both runs of the sensor.
start_lingering() {
    "$scenario" linger "$1" "$work" "$OUT/facts.jsonl" "$work/first" "$work/second" &
}

# Operations that both tiers are to tell the same of; see differential.py.
run_mix() {
    [ "$OTHER_TIER" ] || return 0
    "$scenario" mix "$work/mix" 42 "$MIX" || echo "the mix failed" >&2
    rm -rf "$work/mix"
}

start_lingering seeded
seeded=$!

if start_sensor sensor --tier=tracepoint; then
    start_lingering seen
    seen=$!
    touch "$work/first"
    "$scenario" run "$work" "$OUT/facts.jsonl" "$STORM" "$CASES"
    run_mix
    stop_sensor sensor
else
    cat "$OUT/sensor.stderr" >&2
    exit 1
fi

if start_sensor sensor2; then
    touch "$work/second"
    wait "$seeded" "$seen"
    seeded= seen=
    stop_sensor sensor2
else
    cat "$OUT/sensor2.stderr" >&2
    exit 1
fi

"$KUNAI" run --tier=trampoline $WITHOUT_OPEN >/dev/null 2>"$OUT/refused.stderr"
echo $? >"$OUT/refused.status"

# The mark would be throttled, too, and so would what asked for the tier: they come in other seconds.
throttled=throttle.files
# shellcheck disable=SC2254 # it is a pattern
case $throttled in
$CASES)
    # shellcheck disable=SC2086
    if start_sensor sensor3 --max-eps-fs=101 ${OTHER_TIER:+$WITHOUT_OPEN}; then
        sleep 2
        "$scenario" run-throttled "$work" "$OUT/throttled.facts" "$STORM"
        sleep 2
        stop_sensor sensor3
    else
        cat "$OUT/sensor3.stderr" >&2
        exit 1
    fi
    ;;
esac

if [ "$OTHER_TIER" ]; then
    mkdir "$work/other" && chmod 755 "$work/other"
    if start_sensor other "--tier=$OTHER_TIER"; then
        "$scenario" run "$work/other" "$OUT/other.facts" 0 "$CASES"
        run_mix
        stop_sensor other
    else
        cat "$OUT/other.stderr" >&2
        exit 1
    fi
fi

case $CASES in
'*' | detect) run_detection ;;
esac

"$scenario" be-refused
dmesg >"$OUT/kernel.log" || rm -f "$OUT/kernel.log"

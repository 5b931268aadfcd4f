# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# shellcheck disable=SC2154 # guest.sh sets them
# Part of guest.sh: files that are dropped and scanned, a program that a rule kills. What was done is left in
# $OUT/detect.facts, a line each:
#   file SHA256 PATH     written, closed, and there until the end
#   gone PATH            deleted right after its closing
#   killed STATUS        how the program ended whose name a rule knows
#   bystanders N         programs of other names that live
#   slow PATH            a YARA rule takes for ever on it
#   read PATH            written, then read
#   bare N               threads of the sensor without any capability
# POSIX sh only, without a command a file: the sensor is asked about $FILES of them.

: "${FILES:=1009}"
GONE=101

fact() {
    echo "$@" >>"$OUT/detect.facts"
}

drop_files() {
    mkdir -p "$work/drop/many"
    printf '#!/bin/sh\n# dropped by the live test\n' >"$work/drop/script.sh"
    i=0
    while [ $i -lt "$FILES" ]; do
        printf 'file %s of the live test\n%s\n' $i "$work" >"$work/drop/many/$i"
        i=$((i + 1))
    done
    sha256sum "$work/drop/script.sh" "$work"/drop/many/* | while read -r sum path; do
        fact file "$sum" "$path"
    done
}

drop_and_delete() {
    i=0
    while [ $i -lt $GONE ]; do
        printf 'gone %s\n' $i >"$work/drop/gone.$i"
        rm "$work/drop/gone.$i"
        fact gone "$work/drop/gone.$i"
        i=$((i + 1))
    done
}

# Nobody but a YARA rule without end cares for this one.
drop_slow() {
    printf 'slow\n' >"$work/drop/slow"
    fact slow "$work/drop/slow"
}

read_file() {
    printf 'read me\n' >"$work/drop/read.me"
    read -r line <"$work/drop/read.me" && [ -n "$line" ] && fact read "$work/drop/read.me"
}

fake_thread() {
    mkdir "$work/fakes"
    bystanders=
    for name in kworker bystander1 bystander2 bystander3 bystander4 bystander5 bystander6 bystander7; do
        cp "$scenario" "$work/fakes/$name"
        "$work/fakes/$name" await-line "$work/never" 60 2>/dev/null &
        [ $name = kworker ] && victim=$! || bystanders="$bystanders $!"
    done
    wait "$victim"
    fact killed $?
    alive=0
    for pid in $bystanders; do
        kill -0 "$pid" && alive=$((alive + 1))
    done
    fact bystanders $alive
    # shellcheck disable=SC2086 # several
    kill -KILL $bystanders
    # shellcheck disable=SC2086 # several
    wait $bystanders 2>/dev/null
}

# $1: how many file_scan to wait for, $2: seconds.
await_scans() {
    i=0
    while [ $i -lt "$2" ] && [ "$(grep -c '"name":"file_scan"' "$OUT/detect.jsonl")" -lt "$1" ]; do
        sleep 1
        i=$((i + 1))
    done
}

run_detection() {
    "$KUNAI" -v run --include=read,write_close --rules="$live/rules/live.kun" --yara="$live/rules/live.yar" \
        --yara-timeout=8 >"$OUT/detect.jsonl" 2>"$OUT/detect.stderr" &
    sensor=$!
    echo "$sensor" >"$OUT/detect.pid"
    "$scenario" await-line "$OUT/detect.jsonl" 180 || return
    fact bare "$(grep -l 'CapEff:[[:space:]]*0*$' /proc/$sensor/task/*/status | wc -l)"
    drop_files
    drop_and_delete
    read_file
    drop_slow
    fake_thread
    # two for each file: the program that wrote it, and it
    await_scans $((2 * (FILES + GONE + 4))) 240
    stop_sensor detect
}

#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# mix.sh DIR: a mixture from real life with the tools in DIR: unpack a tree, compile it file by file, link,
# search, edit, checksum, archive, remove.
dir=$1
box=$dir/busybox
work=/tmp/mix.$$

$box mkdir -p $work && cd $work || exit 1
$box tar xf "$dir/tree.tar"
cd tree || exit 1
for f in src/*.c; do
    "$dir/tcc" -nostdinc -c "$f" -o "${f%.c}.o" || exit 2
done
"$dir/tcc" -nostdlib -shared src/*.o -o prog || exit 3
$box find . -name '*.txt' -exec "$box" grep -l fox {} + >list || exit 4
for f in doc/d1*.txt; do
    $box sed -i s/fox/cat/ "$f"
    $box cp "$f" "$f.bak"
done
$box md5sum src/*.o doc/*.txt >sums
$box sort -k2 sums | $box awk '{n++} END{print n}' >count
$box tar czf ../tree.tgz .
cd /
$box rm -rf $work

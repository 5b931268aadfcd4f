#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""embed.py packed|plain OUTPUT.S SYMBOL FILE [SYMBOL FILE ...]: files as read-only bytes SYMBOL_start to SYMBOL_end. Packed:
the file's size, eight bytes, the lowest first, and the file compressed by zlib, as src/base/embedded.c unpacks it.

The assembly file is written anew whenever a file changed, so that it is assembled again.
"""
import os
import struct
import sys
import zlib

BEST = 9
TEMPLATE = """
	.balign 16
	.globl {symbol}_start
	.globl {symbol}_end
{symbol}_start:
	.incbin "{path}"
{symbol}_end:
	.byte 0
"""


def pack(path, to):
    with open(path, "rb") as f:
        data = f.read()
    with open(to, "wb") as f:
        f.write(struct.pack("<Q", len(data)) + zlib.compress(data, BEST))


def main():
    how, output, pairs = sys.argv[1], sys.argv[2], sys.argv[3:]
    with open(output, "w") as f:
        f.write("\t.section .rodata\n")
        for symbol, path in zip(pairs[::2], pairs[1::2], strict=True):
            if how == "packed":
                packed = f"{output}.{symbol}.z"
                pack(path, packed)
                path = packed
            f.write(TEMPLATE.format(symbol=symbol, path=os.path.abspath(path)))
        f.write('\t.section .note.GNU-stack,"",%progbits\n')


if __name__ == "__main__":
    main()

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/embedded.h"

#include <errno.h>
#include <stdlib.h>

#include "tap.h"

/* import struct, zlib; struct.pack("<Q", 9) + zlib.compress(b"kunai\0dev", 9) */
static const unsigned char packed[] = {0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x78,
				       0xda, 0xcb, 0x2e, 0xcd, 0x4b, 0xcc, 0x64, 0x48, 0x49,
				       0x2d, 0x03, 0x00, 0x11, 0x35, 0x03, 0x58};

static void check_whole(void)
{
	unsigned char *bytes = NULL;
	size_t size = 0;

	ok(embedded_unpack(packed, sizeof(packed), &bytes, &size) == 0, "a file is unpacked");
	ok(size == 9 && bytes && memcmp(bytes, "kunai\0dev", 9) == 0, "it is what was packed");
	free(bytes);
}

static void check_refused(size_t at, unsigned char value, size_t size, const char *what)
{
	unsigned char broken[sizeof(packed)], *bytes;
	size_t unpacked;

	memcpy(broken, packed, sizeof(packed));
	broken[at] = value;
	ok(embedded_unpack(broken, size, &bytes, &unpacked) == -EBADMSG, "%s", what);
}

int main(void)
{
	check_whole();
	check_refused(0, 9, 7, "less than a size is refused");
	check_refused(0, 9, sizeof(packed) - 1, "a file that is cut off is refused");
	check_refused(0, 8, sizeof(packed), "one that is longer than its size is refused");
	check_refused(0, 10, sizeof(packed), "one that is shorter is refused");
	check_refused(0, 0, sizeof(packed), "a size of nothing is refused");
	check_refused(12, 0, sizeof(packed), "other bytes than were packed are refused");
	return done_testing();
}

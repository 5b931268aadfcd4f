/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/embedded.h"

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

int embedded_unpack(const unsigned char *packed, size_t packed_size, unsigned char **ret_bytes,
		    size_t *ret_size)
{
	uint64_t header;

	if (packed_size < sizeof(header))
		return -EBADMSG;
	memcpy(&header, packed, sizeof(header));
	uint64_t size = le64toh(header);
	if (size == 0 || size > SIZE_MAX)
		return -EBADMSG;
	unsigned char *bytes = malloc(size);
	if (!bytes)
		return -ENOMEM;
	uLongf filled = size;
	int err = uncompress(bytes, &filled, packed + sizeof(header), packed_size - sizeof(header));
	if (err != Z_OK || filled != size) {
		free(bytes);
		return err == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
	}
	*ret_bytes = bytes;
	*ret_size = size;
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/object.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/embedded.h"

EMBEDDED(bpf_object_modern);
EMBEDDED(bpf_object_legacy);
EMBEDDED(bpf_object_harden_modern);
EMBEDDED(bpf_object_harden_legacy);

static int open_packed(const unsigned char *packed, size_t packed_size, struct bpf_object **ret_object)
{
	unsigned char *bytes;
	size_t size;
	int err = embedded_unpack(packed, packed_size, &bytes, &size);

	if (err)
		return err;
	/* libbpf keeps what it needs of the bytes */
	*ret_object = bpf_object__open_mem(bytes, size, NULL);
	err = *ret_object ? 0 : -errno;
	free(bytes);
	return err;
}

int object_open_sensor(bool modern, struct bpf_object **ret_object)
{
	return modern ? open_packed(EMBEDDED_FILE(bpf_object_modern), ret_object)
		      : open_packed(EMBEDDED_FILE(bpf_object_legacy), ret_object);
}

int object_open_harden(bool modern, struct bpf_object **ret_object)
{
	return modern ? open_packed(EMBEDDED_FILE(bpf_object_harden_modern), ret_object)
		      : open_packed(EMBEDDED_FILE(bpf_object_harden_legacy), ret_object);
}

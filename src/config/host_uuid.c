/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/host_uuid.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <uuid/uuid.h>

enum { MAX_ID_FILE = 4096, UUID_LEN = CONFIG_UUID_TEXT - 1, UUID_LEN_WITHOUT_DASHES = 32 };

const struct host_uuid_sources host_uuid_default_sources = {
	.seed_variable = "KUNAI_HOST_UUID_SEED",
	.machine_id_path = "/etc/machine-id",
	.boot_id_path = "/proc/sys/kernel/random/boot_id",
};

void host_uuid_of_seed(struct str seed, char ret[CONFIG_UUID_TEXT])
{
	/* RFC 9562, appendix C. */
	static const uuid_t oid_namespace = {0x6b, 0xa7, 0xb8, 0x12, 0x9d, 0xad, 0x11, 0xd1,
					     0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8};
	uuid_t uuid;

	uuid_generate_sha1(uuid, oid_namespace, seed.p, seed.len);
	uuid_unparse_lower(uuid, ret);
}

int host_uuid_parse(struct str text, char ret[CONFIG_UUID_TEXT])
{
	static const uint32_t groups[] = {8, 4, 4, 4, 12};
	char dashed[CONFIG_UUID_TEXT] = "";
	uuid_t uuid;

	if (text.len == UUID_LEN) {
		memcpy(dashed, text.p, UUID_LEN);
	} else if (text.len == UUID_LEN_WITHOUT_DASHES) {
		char *to = dashed;
		for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
			if (i)
				*to++ = '-';
			memcpy(to, text.p, groups[i]);
			to += groups[i];
			text.p += groups[i];
		}
	} else {
		return -EINVAL;
	}
	if (uuid_parse(dashed, uuid) < 0)
		return -EINVAL;
	uuid_unparse_lower(uuid, ret);
	return 0;
}

/* The text of a small file without the white space at its end; empty when it cannot be read. */
static struct str read_trimmed(const char *path, char text[MAX_ID_FILE])
{
	size_t len = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return STR("");
	while (len < MAX_ID_FILE) {
		ssize_t n = read(fd, text + len, MAX_ID_FILE - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	close(fd);

	while (len && strchr(" \t\n\v\f\r", text[len - 1]))
		len--;
	return (struct str){text, (uint32_t)len};
}

void host_uuid_derive(const struct host_uuid_sources *sources, char ret[CONFIG_UUID_TEXT])
{
	char text[MAX_ID_FILE];
	uuid_t uuid;

	const char *seed = getenv(sources->seed_variable);
	if (seed) {
		host_uuid_of_seed(str_of(seed), ret);
		return;
	}
	struct str machine_id = read_trimmed(sources->machine_id_path, text);
	if (machine_id.len) {
		host_uuid_of_seed(machine_id, ret);
		return;
	}
	if (host_uuid_parse(read_trimmed(sources->boot_id_path, text), ret) == 0)
		return;
	uuid_generate_random(uuid);
	uuid_unparse_lower(uuid, ret);
}

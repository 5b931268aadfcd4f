/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The four digests by which events name code, of bytes in memory. Plain values; nothing is owned. */
#ifndef KUNAI_BASE_DIGESTS_H
#define KUNAI_BASE_DIGESTS_H

#include <stddef.h>

/* Lower-case hex; "?" where there is none. */
struct digests {
	char md5[33];
	char sha1[41];
	char sha256[65];
	char sha512[129];
};

/* libcrypto reads its configuration when it is first used: now, for what may open no files later. */
void digests_prepare(void);

void digests_of_bytes(const void *bytes, size_t len, struct digests *ret);

/* All "?". */
void digests_unknown(struct digests *ret);

#endif

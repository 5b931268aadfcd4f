/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plain scalars of YAML between text and value. Owns nothing. */
#ifndef KUNAI_BASE_SCALAR_H
#define KUNAI_BASE_SCALAR_H

#include "base/str.h"

enum scalar_kind {
	SCALAR_NULL = 1 << 0,
	SCALAR_BOOL = 1 << 1,
	SCALAR_INTEGER = 1 << 2,
	SCALAR_FLOAT = 1 << 3,
	SCALAR_STRING = 1 << 4,
};

/* What an unquoted YAML scalar is to Kunai's reader (YAML 1.2 core schema; `007` and `yes` are strings). */
enum scalar_kind scalar_kind_of(struct str plain);

/* These return 0, -EINVAL for what cannot be read and -ERANGE for what 64 bits cannot hold. */
int scalar_parse_bool(struct str text, bool *ret);
int scalar_parse_u64(struct str text, uint64_t *ret); /* decimal, 0x, 0o or 0b */
int scalar_parse_i64(struct str text, int64_t *ret);

#endif

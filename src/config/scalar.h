/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The scalars of a Kunai configuration that are more than YAML's. Owns nothing. */
#ifndef KUNAI_CONFIG_SCALAR_H
#define KUNAI_CONFIG_SCALAR_H

#include "base/buf.h"
#include "base/scalar.h"

/* These return 0, -EINVAL for what cannot be read and -ERANGE for what 64 bits cannot hold. */
int scalar_parse_size(struct str text, uint64_t *ret);     /* `10MB`, `1.5 KB`: bytes, in steps of 1024 */
int scalar_parse_duration(struct str text, uint64_t *ret); /* `15m`, `1h 30m`: nanoseconds */

/* At most two decimals, so sizes that are no round number lose their last digits. */
void scalar_add_size(struct buf *out, uint64_t bytes);
void scalar_add_duration(struct buf *out, uint64_t nanoseconds);

#endif

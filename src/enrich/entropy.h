/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shannon entropy of bytes; owns nothing. */
#ifndef KUNAI_ENRICH_ENTROPY_H
#define KUNAI_ENRICH_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

/*
 * Bits per byte, 0 to 8; 0 for no bytes. Single precision, summed over byte values in ascending order without
 * fused operations, as Kunai does: the last digits are visible in events.
 */
float entropy_of_bytes(const uint8_t *bytes, size_t len);

#endif

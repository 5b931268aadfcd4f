/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/entropy.h"

#include <math.h>
#include <string.h>

enum { VALUES = 256, LANES = 4, WORD = 8, KNOWN = 64 };

/* Several counters a value: runs of one byte would otherwise wait for each store to reach the next load. */
static inline __attribute__((always_inline)) void count_word(const uint8_t *bytes,
							     uint32_t count[LANES][VALUES])
{
	count[0][bytes[0]]++;
	count[1][bytes[1]]++;
	count[2][bytes[2]]++;
	count[3][bytes[3]]++;
	count[0][bytes[4]]++;
	count[1][bytes[5]]++;
	count[2][bytes[6]]++;
	count[3][bytes[7]]++;
}

static void count_bytes(const uint8_t *bytes, size_t len, uint32_t ret[VALUES])
{
	uint32_t count[LANES][VALUES] = {0};
	size_t i = 0;

	for (; i + 2 * WORD <= len; i += 2 * WORD) {
		count_word(bytes + i, count);
		count_word(bytes + i + WORD, count);
	}
	for (; i < len; i++)
		count[0][bytes[i]]++;
	for (int v = 0; v < VALUES; v++)
		ret[v] = count[0][v] + count[1][v] + count[2][v] + count[3][v];
}

/* p * log2(p) for n of len bytes. */
static float term_of(uint32_t n, size_t len)
{
	float p = (float)n / (float)len;
	float term = p * log2f(p);
	/* gcc contracts a * b - c to one rounding where the CPU can (arm64); keep the two of the definition. */
	__asm__("" : "+m"(term));
	return term;
}

float entropy_of_bytes(const uint8_t *bytes, size_t len)
{
	uint32_t count[VALUES];
	count_bytes(bytes, len, count);

	/* Small counts repeat: the logarithms are most of the cost. */
	float known[KNOWN] = {0}, entropy = 0.0F;
	for (int v = 0; v < VALUES; v++) {
		uint32_t n = count[v];
		if (n == 0)
			continue;
		if (n >= KNOWN) {
			entropy -= term_of(n, len);
			continue;
		}
		if (known[n] == 0.0F)
			known[n] = term_of(n, len);
		entropy -= known[n];
	}
	return entropy;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/entropy.h"

#include <math.h>

#include "tap.h"

/* The definition, as plainly as it can be written, with a double for each value where the real one has a
 * float. */
static double entropy_plain(const uint8_t *bytes, size_t len)
{
	double entropy = 0;
	for (int v = 0; v < 256; v++) {
		size_t n = 0;
		for (size_t i = 0; i < len; i++)
			n += bytes[i] == v;
		if (n)
			entropy -= (double)n / (double)len * log2((double)n / (double)len);
	}
	return entropy;
}

/* The bits of the number, because its last digit is shown. */
static void is_exactly(float got, float want, const char *name)
{
	if (got != want)
		printf("# got  %a\n# want %a\n", (double)got, (double)want);
	ok(memcmp(&got, &want, sizeof(got)) == 0, "%s", name);
}

static void is_near(float got, float want, const char *name)
{
	if (!ok(fabsf(got - want) < 5e-7F, "%s", name))
		printf("# got  %a\n# want %a\n", (double)got, (double)want);
}

int main(void)
{
	uint8_t bytes[4096] = {0};
	is_exactly(entropy_of_bytes(bytes, 0), 0.0F, "no bytes");

	memset(bytes, 'x', sizeof(bytes));
	is_exactly(entropy_of_bytes(bytes, 1), 0.0F, "one byte");
	is_exactly(entropy_of_bytes(bytes, sizeof(bytes)), 0.0F, "one value");

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	is_exactly(entropy_of_bytes(bytes, sizeof(bytes)), 8.0F, "every value as often");
	is_exactly(entropy_of_bytes(bytes, 256), 8.0F, "every value once");
	is_exactly(entropy_of_bytes(bytes, 2), 1.0F, "two values");

	/* Computed by Python doubles rounded to floats; the last bit is log2f()'s. */
	const char *text = "The quick brown fox jumps over the lazy dog";
	is_near(entropy_of_bytes((const uint8_t *)text, strlen(text)), 0x1.1ba54ap+2F, "a sentence");
	is_near(entropy_of_bytes((const uint8_t *)"hello world", 11), 0x1.6c3478p+1F, "eleven bytes");
	is_near(entropy_of_bytes((const uint8_t *)"aab", 3), 0x1.d62aep-1F, "three bytes");

	uint64_t state = 1;
	double worst = 0;
	for (size_t len = 1; len <= sizeof(bytes); len += 61) {
		for (size_t i = 0; i < len; i++) {
			state = state * 6364136223846793005ULL + 1442695040888963407ULL;
			bytes[i] = (uint8_t)(state >> 56) >> len % 6;
		}
		worst = fmax(worst, fabs(entropy_of_bytes(bytes, len) - entropy_plain(bytes, len)));
	}
	printf("# largest difference %g\n", worst);
	ok(worst < 2e-5, "close to the definition for any length");
	return done_testing();
}

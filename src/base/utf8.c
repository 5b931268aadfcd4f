/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd"

/* Length of the sequence at p, or minus the length of the part that is to be replaced. */
static int sequence_length(const unsigned char *p, size_t len)
{
	unsigned char low = 0x80, high = 0xbf;
	int need;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		need = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		need = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		need = 4;
	else
		return -1;

	/* Table 3-7 of the standard: the second byte's range depends on the first. */
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	for (int i = 1; i < need; i++) {
		if ((size_t)i >= len || p[i] < low || p[i] > high)
			return -i;
		low = 0x80;
		high = 0xbf;
	}
	return need;
}

static size_t ascii_prefix(const char *p, size_t len)
{
	const uint64_t high_bits = UINT64_C(0x8080808080808080);
	size_t at = 0;

	while (len - at >= 8) {
		uint64_t word;
		memcpy(&word, p + at, 8);
		if (word & high_bits)
			break;
		at += 8;
	}
	while (at < len && (unsigned char)p[at] < 0x80)
		at++;
	return at;
}

size_t utf8_valid_prefix(const char *p, size_t len)
{
	size_t at = 0;

	while (at < len) {
		at += ascii_prefix(p + at, len - at);
		if (at == len)
			break;
		int n = sequence_length((const unsigned char *)p + at, len - at);
		if (n < 0)
			break;
		at += (size_t)n;
	}
	return at;
}

struct str utf8_repair(struct arena *a, struct str s)
{
	size_t valid = utf8_valid_prefix(s.p, s.len);
	if (valid == s.len)
		return s;

	/* at worst every byte becomes three */
	char *copy = arena_alloc(a, valid + (s.len - valid) * (sizeof(REPLACEMENT) - 1) + 1);
	if (!copy)
		return STR("?");
	size_t at = 0, out = 0;
	while (at < s.len) {
		size_t good = utf8_valid_prefix(s.p + at, s.len - at);
		memcpy(copy + out, s.p + at, good);
		at += good;
		out += good;
		if (at == s.len)
			break;
		at += (size_t)-sequence_length((const unsigned char *)s.p + at, s.len - at);
		memcpy(copy + out, REPLACEMENT, sizeof(REPLACEMENT) - 1);
		out += sizeof(REPLACEMENT) - 1;
	}
	return (struct str){copy, (uint32_t)out};
}

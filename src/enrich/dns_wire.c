/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/dns_wire.h"

#include <errno.h>

/* The top two bits of a length octet: 00 a label, 11 a pointer, the others were never used (RFC 6891 §5). */
enum { LABEL_KIND = 0xc0, LABEL_POINTER = 0xc0, LABEL_PLAIN = 0 };

static int append_label(struct wire_name *name, const uint8_t *label)
{
	uint32_t size = label[0] + 1U;
	if (name->len + size > DNS_NAME_MAX)
		return -EBADMSG;
	memcpy(name->labels + name->len, label, size);
	name->len += size;
	return 0;
}

/*
 *   3 'w' 'w' 'w' 7 'e' 'x' 'a' 'm' 'p' 'l' 'e' 0        whole
 *   3 'w' 'w' 'w' 0xc0 0x14                              tail at offset 20
 *
 * A pointer must lead before the first octet of the run of labels it ends, hence runs descend and loops are
 * impossible. Behind a pointer the whole message may be read, not only what is below end.
 */
int wire_read_name(struct dns_wire *w, uint32_t *pos, uint32_t end, struct wire_name *ret_name)
{
	uint32_t at = *pos, run = at;
	bool jumped = false;
	ret_name->len = 0;

	for (;;) {
		if (at >= end)
			return -ENODATA;
		uint8_t octet = w->bytes[at];
		if (octet == 0) {
			if (!jumped)
				*pos = at + 1;
			return 0;
		}
		if ((octet & LABEL_KIND) == LABEL_PLAIN) {
			if (end - at <= octet)
				return -ENODATA;
			int err = append_label(ret_name, w->bytes + at);
			if (err < 0)
				return err;
			at += octet + 1U;
			continue;
		}

		if ((octet & LABEL_KIND) != LABEL_POINTER)
			return -EBADMSG;
		if (end - at < 2)
			return -ENODATA;
		uint32_t target = (octet & ~(uint32_t)LABEL_KIND) << 8 | w->bytes[at + 1];
		if (target >= run)
			return -EBADMSG;
		if (w->hops_left == 0)
			return -E2BIG;
		w->hops_left--;
		if (!jumped)
			*pos = at + 2;
		jumped = true;
		at = run = target;
		end = w->len;
	}
}

int wire_skip_name(const struct dns_wire *w, uint32_t *pos, uint32_t end)
{
	uint32_t at = *pos;
	while (at < end) {
		uint8_t octet = w->bytes[at];
		if (octet == 0 || (octet & LABEL_KIND) == LABEL_POINTER) {
			at += octet == 0 ? 1 : 2;
			*pos = at;
			return at <= end ? 0 : -ENODATA;
		}
		if ((octet & LABEL_KIND) != LABEL_PLAIN)
			return -EBADMSG;
		at += octet + 1U;
	}
	return -ENODATA;
}

int wire_read_uint(const struct dns_wire *w, uint32_t *pos, uint32_t end, uint32_t octets,
		   uint32_t *ret_value)
{
	if (*pos > end || end - *pos < octets)
		return -ENODATA;
	uint32_t value = 0;
	for (uint32_t i = 0; i < octets; i++)
		value = value << 8 | w->bytes[*pos + i];
	*pos += octets;
	*ret_value = value;
	return 0;
}

/* Length octets are at most 63, so they are never taken for letters. */
static uint8_t to_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

bool wire_name_equal(const struct wire_name *name, const uint8_t *labels, uint32_t len)
{
	if (name->len != len)
		return false;
	for (uint32_t i = 0; i < len; i++)
		if (to_lower(name->labels[i]) != to_lower(labels[i]))
			return false;
	return true;
}

/* FNV-1a. */
uint32_t wire_name_hash(const struct wire_name *name)
{
	uint32_t hash = 2166136261U;
	for (uint32_t i = 0; i < name->len; i++)
		hash = (hash ^ to_lower(name->labels[i])) * 16777619U;
	return hash;
}

void text_add(struct dns_text *t, const char *bytes, uint32_t len)
{
	if (t->cap - t->len < len) {
		t->full = true;
		return;
	}
	memcpy(t->p + t->len, bytes, len);
	t->len += len;
}

void text_add_uint(struct dns_text *t, uint32_t value)
{
	char digits[10];
	uint32_t n = 0;
	do {
		digits[sizeof(digits) - ++n] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	text_add(t, digits + sizeof(digits) - n, n);
}

static void add_octet(struct dns_text *t, uint8_t c, bool in_name)
{
	char escaped[4] = {'\\', (char)c};
	bool printable = c >= ' ' && c <= '~' && !(in_name && c == ' ');
	if (!printable) {
		escaped[1] = (char)('0' + c / 100);
		escaped[2] = (char)('0' + c / 10 % 10);
		escaped[3] = (char)('0' + c % 10);
		text_add(t, escaped, 4);
	} else if (c == '\\' || (in_name && c == '.')) {
		text_add(t, escaped, 2);
	} else {
		text_add(t, escaped + 1, 1);
	}
}

void text_add_escaped(struct dns_text *t, const uint8_t *bytes, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		add_octet(t, bytes[i], false);
}

void text_add_name(struct dns_text *t, const struct wire_name *name)
{
	if (name->len == 0)
		text_add(t, ".", 1);
	for (uint32_t at = 0; at < name->len; at += name->labels[at] + 1U) {
		if (at > 0)
			text_add(t, ".", 1);
		for (uint32_t i = 1; i <= name->labels[at]; i++)
			add_octet(t, name->labels[at + i], true);
	}
}

void text_add_base64(struct dns_text *t, const uint8_t *bytes, uint32_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (uint32_t i = 0; i < len; i += 3) {
		uint32_t have = len - i < 3 ? len - i : 3;
		uint32_t bits = (uint32_t)bytes[i] << 16;
		if (have > 1)
			bits |= (uint32_t)bytes[i + 1] << 8;
		if (have > 2)
			bits |= bytes[i + 2];
		const char group[4] = {
			digits[bits >> 18],
			digits[bits >> 12 & 63],
			have > 1 ? digits[bits >> 6 & 63] : '=',
			have > 2 ? digits[bits & 63] : '=',
		};
		text_add(t, group, sizeof(group));
	}
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/dns_record.h"

#include <errno.h>

#include "enrich/address.h"

/*
 * How the data of a type is read and written, in the order of the wire:
 *   %1 %2 %4  unsigned number of so many octets      %-  two octets that are not shown
 *   %i %I     IPv4, IPv6 address                     %n  domain name
 *   %s        character string                       %t  all remaining character strings, joined by ;
 *   %b        the rest in base64                     %*  the rest, not shown
 * anything else stands for itself. Types without a format are written as any=<base64>. The forms are Kunai's,
 * the numbers those of IANA's registry of DNS parameters.
 */
struct type {
	uint16_t number;
	const char *name;
	const char *format;
};

#define DIGEST "key_tag=%2 algorithm=%1 digest_type=%1 digest=%b"
#define KEY    "flags=%2 protocol=%1 algorithm=%1 public_key=%b"
#define SIGNATURE                                                                         \
	"type_covered=%2 algorithm=%1 labels=%1 original_ttl=%4 signature_expiration=%4 " \
	"signature_inception=%4 key_tag=%2 signer_name=%n signature=%b"

static const struct type types[] = {
	{1, "A", "%i"},
	{28, "AAAA", "%I"},
	{5, "CNAME", "%n"},
	{2, "NS", "%n"},
	{3, "MD", "%n"},
	{4, "MF", "%n"},
	{6, "SOA", "mname=%n rname=%n serial=%4 refresh=%4 retry=%4 expire=%4 minimum=%4"},
	{7, "MB", "%n"},
	{8, "MG", "%n"},
	{9, "MR", "%n"},
	{10, "NULL", NULL},
	{11, "WKS", "address=%i protocol=%1 bit_map=%b"},
	{12, "PTR", "%n"},
	{13, "HINFO", "cpu=%s os=%s"},
	{14, "MINFO", "rmailbox=%n emailbox=%n"},
	{15, "MX", "%-%n"},
	{16, "TXT", "%t"},
	{17, "RP", "mbox=%n txt=%n"},
	{18, "AFSDB", "subtype=%2 hostname=%n"},
	{19, "X25", NULL},
	{20, "ISDN", NULL},
	{21, "RT", "preference=%2 intermediate_host=%n"},
	{22, "NSAP", NULL},
	{23, "NSAP-PTR", "%n"},
	{24, "SIG", SIGNATURE},
	{25, "KEY", KEY},
	{27, "GPOS", NULL},
	{29, "LOC",
	 "version=%1 size=%1 horizontal_precision=%1 vertical_precision=%1 latitude=%4 longitude=%4 "
	 "altitude=%4"},
	{33, "SRV", "%-%-%-%n"},
	{35, "NAPTR", "order=%2 preference=%2 flags=%s services=%s regexp=%s replacement=%n"},
	{36, "KX", "preference=%2 exchanger=%n"},
	{37, "CERT", "type_code=%2 key_tag=%2 algorithm=%1 certificate=%b"},
	{39, "DNAME", "%n"},
	{41, "OPT", NULL},
	{42, "APL", NULL},
	{43, "DS", DIGEST},
	{44, "SSHFP", "algorithm=%1 type=%1 fingerprint=%b"},
	{45, "IPSECKEY", NULL},
	{46, "RRSIG", SIGNATURE},
	{47, "NSEC", "next_name=%n type_bit_maps=%b"},
	{48, "DNSKEY", KEY},
	{49, "DHCID", NULL},
	{50, "NSEC3", NULL},
	{51, "NSEC3PARAM", NULL},
	{52, "TLSA", "usage=%1 selector=%1 matching_type=%1 data=%b"},
	{53, "SMIMEA", "usage=%1 selector=%1 matching_type=%1 data=%b"},
	{55, "HIP", NULL},
	{59, "CDS", DIGEST},
	{60, "CDNSKEY", KEY},
	{61, "OPENPGPKEY", NULL},
	{62, "CSYNC", NULL},
	{63, "ZONEMD", "serial=%4 scheme=%1 algorithm=%1 digest=%b"},
	{64, "SVCB", "priority=%2 target=%n%*"},
	{65, "HTTPS", "priority=%2 target=%n%*"},
	{99, "SPF", "%t"},
	{108, "EUI48", "address=%b"},
	{109, "EUI64", "address=%b"},
	{249, "TKEY", NULL},
	{250, "TSIG", NULL},
	{251, "IXFR", NULL},
	{252, "AXFR", NULL},
	{253, "MAILB", NULL},
	{254, "MAILA", NULL},
	{255, "ANY", NULL},
	{256, "URI", NULL},
	{257, "CAA", "flag=%1 tag=%s value=%b"},
};

static const struct type *find_type(uint16_t number)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].number == number)
			return &types[i];
	return NULL;
}

struct str dns_type_name(uint16_t type)
{
	const struct type *found = find_type(type);
	return str_of(found ? found->name : "?");
}

static int format_uint(struct dns_wire *w, uint32_t octets, uint32_t *pos, uint32_t end, struct dns_text *t)
{
	uint32_t value;
	int err = wire_read_uint(w, pos, end, octets, &value);
	if (err < 0)
		return err;
	text_add_uint(t, value);
	return 0;
}

static int format_address(struct dns_wire *w, bool v6, uint32_t *pos, uint32_t end, struct dns_text *t)
{
	uint32_t size = v6 ? 16 : 4;
	if (end - *pos < size)
		return -EBADMSG;
	const uint8_t *bytes = w->bytes + *pos;
	struct ip_address address = v6 ? address_from_v6(bytes) : address_from_v4(bytes);
	char text[ADDRESS_TEXT_SIZE];
	text_add(t, text, address_format(&address, text));
	*pos += size;
	return 0;
}

static int format_name(struct dns_wire *w, uint32_t *pos, uint32_t end, struct dns_text *t)
{
	struct wire_name name;
	int err = wire_read_name(w, pos, end, &name);
	if (err < 0)
		return err;
	text_add_name(t, &name);
	return 0;
}

static int format_string(struct dns_wire *w, uint32_t *pos, uint32_t end, struct dns_text *t)
{
	uint32_t len;
	int err = wire_read_uint(w, pos, end, 1, &len);
	if (err < 0)
		return err;
	if (end - *pos < len)
		return -EBADMSG;
	text_add_escaped(t, w->bytes + *pos, len);
	*pos += len;
	return 0;
}

static int format_strings(struct dns_wire *w, uint32_t *pos, uint32_t end, struct dns_text *t)
{
	int err = format_string(w, pos, end, t);
	while (err == 0 && *pos < end) {
		text_add(t, ";", 1);
		err = format_string(w, pos, end, t);
	}
	return err;
}

static int format_field(struct dns_wire *w, char field, uint32_t *pos, uint32_t end, struct dns_text *t)
{
	switch (field) {
	case '1':
	case '2':
	case '4':
		return format_uint(w, (uint32_t)(field - '0'), pos, end, t);
	case '-':
		return wire_read_uint(w, pos, end, 2, &(uint32_t){0});
	case 'i':
	case 'I':
		return format_address(w, field == 'I', pos, end, t);
	case 'n':
		return format_name(w, pos, end, t);
	case 's':
		return format_string(w, pos, end, t);
	case 't':
		return format_strings(w, pos, end, t);
	case 'b':
		text_add_base64(t, w->bytes + *pos, end - *pos);
		*pos = end;
		return 0;
	default:
		*pos = end;
		return 0;
	}
}

static int format_fields(struct dns_wire *w, const char *format, uint32_t *pos, uint32_t end,
			 struct dns_text *t)
{
	for (const char *c = format; *c; c++) {
		if (*c != '%') {
			text_add(t, c, 1);
			continue;
		}
		int err = format_field(w, *++c, pos, end, t);
		if (err < 0)
			return err;
	}
	return 0;
}

int dns_record_format(struct dns_wire *w, uint16_t type, uint32_t pos, uint32_t end, struct dns_text *t)
{
	if (pos == end) {
		text_add(t, "empty rdata", sizeof("empty rdata") - 1);
		return 0;
	}

	const struct type *found = find_type(type);
	uint32_t start = pos, text_start = t->len;
	int err = 0;
	if (found && found->format) {
		err = format_fields(w, found->format, &pos, end, t);
		if (err == 0)
			return pos < end;
		t->len = text_start;
	}
	text_add(t, "any=", 4);
	text_add_base64(t, w->bytes + start, end - start);
	/* The data is complete as its length says: what ends too early inside it is malformed, not cut. */
	return err == -ENODATA ? -EBADMSG : err;
}

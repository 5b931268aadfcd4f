/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The zone that the test's own DNS server serves; all of it is constant. */
#ifndef KUNAI_TESTS_DNS_H
#define KUNAI_TESTS_DNS_H

#include "actor.h"

enum {
	DNS_A = 1,
	DNS_CNAME = 5,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_MESSAGE_MAX = 8192,
	DNS_RECORDS_MAX = 8,
};

enum dns_damage {
	DNS_SOUND,
	DNS_CUT,     /* ends in the middle of the second record, with the truncation bit */
	DNS_PADDED,  /* has bytes behind the last record */
	DNS_LOOPING, /* the second record's name points to itself */
	DNS_SHORT,   /* shorter than a header */
	DNS_NOBODY,  /* no such name */
};

struct dns_record {
	const char *owner; /* NULL: as the question */
	int type;
	const char *value;
};

struct dns_zone {
	const char *name;
	int type;
	enum dns_damage damage;
	int generated; /* this many A records 10.99.10.1, .2, ... 10.99.11.1 ... instead of the list */
	struct dns_record records[DNS_RECORDS_MAX];
};

extern const struct dns_zone dns_zones[];
extern const int dns_zone_count;

const struct dns_zone *dns_zone_find(const char *name);
int dns_zone_records(const struct dns_zone *zone);
struct dns_record dns_zone_record(const struct dns_zone *zone, int index, char *buf);

/* A question for that name. Returns its length. */
size_t dns_put_question(unsigned char *out, unsigned id, const char *name, int type);

/* On port 53, UDP and TCP, of 127.0.0.1 and ::1; a child process that the judge ignores. */
pid_t dns_server_start(void);
void dns_server_stop(pid_t pid);

#endif

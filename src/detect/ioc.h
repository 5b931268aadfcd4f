/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Indicators of compromise: values that are looked up in the fields of events as they are, in one hash table. A set is
 * filled, then only read; it owns its values.
 */
#ifndef KUNAI_DETECT_IOC_H
#define KUNAI_DETECT_IOC_H

#include "detect/problem.h"
#include "event/event.h"

enum {
	IOC_VALUE_MAX = 4096,   /* bytes */
	IOC_LINE_MAX = 1 << 20, /* bytes */
	IOC_SEVERITY_MAX = 10,
	IOC_SEVERITY_DEFAULT = 1, /* of a line without one */
};

struct ioc_set;

/* NULL with errno ENOMEM. */
struct ioc_set *ioc_set_new(void);
void ioc_set_free(struct ioc_set *set);

/*
 * Reads a file of JSON Lines, {"source", "uuid", "value", "severity"}, or the *.ioc files of a directory. Of the same
 * value the highest severity counts. What is wrong is added to problems, with file and line; then the rest of the file
 * is read all the same. Returns 0, -errno when the path cannot be read, -ENOMEM.
 */
int ioc_load(struct ioc_set *set, const char *path, struct problems *problems);

uint32_t ioc_count(const struct ioc_set *set);

/* A value of the event that is an IoC. Borrows the set. */
struct ioc_hit {
	struct str value;
	uint8_t severity;
};

/*
 * Looks up what Kunai looks up: for each type of event its image, paths, digests, names and addresses. A value that
 * stands in two fields hits twice. Returns the number of hits, at most max.
 */
uint32_t ioc_match(const struct ioc_set *set, const struct event *e, struct ioc_hit *ret_hits, uint32_t max);

#endif

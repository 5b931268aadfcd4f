/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a file of indicators: what is accepted can be looked up, and only an event that has it hits. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "detect/ioc.h"

enum { HITS_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void look_up(const struct ioc_set *set)
{
	static struct str answers[] = {STR("192.0.2.1"), STR("?"), STR("")};
	struct event e = {.type = EVENT_dns_query};
	struct ioc_hit hits[HITS_MAX];

	e.data.dns_query.common.exe.path = STR("/usr/bin/curl");
	e.data.dns_query.query = STR("evil.test");
	e.data.dns_query.response = (struct strv){answers, sizeof(answers) / sizeof(*answers)};
	uint32_t n = ioc_match(set, &e, hits, HITS_MAX);
	require(n <= 4);
	for (uint32_t i = 0; i < n; i++) {
		require(hits[i].severity <= IOC_SEVERITY_MAX);
		/* those that are unknown never hit */
		require(hits[i].value.len > 0 && !str_eq(hits[i].value, STR("?")));
	}
}

static void load(const char *path)
{
	struct ioc_set *set = ioc_set_new();
	struct problems problems = {0};

	require(set);
	require(ioc_load(set, path, &problems) == 0);
	look_up(set);
	ioc_set_free(set);
	problems_fini(&problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];

	int fd = memfd_create("iocs", MFD_CLOEXEC);
	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	load(path);
	close(fd);
	return 0;
}

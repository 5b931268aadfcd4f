/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the start event and .info.host tell about the machine; plain values. */
#ifndef KUNAI_ENRICH_HOST_H
#define KUNAI_ENRICH_HOST_H

#include <sys/utsname.h>

#include "enrich/mount_ns.h"

enum { HOST_NAME_SIZE = 256 }; /* with NUL; longer names are cut */

struct host_info {
	char name[HOST_NAME_SIZE]; /* of the host's /etc/hostname, valid UTF-8; "?" if unreadable or empty */
	uint32_t mnt_ns;           /* 0 if unknown */
	double uptime;             /* seconds, two decimals as in /proc/uptime */
	uint64_t boot_time_ns;     /* since the epoch, by the clock as it is set now */
	struct utsname system;
};

/* 0, or -errno of uname(2) or the clocks. */
int host_read(struct mount_ns_table *namespaces, struct host_info *ret_info);

/* Only the name. */
void host_read_name(struct mount_ns_table *namespaces, char ret_name[HOST_NAME_SIZE]);

#endif

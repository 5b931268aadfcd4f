/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hardened mode's side of the kernel. A guard owns its programs, maps and links; it uses rings of the probe, which must
 * outlive it. */
#ifndef KUNAI_PROBE_HARDEN_H
#define KUNAI_PROBE_HARDEN_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

struct probe;
struct guard;

struct guard_options {
	uint64_t lease;       /* ns of the monotonic clock */
	const pid_t *helpers; /* processes that are guarded, too */
	size_t helper_count;
	const char *const *files; /* that nobody may change, absolute; NULL entries are passed over */
	size_t file_count;
	const char *directory; /* whose contents nobody may delete, or NULL */
};

/*
 * Loads and attaches, and guards what the options say. The probe is attached already. On failure returns -errno and says in
 * *ret_message what a person can do. What cannot be guarded alone, such as a missing file, is in guard_warnings().
 */
int guard_open(struct probe *p, const struct guard_options *options, struct guard **ret,
	       struct buf *ret_message);
/* Nothing is refused any more. */
void guard_close(struct guard *g);

/* Whether this kernel can: 0; -EOPNOTSUPP: it is built without the BPF LSM; -ENOENT: it was booted without; -ENODATA: that cannot
 * be found out; else why it refuses a program of that kind. */
int guard_check(void);
extern const char guard_needs[]; /* what to tell whose kernel cannot */

/* Lines of text, "" when there are none. */
const char *guard_warnings(const struct guard *g);

/* The sensor is alive: the lease begins anew. Returns for how many ns there was no protection since the last time. */
uint64_t guard_renew(struct guard *g);

/* Written files of which there was no room to remember that they are guarded. */
uint64_t guard_unremembered(const struct guard *g);

/* What guard_renew() says: for how long a lease that was renewed then had run out now. All in ns. */
uint64_t lease_lapsed(uint64_t renewed, uint64_t lease, uint64_t now);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What both sides of the hardened mode must agree about. User space: src/probe/harden.c. */
#ifndef KUNAI_BPF_HARDEN_SHARED_H
#define KUNAI_BPF_HARDEN_SHARED_H

#include "schema/wire.h"

enum {
	GUARDED_TASKS = 16, /* the sensor and its helpers */
	GUARDED_FILES = 4096,
	GUARDED_IDS = 1024, /* of programs, maps and links */
};

/* What must stay as it is. */
enum {
	GUARD_BYTES = 1,    /* a file: nobody writes, deletes or renames it */
	GUARD_PLACE = 2,    /* a directory on the way to one: nobody renames it */
	GUARD_CONTENTS = 4, /* a directory: nobody deletes or renames what is in it */
};

/* In one page that user space maps: no system call is needed to renew it. */
struct guard_state {
	u64 renewed;  /* monotonic time in ns, which stands still while the machine is suspended */
	u64 lease;    /* for how long the guard holds after that */
	u64 learner;  /* the thread whose opening of a file makes it a guarded one; 0: none */
	u64 learn_as; /* GUARD_* */
	u64 learned;  /* files so far: that this grows shows that the kernel calls us */
	u64 full;     /* what there was no room to remember */
	u64 mounts;   /* the number of the mount namespace that the files are in */
};

/* As the kernel has it: what stat(2) tells of a device may be another number. */
struct guarded_file {
	u64 inode;
	u32 device;
	u32 generation;
};

enum guarded_kind { GUARDED_PROGRAM = 1, GUARDED_MAP = 2, GUARDED_LINK = 3 };
enum { GUARDED_KIND_SHIFT = 32 }; /* key of guarded_ids: the kind above the id */

#endif

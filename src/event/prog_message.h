/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the sensor and its helper say to each other about BPF programs: a packet of a SOCK_SEQPACKET socket each. The
 * helper answers every request, in their order. Plain values.
 */
#ifndef KUNAI_EVENT_PROG_MESSAGE_H
#define KUNAI_EVENT_PROG_MESSAGE_H

#include <stdint.h>

#include "base/digests.h"

enum { PROG_TAG_SIZE = 8 };

struct prog_request {
	uint64_t number; /* comes back with the answer */
	uint32_t id;
	uint32_t reserved;
	uint8_t tag[PROG_TAG_SIZE]; /* the program with that id must have it: ids are used again */
};

struct prog_reply {
	uint64_t number;
	uint64_t size; /* bytes of the translated program; 0 and digests "?" when it is gone */
	struct digests digests;
};

#endif

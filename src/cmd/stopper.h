/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who may stop a hardened sensor: who knows the secret whose hash is in the configuration. Asked by the thread that serves the
 * socket, read by the pipeline.
 */
#ifndef KUNAI_CMD_STOPPER_H
#define KUNAI_CMD_STOPPER_H

#include <stdatomic.h>
#include <sys/types.h>

#include "base/str.h"

#define STOP_REQUEST "stop " /* before the secret, at the status socket */
#define STOP_GRANTED "stopping\n"
#define STOP_REFUSED "refused\n"
#define STOP_CLOSED  "no secret is enrolled\n"

/* Zeroed: not hardened. */
struct stopper {
	bool hardened;
	const char *sha256; /* hexadecimal; NULL: nothing opens it; borrowed */
	atomic_bool granted;
	atomic_uint refused;    /* attempts so far */
	atomic_int refused_pid; /* of the last one */
};

/* Returns the answer. */
const char *stopper_try(struct stopper *s, struct str secret, pid_t pid);

#endif

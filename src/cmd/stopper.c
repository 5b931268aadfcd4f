/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/stopper.h"

#define LOG_MODULE "kunai::stop"
#include "base/log.h"
#include "base/token.h"

const char *stopper_try(struct stopper *s, struct str secret, pid_t pid)
{
	if (!s->hardened || (s->sha256 && token_opens(secret, s->sha256))) {
		log_warn("process %d stops the sensor", pid);
		atomic_store(&s->granted, true);
		return STOP_GRANTED;
	}
	atomic_store(&s->refused_pid, pid);
	atomic_fetch_add(&s->refused, 1);
	return s->sha256 ? STOP_REFUSED : STOP_CLOSED;
}

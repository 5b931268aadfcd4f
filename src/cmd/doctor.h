/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `kunai doctor` finds out: findings about this machine, and where each event is taken. */
#ifndef KUNAI_CMD_DOCTOR_H
#define KUNAI_CMD_DOCTOR_H

#include "base/buf.h"
#include "config/config.h"

enum finding_state {
	FINDING_OK,
	FINDING_NOTE,    /* worth knowing */
	FINDING_WARNING, /* it runs, but worse than it could */
	FINDING_FAILURE, /* it does not run */
	FINDING_UNKNOWN, /* we may not look, or cannot */
	FINDING_STATES
};

struct finding {
	const char *name;
	enum finding_state state;
	char found[512];
	const char *advice; /* what to do; constant, or NULL */
};

enum { FINDINGS_MAX = 24 };

struct diagnosis {
	struct finding v[FINDINGS_MAX];
	unsigned int count;
};

/* Adds one; advice is for states other than OK. */
__attribute__((format(printf, 5, 6))) void diagnosis_add(struct diagnosis *f, const char *name,
							 enum finding_state state, const char *advice,
							 const char *found, ...);

/* The machine below root, which is "" but in tests: proc, sys. */
void doctor_check_host(const char *root, struct diagnosis *ret);

/* The configuration at path, NULL: the default one if it is there; and the sensor that runs. Returns the tier that it asks for. */
enum config_tier doctor_check_setup(const char *path, struct diagnosis *ret);

/* Where an event is taken. */
struct event_place {
	const char *name;
	const char *tier;        /* "tracepoint", "trampoline", or NULL: nowhere */
	char hooks[512];         /* separated by blanks */
	char trampoline[160];    /* why this event cannot be on that tier although others can; or "" */
	const char *consequence; /* of the tier that it is on; or NULL */
};

/*
 * Loads the programs of all events, without attaching them. Returns the number of places, or -errno with a finding that says
 * why. ret has room for all events.
 */
int doctor_find_places(bool prefers_trampolines, struct diagnosis *findings, struct event_place *ret);

void doctor_write_text(const struct diagnosis *findings, const struct event_place *places, int count,
		       bool colour, struct buf *out);
void doctor_write_json(const struct diagnosis *findings, const struct event_place *places, int count,
		       struct buf *out);

#endif

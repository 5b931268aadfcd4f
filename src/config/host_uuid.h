/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The identity of this host, as Kunai derives it, so that a host keeps its UUID when it changes sensors. */
#ifndef KUNAI_CONFIG_HOST_UUID_H
#define KUNAI_CONFIG_HOST_UUID_H

#include "base/str.h"
#include "config/config.h"

/* Where the identity comes from, first one first; the last resort is random. */
struct host_uuid_sources {
	const char *seed_variable; /* environment: UUID version 5 of its bytes */
	const char *
		machine_id_path; /* UUID version 5 of the text without white space at its end, unless empty */
	const char *boot_id_path; /* as it is */
};

extern const struct host_uuid_sources host_uuid_default_sources;

/* Always gives a UUID in lower case. */
void host_uuid_derive(const struct host_uuid_sources *sources, char ret[CONFIG_UUID_TEXT]);

/* Version 5 in the OID namespace (RFC 9562, section 5.5). */
void host_uuid_of_seed(struct str seed, char ret[CONFIG_UUID_TEXT]);

/* Accepts the form with dashes or without. Returns 0 or -EINVAL. */
int host_uuid_parse(struct str text, char ret[CONFIG_UUID_TEXT]);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of the numbers given to socket(2): static text, or "unknown(N)" in the caller's arena. */
#ifndef KUNAI_ENRICH_SOCKET_NAMES_H
#define KUNAI_ENRICH_SOCKET_NAMES_H

#include "base/arena.h"

/* Absent when the number is unknown and memory is short. */
struct str socket_domain_name(struct arena *a, uint32_t domain);
struct str socket_type_name(struct arena *a, uint32_t type);
struct str socket_protocol_name(struct arena *a, uint32_t protocol);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What tests write as text. */
#ifndef KUNAI_TESTS_LOOKUP_H
#define KUNAI_TESTS_LOOKUP_H

#include "enrich/address.h"
#include "event/field.h"

/* Of either family; aborts when it is none. */
struct ip_address address_of(const char *text);

/* As field_find(), for a path that begins with a dot. */
int find_field(enum event_type type, const char *path, struct field_ref *ret);

#endif

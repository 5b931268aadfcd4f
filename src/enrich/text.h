/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Immutable texts of long life, shared by counted references, for one thread. Whoever has a struct str from text_new() or
 * text_share() owns a reference and gives it back with text_release(). A store counts the bytes of its texts.
 */
#ifndef KUNAI_ENRICH_TEXT_H
#define KUNAI_ENRICH_TEXT_H

#include "base/str.h"

struct text_store {
	size_t bytes; /* of all texts, with their headers */
};

/* The bytes that a text of this length takes. */
size_t text_size(uint32_t len);

/* A copy, ended by NUL; absent when the value is, or when memory is short. */
struct str text_new(struct text_store *store, struct str value);

/* One more reference to a text; an absent one stays absent. */
struct str text_share(struct str text);

/* Whether others refer to it too. */
bool text_is_shared(struct str text);

/* The text becomes absent. */
void text_release(struct text_store *store, struct str *text);

#endif

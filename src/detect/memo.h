/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What searches of texts found, for texts that come again: executables, command lines, ancestors of processes that do many
 * things. A table of a fixed size, in which a new text takes the place of an old one. It keeps copies.
 */
#ifndef KUNAI_DETECT_MEMO_H
#define KUNAI_DETECT_MEMO_H

#include "base/str.h"

enum {
	MEMO_SLOTS = 32768, /* a power of two; 8 MB when all are in use */
	MEMO_TEXT_MAX = 220,
	MEMO_ATOMS_MAX = 6,
};

struct memo_slot {
	uint32_t hash;
	uint32_t field; /* 1 + its index; 0: free */
	uint32_t atoms[MEMO_ATOMS_MAX];
	uint16_t len;
	uint8_t atom_count;
	bool ascii;
	char text[MEMO_TEXT_MAX];
} __attribute__((aligned(64)));

struct memo {
	void *memory;
	struct memo_slot *slots; /* in it, aligned */
};

/* A text that is read soon. Processors fetch the line beside the one that is asked for, too. */
static inline void memo_prefetch(const char *text)
{
	__builtin_prefetch(text);
	__builtin_prefetch(text + 128);
}

/* The slot of a text, which is looked for soon. */
static inline void memo_fetch(const struct memo *m, uint32_t hash)
{
	memo_prefetch((const char *)&m->slots[hash & (MEMO_SLOTS - 1)]);
}

/* Returns 0 or -ENOMEM. */
int memo_init(struct memo *ret);
void memo_fini(struct memo *m);
void memo_clear(struct memo *m);

/* NULL when the text is not known. */
const struct memo_slot *memo_find(const struct memo *m, uint32_t field, struct str text, uint32_t hash);

/* Texts and lists that are too long are not kept. */
void memo_store(struct memo *m, uint32_t field, struct str text, uint32_t hash, const uint32_t *atoms,
		uint32_t n, bool ascii);

#endif

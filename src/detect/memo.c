/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect/memo.h"

#include <errno.h>
#include <stdlib.h>

int memo_init(struct memo *ret)
{
	/* calloc(3), unlike aligned_alloc(3), need not touch what is zero already */
	ret->memory = calloc(MEMO_SLOTS + 1, sizeof(*ret->slots));
	if (!ret->memory)
		return -ENOMEM;
	ret->slots = (struct memo_slot *)(((uintptr_t)ret->memory + 63) & ~(uintptr_t)63);
	return 0;
}

void memo_fini(struct memo *m)
{
	free(m->memory);
	*m = (struct memo){0};
}

void memo_clear(struct memo *m)
{
	/* a slot that was never used is not touched: memory that nobody needs is never there */
	for (uint32_t i = 0; i < MEMO_SLOTS; i++)
		if (m->slots[i].field)
			m->slots[i].field = 0;
}

const struct memo_slot *memo_find(const struct memo *m, uint32_t field, struct str text, uint32_t hash)
{
	const struct memo_slot *slot = &m->slots[hash & (MEMO_SLOTS - 1)];

	if (slot->hash != hash || slot->field != field + 1 || slot->len != text.len ||
	    memcmp(slot->text, text.p, text.len) != 0)
		return NULL;
	return slot;
}

void memo_store(struct memo *m, uint32_t field, struct str text, uint32_t hash, const uint32_t *atoms,
		uint32_t n, bool ascii)
{
	struct memo_slot *slot = &m->slots[hash & (MEMO_SLOTS - 1)];

	if (text.len > MEMO_TEXT_MAX || n > MEMO_ATOMS_MAX)
		return;
	slot->hash = hash;
	slot->field = field + 1;
	slot->len = (uint16_t)text.len;
	slot->atom_count = (uint8_t)n;
	slot->ascii = ascii;
	memcpy(slot->atoms, atoms, n * sizeof(*atoms));
	memcpy(slot->text, text.p, text.len);
}

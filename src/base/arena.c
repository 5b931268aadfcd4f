/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/arena.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct arena_block {
	struct arena_block *next;
	size_t size;
	_Alignas(8) char bytes[];
};

enum { BLOCK_SIZE = 64 * 1024 };

void arena_fini(struct arena *a)
{
	while (a->head) {
		struct arena_block *next = a->head->next;
		free(a->head);
		a->head = next;
	}
	a->used = 0;
}

void arena_reset(struct arena *a)
{
	/* The oldest block is the one of ordinary size. */
	while (a->head && a->head->next) {
		struct arena_block *next = a->head->next;
		free(a->head);
		a->head = next;
	}
	a->used = 0;
}

static int arena_grow(struct arena *a, size_t size)
{
	size_t block_size = size > BLOCK_SIZE ? size : BLOCK_SIZE;
	struct arena_block *block = malloc(sizeof(*block) + block_size);
	if (!block)
		return -ENOMEM;
	block->next = a->head;
	block->size = block_size;
	a->head = block;
	a->used = 0;
	return 0;
}

void *arena_alloc(struct arena *a, size_t size)
{
	if (size > SIZE_MAX / 2) {
		errno = ENOMEM;
		return NULL;
	}
	size = (size + 7) & ~(size_t)7;
	if ((!a->head || a->head->size - a->used < size) && arena_grow(a, size) < 0) {
		errno = ENOMEM;
		return NULL;
	}
	void *p = a->head->bytes + a->used;
	a->used += size;
	return p;
}

void *arena_zalloc(struct arena *a, size_t size)
{
	void *p = arena_alloc(a, size);
	if (p)
		memset(p, 0, size);
	return p;
}

struct str arena_str(struct arena *a, struct str s)
{
	char *copy = arena_alloc(a, (size_t)s.len + 1);
	if (!copy)
		return (struct str){0};
	if (s.len)
		memcpy(copy, s.p, s.len);
	copy[s.len] = '\0';
	return (struct str){copy, s.len};
}

struct str arena_printf(struct arena *a, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int need = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (need < 0)
		return (struct str){0};

	char *text = arena_alloc(a, (size_t)need + 1);
	if (!text)
		return (struct str){0};
	va_start(args, format);
	vsnprintf(text, (size_t)need + 1, format, args);
	va_end(args);
	return (struct str){text, (uint32_t)need};
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sets of characters while they are being read: each is made from others by union, difference and so on. */
#ifndef KUNAI_DETECT_REGEX_CLASS_H
#define KUNAI_DETECT_REGEX_CLASS_H

#include "detect/regex_syntax.h"

/* A set that is being written. The text is either items of a bracket class, or an atom. */
struct class
{
	struct regex_set set;
	struct buf items; /* of the bracket class that may be written, without its brackets */
	struct buf atoms; /* "|" and an atom for each part that no bracket class can hold */
};

void class_fini(struct class *c);

void class_add_range(struct class *c, uint32_t first, uint32_t last);

/* Perl's classes, 'd', 's' or 'w', or 'D', 'S', 'W'. */
void class_add_perl(struct class *c, char letter, bool unicode);

/* "alpha", ... as in [[:alpha:]]. Returns 0 or -ENOENT. */
int class_add_posix(struct class *c, struct str name, bool negated);

/* What stands in \p{...}. Returns 0, -ENOMEM or -ENOENT. */
int class_add_property(struct class *c, struct str name, bool negated);

/* Adds everything of another class, and finishes that. */
void class_add_class(struct class *c, struct class *other);

/* In place: without case, of all letters or of ASCII's only; and the complement. */
void class_fold(struct class *c, bool unicode);
void class_negate(struct class *c);

enum class_operator { CLASS_AND, CLASS_MINUS, CLASS_XOR };

/* In place; finishes the other one. */
void class_combine(struct class *c, enum class_operator op, struct class *other);

/* Returns 0 or -ENOMEM. Finishes the class in every case. */
int class_finish(struct class *c, struct arena *a, struct regex_set **ret);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules compiled: what is asked of events, once each (atoms), and for each type of event which rules an atom wakes. A
 * rule is woken by the smallest set of atoms without which it cannot be true (its guards), and only then is its
 * condition evaluated. So the cost of an event grows with what matches, not with how many rules there are.
 */
#ifndef KUNAI_DETECT_PROGRAM_H
#define KUNAI_DETECT_PROGRAM_H

#include "detect/regex.h"
#include "detect/rule.h"

enum atom_kind {
	ATOM_TEXT,  /* == 'text', also of what looks like a number */
	ATOM_REGEX, /* ~= */
	ATOM_OTHER, /* evaluated one by one */
};

struct atom {
	enum atom_kind kind;
	bool indirect;
	uint32_t field;
	uint32_t other;   /* of an indirect one */
	uint32_t accepts; /* kinds of value that are no error */
	const struct expression *expression;
	const struct regex *regex;
};

struct field_slot {
	struct field_ref ref;
	bool known; /* events of the type have it */
};

struct id_list {
	uint32_t *v;
	uint32_t n;
};

/* A field that is looked at for every event of a type. */
struct field_plan {
	uint32_t field;
	bool equal;             /* look its value up among the literals */
	struct id_list regexes; /* guards; when there are any, scan */
};

struct type_plan {
	uint32_t *first; /* one an atom and one: where the rules that it wakes begin in `rules` */
	uint32_t *rules;
	struct id_list always; /* rules that no atom can keep asleep */
	struct id_list others; /* atoms that are guards and neither text nor regular expression */
	struct field_plan *fields;
	uint32_t field_count;
};

struct literal_slot {
	uint32_t atom; /* 1 + its index; 0: free */
	uint32_t hash;
};

struct program {
	struct arena arena;
	const struct rule *rules;
	uint32_t rule_count;
	struct atom *atoms;
	uint32_t atom_count;
	struct str *fields; /* their paths */
	uint32_t field_count;
	struct field_slot *slots; /* field_count for each type */
	uint32_t *patterns;       /* atoms with regular expressions, by field and then by Vectorscan's form */
	uint32_t *first_pattern;  /* of each field and one: where its patterns begin */
	uint32_t **operands;      /* of each rule: the atoms of its operands; UINT32_MAX for rule(name) */
	struct type_plan types[EVENT_COUNT];
	struct literal_slot *literals; /* a hash table of texts and numbers that are guards */
	uint32_t literal_mask;
};

/* Returns 0 or -ENOMEM. */
int program_init(struct program *ret, const struct rule *rules, uint32_t count);
void program_fini(struct program *p);

static inline const struct field_slot *program_slot(const struct program *p, enum event_type type,
						    uint32_t field)
{
	return &p->slots[(size_t)type * p->field_count + field];
}

/* The hash of a text or a number of a field; equal numbers of different kinds have the same. */
uint32_t program_hash_text(uint32_t field, struct str text);
uint32_t program_hash_number(uint32_t field, const struct value *number);

/* atoms.c: fills atoms, fields, slots, operands and patterns. */
int program_find_atoms(struct program *p);

/* guards.c: fills types and, for each atom, whether it is a guard of some type. */
int program_find_guards(struct program *p, bool *ret_guards);

#endif

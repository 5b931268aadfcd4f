/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect/engine.h"

#include <errno.h>
#include <stdlib.h>

#include "detect/interpret.h"

enum {
	ROUND_STEP = 4,
	MEMO_PERIOD = 1024, /* texts of a field after which it is judged whether they repeat */
	MEMO_SAMPLE = 64,   /* of a field whose texts do not, one in so many is tried nevertheless */
};

int engine_init(struct engine *ret, const struct program *p, struct regex_matcher *matcher)
{
	size_t atoms = (size_t)p->atom_count + 1, rules = (size_t)p->rule_count + 1;

	*ret = (struct engine){
		.p = p,
		.matcher = matcher,
		.atoms = calloc(atoms, sizeof(uint32_t)),
		.rules = calloc(rules, sizeof(uint32_t)),
		.woken = calloc(rules, sizeof(uint32_t)),
		.candidates = calloc(rules, sizeof(uint32_t)),
		.fields = calloc((size_t)p->field_count + 1, sizeof(*ret->fields)),
	};
	if (ret->atoms && ret->rules && ret->woken && ret->candidates && ret->fields &&
	    !memo_init(&ret->memo) && !costs_init(&ret->costs, p->rule_count, p->atom_count))
		return 0;
	engine_fini(ret);
	return -ENOMEM;
}

void engine_fini(struct engine *e)
{
	hs_free_scratch(e->scratch);
	memo_fini(&e->memo);
	costs_fini(&e->costs);
	free(e->atoms);
	free(e->rules);
	free(e->woken);
	free(e->candidates);
	free(e->fields);
	*e = (struct engine){0};
}

int engine_use(struct engine *e, const struct databases *d)
{
	for (uint32_t i = 0; i < d->field_count; i++) {
		const struct pattern_set *patterns = d->fields[i].patterns;
		if (patterns && hs_alloc_scratch(patterns->db, &e->scratch) != HS_SUCCESS)
			return -ENOMEM;
	}
	e->databases = d;
	memo_clear(&e->memo);
	for (uint32_t i = 0; i < e->p->field_count; i++)
		e->fields[i].repeats = true;
	return 0;
}

/* The stamps of four billion events ago must not be taken for those of today. */
static void begin(struct engine *e, const struct event *event)
{
	e->event = event;
	regex_matcher_begin(e->matcher);
	costs_begin_event(&e->costs);
	e->candidate_count = 0;
	e->round += ROUND_STEP;
	if (e->round)
		return;
	memset(e->atoms, 0, e->p->atom_count * sizeof(*e->atoms));
	memset(e->rules, 0, e->p->rule_count * sizeof(*e->rules));
	memset(e->woken, 0, e->p->rule_count * sizeof(*e->woken));
	memset(e->fields, 0, e->p->field_count * sizeof(*e->fields));
	e->round = ROUND_STEP;
}

static bool is_known(const struct engine *e, uint32_t stamp)
{
	return (stamp & ~(uint32_t)(ROUND_STEP - 1)) == e->round;
}

static enum truth truth_in(uint32_t stamp)
{
	return (enum truth)(stamp & (ROUND_STEP - 1));
}

/* ---- atoms ---- */

static void wake(struct engine *e, uint32_t rule)
{
	if (e->woken[rule] == e->round)
		return;
	e->woken[rule] = e->round;
	e->candidates[e->candidate_count++] = rule;
}

/* An atom is true: the rules that it guards wake up. */
static void fire(struct engine *e, uint32_t atom)
{
	const struct type_plan *plan = &e->p->types[e->event->type];

	if (e->atoms[atom] == e->round + TRUTH_TRUE)
		return;
	e->atoms[atom] = e->round + TRUTH_TRUE;
	for (uint32_t i = plan->first[atom]; i < plan->first[atom + 1]; i++)
		wake(e, plan->rules[i]);
}

static void learn(struct engine *e, uint32_t atom, enum truth truth)
{
	if (truth == TRUTH_TRUE)
		fire(e, atom);
	else if (e->atoms[atom] != e->round + TRUTH_TRUE)
		e->atoms[atom] = e->round + truth;
}

static __attribute__((noinline)) void read_value(struct engine *e, uint32_t field)
{
	struct engine_field *f = &e->fields[field];

	f->value = field_get(e->event, &program_slot(e->p, e->event->type, field)->ref, f->text);
	f->read = e->round;
}

static inline const struct value *value_of(struct engine *e, uint32_t field)
{
	if (e->fields[field].read != e->round)
		read_value(e, field);
	return &e->fields[field].value;
}

static enum truth match_one(struct engine *e, uint32_t atom, struct str text)
{
	struct span span = costs_enter(&e->costs);
	int result = regex_match(e->p->atoms[atom].regex, e->matcher, text);

	costs_leave(&e->costs, span, &e->costs.atoms[atom]);
	return result < 0 ? TRUTH_ERROR : result ? TRUTH_TRUE : TRUTH_FALSE;
}

/* One by one, as the interpreter does. */
static enum truth match_slowly(struct engine *e, uint32_t atom, const struct value *value)
{
	enum truth truth = TRUTH_FALSE;

	e->counters.slow++;
	if (value->kind == VALUE_STR)
		return match_one(e, atom, value->s);
	for (uint32_t i = 0; i < value->v.n && truth == TRUTH_FALSE; i++)
		truth = match_one(e, atom, value->v.v[i]);
	return truth;
}

static __attribute__((noinline)) void hash_text(struct engine *e, uint32_t field, struct str text)
{
	struct engine_field *f = &e->fields[field];

	f->hash = program_hash_text(field, text);
	f->hashed = e->round;
	f->hashed_text = text;
}

/* Literals and the memory need the same hash: of the last text of the field it is kept. */
static inline uint32_t hash_of(struct engine *e, uint32_t field, struct str text)
{
	struct engine_field *f = &e->fields[field];

	if (f->hashed != e->round || f->hashed_text.p != text.p || f->hashed_text.len != text.len)
		hash_text(e, field, text);
	return f->hash;
}

/* ---- databases ---- */

struct scan {
	struct engine *engine;
	const struct field_database *db;
	struct str text;
	bool ascii;
	bool failed;    /* the result is not to be kept */
	uint32_t found; /* how many, of which the first are: */
	uint32_t atoms[MEMO_ATOMS_MAX];
};

static void find(struct scan *scan, uint32_t atom)
{
	if (scan->found < MEMO_ATOMS_MAX)
		scan->atoms[scan->found] = atom;
	scan->found++;
	fire(scan->engine, atom);
}

static int on_hit(unsigned int id, unsigned long long from, unsigned long long to, unsigned int flags,
		  void *context)
{
	struct scan *scan = context;
	struct engine *e = scan->engine;
	uint32_t atom = id < scan->db->patterns->count ? scan->db->atoms[id] : UINT32_MAX;

	(void)from;
	(void)to;
	(void)flags;
	if (atom == UINT32_MAX)
		return 0; /* of older rules */
	const struct regex *regex = e->p->atoms[atom].regex;
	if (scan->ascii && !regex->facts.superset) {
		find(scan, atom);
		return 0;
	}
	e->counters.confirmed++;
	enum truth truth = match_one(e, atom, scan->text);
	if (truth == TRUTH_TRUE)
		find(scan, atom);
	else
		learn(e, atom, truth);
	scan->failed |= truth == TRUTH_ERROR;
	return 0;
}

static bool is_ascii(struct str s)
{
	uint64_t word, high = 0;
	uint32_t i = 0;

	for (; i + 8 <= s.len; i += 8) {
		memcpy(&word, s.p + i, 8);
		high |= word;
	}
	for (; i < s.len; i++)
		high |= (uint64_t)(unsigned char)s.p[i];
	return !(high & UINT64_C(0x8080808080808080));
}

/* What no database holds. */
static void try_alone(struct engine *e, struct scan *scan)
{
	for (uint32_t i = 0; i < scan->db->alone.n; i++) {
		uint32_t atom = scan->db->alone.v[i];
		enum truth truth = match_one(e, atom, scan->text);
		if (truth == TRUTH_TRUE)
			find(scan, atom);
		else if (truth == TRUTH_ERROR)
			learn(e, atom, truth);
		scan->failed |= truth == TRUTH_ERROR;
	}
	e->counters.slow += scan->db->alone.n;
}

static void scan_text(struct engine *e, struct scan *scan)
{
	try_alone(e, scan);
	if (!scan->db->patterns)
		return;
	e->counters.scans++;
	struct span span = costs_enter(&e->costs);
	hs_error_t err =
		hs_scan(scan->db->patterns->db, scan->text.p, scan->text.len, 0, e->scratch, on_hit, scan);
	costs_leave(&e->costs, span, &e->costs.shared);
	if (err == HS_SUCCESS)
		return;
	e->counters.failures++;
	scan->failed = true;
}

/* Paths of new files and the like never come again: looking for them would only push out those that do. */
static bool is_worth_remembering(struct engine_field *f, struct str text)
{
	if (text.len > MEMO_TEXT_MAX)
		return false;
	if (++f->tries == MEMO_PERIOD) {
		f->repeats = f->hits >= MEMO_PERIOD / (f->repeats ? 4 : 4 * MEMO_SAMPLE);
		f->tries = f->hits = 0;
	}
	return f->repeats || f->tries % MEMO_SAMPLE == 0;
}

/* What is known of the text, or a search. */
static bool search(struct engine *e, uint32_t field, const struct field_database *db, struct str text)
{
	struct engine_field *f = &e->fields[field];
	struct scan scan = {.engine = e, .db = db, .text = {text.p ? text.p : "", text.len}};

	if (!is_worth_remembering(f, text)) {
		scan.ascii = is_ascii(text);
		scan_text(e, &scan);
		return scan.ascii;
	}
	uint32_t hash = hash_of(e, field, text);
	const struct memo_slot *known = memo_find(&e->memo, field, scan.text, hash);
	if (known) {
		f->hits++;
		e->counters.recalled++;
		for (uint32_t i = 0; i < known->atom_count; i++)
			fire(e, known->atoms[i]);
		return known->ascii;
	}
	scan.ascii = is_ascii(text);
	scan_text(e, &scan);
	if (!scan.failed)
		memo_store(&e->memo, field, scan.text, hash, scan.atoms, scan.found, scan.ascii);
	return scan.ascii;
}

static bool search_or_look(struct engine *e, uint32_t field, const struct field_database *db, struct str text)
{
	return db->patterns || db->alone.n ? search(e, field, db, text) : is_ascii(text);
}

/* Once an event: what the field's database says of its value. */
static void scan_field(struct engine *e, uint32_t field)
{
	struct engine_field *f = &e->fields[field];
	const struct field_database *db = &e->databases->fields[field];
	const struct value *value = value_of(e, field);

	if (f->scanned == e->round)
		return;
	f->scanned = e->round;
	if (value->kind == VALUE_STR) {
		f->ascii = search_or_look(e, field, db, value->s);
		return;
	}
	bool ascii = true;
	for (uint32_t i = 0; value->kind == VALUE_STRV && i < value->v.n; i++)
		ascii &= search_or_look(e, field, db, value->v.v[i]);
	f->ascii = ascii;
}

static enum truth find_regex(struct engine *e, uint32_t index, const struct value *value)
{
	const struct atom *atom = &e->p->atoms[index];

	if (!e->databases->searched[index])
		return match_slowly(e, index, value);
	scan_field(e, atom->field);
	if (is_known(e, e->atoms[index]))
		return truth_in(e->atoms[index]);
	if (atom->regex->facts.blind && !e->fields[atom->field].ascii)
		return match_slowly(e, index, value);
	return TRUTH_FALSE;
}

/* Evaluates an atom that is not known yet. */
static enum truth find_truth(struct engine *e, uint32_t index)
{
	const struct atom *atom = &e->p->atoms[index];

	if (!program_slot(e->p, e->event->type, atom->field)->known ||
	    !program_slot(e->p, e->event->type, atom->other)->known)
		return TRUTH_ERROR;
	const struct value *value = value_of(e, atom->field);
	if (atom->indirect)
		return compare_values(value, value_of(e, atom->other));
	if (!(atom->accepts >> value->kind & 1) && value->kind != VALUE_STRV)
		return TRUTH_ERROR;
	return atom->kind == ATOM_REGEX ? find_regex(e, index, value)
					: compare_literal(atom->expression, value);
}

static enum truth truth_of_atom(struct engine *e, uint32_t index)
{
	if (!is_known(e, e->atoms[index]))
		learn(e, index, find_truth(e, index));
	return truth_in(e->atoms[index]);
}

/* ---- conditions ---- */

static enum truth truth_of_rule(struct engine *e, uint32_t index);

struct operand_context {
	struct engine *engine;
	uint32_t rule;
};

static enum truth truth_of_operand(void *context, uint32_t operand)
{
	const struct operand_context *c = context;
	uint32_t atom = c->engine->p->operands[c->rule][operand];

	if (atom != UINT32_MAX)
		return truth_of_atom(c->engine, atom);
	return truth_of_rule(c->engine, c->engine->p->rules[c->rule].operands[operand].rule);
}

static enum truth truth_of_rule(struct engine *e, uint32_t index)
{
	const struct rule *rule = &e->p->rules[index];
	struct operand_context context = {e, index};

	if (is_known(e, e->rules[index]))
		return truth_in(e->rules[index]);
	enum truth truth = TRUTH_FALSE;
	struct span span = costs_enter(&e->costs);
	if (rule->events >> e->event->type & 1)
		truth = condition_evaluate(&rule->condition, truth_of_operand, &context);
	costs_leave(&e->costs, span, &e->costs.rules[index]);
	e->rules[index] = e->round + truth;
	return truth;
}

/* ---- guards ---- */

static void fire_literals(struct engine *e, uint32_t field, const struct value *value, uint32_t hash)
{
	const struct program *p = e->p;

	for (uint32_t i = hash & p->literal_mask; p->literals[i].atom; i = (i + 1) & p->literal_mask) {
		uint32_t atom = p->literals[i].atom - 1;
		if (p->literals[i].hash == hash && p->atoms[atom].field == field &&
		    compare_literal(p->atoms[atom].expression, value) == TRUTH_TRUE)
			fire(e, atom);
	}
}

static void look_up(struct engine *e, uint32_t field, const struct value *value)
{
	switch (value->kind) {
	case VALUE_STR:
		fire_literals(e, field, value, hash_of(e, field, value->s));
		break;
	case VALUE_STRV:
		for (uint32_t i = 0; i < value->v.n; i++) {
			const struct value element = {.kind = VALUE_STR, .s = value->v.v[i]};
			look_up(e, field, &element);
		}
		break;
	case VALUE_UINT:
	case VALUE_INT:
	case VALUE_FLOAT:
		fire_literals(e, field, value, program_hash_number(field, value));
		break;
	default:
		break;
	}
}

static void try_guards(struct engine *e, const struct id_list *guards)
{
	for (uint32_t i = 0; i < guards->n; i++)
		truth_of_atom(e, guards->v[i]);
}

static void look_at_field(struct engine *e, const struct field_plan *plan, const struct slow_guards *slow)
{
	const struct value *value = value_of(e, plan->field);

	if (plan->equal)
		look_up(e, plan->field, value);
	if (!plan->regexes.n || (value->kind != VALUE_STR && value->kind != VALUE_STRV))
		return;
	scan_field(e, plan->field);
	try_guards(e, &slow->always);
	if (!e->fields[plan->field].ascii)
		try_guards(e, &slow->wide);
}

/* Texts and what is known of them are far apart in memory: they are asked for at once, not one after the other. */
static void fetch_ahead(struct engine *e, const struct type_plan *plan)
{
	for (uint32_t i = 0; i < plan->field_count; i++) {
		const struct value *value = value_of(e, plan->fields[i].field);
		if (value->kind == VALUE_STR)
			memo_prefetch(value->s.p);
	}
	for (uint32_t i = 0; i < plan->field_count; i++) {
		uint32_t field = plan->fields[i].field;
		const struct engine_field *f = &e->fields[field];
		if (plan->fields[i].regexes.n && f->repeats && f->value.kind == VALUE_STR)
			memo_fetch(&e->memo, hash_of(e, field, f->value.s));
	}
}

void engine_run(struct engine *e, const struct event *event, void (*matched)(void *context, uint32_t rule),
		void *context)
{
	const struct type_plan *plan = &e->p->types[event->type];

	begin(e, event);
	struct span span = costs_enter(&e->costs);
	fetch_ahead(e, plan);
	for (uint32_t i = 0; i < plan->field_count; i++)
		look_at_field(e, &plan->fields[i], &e->databases->guards[event->type][i]);
	try_guards(e, &plan->others);
	for (uint32_t i = 0; i < plan->always.n; i++)
		wake(e, plan->always.v[i]);
	/* conditions can make atoms true, which may wake more rules: the list grows while we walk it */
	for (uint32_t i = 0; i < e->candidate_count; i++) {
		e->counters.candidates++;
		if (truth_of_rule(e, e->candidates[i]) == TRUTH_TRUE)
			matched(context, e->candidates[i]);
	}
	costs_end_event(&e->costs, span);
}

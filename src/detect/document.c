/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect/document.h"

#include <errno.h>

#include "base/chars.h"
#include "base/nearest.h"
#include "event/catalogue.h"

struct reader {
	const struct document_context *ctx;
	struct document *doc;
};

static struct place place_of(const struct reader *r, const struct tree_node *node)
{
	struct place place = tree_place(node, r->ctx->file, 0);

	place.rule = r->doc->name;
	return place;
}

static void add_found(struct buf *out, const struct tree_node *node)
{
	if (node->kind == TREE_LIST) {
		buf_add_str(out, STR("a list"));
	} else if (node->kind == TREE_MAP) {
		buf_add_str(out, STR("a map"));
	} else if (node->scalar == SCALAR_NULL) {
		buf_add_str(out, STR("nothing"));
	} else {
		if (node->scalar == SCALAR_STRING)
			buf_add_str(out, STR("the text "));
		buf_add_quoted(out, node->text);
	}
}

void document_refuse(const struct document_context *ctx, const struct tree_node *node, struct str rule,
		     const char *subject, const char *expected)
{
	struct place place = tree_place(node, ctx->file, 0);
	struct buf found = {0};

	place.rule = rule;
	add_found(&found, node);
	problems_add(ctx->problems, PROBLEM_ERROR, &place, "%s: expected %s, found %.*s", subject, expected,
		     STR_ARG(buf_str(&found)));
	buf_fini(&found);
}

static void refuse(struct reader *r, const struct tree_node *node, const char *subject, const char *expected)
{
	document_refuse(r->ctx, node, r->doc->name, subject, expected);
}

static bool is_null(const struct tree_node *node)
{
	return node->kind == TREE_SCALAR && node->scalar == SCALAR_NULL;
}

static bool is_text(const struct tree_node *node)
{
	return node->kind == TREE_SCALAR && node->scalar == SCALAR_STRING;
}

/* Maps are small but for `matches`, and a file of one huge map is not worth a hash table: it is refused. */
enum { KEYS_MAX = 8192, SOURCES_MAX = 64 };

void document_check_duplicates(const struct document_context *ctx, const struct tree_node *node,
			       struct str rule)
{
	struct place place = tree_place(node, ctx->file, 0);

	place.rule = rule;
	if (node->kind == TREE_MAP && node->count > 2 * KEYS_MAX) {
		problems_add(ctx->problems, PROBLEM_ERROR, &place, "more than %d entries", KEYS_MAX);
		return;
	}
	for (uint32_t i = 0; node->kind == TREE_MAP && i < node->count; i += 2) {
		const struct tree_node *key = node->items[i];
		if (!node->items[i + 1]->checked)
			document_check_duplicates(ctx, node->items[i + 1], rule);
		node->items[i + 1]->checked = true;
		for (uint32_t j = 0; j < i; j += 2) {
			if (key->kind != TREE_SCALAR || node->items[j]->kind != TREE_SCALAR ||
			    !str_eq(key->text, node->items[j]->text))
				continue;
			struct buf quoted = {0};
			buf_add_quoted(&quoted, key->text);
			place = tree_place(key, ctx->file, 0);
			place.rule = rule;
			problems_add(ctx->problems, PROBLEM_ERROR, &place, "duplicate key %.*s",
				     STR_ARG(buf_str(&quoted)));
			buf_fini(&quoted);
			break;
		}
	}
}

static int read_texts(struct reader *r, const struct tree_node *node, const char *subject, struct strv *ret)
{
	struct str *v;
	uint32_t n = 0;

	if (is_null(node))
		return 0;
	if (node->kind != TREE_LIST || node->count > RULE_LIST_MAX) {
		refuse(r, node, subject, "a list of texts: ['one', 'two']");
		return 0;
	}
	v = arena_alloc(r->ctx->arena, node->count * sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (uint32_t i = 0; i < node->count; i++) {
		if (is_text(node->items[i]))
			v[n++] = node->items[i]->text;
		else
			refuse(r, node->items[i], subject, "a text (put quotes around it)");
	}
	*ret = (struct strv){v, n};
	return 0;
}

/* ^[A-Za-z]+[0-9]+(\.[0-9]+)?$ */
static bool is_attack_id(struct str s)
{
	uint32_t letters = 0;

	while (letters < s.len && ((s.p[letters] | 0x20) >= 'a' && (s.p[letters] | 0x20) <= 'z'))
		letters++;
	s = chars_skip(s, letters);
	uint32_t digits = chars_count_digits(s);
	if (!letters || !digits)
		return false;
	s = chars_skip(s, digits);
	if (!s.len)
		return true;
	s = chars_skip(s, 1);
	return s.p[-1] == '.' && s.len && chars_count_digits(s) == s.len;
}

static int read_attack(struct reader *r, const struct tree_node *node)
{
	int err = read_texts(r, node, "meta.attack", &r->doc->attack);
	struct str *v = (struct str *)(uintptr_t)r->doc->attack.v; /* our own copy */

	for (uint32_t i = 0; !err && i < r->doc->attack.n; i++) {
		struct str id = arena_str(r->ctx->arena, v[i]);
		if (!id.p)
			return -ENOMEM;
		if (!is_attack_id(id)) {
			struct place place = place_of(r, node);
			problems_add(
				r->ctx->problems, PROBLEM_ERROR, &place,
				"meta.attack: invalid attack id: %.*s, expected something like T1059.004",
				STR_ARG(id));
		}
		for (uint32_t k = 0; k < id.len; k++) {
			char *c = (char *)(uintptr_t)&id.p[k];
			if (*c >= 'a' && *c <= 'z')
				*c = (char)(*c - 'a' + 'A');
		}
		v[i] = id;
	}
	return err;
}

static int read_ignored_texts(struct reader *r, const struct tree_node *node)
{
	struct strv ignored = {0};

	return read_texts(r, node, "meta", &ignored);
}

static int read_tags(struct reader *r, const struct tree_node *node)
{
	return read_texts(r, node, "meta.tags", &r->doc->tags);
}

static int read_actions(struct reader *r, const struct tree_node *node)
{
	return read_texts(r, node, "actions", &r->doc->actions);
}

static int read_disable(struct reader *r, const struct tree_node *node)
{
	if (node->kind != TREE_SCALAR || node->scalar != SCALAR_BOOL)
		refuse(r, node, "params.disable", "true or false");
	else
		scalar_parse_bool(node->text, &r->doc->disabled);
	return 0;
}

static int read_type(struct reader *r, const struct tree_node *node)
{
	static const struct {
		struct str word;
		enum rule_type type;
	} types[] = {
		{STR("detection"), RULE_DETECTION},
		{STR("filter"), RULE_FILTER},
		{STR("dependency"), RULE_DEPENDENCY},
	};

	for (size_t i = 0; i < 3 && is_text(node); i++) {
		if (str_eq(node->text, types[i].word)) {
			r->doc->type = types[i].type;
			return 0;
		}
	}
	refuse(r, node, "type", "detection, filter or dependency");
	return 0;
}

static int read_decision(struct reader *r, const struct tree_node *node)
{
	if (is_text(node) && str_eq(node->text, STR("exclude")))
		r->doc->exclude = true;
	else if (!is_text(node) || !str_eq(node->text, STR("include")))
		refuse(r, node, "decision", "include or exclude");
	return 0;
}

static int read_severity(struct reader *r, const struct tree_node *node)
{
	uint64_t value = 0;

	if (node->kind != TREE_SCALAR || node->scalar != SCALAR_INTEGER ||
	    scalar_parse_u64(node->text, &value) || value > UINT8_MAX)
		refuse(r, node, "severity", "a number from 0 to 10 (up to 255 mean 10)");
	r->doc->severity = value > RULE_SEVERITY_MAX ? RULE_SEVERITY_MAX : (uint8_t)value;
	return 0;
}

static int read_matches(struct reader *r, const struct tree_node *node)
{
	if (node->kind != TREE_MAP) {
		refuse(r, node, "matches",
		       "a map from operands to expressions: $a: .data.exe.path == '/bin/sh'");
		return 0;
	}
	if (node->count > 2 * RULE_OPERANDS_MAX) {
		struct place place = place_of(r, node);
		problems_add(r->ctx->problems, PROBLEM_ERROR, &place, "matches: more than %d operands",
			     RULE_OPERANDS_MAX);
		return 0;
	}
	r->doc->matches = node;
	return 0;
}

static int read_condition(struct reader *r, const struct tree_node *node)
{
	if (is_text(node))
		r->doc->condition = node;
	else
		refuse(r, node, "condition", "a text like `$a and not $b`");
	return 0;
}

/* The events that a list selects or, with negative numbers, excludes. */
struct selection {
	uint64_t included, excluded;
	bool includes, excludes; /* also by ids that no event has */
};

static void select_id(struct selection *s, int64_t id)
{
	uint64_t magnitude = id < 0 ? 0 - (uint64_t)id : (uint64_t)id;
	uint64_t bit = 0;

	for (int type = 0; type < EVENT_COUNT; type++) {
		if (event_catalogue[type].id == magnitude)
			bit = UINT64_C(1) << type;
	}
	if (id < 0) {
		s->excludes = true;
		s->excluded |= bit;
	} else {
		s->includes = true;
		s->included |= bit;
	}
}

static void refuse_event(struct reader *r, const struct tree_node *node, struct str name)
{
	struct nearest nearest;
	struct place place = place_of(r, node);
	struct buf quoted = {0};

	nearest_init(&nearest, name);
	for (int type = 0; type < EVENT_COUNT; type++)
		nearest_offer(&nearest, event_catalogue[type].name);
	buf_add_quoted(&quoted, name);
	problems_add(r->ctx->problems, PROBLEM_ERROR, &place, "match-on: unknown event name %.*s%s%.*s%s",
		     STR_ARG(buf_str(&quoted)),
		     nearest.best.p ? "; did you mean '" : "; `kunai config --list-events` lists them",
		     STR_ARG(nearest.best), nearest.best.p ? "'?" : "");
	buf_fini(&quoted);
}

static void select_item(struct reader *r, const struct tree_node *node, bool names, struct selection *s)
{
	int64_t id;

	if (node->kind == TREE_SCALAR && node->scalar == SCALAR_INTEGER &&
	    !scalar_parse_i64(node->text, &id)) {
		select_id(s, id);
		return;
	}
	if (!names || !is_text(node)) {
		refuse(r, node, "match-on", names ? "the name or the number of an event" : "a number");
		return;
	}
	struct str name = node->text;
	bool negative = name.len && *name.p == '-';
	while (name.len && *name.p == '-')
		name = chars_skip(name, 1);
	int type = event_type_by_name(name);
	if (type < 0)
		refuse_event(r, node, name);
	else
		select_id(s,
			  negative ? -(int64_t)event_catalogue[type].id : (int64_t)event_catalogue[type].id);
}

/*
 * Without any event in any source a rule matches on all. Else a source that is not listed has none, one with
 * excluded events only has all others.
 */
static int read_events(struct reader *r, const struct tree_node *node)
{
	struct selection kunai = {0}, other = {0};

	if (node->kind != TREE_MAP || node->count > 2 * SOURCES_MAX) {
		refuse(r, node, "match-on.events", "a map: kunai: [execve, clone]");
		return 0;
	}
	for (uint32_t i = 0; i < node->count; i += 2) {
		const struct tree_node *source = node->items[i], *list = node->items[i + 1];
		bool ours = source->kind == TREE_SCALAR && str_eq(source->text, STR("kunai"));
		if ((list->kind != TREE_LIST || list->count > RULE_LIST_MAX) && !is_null(list)) {
			refuse(r, list, "match-on.events", "a list of events: [execve, clone]");
			continue;
		}
		for (uint32_t k = 0; k < list->count; k++)
			select_item(r, list->items[k], ours, ours ? &kunai : &other);
	}
	uint64_t all = kunai.includes                     ? kunai.included
		       : kunai.excludes                   ? UINT64_MAX
		       : other.includes || other.excludes ? 0
							  : UINT64_MAX;
	r->doc->events = all & ~kunai.excluded;
	return 0;
}

struct key {
	const char *name;
	int (*read)(struct reader *r, const struct tree_node *node);
};

static int read_keys(struct reader *r, const struct tree_node *node, const struct key *keys, size_t count,
		     const char *subject);

static int read_meta(struct reader *r, const struct tree_node *node)
{
	static const struct key keys[] = {
		{"tags", read_tags},
		{"attack", read_attack},
		{"authors", read_ignored_texts},
		{"comments", read_ignored_texts},
	};

	return read_keys(r, node, keys, sizeof(keys) / sizeof(*keys), "meta");
}

static int read_params(struct reader *r, const struct tree_node *node)
{
	static const struct key keys[] = {{"disable", read_disable}};

	return read_keys(r, node, keys, sizeof(keys) / sizeof(*keys), "params");
}

static int read_match_on(struct reader *r, const struct tree_node *node)
{
	static const struct key keys[] = {{"events", read_events}};

	return read_keys(r, node, keys, sizeof(keys) / sizeof(*keys), "match-on");
}

static int read_name(struct reader *r, const struct tree_node *node)
{
	(void)r;
	(void)node;
	return 0; /* read first, for the messages */
}

static const struct key rule_keys[] = {
	{"name", read_name},       {"type", read_type},           {"decision", read_decision},
	{"meta", read_meta},       {"params", read_params},       {"match-on", read_match_on},
	{"matches", read_matches}, {"condition", read_condition}, {"severity", read_severity},
	{"actions", read_actions},
};

static void refuse_key(struct reader *r, const struct tree_node *key, const struct key *keys, size_t count,
		       const char *subject)
{
	struct place place = place_of(r, key);
	struct nearest nearest;
	struct buf text = {0};

	nearest_init(&nearest, key->text);
	for (size_t i = 0; i < count; i++)
		nearest_offer(&nearest, str_of(keys[i].name));
	buf_add_str(&text, STR("unknown key "));
	buf_add_quoted(&text, key->text);
	if (*subject)
		buf_printf(&text, " in %s", subject);
	if (str_eq(key->text, STR("filter")) && strcmp(subject, "params") == 0) {
		buf_add_str(&text, STR("; write `type: filter` as a key of the rule"));
	} else if (nearest.best.p) {
		buf_printf(&text, "; did you mean '%.*s'?", STR_ARG(nearest.best));
	} else {
		buf_add_str(&text, STR("; expected"));
		for (size_t i = 0; i < count; i++)
			buf_printf(&text, "%s %s", i ? "," : "", keys[i].name);
	}
	problems_add(r->ctx->problems, PROBLEM_ERROR, &place, "%.*s", STR_ARG(buf_str(&text)));
	buf_fini(&text);
}

static const struct key *find_key(const struct tree_node *key, const struct key *keys, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (str_eq(key->text, str_of(keys[i].name)))
			return &keys[i];
	}
	return NULL;
}

static int read_keys(struct reader *r, const struct tree_node *node, const struct key *keys, size_t count,
		     const char *subject)
{
	if (node->kind != TREE_MAP) {
		refuse(r, node, subject, "a map of keys");
		return 0;
	}
	for (uint32_t i = 0; i < node->count; i += 2) {
		const struct tree_node *name = node->items[i], *value = node->items[i + 1];
		if (name->kind != TREE_SCALAR) {
			refuse(r, name, *subject ? subject : "rule", "a key");
			continue;
		}
		const struct key *key = find_key(name, keys, count);
		if (!key) {
			refuse_key(r, name, keys, count, subject);
			continue;
		}
		if (is_null(value))
			continue;
		int err = key->read(r, value);
		if (err)
			return err;
	}
	return 0;
}

/* Before all else: every message names the rule. */
static void find_name(struct reader *r, const struct tree_node *root)
{
	for (uint32_t i = 0; i < root->count; i += 2) {
		const struct tree_node *value = root->items[i + 1];
		if (root->items[i]->kind != TREE_SCALAR || !str_eq(root->items[i]->text, STR("name")))
			continue;
		if (is_text(value) && value->text.len)
			r->doc->name = value->text;
		else
			refuse(r, value, "name", "a text (put quotes around it)");
		return;
	}
	refuse(r, root, "name", "the name of the rule");
}

int document_read(const struct document_context *ctx, const struct tree_node *root, struct document *ret)
{
	struct document doc = {.type = RULE_DETECTION, .events = UINT64_MAX};
	struct reader r = {.ctx = ctx, .doc = &doc};
	int err = 0;

	doc.place = tree_place(root, ctx->file, 0);
	if (root->kind != TREE_MAP) {
		refuse(&r, root, "rule", "a map of keys");
	} else {
		find_name(&r, root);
		doc.place.rule = doc.name;
		document_check_duplicates(ctx, root, doc.name);
		err = read_keys(&r, root, rule_keys, sizeof(rule_keys) / sizeof(*rule_keys), "");
	}
	*ret = doc;
	return err;
}

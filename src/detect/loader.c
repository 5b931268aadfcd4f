/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect/loader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "detect/check.h"
#include "detect/document.h"

struct file_context {
	struct loader *loader;
	struct document_context document;
};

void loader_init(struct loader *ret, struct arena *a, struct problems *problems)
{
	*ret = (struct loader){.arena = a, .problems = problems};
}

void loader_fini(struct loader *l)
{
	templates_fini(&l->templates);
	free(l->rules);
	*l = (struct loader){0};
}

/* ---- rules ---- */

static struct rule *add_rule(struct loader *l)
{
	if (l->count == l->capacity) {
		uint32_t capacity = l->capacity ? l->capacity * 2 : 64;
		struct rule *rules = realloc(l->rules, capacity * sizeof(*rules));
		if (!rules)
			return NULL;
		l->rules = rules;
		l->capacity = capacity;
	}
	return &l->rules[l->count++];
}

/* Where a byte of an operand's or condition's text stands; after templates were put in, only where it begins. */
static struct place place_in(const struct file_context *f, const struct tree_node *node, bool changed,
			     uint32_t offset, struct str rule)
{
	struct place place = tree_place(node, f->document.file, changed ? 0 : offset);

	place.rule = rule;
	return place;
}

static void check_name(const struct file_context *f, const struct tree_node *key, struct str rule)
{
	struct place place = place_in(f, key, true, 0, rule);
	struct buf quoted = {0};
	bool fits = key->text.len > 1;

	buf_add_quoted(&quoted, key->text);
	for (uint32_t i = 1; i < key->text.len; i++) {
		char c = key->text.p[i];
		fits &= (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			c == '_';
	}
	if (!key->text.len || *key->text.p != '$')
		problems_add(f->loader->problems, PROBLEM_ERROR, &place,
			     "matches: operand must start with $, try with '$%.*s'", STR_ARG(key->text));
	else if (!fits)
		problems_add(
			f->loader->problems, PROBLEM_WARNING, &place,
			"matches: no condition can name %.*s: only letters, digits and _ may follow the $",
			STR_ARG(buf_str(&quoted)));
	buf_fini(&quoted);
}

static int expand(struct file_context *f, const struct tree_node *node, const struct place *place,
		  struct str *ret)
{
	struct str unknown;

	int err = templates_expand(&f->loader->templates, node->text, RULE_TEXT_MAX, f->loader->arena, ret,
				   &unknown);
	if (err == -E2BIG || (!err && ret->len > RULE_TEXT_MAX)) {
		problems_add(f->loader->problems, PROBLEM_ERROR, place,
			     "longer than %d bytes with its templates, or they use each other in a circle",
			     RULE_TEXT_MAX);
		return -EINVAL;
	}
	if (!err && unknown.p) {
		struct str nearest = templates_nearest(&f->loader->templates, unknown);
		problems_add(f->loader->problems, PROBLEM_WARNING, place,
			     "no template {{%.*s}} was loaded%s%.*s%s", STR_ARG(unknown),
			     nearest.p ? "; did you mean {{" : "", STR_ARG(nearest), nearest.p ? "}}?" : "");
	}
	return err;
}

static int read_operand(struct file_context *f, const struct tree_node *key, const struct tree_node *value,
			struct operand *ret, struct str rule)
{
	struct place place = place_in(f, value, true, 0, rule);
	struct syntax_error error;
	struct str text;

	*ret = (struct operand){.name = key->text, .place = place};
	if (key->kind != TREE_SCALAR) {
		document_refuse(&f->document, key, rule, "matches", "the name of an operand, like $a");
		return 0;
	}
	check_name(f, key, rule);
	if (value->kind != TREE_SCALAR || value->scalar != SCALAR_STRING) {
		document_refuse(&f->document, value, rule, "matches",
				"an expression like .data.exe.path == '/bin/sh'");
		return 0;
	}
	int err = expand(f, value, &place, &text);
	if (err)
		return err == -EINVAL ? 0 : err;
	err = expression_parse(text, f->loader->arena, &ret->expression, &error);
	if (err == -EINVAL) {
		place = place_in(f, value, text.p != value->text.p, error.offset, rule);
		problems_add(f->loader->problems, PROBLEM_ERROR, &place, "%.*s: %s", STR_ARG(key->text),
			     error.text);
		return 0;
	}
	ret->place = place_in(f, value, text.p != value->text.p, ret->expression.value_offset, rule);
	ret->exact = value->verbatim && text.p == value->text.p;
	return err;
}

static int read_operands(struct file_context *f, const struct document *doc, struct rule *rule)
{
	uint32_t n = doc->matches ? doc->matches->count / 2 : 0;

	rule->operands = arena_zalloc(f->loader->arena, (n + 1) * sizeof(*rule->operands));
	if (!rule->operands)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		int err = read_operand(f, doc->matches->items[2 * i], doc->matches->items[2 * i + 1],
				       &rule->operands[i], rule->name);
		if (err)
			return err;
	}
	rule->operand_count = n;
	return 0;
}

struct missing_context {
	struct file_context *file;
	const struct tree_node *node;
	struct str rule;
};

static void report_missing(void *context, struct str name, uint32_t offset)
{
	struct missing_context *c = context;
	struct place place = place_in(c->file, c->node, false, offset, c->rule);

	problems_add(c->file->loader->problems, PROBLEM_WARNING, &place,
		     "condition: there is no operand that %.*s could mean", STR_ARG(name));
}

static int parse_condition(struct file_context *f, const struct document *doc, struct rule *rule,
			   const struct str *names, bool *used)
{
	struct missing_context missing = {f, doc->condition, rule->name};
	struct condition_input input = {
		.text = doc->condition ? doc->condition->text : STR(""),
		.operands = names,
		.operand_count = rule->operand_count,
		.ret_used = used,
		.on_missing = report_missing,
		.context = &missing,
	};
	struct syntax_error error;

	if (input.text.len > RULE_TEXT_MAX) {
		document_refuse(&f->document, doc->condition, rule->name, "condition", "at most 65536 bytes");
		return 0;
	}
	int err = condition_parse(&input, f->loader->arena, &rule->condition, &error);
	if (err != -EINVAL)
		return err;
	struct place place = place_in(f, doc->condition, false, error.offset, rule->name);
	problems_add(f->loader->problems, PROBLEM_ERROR, &place, "condition: %s", error.text);
	return 0;
}

static int read_rule_condition(struct file_context *f, const struct document *doc, struct rule *rule)
{
	struct str *names = calloc(rule->operand_count + 1, sizeof(*names));
	bool *used = calloc(rule->operand_count + 1, sizeof(*used));
	int err = names && used ? 0 : -ENOMEM;

	for (uint32_t i = 0; !err && i < rule->operand_count; i++)
		names[i] = rule->operands[i].name;
	if (!err)
		err = parse_condition(f, doc, rule, names, used);
	for (uint32_t i = 0; !err && i < rule->operand_count; i++)
		rule->operands[i].used = used[i];
	free(names);
	free(used);
	return err;
}

static int add_document(void *context, const struct tree_node *root)
{
	struct file_context *f = context;
	struct loader *l = f->loader;
	uint32_t errors = l->problems->errors;
	struct document doc;

	int err = document_read(&f->document, root, &doc);
	if (err)
		return err;
	if (doc.disabled) {
		l->disabled++;
		return 0;
	}
	if (l->count == RULES_MAX) {
		problems_add(l->problems, PROBLEM_ERROR, &doc.place, "more than %d rules", RULES_MAX);
		return 0;
	}
	struct rule *rule = add_rule(l);
	if (!rule)
		return -ENOMEM;
	*rule = (struct rule){
		.name = doc.name,
		.type = doc.type,
		.exclude = doc.exclude,
		.severity = doc.severity,
		.events = doc.events,
		.tags = doc.tags,
		.attack = doc.attack,
		.actions = doc.actions,
		.place = doc.place,
	};
	err = read_operands(f, &doc, rule);
	if (!err)
		err = read_rule_condition(f, &doc, rule);
	if (err)
		return err;
	if (l->problems->errors == errors)
		check_rule(rule, l->problems);
	else
		check_broken_rule(rule, l->problems);
	return 0;
}

/* ---- templates ---- */

static int add_template(struct file_context *f, const struct tree_node *key, const struct tree_node *value)
{
	struct place place = tree_place(key, f->document.file, 0);

	if (key->kind != TREE_SCALAR || value->kind != TREE_SCALAR || value->scalar != SCALAR_STRING) {
		document_refuse(&f->document, value, (struct str){0}, "template",
				"a text (put quotes around it); rules belong into *.kun files");
		return 0;
	}
	int err = templates_add(&f->loader->templates, key->text, value->text);
	if (err == -EEXIST)
		problems_add(f->loader->problems, PROBLEM_ERROR, &place,
			     "template: error duplicate template name: %.*s", STR_ARG(key->text));
	else if (err == -E2BIG)
		problems_add(f->loader->problems, PROBLEM_ERROR, &place, "more than %d templates",
			     TEMPLATES_MAX);
	return err == -ENOMEM ? err : 0;
}

static int add_template_document(void *context, const struct tree_node *root)
{
	struct file_context *f = context;

	if (root->kind != TREE_MAP) {
		document_refuse(&f->document, root, (struct str){0}, "templates",
				"a map from names to texts");
		return 0;
	}
	uint32_t errors = f->loader->problems->errors;
	document_check_duplicates(&f->document, root, (struct str){0});
	for (uint32_t i = 0; i < root->count && f->loader->problems->errors == errors; i += 2) {
		int err = add_template(f, root->items[i], root->items[i + 1]);
		if (err)
			return err;
	}
	return 0;
}

/* ---- files ---- */

static int add_text(struct loader *l, struct str file, struct str text,
		    int (*visit)(void *context, const struct tree_node *root))
{
	struct file_context f = {
		.loader = l,
		.document = {.file = arena_str(l->arena, file), .arena = l->arena, .problems = l->problems},
	};

	if (!f.document.file.p)
		return -ENOMEM;
	return tree_each_document(text, f.document.file, l->arena, l->problems, visit, &f);
}

int loader_add_rules(struct loader *l, struct str file, struct str text)
{
	return add_text(l, file, text, add_document);
}

int loader_add_templates(struct loader *l, struct str file, struct str text)
{
	return add_text(l, file, text, add_template_document);
}

static int add_file(struct loader *l, const char *path, bool templates)
{
	struct buf text = {0};

	int err = file_read(path, RULE_FILE_MAX, &text);
	if (err && err != -ENOMEM) {
		struct place place = {.file = str_of(path)};
		problems_add(l->problems, PROBLEM_ERROR, &place, "cannot be read: %s", strerror(-err));
		err = 0;
	} else if (!err) {
		err = templates ? loader_add_templates(l, str_of(path), buf_str(&text))
				: loader_add_rules(l, str_of(path), buf_str(&text));
	}
	buf_fini(&text);
	return err;
}

static int add_rule_file(void *context, const char *path)
{
	return add_file(context, path, false);
}

static int add_template_file(void *context, const char *path)
{
	return add_file(context, path, true);
}

static int add_directory(struct loader *l, const char *path)
{
	static const char *const templates[] = {".yaml", ".yml", NULL};
	static const char *const rules[] = {".kun", ".kunai", ".gen", ".gene", NULL};
	struct place place = {.file = str_of(path)};

	int err = file_each(path, templates, add_template_file, l);
	if (!err)
		err = file_each(path, rules, add_rule_file, l);
	if (err && err != -ENOMEM) {
		problems_add(l->problems, PROBLEM_ERROR, &place, "cannot be read: %s", strerror(-err));
		err = 0;
	}
	return err;
}

int loader_add_path(struct loader *l, const char *path)
{
	struct stat st = {0};

	int err = file_stat(path, &st);
	if (err == -ENOENT || err == -ENOTDIR)
		return -ENOENT;
	if (!S_ISDIR(st.st_mode))
		return add_file(l, path, false);
	return add_directory(l, path);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <yaml.h>

struct anchor {
	struct str name;
	struct tree_node *node;
};

struct open_node {
	struct tree_node *node;
	struct tree_node **items;
	uint32_t count;
	uint32_t capacity;
};

struct builder {
	struct arena *arena; /* of texts */
	struct arena nodes;  /* of the document */
	struct str file;
	struct problems *problems;
	struct tree_node *root;
	struct open_node stack[TREE_DEPTH_MAX];
	uint32_t depth;
	struct anchor anchors[TREE_ANCHORS_MAX];
	uint32_t anchor_count;
	bool bad; /* a problem was added: the rest of the document is passed by */
};

static uint32_t count_characters(struct str text, uint32_t bytes)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < bytes; i++)
		n += ((unsigned char)text.p[i] & 0xc0) != 0x80;
	return n;
}

struct place tree_place(const struct tree_node *node, struct str file, uint32_t offset)
{
	struct place place = {.file = file, .line = node->line, .column = node->column};

	if (!node->verbatim || offset > node->text.len)
		return place;
	place.column += node->quoted + count_characters(node->text, offset);
	return place;
}

static struct place place_of_mark(const struct builder *b, yaml_mark_t mark)
{
	return (struct place){
		.file = b->file, .line = (uint32_t)mark.line + 1, .column = (uint32_t)mark.column + 1};
}

static void refuse(struct builder *b, yaml_mark_t mark, const char *text)
{
	struct place place = place_of_mark(b, mark);

	if (!b->bad)
		problems_add(b->problems, PROBLEM_ERROR, &place, "%s", text);
	b->bad = true;
}

static struct str keep(struct builder *b, const yaml_char_t *text, size_t len)
{
	return arena_str(b->arena, (struct str){(const char *)text, (uint32_t)len});
}

static struct tree_node *node_new(struct builder *b, const yaml_event_t *event, enum tree_kind kind)
{
	struct tree_node *node = arena_zalloc(&b->nodes, sizeof(*node));

	if (node) {
		node->kind = kind;
		node->line = (uint32_t)event->start_mark.line + 1;
		node->column = (uint32_t)event->start_mark.column + 1;
	}
	return node;
}

static int add_anchor(struct builder *b, const yaml_event_t *event, const yaml_char_t *name,
		      struct tree_node *node)
{
	if (!name)
		return 0;
	if (b->anchor_count == TREE_ANCHORS_MAX) {
		refuse(b, event->start_mark, "too many anchors (&name) in one document");
		return 0;
	}
	struct str kept = keep(b, name, strlen((const char *)name));
	if (!kept.p)
		return -ENOMEM;
	b->anchors[b->anchor_count++] = (struct anchor){kept, node};
	return 0;
}

/* Puts a finished node into the list or map that is open. */
static int add_item(struct builder *b, struct tree_node *node)
{
	if (b->depth == 0) {
		b->root = node;
		return 0;
	}
	struct open_node *open = &b->stack[b->depth - 1];
	if (open->count == open->capacity) {
		uint32_t capacity = open->capacity ? open->capacity * 2 : 8;
		struct tree_node **items = realloc(open->items, capacity * sizeof(*items));
		if (!items)
			return -ENOMEM;
		open->items = items;
		open->capacity = capacity;
	}
	open->items[open->count++] = node;
	return 0;
}

static int add_scalar(struct builder *b, const yaml_event_t *event)
{
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	bool quoted = event->data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
		      event->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	struct tree_node *node = node_new(b, event, TREE_SCALAR);

	if (!node)
		return -ENOMEM;
	node->text = keep(b, event->data.scalar.value, event->data.scalar.length);
	if (!node->text.p)
		return -ENOMEM;
	const char *tag = (const char *)event->data.scalar.tag;
	node->scalar = plain && (!tag || strcmp(tag, YAML_STR_TAG) != 0) ? scalar_kind_of(node->text)
									 : SCALAR_STRING;
	node->quoted = quoted;
	/* with its quotes it is as long as the text, unless there were escapes */
	node->verbatim = (plain || quoted) && event->start_mark.line == event->end_mark.line &&
			 event->end_mark.index - event->start_mark.index ==
				 count_characters(node->text, node->text.len) + 2 * (size_t)quoted;
	int err = add_anchor(b, event, event->data.scalar.anchor, node);
	return err ? err : add_item(b, node);
}

static int add_alias(struct builder *b, const yaml_event_t *event)
{
	struct str name = {(const char *)event->data.alias.anchor,
			   (uint32_t)strlen((const char *)event->data.alias.anchor)};

	/* the last one of a name is meant */
	for (uint32_t i = b->anchor_count; i > 0; i--) {
		struct tree_node *node = b->anchors[i - 1].node;
		if (!str_eq(b->anchors[i - 1].name, name))
			continue;
		if (node->kind == TREE_SCALAR || node->items)
			return add_item(b, node);
		refuse(b, event->start_mark, "this alias (*name) stands in what it means");
		return 0;
	}
	refuse(b, event->start_mark, "this alias (*name) has no anchor (&name) before it");
	return 0;
}

static int open_node(struct builder *b, const yaml_event_t *event, enum tree_kind kind)
{
	const yaml_char_t *anchor =
		kind == TREE_LIST ? event->data.sequence_start.anchor : event->data.mapping_start.anchor;

	if (b->depth == TREE_DEPTH_MAX) {
		refuse(b, event->start_mark, "lists and maps in each other are too deep");
		return 0;
	}
	struct tree_node *node = node_new(b, event, kind);
	if (!node)
		return -ENOMEM;
	b->stack[b->depth++] = (struct open_node){.node = node};
	return add_anchor(b, event, anchor, node);
}

static int close_node(struct builder *b)
{
	struct open_node *open = &b->stack[--b->depth];
	struct tree_node *node = open->node;

	node->count = open->count;
	node->items = arena_alloc(&b->nodes, (open->count + 1) * sizeof(struct tree_node *));
	if (node->items && open->count)
		memcpy(node->items, open->items, open->count * sizeof(struct tree_node *));
	free(open->items);
	open->items = NULL;
	return node->items ? add_item(b, node) : -ENOMEM;
}

static void forget(struct builder *b)
{
	while (b->depth)
		free(b->stack[--b->depth].items);
	arena_reset(&b->nodes);
	b->root = NULL;
	b->anchor_count = 0;
	b->bad = false;
}

static int add_event(struct builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return add_scalar(b, event);
	case YAML_ALIAS_EVENT:
		return add_alias(b, event);
	case YAML_SEQUENCE_START_EVENT:
		return open_node(b, event, TREE_LIST);
	case YAML_MAPPING_START_EVENT:
		return open_node(b, event, TREE_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_node(b);
	default:
		return 0;
	}
}

static void report_syntax(struct builder *b, const yaml_parser_t *parser, struct str text)
{
	struct place place = place_of_mark(b, parser->problem_mark);

	if (parser->error == YAML_READER_ERROR) {
		/* bytes that are no text have an offset instead of a mark */
		place.line = place.column = 1;
		for (size_t i = 0; i < text.len && i < parser->problem_offset; i++) {
			place.column++;
			if (text.p[i] == '\n') {
				place.line++;
				place.column = 1;
			}
		}
	}
	problems_add(b->problems, PROBLEM_ERROR, &place, "not valid YAML: %s%s%s",
		     parser->context ? parser->context : "", parser->context ? ", " : "",
		     parser->problem ? parser->problem : "unknown problem");
}

static bool is_empty(const struct tree_node *root)
{
	return !root || (root->kind == TREE_SCALAR && root->scalar == SCALAR_NULL);
}

/* One event; ret_end is set at the end of the file. */
static int step(struct builder *b, yaml_parser_t *parser, int (*visit)(void *, const struct tree_node *),
		void *context, bool *ret_end)
{
	yaml_event_t event;
	int err = 0;

	if (!yaml_parser_parse(parser, &event)) {
		if (parser->error == YAML_MEMORY_ERROR)
			return -ENOMEM;
		report_syntax(
			b, parser,
			(struct str){(const char *)parser->input.string.start,
				     (uint32_t)(parser->input.string.end - parser->input.string.start)});
		*ret_end = true;
		return 0;
	}
	*ret_end = event.type == YAML_STREAM_END_EVENT;
	if (event.type == YAML_DOCUMENT_START_EVENT) {
		forget(b);
	} else if (event.type == YAML_DOCUMENT_END_EVENT) {
		if (!b->bad && !is_empty(b->root))
			err = visit(context, b->root);
	} else if (!b->bad) {
		err = add_event(b, &event);
	}
	/* libyaml itself takes time by the square of the depth of brackets */
	if (b->bad && b->depth == TREE_DEPTH_MAX)
		*ret_end = true;
	yaml_event_delete(&event);
	return err;
}

static bool has_many_directives(struct str text)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < text.len; i++)
		n += text.p[i] == '%' && (i == 0 || text.p[i - 1] == '\n' || text.p[i - 1] == '\r');
	return n > TREE_DIRECTIVES_MAX;
}

int tree_each_document(struct str text, struct str file, struct arena *a, struct problems *problems,
		       int (*visit)(void *context, const struct tree_node *root), void *context)
{
	struct builder *b = calloc(1, sizeof(*b));
	yaml_parser_t parser;
	bool end = false;
	int err = 0;

	if (!b)
		return -ENOMEM;
	*b = (struct builder){.arena = a, .file = file, .problems = problems};
	if (has_many_directives(text)) {
		refuse(b, (yaml_mark_t){0}, "too many lines that begin with %");
	} else if (!yaml_parser_initialize(&parser)) {
		err = -ENOMEM;
	} else {
		yaml_parser_set_input_string(&parser, (const unsigned char *)text.p, text.len);
		while (!end && !err)
			err = step(b, &parser, visit, context, &end);
		yaml_parser_delete(&parser);
	}
	forget(b);
	arena_fini(&b->nodes);
	free(b);
	return err;
}

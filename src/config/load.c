/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>

#include "base/file.h"
#include "config/config.h"
#include "config/load_tree.h"

/* Bytes that are no text have an offset instead of a mark. */
static struct config_place place_of_offset(const char *text, size_t len, size_t offset)
{
	struct config_place place = {1, 1};

	for (size_t i = 0; i < len && i < offset; i++) {
		place.column++;
		if (text[i] == '\n')
			place = (struct config_place){place.line + 1, 1};
	}
	return place;
}

static int report_syntax(const yaml_parser_t *parser, const char *text, size_t len,
			 struct config_messages *messages)
{
	struct config_place place = {(uint32_t)parser->problem_mark.line + 1,
				     (uint32_t)parser->problem_mark.column + 1};

	if (parser->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (parser->error == YAML_READER_ERROR)
		place = place_of_offset(text, len, parser->problem_offset);
	config_messages_add(messages, CONFIG_ERROR, place, "not valid YAML: %s%s%s",
			    parser->context ? parser->context : "", parser->context ? ", " : "",
			    parser->problem ? parser->problem : "unknown problem");
	return 0;
}

/* A second document would be ignored silently, so it is refused. */
static int check_end(yaml_parser_t *parser, const char *text, size_t len, struct config_messages *messages)
{
	yaml_document_t document;

	if (!yaml_parser_load(parser, &document))
		return report_syntax(parser, text, len, messages);
	yaml_node_t *root = yaml_document_get_root_node(&document);
	if (root) {
		struct config_place place = {(uint32_t)root->start_mark.line + 1,
					     (uint32_t)root->start_mark.column + 1};
		config_messages_add(messages, CONFIG_ERROR, place, "more than one document in the file");
	}
	yaml_document_delete(&document);
	return 0;
}

static int parse(yaml_parser_t *parser, const char *text, size_t len, struct config *config,
		 struct config_messages *messages)
{
	yaml_document_t document;

	if (!yaml_parser_load(parser, &document))
		return report_syntax(parser, text, len, messages);
	/* No root: an empty file, all defaults, and the parser is at its end. */
	bool empty = !yaml_document_get_root_node(&document);
	int err = load_tree(&document, config, messages);
	yaml_document_delete(&document);
	if (err || empty)
		return err;
	return check_end(parser, text, len, messages);
}

/*
 * libyaml 0.2.5 takes time by the square of the depth of [ and { (a minute for 100 KiB of them), of the number of
 * anchors, which every alias searches, and of that of the %TAG lines. Real files have a few dozen of all.
 */
static size_t count_costly(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '&' || text[i] == '[' || text[i] == '{' || text[i] == '%';
	return n;
}

static bool is_within_bounds(const char *text, size_t len, struct config_messages *messages)
{
	const struct config_place nowhere = {0};

	if (len > CONFIG_MAX_FILE)
		config_messages_add(messages, CONFIG_ERROR, nowhere, "larger than %d bytes", CONFIG_MAX_FILE);
	else if (count_costly(text, len) > CONFIG_MAX_COSTLY)
		config_messages_add(messages, CONFIG_ERROR, nowhere,
				    "more than %d of the characters & [ { %%", CONFIG_MAX_COSTLY);
	else
		return true;
	return false;
}

int config_load_text(const char *text, size_t len, struct config *ret, struct config_messages *messages)
{
	struct config config;
	yaml_parser_t parser;

	if (!is_within_bounds(text, len, messages))
		return -EINVAL;
	int err = config_init_defaults(&config);
	if (err)
		return err;
	if (!yaml_parser_initialize(&parser)) {
		config_fini(&config);
		return -ENOMEM;
	}

	uint32_t errors_before = messages->errors;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	err = parse(&parser, text, len, &config, messages);
	yaml_parser_delete(&parser);
	if (!err && messages->errors > errors_before)
		err = -EINVAL;
	if (err)
		config_fini(&config);
	else
		*ret = config;
	return err;
}

int config_load(const char *path, struct config *ret, struct config_messages *messages)
{
	struct buf text = {0};

	int err = file_read(path, CONFIG_MAX_FILE, &text);
	if (!err || err == -EFBIG) /* which has a message of its own */
		err = config_load_text(buf_str(&text).p, text.len, ret, messages);
	buf_fini(&text);
	return err;
}

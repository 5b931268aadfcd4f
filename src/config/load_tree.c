/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/load_tree.h"

#include <errno.h>
#include <stdio.h>

#include "base/nearest.h"
#include "config/option.h"

enum { MAX_KEY = 64 };

struct loader {
	yaml_document_t *document;
	struct config *config;
	struct config_messages *messages;
	bool option_seen[OPTION_COUNT];
	bool section_seen[OPTION_COUNT]; /* by the first option of the section */
	bool events_seen;
};

static struct config_place place_of(const yaml_node_t *node)
{
	return (struct config_place){(uint32_t)node->start_mark.line + 1,
				     (uint32_t)node->start_mark.column + 1};
}

static yaml_node_t *node_at(struct loader *loader, int index)
{
	return yaml_document_get_node(loader->document, index);
}

static struct str scalar_text(const yaml_node_t *node)
{
	return (struct str){(const char *)node->data.scalar.value, (uint32_t)node->data.scalar.length};
}

static enum scalar_kind scalar_kind(const yaml_node_t *node)
{
	return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? scalar_kind_of(scalar_text(node))
								  : SCALAR_STRING;
}

/* "null", "a list", "the string 'x'", "5": what stands in the file, for an error message. */
static void add_found(struct buf *out, const yaml_node_t *node)
{
	if (node->type == YAML_SEQUENCE_NODE) {
		buf_add_str(out, STR("a list"));
	} else if (node->type == YAML_MAPPING_NODE) {
		buf_add_str(out, STR("a mapping"));
	} else if (scalar_kind(node) == SCALAR_NULL) {
		buf_add_str(out, STR("null"));
	} else {
		if (scalar_kind(node) == SCALAR_STRING)
			buf_add_str(out, STR("the string "));
		buf_add_quoted(out, scalar_text(node));
	}
}

/* "<subject>: found <what is there>, expected <what should be>" */
static void refuse(struct loader *loader, const yaml_node_t *node, const char *subject, struct str expected)
{
	struct buf found = {0};

	add_found(&found, node);
	config_messages_add(loader->messages, CONFIG_ERROR, place_of(node), "%s: found %.*s, expected %.*s",
			    subject, STR_ARG(buf_str(&found)), STR_ARG(expected));
	buf_fini(&found);
}

static void refuse_option(struct loader *loader, const yaml_node_t *node, const struct config_option *option)
{
	struct buf expected = {0};

	option_add_expected(option, &expected);
	refuse(loader, node, option->key, buf_str(&expected));
	buf_fini(&expected);
}

/* What is wrong with a key: unknown, or there twice; followed by the name that may be meant. */
static void report_key(struct loader *loader, enum config_level level, const yaml_node_t *key,
		       const char *what, struct str nearest)
{
	struct buf text = {0};

	buf_printf(&text, "%s ", what);
	buf_add_quoted(&text, scalar_text(key));
	if (nearest.p)
		buf_printf(&text, "; did you mean '%.*s'?", STR_ARG(nearest));
	config_messages_add(loader->messages, level, place_of(key), "%.*s", STR_ARG(buf_str(&text)));
	buf_fini(&text);
}

/* True, and an error reported, when the flag was set already. */
static bool is_duplicate(struct loader *loader, const yaml_node_t *key, bool *seen)
{
	bool duplicate = *seen;

	*seen = true;
	if (duplicate)
		report_key(loader, CONFIG_ERROR, key, "duplicate key", (struct str){0});
	return duplicate;
}

static bool is_key(struct loader *loader, const yaml_node_t *key)
{
	if (key->type == YAML_SCALAR_NODE)
		return true;
	refuse(loader, key, "key", STR("a plain word"));
	return false;
}

static int load_scalar(struct loader *loader, const yaml_node_t *node, const struct config_option *option)
{
	enum scalar_kind kind = scalar_kind(node);

	if (!(option_accepts(option) & kind))
		return -EINVAL;
	if (kind == SCALAR_NULL)
		return option_set_null(option, loader->config);
	return option_set_text(option, loader->config, scalar_text(node));
}

static int load_path(struct loader *loader, const yaml_node_t *node, const struct config_option *option)
{
	if (node->type != YAML_SCALAR_NODE || scalar_kind(node) != SCALAR_STRING) {
		refuse(loader, node, option->key, STR("a path"));
		return 0;
	}
	int err = option_set_text(option, loader->config, scalar_text(node));
	if (err == -E2BIG)
		config_messages_add(loader->messages, CONFIG_ERROR, place_of(node),
				    "%s: more than %d entries", option->key, CONFIG_MAX_PATHS);
	else if (err == -EINVAL)
		refuse(loader, node, option->key, STR("a path"));
	return err == -ENOMEM || err == -E2BIG ? err : 0;
}

static int load_paths(struct loader *loader, const yaml_node_t *node, const struct config_option *option)
{
	option_clear_list(option, loader->config);
	for (yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top;
	     item++) {
		int err = load_path(loader, node_at(loader, *item), option);
		if (err)
			return err == -E2BIG ? 0 : err;
	}
	return 0;
}

static int load_option(struct loader *loader, const yaml_node_t *node, const struct config_option *option)
{
	if (option->type == OPTION_TYPE_PATHS && node->type == YAML_SEQUENCE_NODE)
		return load_paths(loader, node, option);

	int err = node->type == YAML_SCALAR_NODE ? load_scalar(loader, node, option) : -EINVAL;
	if (err == -ENOMEM)
		return err;
	if (err)
		refuse_option(loader, node, option);
	return 0;
}

/* The value of `enable` in the mapping of one event. */
static void load_event(struct loader *loader, const yaml_node_t *node, enum event_type type)
{
	const char *subject = event_catalogue[type].name.p;
	bool seen = false;

	if (node->type != YAML_MAPPING_NODE) {
		refuse(loader, node, subject, STR("a mapping with enable: true or false"));
		return;
	}
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
	     pair++) {
		yaml_node_t *key = node_at(loader, pair->key), *value = node_at(loader, pair->value);
		bool enable;

		if (!is_key(loader, key))
			continue;
		if (!str_eq(scalar_text(key), STR("enable"))) {
			report_key(loader, CONFIG_WARNING, key, "unknown key", STR("enable"));
			continue;
		}
		if (is_duplicate(loader, key, &seen))
			continue;
		if (value->type != YAML_SCALAR_NODE || scalar_kind(value) != SCALAR_BOOL) {
			refuse(loader, value, "enable", STR("true or false"));
			continue;
		}
		scalar_parse_bool(scalar_text(value), &enable);
		if (event_catalogue[type].configurable)
			loader->config->events[type] = enable;
		else if (!enable)
			config_messages_add(loader->messages, CONFIG_WARNING, place_of(key),
					    "event '%s' cannot be disabled", subject);
	}
	if (!seen)
		refuse(loader, node, subject, STR("enable: true or false in it"));
}

static void refuse_event(struct loader *loader, const yaml_node_t *key)
{
	struct nearest nearest;

	nearest_init(&nearest, scalar_text(key));
	for (int type = 0; type < EVENT_COUNT; type++) {
		if (event_catalogue[type].configurable)
			nearest_offer(&nearest, event_catalogue[type].name);
	}
	report_key(loader, CONFIG_ERROR, key, "unknown event", nearest.best);
}

/* Absent from the map means disabled, as in Kunai: an old file must not turn on what came later. */
static void report_absent_events(struct loader *loader, const yaml_node_t *key, const bool *seen)
{
	struct buf names = {0};

	for (int type = 0; type < EVENT_COUNT; type++) {
		if (seen[type] || !event_catalogue[type].configurable)
			continue;
		if (names.len)
			buf_add_str(&names, STR(", "));
		buf_add_str(&names, event_catalogue[type].name);
	}
	if (names.len)
		config_messages_add(loader->messages, CONFIG_WARNING, place_of(key),
				    "disabled because the map of events does not name them: %.*s",
				    STR_ARG(buf_str(&names)));
	buf_fini(&names);
}

static void load_events(struct loader *loader, const yaml_node_t *events_key, const yaml_node_t *node)
{
	bool seen[EVENT_COUNT] = {false};

	if (is_duplicate(loader, events_key, &loader->events_seen))
		return;
	if (node->type != YAML_MAPPING_NODE) {
		refuse(loader, node, "events",
		       STR("a mapping from names of events to enable: true or false"));
		return;
	}
	for (int type = 0; type < EVENT_COUNT; type++)
		loader->config->events[type] = !event_catalogue[type].configurable;

	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
	     pair++) {
		yaml_node_t *key = node_at(loader, pair->key);
		if (!is_key(loader, key))
			continue;
		int type = event_type_by_name(scalar_text(key));
		if (type < 0)
			refuse_event(loader, key);
		else if (!is_duplicate(loader, key, &seen[type]))
			load_event(loader, node_at(loader, pair->value), (enum event_type)type);
	}
	report_absent_events(loader, events_key, seen);
}

/* The option whose key is prefix and name, or, when that is a section, the first option in it. */
static int find_option(struct str prefix, struct str name, bool *ret_is_section)
{
	for (int id = 0; id < OPTION_COUNT; id++) {
		struct str key = str_of(config_options[id].key);
		if (!key.p || !str_starts_with(key, prefix))
			continue;
		struct str rest = {key.p + prefix.len, key.len - prefix.len};
		const char *dot = memchr(rest.p, '.', rest.len);
		if (dot)
			rest.len = (uint32_t)(dot - rest.p);
		if (str_eq(rest, name)) {
			*ret_is_section = dot != NULL;
			return id;
		}
	}
	return -ENOENT;
}

static void warn_unknown_key(struct loader *loader, const yaml_node_t *key, struct str prefix)
{
	struct nearest nearest;

	nearest_init(&nearest, scalar_text(key));
	if (prefix.len == 0)
		nearest_offer(&nearest, STR("events"));
	for (int id = 0; id < OPTION_COUNT; id++) {
		struct str known = str_of(config_options[id].key);
		if (!known.p || !str_starts_with(known, prefix))
			continue;
		known = (struct str){known.p + prefix.len, known.len - prefix.len};
		const char *dot = memchr(known.p, '.', known.len);
		if (dot)
			known.len = (uint32_t)(dot - known.p);
		nearest_offer(&nearest, known);
	}
	report_key(loader, CONFIG_WARNING, key, "unknown key", nearest.best);
}

static int load_mapping(struct loader *loader, const yaml_node_t *node, struct str prefix);

static int load_section(struct loader *loader, const yaml_node_t *node, struct str name)
{
	char prefix[MAX_KEY];
	int len = snprintf(prefix, sizeof(prefix), "%.*s.", STR_ARG(name));

	if (node->type != YAML_MAPPING_NODE) {
		prefix[len - 1] = '\0';
		refuse(loader, node, prefix, STR("a mapping"));
		return 0;
	}
	return load_mapping(loader, node, (struct str){prefix, (uint32_t)len});
}

static int load_pair(struct loader *loader, const yaml_node_t *key, const yaml_node_t *value,
		     struct str prefix)
{
	struct str name = scalar_text(key);
	bool is_section;

	if (prefix.len == 0 && str_eq(name, STR("events"))) {
		load_events(loader, key, value);
		return 0;
	}
	int id = name.len ? find_option(prefix, name, &is_section) : -ENOENT;
	if (id < 0) {
		warn_unknown_key(loader, key, prefix);
		return 0;
	}
	if (is_duplicate(loader, key, is_section ? &loader->section_seen[id] : &loader->option_seen[id]))
		return 0;
	return is_section ? load_section(loader, value, name)
			  : load_option(loader, value, &config_options[id]);
}

static int load_mapping(struct loader *loader, const yaml_node_t *node, struct str prefix)
{
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
	     pair++) {
		yaml_node_t *key = node_at(loader, pair->key);
		if (!is_key(loader, key))
			continue;
		int err = load_pair(loader, key, node_at(loader, pair->value), prefix);
		if (err)
			return err;
	}
	return 0;
}

int load_tree(yaml_document_t *document, struct config *config, struct config_messages *messages)
{
	struct loader state = {.document = document, .config = config, .messages = messages};
	struct loader *loader = &state;
	yaml_node_t *root = yaml_document_get_root_node(document);

	if (!root || (root->type == YAML_SCALAR_NODE && scalar_kind(root) == SCALAR_NULL))
		return 0;
	if (root->type != YAML_MAPPING_NODE) {
		refuse(loader, root, "configuration", STR("a mapping"));
		return 0;
	}
	return load_mapping(loader, root, STR(""));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libyaml's emitter writes the text: Kunai's serde_yaml uses the same one, so quoting is the same too. */
#include <errno.h>
#include <yaml.h>

#include "config/option.h"

struct dump {
	yaml_emitter_t emitter;
	bool failed;
};

/* The emitter takes the event over, whether it succeeds or not. */
static void emit(struct dump *dump, yaml_event_t *event, int initialised)
{
	if (!initialised || (!dump->failed && !yaml_emitter_emit(&dump->emitter, event)))
		dump->failed = true;
	else if (dump->failed)
		yaml_event_delete(event);
}

static int init_scalar(yaml_event_t *event, struct str text, yaml_scalar_style_t style)
{
	return yaml_scalar_event_initialize(event, NULL, NULL, (const yaml_char_t *)text.p, (int)text.len, 1,
					    1, style);
}

/* A path need not be UTF-8 but YAML must: every byte beyond ASCII becomes U+FFFD then. */
static void add_ascii(struct buf *out, struct str text)
{
	for (uint32_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.p[i] < 0x80)
			buf_add_char(out, text.p[i]);
		else
			buf_add_str(out, STR("\xef\xbf\xbd"));
	}
}

static void emit_scalar(struct dump *dump, struct str text, yaml_scalar_style_t style)
{
	struct buf ascii = {0};
	yaml_event_t event;

	int initialised = init_scalar(&event, text, style);
	if (!initialised) {
		add_ascii(&ascii, text);
		initialised = !ascii.failed && init_scalar(&event, buf_str(&ascii), style);
	}
	emit(dump, &event, initialised);
	buf_fini(&ascii);
}

static void emit_plain(struct dump *dump, struct str text)
{
	emit_scalar(dump, text, YAML_PLAIN_SCALAR_STYLE);
}

static void emit_string(struct dump *dump, struct str text)
{
	bool plain = scalar_kind_of(text) == SCALAR_STRING;
	emit_scalar(dump, text, plain ? YAML_PLAIN_SCALAR_STYLE : YAML_SINGLE_QUOTED_SCALAR_STYLE);
}

static void begin_mapping(struct dump *dump)
{
	yaml_event_t event;
	int ok = yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE);
	emit(dump, &event, ok);
}

static void end_mapping(struct dump *dump)
{
	yaml_event_t event;
	emit(dump, &event, yaml_mapping_end_event_initialize(&event));
}

static void dump_paths(struct dump *dump, const struct config_paths *paths)
{
	yaml_event_t event;
	int ok = yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE);
	emit(dump, &event, ok);
	for (uint32_t i = 0; i < paths->count; i++)
		emit_string(dump, str_of(paths->v[i]));
	emit(dump, &event, yaml_sequence_end_event_initialize(&event));
}

static void dump_value(struct dump *dump, const struct config_option *option, struct str text)
{
	if (option->type == OPTION_TYPE_PATH || option->type == OPTION_TYPE_OPTIONAL_PATH ||
	    option->type == OPTION_TYPE_LOOPBACK || option->type == OPTION_TYPE_SHA256)
		emit_string(dump, text);
	else
		emit_plain(dump, text);
}

/* Closes the section of the previous row and opens that of this one, as far as they differ. */
static void enter_section(struct dump *dump, struct str *section, struct str wanted)
{
	if (str_eq(*section, wanted))
		return;
	if (section->len)
		end_mapping(dump);
	if (wanted.len) {
		emit_plain(dump, wanted);
		begin_mapping(dump);
	}
	*section = wanted;
}

static void dump_option(struct dump *dump, const struct config_option *option, const struct config *config,
			struct str *section)
{
	struct buf text = {0};

	option_add_text(option, config, &text);
	if (text.failed)
		dump->failed = true;
	if (option->dump_only_changed && str_eq(buf_str(&text), str_of(option->default_text)))
		goto out;
	if (option->type == OPTION_TYPE_UUID && !text.len)
		goto out; /* derived where the file is read */

	const char *dot = strchr(option->key, '.');
	enter_section(dump, section, (struct str){option->key, dot ? (uint32_t)(dot - option->key) : 0});
	emit_plain(dump, str_of(dot ? dot + 1 : option->key));
	if (option->type == OPTION_TYPE_PATHS)
		dump_paths(dump, option_paths(option, config));
	else
		dump_value(dump, option, buf_str(&text));
out:
	buf_fini(&text);
}

static void dump_events(struct dump *dump, const struct config *config)
{
	emit_plain(dump, STR("events"));
	begin_mapping(dump);
	for (int type = 0; type < EVENT_COUNT; type++) {
		if (!event_catalogue[type].configurable)
			continue;
		emit_plain(dump, event_catalogue[type].name);
		begin_mapping(dump);
		emit_plain(dump, STR("enable"));
		emit_plain(dump, config->events[type] ? STR("true") : STR("false"));
		end_mapping(dump);
	}
	end_mapping(dump);
}

static void dump_document(struct dump *dump, const struct config *config)
{
	struct str section = STR("");
	yaml_event_t event;

	emit(dump, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
	emit(dump, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
	begin_mapping(dump);
	for (int id = 0; id < OPTION_COUNT; id++) {
		if (config_options[id].key)
			dump_option(dump, &config_options[id], config, &section);
	}
	enter_section(dump, &section, STR(""));
	dump_events(dump, config);
	end_mapping(dump);
	emit(dump, &event, yaml_document_end_event_initialize(&event, 1));
	emit(dump, &event, yaml_stream_end_event_initialize(&event));
}

static int write_buf(void *data, unsigned char *bytes, size_t len)
{
	struct buf *out = data;

	buf_add(out, bytes, len);
	return !out->failed;
}

int config_dump(const struct config *config, struct buf *out)
{
	struct dump dump = {0};

	if (!yaml_emitter_initialize(&dump.emitter))
		return -ENOMEM;
	yaml_emitter_set_output(&dump.emitter, write_buf, out);
	yaml_emitter_set_unicode(&dump.emitter, 1);
	yaml_emitter_set_width(&dump.emitter, -1);
	dump_document(&dump, config);
	yaml_emitter_delete(&dump.emitter);
	return dump.failed || out->failed ? -ENOMEM : 0;
}

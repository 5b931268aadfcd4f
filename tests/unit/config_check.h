/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of the configuration file share. */
#ifndef KUNAI_TESTS_CONFIG_CHECK_H
#define KUNAI_TESTS_CONFIG_CHECK_H

#include "tap.h"

#include <errno.h>

#include "config/config.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Ends the buffer with NUL and returns its text, which stays the buffer's. */
static inline const char *cstring(struct buf *text)
{
	buf_add_char(text, '\0');
	text->len--;
	return text->p;
}

static inline void add_messages(const struct config_messages *messages, struct buf *out)
{
	for (uint32_t i = 0; i < messages->count; i++)
		buf_printf(out, "%u:%u %c %s\n", messages->v[i].line, messages->v[i].column,
			   messages->v[i].level == CONFIG_ERROR ? 'E' : 'W', messages->v[i].text);
}

/* A text as the name of a test, which is one line without control characters. */
static inline const char *one_line(const char *text)
{
	static char line[160];
	size_t n = 0;

	for (; text[n] && n < sizeof(line) - 1; n++)
		line[n] = text[n] == '\n' ? '|' : text[n] < 0x20 || text[n] == '#' ? '?' : text[n];
	line[n] = '\0';
	return line;
}

/* Loads the text, checks the messages it gives, and returns the configuration if there is one. */
static inline bool check_load(const char *text, const char *want_messages, struct config *ret)
{
	struct config_messages messages = {0};
	struct buf got = {0};

	int err = config_load_text(text, strlen(text), ret, &messages);
	add_messages(&messages, &got);
	is_str(cstring(&got), want_messages, one_line(text));
	ok(err == (messages.errors ? -EINVAL : 0), "the return value %d tells of %u errors", err,
	   messages.errors);
	buf_fini(&got);
	config_messages_fini(&messages);
	return err == 0;
}

static inline void check_messages(const char *text, const char *want)
{
	struct config config;

	if (check_load(text, want, &config))
		config_fini(&config);
}

static inline bool load(const char *text, struct config *ret)
{
	return ok(check_load(text, "", ret), "loaded");
}

static inline void check_dump(const struct config *config, const char *want, const char *name)
{
	struct buf text = {0};

	ok(config_dump(config, &text) == 0, "dumped");
	is_str(cstring(&text), want, name);
	buf_fini(&text);
}

/* What is dumped can be read without a word and gives the same dump. */
static inline void check_round_trip(const struct config *config)
{
	struct config_messages messages = {0};
	struct config again;
	struct buf text = {0};

	config_dump(config, &text);
	int err = config_load_text(cstring(&text), text.len, &again, &messages);
	if (ok(err == 0 && messages.count == 0, "the dump can be read")) {
		check_dump(&again, text.p, "the dump of the dump is the same");
		config_fini(&again);
	}
	config_messages_fini(&messages);
	buf_fini(&text);
}

#endif

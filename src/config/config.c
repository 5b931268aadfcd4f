/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/config.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

#include "base/nearest.h"
#include "config/option.h"

int config_init_defaults(struct config *ret)
{
	struct config config = {0};

	for (int id = 0; id < OPTION_COUNT; id++) {
		if (!config_options[id].key)
			continue;
		int err = option_set_default(&config_options[id], &config);
		if (err) {
			config_fini(&config);
			return err;
		}
	}
	for (int type = 0; type < EVENT_COUNT; type++)
		config.events[type] = event_catalogue[type].default_enabled;
	*ret = config;
	return 0;
}

void config_fini(struct config *config)
{
	for (int id = 0; id < OPTION_COUNT; id++) {
		if (config_options[id].key)
			option_fini(&config_options[id], config);
	}
}

static void enable_all(struct config *config, bool enable)
{
	for (int type = 0; type < EVENT_COUNT; type++) {
		if (event_catalogue[type].configurable)
			config->events[type] = enable;
	}
}

static void warn_unknown_event(struct str name, struct config_messages *messages)
{
	struct nearest nearest;
	struct buf text = {0};

	nearest_init(&nearest, name);
	for (int type = 0; type < EVENT_COUNT; type++) {
		if (event_catalogue[type].configurable)
			nearest_offer(&nearest, event_catalogue[type].name);
	}

	buf_add_str(&text, STR("unknown event "));
	buf_add_quoted(&text, name);
	if (nearest.best.p)
		buf_printf(&text, "; did you mean '%.*s'?", STR_ARG(nearest.best));
	config_messages_add(messages, CONFIG_WARNING, (struct config_place){0}, "%.*s",
			    STR_ARG(buf_str(&text)));
	buf_fini(&text);
}

static void enable_event(struct config *config, struct str name, bool enable,
			 struct config_messages *messages)
{
	if (name.len == 0)
		return;
	if (str_eq(name, STR("all"))) {
		enable_all(config, enable);
		return;
	}

	int type = event_type_by_name(name);
	if (type < 0)
		warn_unknown_event(name, messages);
	else if (event_catalogue[type].configurable)
		config->events[type] = enable;
	else if (!enable)
		config_messages_add(messages, CONFIG_WARNING, (struct config_place){0},
				    "event '%.*s' cannot be disabled", STR_ARG(name));
}

static struct str trim(struct str text)
{
	while (text.len && *text.p == ' ')
		text = (struct str){text.p + 1, text.len - 1};
	while (text.len && text.p[text.len - 1] == ' ')
		text.len--;
	return text;
}

void config_enable_events(struct config *config, struct str list, bool enable,
			  struct config_messages *messages)
{
	while (list.len) {
		const char *comma = memchr(list.p, ',', list.len);
		uint32_t len = comma ? (uint32_t)(comma - list.p) : list.len;

		enable_event(config, trim((struct str){list.p, len}), enable, messages);
		list = (struct str){list.p + len, list.len - len};
		if (comma)
			list = (struct str){list.p + 1, list.len - 1};
	}
}

int config_sha256(const struct config *config, char ret_hex[CONFIG_SHA256_TEXT])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct buf text = {0};

	int err = config_dump(config, &text);
	if (!err && !EVP_Digest(text.p, text.len, digest, NULL, EVP_sha256(), NULL))
		err = -ENOMEM;
	buf_fini(&text);
	if (err)
		return err;

	for (size_t i = 0; i < (CONFIG_SHA256_TEXT - 1) / 2; i++)
		snprintf(ret_hex + 2 * i, 3, "%02x", digest[i]);
	return 0;
}

int config_output_standard(const struct config *config)
{
	const char *path = config->output.path;

	if (strcmp(path, "stdout") == 0 || strcmp(path, "/dev/stdout") == 0)
		return STDOUT_FILENO;
	if (strcmp(path, "stderr") == 0 || strcmp(path, "/dev/stderr") == 0)
		return STDERR_FILENO;
	return -1;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

#include "base/nearest.h"
#include "base/scalar.h"
#include "config/option.h"

int config_init_defaults(struct config *ret)
{
	struct config config = {0};

	for (int id = 0; id < OPTION_COUNT; id++) {
		if (!option_has_member(&config_options[id]))
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
		if (option_has_member(&config_options[id]))
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

static int parse_port(const char *text, uint16_t *ret)
{
	uint64_t port;

	if (scalar_parse_u64(str_of(text), &port) < 0 || port == 0 || port > UINT16_MAX)
		return -EINVAL;
	*ret = htons((uint16_t)port);
	return 0;
}

int config_parse_loopback(struct str text, struct sockaddr_storage *ret)
{
	enum { ADDRESS_MAX = 64 };
	char copy[ADDRESS_MAX];
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	int size = -EINVAL;

	if (text.len >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text.p, text.len);
	copy[text.len] = '\0';
	char *colon = strrchr(copy, ':');
	if (!colon)
		return -EINVAL;
	*colon = '\0';
	if (strcmp(copy, "[::1]") == 0 && parse_port(colon + 1, &v6.sin6_port) == 0) {
		v6.sin6_addr = in6addr_loopback;
		size = sizeof(v6);
		memcpy(ret, &v6, sizeof(v6));
	} else if (inet_pton(AF_INET, copy, &v4.sin_addr) == 1 && ntohl(v4.sin_addr.s_addr) >> 24 == 127 &&
		   parse_port(colon + 1, &v4.sin_port) == 0) {
		size = sizeof(v4);
		memcpy(ret, &v4, sizeof(v4));
	}
	return size;
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

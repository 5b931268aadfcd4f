/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is wrong with a configuration. The list owns its texts until config_messages_fini(). */
#ifndef KUNAI_CONFIG_MESSAGE_H
#define KUNAI_CONFIG_MESSAGE_H

#include "base/buf.h"

enum { CONFIG_MAX_MESSAGES = 64 };

enum config_level { CONFIG_WARNING, CONFIG_ERROR };

struct config_message {
	enum config_level level;
	uint32_t line; /* from 1; 0: not about a place in the file */
	uint32_t column;
	char *text;
};

struct config_messages {
	struct config_message *v;
	uint32_t count;
	uint32_t errors;  /* also counts the dropped ones */
	uint32_t dropped; /* beyond CONFIG_MAX_MESSAGES, or memory was short */
};

struct config_place {
	uint32_t line;
	uint32_t column;
};

void config_messages_fini(struct config_messages *messages);

void config_messages_add(struct config_messages *messages, enum config_level level, struct config_place place,
			 const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif

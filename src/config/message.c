/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void config_messages_fini(struct config_messages *messages)
{
	for (uint32_t i = 0; i < messages->count; i++)
		free(messages->v[i].text);
	free(messages->v);
	*messages = (struct config_messages){0};
}

static bool has_room(struct config_messages *messages)
{
	if (!messages->v)
		messages->v = calloc(CONFIG_MAX_MESSAGES, sizeof(*messages->v));
	return messages->v && messages->count < CONFIG_MAX_MESSAGES;
}

static char *format_text(const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, again);
	va_end(again);

	char *text = len < 0 ? NULL : malloc((size_t)len + 1);
	if (text)
		vsnprintf(text, (size_t)len + 1, format, args);
	return text;
}

void config_messages_add(struct config_messages *messages, enum config_level level, struct config_place place,
			 const char *format, ...)
{
	char *text = NULL;
	va_list args;

	if (level == CONFIG_ERROR)
		messages->errors++;
	va_start(args, format);
	if (has_room(messages))
		text = format_text(format, args);
	va_end(args);

	if (!text) {
		messages->dropped++;
		return;
	}
	messages->v[messages->count++] = (struct config_message){level, place.line, place.column, text};
}

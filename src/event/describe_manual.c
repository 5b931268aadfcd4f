/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kunai-events(5), in the macros of mdoc(7). */
#include <stdio.h>
#include <string.h>

#include "event/describe.h"
#include "event/schema.h"

enum { PATH_SIZE = 256 };

/* Words that may hold anything: what is markup elsewhere goes, what would be some here is escaped. */
static void print_words(const char *text)
{
	if (*text == '.' || *text == '\'')
		printf("\\&");
	for (; *text; text++) {
		if (*text == '\\')
			printf("\\e");
		else if (strncmp(text, "…", strlen("…")) == 0)
			text += printf("...") - 1;
		else if (strncmp(text, ". ", 2) == 0)
			text += printf(".\n") - 1; /* a sentence begins a line */
		else if (*text != '`')
			putchar(*text);
	}
}

static void print_fields(const struct object *object, const char *path, bool extra)
{
	char below[PATH_SIZE];

	for (const struct field *f = object->fields; f->name; f++) {
		snprintf(below, sizeof(below), "%s.%s", path, f->name);
		if (f->kind != KIND_OBJECT) {
			printf(".It Va %s\n", below);
			putchar('(');
			print_words(describe_kinds[f->kind].json);
			printf("%s)\n", extra || f->extra ? "; not in Kunai" : "");
			print_words(f->doc);
			putchar('\n');
		}
		if (f->object)
			print_fields(f->object(), below, extra || f->extra);
	}
}

static void print_list(const struct object *object, const char *path)
{
	printf(".Bl -tag -width Ds\n");
	print_fields(object, path, false);
	printf(".El\n");
}

static void print_event(int type)
{
	const struct event_info *info = &event_catalogue[type];

	printf(".Ss %s\nNumber %u, %s by default%s:\n", info->name.p, info->id,
	       info->default_enabled ? "on" : "off",
	       info->configurable ? "" : ", and cannot be switched off");
	print_words(info->doc);
	printf(".\n");
	print_list(event_schemas[type].data(), ".data");
}

void describe_manual(void)
{
	printf(".\\\" SPDX-License-Identifier: GPL-3.0-or-later\n"
	       ".\\\" Made from schema/ by ./dev docs.\n"
	       ".Dd November 22, 2026\n.Dt KUNAI-EVENTS 5\n.Os\n.Sh NAME\n.Nm kunai-events\n"
	       ".Nd events of the sensor Kunai\n.Sh DESCRIPTION\n"
	       "Each line that\n.Xr kunai 8\nwrites is one event: a JSON object with the keys\n"
	       ".Ql data ,\nwhich differs from event to event, and\n.Ql info ,\nwhich does not.\n"
	       "Where rules or indicators matched,\n.Ql detection ,\n.Ql filter\n"
	       "or both stand between them.\n"
	       "Keys come in the order in which they are listed here.\n"
	       "One that is optional is left out when there is nothing to say.\n.Pp\n"
	       "Fields are written as rules name them, see\n.Xr kunai-rules 5 ;\n"
	       "rules do not see those of\n.Va .detection\nand\n.Va .filter .\n"
	       ".Sh EVERY EVENT\n");
	print_list(object_info(), ".info");
	printf(".Sh WHERE RULES MATCHED\nThe lists are sorted.\n");
	printf(".Bl -tag -width Ds\n");
	print_fields(object_detection(), ".detection", false);
	print_fields(object_filtering(), ".filter", false);
	printf(".El\n.Sh EVENTS\n");
	for (int type = 0; type < EVENT_COUNT; type++)
		if (describe_is_printed(type))
			print_event(type);
	printf(".Sh SEE ALSO\n.Xr kunai-rules 5 ,\n.Xr kunai.conf 5 ,\n.Xr kunai 8\n");
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Prints what schema/ says about the events: `describe events` the page that lists them, `describe names` their names,
 * `describe event NAME SAMPLE` the page of one with the sample in that file, `describe schema` JSON Schema,
 * `describe manual` kunai-events(5).
 */
#include <stdio.h>
#include <string.h>

#include "event/describe.h"
#include "event/schema.h"

const struct kind_info describe_kinds[] = {
	[KIND_STR] = {"string", "string", false, "\"type\": \"string\""},
	[KIND_STR_OR_NULL] = {"string or null", "string, none", false, "\"type\": [\"string\", \"null\"]"},
	[KIND_OPT_STR] = {"string, optional", "string, none", true, "\"type\": \"string\""},
	[KIND_STRV] = {"array of strings", "strings", false,
		       "\"type\": \"array\", \"items\": {\"type\": \"string\"}"},
	[KIND_OPT_STRV] = {"array of strings, optional", "strings", true,
			   "\"type\": \"array\", \"minItems\": 1, \"items\": {\"type\": \"string\"}"},
	[KIND_U64] = {"integer", "number", false,
		      "\"type\": \"integer\", \"minimum\": 0, \"maximum\": 18446744073709551615"},
	[KIND_OPT_U64] = {"integer, optional", "number, none", true,
			  "\"type\": \"integer\", \"minimum\": 1, \"maximum\": 18446744073709551615"},
	[KIND_OPT_ID] = {"integer, optional", "number, none", true,
			 "\"type\": \"integer\", \"minimum\": 0, \"maximum\": 18446744073709551615"},
	[KIND_OPT_I32] = {"integer, optional", "number, none", true,
			  "\"type\": \"integer\", \"minimum\": -2147483648, \"maximum\": 2147483647"},
	[KIND_U64_OR_NULL] =
		{"integer or null", "number, none", false,
		 "\"type\": [\"integer\", \"null\"], \"minimum\": 1, \"maximum\": 18446744073709551615"},
	[KIND_HEX] = {"string, `0x…`", "number", false,
		      "\"type\": \"string\", \"pattern\": \"^0x(0|[1-9a-f][0-9a-f]{0,15})$\""},
	[KIND_TIME] = {"string, RFC 3339", "number of milliseconds since 1970", false,
		       "\"type\": \"string\", \"pattern\": "
		       "\"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\\\.[0-9]{9}Z$\""},
	[KIND_U32] = {"integer", "number", false,
		      "\"type\": \"integer\", \"minimum\": 0, \"maximum\": 4294967295"},
	[KIND_I32] = {"integer", "number", false,
		      "\"type\": \"integer\", \"minimum\": -2147483648, \"maximum\": 2147483647"},
	[KIND_BOOL] = {"boolean", "bool", false, "\"type\": \"boolean\""},
	[KIND_MARK] = {"true, optional", "bool, none", true, "\"const\": true"},
	[KIND_F32] = {"number", "number with a fraction", false, "\"type\": \"number\""},
	[KIND_F64] = {"number", "number with a fraction", false, "\"type\": \"number\""},
	[KIND_PATH] = {"string", "string", false, "\"type\": \"string\""},
	[KIND_UUID] = {"string, UUID", "string", false,
		       "\"type\": \"string\", \"pattern\": "
		       "\"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$\""},
	[KIND_OBJECT] = {"object", "some", false, NULL},
	[KIND_OPTIONAL] = {"object, optional", "some, none", true, NULL},
	[KIND_OBJECT_OR_NULL] = {"object or null", "some, none", false, NULL},
};

enum { PATH_SIZE = 256 };

bool describe_is_printed(int type)
{
	const struct event_info *info = &event_catalogue[type];

	return event_schemas[type].data && (info->configurable || !info->from_kernel);
}

/* ---- tables ---- */

static void print_cell(const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			putchar('\\');
		putchar(*text);
	}
}

static void print_rows(const struct object *object, const char *path, bool rules, bool extra)
{
	char below[PATH_SIZE];

	for (const struct field *f = object->fields; f->name; f++) {
		const struct kind_info *kind = &describe_kinds[f->kind];
		snprintf(below, sizeof(below), "%s.%s", path, f->name);
		if (f->kind != KIND_OBJECT) {
			printf("| `%s` | %s | %s | %s | ", below, kind->json, rules ? kind->rule : "–",
			       extra || f->extra ? "no" : "yes");
			print_cell(f->doc);
			printf(" |\n");
		}
		if (f->object)
			print_rows(f->object(), below, rules, extra || f->extra);
	}
}

/* rules: whether rules see these fields */
static void print_table(const struct object *object, const char *path, bool rules)
{
	printf("| field | JSON | in rules | Kunai has it | meaning |\n|---|---|---|---|---|\n");
	print_rows(object, path, rules, false);
}

/* ---- hooks and what they cost ---- */

#define E(name) (1ULL << EVENT_##name)
#define ALL     (~0ULL)
enum { ESSENTIAL, INTERRUPTS };

/* The dispatcher of system calls is not a hook of one event: what it calls is. */
#define SYSCALLS 0

struct hook {
	const char *name;
	uint64_t events;
};

static const struct hook tracepoints[] = {
#define TRACEPOINT(program, tracepoint, events, traits) {#tracepoint, events},
#define SYSCALL(program, call, events)
#include "schema/hooks.def"
#undef TRACEPOINT
#undef SYSCALL
};

static const struct hook calls[] = {
#define TRACEPOINT(program, tracepoint, events, traits)
#define SYSCALL(program, call, events) {#call, events},
#include "schema/hooks.def"
#undef TRACEPOINT
#undef SYSCALL
};

/* What programs do all the time; sendmsg, readv and the like begin like these. */
/* A system call's function is named by the call. */
static const struct hook functions[] = {
#define TRAMPOLINE(program, kind, function, events) {#function, events},
#define CALLED(program, call, events)               {"return of " #call, events},
#include "schema/trampolines.def"
#undef TRAMPOLINE
#undef CALLED
};

static const char *const frequent[] = {"read", "write", "pread", "pwrite", "send", "recv", "splice"};

static bool is_frequent(const char *call)
{
	for (size_t i = 0; i < sizeof(frequent) / sizeof(*frequent); i++)
		if (strncmp(call, frequent[i], strlen(frequent[i])) == 0)
			return true;
	return false;
}

static bool is_own_tracepoint(const struct hook *hook, int type)
{
	return hook->events != ALL && hook->events & (1ULL << type);
}

static void print_hooks(int type)
{
	const char *comma = "";

	for (size_t i = 0; i < sizeof(tracepoints) / sizeof(*tracepoints); i++)
		if (is_own_tracepoint(&tracepoints[i], type)) {
			printf("%s`%s`", comma, tracepoints[i].name);
			comma = ", ";
		}
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (calls[i].events & (1ULL << type)) {
			printf("%sreturn of %s", comma, calls[i].name);
			comma = ", ";
		}
	if (!*comma)
		printf("the tracepoint that is named above");
}

static void print_functions(int type)
{
	const char *comma = "";

	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++)
		if (functions[i].events & (1ULL << type)) {
			bool call = strncmp(functions[i].name, "return of ", strlen("return of ")) == 0;
			printf(call ? "%s%s" : "%s`%s`", comma, functions[i].name);
			comma = ", ";
		}
	if (!*comma)
		printf("as above");
}

static const char *cost_class(int type)
{
	const char *found = NULL;

	if (event_catalogue[type].process_life)
		return "process life: paid once for a process or thread; always on, since all ancestors "
		       "depend on it";
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		if (!(calls[i].events & (1ULL << type)))
			continue;
		if (is_frequent(calls[i].name))
			return "transfer: paid by calls that programs make all the time";
		found = "operation: paid by the calls that are named here, and by no other";
	}
	return found ? found : "operation: paid where the tracepoint runs";
}

static void print_cost(int type)
{
	if (!event_catalogue[type].from_kernel) {
		printf("| hook | none: made in user space |\n| cost | none in the kernel |\n");
		return;
	}
	printf("| hooks, tracepoint tier | ");
	print_hooks(type);
	printf(" |\n| hooks, trampoline tier | ");
	print_functions(type);
	printf(" |\n| cost | %s |\n", cost_class(type));
}

/* ---- pages ---- */

static int print_file(const char *path)
{
	char text[4096];
	size_t n;
	FILE *file = fopen(path, "re");

	if (!file)
		return -1;
	while ((n = fread(text, 1, sizeof(text), file)) > 0)
		fwrite(text, 1, n, stdout);
	fclose(file);
	return 0;
}

static int print_event(const char *name, const char *sample)
{
	int type = event_type_by_name((struct str){name, strlen(name)});

	if (type < 0 || !describe_is_printed(type))
		return -1;
	const struct event_info *info = &event_catalogue[type];
	printf("# %s\n\nMade by `./dev docs` from `schema/`. Fields that every event has: "
	       "[events.md](../events.md).\n\n",
	       name);
	printf("%s.\n\n%s\n\n", info->doc, event_schemas[type].doc);
	printf("| | |\n|---|---|\n| id | %u |\n| by default | %s%s |\n", info->id,
	       info->default_enabled ? "on" : "off",
	       info->configurable ? "" : ", and cannot be switched off");
	print_cost(type);
	printf("| limits | what a tier cannot see, and why: [tiers.md](../tiers.md) |\n\n## Fields\n\n");
	print_table(event_schemas[type].data(), ".data", true);
	printf("\n## Sample\n\n%s:\n\n```json\n",
	       info->from_kernel || type == EVENT_start
		       ? "From a run of the live test in a VM"
		       : "From the golden test, since a healthy sensor has none to show");
	if (print_file(sample) < 0)
		return -1;
	printf("```\n");
	return 0;
}

static void print_events(void)
{
	printf("# Events\n\n"
	       "Made from `schema/` by `./dev docs`; [events.schema.json](events.schema.json) says the same "
	       "for "
	       "programs.\n\n"
	       "Each line of output is one event: a JSON object with the keys `data`, which differs from "
	       "event to "
	       "event, and\n`info`, which does not. Keys come in the order of these tables. *In rules* is "
	       "the type "
	       "that a rule sees; fields\nthat Kunai does not have come after those it has, and an optional "
	       "key is "
	       "left out when there is nothing to say.\n\n"
	       "| event | id | by default | meaning |\n|---|---|---|---|\n");
	for (int type = 0; type < EVENT_COUNT; type++) {
		const struct event_info *info = &event_catalogue[type];
		if (describe_is_printed(type))
			printf("| [%s](events/%s.md) | %u | %s | %s |\n", info->name.p, info->name.p,
			       info->id, info->default_enabled ? "on" : "off", info->doc);
	}
	printf("\n## In every event\n\n");
	print_table(object_info(), ".info", true);
	printf("\n## Where rules matched\n\nOne or both of these, between `data` and `info`. Their lists are "
	       "sorted.\n\n");
	print_table(object_detection(), ".detection", false);
	printf("\n");
	print_table(object_filtering(), ".filter", false);
}

static void print_names(void)
{
	for (int type = 0; type < EVENT_COUNT; type++)
		if (describe_is_printed(type))
			printf("%s\n", event_catalogue[type].name.p);
}

/* ---- JSON Schema ---- */

static void print_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('"');
}

static void print_indent(int depth)
{
	printf("%*s", depth * 2, "");
}

static void print_object(const struct object *object, int depth);

static void print_field(const struct field *f, int depth)
{
	print_string(f->name);
	printf(": {\"description\": ");
	print_string(f->doc);
	printf(", ");
	if (f->kind == KIND_OBJECT_OR_NULL) {
		printf("\"anyOf\": [{\"type\": \"null\"}, {");
		print_object(f->object(), depth);
		printf("}]");
	} else if (f->object) {
		print_object(f->object(), depth);
	} else {
		printf("%s", describe_kinds[f->kind].schema);
	}
	putchar('}');
}

/* Without its braces. */
static void print_object(const struct object *object, int depth)
{
	const char *comma = "";

	printf("\"type\": \"object\", \"additionalProperties\": false, \"required\": [");
	for (const struct field *f = object->fields; f->name; f++) {
		if (describe_kinds[f->kind].omitted)
			continue;
		printf("%s", comma);
		print_string(f->name);
		comma = ", ";
	}
	printf("],\n");
	print_indent(depth);
	printf("\"properties\": {");
	for (const struct field *f = object->fields; f->name; f++) {
		printf(f == object->fields ? "\n" : ",\n");
		print_indent(depth + 1);
		print_field(f, depth + 1);
	}
	putchar('}');
}

/* What tells this event from the others: its name and id stand deep within info. */
static void print_branch(int type)
{
	const struct event_info *info = &event_catalogue[type];

	printf("    {\"title\": \"%s\", \"description\": ", info->name.p);
	print_string(info->doc);
	printf(",\n     \"properties\": {\n"
	       "      \"info\": {\"properties\": {\"event\": {\"properties\": {\"id\": {\"const\": %u}, "
	       "\"name\": {\"const\": \"%s\"}}}}},\n"
	       "      \"data\": {",
	       info->id, info->name.p);
	print_object(event_schemas[type].data(), 4);
	printf("}}}");
}

static void print_schema(void)
{
	const char *comma = "";

	printf("{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
	       "  \"title\": \"A line of output of kunai\",\n"
	       "  \"type\": \"object\", \"additionalProperties\": false, \"required\": [\"data\", "
	       "\"info\"],\n"
	       "  \"properties\": {\n    \"data\": {\"type\": \"object\"},\n    \"info\": {");
	print_object(object_info(), 3);
	printf("},\n    \"detection\": {");
	print_object(object_detection(), 3);
	printf("},\n    \"filter\": {");
	print_object(object_filtering(), 3);
	printf("}},\n  \"oneOf\": [\n");
	for (int type = 0; type < EVENT_COUNT; type++) {
		if (!describe_is_printed(type))
			continue;
		printf("%s", comma);
		print_branch(type);
		comma = ",\n";
	}
	printf("\n  ]\n}\n");
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "events") == 0) {
		print_events();
	} else if (argc == 2 && strcmp(argv[1], "names") == 0) {
		print_names();
	} else if (argc == 2 && strcmp(argv[1], "schema") == 0) {
		print_schema();
	} else if (argc == 2 && strcmp(argv[1], "manual") == 0) {
		describe_manual();
	} else if (argc == 4 && strcmp(argv[1], "event") == 0) {
		if (print_event(argv[2], argv[3]) < 0) {
			fprintf(stderr, "describe: no event %s, or no sample %s: ./dev docs --samples %s\n",
				argv[2], argv[3], argv[2]);
			return 1;
		}
	} else {
		fprintf(stderr, "usage: describe events | names | event NAME SAMPLE | schema | manual\n");
		return 1;
	}
	return fflush(stdout) == 0 ? 0 : 1;
}

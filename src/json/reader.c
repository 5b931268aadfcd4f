/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "json/reader.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NS_PER_SECOND UINT64_C(1000000000)

static int read_object(struct arena *a, const json_t *json, const struct object *object, char *base);

/* What is no string is empty. */
static int read_text(struct arena *a, const json_t *json, struct str *ret)
{
	struct str s = STR("");
	if (json_is_string(json))
		s = arena_str(a, (struct str){json_string_value(json), (uint32_t)json_string_length(json)});
	if (!s.p)
		return -ENOMEM;
	*ret = s;
	return 0;
}

static uint64_t number_of(const json_t *json)
{
	if (json_is_integer(json))
		return (uint64_t)json_integer_value(json);
	if (json_is_string(json)) /* "0x..." */
		return strtoull(json_string_value(json), NULL, 0);
	if (!json_is_real(json))
		return json_is_true(json);
	double real = json_real_value(json);
	if (real < 0)
		return (uint64_t)(int64_t)(real < -9e18 ? -9e18 : real);
	return real < 18446744073709551616.0 ? (uint64_t)real : UINT64_MAX;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void read_uuid(const json_t *json, kind_UUID *ret)
{
	const char *p = json_is_string(json) ? json_string_value(json) : "";
	size_t n = 0;

	while (*p && n < sizeof(ret->bytes)) {
		if (*p == '-') {
			p++;
			continue;
		}
		int high = hex_digit(p[0]), low = high < 0 ? -1 : hex_digit(p[1]);
		if (low < 0)
			return;
		ret->bytes[n++] = (uint8_t)(high << 4 | low);
		p += 2;
	}
}

/* RFC 3339 in UTC, with any number of digits of a second. */
static uint64_t read_time(const json_t *json)
{
	struct tm tm = {0};
	const char *rest =
		json_is_string(json) ? strptime(json_string_value(json), "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	if (!rest)
		return 0;
	uint64_t ns = 0, unit = NS_PER_SECOND;
	if (*rest == '.')
		while (*++rest >= '0' && *rest <= '9')
			ns += (uint64_t)(*rest - '0') * (unit /= 10);
	time_t seconds = timegm(&tm);
	return seconds < 0 ? 0 : (uint64_t)seconds * NS_PER_SECOND + ns;
}

static int read_array(struct arena *a, const json_t *json, struct strv *ret)
{
	uint32_t n = (uint32_t)json_array_size(json);
	struct str *v = arena_zalloc(a, (n ? n : 1) * sizeof(*v));
	int err = v ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < n && !err; i++)
		err = read_text(a, json_array_get(json, i), &v[i]);
	*ret = (struct strv){v, n};
	return err;
}

/* Kunai before 0.7 wrote the answers of DNS as one string, joined by ;. */
static int read_joined(struct arena *a, const json_t *json, struct strv *ret)
{
	struct str rest;
	uint32_t n = 1;
	int err = read_text(a, json, &rest);
	if (err)
		return err;
	for (uint32_t i = 0; i < rest.len; i++)
		n += rest.p[i] == ';';
	struct str *v = arena_zalloc(a, n * sizeof(*v));
	if (!v)
		return -ENOMEM;

	for (uint32_t i = 0; i < n; i++) {
		const char *end = memchr(rest.p, ';', rest.len);
		uint32_t len = end ? (uint32_t)(end - rest.p) : rest.len;
		v[i] = (struct str){rest.p, len};
		rest.p += len + (end != NULL);
		rest.len -= len + (end != NULL);
	}
	*ret = (struct strv){v, n};
	return 0;
}

static int read_pointer(struct arena *a, const json_t *json, const struct object *object, const void **ret)
{
	if (!json_is_object(json))
		return 0;
	char *memory = arena_zalloc(a, object->size);
	if (!memory)
		return -ENOMEM;
	*ret = memory;
	return read_object(a, json, object, memory);
}

static int read_value(struct arena *a, const json_t *json, const struct field *f, char *at)
{
	switch (f->kind) {
	case KIND_STR:
		return read_text(a, json, (struct str *)at);
	case KIND_STR_OR_NULL:
	case KIND_OPT_STR:
		return json_is_string(json) ? read_text(a, json, (struct str *)at) : 0;
	case KIND_PATH:
		return read_text(a, json, &((struct path *)at)->text);
	case KIND_STRV:
	case KIND_OPT_STRV:
		return json_is_string(json) ? read_joined(a, json, (struct strv *)at)
					    : read_array(a, json, (struct strv *)at);
	case KIND_U64:
	case KIND_OPT_U64:
	case KIND_U64_OR_NULL:
	case KIND_HEX:
		*(uint64_t *)at = number_of(json);
		return 0;
	case KIND_OPT_ID:
		*(uint64_t *)at = json_is_number(json) ? number_of(json) + 1 : 0;
		return 0;
	case KIND_OPT_I32:
		*(uint64_t *)at = json_is_number(json) ? UINT64_C(1) << 32 | (uint32_t)number_of(json) : 0;
		return 0;
	case KIND_TIME:
		*(uint64_t *)at = read_time(json);
		return 0;
	case KIND_U32:
		*(uint32_t *)at = (uint32_t)number_of(json);
		return 0;
	case KIND_I32:
		*(int32_t *)at = (int32_t)number_of(json);
		return 0;
	case KIND_BOOL:
	case KIND_MARK:
		*(bool *)at = json_is_true(json);
		return 0;
	case KIND_F32:
		*(float *)at = (float)json_number_value(json);
		return 0;
	case KIND_F64:
		*(double *)at = json_number_value(json);
		return 0;
	case KIND_UUID:
		read_uuid(json, (kind_UUID *)at);
		return 0;
	case KIND_OBJECT:
		return read_object(a, json, f->object(), at);
	case KIND_OPTIONAL:
	case KIND_OBJECT_OR_NULL:
		return read_pointer(a, json, f->object(), (const void **)at);
	}
	return 0;
}

/* Before 0.3 an executable was a string, or an object with the key `file`. */
static const json_t *old_spelling(const json_t *json, const struct field *f)
{
	if (strcmp(f->name, "path") != 0)
		return NULL;
	return json_is_string(json) ? json : json_object_get(json, "file");
}

static int read_object(struct arena *a, const json_t *json, const struct object *object, char *base)
{
	for (const struct field *f = object->fields; f->name; f++) {
		const json_t *value = json_object_get(json, f->name);
		if (!value)
			value = old_spelling(json, f);
		int err = read_value(a, value, f, base + f->offset);
		if (err)
			return err;
	}
	return 0;
}

static int say(struct json_problem *ret, uint32_t line, const char *message, const char *name)
{
	ret->line = line;
	snprintf(ret->message, sizeof(ret->message), message, name);
	return -EBADMSG;
}

static int read_type(const json_t *root, enum event_type *ret_type, struct json_problem *ret_problem)
{
	const json_t *info = json_object_get(root, "info");
	const json_t *name = json_object_get(json_object_get(info, "event"), "name");
	if (!json_is_string(name))
		return say(ret_problem, 1, "no .info.event.name: not an event", NULL);
	int type = event_type_by_name(str_of(json_string_value(name)));
	if (type < 0 || !event_schemas[type].data)
		return say(ret_problem, 1, "unknown event '%.64s'", json_string_value(name));
	*ret_type = (enum event_type)type;
	return 0;
}

int json_read_event(struct str text, struct arena *a, struct event *ret, struct json_problem *ret_problem)
{
	json_error_t error;
	json_t *root = json_loadb(text.p, text.len, JSON_ALLOW_NUL, &error);
	if (!root && json_error_code(&error) == json_error_numeric_overflow)
		/* the library's integers have a sign: a number beyond them is read as a real one */
		root = json_loadb(text.p, text.len, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
	if (!root)
		return say(ret_problem, error.line > 0 ? (uint32_t)error.line : 1, "%s", error.text);

	enum event_type type;
	int err = read_type(root, &type, ret_problem);
	if (!err) {
		memset(ret, 0, sizeof(*ret));
		ret->type = type;
		ret->arena = a;
		err = read_object(a, json_object_get(root, "data"), event_schemas[type].data(),
				  (char *)&ret->data);
	}
	if (!err)
		err = read_object(a, json_object_get(root, "info"), object_info(), (char *)&ret->info);
	json_decref(root);
	return err;
}

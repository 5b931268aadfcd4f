/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/option.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/token.h"
#include "config/host_uuid.h"

const struct config_option config_options[OPTION_COUNT] = {
#define OPTION(id, option_type, member, ...) \
	[OPTION_##id] = {                    \
		.type = OPTION_TYPE_##option_type, .offset = offsetof(struct config, member), __VA_ARGS__},
#define COMMAND_OPTION(id, option_type, ...) [OPTION_##id] = {.type = OPTION_TYPE_##option_type, __VA_ARGS__},
#include "config/options.def"
#undef OPTION
#undef COMMAND_OPTION
};

/* The C type that goes with a type of option: a row whose member has another one does not compile. */
#define C_TYPE_BOOL          bool
#define C_TYPE_NUMBER        uint64_t
#define C_TYPE_OPTIONAL      struct config_number
#define C_TYPE_SIZE          struct config_number
#define C_TYPE_DURATION      struct config_number
#define C_TYPE_PATH          char *
#define C_TYPE_PATHS         struct config_paths
#define C_TYPE_OPTIONAL_PATH char *
#define C_TYPE_LOOPBACK      char *
#define C_TYPE_SHA256        char *
#define C_TYPE_UUID          char *
#define C_TYPE_TIER          enum config_tier
#define OPTION(id, type, member, ...)                                                          \
	_Static_assert(_Generic(((struct config *)0)->member, C_TYPE_##type : 1, default : 0), \
		       "type of " #id);
#define COMMAND_OPTION(id, ...)
#include "config/options.def"
#undef OPTION
#undef COMMAND_OPTION

static int check_range(const struct config_option *option, uint64_t value)
{
	return value < option->min || value > option->max ? -ERANGE : 0;
}

static int set_bool(const struct config_option *option, void *member, struct str text)
{
	(void)option;
	return scalar_parse_bool(text, member);
}

static int set_number(const struct config_option *option, void *member, struct str text)
{
	uint64_t value;
	int err = scalar_parse_u64(text, &value);
	if (!err)
		err = check_range(option, value);
	if (err)
		return err;

	*(uint64_t *)member = value;
	return 0;
}

static int set_nullable(const struct config_option *option, void *member, struct str text,
			int (*parse)(struct str text, uint64_t *ret))
{
	uint64_t value;
	int err = parse(text, &value);
	if (!err)
		err = check_range(option, value);
	if (err)
		return err;

	bool null = option->zero_is_null && value == 0;
	*(struct config_number *)member = (struct config_number){!null, value};
	return 0;
}

static int set_optional(const struct config_option *option, void *member, struct str text)
{
	return set_nullable(option, member, text, scalar_parse_u64);
}

static int set_size(const struct config_option *option, void *member, struct str text)
{
	return set_nullable(option, member, text, scalar_parse_size);
}

static int set_duration(const struct config_option *option, void *member, struct str text)
{
	return set_nullable(option, member, text, scalar_parse_duration);
}

static int copy_path(struct str text, char **ret)
{
	if (text.len == 0 || memchr(text.p, '\0', text.len))
		return -EINVAL;
	char *copy = strndup(text.p, text.len);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

static int set_path(const struct config_option *option, void *member, struct str text)
{
	char **path = member;
	char *copy;

	(void)option;
	int err = copy_path(text, &copy);
	if (err)
		return err;
	free(*path);
	*path = copy;
	return 0;
}

/* Relative ones would be looked for wherever the sensor was started. */
static int set_optional_path(const struct config_option *option, void *member, struct str text)
{
	return text.len && text.p[0] == '/' ? set_path(option, member, text) : -EINVAL;
}

static int set_loopback(const struct config_option *option, void *member, struct str text)
{
	struct sockaddr_storage address;
	int size = config_parse_loopback(text, &address);

	return size < 0 ? size : set_path(option, member, text);
}

static int set_sha256(const struct config_option *option, void *member, struct str text)
{
	return token_is_sha256(text) ? set_path(option, member, text) : -EINVAL;
}

static int set_paths(const struct config_option *option, void *member, struct str text)
{
	struct config_paths *paths = member;

	(void)option;
	if (paths->count == CONFIG_MAX_PATHS)
		return -E2BIG;
	char **v = reallocarray(paths->v, paths->count + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	paths->v = v;
	int err = copy_path(text, &v[paths->count]);
	if (!err)
		paths->count++;
	return err;
}

static int set_uuid(const struct config_option *option, void *member, struct str text)
{
	(void)option;
	return host_uuid_parse(text, member);
}

static const char *const tier_names[] = {
	[TIER_AUTO] = "auto",
	[TIER_TRACEPOINTS] = "tracepoint",
	[TIER_TRAMPOLINES] = "trampoline",
};

static int set_tier(const struct config_option *option, void *member, struct str text)
{
	(void)option;
	for (size_t i = 0; i < sizeof(tier_names) / sizeof(*tier_names); i++)
		if (str_eq(text, str_of(tier_names[i]))) {
			*(enum config_tier *)member = (enum config_tier)i;
			return 0;
		}
	return -EINVAL;
}

static void add_tier(const void *member, struct buf *out)
{
	buf_add_str(out, str_of(tier_names[*(const enum config_tier *)member]));
}

static void add_bool(const void *member, struct buf *out)
{
	buf_add_str(out, *(const bool *)member ? STR("true") : STR("false"));
}

static void add_number(const void *member, struct buf *out)
{
	buf_add_u64(out, *(const uint64_t *)member);
}

static void add_nullable(const void *member, struct buf *out, void (*add)(struct buf *out, uint64_t value))
{
	const struct config_number *number = member;

	if (number->set)
		add(out, number->value);
	else
		buf_add_str(out, STR("null"));
}

static void add_optional(const void *member, struct buf *out)
{
	add_nullable(member, out, buf_add_u64);
}

static void add_size(const void *member, struct buf *out)
{
	add_nullable(member, out, scalar_add_size);
}

static void add_duration(const void *member, struct buf *out)
{
	add_nullable(member, out, scalar_add_duration);
}

static void add_path(const void *member, struct buf *out)
{
	buf_add_str(out, str_of(*(char *const *)member));
}

static void add_optional_path(const void *member, struct buf *out)
{
	const char *path = *(char *const *)member;

	buf_add_str(out, str_of(path ? path : "null"));
}

static void add_uuid(const void *member, struct buf *out)
{
	buf_add_str(out, str_of(member));
}

static void fini_path(void *member)
{
	char **path = member;

	free(*path);
	*path = NULL;
}

static void fini_paths(void *member)
{
	struct config_paths *paths = member;

	for (uint32_t i = 0; i < paths->count; i++)
		free(paths->v[i]);
	free(paths->v);
	*paths = (struct config_paths){0};
}

static const struct option_type_info {
	unsigned int accepts;
	int (*set)(const struct config_option *option, void *member, struct str text);
	void (*add)(const void *member, struct buf *out);
	void (*fini)(void *member);
	const char *expected; /* NULL: a number in the option's range */
} option_types[] = {
	[OPTION_TYPE_FLAG] = {.expected = "no value"},
	[OPTION_TYPE_FILE] = {.expected = "a file"},
	[OPTION_TYPE_EVENTS] = {.expected = "names of events"},
	[OPTION_TYPE_BOOL] = {SCALAR_BOOL, set_bool, add_bool, .expected = "true or false"},
	[OPTION_TYPE_NUMBER] = {.accepts = SCALAR_INTEGER, .set = set_number, .add = add_number},
	[OPTION_TYPE_OPTIONAL] = {.accepts = SCALAR_INTEGER | SCALAR_NULL,
				  .set = set_optional,
				  .add = add_optional},
	[OPTION_TYPE_SIZE] =
		{SCALAR_STRING | SCALAR_NULL, set_size, add_size,
		 .expected = "a size above zero such as 10MB or 1.5GB (units B, KB, MB, GB, TB), or null"},
	[OPTION_TYPE_DURATION] = {SCALAR_STRING | SCALAR_NULL, set_duration, add_duration,
				  .expected =
					  "a duration of at least a second such as 15m or 1h 30m, or null"},
	[OPTION_TYPE_PATH] = {SCALAR_STRING, set_path, add_path, fini_path, "a path"},
	[OPTION_TYPE_OPTIONAL_PATH] = {SCALAR_STRING | SCALAR_NULL, set_optional_path, add_optional_path,
				       fini_path, "an absolute path, or null"},
	[OPTION_TYPE_LOOPBACK] = {SCALAR_STRING | SCALAR_NULL, set_loopback, add_optional_path, fini_path,
				  "an address of the loopback and a port such as 127.0.0.1:9557, or null"},
	[OPTION_TYPE_SHA256] = {SCALAR_STRING | SCALAR_INTEGER | SCALAR_NULL, set_sha256, add_optional_path,
				fini_path,
				"64 hexadecimal digits, as `kunai config --new-token` prints them, or null"},
	[OPTION_TYPE_PATHS] = {0, set_paths, NULL, fini_paths, "a list of paths"},
	[OPTION_TYPE_UUID] = {SCALAR_STRING | SCALAR_NULL, set_uuid, add_uuid,
			      .expected = "a UUID such as 9fda529a-6ed9-5ba5-890c-85f3bd3cc601"},
	[OPTION_TYPE_TIER] = {SCALAR_STRING, set_tier, add_tier,
			      .expected = "auto, tracepoint or trampoline"},
};

static void *member_of(const struct config_option *option, struct config *config)
{
	return (char *)config + option->offset;
}

int option_set_text(const struct config_option *option, struct config *config, struct str text)
{
	const struct option_type_info *type = &option_types[option->type];

	return type->set ? type->set(option, member_of(option, config), text) : -EINVAL;
}

int option_set_null(const struct config_option *option, struct config *config)
{
	if (!(option_types[option->type].accepts & SCALAR_NULL))
		return -EINVAL;
	if (option->type == OPTION_TYPE_UUID)
		host_uuid_derive(&host_uuid_default_sources, member_of(option, config));
	else if (option->type == OPTION_TYPE_OPTIONAL_PATH || option->type == OPTION_TYPE_LOOPBACK ||
		 option->type == OPTION_TYPE_SHA256)
		fini_path(member_of(option, config));
	else
		*(struct config_number *)member_of(option, config) = (struct config_number){0};
	return 0;
}

int option_set_default(const struct config_option *option, struct config *config)
{
	if (option->default_text && strcmp(option->default_text, "null") != 0)
		return option_set_text(option, config, str_of(option->default_text));
	if (option_types[option->type].accepts & SCALAR_NULL)
		return option_set_null(option, config);
	option_clear_list(option, config);
	return 0;
}

void option_clear_list(const struct config_option *option, struct config *config)
{
	if (option->type == OPTION_TYPE_PATHS)
		fini_paths(member_of(option, config));
}

void option_fini(const struct config_option *option, struct config *config)
{
	if (option_types[option->type].fini)
		option_types[option->type].fini(member_of(option, config));
}

unsigned int option_accepts(const struct config_option *option)
{
	return option_types[option->type].accepts;
}

void option_add_text(const struct config_option *option, const struct config *config, struct buf *out)
{
	if (option_types[option->type].add)
		option_types[option->type].add((const char *)config + option->offset, out);
}

void option_add_expected(const struct config_option *option, struct buf *out)
{
	const struct option_type_info *type = &option_types[option->type];

	if (type->expected) {
		buf_add_str(out, str_of(type->expected));
		return;
	}
	if (option->max == UINT64_MAX)
		buf_printf(out, "a number of at least %" PRIu64, option->min);
	else
		buf_printf(out, "a number from %" PRIu64 " to %" PRIu64, option->min, option->max);
	if (type->accepts & SCALAR_NULL)
		buf_add_str(out, STR(", or null"));
}

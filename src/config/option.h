/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The options table. Everything in it is constant; parsed values go to the struct config, which owns them. */
#ifndef KUNAI_CONFIG_OPTION_H
#define KUNAI_CONFIG_OPTION_H

#include "config/config.h"
#include "config/scalar.h"

enum option_type {
	OPTION_TYPE_FLAG, /* the rest of this line exists on command lines only and has no member */
	OPTION_TYPE_FILE,
	OPTION_TYPE_EVENTS,
	OPTION_TYPE_BOOL,
	OPTION_TYPE_NUMBER,
	OPTION_TYPE_OPTIONAL, /* a number or null */
	OPTION_TYPE_SIZE,     /* or null */
	OPTION_TYPE_DURATION, /* or null */
	OPTION_TYPE_PATH,
	OPTION_TYPE_OPTIONAL_PATH, /* an absolute one, or null */
	OPTION_TYPE_LOOPBACK,      /* an address and a port, or null */
	OPTION_TYPE_SHA256,        /* 64 hexadecimal digits, or null */
	OPTION_TYPE_PATHS,
	OPTION_TYPE_UUID,
	OPTION_TYPE_TIER,
};

struct config_option {
	const char *key; /* place in the file, sections before a dot; NULL: not in the file */
	size_t offset;   /* of the member of struct config */
	enum option_type type;
	uint64_t min;
	uint64_t max;
	const char *default_text; /* NULL: an empty list, or derived */
	bool zero_is_null;
	bool dump_only_changed; /* ours, not Kunai's */
	bool not_in_file;       /* it has a member, but no key */

	const char *name;     /* on the command line, without dashes; NULL: not there */
	const char *aliases;  /* old spellings that help does not show, separated by spaces, or NULL */
	const char *argument; /* what help calls the value; NULL for a flag */
	const char *help;
	char letter;
};

static inline bool option_has_member(const struct config_option *option)
{
	return option->key || option->not_in_file;
}

enum option_id {
#define OPTION(id, ...)         OPTION_##id,
#define COMMAND_OPTION(id, ...) OPTION_##id,
#include "config/options.def"
#undef OPTION
#undef COMMAND_OPTION
	OPTION_COUNT
};

/* Indexed by enum option_id. */
extern const struct config_option config_options[OPTION_COUNT];

/* Gives a member its default. Returns 0 or -ENOMEM. */
int option_set_default(const struct config_option *option, struct config *config);

/*
 * Sets a member from text; a list gets one entry more. Returns 0, -EINVAL, -ERANGE, -ENOMEM, or -E2BIG for
 * a list that is full.
 */
int option_set_text(const struct config_option *option, struct config *config, struct str text);

/* Returns 0, or -EINVAL when the option cannot be null. A null UUID is the derived one. */
int option_set_null(const struct config_option *option, struct config *config);

/* Empties a list and does nothing to anything else. */
void option_clear_list(const struct config_option *option, struct config *config);

/* Frees what the member owns. */
void option_fini(const struct config_option *option, struct config *config);

/* The kinds of scalar (enum scalar_kind) that the file may hold for this option, 0 for a list. */
unsigned int option_accepts(const struct config_option *option);

/* Appends the value as the dump shows it; the empty text for a list. */
void option_add_text(const struct config_option *option, const struct config *config, struct buf *out);

/* Appends what a value must be: "a number from 0 to 255". */
void option_add_expected(const struct config_option *option, struct buf *out);

static inline const struct config_paths *option_paths(const struct config_option *option,
						      const struct config *config)
{
	return (const struct config_paths *)((const char *)config + option->offset);
}

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The effective configuration. A struct config owns its strings and lists until config_fini(). */
#ifndef KUNAI_CONFIG_CONFIG_H
#define KUNAI_CONFIG_CONFIG_H

#include "base/buf.h"
#include "base/str.h"
#include "config/message.h"
#include "event/catalogue.h"

enum {
	CONFIG_MAX_FILE = 1 << 20,      /* bytes of a configuration file */
	CONFIG_MAX_COSTLY = 256,        /* characters & [ { and % in it, see load.c */
	CONFIG_MAX_PATHS = 4096,        /* entries of one list of paths */
	CONFIG_UUID_TEXT = 37,          /* with the final NUL */
	CONFIG_SHA256_TEXT = 65,        /* with the final NUL */
	CONFIG_SEND_DATA_MIN_LEN = 256, /* what a null send_data_min_len means */
};

#define CONFIG_HARDEN_LEASE UINT64_C(600000000000) /* what a null harden_lease means, in ns */

/* A number that may be null. */
struct config_number {
	bool set;
	uint64_t value;
};

struct config_paths {
	char **v;
	uint32_t count;
};

struct config_output {
	char *path;                           /* as written, see config_output_standard() */
	struct config_number rotate_size;     /* bytes */
	struct config_number rotate_interval; /* nanoseconds */
	struct config_number max_size;        /* bytes */
	bool buffered;
	bool standard_too; /* standard output gets the events as well */
	bool dns_text;     /* lists of answers are one text */
	char *socket;      /* of ours, or NULL */
	char *syslog;      /* socket of the daemon, or NULL */
	char *journald;    /* too */
};

struct config_scanner {
	struct config_paths rules;
	struct config_paths iocs;
	struct config_paths yara;
	uint64_t min_severity;
	bool show_positive_file_scan;
	uint64_t yara_timeout; /* seconds */
	bool mute;             /* events that no rule can select are not sent by the kernel side */
};

/* Where the hooks sit: docs/tiers.md. */
enum config_tier { TIER_AUTO, TIER_TRACEPOINTS, TIER_TRAMPOLINES };

/* Numbers are 64 bits wide whatever their range, which is in options.def. */
struct config {
	char host_uuid[CONFIG_UUID_TEXT];
	uint64_t max_buffered_events;
	struct config_number max_eps_fs;
	struct config_number workers;
	struct config_number send_data_min_len;
	bool harden;
	char *harden_token;                /* SHA-256 in hexadecimal, or NULL */
	struct config_number harden_lease; /* nanoseconds */
	bool force_load;
	uint64_t max_args; /* bytes */
	enum config_tier tier;
	char *without_hooks; /* names separated by commas, or NULL */
	struct config_output output;
	char *metrics; /* see config_parse_loopback(), or NULL */
	struct config_scanner scanner;
	bool events[EVENT_COUNT]; /* enabled; always true for what cannot be configured */
};

/* Derives the host's UUID, which reads KUNAI_HOST_UUID_SEED and /etc/machine-id. Returns 0 or -ENOMEM. */
int config_init_defaults(struct config *ret);
void config_fini(struct config *config);

/*
 * Reads a configuration file over the defaults. Returns 0, -EINVAL when the messages hold an error, or -errno
 * of opening and reading. Warnings may be there in every case. The messages belong to the caller.
 */
int config_load(const char *path, struct config *ret, struct config_messages *messages);
int config_load_text(const char *text, size_t len, struct config *ret, struct config_messages *messages);

/*
 * Enables or disables the events of a comma list, or every configurable one if the list has `all`. A name that
 * means nothing gives a warning. Never fails.
 */
void config_enable_events(struct config *config, struct str list, bool enable,
			  struct config_messages *messages);

/* The configuration as YAML, byte for byte what Kunai writes. Returns 0 or -ENOMEM. */
int config_dump(const struct config *config, struct buf *out);

/* SHA-256 of the dump in lower-case hexadecimal, as the start event shows it. Returns 0 or -ENOMEM. */
int config_sha256(const struct config *config, char ret_hex[CONFIG_SHA256_TEXT]);

/* Looks, without touching anything, whether the files that are named can be used; the messages say what not. */
void config_check_files(const struct config *config, struct config_messages *messages);

struct sockaddr_storage;

/* "127.0.0.1:9557" or "[::1]:9557": an address of this host's loopback. Returns its size, or -EINVAL. */
int config_parse_loopback(struct str text, struct sockaddr_storage *ret);

/* Returns 1 or 2 when the output is a standard stream, else -1. */
int config_output_standard(const struct config *config);

/* In ns. */
static inline uint64_t config_harden_lease(const struct config *config)
{
	return config->harden_lease.set ? config->harden_lease.value : CONFIG_HARDEN_LEASE;
}

static inline uint64_t config_send_data_min_len(const struct config *config)
{
	return config->send_data_min_len.set ? config->send_data_min_len.value : CONFIG_SEND_DATA_MIN_LEN;
}

#endif

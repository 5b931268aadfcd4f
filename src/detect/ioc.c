/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect/ioc.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/opener.h"
#include "event/field.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

enum { FIELDS_MAX = 16, SEGMENTS_MAX = 4, CHUNK_SIZE = 1 << 16 };

struct ioc {
	UT_hash_handle hh;
	uint32_t len;
	uint8_t severity;
	char value[];
};

struct ioc_set {
	struct ioc *table;
	struct arena iocs; /* what is in the table */
	/* the fields that are looked up, by type of event */
	struct field_ref fields[EVENT_COUNT][FIELDS_MAX];
	uint32_t field_count[EVENT_COUNT];
};

/* Which fields, from Kunai's documentation; what an event does not have is passed over. */
#define DIGESTS(object) object ".md5", object ".sha1", object ".sha256", object ".sha512"
static const char *const image_fields[] = {"exe.path", NULL};
static const char *const exec_fields[] = {
	"parent_exe", "exe.path", DIGESTS("exe"), "interpreter.path", DIGESTS("interpreter"), NULL};
static const char *const mmap_fields[] = {"exe.path", "mapped.path", DIGESTS("mapped"), NULL};
static const char *const module_fields[] = {"exe.path", "file.path", DIGESTS("file"), NULL};
static const char *const connect_fields[] = {"dst.ip", "dst.hostname", "dst.asked", NULL};
static const char *const send_fields[] = {"exe.path", "dst.ip", "dst.hostname", "dst.asked", NULL};
static const char *const dns_fields[] = {"exe.path", "response", "query", "dns_server.ip", NULL};
static const char *const file_fields[] = {"exe.path", "path", NULL};
static const char *const rename_fields[] = {"exe.path", "old", "new", NULL};
static const char *const bpf_fields[] = {"exe.path", DIGESTS("bpf_prog"), NULL};
static const char *const filter_fields[] = {"exe.path", DIGESTS("filter"), NULL};
static const char *const scan_fields[] = {"path", DIGESTS("meta"), NULL};

static const char *const *fields_of(enum event_type type)
{
	switch (type) {
	case EVENT_execve:
	case EVENT_execve_script:
		return exec_fields;
	case EVENT_mmap_exec:
		return mmap_fields;
	case EVENT_init_module:
		return module_fields;
	case EVENT_connect:
		return connect_fields;
	case EVENT_send_data:
		return send_fields;
	case EVENT_dns_query:
		return dns_fields;
	case EVENT_read:
	case EVENT_read_config:
	case EVENT_write:
	case EVENT_write_config:
	case EVENT_write_close:
	case EVENT_file_create:
	case EVENT_file_unlink:
		return file_fields;
	case EVENT_file_rename:
		return rename_fields;
	case EVENT_bpf_prog_load:
		return bpf_fields;
	case EVENT_bpf_socket_filter:
		return filter_fields;
	case EVENT_file_scan:
		return scan_fields;
	default:
		return image_fields;
	}
}

/* "exe.path" as the segments data, exe, path. */
static bool find_field(enum event_type type, const char *path, struct field_ref *ret)
{
	struct str segments[SEGMENTS_MAX] = {STR("data")};
	uint32_t n = 1;

	while (*path && n < SEGMENTS_MAX) {
		size_t len = strcspn(path, ".");
		segments[n++] = (struct str){path, (uint32_t)len};
		path += len + (path[len] == '.');
	}
	return field_find(type, segments, n, ret) == 0;
}

struct ioc_set *ioc_set_new(void)
{
	struct ioc_set *set = calloc(1, sizeof(*set));
	if (!set)
		return NULL;
	for (int type = 0; type < EVENT_COUNT; type++)
		for (const char *const *path = fields_of((enum event_type)type); *path; path++) {
			struct field_ref *ref = &set->fields[type][set->field_count[type]];
			set->field_count[type] += find_field((enum event_type)type, *path, ref);
		}
	return set;
}

void ioc_set_free(struct ioc_set *set)
{
	if (!set)
		return;
	HASH_CLEAR(hh, set->table);
	arena_fini(&set->iocs);
	free(set);
}

uint32_t ioc_count(const struct ioc_set *set)
{
	return HASH_COUNT(set->table);
}

static unsigned hash_of(struct str value)
{
	unsigned hash;

	HASH_VALUE(value.p, value.len, hash);
	return hash;
}

static struct ioc *find(const struct ioc_set *set, struct str value, unsigned hash)
{
	struct ioc *found;

	HASH_FIND_BYHASHVALUE(hh, set->table, value.p, value.len, hash, found);
	return found;
}

static int add(struct ioc_set *set, struct str value, uint8_t severity)
{
	unsigned hash = hash_of(value);
	struct ioc *ioc = find(set, value, hash);

	if (ioc) {
		if (severity > ioc->severity)
			ioc->severity = severity;
		return 0;
	}
	ioc = arena_alloc(&set->iocs, sizeof(*ioc) + value.len);
	if (!ioc)
		return -ENOMEM;
	ioc->len = value.len;
	ioc->severity = severity;
	memcpy(ioc->value, value.p, value.len);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, set->table, ioc->value, value.len, hash, ioc);
	return ioc->hh.tbl ? 0 : -ENOMEM;
}

/* The text of a UUID, as RFC 9562 has it; uuid_parse(3) takes a tenth of the time of a whole line. */
static bool is_uuid(const char *text, size_t len)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (len != sizeof(form) - 1)
		return false;
	for (size_t i = 0; i < len; i++)
		if (form[i] == '-' ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
	return true;
}

/* What the line is wrong about, or NULL. */
static const char *check_line(const json_t *line, struct str *ret_value, uint8_t *ret_severity)
{
	const json_t *value = json_object_get(line, "value");
	const json_t *severity = json_object_get(line, "severity");
	const json_t *uuid = json_object_get(line, "uuid");
	const json_t *source = json_object_get(line, "source");

	if (!json_is_string(value))
		return "no string 'value': expected {\"source\": ..., \"uuid\": ..., \"value\": ..., "
		       "\"severity\": 0..10}";
	*ret_value = (struct str){json_string_value(value), (uint32_t)json_string_length(value)};
	if (ret_value->len == 0 || str_eq(*ret_value, STR("?")))
		return "an empty value or '?' would match whatever is unknown";
	if (ret_value->len > IOC_VALUE_MAX)
		return "the value is longer than 4096 bytes";
	if (source && !json_is_string(source))
		return "'source' is not a string";
	if (uuid && (!json_is_string(uuid) || !is_uuid(json_string_value(uuid), json_string_length(uuid))))
		return "'uuid' is not a UUID";
	*ret_severity = IOC_SEVERITY_DEFAULT;
	if (!severity)
		return NULL;
	if (!json_is_integer(severity) || json_integer_value(severity) < 0 ||
	    json_integer_value(severity) > 255)
		return "'severity' is not a number from 0 to 255";
	json_int_t n = json_integer_value(severity);
	*ret_severity = (uint8_t)(n > IOC_SEVERITY_MAX ? IOC_SEVERITY_MAX : n);
	return NULL;
}

static int load_line(struct ioc_set *set, struct str text, const struct place *place,
		     struct problems *problems)
{
	json_error_t error;
	json_t *line = json_loadb(text.p, text.len, JSON_ALLOW_NUL, &error);
	struct place at = *place;
	struct str value;
	uint8_t severity;

	if (!line) {
		at.column = error.column > 0 ? (uint32_t)error.column : 1;
		problems_add(problems, PROBLEM_ERROR, &at, "%s", error.text);
		return 0;
	}
	const char *wrong = check_line(line, &value, &severity);
	int err = 0;
	if (wrong)
		problems_add(problems, PROBLEM_ERROR, &at, "%s", wrong);
	else
		err = add(set, value, severity);
	json_decref(line);
	return err;
}

static bool is_blank(struct str line)
{
	for (uint32_t i = 0; i < line.len; i++)
		if (!strchr(" \t\r\n", line.p[i]) || !line.p[i])
			return false;
	return true;
}

struct lines {
	FILE *file;
	size_t pos, len; /* of what is in chunk */
	char chunk[CHUNK_SIZE];
	char text[IOC_LINE_MAX]; /* a line that is not in one chunk */
};

/* The next line without its end, in chunk when it is whole there; false at the end of the file. */
static bool read_line(struct lines *in, struct str *ret, bool *ret_cut)
{
	size_t kept = 0;

	*ret_cut = false;
	for (;;) {
		if (in->pos == in->len) {
			in->pos = 0;
			in->len = fread(in->chunk, 1, sizeof(in->chunk), in->file);
		}
		const char *from = in->chunk + in->pos, *end = memchr(from, '\n', in->len - in->pos);
		size_t n = end ? (size_t)(end - from) : in->len - in->pos;

		in->pos += n + (end != NULL);
		if (end && kept == 0 && !*ret_cut) {
			*ret = (struct str){from, (uint32_t)n};
			return true;
		}
		size_t room = sizeof(in->text) - kept, keep = n < room ? n : room;
		memcpy(in->text + kept, from, keep);
		kept += keep;
		*ret_cut |= n > room;
		if (end || in->len == 0) {
			*ret = (struct str){in->text, (uint32_t)kept};
			return end || kept;
		}
	}
}

static int load_lines(struct ioc_set *set, FILE *file, const char *path, struct problems *problems)
{
	struct place place = {.file = str_of(path), .column = 1};
	struct lines *in = calloc(1, sizeof(*in));
	int err = in ? 0 : -ENOMEM;
	struct str line;
	bool cut;

	if (in)
		in->file = file;
	while (!err && read_line(in, &line, &cut)) {
		place.line++;
		if (cut)
			problems_add(problems, PROBLEM_ERROR, &place, "the line is longer than a megabyte");
		else if (!is_blank(line))
			err = load_line(set, line, &place, problems);
	}
	if (!err && ferror(file))
		err = -EIO;
	free(in);
	return err;
}

static int load_file(struct ioc_set *set, const char *path, struct problems *problems)
{
	int fd = opener_open(path, O_RDONLY);
	if (fd < 0)
		return fd;
	FILE *file = fdopen(fd, "r");
	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	int err = load_lines(set, file, path, problems);
	fclose(file);
	return err;
}

struct directory_context {
	struct ioc_set *set;
	struct problems *problems;
};

/* One that cannot be read does not keep the others from being looked at. */
static int load_entry(void *context, const char *path)
{
	const struct directory_context *c = context;
	const struct place place = {.file = str_of(path)};

	int err = load_file(c->set, path, c->problems);
	if (err == -ENOMEM)
		return err;
	if (err)
		problems_add(c->problems, PROBLEM_ERROR, &place, "cannot read the IoCs: %s", strerror(-err));
	return 0;
}

static int load_directory(struct ioc_set *set, const char *path, struct problems *problems)
{
	static const char *const suffixes[] = {".ioc", NULL};
	struct directory_context context = {set, problems};

	return file_each(path, suffixes, load_entry, &context);
}

int ioc_load(struct ioc_set *set, const char *path, struct problems *problems)
{
	struct stat st;

	int err = file_stat(path, &st);
	if (err)
		return err;
	return S_ISDIR(st.st_mode) ? load_directory(set, path, problems) : load_file(set, path, problems);
}

struct hits {
	struct ioc_hit *v;
	uint32_t count, max;
};

static void look_up(const struct ioc_set *set, struct str value, struct hits *hits)
{
	const struct ioc *ioc =
		value.len && hits->count < hits->max ? find(set, value, hash_of(value)) : NULL;

	if (ioc)
		hits->v[hits->count++] = (struct ioc_hit){{ioc->value, ioc->len}, ioc->severity};
}

uint32_t ioc_match(const struct ioc_set *set, const struct event *e, struct ioc_hit *ret_hits, uint32_t max)
{
	struct hits hits = {ret_hits, 0, max};
	char text[FIELD_TEXT_SIZE];

	for (uint32_t i = 0; set->table && i < set->field_count[e->type]; i++) {
		struct value value = field_get(e, &set->fields[e->type][i], text);
		if (value.kind == VALUE_STR)
			look_up(set, value.s, &hits);
		for (uint32_t k = 0; value.kind == VALUE_STRV && k < value.v.n; k++)
			look_up(set, value.v.v[k], &hits);
	}
	return hits.count;
}

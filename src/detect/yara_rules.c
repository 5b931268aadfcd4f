/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect/yara_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <yara.h>

#include "base/file.h"
#include "base/opener.h"

/* The sources of a set, compiled together, then every compiled file. */
struct yara_rules {
	atomic_uint references;
	uint32_t count;
	uint32_t set_count;
	YR_RULES *sets[1 + YARA_COMPILED_MAX];
};

/* What rules may ask of the file beside its bytes: known from THOR and LOKI, whose rules need them to compile. */
static const char *const externals[] = {"filename", "filepath", "extension", "filetype", "owner"};
enum { FILENAME, FILEPATH, EXTENSION, FILETYPE, OWNER, EXTERNALS };
_Static_assert(sizeof(externals) / sizeof(*externals) == EXTERNALS, "one name each");

static const char *const suffixes[] = {".yar", ".yara", ".yarc", NULL};

bool yara_is_rule_file(const char *path)
{
	return file_has_suffix(path, suffixes);
}

/* ---- files ---- */

struct file_list {
	char *v[YARA_FILES_MAX];
	bool bad[YARA_FILES_MAX];
	uint32_t count;
	uint32_t bad_count;
};

static int add_file(struct file_list *files, const char *path, struct problems *problems)
{
	const struct place place = {.file = str_of(path)};

	if (files->count == YARA_FILES_MAX) {
		problems_add(problems, PROBLEM_ERROR, &place, "more than %d files of YARA rules",
			     YARA_FILES_MAX);
		return -EINVAL;
	}
	files->v[files->count] = strdup(path);
	return files->v[files->count] ? (int)files->count++ : -ENOMEM;
}

struct directory_context {
	struct file_list *files;
	struct problems *problems;
};

static int add_entry(void *context, const char *path)
{
	const struct directory_context *c = context;

	return add_file(c->files, path, c->problems);
}

static int add_directory(struct file_list *files, const char *path, struct problems *problems)
{
	struct directory_context context = {files, problems};

	return file_each(path, suffixes, add_entry, &context);
}

static int list_files(const char *const *paths, uint32_t count, enum path_policy policy,
		      struct problems *problems, struct file_list *ret)
{
	struct stat st;

	for (uint32_t i = 0; i < count; i++) {
		const struct place place = {.file = str_of(paths[i])};
		int err = file_stat(paths[i], &st);
		if (!err)
			err = S_ISDIR(st.st_mode) ? add_directory(ret, paths[i], problems)
						  : add_file(ret, paths[i], problems);
		if (err == -ENOMEM || err == -EINVAL)
			return err;
		if (err < 0)
			problems_add(problems,
				     err == -ENOENT && policy == PATHS_MAY_BE_MISSING ? PROBLEM_WARNING
										      : PROBLEM_ERROR,
				     &place, "cannot read the YARA rules: %s", strerror(-err));
	}
	return 0;
}

/* A regular file of bearable size, or NULL and why not. */
static FILE *open_regular(const char *path, struct stat *ret_st, const char **ret_why)
{
	/* a FIFO would keep us waiting */
	int fd = opener_open(path, O_RDONLY | O_NONBLOCK);
	const char *why = NULL;

	if (fd < 0)
		why = strerror(-fd);
	else if (fstat(fd, ret_st) < 0)
		why = strerror(errno);
	else if (!S_ISREG(ret_st->st_mode))
		why = "it is no regular file";
	else if (ret_st->st_size > YARA_FILE_MAX)
		why = "it is larger than 64 MiB";
	FILE *file = why ? NULL : fdopen(fd, "r");
	if (file)
		return file;
	*ret_why = why ? why : strerror(errno);
	if (fd >= 0)
		close(fd);
	return NULL;
}

/* NULL after a problem was added. */
static FILE *open_rules(const char *path, struct problems *problems, struct stat *ret_st)
{
	const struct place place = {.file = str_of(path)};
	const char *why;
	FILE *file = open_regular(path, ret_st, &why);

	if (!file)
		problems_add(problems, PROBLEM_ERROR, &place, "cannot read the YARA rules: %s", why);
	return file;
}

static bool is_compiled(FILE *file)
{
	char magic[4];
	bool compiled = fread(magic, sizeof(magic), 1, file) == 1 && memcmp(magic, "YARA", 4) == 0;

	rewind(file);
	return compiled;
}

/* ---- sources ---- */

struct report {
	struct problems *problems;
	bool quiet; /* they were told before */
};

/* Found between rules: libyara names the rule before. */
static bool is_between_rules(const char *message)
{
	static const char *const beginnings[] = {"duplicated identifier", "unknown module",
						 "can't open include file", "include circular reference",
						 "callback failed to provide"};

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++)
		if (strncmp(message, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}

static void on_message(int level, const char *file, int line, const YR_RULE *rule, const char *message,
		       void *context)
{
	const struct report *report = context;
	struct place place = {.file = str_of(file ? file : ""), .line = (uint32_t)line, .column = 1};

	if (report->quiet)
		return;
	if (rule && !is_between_rules(message))
		place.rule = str_of(rule->identifier);
	problems_add(report->problems, level == YARA_ERROR_LEVEL_ERROR ? PROBLEM_ERROR : PROBLEM_WARNING,
		     &place, "%s", message);
}

/* Beside the source that includes it, else as it is named, as libyara has it. */
static FILE *open_include(const char *name, const char *source, struct stat *ret_st)
{
	const char *slash = source ? strrchr(source, '/') : NULL;
	FILE *file = NULL;
	char *beside;
	const char *why;

	if (slash && *name != '/' && asprintf(&beside, "%.*s/%s", (int)(slash - source), source, name) >= 0) {
		file = open_regular(beside, ret_st, &why);
		free(beside);
	}
	return file ? file : open_regular(name, ret_st, &why);
}

/* As libyara would, were there not the opener. It tells of NULL. */
static const char *read_include(const char *name, const char *source, const char *name_space, void *context)
{
	struct stat st;
	FILE *file = open_include(name, source, &st);
	char *text = file ? malloc((size_t)st.st_size + 1) : NULL;

	(void)name_space;
	(void)context;
	if (text)
		text[fread(text, 1, (size_t)st.st_size, file)] = '\0';
	if (file)
		fclose(file);
	return text;
}

static void free_include(const char *text, void *context)
{
	(void)context;
	free((char *)text);
}

static YR_COMPILER *new_compiler(struct report *report)
{
	YR_COMPILER *compiler;

	if (yr_compiler_create(&compiler) != ERROR_SUCCESS)
		return NULL;
	yr_compiler_set_callback(compiler, on_message, report);
	yr_compiler_set_include_callback(compiler, read_include, free_include, NULL);
	for (int i = 0; i < EXTERNALS; i++) {
		if (yr_compiler_define_string_variable(compiler, externals[i], "") != ERROR_SUCCESS) {
			yr_compiler_destroy(compiler);
			return NULL;
		}
	}
	return compiler;
}

static int load_compiled(struct yara_rules *rules, FILE *file, const char *path, const struct stat *st,
			 struct problems *problems)
{
	const struct place place = {.file = str_of(path)};
	YR_STREAM stream = {.user_data = file, .read = (YR_STREAM_READ_FUNC)fread};
	const char *why = NULL;

	if ((st->st_uid != 0 && st->st_uid != geteuid()) || (st->st_mode & (S_IWGRP | S_IWOTH)))
		why = "compiled rules are a program: only root, or who runs this, may be able to write the "
		      "file";
	else if (rules->set_count == 1 + YARA_COMPILED_MAX)
		why = "there are more than 64 files of compiled rules";
	else
		switch (yr_rules_load_stream(&stream, &rules->sets[rules->set_count])) {
		case ERROR_SUCCESS:
			rules->set_count++;
			return 0;
		case ERROR_INSUFFICIENT_MEMORY:
			return -ENOMEM;
		case ERROR_UNSUPPORTED_FILE_VERSION:
			why = "another version of YARA compiled these rules";
			break;
		default:
			why = "the compiled rules are damaged";
		}
	problems_add(problems, PROBLEM_ERROR, &place, "%s", why);
	return 0;
}

/* Returns the number of errors in the file, or -ENOMEM. */
static int add_source(YR_COMPILER *compiler, const char *path, struct report *report)
{
	struct stat st;
	FILE *file = open_rules(path, report->problems, &st);

	if (!file)
		return 1;
	int errors = is_compiled(file) ? 0 : yr_compiler_add_file(compiler, file, NULL, path);
	if (errors && compiler->last_error == ERROR_INSUFFICIENT_MEMORY)
		errors = -ENOMEM;
	fclose(file);
	return errors;
}

/*
 * The files that are not known to be bad. A compiler cannot go on after an error, so a file with errors is marked, and the
 * next attempt goes without it: -EAGAIN.
 */
static int compile_good(struct file_list *files, uint32_t told, struct report *report, YR_COMPILER **ret)
{
	YR_COMPILER *compiler = new_compiler(report);
	if (!compiler)
		return -ENOMEM;
	for (uint32_t i = 0; i < files->count; i++) {
		if (files->bad[i])
			continue;
		report->quiet = i < told;
		int errors = add_source(compiler, files->v[i], report);
		if (errors) {
			files->bad[i] = true;
			files->bad_count++;
			yr_compiler_destroy(compiler);
			return errors < 0 ? errors : -EAGAIN;
		}
	}
	*ret = compiler;
	return 0;
}

static uint32_t last_bad(const struct file_list *files)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < files->count; i++)
		if (files->bad[i])
			last = i + 1;
	return last;
}

static int compile_sources(struct file_list *files, struct problems *problems, YR_COMPILER **ret)
{
	struct report report = {.problems = problems};
	int err;

	do
		err = compile_good(files, last_bad(files), &report, ret);
	while (err == -EAGAIN && files->bad_count < YARA_BAD_FILES_MAX);
	if (err != -EAGAIN)
		return err;
	const struct place place = {.file = str_of(files->v[last_bad(files) - 1])};
	problems_add(problems, PROBLEM_ERROR, &place,
		     "%d files have errors: those after this one were not read", YARA_BAD_FILES_MAX);
	return -EINVAL;
}

/* ---- sets ---- */

static int initialised;

static void initialise(void)
{
	initialised = yr_initialize() == ERROR_SUCCESS ? 0 : -ENOMEM;
}

static uint32_t count_rules(YR_RULES *set)
{
	YR_RULE *rule;
	uint32_t n = 0;

	yr_rules_foreach(set, rule) n++;
	return n;
}

static int load_all_compiled(struct yara_rules *rules, struct file_list *files, struct problems *problems)
{
	int err = 0;

	for (uint32_t i = 0; i < files->count && !err; i++) {
		struct stat st;
		FILE *file = files->bad[i] ? NULL : open_rules(files->v[i], problems, &st);
		if (file && is_compiled(file))
			err = load_compiled(rules, file, files->v[i], &st, problems);
		if (file)
			fclose(file);
	}
	return err;
}

static int load_files(struct yara_rules *rules, struct file_list *files, struct problems *problems)
{
	YR_COMPILER *compiler = NULL;

	int err = compile_sources(files, problems, &compiler);
	if (err)
		return err;
	if (yr_compiler_get_rules(compiler, &rules->sets[0]) != ERROR_SUCCESS)
		err = -ENOMEM;
	else
		rules->set_count = 1;
	yr_compiler_destroy(compiler);
	if (!err)
		err = load_all_compiled(rules, files, problems);
	for (uint32_t i = 0; i < rules->set_count; i++)
		rules->count += count_rules(rules->sets[i]);
	return err;
}

int yara_rules_load(const char *const *paths, uint32_t count, enum path_policy policy,
		    struct problems *problems, struct yara_rules **ret)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	uint32_t errors = problems->errors;

	if (count == 0) {
		*ret = NULL;
		return 0;
	}
	pthread_once(&once, initialise);
	struct file_list *files = calloc(1, sizeof(*files));
	struct yara_rules *rules = calloc(1, sizeof(*rules));
	int err = files && rules ? initialised : -ENOMEM;
	if (!err)
		err = list_files(paths, count, policy, problems, files);
	if (!err)
		err = load_files(rules, files, problems);
	if (!err && problems->errors > errors)
		err = -EINVAL;
	for (uint32_t i = 0; files && i < files->count; i++)
		free(files->v[i]);
	free(files);
	if (rules)
		atomic_init(&rules->references, 1);
	if (err || rules->count == 0) {
		yara_rules_release(rules);
		rules = NULL;
	}
	if (!err)
		*ret = rules;
	return err;
}

struct yara_rules *yara_rules_share(struct yara_rules *rules)
{
	if (rules)
		atomic_fetch_add(&rules->references, 1);
	return rules;
}

void yara_rules_release(struct yara_rules *rules)
{
	if (!rules || atomic_fetch_sub(&rules->references, 1) > 1)
		return;
	for (uint32_t i = 0; i < rules->set_count; i++)
		yr_rules_destroy(rules->sets[i]);
	free(rules);
}

uint32_t yara_rules_count(const struct yara_rules *rules)
{
	return rules ? rules->count : 0;
}

/* ---- matching ---- */

struct matcher {
	struct yara_rules *rules;
	YR_SCANNER *scanners[1 + YARA_COMPILED_MAX];
};

static void matcher_free(void *context)
{
	struct matcher *m = context;

	if (!m)
		return;
	for (uint32_t i = 0; i < m->rules->set_count; i++)
		if (m->scanners[i])
			yr_scanner_destroy(m->scanners[i]);
	yara_rules_release(m->rules);
	free(m);
}

static void *matcher_new(void *rules)
{
	struct matcher *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->rules = yara_rules_share(rules);
	for (uint32_t i = 0; i < m->rules->set_count; i++) {
		if (yr_scanner_create(m->rules->sets[i], &m->scanners[i]) == ERROR_SUCCESS)
			continue;
		m->scanners[i] = NULL;
		matcher_free(m);
		errno = ENOMEM;
		return NULL;
	}
	return m;
}

static bool has_name(const struct findings *f, const char *name, size_t size)
{
	for (size_t at = 0; at < f->size; at += strlen(f->names + at) + 1)
		if (f->size - at >= size && memcmp(f->names + at, name, size) == 0)
			return true;
	return false;
}

static void add_name(struct findings *f, const char *name)
{
	size_t size = strlen(name) + 1;

	if (has_name(f, name, size))
		return;
	if (f->count == YARA_MATCHES_MAX) {
		snprintf(f->error, sizeof(f->error), "more than %d rules match", YARA_MATCHES_MAX);
		return;
	}
	char *names = realloc(f->names, f->size + size);
	if (!names) {
		snprintf(f->error, sizeof(f->error), "out of memory: not all rules that match are named");
		return;
	}
	f->names = names;
	memcpy(names + f->size, name, size);
	f->size += size;
	f->count++;
}

static int on_match(YR_SCAN_CONTEXT *scan, int message, void *data, void *context)
{
	struct findings *f = context;

	(void)scan;
	if (message == CALLBACK_MSG_RULE_MATCHING)
		add_name(f, ((const YR_RULE *)data)->identifier);
	else if (message == CALLBACK_MSG_TOO_MANY_MATCHES)
		snprintf(f->error, sizeof(f->error), "too many matches of the string %s",
			 ((const YR_STRING *)data)->identifier);
	return CALLBACK_CONTINUE;
}

static void set_error(struct findings *f, int error, uint32_t timeout_s)
{
	switch (error) {
	case ERROR_SUCCESS:
		return;
	case ERROR_SCAN_TIMEOUT:
		f->timed_out = true;
		snprintf(f->error, sizeof(f->error), "the scan took longer than %u s and was given up",
			 timeout_s);
		return;
	case ERROR_INSUFFICIENT_MEMORY:
		snprintf(f->error, sizeof(f->error), "out of memory");
		return;
	default:
		snprintf(f->error, sizeof(f->error), "the scan failed: libyara error %d", error);
	}
}

/* Rules that were compiled elsewhere may not know the name, which is no failure. */
static void define_externals(YR_SCANNER *scanner, const struct content *content)
{
	const char *slash = strrchr(content->path, '/');
	const char *name = slash ? slash + 1 : content->path;
	const char *dot = strrchr(name, '.');
	char owner[16];

	snprintf(owner, sizeof(owner), "%u", content->owner);
	const char *const values[] = {
		[FILENAME] = name,
		[FILEPATH] = content->path,
		[EXTENSION] = dot ? dot : "",
		[FILETYPE] = content->magic,
		[OWNER] = content->owner ? owner : "root",
	};
	for (int i = 0; i < EXTERNALS; i++)
		yr_scanner_define_string_variable(scanner, externals[i], values[i]);
}

/*
 * The bytes are our own memory, so nothing can take them away and libyara need not catch SIGBUS: its way to do so replaces
 * the handlers of the whole process.
 */
static void match(void *context, const struct content *content, struct findings *ret)
{
	struct matcher *m = context;

	for (uint32_t i = 0; i < m->rules->set_count && !ret->timed_out; i++) {
		define_externals(m->scanners[i], content);
		yr_scanner_set_callback(m->scanners[i], on_match, ret);
		yr_scanner_set_flags(m->scanners[i],
				     SCAN_FLAGS_REPORT_RULES_MATCHING | SCAN_FLAGS_NO_TRYCATCH);
		yr_scanner_set_timeout(m->scanners[i], (int)content->timeout_s);
		set_error(ret, yr_scanner_scan_mem(m->scanners[i], content->bytes, content->len),
			  content->timeout_s);
	}
}

static void *share(void *rules)
{
	return yara_rules_share(rules);
}

static void release(void *rules)
{
	yara_rules_release(rules);
}

const struct content_engine yara_engine = {share, release, matcher_new, matcher_free, match};

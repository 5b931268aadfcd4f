/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Compiled patterns: as images, in the cache on disk, from the child that makes them, and of older rules. */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/compile_helper.h"
#include "detect/detect.h"
#include "detect/pattern_cache.h"

#define TEXTS(literal) literal, sizeof(literal)

static const char words[] = "bar\0foo\0foo\0foo[0-9]+";
/* Vectorscan refuses what looks behind */
static const char refused[] = "(?<=a)b\0foo";

static char directory[] = "/tmp/kunai-patterns-XXXXXX";

static struct pattern_set *make_words(void)
{
	return patterns_new(words, sizeof(words));
}

static void test_texts(void)
{
	struct pattern_set *set = make_words();

	ok(set && set->count == 4 && strcmp(set->patterns[3], "foo[0-9]+") == 0, "sorted texts are patterns");
	patterns_unref(set);
	ok(!patterns_new(TEXTS("foo\0bar")) && errno == EINVAL, "unsorted ones are refused");
	ok(!patterns_new("foo", 3) && errno == EINVAL, "so is one without an end");
	set = patterns_new(NULL, 0);
	ok(set && set->count == 0, "there may be none");
	ok(set && patterns_compile(set) == 0 && !set->db, "  which make no database");
	patterns_unref(set);
}

static uint32_t count_held(const struct pattern_set *set)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < set->count; i++)
		n += set->held[i];
	return n;
}

static void test_refused(void)
{
	struct pattern_set *set = patterns_new(refused, sizeof(refused));

	ok(patterns_compile(set) == 0 && set->compiled, "a pattern that no database holds is no failure");
	ok(!set->held[0] && set->held[1], "  it is left out");
	patterns_unref(set);
}

static void try_image(const struct buf *image, size_t len, const struct pattern_set *of, int want,
		      const char *name)
{
	struct pattern_set *set = patterns_new(of->texts, of->size);

	int err = patterns_use_image(set, image->p, len);
	ok(err == want && set->compiled == !want && !!set->db == !want, "%s: %d", name, err);
	patterns_unref(set);
}

static void test_images(void)
{
	struct pattern_set *set = make_words(), *other = patterns_new(TEXTS("bar\0foo\0foo\0foo[0-9]"));
	struct buf image = {0};

	ok(patterns_compile(set) == 0 && count_held(set) == 4, "all are held");
	ok(patterns_add_image(set, &image) == 0, "it can be written down");
	try_image(&image, image.len, set, 0, "the image of the same patterns");
	try_image(&image, image.len, other, -EBADMSG, "that of others");
	try_image(&image, image.len - 1, set, -EBADMSG, "one that is too short");
	try_image(&image, 20, set, -EBADMSG, "one without a head");
	/* at the beginning, in the key, digest, count, size, held, and in the database */
	const size_t places[] = {0, 8, 40, 72, 80, 88, 92, image.len / 2, image.len - 1};
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		image.p[places[i]] ^= 1;
		try_image(&image, image.len, set, -EBADMSG, "one that is damaged");
		image.p[places[i]] ^= 1;
	}
	patterns_unref(set);
	patterns_unref(other);
	buf_fini(&image);
}

/* ---- cache ---- */

static const char *only_file(void)
{
	static char path[256];

	snprintf(path, sizeof(path), "ls %s", directory);
	FILE *list = popen(path, "r");
	char name[128] = "";
	if (!list || fscanf(list, "%127s", name) != 1)
		name[0] = '\0';
	if (list)
		pclose(list);
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void try_cache(const struct pattern_cache *cache, int want, const char *name)
{
	struct pattern_set *set = make_words();

	int err = pattern_cache_read(cache, set);
	ok(err == want && set->compiled == !want, "%s: %d", name, err);
	patterns_unref(set);
}

static void write_words(const struct pattern_cache *cache)
{
	struct pattern_set *set = make_words();
	struct buf image = {0};

	ok(patterns_compile(set) == 0 && patterns_add_image(set, &image) == 0 &&
		   pattern_cache_write(cache, set, &image) == 0,
	   "it is kept");
	patterns_unref(set);
	buf_fini(&image);
}

static void test_files(const struct pattern_cache *cache)
{
	struct stat st;

	try_cache(cache, -ENOENT, "nothing is in an empty cache");
	write_words(cache);
	const char *path = only_file();
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "  for us alone");
	try_cache(cache, 0, "and found again");
	chmod(path, 0620);
	try_cache(cache, -EPERM, "not if others may write to it");
	chmod(path, 0600);
	if (geteuid() == 0) {
		ok(chown(path, 65534, 65534) == 0, "  or own it");
		try_cache(cache, -EPERM, "  then it is not believed");
		ok(chown(path, 0, 0) == 0, "  until it is ours again");
	}
	ok(truncate(path, st.st_size - 1) == 0, "it is cut");
	try_cache(cache, -EBADMSG, "  and refused");
	ok(truncate(path, (off_t)PATTERNS_IMAGE_MAX + 1) == 0, "it is larger than it may be");
	try_cache(cache, -EBADMSG, "  and refused");
	unlink(path);
	ok(symlink("/etc/passwd", path) == 0, "it is a link");
	try_cache(cache, -ELOOP, "  and not followed");
	unlink(path);
}

static void count_files(uint32_t want, const char *name)
{
	char command[128];
	unsigned int n = 0;

	snprintf(command, sizeof(command), "ls %s | wc -l", directory);
	FILE *f = popen(command, "r");
	if (!f || fscanf(f, "%u", &n) != 1)
		n = 0;
	if (f)
		pclose(f);
	is_u64(n, want, name);
}

static void test_room(const struct pattern_cache *cache)
{
	char path[128];

	for (int i = 0; i < PATTERN_CACHE_FILES; i++) {
		snprintf(path, sizeof(path), "%s/%064x.patterns", directory, i);
		int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
		const struct timespec times[2] = {{.tv_sec = 1000 + i}, {.tv_sec = 1000 + i}};
		futimens(fd, times);
		close(fd);
	}
	count_files(PATTERN_CACHE_FILES, "a full cache");
	write_words(cache);
	count_files(PATTERN_CACHE_FILES, "  does not grow");
	snprintf(path, sizeof(path), "%s/%064x.patterns", directory, 0);
	ok(access(path, F_OK) < 0, "  the oldest went");
	try_cache(cache, 0, "  the new one is there");
}

static void test_cache(void)
{
	struct pattern_cache cache;
	char command[64];

	ok(mkdtemp(directory) && pattern_cache_open("/tmp/kunai-patterns-none", false, &cache) == -ENOENT,
	   "a cache that is not there is not made");
	chmod(directory, 0777);
	ok(pattern_cache_open(directory, false, &cache) == -EPERM,
	   "nor believed when others may write there");
	chmod(directory, 0755);
	if (!ok(pattern_cache_open(directory, true, &cache) == 0, "a directory of ours is"))
		return;
	test_files(&cache);
	test_room(&cache);
	pattern_cache_close(&cache);
	snprintf(command, sizeof(command), "rm -r %s", directory);
	ok(system(command) == 0, "the test cleans up");
}

/* ---- the child ---- */

static void test_helper(const struct helper *helper)
{
	struct pattern_set *set = make_words();
	struct buf image = {0};
	int stop[2];

	ok(pipe(stop) == 0 && compile_helper_run(helper, set, stop[0], &image) == 0 && count_held(set) == 4,
	   "the child compiles");
	ok(write(stop[1], "", 1) == 1, "it is to stop");
	struct pattern_set *other = make_words();
	buf_reset(&image);
	ok(compile_helper_run(helper, other, stop[0], &image) == -ECANCELED && !other->compiled,
	   "  and does at once");
	char byte;
	buf_reset(&image);
	ok(read(stop[0], &byte, 1) == 1 && compile_helper_run(helper, other, stop[0], &image) == 0 &&
		   other->compiled,
	   "  and works again");
	close(stop[0]);
	close(stop[1]);
	patterns_unref(set);
	patterns_unref(other);
	buf_fini(&image);
}

static void test_no_helper(const struct helper *none)
{
	struct pattern_set *set = make_words();
	struct buf image = {0};

	ok(compile_helper_run(none, set, 0, &image) == -ESRCH && !set->compiled, "there may be no child");
	patterns_unref(set);
	buf_fini(&image);
}

/* ---- older rules ---- */

static struct ruleset *load_rules(int first, int count)
{
	struct problems problems = {0};
	struct ruleset *rs = NULL;
	struct buf text = {0};

	for (int i = first; i < first + count; i++)
		buf_printf(&text, "---\nname: r%d\nmatches: {$a: .data.path ~= 'word%d$'}\ncondition: $a\n",
			   i, i);
	const struct rule_text rules = {STR("f"), buf_str(&text)};
	ruleset_load_text(&rules, NULL, &problems, &rs);
	problems_fini(&problems);
	buf_fini(&text);
	return rs;
}

static bool matches(struct detector *d, const char *path)
{
	struct event event = {.type = EVENT_file_create};

	event.data.file_create.path.text = str_of(path);
	return detect_event(d, &event).detection;
}

static void test_adoption(void)
{
	struct ruleset *old = load_rules(0, 100), *new = load_rules(50, 100);
	struct detector *d = detector_new(new);

	ok(ruleset_compile(old, NULL) == 0 && ruleset_adopt(new, old) == 0,
	   "new rules use the patterns of the old ones");
	ruleset_free(old);
	ok(!matches(d, "/word7"), "a rule that went is not there");
	ok(matches(d, "/word77"), "one that is in both is");
	uint64_t slow = detector_counters(d).slow;
	ok(matches(d, "/word107"), "so is a new one");
	is_u64(detector_counters(d).slow - slow, 50, "only what is new is tried one by one");
	ok(detector_counters(d).scans >= 3, "the rest is searched for");
	ok(ruleset_compile(new, NULL) == 0 && matches(d, "/word78") && matches(d, "/word108"),
	   "then it is compiled");
	is_u64(detector_counters(d).slow - slow, 50, "  and nothing is tried one by one");
	struct ruleset *same = load_rules(50, 100);
	ok(ruleset_adopt(same, new) == 0 && ruleset_find_compiled(same, &(struct pattern_source){0}) == 0,
	   "the same patterns need not be compiled again");
	detector_free(d);
	ruleset_free(new);
	ruleset_free(same);
}

int main(void)
{
	struct helper helper = {.fd = -1};

	test_no_helper(&helper);
	/* before there are threads, and much memory */
	int err = compile_helper_open(&helper);
	if (geteuid() == 0) {
		ok(err == 0, "the child is made");
		test_helper(&helper);
	}
	helper_close(&helper);
	test_texts();
	test_refused();
	test_images();
	test_cache();
	test_adoption();
	return done_testing();
}

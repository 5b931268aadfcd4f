/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "enrich/container_lookup.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enrich/container_table.h"
#include "tests/unit/tap.h"

enum { PATIENCE_MS = 20000, TURN_US = 1000 };

static char directory[] = "/tmp/kunai-container-lookup.XXXXXX";

static void enter(const char *path)
{
	char full[512];
	snprintf(full, sizeof(full), "%s/%s", directory, path);
	mkdir(full, 0700);
}

static void put(const char *path, const char *text)
{
	char full[512], fresh[600];
	snprintf(full, sizeof(full), "%s/%s", directory, path);
	snprintf(fresh, sizeof(fresh), "%s.new", full);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	close(fd);
	if (rename(fresh, full) < 0)
		abort();
}

static const struct container_names *await(const struct container_lookup *lookup)
{
	const struct container_names *names = NULL;
	for (int i = 0; i < PATIENCE_MS && !(names = container_lookup_names(lookup)); i++)
		usleep(TURN_US);
	return names;
}

static bool await_unknown(struct container_lookups *l, uint64_t wanted)
{
	struct container_lookup_stats stats = {0};
	for (int i = 0; i < PATIENCE_MS && stats.unknown < wanted; i++) {
		usleep(TURN_US);
		container_lookups_read_stats(l, &stats);
	}
	return stats.unknown == wanted;
}

static void test_late_file(struct container_lookups *l)
{
	struct container_lookup *a, *b;

	enter("run");
	enter("run/runc");
	enter("run/runc/late");
	a = container_lookup_get(l, STR(""), STR("/late"));
	b = container_lookup_get(l, STR(""), STR("/late"));
	ok(a && a == b, "one cgroup, one lookup");
	ok(str_eq(container_lookup_id(a), STR("late")), "its id");
	usleep(5 * TURN_US);
	ok(!container_lookup_names(a), "nothing is written yet");
	put("run/runc/late/state.json",
	    "{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/late\"},\"config\":{\"labels\":"
	    "[\"io.kubernetes.cri.container-name=web\"]}}");
	container_lookup_hurry(a);
	const struct container_names *names = await(a);
	is_str(names ? names->name : NULL, "web", "found when it was written");
	container_lookup_release(b);
	ok(container_lookup_names(a) == names, "a reference is left");
	container_lookup_release(a);
}

static void test_table(struct container_lookups *l)
{
	struct container_table *t = container_table_new(l);
	const struct container_identity none = {0},
					lxc = {.type = "lxc", .runtime = "lxc", .id = STR("late")};
	struct container *plain = container_get(t, &none, STR("/late"));
	struct container *named = container_get(t, &lxc, STR("/lxc.payload.late"));

	ok(plain && !plain->id.len && plain->lookup, "a cgroup that may be a container");
	const struct container_names *names = await(plain->lookup);
	is_str(names ? names->runtime : NULL, "runc", "is one of runc");
	ok(named && !named->lookup, "what has a name is not looked for");
	ok(!container_get(t, &none, STR("")), "no cgroup, no container");
	container_release(named);
	container_release(plain);
	container_table_free(t);
}

static void test_unknown(struct container_lookups *l)
{
	struct container_lookup *a = container_lookup_get(l, STR("0123"), STR("/x"));

	ok(await_unknown(l, 1), "after some tries it is unknown, and counted");
	ok(!container_lookup_names(a), "without names");
	container_lookup_hurry(a);
	container_lookup_release(a);
	ok(!container_lookup_get(l, STR(""), STR("")), "nothing to look for");
	ok(!container_lookup_get(l, STR(""), STR("/..")), "a name that is none");
	container_lookup_release(NULL);
}

/* As many as may be under way, and one more. */
static void test_bound(struct container_lookups *l)
{
	static struct container_lookup *lookups[2 * CONTAINER_LOOKUPS_MAX];
	struct container_lookup_stats stats;
	uint32_t n = 0;
	char id[16];

	for (; n < 2 * CONTAINER_LOOKUPS_MAX; n++) {
		snprintf(id, sizeof(id), "many%u", n);
		lookups[n] = container_lookup_get(l, str_of(id), STR(""));
		if (!lookups[n])
			break;
	}
	ok(n >= CONTAINER_LOOKUPS_MAX && n < 2 * CONTAINER_LOOKUPS_MAX, "no more than so many wait: %u", n);
	container_lookups_read_stats(l, &stats);
	is_u64(stats.refused, 1, "the next one is refused, and counted");
	while (n > 0)
		container_lookup_release(lookups[--n]);
}

int main(void)
{
	if (!mkdtemp(directory))
		return 1;
	struct container_lookups *l = container_lookups_new(directory, geteuid());
	if (!l)
		return 1;
	test_late_file(l);
	test_table(l);
	test_unknown(l);
	test_bound(l);
	container_lookups_free(l);
	ok(!container_lookups_new("/nowhere", 0), "no root, no lookups");

	static const char *const left[] = {"run/runc/late/state.json", "run/runc/late", "run/runc", "run",
					   ""};
	char full[512];
	for (size_t i = 0; i < sizeof(left) / sizeof(*left); i++) {
		snprintf(full, sizeof(full), "%s/%s", directory, left[i]);
		remove(full);
	}
	ok(access(directory, F_OK) < 0, "nothing is left");
	return done_testing();
}

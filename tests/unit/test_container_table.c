/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/container_table.h"
#include "tests/unit/tap.h"

static void test_sharing(struct container_table *t)
{
	const struct container_identity web = {.type = "docker", .runtime = "docker", .id = STR("0123")};
	struct container_identity same_id = web;
	struct container *a = container_get(t, &web, STR("")), *b = container_get(t, &web, STR(""));

	ok(a && a == b, "one identity, one container");
	is_str(a->type, "docker", "type");
	is_str(a->runtime, "docker", "runtime");
	ok(str_eq(a->id, STR("0123")), "id");
	same_id.runtime = "containerd";
	struct container *c = container_get(t, &same_id, STR(""));
	ok(c && c != a, "the same id of another runtime is another container");
	is_u64(container_count(t), 2, "two containers");
	container_release(a);
	is_u64(container_count(t), 2, "a reference is left");
	container_release(container_share(b));
	container_release(b);
	container_release(c);
	is_u64(container_count(t), 0, "the last reference frees it");
	container_release(NULL);
	ok(!container_share(NULL), "none is shared as none");
}

static void test_nothing(struct container_table *t)
{
	const struct container_identity nothing = {0},
					type_only = {.type = "firejail", .runtime = "firejail"};
	struct container *c;

	ok(!container_get(t, &nothing, STR("")), "no identity, no container");
	c = container_get(t, &type_only, STR(""));
	ok(c && !c->id.len, "a type alone");
	container_release(c);
}

static void test_unescape(struct container_table *t)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
		{"web", "web"},     {"my\\x2dbox", "my-box"}, {"a\\x2d", "a-"},
		{"a\\x2", "a\\x2"}, {"a\\x00b", "a\\x00b"},   {"\\xzz1", "\\xzz1"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct container_identity identity = {
			.type = "systemd-nspawn", .id = str_of(rows[i].from), .escaped = true};
		struct container *c = container_get(t, &identity, STR(""));
		ok(c && str_eq(c->id, str_of(rows[i].to)), "%s is %s", rows[i].from, rows[i].to);
		container_release(c);
	}
}

static void test_long_id(struct container_table *t)
{
	static char text[1000];
	const struct container_identity identity = {.type = "lxc", .id = {text, sizeof(text)}};

	memset(text, 'a', sizeof(text));
	struct container *c = container_get(t, &identity, STR(""));
	ok(c && c->id.len > 255 && c->id.len < sizeof(text), "an id that is too long is cut");
	container_release(c);
}

int main(void)
{
	struct container_table *t = container_table_new(NULL);
	if (!t)
		return 1;
	test_sharing(t);
	test_nothing(t);
	test_unescape(t);
	test_long_id(t);
	is_u64(container_count(t), 0, "nothing is left");
	container_table_free(t);
	return done_testing();
}

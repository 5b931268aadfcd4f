/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/users.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "enrich/file_hashes.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define UNKNOWN STR("?")

/* A file of 16 MiB takes some 50 ms, so a container that rewrites one every second must not get a read a second. */
#define EXTRA_INTERVAL_NS_PER_BYTE 4000

enum kind { KIND_USER, KIND_GROUP, KINDS };

static const char *const paths[KINDS] = {"/etc/passwd", "/etc/group"};

struct name {
	uint32_t id;
	uint32_t off; /* 1 more than in the text; 0: free slot */
	uint32_t len;
};

/* What a file says: its text, and an open-addressed table of at least twice as many slots as names. */
struct names {
	bool present;     /* there is a file that could be read */
	bool unreachable; /* the namespace did not tell */
	struct file_id id;
	char *text;
	struct name *slots;
	uint32_t mask;
	uint64_t seed;
	size_t memory;
	uint64_t check_ns; /* when the file is to be looked at again */
};

struct namespace
{
	uint64_t mnt_ns;
	uint64_t born_ns; /* when it was first asked for */
	struct names names[KINDS];
	UT_hash_handle hh;
};

struct users {
	struct mount_ns_table *namespaces;
	struct file_peeker *peeker;
	struct namespace *by_id; /* least recently used first */
	struct namespace *last;  /* the one asked for last */
	size_t memory;
	uint64_t loads;
	uint64_t seed; /* against files whose ids were chosen to collide */
};

/* The finalizer of MurmurHash3 (Austin Appleby, public domain). */
static uint32_t mix(uint32_t id, uint64_t seed)
{
	uint64_t h = id ^ seed;
	h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return (uint32_t)(h ^ h >> 33);
}

static void insert(struct names *n, uint32_t id, uint32_t off, uint32_t len)
{
	uint32_t i = mix(id, n->seed) & n->mask;
	for (; n->slots[i].off; i = (i + 1) & n->mask) {
		/* As getpwuid(3): the first line of an id counts. */
		if (n->slots[i].id == id)
			return;
	}
	n->slots[i] = (struct name){id, off + 1, len};
}

static struct str find_name(const struct names *n, uint32_t id)
{
	if (!n->slots)
		return UNKNOWN;
	for (uint32_t i = mix(id, n->seed) & n->mask; n->slots[i].off; i = (i + 1) & n->mask) {
		if (n->slots[i].id == id)
			return (struct str){n->text + n->slots[i].off - 1, n->slots[i].len};
	}
	return UNKNOWN;
}

static bool parse_id(const char *p, const char *end, uint32_t *ret_id)
{
	uint64_t id = 0;
	if (p == end)
		return false;
	for (; p < end; p++) {
		if (*p < '0' || *p > '9')
			return false;
		id = id * 10 + (uint64_t)(*p - '0');
		if (id > UINT32_MAX)
			return false;
	}
	*ret_id = (uint32_t)id;
	return true;
}

/* "name:password:id" and whatever follows; comments, NIS lines and broken ones are skipped. */
static bool parse_line(const char *line, const char *end, uint32_t *ret_len, uint32_t *ret_id)
{
	if (end - line > USERS_LINE_MAX || line == end || *line == '#' || *line == '+' || *line == '-')
		return false;
	const char *name_end = memchr(line, ':', (size_t)(end - line));
	if (!name_end || name_end == line || name_end - line > USERS_NAME_MAX)
		return false;
	const char *id = memchr(name_end + 1, ':', (size_t)(end - name_end - 1));
	if (!id)
		return false;
	id++;
	const char *id_end = memchr(id, ':', (size_t)(end - id));
	if (!parse_id(id, id_end ? id_end : end, ret_id))
		return false;
	*ret_len = (uint32_t)(name_end - line);
	return true;
}

/* Calls insert() for each good line, or only counts them when there are no slots yet. */
static uint32_t parse(struct names *n, size_t size)
{
	uint32_t count = 0;
	const char *end = n->text + size;
	for (const char *line = n->text; line < end && count < USERS_NAMES_MAX;) {
		const char *line_end = memchr(line, '\n', (size_t)(end - line));
		if (!line_end)
			line_end = end;
		uint32_t len, id;
		if (parse_line(line, line_end, &len, &id)) {
			count++;
			if (n->slots)
				insert(n, id, (uint32_t)(line - n->text), len);
		}
		line = line_end + 1;
	}
	return count;
}

static int build_table(struct names *n, size_t size, uint64_t seed)
{
	uint32_t count = parse(n, size);
	uint32_t slots = 16;
	while (slots < 2 * count)
		slots *= 2;
	n->slots = calloc(slots, sizeof(*n->slots));
	if (!n->slots)
		return -ENOMEM;
	n->mask = slots - 1;
	n->seed = seed;
	n->memory = size + slots * sizeof(*n->slots);
	parse(n, size);
	return 0;
}

static void forget_names(struct users *u, struct names *n)
{
	u->memory -= n->memory;
	free(n->text);
	free(n->slots);
	*n = (struct names){0};
}

static int take_text(struct users *u, struct names *n, struct file_peek_result *r)
{
	u->loads++;
	n->text = r->text;
	r->text = NULL;
	int ret = build_table(n, r->len, u->seed);
	u->memory += n->memory;
	return ret;
}

static void renew(struct users *u, struct names *n, struct file_peek_result *r)
{
	forget_names(u, n);
	if (take_text(u, n, r) < 0)
		forget_names(u, n);
	else
		n->present = true;
	n->id = r->id;
}

/* A container's root changes (pivot_root) soon after its namespace was made: the older, the rarer. */
static uint64_t check_interval(const struct namespace *ns, uint64_t now_ns)
{
	uint64_t age = now_ns - ns->born_ns;

	return age < USERS_CHECK_INTERVAL_NS ? age : USERS_CHECK_INTERVAL_NS;
}

static void check(struct users *u, struct namespace *ns, enum kind kind, uint32_t pid, uint64_t now_ns)
{
	struct names *n = &ns->names[kind];
	struct file_peek_result r;
	const struct file_peek_request request = {
		.mnt_ns = ns->mnt_ns,
		.pid = pid,
		.path = paths[kind],
		.known = n->present ? &n->id : NULL,
		.max = USERS_FILE_SIZE_MAX,
		.whole = true,
	};
	int err = file_peek(u->peeker, &request, &r);
	bool silent = err == -ETIMEDOUT || err == -EBUSY;
	bool unreachable = err == -ENXIO || silent;

	/* What a namespace said that cannot be reached any more stays true. */
	if (err == 0 && !r.unchanged)
		renew(u, n, &r);
	else if (err < 0 && !unreachable)
		forget_names(u, n);
	n->unreachable = unreachable && !n->present;
	n->check_ns = now_ns + n->memory * EXTRA_INTERVAL_NS_PER_BYTE;
	n->check_ns += silent           ? USERS_SILENT_INTERVAL_NS
		       : n->unreachable ? USERS_RETRY_INTERVAL_NS
					: check_interval(ns, now_ns);
	free(r.text);
}

static void forget_namespace(struct users *u, struct namespace *ns)
{
	if (u->last == ns)
		u->last = NULL;
	HASH_DEL(u->by_id, ns);
	for (int i = 0; i < KINDS; i++)
		forget_names(u, &ns->names[i]);
	free(ns);
}

static struct namespace *add_namespace(struct users *u, uint64_t mnt_ns)
{
	if (HASH_COUNT(u->by_id) >= USERS_NAMESPACES_MAX)
		forget_namespace(u, u->by_id);
	struct namespace *ns = calloc(1, sizeof(*ns));
	if (!ns)
		return NULL;
	ns->mnt_ns = mnt_ns;
	HASH_ADD(hh, u->by_id, mnt_ns, sizeof(ns->mnt_ns), ns);
	if (ns->hh.tbl)
		return ns;
	free(ns);
	return NULL;
}

/* The table keeps the order of insertion, so what is used goes to its end. */
static struct namespace *use_namespace(struct users *u, uint64_t mnt_ns)
{
	struct namespace *ns = u->last;
	if (ns && ns->mnt_ns == mnt_ns)
		return ns;

	HASH_FIND(hh, u->by_id, &mnt_ns, sizeof(mnt_ns), ns);
	if (ns) {
		HASH_DEL(u->by_id, ns);
		HASH_ADD(hh, u->by_id, mnt_ns, sizeof(ns->mnt_ns), ns);
	} else {
		ns = add_namespace(u, mnt_ns);
	}
	u->last = ns;
	return ns;
}

static void keep_in_bounds(struct users *u, const struct namespace *in_use)
{
	while (u->memory > USERS_MEMORY_MAX && u->by_id != in_use)
		forget_namespace(u, u->by_id);
}

static struct names *names_of(struct users *u, enum kind kind, uint64_t mnt_ns, uint32_t pid, uint64_t now_ns)
{
	struct namespace *ns = use_namespace(u, mnt_ns);
	if (!ns)
		return NULL;
	struct names *n = &ns->names[kind];
	if (!ns->born_ns)
		ns->born_ns = now_ns;
	if (now_ns >= n->check_ns) {
		check(u, ns, kind, pid, now_ns);
		keep_in_bounds(u, ns);
	}
	return n;
}

static struct str name_of(struct users *u, enum kind kind, uint64_t mnt_ns, uint32_t pid, uint32_t id,
			  uint64_t now_ns)
{
	if (mnt_ns == 0)
		return UNKNOWN;
	struct names *n = names_of(u, kind, mnt_ns, pid, now_ns);
	uint64_t host = mount_ns_host(u->namespaces);
	if (n && !n->present && !n->unreachable && host != 0)
		n = names_of(u, kind, host, 1, now_ns);
	return n ? find_name(n, id) : UNKNOWN;
}

struct str users_user_name(struct users *u, uint64_t mnt_ns, uint32_t pid, uint32_t uid, uint64_t now_ns)
{
	return name_of(u, KIND_USER, mnt_ns, pid, uid, now_ns);
}

struct str users_group_name(struct users *u, uint64_t mnt_ns, uint32_t pid, uint32_t gid, uint64_t now_ns)
{
	return name_of(u, KIND_GROUP, mnt_ns, pid, gid, now_ns);
}

void users_expect_change(struct users *u, uint64_t mnt_ns)
{
	struct namespace *ns;

	HASH_FIND(hh, u->by_id, &mnt_ns, sizeof(mnt_ns), ns);
	for (int i = 0; ns && i < KINDS; i++)
		ns->names[i].check_ns = 0;
}

struct users *users_new(struct mount_ns_table *namespaces, struct file_peeker *peeker)
{
	struct users *u = calloc(1, sizeof(*u));
	if (!u)
		return NULL;
	u->namespaces = namespaces;
	u->peeker = peeker;
	if (getrandom(&u->seed, sizeof(u->seed), 0) != sizeof(u->seed)) {
		free(u);
		return NULL;
	}
	return u;
}

void users_free(struct users *u)
{
	if (!u)
		return;
	while (u->by_id)
		forget_namespace(u, u->by_id);
	free(u);
}

uint64_t users_load_count(const struct users *u)
{
	return u->loads;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "detect/patterns.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>

enum {
	FLAGS = HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY,
	ROUNDS_MAX = 4, /* of compiling all: the last one is of an eighth of the patterns */
};

struct image_head {
	char magic[8];
	unsigned char key[PATTERNS_KEY_SIZE];
	unsigned char digest[PATTERNS_KEY_SIZE]; /* of what follows */
	uint64_t count;
	uint64_t size;
	/* one byte a pattern: the database holds it; then the database, of that size */
};

static const char magic[8] = "kunaihs1"; /* without a NUL */

/* ---- life ---- */

static uint32_t count_texts(const char *texts, size_t size)
{
	uint32_t n = 0;

	for (size_t i = 0; i < size; i++)
		n += texts[i] == '\0';
	return n;
}

static bool find_texts(struct pattern_set *set)
{
	const char *at = set->texts;

	for (uint32_t i = 0; i < set->count; i++) {
		set->patterns[i] = at;
		if (i && strcmp(set->patterns[i - 1], at) > 0)
			return false;
		at += strlen(at) + 1;
	}
	return true;
}

struct pattern_set *patterns_new(const char *texts, size_t size)
{
	if (size > PATTERNS_TEXT_MAX || (size && texts[size - 1])) {
		errno = EINVAL;
		return NULL;
	}
	struct pattern_set *set = calloc(1, sizeof(*set));
	if (!set)
		return NULL;
	set->references = 1;
	set->size = (uint32_t)size;
	set->count = count_texts(texts, size);
	set->texts = malloc(size + 1);
	set->patterns = calloc((size_t)set->count + 1, sizeof(*set->patterns));
	set->held = calloc((size_t)set->count + 1, sizeof(*set->held));
	bool made = set->texts && set->patterns && set->held;
	if (made && size)
		memcpy(set->texts, texts, size);
	if (made && find_texts(set))
		return set;
	patterns_unref(set);
	errno = made ? EINVAL : ENOMEM;
	return NULL;
}

struct pattern_set *patterns_ref(struct pattern_set *set)
{
	if (set)
		set->references++;
	return set;
}

void patterns_unref(struct pattern_set *set)
{
	if (!set || --set->references)
		return;
	hs_free_database(set->db);
	free(set->texts);
	free(set->patterns);
	free(set->held);
	free(set);
}

bool patterns_equal(const struct pattern_set *a, const struct pattern_set *b)
{
	return a->size == b->size && memcmp(a->texts, b->texts, a->size) == 0;
}

/* ---- compiling ---- */

/* What goes into the database. */
struct batch {
	const char **patterns;
	unsigned int *flags;
	unsigned int *ids;
	unsigned int n;
};

static void batch_fini(struct batch *b)
{
	free(b->patterns);
	free(b->flags);
	free(b->ids);
}

static int batch_init(struct batch *ret, uint32_t n)
{
	*ret = (struct batch){
		.patterns = calloc((size_t)n + 1, sizeof(*ret->patterns)),
		.flags = calloc((size_t)n + 1, sizeof(*ret->flags)),
		.ids = calloc((size_t)n + 1, sizeof(*ret->ids)),
	};
	if (ret->patterns && ret->flags && ret->ids)
		return 0;
	batch_fini(ret);
	return -ENOMEM;
}

/* Quickly: without making a database. */
static bool seems_fine(const char *pattern)
{
	hs_compile_error_t *error = NULL;
	hs_expr_info_t *info = NULL;

	bool fine = hs_expression_info(pattern, FLAGS, &info, &error) == HS_SUCCESS;
	free(info);
	hs_free_compile_error(error);
	return fine;
}

static bool is_fine_alone(const char *pattern)
{
	hs_compile_error_t *error = NULL;
	hs_database_t *db = NULL;

	bool fine = hs_compile(pattern, FLAGS, HS_MODE_BLOCK, NULL, &db, &error) == HS_SUCCESS;
	hs_free_database(db);
	hs_free_compile_error(error);
	return fine;
}

static void batch_keep(struct batch *b, bool (*is_kept)(const char *pattern))
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < b->n; i++) {
		if (!is_kept(b->patterns[i]))
			continue;
		b->patterns[n] = b->patterns[i];
		b->ids[n++] = b->ids[i];
	}
	b->n = n;
}

/*
 * Compiling all ends at the first pattern that is refused, and that after a long time: so after one refusal each is tried
 * alone, and if they are too much together, half of them, and half of these. The rest is tried one by one when matching.
 */
static int compile_batch(struct batch *b, hs_database_t **ret)
{
	for (int round = 0; round < ROUNDS_MAX && b->n; round++) {
		hs_compile_error_t *error = NULL;
		hs_error_t result = hs_compile_multi(b->patterns, b->flags, b->ids, b->n, HS_MODE_BLOCK, NULL,
						     ret, &error);
		hs_free_compile_error(error);
		if (result == HS_SUCCESS)
			return 0;
		if (result == HS_NOMEM)
			return -ENOMEM;
		unsigned int before = b->n;
		if (round == 0)
			batch_keep(b, is_fine_alone);
		if (b->n == before)
			b->n /= 2;
	}
	b->n = 0;
	return 0;
}

int patterns_compile(struct pattern_set *set)
{
	struct batch batch;

	if (set->compiled)
		return 0;
	int err = batch_init(&batch, set->count);
	if (err)
		return err;
	batch.n = set->count;
	for (uint32_t i = 0; i < set->count; i++) {
		batch.patterns[i] = set->patterns[i];
		batch.flags[i] = FLAGS;
		batch.ids[i] = i;
	}
	batch_keep(&batch, seems_fine);
	err = compile_batch(&batch, &set->db);
	for (unsigned int i = 0; i < batch.n && !err; i++)
		set->held[batch.ids[i]] = true;
	set->compiled = !err;
	batch_fini(&batch);
	return err;
}

/* ---- images ---- */

static void digest_bytes(const void *bytes, size_t len, unsigned char ret[PATTERNS_KEY_SIZE])
{
	memset(ret, 0, PATTERNS_KEY_SIZE);
	EVP_Digest(bytes, len, ret, NULL, EVP_sha256(), NULL);
}

void patterns_key(const struct pattern_set *set, unsigned char ret_key[PATTERNS_KEY_SIZE])
{
	hs_platform_info_t platform = {0};
	unsigned char texts[PATTERNS_KEY_SIZE];
	struct buf text = {0};

	hs_populate_platform(&platform);
	digest_bytes(set->texts, set->size, texts);
	buf_add(&text, magic, sizeof(magic));
	buf_printf(&text, "|%s|%u|%llu|%d|%d|%zu|", hs_version(), platform.tune,
		   (unsigned long long)platform.cpu_features, FLAGS, HS_MODE_BLOCK, sizeof(void *));
	buf_add(&text, texts, sizeof(texts));
	digest_bytes(text.p, text.len, ret_key);
	buf_fini(&text);
}

int patterns_add_image(const struct pattern_set *set, struct buf *out)
{
	struct image_head head = {.count = set->count};
	size_t start = out->len;
	char *bytes = NULL;
	size_t size = 0;

	if (set->db && hs_serialize_database(set->db, &bytes, &size) != HS_SUCCESS)
		return -ENOMEM;
	memcpy(head.magic, magic, sizeof(magic));
	patterns_key(set, head.key);
	head.size = size;
	buf_add(out, &head, sizeof(head));
	buf_add(out, set->held, set->count);
	buf_add(out, bytes, size);
	free(bytes);
	if (out->failed)
		return -ENOMEM;
	size_t begin = start + offsetof(struct image_head, count);
	digest_bytes(out->p + begin, out->len - begin, head.digest);
	memcpy(out->p + start, &head, sizeof(head));
	return 0;
}

static bool is_image_of(const struct pattern_set *set, const struct image_head *head, const char *image,
			size_t len)
{
	unsigned char key[PATTERNS_KEY_SIZE], digest[PATTERNS_KEY_SIZE];
	size_t begin = offsetof(struct image_head, count);

	if (memcmp(head->magic, magic, sizeof(magic)) != 0 || head->count != set->count ||
	    head->size > PATTERNS_IMAGE_MAX || len != sizeof(*head) + head->count + head->size)
		return false;
	patterns_key(set, key);
	digest_bytes(image + begin, len - begin, digest);
	return memcmp(key, head->key, sizeof(key)) == 0 && memcmp(digest, head->digest, sizeof(digest)) == 0;
}

static bool holds_any(const char *held, uint64_t count)
{
	return memchr(held, 1, count);
}

int patterns_use_image(struct pattern_set *set, const void *image, size_t len)
{
	struct image_head head;
	hs_database_t *db = NULL;

	if (len < sizeof(head))
		return -EBADMSG;
	memcpy(&head, image, sizeof(head));
	if (!is_image_of(set, &head, image, len))
		return -EBADMSG;
	const char *held = (const char *)image + sizeof(head), *bytes = held + head.count;
	hs_error_t result = head.size ? hs_deserialize_database(bytes, head.size, &db) : HS_SUCCESS;
	if (result != HS_SUCCESS || (!db && holds_any(held, head.count)))
		return result == HS_NOMEM ? -ENOMEM : -EBADMSG;
	for (uint32_t i = 0; i < set->count; i++)
		set->held[i] = held[i] == 1;
	set->db = db;
	set->compiled = true;
	return 0;
}

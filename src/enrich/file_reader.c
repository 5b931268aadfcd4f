/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "enrich/file_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "enrich/mount_ns.h"

enum {
	ALGORITHMS = 4,
	SHA256_SIZE = 32,
	MEMO_MAX = 512, /* contents whose description is remembered in each thread */
};

/*
 * A file changed within one tick of the clock shows the same time stamps before and after. Kernel ticks last 10 ms at
 * most; file systems that keep whole seconds (FAT: two) leave no nanoseconds.
 */
#define TICK_NS   UINT64_C(20000000)
#define COARSE_NS UINT64_C(2000000000)
#define SECOND_NS UINT64_C(1000000000)

struct file_digests {
	EVP_MD *algorithms[ALGORITHMS]; /* NULL where the library refuses one, as MD5 in FIPS mode */
	EVP_MD_CTX *contexts[ALGORITHMS];
};

/*
 * To describe a text takes libmagic a thousand times longer than to hash it, and storms of small files repeat
 * themselves: the same bytes have the same description.
 */
struct memo {
	bool used;
	bool executable;
	unsigned char sha256[SHA256_SIZE];
	char text[FILE_MAGIC_TEXT_SIZE];
};

struct file_tools {
	struct file_magic *magic;
	struct memo memos[MEMO_MAX];
	unsigned char buffer[FILE_READER_CHUNK];
};

struct file_digests *file_digests_new(void)
{
	static const char *const names[ALGORITHMS] = {"MD5", "SHA1", "SHA2-256", "SHA2-512"};
	struct file_digests *d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;

	for (int i = 0; i < ALGORITHMS; i++) {
		/* Not the caller's policy for signatures: these only name a file. */
		d->algorithms[i] = EVP_MD_fetch(NULL, names[i], "-fips");
		d->contexts[i] = EVP_MD_CTX_new();
		if (!d->contexts[i]) {
			file_digests_free(d);
			errno = ENOMEM;
			return NULL;
		}
	}
	return d;
}

void file_digests_free(struct file_digests *d)
{
	if (!d)
		return;
	for (int i = 0; i < ALGORITHMS; i++) {
		EVP_MD_CTX_free(d->contexts[i]);
		EVP_MD_free(d->algorithms[i]);
	}
	free(d);
}

static void begin_digests(struct file_digests *d)
{
	for (int i = 0; i < ALGORITHMS; i++) {
		if (d->algorithms[i])
			EVP_DigestInit_ex2(d->contexts[i], d->algorithms[i], NULL);
	}
}

static void add_bytes(struct file_digests *d, const void *bytes, size_t len)
{
	for (int i = 0; i < ALGORITHMS; i++) {
		if (d->algorithms[i])
			EVP_DigestUpdate(d->contexts[i], bytes, len);
	}
}

static void print_hex(const unsigned char *bytes, unsigned len, char *text)
{
	static const char digits[] = "0123456789abcdef";
	for (unsigned i = 0; i < len; i++) {
		*text++ = digits[bytes[i] >> 4];
		*text++ = digits[bytes[i] & 15];
	}
	*text = '\0';
}

/* ret_sha256 is all zero when there is no such digest. */
static void end_digests(struct file_digests *d, struct file_outcome *o, unsigned char ret_sha256[SHA256_SIZE])
{
	char *const texts[ALGORITHMS] = {o->md5, o->sha1, o->sha256, o->sha512};
	memset(ret_sha256, 0, SHA256_SIZE);

	for (int i = 0; i < ALGORITHMS; i++) {
		unsigned char digest[EVP_MAX_MD_SIZE];
		unsigned len;
		strcpy(texts[i], "?");
		if (!d->algorithms[i] || EVP_DigestFinal_ex(d->contexts[i], digest, &len) != 1)
			continue;
		print_hex(digest, len, texts[i]);
		if (texts[i] == o->sha256)
			memcpy(ret_sha256, digest, SHA256_SIZE);
	}
}

struct file_tools *file_tools_new(void)
{
	struct file_tools *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->magic = file_magic_new();
	if (!t->magic) {
		free(t);
		return NULL;
	}
	return t;
}

void file_tools_free(struct file_tools *t)
{
	if (!t)
		return;
	file_magic_free(t->magic);
	free(t);
}

const unsigned char *file_tools_chunk(const struct file_tools *t)
{
	return t->buffer;
}

static void describe(struct file_reading *r, struct file_tools *t, size_t len)
{
	struct file_outcome *o = r->outcome;
	int ret = file_magic_describe(t->magic, t->buffer, len, r->mode, r->fd, o->magic);
	if (ret < 0 && o->error[0] == '\0')
		strcpy(o->error, ret == -ENOENT ? "failed to find magic: no database"
						: "failed to find magic: libmagic failed");
}

static void describe_once(struct file_reading *r, struct file_tools *t, size_t len,
			  const unsigned char sha256[SHA256_SIZE])
{
	struct file_outcome *o = r->outcome;
	struct memo *memo = &t->memos[(sha256[0] << 8 | sha256[1]) % MEMO_MAX];
	bool executable = (r->mode & 0111) != 0;

	if (memo->used && memo->executable == executable && memcmp(memo->sha256, sha256, SHA256_SIZE) == 0) {
		strcpy(o->magic, memo->text);
		return;
	}
	describe(r, t, len);
	if (o->error[0] != '\0' || o->sha256[0] == '?')
		return;
	*memo = (struct memo){.used = true, .executable = executable};
	memcpy(memo->sha256, sha256, SHA256_SIZE);
	strcpy(memo->text, o->magic);
}

bool file_reading_is_long(const struct file_id *seen)
{
	return seen->size > FILE_READER_CHUNK && seen->size <= FILE_READER_SIZE_MAX;
}

static const char *find_change(const struct file_id *wanted, const struct file_id *seen)
{
	if ((wanted->known & FILE_ID_INODE) && wanted->inode != seen->inode)
		return "inode";
	if ((wanted->known & FILE_ID_SIZE) && wanted->size != seen->size)
		return "size";
	if ((wanted->known & FILE_ID_MTIME) && wanted->mtime_ns != seen->mtime_ns)
		return "mtime";
	return NULL;
}

static void fail_changed(struct file_outcome *o, const char *what)
{
	file_outcome_fail(o, OUTCOME_NOT_FOUND, "file changed since kernel event: %s changed", what);
}

static void fail_open(struct file_outcome *o, int error)
{
	static const char what[] = "failed to open file";
	if (error == EINVAL)
		file_outcome_fail(o, OUTCOME_FOUND, "%s: not a regular file", what);
	else if (error == EOPNOTSUPP)
		file_outcome_fail(o, OUTCOME_FOUND, "%s: not on a disk", what);
	else
		file_outcome_fail_errno(o, OUTCOME_FOUND, what, error);
}

/* The coarse clock is the one that file systems stamp with. */
static bool is_settled(const struct file_id *id)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	uint64_t now = (uint64_t)ts.tv_sec * SECOND_NS + (uint64_t)ts.tv_nsec;
	uint64_t newest = id->ctime_ns > id->mtime_ns ? id->ctime_ns : id->mtime_ns;
	uint64_t margin = newest % SECOND_NS == 0 ? COARSE_NS : TICK_NS;
	return newest < now && now - newest > margin;
}

int file_reading_open(struct file_reading *r, int path_fd, const struct file_id *wanted,
		      const struct file_id *cached, struct file_outcome *ret_outcome)
{
	struct file_outcome *o = ret_outcome;
	*r = (struct file_reading){.fd = -1, .wanted = *wanted, .outcome = o};
	*o = (struct file_outcome){.kind = OUTCOME_FOUND};

	int ret = file_id_read(path_fd, &r->seen, &r->mode);
	if (ret < 0) {
		file_outcome_fail_errno(o, OUTCOME_FOUND, "failed to get metadata", -ret);
		return 0;
	}
	const char *change = find_change(wanted, &r->seen);
	if (change) {
		fail_changed(o, change);
		return 0;
	}
	o->id = r->seen;
	o->size = r->seen.size;
	if (cached && file_id_matches(cached, &r->seen)) {
		o->kind = OUTCOME_SAME;
		return 0;
	}
	r->settled = is_settled(&r->seen);
	r->fd = mount_ns_reopen(path_fd);
	if (r->fd < 0) {
		fail_open(o, -r->fd);
		return 0;
	}
	return 1;
}

void file_reading_close(struct file_reading *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

/* Returns less than len only at the end of the file or, with *ret_error set, where reading failed. */
static size_t read_fully(int fd, unsigned char *bytes, size_t len, uint64_t offset, int *ret_error)
{
	size_t got = 0;
	*ret_error = 0;
	while (got < len) {
		ssize_t n = pread(fd, bytes + got, len - got, (off_t)(offset + got));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			*ret_error = errno;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	return got;
}

/*
 * Whether the first chunk was in memory tells about the whole file; later ones would show our own read-ahead. File
 * systems that cannot tell get the benefit of the doubt.
 */
static bool is_cold(int fd, unsigned char *buffer, size_t len)
{
	struct iovec iov = {buffer, len};
	ssize_t n = preadv2(fd, &iov, 1, 0, RWF_NOWAIT);
	return n < 0 ? errno == EAGAIN : (size_t)n < len;
}

/* Returns 0, as what ends a step does. */
static int finish(struct file_reading *r)
{
	struct file_outcome *o = r->outcome;
	struct file_id now;
	int ret = file_id_read(r->fd, &now, NULL);
	const char *change = ret == 0 ? find_change(&r->wanted, &now) : NULL;

	if (change)
		fail_changed(o, change);
	else
		o->cacheable = r->settled && ret == 0 && file_id_matches(&r->seen, &now);
	file_reading_close(r);
	return 0;
}

static int finish_huge(struct file_reading *r, struct file_tools *tools)
{
	struct file_outcome *o = r->outcome;
	int error;
	size_t len = read_fully(r->fd, tools->buffer, FILE_MAGIC_BYTES_MAX, 0, &error);

	file_outcome_fail(o, OUTCOME_FOUND, "file size exceeds scan limit");
	if (error == 0)
		describe(r, tools, len);
	return finish(r);
}

/* Not cacheable, and digests of nothing would be lies. */
static int finish_broken(struct file_reading *r, struct file_digests *digests, int error)
{
	struct file_outcome *o = r->outcome;
	char magic[FILE_MAGIC_TEXT_SIZE];
	unsigned char sha256[SHA256_SIZE];

	memcpy(magic, o->magic, sizeof(magic));
	file_outcome_fail_errno(o, OUTCOME_FOUND, "failed to read", error);
	if (r->offset > 0) {
		end_digests(digests, o, sha256);
		if (magic[0])
			memcpy(o->magic, magic, sizeof(magic));
	}
	file_reading_close(r);
	return 0;
}

int file_reading_step(struct file_reading *r, struct file_tools *tools, struct file_digests *digests)
{
	struct file_outcome *o = r->outcome;
	bool first = r->offset == 0;
	bool is_long = file_reading_is_long(&r->seen);
	uint64_t left = r->seen.size - r->offset;
	size_t len = left < FILE_READER_CHUNK ? (size_t)left : FILE_READER_CHUNK;

	if (r->seen.size > FILE_READER_SIZE_MAX)
		return finish_huge(r, tools);
	if (first) {
		begin_digests(digests);
		r->cold = is_long && is_cold(r->fd, tools->buffer, len);
	}

	int error;
	size_t got = read_fully(r->fd, tools->buffer, len, r->offset, &error);
	add_bytes(digests, tools->buffer, got);
	if (r->cold)
		posix_fadvise(r->fd, (off_t)r->offset, (off_t)got, POSIX_FADV_DONTNEED);
	r->offset += got;
	if (first && is_long && got > 0)
		describe(r, tools, got);
	if (error)
		return finish_broken(r, digests, error);
	if (got == len && r->offset < r->seen.size)
		return 1;

	unsigned char sha256[SHA256_SIZE];
	end_digests(digests, o, sha256);
	if (!is_long)
		describe_once(r, tools, got, sha256);
	return finish(r);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "json/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

enum { READ_SIZE = 256 * 1024 };

struct json_stream {
	gzFile file; /* reads plain files as they are */
	struct buf bytes;
	size_t at;      /* of the next byte that belongs to no value yet */
	uint64_t line;  /* of that byte */
	uint64_t total; /* bytes read */
	bool ended;
};

int json_stream_open(const char *path, struct json_stream **ret)
{
	struct json_stream *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	int fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
					: open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int err = fd < 0 ? -errno : 0;
	if (!err) {
		s->file = gzdopen(fd, "rb");
		if (!s->file) {
			close(fd);
			err = -ENOMEM;
		}
	}
	if (err) {
		free(s);
		return err;
	}
	gzbuffer(s->file, READ_SIZE);
	s->line = 1;
	*ret = s;
	return 0;
}

void json_stream_close(struct json_stream *s)
{
	if (!s)
		return;
	gzclose(s->file);
	buf_fini(&s->bytes);
	free(s);
}

/* Reads more behind what is there. What was passed over is forgotten. */
static int fill(struct json_stream *s)
{
	if (s->at > 0) {
		memmove(s->bytes.p, s->bytes.p + s->at, s->bytes.len - s->at);
		s->bytes.len -= s->at;
		s->at = 0;
	}
	if (!buf_reserve(&s->bytes, READ_SIZE))
		return -ENOMEM;
	int n = gzread(s->file, s->bytes.p + s->bytes.len, READ_SIZE);
	if (n < 0)
		return -EIO;
	if (n == 0) {
		/* a compressed file that ends too early says so only here */
		int status;
		gzerror(s->file, &status);
		s->ended = true;
		return status == Z_BUF_ERROR ? -EIO : 0;
	}
	s->bytes.len += (size_t)n;
	s->total += (uint64_t)n;
	return n;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Moves to the next byte that is no white space. Returns whether there is one. */
static int skip_space(struct json_stream *s)
{
	for (;;) {
		while (s->at < s->bytes.len && is_space(s->bytes.p[s->at]))
			s->line += s->bytes.p[s->at++] == '\n';
		if (s->at < s->bytes.len)
			return 1;
		if (s->ended)
			return 0;
		int n = fill(s);
		if (n <= 0)
			return n;
	}
}

/* Follows an object to its end. */
struct scan {
	size_t len;
	uint32_t depth;
	bool in_string, escaped;
};

enum scan_result { SCAN_ON, SCAN_DONE, SCAN_BROKEN };

static enum scan_result scan_char(struct scan *scan, char c)
{
	if (scan->in_string) {
		if (c == '\n')
			return SCAN_BROKEN; /* JSON has none in strings: the line was cut */
		if (scan->escaped)
			scan->escaped = false;
		else if (c == '\\')
			scan->escaped = true;
		else if (c == '"')
			scan->in_string = false;
		return SCAN_ON;
	}
	if (c == '"')
		scan->in_string = true;
	else if (c == '{' || c == '[')
		scan->depth++;
	else if ((c == '}' || c == ']') && --scan->depth == 0)
		return SCAN_DONE;
	return SCAN_ON;
}

/* An object that begins in the first column while another one is open: that one was cut. */
static bool begins_anew(const struct json_stream *s, const struct scan *scan)
{
	const char *p = s->bytes.p + s->at + scan->len;

	return scan->len > 0 && *p == '{' && p[-1] == '\n';
}

/* Bytes of the value at s->at, with *ret_broken when it never ends. */
static int scan_value(struct json_stream *s, size_t *ret_len, bool *ret_broken)
{
	struct scan scan = {0};

	for (;; scan.len++) {
		while (s->at + scan.len == s->bytes.len) {
			int n = s->ended ? 0 : fill(s);
			if (n < 0)
				return n;
			if (n == 0) {
				*ret_len = scan.len;
				*ret_broken = true;
				return 0;
			}
		}
		enum scan_result result = SCAN_BROKEN;
		if (scan.len < JSON_TEXT_MAX && !begins_anew(s, &scan))
			result = scan_char(&scan, s->bytes.p[s->at + scan.len]);
		if (result == SCAN_ON)
			continue;
		*ret_len = scan.len + (result == SCAN_DONE);
		*ret_broken = result == SCAN_BROKEN;
		return 0;
	}
}

/* The rest of this line. Something too long is passed over in several calls. */
static int scan_line(struct json_stream *s, size_t *ret_len)
{
	size_t len = 0;

	for (;; len++) {
		while (s->at + len == s->bytes.len) {
			int n = s->ended ? 0 : fill(s);
			if (n < 0)
				return n;
			if (n == 0) {
				*ret_len = len;
				return 0;
			}
		}
		if (s->bytes.p[s->at + len] == '\n' || len == JSON_TEXT_MAX) {
			*ret_len = len;
			return 0;
		}
	}
}

int json_stream_next(struct json_stream *s, struct json_text *ret)
{
	int found = skip_space(s);
	if (found <= 0)
		return found;

	size_t len = 0;
	bool broken = s->bytes.p[s->at] != '{';
	int err = broken ? scan_line(s, &len) : scan_value(s, &len, &broken);
	if (err)
		return err;
	*ret = (struct json_text){
		.text = {s->bytes.p + s->at, (uint32_t)len},
		.line = s->line,
		.broken = broken,
	};
	for (size_t i = 0; i < len; i++)
		s->line += s->bytes.p[s->at + i] == '\n';
	s->at += len;
	return 1;
}

uint64_t json_stream_bytes(const struct json_stream *s)
{
	return s->total;
}

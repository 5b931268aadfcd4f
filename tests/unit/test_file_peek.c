/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/file_peek.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/process.h"
#include "tests/support/tree.h"
#include "tests/unit/tap.h"

enum { HOST = 100 };

static struct mount_ns_table *namespaces;
static struct file_peeker *peeker;

static struct file_peek_request request_of(const char *path)
{
	return (struct file_peek_request){.mnt_ns = HOST, .path = path, .max = 100};
}

static void is_text(const struct file_peek_request *request, const char *text, const char *name)
{
	struct file_peek_result r;

	is_u64((uint64_t)-file_peek(peeker, request, &r), 0, name);
	ok(r.text && r.len == strlen(text) && memcmp(r.text, text, r.len) == 0, "  its text");
	free(r.text);
}

static void is_error(const struct file_peek_request *request, int error, const char *name)
{
	struct file_peek_result r;

	is_u64((uint64_t)-file_peek(peeker, request, &r), (uint64_t)error, name);
	ok(!r.text, "  no text");
}

static void test_pieces(void)
{
	struct file_peek_request request = request_of("/digits");

	write_file(at("root/digits"), "0123456789");
	is_text(&request, "0123456789", "a whole file");
	request.offset = 7;
	is_text(&request, "789", "its end");
	request.offset = 10;
	is_text(&request, "", "behind its end");
	request.offset = 2;
	request.max = 3;
	is_text(&request, "234", "a piece");
	request.whole = true;
	is_error(&request, EFBIG, "larger than is asked for");
	request = request_of("/none");
	is_error(&request, ENOENT, "no such file");
	request = request_of("/");
	is_error(&request, EISDIR, "a directory");
	request = request_of("/digits");
	request.mnt_ns = HOST + 1;
	is_error(&request, ENXIO, "no such namespace");
}

static void test_identity(void)
{
	struct file_peek_request request = request_of("/file");
	struct file_peek_result r;

	write_file(at("root/file"), "first");
	ok(file_peek(peeker, &request, &r) == 0, "read");
	free(r.text);
	struct file_id id = r.id;
	request.known = &id;
	ok(file_peek(peeker, &request, &r) == 0 && r.unchanged && !r.text, "known: not read");
	request.known = NULL;
	request.wanted = &id;
	is_text(&request, "first", "it is the wanted one");
	write_file(at("root/file"), "second");
	is_error(&request, ESTALE, "it is another one");
	request.known = &id;
	request.wanted = NULL;
	is_text(&request, "second", "no longer the known one");
}

int main(void)
{
	tree_make();
	mkdir(at("proc"), 0755);
	mkdir(at("root"), 0755);
	add_process(1, HOST, "root");
	int before = count_fds();
	namespaces = mount_ns_new(at("proc"));
	peeker = file_peeker_new(namespaces);
	if (!namespaces || !peeker)
		abort();
	test_pieces();
	test_identity();
	is_u64(file_peek_unanswered(peeker), 0, "all were answered");
	ok(file_peeker_free(peeker), "no thread is left");
	mount_ns_free(namespaces);
	is_u64((uint64_t)count_fds(), (uint64_t)before, "no descriptor is left");
	tree_remove();
	return done_testing();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A thread that may do nothing reads files of others, because its caller opens them. */
#include "base/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/thread.h"
#include "tests/support/tree.h"
#include "tests/unit/tap.h"

enum { STRANGER = 12345 };

static char found[256];

static int visit(void *context, const char *path)
{
	struct buf text = {0};

	(void)context;
	int err = file_read(path, 100, &text);
	snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s:%.*s ", strrchr(path, '/') + 1,
		 (int)text.len, text.p);
	buf_fini(&text);
	return err;
}

static bool has_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};

	syscall(SYS_capget, &head, sets);
	return sets[0].permitted || sets[1].permitted || sets[0].effective || sets[1].effective;
}

static void work(void *context)
{
	static const char *const suffixes[] = {".a", NULL};
	struct stat st;

	is_u64((uint64_t)-thread_keep_capabilities(0), 0, "it gives up its capabilities");
	ok(!has_capabilities(), "  all of them");
	if (geteuid() == 0)
		ok(open(at("closed/1.a"), O_RDONLY) < 0 && errno == EACCES,
		   "it may not open what is another's");
	is_u64((uint64_t)-file_stat(at("closed/1.a"), &st), 0, "it is told what a file is");
	ok(S_ISREG(st.st_mode) && st.st_size == 3, "  as it is");
	is_u64((uint64_t)-file_each(at("closed"), suffixes, visit, NULL), 0, "it reads a directory");
	is_str(found, "1.a:one 2.a:two ", "  file by file, in order");
	is_u64((uint64_t)-file_stat(at("closed/3.a"), &st), ENOENT, "what is not there");
	*(bool *)context = true;
}

int main(void)
{
	bool done = false;

	tree_make();
	mkdir(at("closed"), 0700);
	write_file(at("closed/2.a"), "two");
	write_file(at("closed/1.a"), "one");
	write_file(at("closed/1.b"), "other");
	mkdir(at("closed/0.a"), 0700);
	if (geteuid() == 0)
		ok(chown(at("closed/1.a"), STRANGER, STRANGER) == 0 &&
			   chown(at("closed"), STRANGER, STRANGER) == 0,
		   "files of a stranger");
	is_u64((uint64_t)-opener_run("test", work, &done), 0, "the thread has run");
	ok(done, "  to its end");
	ok(geteuid() != 0 || has_capabilities(), "its caller keeps what it may");
	int fd = opener_open(at("closed/1.a"), O_RDONLY);
	ok(fd >= 0 && fcntl(fd, F_GETFD) & FD_CLOEXEC, "and opens files itself");
	close(fd);
	tree_remove();
	return done_testing();
}

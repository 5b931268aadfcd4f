/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "sink/rotating.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "tests/unit/tap.h"

#define SECOND UINT64_C(1000000000)

enum { LINE = 64 };

static char dir[] = "/tmp/kunai-rotating-XXXXXX";
static uint64_t ahead; /* of the system's clock */

static uint64_t fake_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec + ahead;
}

static const char *in_dir(const char *name)
{
	static char paths[16][160];
	static unsigned int next;
	char *path = paths[next++ % 16];
	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static uint64_t file_size(const char *path)
{
	struct stat st;
	return stat(path, &st) < 0 ? UINT64_MAX : (uint64_t)st.st_size;
}

static bool exists(const char *path)
{
	return file_size(path) != UINT64_MAX;
}

static void make_line(char line[LINE + 1], unsigned int number)
{
	snprintf(line, LINE + 1, "line %06u ..................................................\n", number);
	memset(line + 12, '.', LINE - 13);
	line[LINE - 1] = '\n';
	line[LINE] = '\0';
}

static int write_line(struct rotating *r, unsigned int number)
{
	char line[LINE + 1];
	size_t done;

	make_line(line, number);
	int err = rotating_write(r, line, LINE, &done);
	return err ? err : done == LINE ? 0 : -EIO;
}

/* Lines of a file, compressed or not, that come in order from next on; UINT_MAX when one does not. */
static unsigned int read_lines(const char *path, unsigned int next)
{
	char got[256], want[LINE + 1];
	gzFile file = gzopen(path, "rb");

	while (file && gzgets(file, got, sizeof(got))) {
		make_line(want, next++);
		if (strcmp(got, want) != 0) {
			printf("# %s: got %s# want %s", path, got, want);
			next = UINT32_MAX;
			break;
		}
	}
	if (file)
		gzclose(file);
	return next;
}

/* All lines from the oldest archive to the file. */
static unsigned int read_everything(const char *path)
{
	struct archive_list list;
	unsigned int next = 0;

	if (archive_list_read(path, &list) < 0)
		return UINT32_MAX;
	for (size_t i = 0; i < list.count && next != UINT32_MAX; i++) {
		char *name = archive_path(path, &list.v[i]);
		next = read_lines(name, next);
		free(name);
	}
	archive_list_fini(&list);
	return next == UINT32_MAX ? next : read_lines(path, next);
}

static void remove_all(void)
{
	DIR *d = opendir(dir);

	for (struct dirent *e; (e = readdir(d));)
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
}

static bool open_log(struct rotating *r, uint64_t size, uint64_t age, uint64_t total)
{
	struct rotating_options options = {.path = in_dir("log"),
					   .rotate_size = size,
					   .max_age = age,
					   .max_total = total,
					   .now = fake_now};
	return ok(rotating_open(r, &options) == 0, "opened");
}

static void test_size(void)
{
	struct rotating r;
	struct stat st = {0};
	char block[10 * LINE + 1];
	size_t done;

	open_log(&r, 4 * LINE - 1, 0, 0);
	for (unsigned int i = 0; i < 5; i++)
		write_line(&r, i);
	ok(exists(in_dir("log.1")) || exists(in_dir("log.1.gz")), "the fifth line begins a new file");
	is_u64(file_size(in_dir("log")), LINE, "  and stands alone in it");
	for (unsigned int i = 0; i < 10; i++)
		make_line(block + i * LINE, 5 + i);
	ok(rotating_write(&r, block, 10 * LINE, &done) == 0 && done == 10 * LINE, "ten lines at once");
	archives_wait(r.archives);
	ok(exists(in_dir("log.3.gz")) && !exists(in_dir("log.4.gz")), "are parted where the file is full");
	is_u64(file_size(in_dir("log")), 3 * LINE, "  the rest is in the file");
	ok(!exists(in_dir("log.1")) && !exists(in_dir("log.3")), "the plain ones are gone");
	is_u64(read_everything(in_dir("log")), 15, "every line once, in order");
	stat(in_dir("log.1.gz"), &st);
	ok((st.st_mode & 07777) == 0600, "an archive has mode 0600");
	is_u64(r.rotations, 3, "three rotations are counted");
	rotating_close(&r);
	remove_all();
}

static void test_age(void)
{
	struct rotating r;

	open_log(&r, 0, 900 * SECOND, 0);
	ahead = 0;
	write_line(&r, 0);
	ahead = 890 * SECOND;
	write_line(&r, 1);
	ok(r.rotations == 0, "younger than its age");
	ahead = 901 * SECOND;
	write_line(&r, 2);
	is_u64(r.rotations, 1, "older: a new file");
	ahead = 5000 * SECOND;
	rotating_close(&r);
	open_log(&r, 0, 900 * SECOND, 0);
	write_line(&r, 3);
	is_u64(r.rotations, 1, "the age of a file that was there is that of the file");
	ahead = 0;
	write_line(&r, 4);
	is_u64(r.rotations, 1, "a clock that goes back rotates nothing");
	archives_wait(r.archives);
	is_u64(read_everything(in_dir("log")), 5, "every line once, in order");
	rotating_close(&r);
	remove_all();
}

static void test_idle(void)
{
	struct rotating r;

	open_log(&r, 0, 900 * SECOND, 0);
	ahead = 10000 * SECOND;
	write_line(&r, 0);
	is_u64(r.rotations, 0, "an empty file is not rotated, however old");
	rotating_close(&r);
	ahead = 0;
	remove_all();
}

static void test_max_size(void)
{
	struct rotating r;
	struct archives_stats stats;
	struct archive_list list;
	unsigned int i = 0;

	open_log(&r, 8 * LINE, 0, 100 * LINE);
	for (; i < 1000; i++) {
		write_line(&r, i);
		archives_read_stats(r.archives, &stats);
		if (stats.bytes + r.size >= 100 * LINE && stats.count)
			break;
	}
	is_u64(i, 1000, "the total stays below the limit after every line");
	archives_wait(r.archives);
	archives_read_stats(r.archives, &stats);
	ok(archive_list_read(in_dir("log"), &list) == 0 && list.count == stats.count,
	   "what is in the directory is what is known");
	ok(list.count && list.v[0].index > 1 && list.v[list.count - 1].index == r.rotations,
	   "the oldest were deleted");
	bool all = true;
	for (size_t n = 1; n < list.count; n++)
		all = all && list.v[n].index == list.v[n - 1].index + 1;
	ok(all, "no number is missing between");
	uint64_t newest = list.count ? list.v[list.count - 1].index : 0;
	archive_list_fini(&list);
	rotating_close(&r);
	open_log(&r, LINE, 0, 0);
	write_line(&r, i);
	write_line(&r, i + 1);
	archives_wait(r.archives);
	archive_list_read(in_dir("log"), &list);
	ok(list.count && list.v[list.count - 1].index > newest, "after a restart numbers go on");
	archive_list_fini(&list);
	rotating_close(&r);
	remove_all();
}

static void put(const char *name, const char *text)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (write(fd, text, strlen(text)) < 0)
		abort();
	close(fd);
}

static void test_leftovers(void)
{
	struct rotating r;
	char line[LINE + 1];

	make_line(line, 0);
	put("log.7", line);
	put("log.8", "not the same as its archive\n");
	gzFile gz = gzopen(in_dir("log.8.gz"), "wb");
	make_line(line, 1);
	gzwrite(gz, line, LINE);
	gzclose(gz);
	put("log.9.gz.tmp", "half");
	put("log.x", "not ours");
	put("log.03", "not ours");
	put("other.4", "not ours");
	put("log", "half a li");
	open_log(&r, 0, 0, 0);
	write_line(&r, 2);
	archives_wait(r.archives);
	ok(exists(in_dir("log.7.gz")) && !exists(in_dir("log.7")), "an archive that was not compressed is");
	ok(!exists(in_dir("log.8")), "one that was compressed already is not twice there");
	ok(!exists(in_dir("log.9.gz.tmp")), "half a one is deleted");
	ok(exists(in_dir("log.x")) && exists(in_dir("log.03")) && exists(in_dir("other.4")),
	   "other files stay");
	is_u64(read_lines(in_dir("log.8.gz"), read_lines(in_dir("log.7.gz"), 0)), 2, "nothing is lost");
	is_u64(file_size(in_dir("log")), 10 + LINE, "half a line of before is ended");
	rotating_close(&r);
	remove_all();
}

static void test_rename(void)
{
	struct rotating r;

	ahead = 0;
	open_log(&r, 0, 0, 0);
	write_line(&r, 0);
	rename(in_dir("log"), in_dir("log-of-logrotate"));
	write_line(&r, 1);
	is_u64(file_size(in_dir("log-of-logrotate")), 2 * LINE, "a renamed file is still written to");
	rotating_tend(&r);
	ok(access(in_dir("log"), F_OK) != 0, "  and no other one is made");
	rotating_reopen(&r);
	rotating_tend(&r);
	is_u64(file_size(in_dir("log")), 0, "until it is to be opened again: at once");
	write_line(&r, 2);
	is_u64(file_size(in_dir("log")), LINE, "  and lines go there");
	rename(in_dir("log"), in_dir("second"));
	ahead += 2 * SECOND;
	write_line(&r, 3);
	ahead += 2 * SECOND;
	write_line(&r, 4);
	is_u64(file_size(in_dir("second")), 2 * LINE, "without that it gets a line more");
	is_u64(file_size(in_dir("log")), LINE, "  and then the name is followed");
	unlink(in_dir("log"));
	ahead += 2 * SECOND;
	write_line(&r, 5);
	is_u64(file_size(in_dir("log")), LINE, "a deleted file is made anew at once");
	rotating_close(&r);
	ahead = 0;
	remove_all();
}

static void test_symlink(void)
{
	struct rotating r;

	put("real", "");
	ok(symlink("real", in_dir("log")) == 0, "a symbolic link");
	open_log(&r, LINE, 0, 0);
	write_line(&r, 0);
	write_line(&r, 1);
	archives_wait(r.archives);
	ok(exists(in_dir("real.1.gz")), "what it points to is rotated");
	is_u64(file_size(in_dir("log")), LINE, "and the link stays");
	rotating_close(&r);
	remove_all();
}

static void test_unrenamable(void)
{
	struct rotating r;
	char long_name[256];

	/* no room in the name for a number */
	memset(long_name, 'x', 255);
	long_name[255] = '\0';
	struct rotating_options options = {.path = in_dir(long_name), .rotate_size = LINE, .now = fake_now};
	char path[512];
	snprintf(path, sizeof(path), "%s/%s", dir, long_name);
	options.path = path;
	ok(rotating_open(&r, &options) == 0, "a name of 255 bytes");
	for (unsigned int i = 0; i < 5; i++)
		write_line(&r, i);
	is_u64(file_size(path), 5 * LINE, "a file that cannot be moved goes on growing");
	is_u64(r.rotation_failures, 1, "  it is not tried at every line");
	ahead = 61 * SECOND;
	write_line(&r, 5);
	is_u64(r.rotation_failures, 2, "  but after a minute");
	ahead = 0;
	rotating_close(&r);
	remove_all();
}

/* A file system of a few pages: everything is written once, whole, as soon as there is room. */
static void test_full(void)
{
	char mount_point[64], path[96], ballast[96];
	struct rotating r;
	unsigned int written = 0;
	int err = 0;

	snprintf(mount_point, sizeof(mount_point), "%s/small", dir);
	snprintf(path, sizeof(path), "%s/log", mount_point);
	snprintf(ballast, sizeof(ballast), "%s/ballast", mount_point);
	mkdir(mount_point, 0700);
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("kunai-test", mount_point, "tmpfs", 0, "size=32768") < 0) {
		ok(true, "a full file system # skip cannot mount: %s", strerror(errno));
		rmdir(mount_point);
		return;
	}
	int fd = open(ballast, O_WRONLY | O_CREAT, 0600);
	ok(write(fd, path, 1) == 1, "a page is taken");
	close(fd);
	struct rotating_options options = {.path = path, .now = fake_now};
	/* the last page ends within a line */
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	ok(write(fd, "odd\n", 4) == 4, "odd");
	close(fd);
	ok(rotating_open(&r, &options) == 0, "opened");
	while (!err && (err = write_line(&r, written)) == 0)
		written++;
	ok(err == -ENOSPC && written > 0, "full");
	is_u64(file_size(path), 4 + written * LINE, "half a line is taken back");
	ok(write_line(&r, written) == -ENOSPC, "still full");
	unlink(ballast);
	ok(write_line(&r, written++) == 0, "there is room again");
	FILE *f = fopen(path, "r");
	char got[256], want[LINE + 1];
	bool fine = fgets(got, sizeof(got), f) && strcmp(got, "odd\n") == 0;
	unsigned int i = 0;
	for (; fine && fgets(got, sizeof(got), f); i++) {
		make_line(want, i);
		fine = strcmp(got, want) == 0;
	}
	fclose(f);
	ok(fine && i == written, "every line once");
	ok(mount("kunai-test", mount_point, "tmpfs", MS_REMOUNT | MS_RDONLY, "size=32768") < 0 &&
		   errno == EBUSY,
	   "a file system with an open file cannot become read-only");
	rotating_close(&r);
	ok(mount("kunai-test", mount_point, "tmpfs", MS_REMOUNT | MS_RDONLY, "size=32768") == 0, "read-only");
	ok(rotating_open(&r, &options) == -EROFS, "a file on it cannot be opened");
	umount(mount_point);
	rmdir(mount_point);
}

/* Many rotations: 1,009 with KUNAI_TEST_LONG. */
static void test_many(void)
{
	unsigned int rotations = getenv("KUNAI_TEST_LONG") ? 1009 : 101, lines = 0;
	struct rotating r;

	open_log(&r, 100 * LINE, 0, 0);
	while (r.rotations < rotations)
		write_line(&r, lines++);
	archives_wait(r.archives);
	is_u64(read_everything(in_dir("log")), lines, "many rotations: every line once, in order");
	rotating_close(&r);
	remove_all();
}

int main(void)
{
	if (!mkdtemp(dir))
		abort();
	test_size();
	test_age();
	test_idle();
	test_max_size();
	test_leftovers();
	test_rename();
	test_symlink();
	test_unrenamable();
	test_many();
	test_full();
	ok(rmdir(dir) == 0, "nothing is left behind");
	return done_testing();
}

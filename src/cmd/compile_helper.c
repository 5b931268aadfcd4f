/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The helper forks a child for each job, so that its memory goes with it:
 *
 *   sensor -> helper: one byte, with the end of a stream socket: a job; without: the job is to end
 *   sensor -> child, by the stream: the texts of the patterns, and the end of the stream
 *   child -> sensor: the image (see patterns_add_image()), and the end
 */
#include "cmd/compile_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/call_filter.h"
#include "base/digests.h"

enum { CPU_SECONDS_MAX = 1800, NICE = 5, PART = 1 << 16 };

#define MEMORY_MAX ((rlim_t)4 << 30) /* bytes, beyond what the helper has */

/* ---- the child that compiles ---- */

static void set_limit(int what, rlim_t max)
{
	const struct rlimit limit = {max, max};

	setrlimit((__rlimit_resource_t)what, &limit);
}

static rlim_t address_space(void)
{
	unsigned long long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f && fscanf(f, "%llu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static int read_stream(int fd, size_t max, struct buf *out)
{
	while (out->len <= max) {
		if (!buf_reserve(out, PART))
			return -ENOMEM;
		ssize_t n = read(fd, out->p + out->len, out->cap - out->len);
		if (n == 0)
			return 0;
		if (n > 0)
			out->len += (size_t)n;
		else if (errno != EINTR)
			return -errno;
	}
	return -EFBIG;
}

static int write_stream(int fd, const struct buf *bytes)
{
	for (size_t done = 0; done < bytes->len;) {
		ssize_t n = send(fd, bytes->p + done, bytes->len - done, MSG_NOSIGNAL);
		if (n > 0)
			done += (size_t)n;
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* It has its stream, and memory. Where there are no filters it works as well: the sensor tells. */
static void filter_child(void)
{
	static const uint16_t calls[] = {SYS_read, SYS_sendto, SYS_sched_getaffinity, CALLS_OF_ANY_PROCESS,
					 CALLS_OF_SANITIZERS};
	static const struct call_filter filter = {.calls = calls, .count = sizeof(calls) / sizeof(*calls)};

	call_filter_apply(&filter);
}

static int compile(int fd)
{
	struct buf texts = {0}, image = {0};
	struct pattern_set *set = NULL;

	int err = read_stream(fd, PATTERNS_TEXT_MAX, &texts);
	if (!err) {
		set = patterns_new(texts.p, texts.len);
		err = set ? patterns_compile(set) : -errno;
	}
	if (!err)
		err = patterns_add_image(set, &image);
	if (!err)
		err = write_stream(fd, &image);
	patterns_unref(set);
	buf_fini(&texts);
	buf_fini(&image);
	return err;
}

static void run_child(int fd, pid_t helper)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != helper)
		_exit(1);
	close(HELPER_FD);
	setpriority(PRIO_PROCESS, 0, NICE);
	set_limit(RLIMIT_CPU, CPU_SECONDS_MAX);
	set_limit(RLIMIT_AS, address_space() + MEMORY_MAX);
	set_limit(RLIMIT_FSIZE, 0);
	set_limit(RLIMIT_CORE, 0);
	filter_child();
	_exit(compile(fd) ? 1 : 0);
}

/* ---- the helper ---- */

/* -1 and *ret_job -1: the sensor has gone. */
static int receive(int fd, int *ret_job)
{
	char byte, room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(sizeof(size_t))));
	struct iovec part = {&byte, 1};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};

	*ret_job = -1;
	ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	if (n != 1)
		return n < 0 && errno == EINTR ? 0 : -1;
	struct cmsghdr *control = CMSG_FIRSTHDR(&message);
	if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS &&
	    control->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(ret_job, CMSG_DATA(control), sizeof(int));
	return 0;
}

static void end_child(pid_t *child, int *process)
{
	if (*child <= 0)
		return;
	kill(*child, SIGKILL);
	while (waitpid(*child, NULL, 0) < 0 && errno == EINTR)
		;
	*child = 0;
	if (*process >= 0)
		close(*process);
	*process = -1;
}

static void begin_child(int job, pid_t *child, int *process)
{
	pid_t self = getpid();

	*child = fork();
	if (*child == 0)
		run_child(job, self);
	*process = *child > 0 ? (int)syscall(SYS_pidfd_open, *child, 0) : -1;
}

/* To make children as above, and what these need until they have a filter of their own. */
static void filter_helper(void)
{
	static const uint16_t calls[] = {SYS_recvmsg,
					 SYS_ppoll,
					 SYS_clone,
					 SYS_set_robust_list,
					 SYS_pidfd_open,
					 SYS_kill,
					 SYS_wait4,
					 SYS_getppid,
					 SYS_setpriority,
					 SYS_prlimit64,
					 SYS_openat,
					 SYS_newfstatat,
					 SYS_fstat,
					 SYS_lseek,
					 SYS_read,
					 SYS_sendto,
					 SYS_close,
					 SYS_sched_getaffinity,
					 SYS_prctl,
					 SYS_seccomp,
#ifdef __x86_64__
					 SYS_poll,
#endif
					 CALLS_OF_ANY_PROCESS,
					 CALLS_OF_SANITIZERS};
	static const struct call_filter filter = {.calls = calls, .count = sizeof(calls) / sizeof(*calls)};

	call_filter_apply(&filter);
}

static void serve(int fd)
{
	pid_t child = 0;
	int process = -1, job;

	digests_prepare();
	filter_helper();
	for (;;) {
		struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = process, .events = POLLIN}};
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents)
			end_child(&child, &process);
		if (!fds[0].revents)
			continue;
		if (receive(fd, &job) < 0)
			return;
		end_child(&child, &process);
		if (job < 0)
			continue;
		begin_child(job, &child, &process);
		close(job);
	}
}

int compile_helper_open(struct helper *ret)
{
	return helper_open("kunai-compile", 0, serve, ret);
}

/* ---- the sensor ---- */

/* job -1: the one that runs is to end. */
static int send_job(const struct helper *h, int job)
{
	char byte = 0, room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(sizeof(size_t)))) = {0};
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (job >= 0) {
		message.msg_control = room;
		message.msg_controllen = sizeof(room);
		struct cmsghdr *control = CMSG_FIRSTHDR(&message);
		control->cmsg_level = SOL_SOCKET;
		control->cmsg_type = SCM_RIGHTS;
		control->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(control), &job, sizeof(int));
	}
	return sendmsg(h->fd, &message, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

/* Opens the stream to the child of a new job. */
static int begin_job(const struct helper *h, int *ret_stream)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	int err = fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : send_job(h, fds[1]);
	close(fds[1]);
	if (err)
		close(fds[0]);
	else
		*ret_stream = fds[0];
	return err;
}

static int send_texts(int stream, const struct pattern_set *set, size_t *done)
{
	ssize_t n = send(stream, set->texts + *done, set->size - *done, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -EIO;
	*done += (size_t)n;
	if (*done == set->size)
		shutdown(stream, SHUT_WR);
	return 0;
}

/* 1 at the end. */
static int receive_image(int stream, struct buf *image)
{
	if (image->len > PATTERNS_IMAGE_MAX)
		return -EFBIG;
	if (!buf_reserve(image, PART))
		return -ENOMEM;
	ssize_t n = read(stream, image->p + image->len, image->cap - image->len);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -EIO;
	image->len += (size_t)n;
	return n == 0;
}

static int run_job(int stream, const struct pattern_set *set, int stop, struct buf *image)
{
	size_t done = 0;
	int result = 0;

	while (!result) {
		struct pollfd fds[] = {
			{.fd = stream, .events = done < set->size ? POLLIN | POLLOUT : POLLIN},
			{.fd = stop, .events = POLLIN},
		};
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents)
			return -ECANCELED;
		if (fds[0].revents & POLLOUT && done < set->size)
			result = send_texts(stream, set, &done);
		if (!result && fds[0].revents & (POLLIN | POLLHUP | POLLERR))
			result = receive_image(stream, image);
	}
	return result < 0 ? result : 0;
}

int compile_helper_run(const struct helper *h, struct pattern_set *set, int stop, struct buf *image)
{
	int stream;

	if (h->fd < 0)
		return -ESRCH;
	int err = begin_job(h, &stream);
	if (err)
		return err;
	err = run_job(stream, set, stop, image);
	close(stream);
	if (err) {
		send_job(h, -1);
		return err;
	}
	err = patterns_use_image(set, image->p, image->len);
	return err == -EBADMSG ? -EIO : err;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "closers.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

static void state(const struct target *target, bool during_exec)
{
	char path[PATH_MAX];
	struct fact fact;

	if (!target->written_by)
		return;
	facts_begin(&fact, "close");
	facts_string(&fact, "path", actor_path(path, target->path));
	facts_string(&fact, "written_by", target->written_by);
	facts_bool(&fact, "subject", true); /* and no file that was made on the way */
	if (target->unseen)
		facts_bool(&fact, "unseen", true);
	if (during_exec)
		facts_bool(&fact, "during_exec", true);
	facts_end(&fact);
}

void closers_state(const struct target *target)
{
	state(target, false);
}

static void by_close(struct target *target)
{
	actor_must(close(target->fd) == 0, "close");
	closers_state(target);
}

static void by_close_range(struct target *target)
{
	if (syscall(SYS_close_range, target->fd, target->fd, 0) < 0) {
		if (errno == ENOSYS)
			actor_skip("no close_range here");
		actor_must(false, "close_range");
	}
	closers_state(target);
}

static void by_dup2(struct target *target)
{
	int other = open("/dev/null", O_RDONLY);

	actor_must(other >= 0 && dup2(other, target->fd) == target->fd, "dup2");
	closers_state(target);
}

static void by_dup3(struct target *target)
{
	int other = open("/dev/null", O_RDONLY);

	actor_must(other >= 0 && dup3(other, target->fd, O_CLOEXEC) == target->fd, "dup3");
	closers_state(target);
}

static void by_duplicates(struct target *target)
{
	int first = dup(target->fd), second = fcntl(target->fd, F_DUPFD_CLOEXEC, 300);

	actor_must(first >= 0 && second >= 300, "dup");
	close(target->fd);
	close(second);
	close(first);
	closers_state(target);
}

static void by_exec(struct target *target)
{
	actor_must(fcntl(target->fd, F_SETFD, FD_CLOEXEC) == 0, "FD_CLOEXEC");
	state(target, true);
	actor_execute(actor_program());
	actor_must(false, "execute the program");
}

static void by_exit(struct target *target)
{
	closers_state(target);
	actor_exit(0);
}

static void by_exit_of_duplicates(struct target *target)
{
	actor_must(dup(target->fd) >= 0 && dup2(target->fd, 777) == 777, "dup");
	closers_state(target);
	actor_exit(0);
}

static void by_thread_exit(struct target *target)
{
	struct fact fact;

	closers_state(target);
	facts_begin(&fact, "exit");
	facts_number(&fact, "code", 0);
	facts_end(&fact);
	syscall(SYS_exit, 0);
}

static void by_sigkill(struct target *target)
{
	closers_state(target);
	actor_kill(getpid(), SIGKILL);
}

static void by_sigsegv(struct target *target)
{
	closers_state(target);
	*(volatile int *)actor_nowhere = 1;
}

static void *close_in_thread(void *argument)
{
	struct fact fact;

	actor_started(0x3d0f00); /* what the C library's pthread_create passes */
	by_close(argument);
	facts_begin(&fact, "exit");
	facts_number(&fact, "code", 0);
	facts_end(&fact);
	return NULL;
}

static void by_thread(struct target *target)
{
	pthread_t thread;

	actor_must(pthread_create(&thread, NULL, close_in_thread, target) == 0, "pthread_create");
	pthread_join(thread, NULL);
}

static sem_t has_own_table, may_end;

static void *end_with_own_table(void *argument)
{
	struct fact fact;

	actor_started(0x3d0f00);
	actor_must(unshare(CLONE_FILES) == 0, "a descriptor table of its own");
	sem_post(&has_own_table);
	sem_wait(&may_end);
	closers_state(argument);
	facts_begin(&fact, "exit");
	facts_number(&fact, "code", 0);
	facts_end(&fact);
	return NULL;
}

/* A thread takes a copy of the table, and ends with it: the process lives on. */
static void by_thread_with_own_table(struct target *target)
{
	pthread_t thread;

	sem_init(&has_own_table, 0, 0);
	sem_init(&may_end, 0, 0);
	actor_must(pthread_create(&thread, NULL, end_with_own_table, target) == 0, "pthread_create");
	sem_wait(&has_own_table);
	close(target->fd);
	sem_post(&may_end);
	pthread_join(thread, NULL);
}

/* Blocks until the other end of a pipe is closed. */
static void await_eof(int fd)
{
	char byte;

	while (read(fd, &byte, 1) > 0 || errno == EINTR)
		;
}

static void by_heir(struct target *target, bool exits)
{
	int gate[2];
	pid_t pid;

	actor_must(pipe(gate) == 0, "pipe");
	pid = actor_fork();
	if (pid == 0) {
		close(gate[1]);
		errno = 0;
		await_eof(gate[0]);
		if (!exits)
			by_close(target);
		else
			closers_state(target);
		actor_exit(0);
	}
	close(target->fd);
	close(gate[1]);
	actor_wait(pid);
}

static void by_heir_close(struct target *target)
{
	by_heir(target, false);
}

static void by_heir_exit(struct target *target)
{
	by_heir(target, true);
}

static void by_parent_after_heir(struct target *target)
{
	pid_t pid = actor_fork();

	if (pid == 0)
		actor_exit(0);
	actor_wait(pid);
	by_close(target);
}

/* The child has the same descriptor table. */
static void by_table_sharer(struct target *target)
{
	pid_t pid = actor_clone(CLONE_FILES | SIGCHLD);

	if (pid == 0) {
		by_close(target);
		actor_exit(0);
	}
	actor_wait(pid);
}

static void send_fd(int socket, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.space = {0}};
	char byte = 'x';
	struct iovec iov = {&byte, 1};
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	actor_must(sendmsg(socket, &message, 0) == 1, "pass a descriptor");
}

static int receive_fd(int socket)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.space = {0}};
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	int fd = -1;

	actor_must(recvmsg(socket, &message, 0) == 1, "receive a descriptor");
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

/* The reference travels to a process that never had the file open. */
static void by_receiver(struct target *target)
{
	int pair[2], gate[2], fd = target->fd;
	pid_t pid;

	actor_must(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0 && pipe(gate) == 0, "socketpair");
	pid = actor_fork();
	if (pid == 0) {
		close(fd);
		close(gate[1]);
		errno = 0;
		await_eof(gate[0]);
		target->fd = receive_fd(pair[1]);
		by_close(target);
		actor_exit(0);
	}
	send_fd(pair[0], fd);
	close(fd);
	close(gate[1]); /* only now may the child receive, so that it is the last to close */
	actor_wait(pid);
}

/* The last reference is in a message that nobody will read. */
static void by_undelivered_message(struct target *target)
{
	int pair[2];

	actor_must(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0, "socketpair");
	send_fd(pair[0], target->fd);
	close(target->fd);
	close(pair[0]);
	close(pair[1]);
	closers_state(target);
}

static void *map_and_close(struct target *target)
{
	void *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, target->fd, 0);

	actor_must(map != MAP_FAILED, "mmap");
	close(target->fd);
	return map;
}

static void by_munmap(struct target *target)
{
	actor_must(munmap(map_and_close(target), 4096) == 0, "munmap");
	closers_state(target);
}

static void by_exit_of_mapping(struct target *target)
{
	map_and_close(target);
	by_exit(target);
}

const struct closer closers[] = {
	{"close", by_close},
	{"close_range", by_close_range},
	{"dup2", by_dup2},
	{"dup3", by_dup3},
	{"duplicates", by_duplicates},
	{"exec", by_exec},
	{"exit", by_exit},
	{"exit_duplicates", by_exit_of_duplicates},
	{"thread_with_own_table", by_thread_with_own_table},
	{"thread_exit", by_thread_exit},
	{"sigkill", by_sigkill},
	{"sigsegv", by_sigsegv},
	{"thread", by_thread},
	{"heir_close", by_heir_close},
	{"heir_exit", by_heir_exit},
	{"parent_after_heir", by_parent_after_heir},
	{"table_sharer", by_table_sharer},
	{"receiver", by_receiver},
	{"undelivered", by_undelivered_message},
	{"munmap", by_munmap},
	{"exit_mapping", by_exit_of_mapping},
};

const int closers_count = sizeof(closers) / sizeof(closers[0]);

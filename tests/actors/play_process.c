/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "play.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- starting other processes ---- */

void play_wait_for(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

/* as FILE ARGUMENT...: becomes that program in a child. */
void do_as(struct step *s)
{
	pid_t pid = fork();

	if (pid == 0) {
		setenv(BLOCK, s->block, 1);
		execv(s->words[1], s->count > 2 ? s->words + 2 : s->words + 1);
		play_fail("execute", s->words[1]);
		_exit(1);
	}
	play_wait_for(pid);
}

/* suid FILE ARGUMENT...: the same for user 1000, to whom the program gives root's rights. */
void do_suid(struct step *s)
{
	pid_t pid = fork();

	if (pid == 0) {
		setenv(BLOCK, s->block, 1);
		if (setresuid(1000, 1000, 1000) == 0)
			execv(s->words[1], s->words + 2);
		play_fail("execute", s->words[1]);
		_exit(1);
	}
	play_wait_for(pid);
}

/* script FILE INTERPRETER ARGUMENT... */
void do_script(struct step *s)
{
	pid_t pid = fork();

	if (pid == 0) {
		s->words[2] = s->words[1];
		setenv(BLOCK, s->block, 1);
		execv(s->words[1], s->words + 2);
		play_fail("execute", s->words[1]);
		_exit(1);
	}
	play_wait_for(pid);
}

/* gone FILE ARGUMENT...: the program is deleted before it runs. */
void do_gone(struct step *s)
{
	pid_t pid = fork();

	if (pid == 0) {
		play_make_program(s->words[1]);
		int fd = open(s->words[1], O_RDONLY | O_CLOEXEC);
		setenv(BLOCK, s->block, 1);
		unlink(s->words[1]);
		syscall(SYS_execveat, fd, "", s->words + 2, environ, AT_EMPTY_PATH);
		play_fail("execute deleted", s->words[1]);
		_exit(1);
	}
	play_wait_for(pid);
}

/* memfd NAME ARGUMENT...: runs from memory. */
void do_memfd(struct step *s)
{
	pid_t pid = fork();

	if (pid == 0) {
		int in = open(SELF, O_RDONLY | O_CLOEXEC), fd = (int)memfd_create(s->words[1], MFD_CLOEXEC);
		sendfile(fd, in, NULL, PAYLOAD_MAX);
		setenv(BLOCK, s->block, 1);
		syscall(SYS_execveat, fd, "", s->words + 2, environ, AT_EMPTY_PATH);
		play_fail("execute memory", s->words[1]);
		_exit(1);
	}
	play_wait_for(pid);
}

/* fork: the block runs in a child that is the same program. */
void do_fork(struct step *s)
{
	pid_t pid = fork();

	if (pid == 0) {
		play(s->block);
		_exit(0);
	}
	play_wait_for(pid);
}

/* orphan: the block runs in a grandchild whose parent has ended. */
void do_orphan(struct step *s)
{
	pid_t pid = fork();

	if (pid == 0) {
		pid_t parent = getpid();
		if (fork() != 0)
			_exit(0);
		while (getppid() == parent)
			usleep(1000);
		play(s->block);
		_exit(0);
	}
	play_wait_for(pid);
}

static void enter_cgroup(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/cgroup.procs", name);
	play_make_parents(path);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		play_fail("enter cgroup", name);
	close(fd);
}

/* box CGROUP HOSTNAME: the block runs in a container, as far as the kernel can tell. */
void do_box(struct step *s)
{
	pid_t pid = fork();

	if (pid == 0) {
		enter_cgroup(s->words[1]);
		if (unshare(CLONE_NEWNS | CLONE_NEWUTS) < 0 ||
		    sethostname(s->words[2], strlen(s->words[2])) < 0)
			play_fail("unshare", s->words[2]);
		play(s->block);
		_exit(0);
	}
	play_wait_for(pid);
}

static void start_victim(uid_t uid, char **words)
{
	int ready[2];
	char byte;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return;
	play_victim = fork();
	if (play_victim == 0) {
		setenv(BLOCK, "wait", 1);
		if (setresuid(uid, uid, uid) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0)
			execv(words[0], words + 1);
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) < 0) /* closed by the exec */
		play_fail("start", words[0]);
	close(ready[0]);
	usleep(50000);
}

/* tmpfs DIRECTORY: a file system that only this mount namespace knows. */
void do_tmpfs(struct step *s)
{
	char inside[PATH_MAX];

	snprintf(inside, sizeof(inside), "%s/x", s->words[1]);
	play_make_parents(inside);
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", s->words[1], "tmpfs", 0, NULL) < 0)
		play_fail("mount", s->words[1]);
}

/* play_victim FILE ARGUMENT...: a program that waits for its end, to be signalled or traced. */
void do_victim(struct step *s)
{
	start_victim(getuid(), s->words + 1);
}

/* play_victim-of UID FILE ARGUMENT... */
void do_victim_of(struct step *s)
{
	start_victim((uid_t)atoi(s->words[1]), s->words + 2);
}

void do_wait(struct step *s)
{
	(void)s;
	pause();
}

/* ---- the process itself ---- */

void do_comm(struct step *s)
{
	prctl(PR_SET_NAME, s->words[1]);
}

void do_prctl(struct step *s)
{
	unsigned long v[5] = {0};

	for (int i = 1; i < s->count && i <= 5; i++)
		v[i - 1] = strtoul(s->words[i], NULL, 0);
	prctl((int)v[0], v[1], v[2], v[3], v[4]);
}

void do_uid(struct step *s)
{
	uid_t uid = (uid_t)atoi(s->words[1]);

	if (setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
		play_fail("become", s->words[1]);
}

/* clone FLAGS: the block runs in the child. */
void do_clone(struct step *s)
{
	pid_t pid = (pid_t)syscall(SYS_clone, strtoul(s->words[1], NULL, 0) | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0) {
		play(s->block);
		_exit(0);
	}
	play_wait_for(pid);
}

void do_exit(struct step *s)
{
	_exit(atoi(s->words[1]));
}

void do_sleep(struct step *s)
{
	usleep((useconds_t)atoi(s->words[1]) * 1000);
}

void do_kill(struct step *s)
{
	kill(s->count > 2 ? (pid_t)atoi(s->words[2]) : play_victim, atoi(s->words[1]));
}

void do_ptrace(struct step *s)
{
	(void)s;
	if (ptrace(PTRACE_ATTACH, play_victim, NULL, NULL) < 0)
		play_fail("trace", "");
	waitpid(play_victim, NULL, __WALL);
	ptrace(PTRACE_DETACH, play_victim, NULL, NULL);
}

/* vmwrite: process_vm_writev() to where nothing is mapped: the right to do so is asked for all the same. */
void do_vmwrite(struct step *s)
{
	char byte = 0;
	const struct iovec local = {&byte, 1}, remote = {(void *)CODE_PAGE, 1};

	(void)s;
	process_vm_writev(play_victim, &local, 1, &remote, 1, 0);
}

/* mem: opens the memory of the play_victim. */
void do_mem(struct step *s)
{
	char path[64];

	(void)s;
	snprintf(path, sizeof(path), "/proc/%d/mem", play_victim);
	close(open(path, O_RDWR | O_CLOEXEC));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attacks by control groups and by bpf(2). */
#define _GNU_SOURCE
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- control groups ---- */

const char *attack_other_group(const char *name)
{
	static char directory[512];

	snprintf(directory, sizeof(directory), "%s/../attacker", target.group);
	if (mkdir(directory, 0755) < 0 && errno != EEXIST)
		return "/nowhere";
	return attack_join(directory, name);
}

int attack_group_kill(void)
{
	return attack_write(attack_join(target.group, "cgroup.kill"), "1");
}
int attack_group_freeze(void)
{
	return attack_write(attack_join(target.group, "cgroup.freeze"), "1");
}
int attack_group_limit(void)
{
	return attack_write(attack_join(target.group, "cgroup.max.descendants"), "0");
}
int attack_group_freeze_above(void)
{
	return attack_write(attack_join(target.group, "../cgroup.freeze"), "1");
}
int attack_group_kill_above(void)
{
	return attack_write(attack_join(target.group, "../cgroup.kill"), "1");
}
/* What is over a limit of memory is ended. */
int attack_group_starve_above(void)
{
	return attack_write(attack_join(target.group, "../memory.max"), "4096");
}

static int group_move_as(const char *format)
{
	char number[32];

	snprintf(number, sizeof(number), format, target.pid);
	return attack_write(attack_other_group("cgroup.procs"), number);
}

int attack_group_move(void)
{
	return group_move_as("%d\n");
}
int attack_group_move_hexadecimal(void)
{
	return group_move_as("0x%x");
}
int attack_group_move_spaced(void)
{
	return group_move_as(" %d");
}
int attack_group_move_octal(void)
{
	return group_move_as("0%o");
}
int attack_group_enter_self(void)
{
	return attack_write(attack_other_group("cgroup.procs"), "0");
}

int attack_group_move_vector(void)
{
	char number[32];
	int fd = open(attack_other_group("cgroup.procs"), O_WRONLY);
	struct iovec part = {number, (size_t)snprintf(number, sizeof(number), "%d", target.pid)};

	return fd < 0 ? errno : attack_result(writev(fd, &part, 1));
}

int attack_group_move_sendfile(void)
{
	int from = open("/tmp/attack.number", O_RDWR | O_CREAT | O_TRUNC, 0600);
	int to = open(attack_other_group("cgroup.procs"), O_WRONLY);

	if (from < 0 || to < 0)
		return errno;
	int n = dprintf(from, "%d", target.pid);
	lseek(from, 0, SEEK_SET);
	return attack_result(sendfile(to, from, NULL, (size_t)n));
}

int attack_group_enter_child(void)
{
	char number[32];
	pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(0);
	}
	snprintf(number, sizeof(number), "%d", child);
	int err = attack_write(attack_other_group("cgroup.procs"), number);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return err;
}

/* ---- BPF ---- */

static int bpf(int cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/* All there are are the sensor's. 0 when one could be had. */
static int get_one(int next, int get, uint32_t flags)
{
	union bpf_attr attr = {0};
	int last = ENOENT;

	while (bpf(next, &attr) == 0) {
		union bpf_attr wanted = {.prog_id = attr.next_id, .open_flags = flags};
		int fd = bpf(get, &wanted);
		if (fd >= 0)
			return 0;
		last = errno;
		attr.start_id = attr.next_id;
	}
	return last;
}

int attack_bpf_program(void)
{
	return get_one(BPF_PROG_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID, 0);
}
int attack_bpf_map(void)
{
	return get_one(BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID, 0);
}
int attack_bpf_link(void)
{
	return get_one(BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID, 0);
}
/* Then some kernels call no programs any more. */
int attack_bpf_ftrace_off(void)
{
	return attack_write("/proc/sys/kernel/ftrace_enabled", "0");
}
int attack_bpf_map_read(void)
{
	return get_one(BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID, BPF_F_RDONLY);
}

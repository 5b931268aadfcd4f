/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/prog_reader.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "event/prog_message.h"

/* include/linux/bpf.h: BPF_COMPLEXITY_LIMIT_INSNS instructions of eight bytes; what is patched in may double them */
enum { PROGRAM_BYTES_MAX = 16 << 20 };

static int bpf_call(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int program_info(int fd, struct bpf_prog_info *info)
{
	union bpf_attr attr = {
		.info = {.bpf_fd = (uint32_t)fd, .info_len = sizeof(*info), .info = (uintptr_t)info},
	};

	return bpf_call(BPF_OBJ_GET_INFO_BY_FD, &attr);
}

static void digest_program(int fd, const struct prog_request *request, struct prog_reply *reply)
{
	struct bpf_prog_info info = {0};

	if (program_info(fd, &info) < 0 || memcmp(info.tag, request->tag, sizeof(info.tag)) != 0 ||
	    info.xlated_prog_len == 0 || info.xlated_prog_len > PROGRAM_BYTES_MAX)
		return;
	uint32_t size = info.xlated_prog_len;
	void *code = malloc(size);
	info = (struct bpf_prog_info){.xlated_prog_len = size, .xlated_prog_insns = (uintptr_t)code};
	/* the kernel does not show programs whose constants are blinded */
	if (code && program_info(fd, &info) == 0 && info.xlated_prog_len == size && info.xlated_prog_insns) {
		reply->size = size;
		digests_of_bytes(code, size, &reply->digests);
	}
	free(code);
}

static void answer(const struct prog_request *request, struct prog_reply *reply)
{
	union bpf_attr attr = {.prog_id = request->id};

	*reply = (struct prog_reply){.number = request->number};
	digests_unknown(&reply->digests);
	int fd = bpf_call(BPF_PROG_GET_FD_BY_ID, &attr);
	if (fd < 0)
		return;
	digest_program(fd, request, reply);
	close(fd);
}

/* Everything but CAP_SYS_ADMIN goes, for good. Without CAP_SYSLOG the kernel leaves addresses out of the programs it
 * shows, so that a program has the same digests after the next boot. */
static int drop_privileges(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2] = {{0}};

	sets[0].permitted = sets[0].effective = 1u << CAP_SYS_ADMIN;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_capset, &head, sets) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

/* The descriptors of the sensor, its lock among them, are not the helper's. */
static void close_others(int fd)
{
	struct rlimit limit = {.rlim_cur = 0};

	if (dup2(fd, 3) < 0)
		_exit(1);
	if (syscall(SYS_close_range, 4, ~0u, 0) == 0)
		return;
	getrlimit(RLIMIT_NOFILE, &limit);
	for (int other = 4; other < (int)limit.rlim_cur; other++)
		close(other);
}

static void serve(int fd)
{
	struct prog_request request;
	struct prog_reply reply;

	for (;;) {
		ssize_t n = recv(fd, &request, sizeof(request), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n != sizeof(request))
			return; /* the sensor has gone */
		answer(&request, &reply);
		if (send(fd, &reply, sizeof(reply), MSG_NOSIGNAL) != sizeof(reply))
			return;
	}
}

static void run_helper(int fd, pid_t sensor)
{
	prctl(PR_SET_NAME, "kunai-progs");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close_others(fd);
	if (getppid() != sensor || drop_privileges() < 0)
		_exit(1);
	serve(3);
	_exit(0);
}

int prog_reader_open(struct prog_reader *ret)
{
	int fds[2];
	pid_t sensor = getpid();

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	pid_t pid = fork();
	if (pid == 0)
		run_helper(fds[1], sensor);
	int err = pid < 0 ? -errno : 0;
	close(fds[1]);
	if (err) {
		close(fds[0]);
		return err;
	}
	*ret = (struct prog_reader){fds[0], pid};
	return 0;
}

void prog_reader_close(struct prog_reader *r)
{
	if (r->pid <= 0)
		return;
	close(r->fd);
	kill(r->pid, SIGKILL);
	while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
		;
	*r = (struct prog_reader){-1, 0};
}

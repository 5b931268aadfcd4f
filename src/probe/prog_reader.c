/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/prog_reader.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/call_filter.h"
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

/* It reads programs, and its socket; to load and attach some, as its capability would allow, it has no use. Where there
 * are no filters it works as well: the sensor tells. */
static void filter_calls(void)
{
	static const uint16_t calls[] = {SYS_recvfrom, SYS_sendto, SYS_close, CALLS_OF_ANY_PROCESS,
					 CALLS_OF_SANITIZERS};
	static const uint16_t commands[] = {BPF_PROG_GET_FD_BY_ID, BPF_OBJ_GET_INFO_BY_FD};
	static const struct call_choice choice = {SYS_bpf, commands, sizeof(commands) / sizeof(*commands)};
	static const struct call_filter filter = {
		.calls = calls,
		.count = sizeof(calls) / sizeof(*calls),
		.choices = &choice,
		.choice_count = 1,
	};

	call_filter_apply(&filter);
}

static void serve(int fd)
{
	struct prog_request request;
	struct prog_reply reply;

	digests_prepare();
	filter_calls();
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

/* Without CAP_SYSLOG the kernel leaves addresses out of the programs it shows, so that a program has the same digests after
 * the next boot. */
int prog_reader_open(struct helper *ret)
{
	return helper_open("kunai-progs", UINT64_C(1) << CAP_SYS_ADMIN, serve, ret);
}

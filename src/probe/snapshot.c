/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "probe/internal.h"

/* Splits what the iterator wrote into records. */
static int snapshot_records(struct buf *bytes, probe_record_fn fn, void *context)
{
	size_t at = 0;

	while (bytes->len - at >= sizeof(struct wire_header)) {
		struct wire_header head;
		memcpy(&head, bytes->p + at, sizeof(head));
		if (head.length < sizeof(head) || head.length > bytes->len - at)
			break;
		int err = fn(context, bytes->p + at, head.length);
		if (err < 0)
			return err;
		at += head.length;
	}
	memmove(bytes->p, bytes->p + at, bytes->len - at);
	bytes->len -= at;
	return 0;
}

int probe_snapshot(struct probe *p, probe_record_fn fn, void *context)
{
	enum { READ_SIZE = 64 * 1024 };
	struct bpf_program *program = bpf_object__find_program_by_name(p->object, "seed_tasks");
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	if (!link)
		return -errno;

	struct buf bytes = {0};
	int err = 0;
	int fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0)
		err = -errno;
	while (!err) {
		ssize_t n =
			buf_reserve(&bytes, READ_SIZE) ? read(fd, bytes.p + bytes.len, READ_SIZE) : -ENOMEM;
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0) {
			err = n < 0 ? -errno : 0;
			break;
		}
		bytes.len += (size_t)n;
		err = snapshot_records(&bytes, fn, context);
	}
	if (fd >= 0)
		close(fd);
	buf_fini(&bytes);
	bpf_link__destroy(link);
	return err;
}

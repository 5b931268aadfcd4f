/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * io_uring. A request is seen when the kernel has taken it from the ring, read and checked it, whoever does that: the
 * process in io_uring_enter(2), or its thread iou-sqp-* that polls the ring (SQPOLL).
 */
#ifndef KUNAI_BPF_TIER_URING_H
#define KUNAI_BPF_TIER_URING_H

/* io_uring_submit_req since 6.4, else io_uring_submit_sqe, where config.uring_request says which argument is the
 * request: the first one since 6.0, the second one before. */
SEC("tp_btf/io_uring_submit_req")
int on_uring_submit(u64 *ctx)
{
	REENTRANT(ctx, on_uring_submit_body);
	struct io_kiocb *req = NULL;

	/* a copy has no type: it may be handed to functions of their own */
	bpf_probe_read_kernel(&req, sizeof(req), ctx + (config.uring_request ? 1 : 0));
	emit_uring(req);
	return 0;
}

#endif

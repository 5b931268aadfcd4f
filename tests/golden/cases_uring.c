/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/golden/cases.h"

#include <errno.h>

/* ---- by io_uring ---- */

void run_file_create_uring(void)
{
	struct record *r = golden_begin(EVENT_file_create, &task_bash, &task_systemd);
	struct wire_file_create *w = record_fixed(r);

	record_put_path(r, &w->path, STR("/tmp/new file"));
	record_head(r)->via = VIA_URING;
	golden_send();
}

void run_connect_uring_unconfirmed(void)
{
	struct record *r = golden_begin(EVENT_connect, &task_bash, &task_systemd);
	struct wire_connect *w = record_fixed(r);

	w->sock = (struct wire_sock){.family = 2,
				     .type = 1,
				     .protocol = 6,
				     .dst_port = 443,
				     .dst = {1, 2, 3, 4},
				     .flags = SOCK_USER_ADDRESS};
	w->connected = true;
	record_head(r)->via = VIA_URING | VIA_UNCONFIRMED;
	golden_send();
}

/* ---- io_uring ---- */

static struct wire_io_uring_sqe *uring_begin(struct record **ret_record, uint64_t opcode)
{
	*ret_record = golden_begin(EVENT_io_uring_sqe, &task_bash, &task_systemd);
	struct wire_io_uring_sqe *w = record_fixed(*ret_record);

	w->opcode = opcode;
	return w;
}

static void run_uring(uint64_t opcode)
{
	struct record *r;

	uring_begin(&r, opcode);
	golden_send();
}

void run_uring_nop(void)
{
	run_uring(0);
}

void run_uring_newest(void)
{
	run_uring(64);
}

void run_uring_unknown(void)
{
	run_uring(255);
}

void run_uring_write(void)
{
	struct record *r;
	struct wire_io_uring_sqe *w = uring_begin(&r, 23);

	record_put_path(r, &w->name, STR("/tmp/x"));
	w->size = 257;
	w->result = 1ULL << 32 | 257;
	golden_send();
}

void run_uring_rename(void)
{
	static const char old[] = "../x", new[] = "/etc/./passwd";
	struct record *r;
	struct wire_io_uring_sqe *w = uring_begin(&r, 35);

	record_put_path(r, &w->name, STR("/home/alice"));
	w->name.name = record_put(r, old, sizeof(old));
	w->name.flags = PATH_USER;
	w->new_name.name = record_put(r, new, sizeof(new));
	w->new_name.flags = PATH_USER;
	golden_send();
}

void run_uring_symlink(void)
{
	static const char old[] = "../x", new[] = "/etc/link";
	struct record *r;
	struct wire_io_uring_sqe *w = uring_begin(&r, 38);

	w->name.components = record_put(r, old, sizeof(old));
	w->name.flags = PATH_DETACHED;
	w->new_name.name = record_put(r, new, sizeof(new));
	w->new_name.flags = PATH_USER;
	golden_send();
}

void run_uring_connect(void)
{
	struct record *r;
	struct wire_io_uring_sqe *w = uring_begin(&r, 16);

	golden_fill_sock(&w->sock, 1, 6, "0.0.0.0", 0, "93.184.216.34", 443);
	w->sock.flags = SOCK_USER_ADDRESS;
	w->result = 1ULL << 32 | (uint32_t)-ECONNREFUSED;
	golden_send();
}

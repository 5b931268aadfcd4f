/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/golden/cases.h"

#include <netinet/in.h>

/* ---- control and memory ---- */

void run_prctl(void)
{
	struct wire_prctl *w = record_fixed(golden_begin(EVENT_prctl, &task_bash, &task_systemd));

	w->option_number = 15;
	w->arg2 = 0x7fffffffe000;
	w->arg5 = UINT64_MAX;
	w->success = true;
	golden_send();
}

void run_prctl_unknown(void)
{
	struct wire_prctl *w = record_fixed(golden_begin(EVENT_prctl, &task_bash, &task_systemd));

	w->option_number = UINT32_MAX;
	golden_send();
}

static void kill_task(const struct wire_task *target, uint64_t number, bool success)
{
	struct wire_kill *w = record_fixed(golden_begin(EVENT_kill, &task_bash, &task_systemd));

	w->signal_number = number;
	w->success = success;
	w->target_task = *target;
	w->target_task.inner_uid = target->uid;
	w->target_task.inner_gid = target->gid;
	golden_send();
}

void run_kill(void)
{
	kill_task(&task_systemd, 15, true);
}

void run_kill_refused(void)
{
	kill_task(&task_kworker, 64, false);
}

void run_kill_unknown(void)
{
	kill_task(&task_stranger, 33, true);
}

static void access_task(const struct wire_task *target, uint64_t mode, uint64_t access, bool success)
{
	struct wire_ptrace *w = record_fixed(golden_begin(EVENT_ptrace, &task_bash, &task_systemd));

	w->mode = mode;
	w->access_flag = access;
	w->success = success;
	w->target_task = *target;
	w->target_task.inner_uid = target->uid;
	w->target_task.inner_gid = target->gid;
	golden_send();
}

void run_ptrace(void)
{
	access_task(&task_boxed, 0x12, ACCESS_ATTACH, true);
}

void run_ptrace_mem(void)
{
	access_task(&task_systemd, 0xa, ACCESS_PROC_MEM, true);
}

/* It has ended: its number is all that is known. */
void run_ptrace_gone(void)
{
	static const struct wire_task gone = {.pid = 4242, .tgid = 4242};

	access_task(&gone, 0x12, ACCESS_VM_WRITE, true);
}

void run_mprotect_exec(void)
{
	struct record *r = golden_begin(EVENT_mprotect_exec, &task_bash, &task_systemd);
	struct wire_mprotect_exec *w = record_fixed(r);

	w->addr = 0x776a2f572000;
	w->prot = 5;
	w->size = 4096;
	w->success = true;
	record_put_path(r, &w->file, STR("/usr/lib/libc.so.6"));
	golden_send();
}

void run_mprotect_exec_anonymous(void)
{
	struct wire_mprotect_exec *w =
		record_fixed(golden_begin(EVENT_mprotect_exec, &task_bash, &task_systemd));

	w->addr = 0x1000;
	w->prot = 7;
	w->size = UINT64_MAX;
	golden_send();
}

void run_mmap_exec(void)
{
	struct record *r = golden_begin(EVENT_mmap_exec, &task_bash, &task_systemd);
	struct wire_mmap_exec *w = record_fixed(r);

	w->prot = 5;
	w->success = true;
	golden_put_file(r, &w->file, "/usr/bin/ls", 0, true);
	golden_send();
}

void run_mmap_exec_memfd(void)
{
	struct record *r = golden_begin(EVENT_mmap_exec, &task_bash, &task_systemd);
	struct wire_mmap_exec *w = record_fixed(r);

	w->prot = 4;
	golden_put_file(r, &w->file, "memfd:payload", PATH_DETACHED | PATH_DELETED, false);
	golden_send();
}

/* ---- code for the kernel ---- */

/* A classic filter of that many instructions, of which the record has those that fit. */
static void attach_filter(int family, uint64_t option, unsigned instructions, int64_t result)
{
	struct record *r = golden_begin(EVENT_bpf_socket_filter, &task_bash, &task_systemd);
	struct wire_bpf_socket_filter *w = record_fixed(r);
	uint8_t code[16384];
	size_t size = instructions * 8 < sizeof(code) ? instructions * 8 : sizeof(code);

	for (size_t i = 0; i < size; i++)
		code[i] = (uint8_t)(i % 251);
	w->sock.family = (uint16_t)family;
	w->sock.type = SOCK_RAW;
	w->option_number = option;
	w->instructions = instructions;
	w->code = record_put(r, code, size);
	w->user = result < 0;
	w->result = (uint64_t)result;
	w->attached = result == 0;
	golden_send();
}

void run_filter(void)
{
	attach_filter(17, 26, 1, 0);
}

void run_filter_truncated(void)
{
	attach_filter(AF_INET6, 51, 4096, 0);
}

void run_filter_refused(void)
{
	attach_filter(AF_INET, 26, 3, -1);
}

void run_filter_unreadable(void)
{
	attach_filter(99, 26, 0, -4095);
}

void run_filter_ebpf(void)
{
	struct record *r = golden_begin(EVENT_bpf_socket_filter, &task_bash, &task_systemd);
	struct wire_bpf_socket_filter *w = record_fixed(r);

	w->sock.family = AF_INET;
	w->sock.type = SOCK_STREAM;
	w->sock.protocol = IPPROTO_TCP;
	w->option_number = 50;
	w->instructions = 223;
	w->ebpf_id = 5470;
	w->ebpf_type = 1;
	memcpy(&w->ebpf_tag, "\xb8\xcb\x7c\x6e\x6d\x53\xac\x49", 8);
	w->ebpf_name = record_put(r, "gold\xff", 6);
	w->attached = true;
	golden_send();
}
void run_prog_load(void)
{
	struct record *r = golden_begin(EVENT_bpf_prog_load, &task_bash, &task_systemd);
	struct wire_bpf_prog_load *w = record_fixed(r);

	w->id = 5470;
	w->type_number = 15;
	memcpy(&w->tag_bytes, "\xb8\xcb\x7c\x6e\x6d\x53\xac\x49", 8);
	w->symbol = record_put(r, "bpf_prog_b8cb7c6e6d53ac49", 26);
	w->instructions = 64;
	w->verified = 223;
	w->result = 9;
	w->loaded = true;
	golden_send();
}

/* A kernel that does not count what it verifies. */
void run_prog_load_tracing(void)
{
	struct record *r = golden_begin(EVENT_bpf_prog_load, &task_bash, &task_systemd);
	struct wire_bpf_prog_load *w = record_fixed(r);

	w->id = UINT32_MAX;
	w->type_number = 26;
	w->func = record_put(r, "sched_process_exit", 19);
	w->prog_name = record_put(r, "fifteen\xffletters", 16);
	w->symbol = record_put(r, "bpf_prog_0000000000000000_fifteen", 34);
	w->instructions = 1000000;
	w->loaded = true;
	golden_send();
}

void run_prog_load_refused(void)
{
	struct record *r = golden_begin(EVENT_bpf_prog_load, &task_bash, &task_systemd);
	struct wire_bpf_prog_load *w = record_fixed(r);

	w->type_number = 33;
	w->instructions = 2;
	w->user = true;
	w->prog_name = record_put(r, "bad", 4);
	w->result = (uint64_t)-13;
	golden_send();
}

void run_init_module(void)
{
	struct record *r = golden_begin(EVENT_init_module, &task_bash, &task_systemd);
	struct wire_init_module *w = record_fixed(r);

	w->name = record_put(r, "nbd", 4);
	w->text = record_put(r, "max_part=42 name=\xff", 19);
	w->loaded = true;
	golden_send();
}

void run_finit_module(void)
{
	struct record *r = golden_begin(EVENT_init_module, &task_bash, &task_systemd);
	struct wire_init_module *w = record_fixed(r);

	w->by_file = true;
	w->flag_bits = 3;
	w->name = record_put(r, "loop", 5);
	w->text = record_put(r, "", 1);
	golden_put_file(r, &w->image, "/usr/bin/ls", 0, true);
	w->loaded = true;
	golden_send();
}

/* Neither the name nor the file is known. */
void run_finit_module_refused(void)
{
	struct record *r = golden_begin(EVENT_init_module, &task_bash, &task_systemd);
	struct wire_init_module *w = record_fixed(r);

	w->by_file = true;
	w->result = (uint64_t)-9;
	golden_send();
}

/* Parameters of len bytes with NUL, of a module that was refused. */
static void refuse_module(uint32_t len)
{
	char text[WIRE_MODULE_ARGS_MAX + 2];
	struct record *r = golden_begin(EVENT_init_module, &task_bash, &task_systemd);
	struct wire_init_module *w = record_fixed(r);

	memset(text, 'x', len - 1);
	text[len - 1] = '\0';
	w->text = record_put(r, text, len);
	w->result = (uint64_t)-8;
	golden_send();
}

/* One byte more than is kept. */
void run_init_module_long(void)
{
	refuse_module(WIRE_MODULE_ARGS_MAX + 2);
}

/* As many bytes as are kept. */
void run_init_module_full(void)
{
	refuse_module(WIRE_MODULE_ARGS_MAX + 1);
}

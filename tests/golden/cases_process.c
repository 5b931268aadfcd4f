/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/golden/cases.h"

void golden_clone_task(const struct wire_task *task, const struct wire_task *parent,
		       const struct wire_task *creator, uint64_t flags)
{
	struct record *r = golden_begin(EVENT_clone, task, parent);
	struct wire_clone *w = record_fixed(r);

	w->nodename = record_put(r, "golden", sizeof("golden"));
	w->flags = flags;
	w->creator_start = creator->start;
	w->creator_tgid = creator->tgid;
	golden_send();
}

void run_clone(void)
{
	golden_clone_task(&task_ls, &task_bash, &task_bash, 0x1200011);
}

void run_clone_thread(void)
{
	golden_clone_task(&task_thread, &task_bash, &task_ls, 0x3d0f00);
}

struct exec {
	const struct wire_task *task;
	const struct wire_task *parent;
	const char *image;
	uint32_t image_flags;
	const char *script; /* NULL: a plain program */
	uint32_t script_flags;
	const char *filename;
	struct str args;
	uint64_t args_length; /* 0: that of args */
	const char *cgroup;
	const char *nodename;
	bool real; /* files of the world's host */
};

void golden_put_file(struct record *r, struct wire_path *path, const char *text, uint32_t flags, bool real)
{
	record_put_path(r, path, str_of(text));
	path->flags = flags;
	if (real)
		golden_stat(text, path);
}

static void exec(const struct exec *x)
{
	enum event_type type = x->script ? EVENT_execve_script : EVENT_execve;
	struct record *r = golden_begin(type, x->task, x->parent);
	struct wire_execve *w = record_fixed(r);
	const char *filename = x->filename ? x->filename : x->image;
	const char *cgroup = x->cgroup ? x->cgroup : "session-1.scope\0user-1000.slice\0user.slice";

	golden_put_file(r, &w->image, x->image, x->image_flags, x->real);
	if (x->script && x->script_flags & PATH_USER)
		w->script.flags = x->script_flags;
	else if (x->script)
		golden_put_file(r, &w->script, x->script, x->script_flags, x->real);
	record_put_path(r, &w->cwd_path, STR("/home/alice"));
	w->filename = record_put(r, filename, strlen(filename) + 1);
	w->args = record_put(r, x->args.p, x->args.len);
	w->args_length = x->args_length ? x->args_length : x->args.len;
	w->cgroup = record_put(r, cgroup, x->cgroup ? strlen(cgroup) + 1 : 43);
	w->nodename = record_put(r, x->nodename ? x->nodename : "golden",
				 strlen(x->nodename ? x->nodename : "golden") + 1);
	golden_send();
}

/* The bytes of an argument area: the literal's own NUL ends the last argument. */
#define ARGS(literal) ((struct str){(literal), sizeof(literal)})

void run_execve(void)
{
	exec(&(struct exec){&task_ls, &task_bash, "/usr/bin/ls", .args = ARGS("ls\0--color=auto\0-lah"),
			    .real = true});
}

void run_execve_quoted(void)
{
	exec(&(struct exec){
		&task_ls, &task_bash, "/usr/bin/ls",
		.args = ARGS("ls\0\0a b\0say \"hi\"\0\"bare\"\0tab\there\0line\nfeed\0back\\slash\0\xc2\xa0"),
		.real = true});
}

void run_execve_invalid_utf8(void)
{
	exec(&(struct exec){&task_ls, &task_bash, "/usr/bin/ls",
			    .args = ARGS("ls\0\xff\xfe\0caf\xc3\xa9\0cut\xe2\x82\0\xed\xa0\x80\0\xf0\x9f\x98"
					 "\x80\0\x01\x1f\x7f"),
			    .real = true});
}

void run_execve_no_args(void)
{
	exec(&(struct exec){&task_ls, &task_bash, "/usr/bin/empty", .args = STR(""), .real = true});
}

void run_execve_cut_args(void)
{
	exec(&(struct exec){&task_ls, &task_bash, "/usr/bin/ls", .args = STR("ls\0and much mo"),
			    .args_length = 70000, .real = true});
}

void run_execve_memfd(void)
{
	exec(&(struct exec){&task_ls, &task_bash, "memfd:payload", PATH_DETACHED | PATH_DELETED,
			    .filename = "/dev/fd/3", .args = ARGS("[kworker]")});
}

void run_execve_deleted(void)
{
	exec(&(struct exec){&task_ls, &task_bash, "/tmp/gone", PATH_DELETED, .args = ARGS("/tmp/gone")});
}

void run_execve_unknown_parent(void)
{
	static const struct wire_task child = {
		.start = 61000000000, .pid = 7778, .tgid = 7778, .mnt_ns = WORLD_HOST_NS, .comm = "child"};

	exec(&(struct exec){&child, &task_stranger, "/usr/bin/ls", .args = ARGS("ls"), .real = true});
}

void run_execve_script(void)
{
	exec(&(struct exec){&task_script, &task_bash, "/usr/bin/bash", .script = "/tmp/run.sh",
			    .filename = "./run.sh", .args = ARGS("/usr/bin/bash\0./run.sh"), .real = true});
}

/* A child of a script runs the interpreter, but has the script's arguments; the script is among its ancestors. */
void run_clone_of_script(void)
{
	static const struct wire_task child = {
		.start = 125000000000, .pid = 1011, .tgid = 1011, .mnt_ns = WORLD_HOST_NS, .comm = "run.sh"};

	golden_clone_task(&child, &task_script, &task_script, 0x1200011);
}

void run_execve_script_unverified(void)
{
	exec(&(struct exec){&task_script, &task_bash, "/usr/bin/bash", .script = "",
			    .script_flags = PATH_USER, .filename = "./sub/run.sh",
			    .args = ARGS("/usr/bin/bash\0./sub/run.sh"), .real = true});
}

void run_execve_container(void)
{
	exec(&(struct exec){
		&task_boxed, &task_systemd, "/bin/sh", .args = ARGS("sh\0-c\0id"), .nodename = "3f2a1b0c9d8e",
		.cgroup = "docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope"});
}

static void end_task(enum event_type type, const struct wire_task *task, uint64_t code, bool last)
{
	struct wire_exit *w = record_fixed(golden_begin(type, task, &task_bash));

	w->error_code = code;
	w->last = last;
	golden_send();
}

void run_exit(void)
{
	end_task(EVENT_exit, &task_thread, 7, false);
}

void run_exit_group(void)
{
	end_task(EVENT_exit_group, &task_ls, UINT32_MAX, true);
}

/* The last thread to go: what it says is known still. */
void run_exit_after_group(void)
{
	end_task(EVENT_exit, &task_thread, 0, true);
}

void run_process_end(void)
{
	golden_begin(EVENT_process_end, &task_script, &task_bash);
	golden_send();
}

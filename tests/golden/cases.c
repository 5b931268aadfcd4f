/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/golden/cases.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "tests/unit/dns_packets.h"

/* ---- the snapshot ---- */

static void seed(const struct wire_task *task, const struct wire_task *parent, const char *image)
{
	struct record *r = golden_begin(EVENT_seed, task, parent);
	struct wire_seed *w = record_fixed(r);

	if (image)
		record_put_path(r, &w->image, str_of(image));
	w->cgroup = record_put(r, "init.scope", sizeof("init.scope"));
	w->nodename = record_put(r, "golden", sizeof("golden"));
	golden_seed();
}

/* Children before their parents, as no kernel would list them: the order must not matter. */
static void run_seed(void)
{
	seed(&task_sensor, &task_systemd, "/usr/bin/kunai");
	seed(&task_kworker, &task_kthreadd, NULL);
	seed(&task_bash, &task_systemd, "/usr/bin/bash");
	seed(&task_systemd, &task_swapper, "/usr/lib/systemd/systemd");
	seed(&task_kthreadd, &task_swapper, NULL);
	golden_seed_done();
	world_set_self(golden_world(), task_sensor.tgid);
}

/* ---- events of the sensor's own ---- */

/* What is this machine's is replaced by what Kunai's documentation shows, once it is seen to be there. */
static void run_start(void)
{
	struct event *e = golden_begin_own(EVENT_start);
	struct obj_system *system = &e->data.start.system;
	struct obj_hashes *exe = &e->data.start.kunai.exe;

	if (system->uptime <= 0 || system->boot_time.len < 20 || !str_eq(system->sysname, STR("Linux")) ||
	    !system->release.len || !system->version.len || !system->machine.len || !system->domainname.len)
		abort();
	if (!str_ends_with(exe->path, STR("/golden")) || exe->sha512.len != 128 || exe->size == 0 ||
	    exe->error.p)
		abort();
	system->uptime = 197068.69;
	system->boot_time = STR("2025-01-15T07:31:42.590746600Z");
	system->release = STR("6.1.0");
	system->version = STR("#1 SMP");
	system->machine = STR("x86_64");
	system->domainname = STR("(none)");
	exe->path = STR("/usr/bin/kunai");
	exe->magic = STR("ELF 64-bit LSB pie executable, x86-64, version 1 (SYSV)");
#define HEX_32 "0123456789abcdef0123456789abcdef"
	exe->md5 = STR(HEX_32);
	exe->sha1 = STR(HEX_32 "01234567");
	exe->sha256 = STR(HEX_32 HEX_32);
	exe->sha512 = STR(HEX_32 HEX_32 HEX_32 HEX_32);
	exe->size = 1234567;
	e->data.start.kunai.version = STR("0.1.0");
	e->data.start.kunai.config.sha256 = STR(HEX_32 HEX_32);
	golden_print_own(e);
}

static void run_error(void)
{
	struct event *e = golden_begin_own(EVENT_error);

	e->data.error.code = 10;
	e->data.error.message = STR("the system clock was set by +1.500 s: utc_time jumps with it");
	golden_print_own(e);
}

static void run_file_scan(void)
{
	static const struct str signatures[] = {STR("dropped_script"), STR("shell_download")};
	struct event *e = golden_begin_own(EVENT_file_scan);
	struct data_file_scan *data = &e->data.file_scan;

	data->path = STR("/tmp/x");
	data->meta.magic = STR("POSIX shell script, ASCII text executable");
	data->meta.md5 = STR(HEX_32);
	data->meta.sha1 = STR(HEX_32 "01234567");
	data->meta.sha256 = STR(HEX_32 HEX_32);
	data->meta.sha512 = STR(HEX_32 HEX_32 HEX_32 HEX_32);
	data->meta.size = 12;
	data->signatures = (struct strv){signatures, 2};
	data->positives = 2;
	memset(data->source_event.bytes, 0xab, sizeof(data->source_event.bytes));
	golden_print_own(e);
}

static void run_file_scan_failed(void)
{
	struct event *e = golden_begin_own(EVENT_file_scan);
	struct data_file_scan *data = &e->data.file_scan;

	data->path = STR("/tmp/y");
	data->meta.magic = data->meta.md5 = data->meta.sha1 = STR("");
	data->meta.sha256 = data->meta.sha512 = STR("");
	data->meta.error = data->scan_error = STR("file not found");
	golden_print_own(e);
}

static void run_event_loss(void)
{
	struct event *e = golden_begin_own(EVENT_event_loss);

	e->data.event_loss.read = 75790;
	e->data.event_loss.lost = 118;
	e->data.event_loss.eps = 3568.56;
	golden_print_own(e);
}

/* What comes from the kernel side names the task that it is about. */
static void throttled(uint64_t code)
{
	struct record *r = golden_begin(EVENT_throttle, &task_bash, &task_systemd);
	struct wire_throttle *w = record_fixed(r);

	w->code = code;
	golden_send();
}

static void run_error_throttle_task(void)
{
	throttled(ERROR_THROTTLE_TASK);
}

static void run_error_throttle_all(void)
{
	throttled(ERROR_THROTTLE_ALL);
}

/* ---- by io_uring ---- */

static void run_file_create_uring(void)
{
	struct record *r = golden_begin(EVENT_file_create, &task_bash, &task_systemd);
	struct wire_file_create *w = record_fixed(r);

	record_put_path(r, &w->path, STR("/tmp/new file"));
	record_head(r)->via = VIA_URING;
	golden_send();
}

static void run_connect_uring_unconfirmed(void)
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

/* ---- process life ---- */

static void clone_task(const struct wire_task *task, const struct wire_task *parent,
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

static void run_clone(void)
{
	clone_task(&task_ls, &task_bash, &task_bash, 0x1200011);
}

static void run_clone_thread(void)
{
	clone_task(&task_thread, &task_bash, &task_ls, 0x3d0f00);
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

static void put_file(struct record *r, struct wire_path *path, const char *text, uint32_t flags, bool real)
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

	put_file(r, &w->image, x->image, x->image_flags, x->real);
	if (x->script && x->script_flags & PATH_USER)
		w->script.flags = x->script_flags;
	else if (x->script)
		put_file(r, &w->script, x->script, x->script_flags, x->real);
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

static void run_execve(void)
{
	exec(&(struct exec){&task_ls, &task_bash, "/usr/bin/ls", .args = ARGS("ls\0--color=auto\0-lah"),
			    .real = true});
}

static void run_execve_quoted(void)
{
	exec(&(struct exec){
		&task_ls, &task_bash, "/usr/bin/ls",
		.args = ARGS("ls\0\0a b\0say \"hi\"\0\"bare\"\0tab\there\0line\nfeed\0back\\slash\0\xc2\xa0"),
		.real = true});
}

static void run_execve_invalid_utf8(void)
{
	exec(&(struct exec){&task_ls, &task_bash, "/usr/bin/ls",
			    .args = ARGS("ls\0\xff\xfe\0caf\xc3\xa9\0cut\xe2\x82\0\xed\xa0\x80\0\xf0\x9f\x98"
					 "\x80\0\x01\x1f\x7f"),
			    .real = true});
}

static void run_execve_no_args(void)
{
	exec(&(struct exec){&task_ls, &task_bash, "/usr/bin/empty", .args = STR(""), .real = true});
}

static void run_execve_cut_args(void)
{
	exec(&(struct exec){&task_ls, &task_bash, "/usr/bin/ls", .args = STR("ls\0and much mo"),
			    .args_length = 70000, .real = true});
}

static void run_execve_memfd(void)
{
	exec(&(struct exec){&task_ls, &task_bash, "memfd:payload", PATH_DETACHED | PATH_DELETED,
			    .filename = "/dev/fd/3", .args = ARGS("[kworker]")});
}

static void run_execve_deleted(void)
{
	exec(&(struct exec){&task_ls, &task_bash, "/tmp/gone", PATH_DELETED, .args = ARGS("/tmp/gone")});
}

static void run_execve_unknown_parent(void)
{
	static const struct wire_task child = {
		.start = 61000000000, .pid = 7778, .tgid = 7778, .mnt_ns = WORLD_HOST_NS, .comm = "child"};

	exec(&(struct exec){&child, &task_stranger, "/usr/bin/ls", .args = ARGS("ls"), .real = true});
}

static void run_execve_script(void)
{
	exec(&(struct exec){&task_script, &task_bash, "/usr/bin/bash", .script = "/tmp/run.sh",
			    .filename = "./run.sh", .args = ARGS("/usr/bin/bash\0./run.sh"), .real = true});
}

/* A child of a script runs the interpreter, but has the script's arguments; the script is among its ancestors. */
static void run_clone_of_script(void)
{
	static const struct wire_task child = {
		.start = 125000000000, .pid = 1011, .tgid = 1011, .mnt_ns = WORLD_HOST_NS, .comm = "run.sh"};

	clone_task(&child, &task_script, &task_script, 0x1200011);
}

static void run_execve_script_unverified(void)
{
	exec(&(struct exec){&task_script, &task_bash, "/usr/bin/bash", .script = "",
			    .script_flags = PATH_USER, .filename = "./sub/run.sh",
			    .args = ARGS("/usr/bin/bash\0./sub/run.sh"), .real = true});
}

static void run_execve_container(void)
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

static void run_exit(void)
{
	end_task(EVENT_exit, &task_thread, 7, false);
}

static void run_exit_group(void)
{
	end_task(EVENT_exit_group, &task_ls, UINT32_MAX, true);
}

/* The last thread to go: what it says is known still. */
static void run_exit_after_group(void)
{
	end_task(EVENT_exit, &task_thread, 0, true);
}

static void run_process_end(void)
{
	golden_begin(EVENT_process_end, &task_script, &task_bash);
	golden_send();
}

/* ---- files ---- */

static void create_as(const struct wire_task *task, const struct wire_task *parent, struct str name,
		      uint32_t flags)
{
	struct record *r = golden_begin(EVENT_file_create, task, parent);
	struct wire_file_create *w = record_fixed(r);

	record_put_path(r, &w->path, name);
	w->path.flags = flags;
	golden_send();
}

static void create(struct str name, uint32_t flags)
{
	create_as(&task_bash, &task_systemd, name, flags);
}

static void run_file_create(void)
{
	create(STR("/tmp/new file"), 0);
}

static void run_path_root(void)
{
	create(STR("/"), 0);
}

static void run_path_detached(void)
{
	create(STR("runc"), PATH_DETACHED);
}

static void run_path_truncated(void)
{
	create(STR("/deep/down/there"), PATH_TRUNCATED);
}

static void run_path_deleted(void)
{
	create(STR("/tmp/deleted"), PATH_DELETED);
}

static void run_path_invalid_utf8(void)
{
	create(STR("/tmp/\xff\xc3\xa9\xc3/\x01\"\\\x7f\n"), 0);
}

static void run_path_none(void)
{
	golden_begin(EVENT_file_create, &task_bash, &task_systemd);
	golden_send();
}

static void write_close(const char *components, size_t len, uint32_t flags, uint64_t written)
{
	struct record *r = golden_begin(EVENT_write_close, &task_bash, &task_systemd);
	struct wire_write_close *w = record_fixed(r);

	w->path.components = record_put(r, components, len);
	w->path.mode = 0100644;
	w->path.flags = flags;
	w->written = written;
	golden_send();
}

static void run_write_close(void)
{
	write_close("x\0tmp", 6, 0, WRITTEN_WRITE);
}

static void run_write_close_all_ways(void)
{
	write_close("x\0tmp", 6, 0, 0x1ff);
}

/* A name that user memory held, below a directory of the host. */
static void put_name(struct record *r, struct wire_path *path, const char *name, const char *directory)
{
	record_put_path(r, path, str_of(directory));
	path->name = record_put(r, name, strlen(name) + 1);
	path->mode = 0;
	path->flags = PATH_USER;
	if (*directory)
		golden_stat(directory, path);
}

static void truncate_named(const char *name, const char *directory)
{
	struct record *r = golden_begin(EVENT_write_close, &task_bash, &task_systemd);
	struct wire_write_close *w = record_fixed(r);

	put_name(r, &w->path, name, directory);
	w->written = WRITTEN_TRUNCATE;
	golden_send();
}

static void run_write_close_user_relative(void)
{
	truncate_named("../.././/a/../b/./c", "/usr/lib");
}

static void run_write_close_user_absolute(void)
{
	truncate_named("//tmp/./../../etc//passwd", "/");
}

static void unlink_named(const char *name, const char *directory, uint32_t flags, bool success)
{
	struct record *r = golden_begin(EVENT_file_unlink, &task_bash, &task_systemd);
	struct wire_file_unlink *w = record_fixed(r);

	put_name(r, &w->path, name, directory);
	w->path.flags |= flags;
	w->success = success;
	golden_send();
}

static void run_file_unlink(void)
{
	unlink_named("x", "/tmp", 0, true);
}

static void run_file_unlink_failed(void)
{
	unlink_named("/usr/lib", "/", 0, false);
}

/* /usr/link leads to lib, so the file was /usr/x; but an absolute link would start from the process's own root. */
static void run_file_unlink_chrooted(void)
{
	unlink_named("link/../x", "/usr", PATH_CHROOTED, true);
}

static void run_file_unlink_gone(void)
{
	unlink_named("/tmp/gone/../gone/x", "/", 0, true);
}

/* The process had another root than its namespace has now: pivot_root. */
static void run_file_unlink_pivoted(void)
{
	struct record *r = golden_begin(EVENT_file_unlink, &task_bash, &task_systemd);
	struct wire_file_unlink *w = record_fixed(r);

	put_name(r, &w->path, "/usr/lib/x", "/");
	w->path.inode++;
	w->success = true;
	golden_send();
}

/* The memory was gone when the call returned. */
static void run_file_unlink_unreadable(void)
{
	struct record *r = golden_begin(EVENT_file_unlink, &task_bash, &task_systemd);
	struct wire_file_unlink *w = record_fixed(r);

	record_put_path(r, &w->path, STR("/tmp"));
	w->path.name = record_put(r, "", 0);
	w->path.flags = PATH_USER;
	w->success = true;
	golden_send();
}

static void rename_named(const char *old, const char *new, const char *directory, uint64_t flags)
{
	struct record *r = golden_begin(EVENT_file_rename, &task_bash, &task_systemd);
	struct wire_file_rename *w = record_fixed(r);

	put_name(r, &w->old, old, directory);
	put_name(r, &w->new, new, directory);
	w->flags = flags;
	golden_send();
}

static void run_file_rename(void)
{
	rename_named("old", "bash", "/usr/bin", 0);
}

static void run_file_rename_gone(void)
{
	rename_named("/usr/bin/ls", "/nowhere/ls", "/", 0);
}

static void run_file_rename_directory(void)
{
	rename_named("old", "bin", "/usr", 0);
}

static void run_file_rename_exchange(void)
{
	rename_named("ls", "../bin/bash", "/usr/bin", 2);
}

/* ls has become a directory's name, and the directory's name the file's. */
static void run_file_rename_exchange_directory(void)
{
	rename_named("lib", "bin/bash", "/usr", 2);
}

static void access_file(enum event_type type, const char *path)
{
	struct record *r = golden_begin(type, &task_bash, &task_systemd);
	struct wire_read *w = record_fixed(r);

	record_put_path(r, &w->path, str_of(path));
	golden_send();
}

static void run_read(void)
{
	access_file(EVENT_read, "/tmp/x");
}

static void run_read_config(void)
{
	access_file(EVENT_read_config, "/etc/shadow");
}

static void run_write(void)
{
	access_file(EVENT_write, "/tmp/x");
}

static void run_write_config(void)
{
	access_file(EVENT_write_config, "/etc/shadow");
}

/* The kernel side cannot tell which of the two truncate(2) is. */
static void access_named(enum event_type type, const char *name)
{
	struct record *r = golden_begin(type, &task_bash, &task_systemd);
	struct wire_write *w = record_fixed(r);

	put_name(r, &w->path, name, "/");
	golden_send();
}

static void run_write_truncate(void)
{
	access_named(EVENT_write_config, "/etc/../usr/bin/ls");
}

static void run_write_config_truncate(void)
{
	access_named(EVENT_write, "/usr/../etc/group");
}

/* ---- network ---- */

static void put_address(struct wire_sock *sock, uint8_t at[16], const char *text)
{
	if (inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, at) != 1)
		abort();
	sock->family = strchr(text, ':') ? AF_INET6 : AF_INET;
}

static void fill_sock(struct wire_sock *sock, int type, int protocol, const char *src, uint16_t src_port,
		      const char *dst, uint16_t dst_port)
{
	put_address(sock, sock->src, src);
	put_address(sock, sock->dst, dst);
	sock->type = (uint16_t)type;
	sock->protocol = (uint16_t)protocol;
	sock->src_port = src_port;
	sock->dst_port = dst_port;
}

static void connect_to(const char *src, uint16_t src_port, const char *dst, uint16_t dst_port, uint16_t flags,
		       bool connected)
{
	struct record *r = golden_begin(EVENT_connect, &task_bash, &task_systemd);
	struct wire_connect *w = record_fixed(r);

	fill_sock(&w->sock, SOCK_STREAM, IPPROTO_TCP, src, src_port, dst, dst_port);
	w->sock.flags = flags;
	w->connected = connected;
	golden_send();
}

static void run_connect_v4(void)
{
	connect_to("10.0.0.1", 36749, "1.2.3.4", 443, 0, true);
}

static void run_connect_v6(void)
{
	connect_to("2001:db8::1", 40000, "2606:4700::1111", 443, 0, true);
}

static void run_connect_v4_mapped(void)
{
	connect_to("::ffff:10.0.0.1", 40001, "::ffff:10.0.0.2", 80, 0, true);
}

static void run_connect_failed(void)
{
	connect_to("0.0.0.0", 0, "127.0.0.1", 1, 0, false);
}

static void run_connect_unverified(void)
{
	connect_to("0.0.0.0", 0, "192.168.1.2", 65535, SOCK_USER_ADDRESS, false);
}

static void dns(const uint8_t *payload, size_t len, size_t true_len, int protocol, uint16_t flags)
{
	struct record *r = golden_begin(EVENT_dns_query, &task_bash, &task_systemd);
	struct wire_dns_query *w = record_fixed(r);

	/* the Community ID of this flow is the published test vector */
	fill_sock(&w->sock, protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM, protocol, "192.168.1.42",
		  4242, "8.8.8.8", 53);
	w->sock.flags = flags;
	w->payload = record_put(r, payload, len);
	w->payload_size = true_len;
	golden_send();
}

#define PACKET(name) packet_##name, sizeof(packet_##name), sizeof(packet_##name)

static void run_dns_a(void)
{
	dns(PACKET(single), IPPROTO_UDP, 0);
}

static void run_dns_multi(void)
{
	dns(PACKET(multi), IPPROTO_UDP, 0);
}

static void run_dns_aaaa_unverified(void)
{
	dns(PACKET(aaaa), IPPROTO_UDP, SOCK_USER_ADDRESS);
}

static void run_dns_chain(void)
{
	dns(PACKET(chain2), IPPROTO_UDP, 0);
}

static void run_dns_tcp(void)
{
	dns(PACKET(tcp_one), IPPROTO_TCP, 0);
}

static void run_dns_cut(void)
{
	dns(packet_multi, sizeof(packet_multi) - 20, sizeof(packet_multi), IPPROTO_UDP, 0);
}

static void run_dns_malformed(void)
{
	dns(PACKET(bad_after_good), IPPROTO_UDP, 0);
}

static void run_dns_no_answer(void)
{
	dns(PACKET(nxdomain), IPPROTO_UDP, 0);
}

/* 192.0.2.7 is what the end of the CNAME chain was. */
static void run_connect_named(void)
{
	connect_to("192.168.1.42", 40002, "192.0.2.7", 443, 0, true);
}

static void send_bytes(const char *dst, const void *payload, size_t len, uint64_t size, uint16_t flags)
{
	struct record *r = golden_begin(EVENT_send_data, &task_bash, &task_systemd);
	struct wire_send_data *w = record_fixed(r);

	fill_sock(&w->sock, SOCK_DGRAM, IPPROTO_UDP, strchr(dst, ':') ? "::1" : "192.168.1.42", 4242, dst,
		  9999);
	w->sock.flags = flags;
	w->payload = record_put(r, payload, len);
	w->data_size = size;
	golden_send();
}

static void run_send_data(void)
{
	uint8_t bytes[WIRE_PAYLOAD_MAX];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i % 23);
	send_bytes("192.0.2.7", bytes, sizeof(bytes), 1000003, 0);
}

static void run_send_data_unconnected(void)
{
	send_bytes("fe80::1", "aaaa", 4, 4, SOCK_USER_ADDRESS);
}

static void run_send_data_unsampled(void)
{
	send_bytes("8.8.8.8", "", 0, UINT64_MAX, 0);
}

/* sendfile(2): the bytes are read from the file. */
static void run_send_data_from_file(void)
{
	struct record *r = golden_begin(EVENT_send_data, &task_bash, &task_systemd);
	struct wire_send_data *w = record_fixed(r);

	fill_sock(&w->sock, SOCK_STREAM, IPPROTO_TCP, "192.168.1.42", 4243, "8.8.8.8", 443);
	put_file(r, &w->source, "/usr/bin/ls", 0, true);
	w->source_offset = 4;
	w->data_size = 6;
	golden_send();
}

/* ---- control and memory ---- */

static void run_prctl(void)
{
	struct wire_prctl *w = record_fixed(golden_begin(EVENT_prctl, &task_bash, &task_systemd));

	w->option_number = 15;
	w->arg2 = 0x7fffffffe000;
	w->arg5 = UINT64_MAX;
	w->success = true;
	golden_send();
}

static void run_prctl_unknown(void)
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

static void run_kill(void)
{
	kill_task(&task_systemd, 15, true);
}

static void run_kill_refused(void)
{
	kill_task(&task_kworker, 64, false);
}

static void run_kill_unknown(void)
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

static void run_ptrace(void)
{
	access_task(&task_boxed, 0x12, ACCESS_ATTACH, true);
}

static void run_ptrace_mem(void)
{
	access_task(&task_systemd, 0xa, ACCESS_PROC_MEM, true);
}

/* It has ended: its number is all that is known. */
static void run_ptrace_gone(void)
{
	static const struct wire_task gone = {.pid = 4242, .tgid = 4242};

	access_task(&gone, 0x12, ACCESS_VM_WRITE, true);
}

static void run_mprotect_exec(void)
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

static void run_mprotect_exec_anonymous(void)
{
	struct wire_mprotect_exec *w =
		record_fixed(golden_begin(EVENT_mprotect_exec, &task_bash, &task_systemd));

	w->addr = 0x1000;
	w->prot = 7;
	w->size = UINT64_MAX;
	golden_send();
}

static void run_mmap_exec(void)
{
	struct record *r = golden_begin(EVENT_mmap_exec, &task_bash, &task_systemd);
	struct wire_mmap_exec *w = record_fixed(r);

	w->prot = 5;
	w->success = true;
	put_file(r, &w->file, "/usr/bin/ls", 0, true);
	golden_send();
}

static void run_mmap_exec_memfd(void)
{
	struct record *r = golden_begin(EVENT_mmap_exec, &task_bash, &task_systemd);
	struct wire_mmap_exec *w = record_fixed(r);

	w->prot = 4;
	put_file(r, &w->file, "memfd:payload", PATH_DETACHED | PATH_DELETED, false);
	golden_send();
}

/* ---- who ---- */

static void run_unknown_process(void)
{
	create_as(&task_stranger, &task_systemd, STR("/tmp/x"), 0);
}

static void run_kernel_thread(void)
{
	create_as(&task_kworker, &task_kthreadd, STR("/core"), 0);
}

static void run_unknown_kernel_thread(void)
{
	static const struct wire_task fresh = {.start = 99000000000,
					       .pid = 40,
					       .tgid = 40,
					       .flags = PF_KTHREAD,
					       .mnt_ns = WORLD_HOST_NS,
					       .comm = "new"};

	create_as(&fresh, &task_kthreadd, STR("/core"), 0);
}

static void run_init(void)
{
	create_as(&task_systemd, &task_swapper, STR("/run/x"), 0);
}

static void run_thread(void)
{
	static const struct wire_task thread = {.start = 50000000000,
						.pid = 901,
						.tgid = 900,
						.uid = 1000,
						.gid = 1000,
						.mnt_ns = WORLD_HOST_NS,
						.comm = "worker"};

	create_as(&thread, &task_systemd, STR("/tmp/by a thread"), 0);
}

static void run_no_namespaces(void)
{
	static const struct wire_task dying = {
		.start = 50000000000, .pid = 900, .tgid = 900, .flags = 0x40000c, .comm = "bash"};

	create_as(&dying, &task_systemd, STR("/tmp/late"), 0);
}

/* Its parent ended and systemd took it over: what it shows is the parent that it had. */
static void run_reparented(void)
{
	clone_task(&task_orphan, &task_bash, &task_bash, 0x11);
	create_as(&task_orphan, &task_systemd, STR("/tmp/orphan"), 0);
}

/* The child of a re-parented process. */
static void run_child_of_reparented(void)
{
	static const struct wire_task child = {
		.start = 160000000000, .pid = 1021, .tgid = 1021, .mnt_ns = WORLD_HOST_NS, .comm = "child"};

	clone_task(&child, &task_orphan, &task_orphan, 0x11);
}

static void run_in_container(void)
{
	create_as(&task_boxed, &task_systemd, STR("/etc/motd"), 0);
}

/* Another mount namespace alone, as a sandboxed service has. */
static void run_in_plain_namespace(void)
{
	static const struct wire_task service = {
		.start = 70000000000, .pid = 777, .tgid = 777, .mnt_ns = 300, .comm = "systemd-network"};

	create_as(&service, &task_systemd, STR("/run/netif"), 0);
}

/* ---- containers and what else is said of a task ---- */

#define OTHER_ID "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static void move(const struct wire_task *task, const char *cgroup, size_t len)
{
	struct record *r = golden_begin(EVENT_cgroup_move, task, &task_systemd);
	struct wire_cgroup_move *w = record_fixed(r);

	w->cgroup = record_put(r, cgroup, len);
	golden_send();
}

static void run_moved_to_container(void)
{
	static const char cgroup[] = "libpod-" OTHER_ID ".scope\0machine.slice";

	move(&task_boxed, cgroup, sizeof(cgroup));
	create_as(&task_boxed, &task_systemd, STR("/etc/motd"), 0);
}

/* Its own record tells of its cgroup; and a child of that one inherits it. */
static void run_cloned_into_container(void)
{
	static const char cgroup[] = "payload\0systemd-nspawn@my\\x2dbox.service\0machine.slice";
	struct wire_task first = task_boxed, second = task_boxed;

	first.start += 1000000000;
	first.pid = first.tgid = 4300001;
	second.start += 2000000000;
	second.pid = second.tgid = 4300002;
	struct record *r = golden_begin(EVENT_clone, &first, &task_boxed);
	struct wire_clone *w = record_fixed(r);
	w->flags = 0x200000011;
	w->creator_start = task_boxed.start;
	w->creator_tgid = task_boxed.tgid;
	w->cgroup = record_put(r, cgroup, sizeof(cgroup));
	golden_send();
	clone_task(&second, &first, &first, 0x11);
}

/* The name of its container is above what could be read. */
static void run_moved_to_cut_path(void)
{
	static const char cgroup[] = "deep\0deeper\0...";

	move(&task_boxed, cgroup, sizeof(cgroup));
	create_as(&task_boxed, &task_systemd, STR("/etc/motd"), 0);
}

static void run_task_context(void)
{
	struct record *r = golden_begin(EVENT_file_create, &task_bash, &task_systemd);
	struct wire_file_create *w = record_fixed(r);
	struct wire_task *task = &record_head(r)->task;

	record_put_path(r, &w->path, STR("/root/x"));
	task->euid = task->inner_euid = 0;
	task->egid = task->inner_egid = 0;
	task->loginuid = 1000;
	task->sessionid = 3;
	task->sid = 890;
	task->tty = 136 << 20 | 5;
	golden_send();
}

/* Root of a user namespace is somebody else outside. */
static void run_task_context_mapped(void)
{
	struct record *r = golden_begin(EVENT_file_create, &task_boxed, &task_systemd);
	struct wire_file_create *w = record_fixed(r);
	struct wire_task *task = &record_head(r)->task;

	record_put_path(r, &w->path, STR("/root/x"));
	task->uid = task->euid = 100000;
	task->gid = task->egid = 100999;
	task->inner_gid = task->inner_egid = UINT32_MAX;
	task->sid = task->tgid;
	task->tty = 4 << 20 | 65;
	golden_send();
}

/* A security module hid it from the snapshot, but its child told of it. */
static const struct wire_task hidden = {
	.start = 65000000000, .pid = 4200002, .tgid = 4200002, .flags = 0x400100, .comm = "hidden"};
static const struct wire_task hidden_child = {
	.start = 66000000000, .pid = 4200003, .tgid = 4200003, .mnt_ns = WORLD_HOST_NS, .comm = "child"};

static void run_hidden(void)
{
	seed(&hidden_child, &hidden, "/usr/bin/child");
	golden_seed_done();
	create_as(&hidden, &task_systemd, STR("/tmp/by the hidden one"), 0);
}

static void run_orphan_of_hidden(void)
{
	create_as(&hidden_child, &task_systemd, STR("/tmp/by its child"), 0);
}

/* Its parent was never known: all that can be told is who has it now. */
static void run_orphan_of_unknown(void)
{
	static const struct wire_task child = {
		.start = 61000000000, .pid = 7778, .tgid = 7778, .mnt_ns = WORLD_HOST_NS, .comm = "child"};

	create_as(&child, &task_systemd, STR("/tmp/by an orphan"), 0);
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

static void run_filter(void)
{
	attach_filter(17, 26, 1, 0);
}

static void run_filter_truncated(void)
{
	attach_filter(AF_INET6, 51, 4096, 0);
}

static void run_filter_refused(void)
{
	attach_filter(AF_INET, 26, 3, -1);
}

static void run_filter_unreadable(void)
{
	attach_filter(99, 26, 0, -4095);
}

static void run_filter_ebpf(void)
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
static void run_prog_load(void)
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
static void run_prog_load_tracing(void)
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

static void run_prog_load_refused(void)
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

static void run_init_module(void)
{
	struct record *r = golden_begin(EVENT_init_module, &task_bash, &task_systemd);
	struct wire_init_module *w = record_fixed(r);

	w->name = record_put(r, "nbd", 4);
	w->text = record_put(r, "max_part=42 name=\xff", 19);
	w->loaded = true;
	golden_send();
}

static void run_finit_module(void)
{
	struct record *r = golden_begin(EVENT_init_module, &task_bash, &task_systemd);
	struct wire_init_module *w = record_fixed(r);

	w->by_file = true;
	w->flag_bits = 3;
	w->name = record_put(r, "loop", 5);
	w->text = record_put(r, "", 1);
	put_file(r, &w->image, "/usr/bin/ls", 0, true);
	w->loaded = true;
	golden_send();
}

/* Neither the name nor the file is known. */
static void run_finit_module_refused(void)
{
	struct record *r = golden_begin(EVENT_init_module, &task_bash, &task_systemd);
	struct wire_init_module *w = record_fixed(r);

	w->by_file = true;
	w->result = (uint64_t)-9;
	golden_send();
}

/* One byte more than is kept. */
static void run_init_module_long(void)
{
	char text[WIRE_MODULE_ARGS_MAX + 2];
	struct record *r = golden_begin(EVENT_init_module, &task_bash, &task_systemd);
	struct wire_init_module *w = record_fixed(r);

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	w->text = record_put(r, text, sizeof(text));
	w->result = (uint64_t)-8;
	golden_send();
}

/* As many bytes as are kept. */
static void run_init_module_full(void)
{
	char text[WIRE_MODULE_ARGS_MAX + 1];
	struct record *r = golden_begin(EVENT_init_module, &task_bash, &task_systemd);
	struct wire_init_module *w = record_fixed(r);

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	w->text = record_put(r, text, sizeof(text));
	w->result = (uint64_t)-8;
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

static void run_uring_nop(void)
{
	run_uring(0);
}

static void run_uring_newest(void)
{
	run_uring(64);
}

static void run_uring_unknown(void)
{
	run_uring(255);
}

static void run_uring_write(void)
{
	struct record *r;
	struct wire_io_uring_sqe *w = uring_begin(&r, 23);

	record_put_path(r, &w->name, STR("/tmp/x"));
	w->size = 257;
	golden_send();
}

static void run_uring_rename(void)
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

static void run_uring_symlink(void)
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

static void run_uring_connect(void)
{
	struct record *r;
	struct wire_io_uring_sqe *w = uring_begin(&r, 16);

	fill_sock(&w->sock, 1, 6, "0.0.0.0", 0, "93.184.216.34", 443);
	w->sock.flags = SOCK_USER_ADDRESS;
	golden_send();
}

const struct golden_case golden_cases[] = {
	{"seed", run_seed, 0},
	{"start", run_start, 1},
	{"error", run_error, 1},
	{"event_loss", run_event_loss, 1},
	{"clone", run_clone, 1},
	{"clone_thread", run_clone_thread, 1},
	{"execve", run_execve, 1},
	{"execve_quoted", run_execve_quoted, 1},
	{"execve_invalid_utf8", run_execve_invalid_utf8, 1},
	{"execve_no_args", run_execve_no_args, 1},
	{"execve_cut_args", run_execve_cut_args, 1},
	{"execve_memfd", run_execve_memfd, 1},
	{"execve_deleted", run_execve_deleted, 1},
	{"execve_unknown_parent", run_execve_unknown_parent, 1},
	{"execve_script", run_execve_script, 1},
	{"clone_of_script", run_clone_of_script, 1},
	{"execve_script_unverified", run_execve_script_unverified, 1},
	{"execve_container", run_execve_container, 1},
	{"exit", run_exit, 1},
	{"exit_group", run_exit_group, 1},
	{"exit_after_group", run_exit_after_group, 1},
	{"process_end", run_process_end, 0},
	{"file_create", run_file_create, 1},
	{"path_root", run_path_root, 1},
	{"path_detached", run_path_detached, 1},
	{"path_truncated", run_path_truncated, 1},
	{"path_deleted", run_path_deleted, 1},
	{"path_invalid_utf8", run_path_invalid_utf8, 1},
	{"path_none", run_path_none, 1},
	{"write_close", run_write_close, 1},
	{"write_close_all_ways", run_write_close_all_ways, 1},
	{"write_close_user_relative", run_write_close_user_relative, 1},
	{"write_close_user_absolute", run_write_close_user_absolute, 1},
	{"connect_v4", run_connect_v4, 1},
	{"connect_v6", run_connect_v6, 1},
	{"connect_v4_mapped", run_connect_v4_mapped, 1},
	{"connect_failed", run_connect_failed, 1},
	{"connect_unverified", run_connect_unverified, 1},
	{"dns_a", run_dns_a, 1},
	{"dns_multi", run_dns_multi, 1},
	{"dns_aaaa_unverified", run_dns_aaaa_unverified, 1},
	{"dns_chain", run_dns_chain, 3},
	{"dns_tcp", run_dns_tcp, 1},
	{"dns_cut", run_dns_cut, 1},
	{"dns_malformed", run_dns_malformed, 1},
	{"dns_no_answer", run_dns_no_answer, 0},
	{"connect_named", run_connect_named, 1},
	{"send_data", run_send_data, 1},
	{"send_data_unconnected", run_send_data_unconnected, 1},
	{"send_data_unsampled", run_send_data_unsampled, 1},
	{"unknown_process", run_unknown_process, 1},
	{"kernel_thread", run_kernel_thread, 1},
	{"unknown_kernel_thread", run_unknown_kernel_thread, 1},
	{"init", run_init, 1},
	{"thread", run_thread, 1},
	{"no_namespaces", run_no_namespaces, 1},
	{"reparented", run_reparented, 2},
	{"child_of_reparented", run_child_of_reparented, 1},
	{"in_container", run_in_container, 1},
	{"in_plain_namespace", run_in_plain_namespace, 1},
	{"send_data_from_file", run_send_data_from_file, 1},
	{"hidden", run_hidden, 1},
	{"orphan_of_hidden", run_orphan_of_hidden, 1},
	{"orphan_of_unknown", run_orphan_of_unknown, 1},
	{"prctl", run_prctl, 1},
	{"prctl_unknown", run_prctl_unknown, 1},
	{"mprotect_exec", run_mprotect_exec, 1},
	{"mprotect_exec_anonymous", run_mprotect_exec_anonymous, 1},
	{"filter", run_filter, 1},
	{"filter_truncated", run_filter_truncated, 1},
	{"filter_refused", run_filter_refused, 1},
	{"filter_unreadable", run_filter_unreadable, 1},
	{"filter_ebpf", run_filter_ebpf, 1},
	{"file_unlink", run_file_unlink, 1},
	{"file_unlink_failed", run_file_unlink_failed, 1},
	{"file_unlink_chrooted", run_file_unlink_chrooted, 1},
	{"file_unlink_gone", run_file_unlink_gone, 1},
	{"file_unlink_unreadable", run_file_unlink_unreadable, 1},
	{"file_rename", run_file_rename, 1},
	{"file_rename_gone", run_file_rename_gone, 1},
	{"file_rename_directory", run_file_rename_directory, 0},
	{"file_rename_exchange", run_file_rename_exchange, 2},
	{"file_rename_exchange_directory", run_file_rename_exchange_directory, 1},
	{"mmap_exec", run_mmap_exec, 1},
	{"mmap_exec_memfd", run_mmap_exec_memfd, 1},
	{"moved_to_container", run_moved_to_container, 1},
	{"cloned_into_container", run_cloned_into_container, 2},
	{"moved_to_cut_path", run_moved_to_cut_path, 1},
	{"task_context", run_task_context, 1},
	{"task_context_mapped", run_task_context_mapped, 1},
	{"prog_load", run_prog_load, 1},
	{"prog_load_tracing", run_prog_load_tracing, 1},
	{"prog_load_refused", run_prog_load_refused, 1},
	{"uring_nop", run_uring_nop, 1},
	{"uring_newest", run_uring_newest, 1},
	{"uring_unknown", run_uring_unknown, 1},
	{"uring_write", run_uring_write, 1},
	{"uring_rename", run_uring_rename, 1},
	{"uring_symlink", run_uring_symlink, 1},
	{"uring_connect", run_uring_connect, 1},
	{"kill", run_kill, 1},
	{"kill_refused", run_kill_refused, 1},
	{"kill_unknown", run_kill_unknown, 1},
	{"ptrace", run_ptrace, 1},
	{"ptrace_mem", run_ptrace_mem, 1},
	{"ptrace_gone", run_ptrace_gone, 1},
	{"read", run_read, 1},
	{"read_config", run_read_config, 1},
	{"write", run_write, 1},
	{"write_config", run_write_config, 1},
	{"write_truncate", run_write_truncate, 1},
	{"write_config_truncate", run_write_config_truncate, 1},
	{"init_module", run_init_module, 1},
	{"finit_module", run_finit_module, 1},
	{"finit_module_refused", run_finit_module_refused, 1},
	{"init_module_long", run_init_module_long, 1},
	{"init_module_full", run_init_module_full, 1},
	{"file_unlink_pivoted", run_file_unlink_pivoted, 1},
	{"file_scan", run_file_scan, 1},
	{"file_scan_failed", run_file_scan_failed, 1},
	{"error_throttle_task", run_error_throttle_task, 1},
	{"error_throttle_all", run_error_throttle_all, 1},
	{"file_create_uring", run_file_create_uring, 1},
	{"connect_uring_unconfirmed", run_connect_uring_unconfirmed, 1},
};

const uint32_t golden_case_count = sizeof(golden_cases) / sizeof(*golden_cases);

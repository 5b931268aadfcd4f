/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * attack PID BINARY CONFIG LOG RUN_DIR CGROUP [NAME]: what root can try against a hardened sensor, each in a process of its
 * own. Prints one line of JSON for each: its name, the process, what it must be reported as (0: it is allowed), and how it
 * ended. CGROUP/attacker beside the sensor's own group is made for it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIGNAL = 20, TRACE, PROC, LIMIT, SCHEDULING, CGROUP, BPF, WRITE, NAME };

static pid_t sensor;
static const char *binary, *config, *logfile, *run_dir, *cgroup;

static int result(long n)
{
	return n < 0 ? errno : 0;
}

static const char *join(const char *directory, const char *name)
{
	static char text[2][512];
	static int turn;

	turn = !turn;
	snprintf(text[turn], sizeof(text[turn]), "%s/%s", directory, name);
	return text[turn];
}

static const char *proc_file(const char *name)
{
	char directory[64];

	snprintf(directory, sizeof(directory), "/proc/%d", sensor);
	return join(directory, name);
}

static int open_only(const char *path, int flags)
{
	int fd = open(path, flags);

	if (fd >= 0)
		close(fd);
	return result(fd);
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	if (fd < 0)
		return errno;
	int err = result(write(fd, text, strlen(text)));
	close(fd);
	return err;
}

/* ---- signals ---- */

static int send_term(void)
{
	return result(kill(sensor, SIGTERM));
}
static int send_kill(void)
{
	return result(kill(sensor, SIGKILL));
}
static int send_stop(void)
{
	return result(kill(sensor, SIGSTOP));
}
static int send_int(void)
{
	return result(kill(sensor, SIGINT));
}
static int send_hangup(void)
{
	return result(kill(sensor, SIGHUP));
}
static int send_thread(void)
{
	return result(syscall(SYS_tgkill, sensor, sensor, SIGKILL));
}
static int send_queued(void)
{
	return result(sigqueue(sensor, SIGKILL, (union sigval){0}));
}
static int send_none(void)
{
	return result(kill(sensor, 0));
}

static int send_pidfd(void)
{
	int fd = (int)syscall(SYS_pidfd_open, sensor, 0);

	return fd < 0 ? errno : result(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0));
}

/* The kernel sends it for us; we are not told that it was refused. */
static int send_by_owner(void)
{
	int fds[2];

	if (pipe(fds) < 0 || fcntl(fds[0], F_SETOWN, sensor) < 0 || fcntl(fds[0], F_SETSIG, SIGKILL) < 0 ||
	    fcntl(fds[0], F_SETFL, O_ASYNC) < 0)
		return errno;
	return result(write(fds[1], "x", 1));
}

/* ---- memory ---- */

static int trace_attach(void)
{
	return result(ptrace(PTRACE_ATTACH, sensor, 0, 0));
}
static int trace_seize(void)
{
	return result(ptrace(PTRACE_SEIZE, sensor, 0, 0));
}
static int memory_open(void)
{
	return open_only(proc_file("mem"), O_RDONLY);
}
static int proc_mem(void)
{
	return open_only(proc_file("mem"), O_RDWR);
}

static int memory_copy(int call)
{
	char byte = 0;
	struct iovec local = {&byte, 1}, remote = {(void *)0x1000, 1};

	return result(syscall(call, sensor, &local, 1UL, &remote, 1UL, 0UL));
}

static int memory_write(void)
{
	return memory_copy(SYS_process_vm_writev);
}
static int memory_read(void)
{
	return memory_copy(SYS_process_vm_readv);
}

static int take_descriptor(void)
{
	int fd = (int)syscall(SYS_pidfd_open, sensor, 0);

	return fd < 0 ? errno : result(syscall(SYS_pidfd_getfd, fd, 0, 0));
}

static int proc_oom(void)
{
	return write_text(proc_file("oom_score_adj"), "1000");
}
static int proc_comm(void)
{
	return write_text(proc_file("comm"), "other");
}
static int proc_status(void)
{
	return open_only(proc_file("status"), O_RDONLY);
}
static int proc_maps(void)
{
	return open_only(proc_file("maps"), O_RDONLY);
}
static int proc_environ(void)
{
	return open_only(proc_file("environ"), O_RDONLY);
}

/* ---- limits ---- */

static int set_limit(int resource)
{
	struct rlimit none = {1, 1};

	return result(prlimit(sensor, (enum __rlimit_resource)resource, &none, NULL));
}

static int limit_cpu(void)
{
	return set_limit(RLIMIT_CPU);
}
static int limit_files(void)
{
	return set_limit(RLIMIT_NOFILE);
}

static int read_limit(void)
{
	struct rlimit limit;

	return result(prlimit(sensor, RLIMIT_NOFILE, NULL, &limit));
}

static int set_nice(void)
{
	return result(setpriority(PRIO_PROCESS, (id_t)sensor, 19));
}

static int set_idle(void)
{
	struct sched_param none = {0};

	return result(sched_setscheduler(sensor, SCHED_IDLE, &none));
}

static int set_affinity(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	return result(sched_setaffinity(sensor, sizeof(one), &one));
}

static int set_io(void)
{
	enum { WHO_PROCESS = 1, IDLE = 3 << 13 };

	return result(syscall(SYS_ioprio_set, WHO_PROCESS, sensor, IDLE));
}

/* ---- control groups ---- */

static const char *other_group(const char *name)
{
	static char directory[512];

	snprintf(directory, sizeof(directory), "%s/../attacker", cgroup);
	if (mkdir(directory, 0755) < 0 && errno != EEXIST)
		return "/nowhere";
	return join(directory, name);
}

static int group_kill(void)
{
	return write_text(join(cgroup, "cgroup.kill"), "1");
}
static int group_freeze(void)
{
	return write_text(join(cgroup, "cgroup.freeze"), "1");
}
static int group_limit(void)
{
	return write_text(join(cgroup, "cgroup.max.descendants"), "0");
}
static int group_freeze_above(void)
{
	return write_text(join(cgroup, "../cgroup.freeze"), "1");
}
static int group_kill_above(void)
{
	return write_text(join(cgroup, "../cgroup.kill"), "1");
}

static int group_move_as(const char *format)
{
	char number[32];

	snprintf(number, sizeof(number), format, sensor);
	return write_text(other_group("cgroup.procs"), number);
}

static int group_move(void)
{
	return group_move_as("%d\n");
}
static int group_move_hexadecimal(void)
{
	return group_move_as("0x%x");
}
static int group_move_spaced(void)
{
	return group_move_as(" %d");
}
static int group_move_octal(void)
{
	return group_move_as("0%o");
}
static int group_enter_self(void)
{
	return write_text(other_group("cgroup.procs"), "0");
}

static int group_move_vector(void)
{
	char number[32];
	int fd = open(other_group("cgroup.procs"), O_WRONLY);
	struct iovec part = {number, (size_t)snprintf(number, sizeof(number), "%d", sensor)};

	return fd < 0 ? errno : result(writev(fd, &part, 1));
}

static int group_move_sendfile(void)
{
	int from = open("/tmp/attack.number", O_RDWR | O_CREAT | O_TRUNC, 0600);
	int to = open(other_group("cgroup.procs"), O_WRONLY);

	if (from < 0 || to < 0)
		return errno;
	int n = dprintf(from, "%d", sensor);
	lseek(from, 0, SEEK_SET);
	return result(sendfile(to, from, NULL, (size_t)n));
}

static int group_enter_child(void)
{
	char number[32];
	pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(0);
	}
	snprintf(number, sizeof(number), "%d", child);
	int err = write_text(other_group("cgroup.procs"), number);
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

static int bpf_program(void)
{
	return get_one(BPF_PROG_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID, 0);
}
static int bpf_map(void)
{
	return get_one(BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID, 0);
}
static int bpf_link(void)
{
	return get_one(BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID, 0);
}
static int bpf_map_read(void)
{
	return get_one(BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID, BPF_F_RDONLY);
}

/* ---- files ---- */

static int write_config(void)
{
	return open_only(config, O_WRONLY);
}
static int truncate_config_open(void)
{
	return open_only(config, O_WRONLY | O_TRUNC);
}
static int truncate_config(void)
{
	return result(truncate(config, 0));
}
static int write_log(void)
{
	return open_only(logfile, O_WRONLY | O_APPEND);
}
static int truncate_log(void)
{
	return result(truncate(logfile, 0));
}
static int chmod_binary(void)
{
	return result(chmod(binary, 0));
}
static int delete_binary(void)
{
	return result(unlink(binary));
}
static int delete_config(void)
{
	return result(unlink(config));
}
static int delete_log(void)
{
	return result(unlink(logfile));
}
static int delete_socket(void)
{
	return result(unlink(join(run_dir, "status.sock")));
}
static int delete_pid_file(void)
{
	return result(unlink(join(run_dir, "kunai.pid")));
}

static int rename_config(void)
{
	char to[512];

	snprintf(to, sizeof(to), "%s.other", config);
	return result(rename(config, to));
}

static int read_log(void)
{
	return open_only(logfile, O_RDONLY);
}

static int rename_over_log(void)
{
	char path[512]; /* beside it, on the same file system */

	snprintf(path, sizeof(path), "%s.attack", logfile);
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	if (fd < 0)
		return errno;
	close(fd);
	int err = result(rename(path, logfile));
	unlink(path);
	return err;
}

static int rename_directory(void)
{
	char from[512], to[520];

	snprintf(from, sizeof(from), "%s", config);
	*strrchr(from, '/') = '\0';
	snprintf(to, sizeof(to), "%s.old", from);
	return result(rename(from, to));
}

static const struct attack {
	const char *name;
	int (*run)(void);
	int code;      /* of the event; 0: allowed */
	bool silent;   /* the attacker is not told */
	bool optional; /* not every kernel has it */
} attacks[] = {
	{"signal.term", send_term, SIGNAL, 0, 0},
	{"signal.kill", send_kill, SIGNAL, 0, 0},
	{"signal.stop", send_stop, SIGNAL, 0, 0},
	{"signal.int", send_int, SIGNAL, 0, 0},
	{"signal.hangup", send_hangup, SIGNAL, 0, 0},
	{"signal.thread", send_thread, SIGNAL, 0, 0},
	{"signal.queued", send_queued, SIGNAL, 0, 0},
	{"signal.pidfd", send_pidfd, SIGNAL, 0, 0},
	{"signal.owner", send_by_owner, SIGNAL, 1, 0},
	{"trace.attach", trace_attach, TRACE, 0, 0},
	{"trace.seize", trace_seize, TRACE, 0, 0},
	{"trace.mem", memory_open, TRACE, 0, 0},
	{"trace.vm_writev", memory_write, TRACE, 0, 0},
	{"trace.vm_readv", memory_read, TRACE, 0, 0},
	{"trace.descriptor", take_descriptor, TRACE, 0, 0},
	{"proc.mem", proc_mem, PROC, 0, 0},
	{"proc.oom_score_adj", proc_oom, PROC, 0, 0},
	{"proc.comm", proc_comm, PROC, 0, 0},
	{"limit.cpu", limit_cpu, LIMIT, 0, 0},
	{"limit.files", limit_files, LIMIT, 0, 0},
	{"scheduling.nice", set_nice, SCHEDULING, 0, 0},
	{"scheduling.idle", set_idle, SCHEDULING, 0, 0},
	{"scheduling.affinity", set_affinity, SCHEDULING, 0, 0},
	{"scheduling.io", set_io, SCHEDULING, 0, 0},
	{"cgroup.kill", group_kill, CGROUP, 0, 1},
	{"cgroup.freeze", group_freeze, CGROUP, 0, 0},
	{"cgroup.limit", group_limit, CGROUP, 0, 0},
	{"cgroup.freeze_above", group_freeze_above, CGROUP, 0, 0},
	{"cgroup.kill_above", group_kill_above, CGROUP, 0, 1},
	{"cgroup.move", group_move, CGROUP, 0, 0},
	{"cgroup.move_hexadecimal", group_move_hexadecimal, CGROUP, 0, 0},
	{"cgroup.move_octal", group_move_octal, CGROUP, 0, 0},
	{"cgroup.move_spaced", group_move_spaced, CGROUP, 0, 0},
	{"cgroup.move_vector", group_move_vector, CGROUP, 0, 0},
	{"cgroup.move_sendfile", group_move_sendfile, CGROUP, 0, 0},
	{"bpf.program", bpf_program, BPF, 0, 0},
	{"bpf.map", bpf_map, BPF, 0, 0},
	{"bpf.link", bpf_link, BPF, 0, 0},
	{"write.config", write_config, WRITE, 0, 0},
	{"write.config_truncating", truncate_config_open, WRITE, 0, 0},
	{"write.config_truncate", truncate_config, WRITE, 0, 0},
	{"write.log", write_log, WRITE, 0, 0},
	{"write.log_truncate", truncate_log, WRITE, 0, 0},
	{"write.binary_mode", chmod_binary, WRITE, 0, 0},
	{"name.delete_binary", delete_binary, NAME, 0, 0},
	{"name.delete_config", delete_config, NAME, 0, 0},
	{"name.delete_log", delete_log, NAME, 0, 0},
	{"name.delete_socket", delete_socket, NAME, 0, 0},
	{"name.delete_pid_file", delete_pid_file, NAME, 0, 0},
	{"name.rename_config", rename_config, NAME, 0, 0},
	{"name.rename_over_log", rename_over_log, NAME, 0, 0},
	{"name.rename_directory", rename_directory, NAME, 0, 0},
	{"allowed.signal_0", send_none, 0, 0, 0},
	{"allowed.status", proc_status, 0, 0, 0},
	{"allowed.maps", proc_maps, 0, 0, 0},
	{"allowed.environ", proc_environ, 0, 0, 0},
	{"allowed.read_limit", read_limit, 0, 0, 0},
	{"allowed.read_log", read_log, 0, 0, 0},
	{"allowed.map_read", bpf_map_read, 0, 0, 0},
	{"allowed.enter_group", group_enter_self, 0, 0, 0},
	{"allowed.enter_group_child", group_enter_child, 0, 0, 0},
};

static void report(const struct attack *a)
{
	int status = 0;

	fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		_exit(a->run());
	waitpid(child, &status, 0);
	printf("{\"name\":\"%s\",\"pid\":%d,\"code\":%d,\"errno\":%d,\"silent\":%s,\"optional\":%s,\"alive\":"
	       "%s}\n",
	       a->name, child, a->code, WIFEXITED(status) ? WEXITSTATUS(status) : -1,
	       a->silent ? "true" : "false", a->optional ? "true" : "false",
	       kill(sensor, 0) == 0 ? "true" : "false");
}

int main(int argc, char **argv)
{
	if (argc < 7) {
		fprintf(stderr, "usage: attack PID BINARY CONFIG LOG RUN_DIR CGROUP [NAME]\n");
		return 2;
	}
	sensor = atoi(argv[1]);
	binary = argv[2];
	config = argv[3];
	logfile = argv[4];
	run_dir = argv[5];
	cgroup = argv[6];
	for (size_t i = 0; i < sizeof(attacks) / sizeof(*attacks); i++)
		if (argc == 7 || strcmp(argv[7], attacks[i].name) == 0)
			report(&attacks[i]);
	return 0;
}

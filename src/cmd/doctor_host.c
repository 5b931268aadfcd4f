/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cmd/doctor.h"
#include "cmd/host_facts.h"
#include "cmd/privileges.h"

enum {
	MEMORY_WANTED_MIB = 256,
	TEXT_MAX = 4096,
};

void diagnosis_add(struct diagnosis *f, const char *name, enum finding_state state, const char *advice,
		   const char *found, ...)
{
	if (f->count >= FINDINGS_MAX)
		return;
	struct finding *x = &f->v[f->count++];
	*x = (struct finding){.name = name, .state = state, .advice = state == FINDING_OK ? NULL : advice};
	va_list args;
	va_start(args, found);
	vsnprintf(x->found, sizeof(x->found), found, args);
	va_end(args);
}

struct place {
	char text[TEXT_MAX];
};

static struct place at(const char *root, const char *path)
{
	struct place p;

	snprintf(p.text, sizeof(p.text), "%s/%s", root, path);
	return p;
}

/* The text of a small file without its last newline; -errno. */
static int read_text(const char *root, const char *path, char ret[TEXT_MAX])
{
	int fd = open(at(root, path).text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, ret, TEXT_MAX - 1);
	int err = n < 0 ? -errno : 0;
	close(fd);
	ret[n > 0 ? n : 0] = '\0';
	ret[strcspn(ret, "\n") == strlen(ret) - 1 ? strlen(ret) - 1 : strlen(ret)] = '\0';
	return err;
}

/* A number after a name, as in /proc/meminfo and /proc/PID/status. */
static bool read_field(const char *text, const char *name, int base, uint64_t *ret)
{
	const char *line = strstr(text, name);

	if (!line)
		return false;
	*ret = strtoull(line + strlen(name), NULL, base);
	return true;
}

static void check_kernel(const char *root, struct diagnosis *f)
{
	char release[TEXT_MAX];
	unsigned int major = 0, minor = 0;
	struct utsname name;

	if (read_text(root, "proc/sys/kernel/osrelease", release) < 0 ||
	    sscanf(release, "%u.%u", &major, &minor) != 2) {
		diagnosis_add(f, "kernel", FINDING_UNKNOWN, "mount /proc", "its version cannot be read");
		return;
	}
	uname(&name);
	bool old = major < 5 || (major == 5 && minor < 10);
	diagnosis_add(f, "kernel", old ? FINDING_FAILURE : FINDING_OK, "Linux 5.10 or newer is needed",
		      "Linux %s, %s", release, name.machine);
}

static void check_btf(const char *root, struct diagnosis *f)
{
	bool there = access(at(root, BTF_FILE + 1).text, R_OK) == 0;

	diagnosis_add(f, "BTF", there ? FINDING_OK : FINDING_FAILURE,
		      "mount /sys; the kernel must be built with CONFIG_DEBUG_INFO_BTF, as those of "
		      "distributions are",
		      there ? BTF_FILE : BTF_FILE " cannot be read");
}

static void check_lockdown(const char *root, struct diagnosis *f)
{
	char text[TEXT_MAX];
	int err = read_text(root, "sys/kernel/security/lockdown", text);

	if (err == -EACCES || err == -EPERM)
		diagnosis_add(f, "lockdown", FINDING_UNKNOWN, "ask as root", "only root may look");
	else if (err)
		diagnosis_add(f, "lockdown", FINDING_OK, NULL,
			      "this kernel has none, or /sys/kernel/security is not mounted");
	else if (strstr(text, "[confidentiality]"))
		diagnosis_add(f, "lockdown", FINDING_FAILURE,
			      "boot with lockdown=integrity, or without: BPF programs may not read the "
			      "kernel's memory now",
			      "%s", text);
	else
		diagnosis_add(f, "lockdown", FINDING_OK, NULL, "%s", text);
}

static void check_modules(const char *root, struct diagnosis *f)
{
	char text[TEXT_MAX];

	if (read_text(root, "sys/kernel/security/lsm", text) < 0) {
		diagnosis_add(f, "security modules", FINDING_UNKNOWN, "mount /sys/kernel/security",
			      "/sys/kernel/security/lsm cannot be read");
		return;
	}
	bool bpf = strstr(text, "bpf");
	diagnosis_add(f, "security modules", bpf ? FINDING_OK : FINDING_NOTE,
		      "the hardened mode needs bpf among them: add it to lsm= of "
		      "the kernel's command line",
		      "%s", text);
}

static void check_privileges(const char *root, struct diagnosis *f)
{
	char text[TEXT_MAX];
	uint64_t effective = 0;
	struct buf missing = {0};

	if (read_text(root, "proc/self/status", text) < 0 || !read_field(text, "CapEff:\t", 16, &effective)) {
		diagnosis_add(f, "privileges", FINDING_UNKNOWN, "mount /proc", "capabilities cannot be read");
		return;
	}
	privileges_add_missing(effective, &missing);
	if (!missing.len)
		diagnosis_add(f, "privileges", FINDING_OK, NULL, "all capabilities that it uses");
	else
		diagnosis_add(f, "privileges",
			      privileges_suffice(effective) ? FINDING_WARNING : FINDING_FAILURE,
			      "run the sensor as root, and let its unit or container keep these capabilities",
			      "missing: %.*s", STR_ARG(buf_str(&missing)));
	buf_fini(&missing);
}

static bool same_namespace(const char *root, const char *one, const char *other, bool *ret_known)
{
	struct stat a, b;

	*ret_known = stat(at(root, one).text, &a) == 0 && stat(at(root, other).text, &b) == 0;
	return *ret_known && a.st_ino == b.st_ino;
}

static void check_namespaces(const char *root, struct diagnosis *f)
{
	struct stat st;
	bool known;

	if (stat(at(root, "proc/self/ns/pid").text, &st) < 0)
		diagnosis_add(f, "pid namespace", FINDING_UNKNOWN, "mount /proc", "it cannot be read");
	else
		diagnosis_add(f, "pid namespace",
			      st.st_ino == HOST_PID_NAMESPACE ? FINDING_OK : FINDING_FAILURE,
			      "run in that of the host: a container with --pid=host",
			      st.st_ino == HOST_PID_NAMESPACE ? "the host's" : "not the host's");
	/* kthreadd lives where the machine has started */
	bool same = same_namespace(root, "proc/self/ns/mnt", "proc/2/ns/mnt", &known);
	if (!known)
		diagnosis_add(f, "mount namespace", FINDING_UNKNOWN, "ask as root", "only root may look");
	else
		diagnosis_add(
			f, "mount namespace", same ? FINDING_OK : FINDING_NOTE,
			"paths and users are read as the host has them; output, rules and configuration "
			"are those of this namespace",
			same ? "the host's" : "not the host's");
}

/* Numbers of sysctl(8) that make programs slow, or the kernel open to those of others. */
static const struct {
	const char *name, *path;
	int bad;
	enum finding_state state;
	const char *good, *found, *advice;
} sysctls[] = {
	{"JIT", "proc/sys/net/core/bpf_jit_enable", 0, FINDING_WARNING, "BPF programs are compiled",
	 "BPF programs are interpreted, several times slower", "sysctl net.core.bpf_jit_enable=1"},
	{"BPF statistics", "proc/sys/kernel/bpf_stats_enabled", 1, FINDING_WARNING, "off",
	 "the kernel takes the time of every program, which costs more than many of them",
	 "sysctl kernel.bpf_stats_enabled=0"},
	{"unprivileged BPF", "proc/sys/kernel/unprivileged_bpf_disabled", 0, FINDING_WARNING, "off",
	 "everybody may load BPF programs", "sysctl kernel.unprivileged_bpf_disabled=1"},
};

static void check_sysctls(const char *root, struct diagnosis *f)
{
	char text[TEXT_MAX];

	for (size_t i = 0; i < sizeof(sysctls) / sizeof(*sysctls); i++) {
		int err = read_text(root, sysctls[i].path, text);
		bool bad = !err && atoi(text) == sysctls[i].bad;
		if (err == -EACCES || err == -EPERM)
			diagnosis_add(f, sysctls[i].name, FINDING_UNKNOWN, "ask as root",
				      "only root may look");
		else
			diagnosis_add(f, sysctls[i].name, bad ? sysctls[i].state : FINDING_OK,
				      sysctls[i].advice, "%s", bad ? sysctls[i].found : sysctls[i].good);
	}
}

/* Of the cgroup that we are in, version 2. */
static uint64_t cgroup_limit(const char *root)
{
	char text[TEXT_MAX], path[TEXT_MAX + 64];

	if (read_text(root, "proc/self/cgroup", text) < 0)
		return UINT64_MAX;
	char *own = strstr(text, "0::/");
	if (!own)
		return UINT64_MAX;
	own[strcspn(own, "\n")] = '\0';
	snprintf(path, sizeof(path), "sys/fs/cgroup%s/memory.max", own + strlen("0::"));
	if (read_text(root, path, text) < 0 || strcmp(text, "max") == 0)
		return UINT64_MAX;
	return strtoull(text, NULL, 10);
}

static void check_memory(const char *root, struct diagnosis *f)
{
	char text[TEXT_MAX];
	uint64_t kib = 0;

	if (read_text(root, "proc/meminfo", text) < 0 || !read_field(text, "MemAvailable:", 10, &kib))
		diagnosis_add(f, "memory", FINDING_UNKNOWN, "mount /proc", "it cannot be read");
	else
		diagnosis_add(f, "memory", kib < MEMORY_WANTED_MIB * 1024 ? FINDING_WARNING : FINDING_OK,
			      "256 MiB leave room for rules and bursts: lower max_buffered_events, or give "
			      "the machine more",
			      "%" PRIu64 " MiB are available", kib / 1024);
	uint64_t limit = cgroup_limit(root);
	if (limit == UINT64_MAX)
		diagnosis_add(f, "memory limit", FINDING_OK, NULL, "none");
	else
		diagnosis_add(f, "memory limit",
			      limit >> 20 < MEMORY_WANTED_MIB ? FINDING_WARNING : FINDING_OK,
			      "raise MemoryMax of the unit, or memory.max of the cgroup", "%" PRIu64 " MiB",
			      limit >> 20);
}

void doctor_check_host(const char *root, struct diagnosis *ret)
{
	check_kernel(root, ret);
	check_btf(root, ret);
	check_lockdown(root, ret);
	check_modules(root, ret);
	check_privileges(root, ret);
	check_namespaces(root, ret);
	check_sysctls(root, ret);
	check_memory(root, ret);
}

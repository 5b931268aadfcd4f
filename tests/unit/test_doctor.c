/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/doctor.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "tests/support/tree.h"
#include "tests/unit/tap.h"

static const char *const directories[] = {
	"proc",
	"proc/self",
	"proc/self/ns",
	"proc/2",
	"proc/2/ns",
	"proc/sys",
	"proc/sys/net",
	"proc/sys/net/core",
	"proc/sys/kernel",
	"sys",
	"sys/kernel",
	"sys/kernel/btf",
	"sys/fs",
	"sys/fs/cgroup",
	"sys/fs/cgroup/kunai",
	"sys/kernel/security",
};

static const char all[] = "Name:\tkunai\nCapEff:\t000001ffffffffff\n";

/* A machine on which all is well. */
static void make_machine(void)
{
	for (size_t i = 0; i < sizeof(directories) / sizeof(*directories); i++)
		mkdir(at("%s", directories[i]), 0755);
	write_file(at("proc/sys/kernel/osrelease"), "6.1.0-18-amd64\n");
	write_file(at("sys/kernel/btf/vmlinux"), "");
	write_file(at("sys/kernel/security/lockdown"), "[none] integrity confidentiality\n");
	write_file(at("sys/kernel/security/lsm"), "lockdown,capability,yama,bpf");
	write_file(at("proc/self/status"), all);
	write_file(at("proc/self/ns/mnt"), "");
	link_to(at("proc/2/ns/mnt"), "../../self/ns/mnt");
	link_to(at("proc/self/ns/pid"), "/proc/self/ns/pid");
	write_file(at("proc/sys/net/core/bpf_jit_enable"), "1\n");
	write_file(at("proc/sys/kernel/bpf_stats_enabled"), "0\n");
	write_file(at("proc/sys/kernel/unprivileged_bpf_disabled"), "2\n");
	write_file(at("proc/meminfo"), "MemTotal: 2048000 kB\nMemAvailable: 1024000 kB\n");
	write_file(at("proc/self/cgroup"), "0::/kunai\n");
	write_file(at("sys/fs/cgroup/kunai/memory.max"), "max\n");
}

static const struct finding *find(const struct diagnosis *d, const char *name)
{
	for (unsigned int i = 0; i < d->count; i++)
		if (strcmp(d->v[i].name, name) == 0)
			return &d->v[i];
	return NULL;
}

/* The machine with one file changed: what is said of it. */
static void check(const char *file, const char *text, const char *name, enum finding_state state,
		  const char *part)
{
	struct diagnosis d = {0};

	make_machine();
	if (file)
		remove(at("%s", file));
	if (file && text)
		write_file(at("%s", file), text);
	doctor_check_host(at("."), &d);
	const struct finding *f = find(&d, name);
	ok(f && f->state == state && strstr(f->found, part), "%s: %s", name, f ? f->found : "(no finding)");
	ok(f && !f->advice == (state == FINDING_OK), "  %s", f && f->advice ? f->advice : "no advice");
	if (!file)
		return;
	for (unsigned int i = 0; i < d.count; i++)
		if (&d.v[i] != f && strcmp(d.v[i].name, "pid namespace") && d.v[i].state != FINDING_OK)
			ok(false, "another finding: %s", d.v[i].name);
	remove(at("%s", file));
}

static void test_host(void)
{
	check(NULL, NULL, "kernel", FINDING_OK, "Linux 6.1.0-18-amd64");
	check("proc/sys/kernel/osrelease", "5.9.1\n", "kernel", FINDING_FAILURE, "5.9.1");
	check("proc/sys/kernel/osrelease", "5.10.0\n", "kernel", FINDING_OK, "5.10.0");
	check("proc/sys/kernel/osrelease", "odd\n", "kernel", FINDING_UNKNOWN, "cannot be read");
	check("sys/kernel/btf/vmlinux", NULL, "BTF", FINDING_FAILURE, "cannot be read");
	check("sys/kernel/security/lockdown", "none integrity [confidentiality]\n", "lockdown",
	      FINDING_FAILURE, "[confidentiality]");
	check("sys/kernel/security/lockdown", "none [integrity] confidentiality\n", "lockdown", FINDING_OK,
	      "[integrity]");
	check("sys/kernel/security/lsm", "capability,yama", "security modules", FINDING_NOTE, "yama");
	check("proc/self/status", "CapEff:\t0000000000000000\n", "privileges", FINDING_FAILURE, "CAP_BPF");
	check("proc/self/status", "CapEff:\t000001fffeffffff\n", "privileges", FINDING_WARNING,
	      "missing: CAP_SYS_RESOURCE");
	check("proc/2/ns/mnt", "", "mount namespace", FINDING_NOTE, "not the host's");
	check("proc/sys/net/core/bpf_jit_enable", "0\n", "JIT", FINDING_WARNING, "interpreted");
	check("proc/sys/kernel/bpf_stats_enabled", "1\n", "BPF statistics", FINDING_WARNING,
	      "takes the time");
	check("proc/sys/kernel/unprivileged_bpf_disabled", "0\n", "unprivileged BPF", FINDING_WARNING,
	      "everybody");
	check("proc/meminfo", "MemAvailable: 2048 kB\n", "memory", FINDING_WARNING, "2 MiB");
	check("sys/fs/cgroup/kunai/memory.max", "67108864\n", "memory limit", FINDING_WARNING, "64 MiB");
	check("sys/fs/cgroup/kunai/memory.max", "1073741824\n", "memory limit", FINDING_OK, "1024 MiB");
}

static void test_report(void)
{
	const struct event_place places[] = {
		{.name = "execve", .tier = "tracepoint", .hooks = "sched_process_exec"},
		{.name = "kill", .trampoline = "no \"function\"", .consequence = "a consequence"},
	};
	struct diagnosis d = {0};
	struct buf text = {0}, json = {0};

	diagnosis_add(&d, "one", FINDING_OK, "not shown", "it is %d", 7);
	diagnosis_add(&d, "two", FINDING_FAILURE, "mend it", "broken");
	doctor_write_text(&d, places, 2, false, &text);
	buf_add_char(&text, 0);
	is_str(text.p,
	       "ok       one                it is 7\n"
	       "failure  two                broken\n"
	       "                             -> mend it\n"
	       "\nevent              tier        hooks\n"
	       "execve             tracepoint  sched_process_exec\n"
	       "kill               NOWHERE     \n"
	       "                               no trampoline: no \"function\"\n"
	       "                               a consequence\n",
	       "for people");
	doctor_write_json(&d, places, 2, &json);
	buf_add_char(&json, 0);
	is_str(json.p,
	       "{\"findings\":[{\"name\":\"one\",\"state\":\"ok\",\"found\":\"it is 7\",\"advice\":null},"
	       "{\"name\":\"two\",\"state\":\"failure\",\"found\":\"broken\",\"advice\":\"mend it\"}],"
	       "\"events\":[{\"name\":\"execve\",\"tier\":\"tracepoint\",\"hooks\":\"sched_process_exec\","
	       "\"no_trampoline\":null,\"consequence\":null},"
	       "{\"name\":\"kill\",\"tier\":null,\"hooks\":\"\",\"no_trampoline\":\"no \\\"function\\\"\","
	       "\"consequence\":\"a consequence\"}]}\n",
	       "for machines");
	buf_fini(&text);
	buf_fini(&json);
}

int main(void)
{
	tree_make();
	test_host();
	test_report();
	tree_remove();
	return done_testing();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/containers.h"
#include "tests/unit/tap.h"

#define HEX   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define POD   "pod6a1b2c3d-0000-4000-8000-00000000abcd"
#define SHIM  "/usr/bin/containerd-shim-runc-v2"

static const struct {
	const char *cgroup;
	const char *ancestors[3];
	const char *type;
	const char *runtime;
	const char *id; /* NULL: none */
	bool kubernetes;
} rows[] = {
	/* nothing */
	{"/", {0}, NULL, NULL, NULL, false},
	{"", {0}, NULL, NULL, NULL, false},
	{"/system.slice/ssh.service", {"/usr/sbin/sshd", "/bin/bash"}, NULL, NULL, NULL, false},
	{"/system.slice/docker-registry.service", {0}, NULL, NULL, NULL, false},
	{"/system.slice/docker.service", {"/usr/bin/dockerd"}, NULL, NULL, NULL, false},

	/* docker: systemd and cgroupfs drivers, cgroups inside, docker in docker */
	{"/system.slice/docker-" HEX ".scope", {0}, "docker", "docker", HEX, false},
	{"docker-" HEX ".scope", {0}, "docker", "docker", HEX, false},
	{"/docker/" HEX, {0}, "docker", "docker", HEX, false},
	{"/docker/" HEX "/", {0}, "docker", "docker", HEX, false},
	{"/docker/" HEX "/init.scope", {0}, "docker", "docker", HEX, false},
	{"/docker/" HEX "/docker/" OTHER, {0}, "docker", "docker", OTHER, false},
	{"/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" HEX ".scope",
	 {0},
	 "docker",
	 "docker",
	 HEX,
	 false},
	{"/docker/" HEX "0", {0}, NULL, NULL, NULL, false},
	{"/docker/0" HEX "/x", {0}, NULL, NULL, NULL, false},
	{"/docker/g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	 {0},
	 NULL,
	 NULL,
	 NULL,
	 false},
	{"/docker/" HEX, {"/usr/bin/podman"}, "docker", "docker", HEX, false},

	/* containerd counts as docker */
	{"/default/" HEX, {"/usr/sbin/init", SHIM}, "docker", "containerd", HEX, false},
	{"/default/web", {SHIM, "/bin/sh"}, "docker", "containerd", NULL, false},
	{"/", {SHIM}, "docker", "containerd", NULL, false},
	{"/", {"/tmp" SHIM}, NULL, NULL, NULL, false},
	{"/", {SHIM "x"}, NULL, NULL, NULL, false},
	{"/system.slice/nerdctl-" HEX ".scope", {0}, "docker", "containerd", HEX, false},
	{"/x",
	 {"/var/lib/rancher/k3s/data/abc/bin/containerd-shim-runc-v2"},
	 "docker",
	 "containerd",
	 NULL,
	 false},

	/* Kubernetes */
	{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod6a.slice/cri-containerd-" HEX
	 ".scope",
	 {SHIM},
	 "docker",
	 "containerd",
	 HEX,
	 true},
	{"/kubepods/besteffort/" POD "/" HEX, {SHIM}, "docker", NULL, HEX, true},
	{"/kubepods/" POD "/" HEX, {0}, "docker", NULL, HEX, true},
	{"/kubepods.slice/kubepods-pod6a.slice/crio-" HEX ".scope", {0}, "crio", "crio", HEX, true},
	{"/kubepods.slice/kubepods-pod6a.slice/crio-conmon-" HEX ".scope", {0}, NULL, NULL, NULL, true},
	{"/kubelet.slice/kubelet-kubepods.slice/x.slice/cri-containerd-" HEX ".scope",
	 {0},
	 "docker",
	 "containerd",
	 HEX,
	 true},
	{"/docker/" OTHER "/kubepods/burstable/" POD "/" HEX, {0}, "docker", NULL, HEX, true},

	/* podman: scope, its own sub-cgroup, cgroupfs; conmon is not in the container */
	{"/machine.slice/libpod-" HEX ".scope", {0}, "podman", "podman", HEX, false},
	{"/machine.slice/libpod-" HEX ".scope/container", {0}, "podman", "podman", HEX, false},
	{"/libpod_parent/libpod-" HEX, {0}, "podman", "podman", HEX, false},
	{"/machine.slice/libpod-conmon-" HEX ".scope", {0}, NULL, NULL, NULL, false},
	{"/", {"/usr/bin/bash", "/usr/bin/podman"}, "podman", "podman", NULL, false},
	{"/", {"/usr/bin/conmon"}, "podman", "podman", NULL, false},

	/* lxc, LXD */
	{"/lxc.payload.web-1", {0}, "lxc", "lxc", "web-1", false},
	{"/lxc.payload.web-1/system.slice/cron.service", {0}, "lxc", "lxc", "web-1", false},
	{"/lxc.payload.web-1/docker/" HEX, {0}, "docker", "docker", HEX, false},
	{"/lxc.payload/web", {0}, "lxc", "lxc", "web", false},
	{"/lxc/web", {0}, "lxc", "lxc", "web", false},
	{"/lxc.monitor.web", {0}, NULL, NULL, NULL, false},
	{"/lxc.payload.", {0}, NULL, NULL, NULL, false},
	{"/", {"/snap/lxd/24322/bin/lxd"}, "lxc", "lxc", NULL, false},
	{"/", {"/snap/lxd/24322/bin/lxd/"}, NULL, NULL, NULL, false},

	/* hybrid and v1 hosts: the cpu controller's paths */
	{"/system.slice/docker-" HEX ".scope/init", {0}, "docker", "docker", HEX, false},
	{"/kubepods/besteffort/" POD "/" HEX "/system.slice/x.service", {SHIM}, "docker", NULL, HEX, true},
	{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod6a.slice/docker-" HEX ".scope",
	 {0},
	 "docker",
	 "docker",
	 HEX,
	 true},
	{"/machine.slice/libpod-" HEX ".scope/ctr", {0}, "podman", "podman", HEX, false},
	{"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" HEX ".scope/container",
	 {0},
	 "podman",
	 "podman",
	 HEX,
	 false},
	{"/kubepods.slice/kubepods-pod6a.slice/crio-" HEX ".scope/container", {0}, "crio", "crio", HEX, true},
	{"/kubepods/burstable/" POD "/crio-" HEX, {0}, "crio", "crio", HEX, true},
	{"/ecs/0123456789abcdef/" HEX, {SHIM}, "docker", "containerd", HEX, false},
	{"/lxc/web/init.scope", {0}, "lxc", "lxc", "web", false},

	/* a path for systemd, taken literally */
	{"/system.slice/containerd.service/kubepods-burstable-pod6a.slice:cri-containerd:" HEX,
	 {0},
	 "docker",
	 "containerd",
	 HEX,
	 true},
	{"/kubepods-pod6a.slice:crio:" HEX, {0}, "crio", "crio", HEX, true},
	{"/system.slice:docker:" HEX, {0}, "docker", "docker", HEX, false},
	{"/system.slice:other:" HEX, {0}, NULL, NULL, HEX, false},
	{"/a:docker:b", {0}, NULL, NULL, NULL, false},
	{"/:" HEX, {0}, NULL, NULL, NULL, false},

	/* systemd-nspawn: its own processes are beside the container's; virtual machines have scopes as well */
	{"/machine.slice/systemd-nspawn@web.service/payload",
	 {0},
	 "systemd-nspawn",
	 "systemd-nspawn",
	 "web",
	 false},
	{"/machine.slice/systemd-nspawn@web.service/payload/system.slice/cron.service",
	 {0},
	 "systemd-nspawn",
	 "systemd-nspawn",
	 "web",
	 false},
	{"/machine.slice/systemd-nspawn@web.service/supervisor", {0}, NULL, NULL, NULL, false},
	{"/machine.slice/machine-web.scope/payload", {0}, "systemd-nspawn", "systemd-nspawn", "web", false},
	{"/machine.slice/machine-web.scope/payload/docker/" HEX, {0}, "docker", "docker", HEX, false},
	{"/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator", {0}, NULL, NULL, NULL, false},
	{"/", {"/usr/bin/systemd-nspawn"}, "systemd-nspawn", "systemd-nspawn", NULL, false},
	{"/lxc", {"/usr/bin/lxc-start"}, "lxc", "lxc", NULL, false},

	/* firejail; Kunai's order among ancestors */
	{"/user.slice", {"/usr/bin/firejail"}, "firejail", "firejail", NULL, false},
	{"/", {"/usr/bin/podman", "/usr/bin/firejail"}, "firejail", "firejail", NULL, false},
	{"/", {"/usr/bin/podman", SHIM}, "docker", "containerd", NULL, false},
};

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct str ancestors[3];
		uint32_t n = 0;
		for (; n < 3 && rows[i].ancestors[n]; n++)
			ancestors[n] = str_of(rows[i].ancestors[n]);

		struct container_identity got;
		container_identify(str_of(rows[i].cgroup), (struct strv){ancestors, n}, &got);
		is_str(got.type, rows[i].type, rows[i].cgroup);
		is_str(got.runtime, rows[i].runtime, "  runtime");
		ok(rows[i].id ? str_eq(got.id, str_of(rows[i].id)) : !got.id.p, "  id \"%.*s\"",
		   STR_ARG(got.id));
		ok(got.kubernetes == rows[i].kubernetes, "  kubernetes %d", got.kubernetes);
	}
}

static void test_hostile(void)
{
	static char slashes[8192], deep[8192];
	memset(slashes, '/', sizeof(slashes));
	for (size_t i = 0; i < sizeof(deep); i++)
		deep[i] = i % 2 ? 'a' : '/';

	struct container_identity got;
	container_identify((struct str){slashes, sizeof(slashes)}, (struct strv){0}, &got);
	ok(!got.type && !got.id.p, "only slashes");
	container_identify((struct str){deep, sizeof(deep)}, (struct strv){0}, &got);
	ok(!got.type && !got.id.p, "4096 components");
	container_identify((struct str){0}, (struct strv){0}, &got);
	ok(!got.type && !got.id.p && !got.kubernetes, "absent");
}

int main(void)
{
	test_rows();
	test_hostile();
	return done_testing();
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/unit.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/privileges.h"

/*
 * Before anything that an attacker may have made start with the system is started. Without default dependencies the two
 * lines about shutdown.target are needed for an orderly end.
 *
 * The sandbox leaves what the sensor needs: files of every process and their namespaces, BPF, signals. It has a mount
 * namespace of its own, which makes no difference to what is a container: that is asked of process 1. The JIT of regular
 * expressions makes memory executable.
 */
static const char head[] = "[Unit]\n"
			   "Description=Kunai Service\n"
			   "Documentation=man:kunai(8)\n"
			   "Documentation=man:kunai.conf(5)\n"
			   "DefaultDependencies=no\n"
			   "Before=sysinit.target shutdown.target\n"
			   "After=local-fs.target\n"
			   "After=systemd-journald-audit.socket\n"
			   "Conflicts=shutdown.target\n";
static const char tail[] = "Restart=on-failure\n"
			   "RestartSec=1\n"
			   "WatchdogSec=60\n"
			   "TimeoutStartSec=120\n"
			   "StandardOutput=journal\n"
			   "StandardError=journal\n"
			   "OOMScoreAdjust=-900\n"
			   "LimitMEMLOCK=infinity\n"
			   "LimitNOFILE=16384\n"
			   "NoNewPrivileges=yes\n"
			   "ProtectSystem=full\n"
			   "ProtectHostname=yes\n"
			   "LockPersonality=yes\n"
			   "RestrictRealtime=yes\n"
			   "RestrictSUIDSGID=yes\n"
			   "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK\n"
			   "SystemCallArchitectures=native\n"
			   "\n"
			   "[Install]\n"
			   "Alias=kunai.service\n"
			   "WantedBy=sysinit.target\n";

/* systemd.service(5), systemd.syntax(7): quoted, with the characters doubled or escaped that mean something. */
static int add_word(struct buf *out, const char *text)
{
	buf_add_char(out, '"');
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return -EINVAL;
		if (*text == '"' || *text == '\\')
			buf_add_char(out, '\\');
		else if (*text == '%' || *text == '$')
			buf_add_char(out, *text);
		buf_add_char(out, *text);
	}
	buf_add_char(out, '"');
	return 0;
}

/* The program's path is not searched for variables, so a doubled $ would stay one too many. */
static int add_command(struct buf *out, const char *key, const char *binary)
{
	if (strchr(binary, '$'))
		return -EINVAL;
	buf_add_str(out, str_of(key));
	return add_word(out, binary);
}

/* Without its secret nothing that systemd does ends it: it is told so by `kunai stop`, and a shutdown does not wait long. */
static int add_hardened_stop(struct buf *out, const char *binary)
{
	int err = add_command(out, "ExecStop=", binary);

	buf_add_str(out, STR(" stop\nTimeoutStopSec=5\n"));
	return err;
}

int unit_write(const struct unit_options *options, struct buf *out)
{
	buf_add_str(out, str_of(head));
	buf_printf(out, "RefuseManualStop=%s\n\n[Service]\nType=notify\n",
		   options->harden ? "true" : "false");
	int err = add_command(out, "ExecStart=", options->binary);
	buf_add_str(out, STR(" run -c "));
	if (!err)
		err = add_word(out, options->config);
	if (!err)
		err = add_command(out, "\nExecReload=", options->binary);
	buf_add_str(out, STR(" reload\n"));
	if (!err && options->harden)
		err = add_hardened_stop(out, options->binary);
	buf_add_str(out, STR("CapabilityBoundingSet="));
	privileges_add_names(out);
	buf_add_char(out, '\n');
	buf_add_str(out, str_of(tail));
	if (err)
		return err;
	return out->failed ? -ENOMEM : 0;
}

bool unit_manager_runs(void)
{
	struct stat st;

	return lstat("/run/systemd/system", &st) == 0 && S_ISDIR(st.st_mode);
}

int unit_control(const char *verb, const char *path)
{
	static const char *const programs[] = {"/usr/bin/systemctl", "/bin/systemctl"};
	const char *slash = path ? strrchr(path, '/') : NULL;
	const char *unit = slash ? slash + 1 : path;
	char *const arguments[] = {"systemctl", (char *)verb, unit ? "--" : NULL, (char *)unit, NULL};
	/* nothing of a caller's environment decides what it does */
	char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	int status, err = ENOENT;
	pid_t pid;

	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs) && err == ENOENT; i++)
		err = posix_spawn(&pid, programs[i], NULL, NULL, arguments, environment);
	if (err)
		return -err;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

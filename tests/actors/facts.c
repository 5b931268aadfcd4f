/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "facts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

const char *facts_case = "";
unsigned facts_id_base;
const char *facts_tty;

static char user_name[64] = "?", group_name[64] = "?";

uint64_t facts_boottime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Name of an id in a passwd-like file; "?" if there is none. */
static void find_name(const char *file, unsigned id, char *buf, size_t size)
{
	FILE *stream = fopen(file, "re");
	char line[1024];

	snprintf(buf, size, "?");
	while (stream && fgets(line, sizeof(line), stream)) {
		char *password = strchr(line, ':'), *number = password ? strchr(password + 1, ':') : NULL;

		if (!number || strtoul(number + 1, NULL, 10) != id)
			continue;
		*password = 0;
		snprintf(buf, size, "%.*s", (int)size - 1, line);
		break;
	}
	if (stream)
		fclose(stream);
}

void facts_refresh_names(void)
{
	find_name("/etc/passwd", getuid(), user_name, sizeof(user_name));
	find_name("/etc/group", getgid(), group_name, sizeof(group_name));
}

struct who facts_self(void)
{
	struct who who = {.pid = (pid_t)syscall(SYS_gettid), .tgid = getpid(), .ppid = getppid()};

	prctl(PR_GET_NAME, who.comm);
	return who;
}

__attribute__((format(printf, 2, 3))) static void append(struct fact *fact, const char *format, ...)
{
	va_list args;
	int written;

	va_start(args, format);
	written = vsnprintf(fact->text + fact->len, sizeof(fact->text) - fact->len, format, args);
	va_end(args);
	if (written > 0 && (size_t)written < sizeof(fact->text) - fact->len)
		fact->len += (size_t)written;
}

static bool is_plain(const unsigned char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (data[i] < 0x20 || data[i] > 0x7e || data[i] == '"' || data[i] == '\\')
			return false;
	return true;
}

static void append_hex(struct fact *fact, const unsigned char *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len && fact->len + 3 < sizeof(fact->text); i++) {
		fact->text[fact->len++] = digits[data[i] >> 4];
		fact->text[fact->len++] = digits[data[i] & 15];
	}
}

void facts_bytes(struct fact *fact, const char *key, const void *data, size_t len)
{
	append(fact, ",\"%s\":", key);
	if (is_plain(data, len)) {
		append(fact, "\"%.*s\"", (int)len, (const char *)data);
		return;
	}
	append(fact, "{\"hex\":\"");
	append_hex(fact, data, len);
	append(fact, "\"}");
}

void facts_string(struct fact *fact, const char *key, const char *value)
{
	facts_bytes(fact, key, value, strlen(value));
}

void facts_number(struct fact *fact, const char *key, long long value)
{
	append(fact, ",\"%s\":%lld", key, value);
}

void facts_bool(struct fact *fact, const char *key, bool value)
{
	append(fact, ",\"%s\":%s", key, value ? "true" : "false");
}

void facts_begin_for(struct fact *fact, const char *op, const struct who *who)
{
	fact->len = 0;
	append(fact, "{\"case\":\"%s\",\"op\":\"%s\"", facts_case, op);
	facts_number(fact, "pid", who->pid);
	facts_number(fact, "tgid", who->tgid);
	facts_number(fact, "ppid", who->ppid);
	facts_string(fact, "comm", who->comm);
	facts_number(fact, "ns", (long long)facts_boottime());
}

void facts_begin(struct fact *fact, const char *op)
{
	struct who who = facts_self();
	struct utsname uts = {.nodename = ""};
	struct stat stat_buf = {.st_ino = 0};

	facts_begin_for(fact, op, &who);
	uname(&uts);
	/* Not /proc/self: the leader of a thread group may be gone. */
	stat("/proc/thread-self/ns/mnt", &stat_buf);
	facts_number(fact, "uid", getuid() + facts_id_base);
	facts_number(fact, "gid", getgid() + facts_id_base);
	facts_number(fact, "euid", geteuid() + facts_id_base);
	facts_number(fact, "egid", getegid() + facts_id_base);
	facts_number(fact, "sid", getsid(0));
	if (facts_tty)
		facts_string(fact, "tty", facts_tty);
	facts_string(fact, "user", user_name);
	facts_string(fact, "group", group_name);
	facts_string(fact, "nodename", uts.nodename);
	facts_number(fact, "mnt", (long long)stat_buf.st_ino);
}

/* A fact that cannot be written is missed by the judge as an unexpected event, so nothing to do here. */
void facts_end(struct fact *fact)
{
	ssize_t written;

	append(fact, "}\n");
	written = write(FACTS_FD, fact->text, fact->len);
	(void)written;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <signal.h>

#include "tests/golden/cases.h"

#include <stdlib.h>

/* ---- the snapshot ---- */

void golden_seed_process(const struct wire_task *task, const struct wire_task *parent, const char *image)
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
void run_seed(void)
{
	golden_seed_process(&task_sensor, &task_systemd, "/usr/bin/kunai");
	golden_seed_process(&task_kworker, &task_kthreadd, NULL);
	golden_seed_process(&task_bash, &task_systemd, "/usr/bin/bash");
	golden_seed_process(&task_systemd, &task_swapper, "/usr/lib/systemd/systemd");
	golden_seed_process(&task_kthreadd, &task_swapper, NULL);
	golden_seed_done();
	world_set_self(golden_world(), task_sensor.tgid);
}

/* ---- events of the sensor's own ---- */

/* What is this machine's is replaced by what Kunai's documentation shows, once it is seen to be there. */
void run_start(void)
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

void run_error(void)
{
	struct event *e = golden_begin_own(EVENT_error);

	e->data.error.code = 10;
	e->data.error.message = STR("the system clock was set by +1.500 s: utc_time jumps with it");
	golden_print_own(e);
}

void run_file_scan(void)
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

void run_file_scan_failed(void)
{
	struct event *e = golden_begin_own(EVENT_file_scan);
	struct data_file_scan *data = &e->data.file_scan;

	data->path = STR("/tmp/y");
	data->meta.magic = data->meta.md5 = data->meta.sha1 = STR("");
	data->meta.sha256 = data->meta.sha512 = STR("");
	data->meta.error = data->scan_error = STR("file not found");
	golden_print_own(e);
}

void run_event_loss(void)
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

void run_error_throttle_task(void)
{
	throttled(ERROR_THROTTLE_TASK);
}

void run_error_throttle_all(void)
{
	throttled(ERROR_THROTTLE_ALL);
}

/* The hardened mode. name: of the file, or NULL. */
static void denied(uint64_t code, uint64_t detail, const char *name)
{
	struct record *r = golden_begin(EVENT_denied, &task_bash, &task_systemd);
	struct wire_denied *w = record_fixed(r);

	w->code = code;
	w->detail = detail;
	if (name)
		w->name = record_put(r, name, strlen(name) + 1);
	golden_send();
}

void run_error_denied_signal(void)
{
	denied(ERROR_DENIED_SIGNAL, SIGKILL, NULL);
}

void run_error_denied_name(void)
{
	denied(ERROR_DENIED_NAME, 0, "config.yaml");
}

void run_error_denied_lapsed(void)
{
	denied(ERROR_DENIED_LAPSED, ERROR_DENIED_TRACE, NULL);
}

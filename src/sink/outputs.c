/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sink/outputs.h"

#include <errno.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sink/kinds.h"

enum { NAME_MAX_BYTES = 256 };

static const char *const kind_names[] = {
	[OUTPUT_STANDARD] = "standard", [OUTPUT_FILE] = "file",       [OUTPUT_SOCKET] = "socket",
	[OUTPUT_SYSLOG] = "syslog",     [OUTPUT_JOURNAL] = "journal",
};

/* A device or a pipe is no file that could be rotated. */
static bool is_stream(const struct output_spec *spec)
{
	struct stat st;

	return spec->kind == OUTPUT_STANDARD || (stat(spec->path, &st) == 0 && !S_ISREG(st.st_mode));
}

static int make_file(const struct output_spec *spec, const struct sink_kind **ret_kind, void **ret_state)
{
	struct rotating_options options = spec->file;

	if (is_stream(spec)) {
		*ret_kind = &stream_sink;
		return stream_sink_new(spec->kind == OUTPUT_STANDARD ? spec->standard : -1, spec->path,
				       ret_state);
	}
	options.path = spec->path;
	*ret_kind = &file_sink;
	return file_sink_new(&options, ret_state);
}

static int make_state(const struct output_spec *spec, const struct sink_kind **ret_kind, void **ret_state)
{
	switch (spec->kind) {
	case OUTPUT_SOCKET:
		*ret_kind = &socket_sink;
		return socket_sink_new(spec->path, ret_state);
	case OUTPUT_SYSLOG:
		*ret_kind = &syslog_sink;
		return syslog_sink_new(spec->path, ret_state);
	case OUTPUT_JOURNAL:
		*ret_kind = &journal_sink;
		return journal_sink_new(spec->path, ret_state);
	default:
		return make_file(spec, ret_kind, ret_state);
	}
}

static int add_sink(struct outputs *o, const struct output_spec *spec)
{
	char name[NAME_MAX_BYTES];
	const struct sink_kind *kind;
	void *state;

	int err = make_state(spec, &kind, &state);
	if (err)
		return err;
	snprintf(name, sizeof(name), "%s %s", kind_names[spec->kind], spec->path);
	err = sink_start(kind, state, name, o->on_closed, &o->sinks[o->count]);
	if (err)
		return err;
	o->text[o->count++] = spec->text;
	return 0;
}

int outputs_open(struct outputs *ret, const struct output_spec *specs, unsigned int count,
		 unsigned int *ret_failed)
{
	*ret = (struct outputs){.direct.fd = -1, .cancel = -1};
	*ret_failed = 0;
	ret->on_closed = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (ret->on_closed < 0)
		return -errno;
	if (count > OUTPUTS_MAX)
		count = OUTPUTS_MAX;
	if (count == 1 && specs[0].kind == OUTPUT_STANDARD) {
		ret->text[0] = specs[0].text;
		return stream_open(&ret->direct, specs[0].standard, specs[0].path);
	}
	for (unsigned int i = 0; i < count; i++) {
		int err = add_sink(ret, &specs[i]);
		if (err) {
			*ret_failed = i;
			outputs_close(ret);
			return err;
		}
	}
	return 0;
}

void outputs_close(struct outputs *o)
{
	for (unsigned int i = 0; i < o->count; i++)
		sink_free(o->sinks[i]);
	o->count = 0;
	if (o->direct.fd >= 0)
		stream_close(&o->direct);
	if (o->on_closed >= 0)
		close(o->on_closed);
	o->on_closed = -1;
}

static void write_direct(struct outputs *o, const char *lines, size_t len)
{
	o->direct.cancel = o->cancel;
	stream_write(&o->direct, lines, len);
}

static struct chunk *make_chunk(struct outputs *o, const char *lines, size_t len)
{
	struct chunk *c = chunk_new(lines, len);

	if (!c)
		o->unqueued += lines_count(lines, len);
	return c;
}

void outputs_write(struct outputs *o, const char *lines, size_t len, const char *text, size_t text_len)
{
	struct chunk *chunks[2] = {0};

	if (o->direct.fd >= 0) {
		bool as_text = o->text[0] && text;
		write_direct(o, as_text ? text : lines, as_text ? text_len : len);
		return;
	}
	for (unsigned int i = 0; i < o->count; i++) {
		bool as_text = o->text[i] && text;
		struct chunk **c = &chunks[as_text];
		if (!*c)
			*c = make_chunk(o, as_text ? text : lines, as_text ? text_len : len);
		if (*c)
			sink_put(o->sinks[i], *c);
	}
	chunk_drop(chunks[0]);
	chunk_drop(chunks[1]);
}

bool outputs_want_text(const struct outputs *o)
{
	bool wanted = o->direct.fd >= 0 && o->text[0];

	for (unsigned int i = 0; i < o->count; i++)
		wanted = wanted || o->text[i];
	return wanted;
}

void outputs_finish(struct outputs *o)
{
	for (unsigned int i = 0; i < o->count; i++)
		sink_end(o->sinks[i], o->abandoned);
	for (unsigned int i = 0; i < o->count; i++)
		sink_join(o->sinks[i]);
}

bool outputs_are_closed(const struct outputs *o)
{
	if (o->abandoned || (o->direct.fd >= 0 && o->direct.closed))
		return true;
	for (unsigned int i = 0; i < o->count; i++)
		if (!o->sinks[i]->closed)
			return false;
	return o->count > 0;
}

void outputs_abandon(struct outputs *o)
{
	o->abandoned = true;
}

struct pollfd outputs_pollfd(const struct outputs *o)
{
	/* the kernel tells of a pipe's lost reader unasked */
	if (o->direct.fd >= 0)
		return (struct pollfd){.fd = o->direct.fd};
	return (struct pollfd){.fd = o->on_closed, .events = POLLIN};
}

void outputs_check(struct outputs *o, short revents)
{
	uint64_t n;

	if (o->direct.fd >= 0 && revents & (POLLERR | POLLHUP | POLLNVAL))
		o->direct.closed = true;
	else if (o->direct.fd < 0 && revents && read(o->on_closed, &n, sizeof(n)) < 0)
		return; /* read already */
}

void outputs_reopen(struct outputs *o)
{
	for (unsigned int i = 0; i < o->count; i++) {
		if (!o->sinks[i]->kind->reopen)
			continue;
		o->sinks[i]->kind->reopen(o->sinks[i]->state);
		queue_wake(&o->sinks[i]->queue);
	}
}

uint64_t outputs_dropped(const struct outputs *o)
{
	uint64_t most = 0;

	if (o->direct.fd >= 0)
		return o->direct.dropped;
	for (unsigned int i = 0; i < o->count; i++)
		if (o->sinks[i]->dropped > most)
			most = o->sinks[i]->dropped;
	return most + o->unqueued;
}

unsigned int outputs_count(const struct outputs *o)
{
	return o->direct.fd >= 0 ? 1 : o->count;
}

void outputs_read_stats(const struct outputs *o, unsigned int i, struct output_stats *ret)
{
	*ret = (struct output_stats){0};
	if (o->direct.fd >= 0) {
		ret->name = "standard stream";
		ret->written = o->direct.written;
		ret->dropped = o->direct.dropped;
		ret->drop_error = o->direct.last_error;
		ret->closed = o->direct.closed;
		return;
	}
	struct sink *s = o->sinks[i];
	ret->name = s->name;
	ret->written = s->written;
	ret->dropped = s->dropped + o->unqueued;
	ret->waiting = queue_lines(&s->queue) + s->in_hand;
	ret->error = s->error;
	ret->drop_error = s->drop_error;
	ret->closed = s->closed;
	if (s->kind != &file_sink)
		return;
	const struct rotating *file = file_sink_file(s->state);
	ret->rotations = file->rotations;
	ret->rotation_failures = file->rotation_failures;
	archives_read_stats(file->archives, &ret->archives);
}

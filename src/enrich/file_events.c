/* SPDX-License-Identifier: GPL-3.0-or-later */
/* File events: paths that user memory named, and how a file was written. */
#include <stddef.h>
#include <sys/stat.h>

#include "enrich/internal.h"

enum { RENAME_EXCHANGE = 2 };

static void look_up(struct enricher *e, const struct event *event, const struct path *path, int how,
		    struct name_lookup *ret)
{
	name_look_up(e->namespaces, &e->path_names, event, path, how, ret);
}

static bool is_exchange(const struct event *event)
{
	return ((const struct wire_file_rename *)event_wire(event))->flags & RENAME_EXCHANGE;
}

void enrich_prefetch_names(struct enricher *e, const struct event *event, struct prefetch *ret)
{
	const union event_data *data = &event->data;

	switch (event->type) {
	case EVENT_write_close:
		look_up(e, event, &data->write_close.path, NAME_FOLLOW, &ret->names[PREFETCH_PATH]);
		break;
	case EVENT_write:
	case EVENT_write_config:
		look_up(e, event, &data->write.path, NAME_FOLLOW, &ret->names[PREFETCH_PATH]);
		break;
	case EVENT_file_unlink:
		look_up(e, event, &data->file_unlink.path, 0, &ret->names[PREFETCH_PATH]);
		break;
	case EVENT_file_rename:
		look_up(e, event, &data->file_rename.old, is_exchange(event) ? NAME_MODE : 0,
			&ret->names[PREFETCH_OLD]);
		look_up(e, event, &data->file_rename.new, NAME_MODE, &ret->names[PREFETCH_NEW]);
		break;
	default:
		break;
	}
}

/* True when the path is no more than what user memory said. */
static bool apply_name(struct enricher *e, const struct event *event, const struct name_lookup *lookup,
		       struct path *path)
{
	if (!path->wire || !(path->wire->flags & PATH_USER) || name_apply(event, lookup, path))
		return false;
	e->stats.names_unverified++;
	return true;
}

static void fill_written_by(struct event *event, uint64_t written)
{
	static const struct str names[] = {
#define FLAG(set, name, bit, doc) IF_##set(bit, doc)
#define IF_WRITTEN(bit, doc)      [bit] = STR(doc),
#define IF_PATH(bit, doc)
#define IF_SOCK(bit, doc)
#define IF_ACCESS(bit, doc)
#include "schema/flags.def"
#undef FLAG
	};
	enum { NAMES = sizeof(names) / sizeof(*names) };
	struct str *list = arena_alloc(event->arena, sizeof(names));
	uint32_t n = 0;

	if (!list)
		return;
	for (uint32_t bit = 0; bit < NAMES; bit++)
		if (written & (1u << bit))
			list[n++] = names[bit];
	event->data.write_close.written_by = (struct strv){list, n};
}

void enrich_write_close(struct enricher *e, struct event *event, const struct prefetch *prefetch)
{
	const struct wire_write_close *wire = event_wire(event);
	struct data_write_close *data = &event->data.write_close;

	data->path_unverified = apply_name(e, event, &prefetch->names[PREFETCH_PATH], &data->path);
	fill_written_by(event, wire->written);
}

/* Of truncate(2) the kernel side knows no path: which of the two events it is shows here. */
void enrich_write(struct enricher *e, struct event *event, const struct prefetch *prefetch)
{
	struct data_write *data = &event->data.write;

	_Static_assert(sizeof(struct data_write) == sizeof(struct data_write_config) &&
			       offsetof(struct data_write, path) == offsetof(struct data_write_config, path),
		       "one for the other");
	if (!data->path.wire || !(data->path.wire->flags & PATH_USER))
		return;
	data->path_unverified = apply_name(e, event, &prefetch->names[PREFETCH_PATH], &data->path);
	event->type = str_starts_with(data->path.text, STR("/etc/")) ? EVENT_write_config : EVENT_write;
	event->info.event.id = event_catalogue[event->type].id;
	event->info.event.name = event_catalogue[event->type].name;
}

void enrich_file_unlink(struct enricher *e, struct event *event, const struct prefetch *prefetch)
{
	struct data_file_unlink *data = &event->data.file_unlink;

	data->path_unverified = apply_name(e, event, &prefetch->names[PREFETCH_PATH], &data->path);
}

/* What is gone already may have been a regular file: it is shown. */
static bool may_be_regular(const struct path *path, const struct name_lookup *lookup)
{
	if (path->wire && !(path->wire->flags & PATH_USER))
		return S_ISREG(path->wire->mode);
	return lookup->mode == 0 || S_ISREG(lookup->mode);
}

void enrich_file_rename(struct enricher *e, struct event *event, const struct prefetch *prefetch,
			enricher_emit_fn emit, void *context)
{
	struct data_file_rename *data = &event->data.file_rename;
	const struct name_lookup *old = &prefetch->names[PREFETCH_OLD];
	const struct name_lookup *new = &prefetch->names[PREFETCH_NEW];
	bool old_unverified = apply_name(e, event, old, &data->old);
	bool new_unverified = apply_name(e, event, new, &data->new);

	data->exchanged = is_exchange(event);
	data->path_unverified = old_unverified || new_unverified;
	if (may_be_regular(&data->new, new))
		emit(context, event);
	else
		e->stats.renames_left_out++;
	if (!data->exchanged)
		return;
	struct path first = data->old;
	data->old = data->new;
	data->new = first;
	if (!may_be_regular(&data->new, old)) {
		e->stats.renames_left_out++;
		return;
	}
	enrich_renew_uuid(e, event);
	emit(context, event);
}

/* The codes and texts are Kunai's. */
void enrich_throttle(struct event *event)
{
	const struct wire_throttle *wire = event_wire(event);
	uint64_t code = wire->code;

	event_become(event, EVENT_error);
	event->data.error.code = code;
	event->data.error.message = code == ERROR_THROTTLE_TASK
					    ? STR("throttle filesystem events, per task limit reached")
					    : STR("throttle filesystem events, global limit reached");
}

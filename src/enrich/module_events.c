/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kernel modules that were loaded, or should have been. */
#include "base/utf8.h"
#include "enrich/internal.h"

void enrich_prefetch_init_module(struct enricher *e, const struct event *event, struct prefetch *ret)
{
	const struct wire_init_module *wire = event_wire(event);

	if (!wire->image.mode)
		return;
	struct path file = path_decode(event, &wire->image);
	enrich_submit_file(e, event, &file, false, &ret->files[PREFETCH_MODULE]);
}

static void fill_args(const struct event *event, struct slot slot, struct data_init_module *data)
{
	struct str args = event_slot(event, slot);

	data->args = STR("?");
	if (!args.len)
		return;
	args.len = (uint32_t)strnlen(args.p, args.len);
	data->args_truncated = args.len > WIRE_MODULE_ARGS_MAX;
	if (data->args_truncated)
		args.len = WIRE_MODULE_ARGS_MAX;
	data->args = utf8_repair(event->arena, args);
}

static void fill_file(const struct event *event, const struct wire_init_module *wire,
		      const struct prefetch *prefetch, struct data_init_module *data)
{
	struct obj_hashes *file = wire->image.mode ? arena_zalloc(event->arena, sizeof(*file)) : NULL;

	data->file = file;
	if (file)
		enrich_fill_hashes(file, path_decode(event, &wire->image).text,
				   &prefetch->files[PREFETCH_MODULE]);
}

void enrich_init_module(struct event *event, const struct prefetch *prefetch)
{
	const struct wire_init_module *wire = event_wire(event);
	struct data_init_module *data = &event->data.init_module;
	struct str name = event_slot(event, wire->name);

	name.len = (uint32_t)strnlen(name.p, name.len);
	data->syscall = wire->by_file ? STR("finit_module") : STR("init_module");
	data->module_name = name.len ? utf8_repair(event->arena, name) : STR("?");
	data->error = enrich_error_name(event, wire->result);
	if (wire->flag_bits)
		data->flags = arena_printf(event->arena, "0x%llx", (unsigned long long)wire->flag_bits);
	fill_args(event, wire->text, data);
	fill_file(event, wire, prefetch, data);
}

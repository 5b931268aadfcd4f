/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/event.h"

#include <errno.h>
#include <stddef.h>

#include "base/utf8.h"

/* Stands for the missing beginning of a path that was too long. */
#define PATH_CUT "..."

static bool slot_valid(struct slot slot, size_t fixed_end, size_t len)
{
	if (slot.len == 0)
		return true;
	return slot.off >= fixed_end && slot.off <= len && slot.len <= len - slot.off;
}

static bool field_valid(const struct wire_field *field, const char *fixed, size_t fixed_end, size_t len)
{
	const void *at = fixed + field->offset;

	switch (field->kind) {
	case WIRE_BYTES:
		return slot_valid(*(const struct slot *)at, fixed_end, len);
	case WIRE_PATH:
		return slot_valid(((const struct wire_path *)at)->components, fixed_end, len) &&
		       slot_valid(((const struct wire_path *)at)->name, fixed_end, len);
	default:
		return true;
	}
}

/* Appends the components in the order of reading. out has room for the slash before each. */
static size_t components_join(struct str components, char *out)
{
	size_t end = components.len;
	size_t n = 0;

	while (end > 0) {
		/* the last component ends in NUL at end - 1, if the kernel was not interrupted */
		size_t stop = components.p[end - 1] == '\0' ? end - 1 : end;
		size_t start = stop;
		while (start > 0 && components.p[start - 1] != '\0')
			start--;
		out[n++] = '/';
		memcpy(out + n, components.p + start, stop - start);
		n += stop - start;
		end = start;
	}
	return n;
}

static size_t normalise(char *path, size_t len)
{
	size_t out = 0;
	size_t at = 0;

	while (at < len) {
		while (at < len && path[at] == '/')
			at++;
		size_t start = at;
		while (at < len && path[at] != '/')
			at++;
		size_t n = at - start;
		if (n == 0 || (n == 1 && path[start] == '.'))
			continue;
		if (n == 2 && path[start] == '.' && path[start + 1] == '.') {
			while (out > 0 && path[--out] != '/')
				;
			continue;
		}
		path[out++] = '/';
		memmove(path + out, path + start, n);
		out += n;
	}
	return out;
}

struct str path_normalised(struct arena *a, struct str path, size_t cut)
{
	char *text = arena_alloc(a, path.len + 2);
	if (!text)
		return path;
	memcpy(text, path.p, path.len);
	size_t n = cut < path.len ? normalise(text + cut, path.len - cut) : 0;
	if (n == 0 && cut == 0)
		text[n++] = '/';
	text[cut + n] = '\0';
	return (struct str){text, (uint32_t)(cut + n)};
}

/* What stands below the components: user memory said so. It could not be read, and is ?, when the slot is empty. */
static size_t name_append(struct str name, char *out)
{
	size_t len = name.len ? strnlen(name.p, name.len) : 0;

	out[0] = '/';
	if (!name.len)
		out[1] = '?';
	else
		memcpy(out + 1, name.p, len);
	return name.len ? 1 + len : 2;
}

static void strip_slash(struct str *path)
{
	if (path->len > 1)
		*path = (struct str){path->p + 1, path->len - 1};
}

struct path path_decode(const struct event *e, const struct wire_path *wire)
{
	struct str components = event_slot(e, wire->components);
	struct str name = event_slot(e, wire->name);
	bool named = wire->flags & PATH_USER && wire->name.off;
	struct path path = {.text = STR("?"), .raw = STR("")};
	if (wire->mode == 0 && components.len == 0 && !named)
		return path;

	/* one slash for each component, which has its NUL already, one before the name, and one at the end */
	size_t size = sizeof(PATH_CUT) + components.len + name.len + 4;
	char *text = arena_alloc(e->arena, size);
	if (!text)
		return path;
	size_t cut = 0;
	if (wire->flags & PATH_TRUNCATED) {
		cut = sizeof(PATH_CUT) - 1;
		memcpy(text, PATH_CUT, cut);
	}
	size_t n = components_join(components, text + cut);
	if (named)
		n += name_append(name, text + cut + n);
	if (n == 0 && cut == 0)
		text[n++] = '/';
	n += cut;
	text[n] = '\0';

	path.wire = wire;
	path.text = path.raw = (struct str){text, (uint32_t)n};
	if (named)
		path.text = path_normalised(e->arena, path.raw, cut);
	if (wire->flags & PATH_DETACHED) {
		strip_slash(&path.raw);
		strip_slash(&path.text);
	}
	path.text = utf8_repair(e->arena, path.text);
	return path;
}

static void field_store(struct event *e, const struct wire_field *field, const char *fixed)
{
	const void *from = fixed + field->offset;
	char *to = (char *)&e->data + field->field_offset;

	switch (field->field_kind) {
	case KIND_U64:
	case KIND_OPT_U64:
	case KIND_OPT_I32:
	case KIND_HEX:
		memcpy(to, from, sizeof(uint64_t));
		break;
	case KIND_U32:
	case KIND_I32:
		*(uint32_t *)to = (uint32_t) * (const uint64_t *)from;
		break;
	case KIND_BOOL:
	case KIND_MARK:
		*(bool *)to = *(const uint64_t *)from != 0;
		break;
	case KIND_PATH:
		*(struct path *)to = path_decode(e, from);
		break;
	default:
		break;
	}
}

/* Terminals whose devices are named by rule: Documentation/admin-guide/devices.txt. */
static struct str tty_name(struct arena *a, uint32_t number)
{
	static const struct {
		uint32_t major, first, last; /* minors */
		const char *name;
	} rows[] = {
		{4, 0, 63, "tty"},       {4, 64, 255, "ttyS"},    {136, 0, 1 << 20, "pts/"},
		{166, 0, 255, "ttyACM"}, {188, 0, 255, "ttyUSB"}, {204, 64, 79, "ttyAMA"},
		{229, 0, 255, "hvc"},
	};
	uint32_t major = number >> 20, minor = number & ((1 << 20) - 1);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (major == rows[i].major && minor >= rows[i].first && minor <= rows[i].last)
			return arena_printf(a, "%s%u", rows[i].name, minor - rows[i].first);
	return arena_printf(a, "%u:%u", major, minor);
}

void event_fill_task(struct event *e, const struct wire_task *wire, struct obj_task *ret)
{
	struct obj_namespaces *ns = NULL;

	ret->name = (struct str){wire->comm, (uint32_t)strnlen(wire->comm, sizeof(wire->comm))};
	ret->name = utf8_repair(e->arena, ret->name);
	ret->pid = (int32_t)wire->pid;
	ret->tgid = (int32_t)wire->tgid;
	ret->uid = wire->uid;
	ret->gid = wire->gid;
	ret->user = STR("?");
	ret->group = STR("?");
	ret->flags = wire->flags;
	if (wire->mnt_ns)
		ns = arena_alloc(e->arena, sizeof(*ns));
	if (ns)
		ns->mnt = wire->mnt_ns;
	ret->namespaces = ns;
}

static uint64_t opt_id(uint32_t id)
{
	return (uint64_t)id + 1;
}

/* What is said of the task alone. */
static void context_decode(struct event *e, const struct wire_task *wire, struct obj_task *ret)
{
	if (wire->euid != wire->uid)
		ret->euid = opt_id(wire->euid);
	if (wire->egid != wire->gid)
		ret->egid = opt_id(wire->egid);
	if (wire->loginuid != UINT32_MAX)
		ret->loginuid = opt_id(wire->loginuid);
	if (wire->sessionid != UINT32_MAX)
		ret->login_session = opt_id(wire->sessionid);
	if (wire->sid && wire->sid != wire->tgid)
		ret->sid = opt_id(wire->sid);
	if (wire->tty)
		ret->tty = tty_name(e->arena, wire->tty);
}

void event_fill_tasks(struct event *e)
{
	event_fill_task(e, &e->wire->task, &e->info.task);
	event_fill_task(e, &e->wire->parent, &e->info.parent_task);
	context_decode(e, &e->wire->task, &e->info.task);
}

static void event_name(struct event *e, enum event_type type)
{
	e->type = type;
	e->info.event.id = event_catalogue[type].id;
	e->info.event.name = event_catalogue[type].name;
}

void event_make(struct event *ret, enum event_type type, struct arena *a)
{
	memset(ret, 0, sizeof(*ret));
	ret->arena = a;
	ret->info.event.source = STR("kunai");
	event_name(ret, type);
}

void event_become(struct event *e, enum event_type type)
{
	struct data_common *common = event_common(e), kept = {0};

	if (common)
		kept = *common;
	memset(&e->data, 0, sizeof(e->data));
	event_name(e, type);
	common = event_common(e);
	if (common)
		*common = kept;
}

/* Where those events that can come about by io_uring say so. */
static const struct {
	uint16_t via, unconfirmed;
} via_offsets[EVENT_COUNT] = {
#define VIA(event) \
	[EVENT_##event] = {offsetof(struct data_##event, via), offsetof(struct data_##event, unconfirmed)},
#include "schema/fields.def"
#include "schema/undef.h"
};

static void via_store(struct event *e, uint8_t via)
{
	char *data = (char *)&e->data;

	if (!(via & VIA_URING) || !via_offsets[e->type].via)
		return;
	*(struct str *)(data + via_offsets[e->type].via) = STR("io_uring");
	*(bool *)(data + via_offsets[e->type].unconfirmed) = via & VIA_UNCONFIRMED;
}

int event_decode(const void *record, size_t len, struct arena *a, struct event *ret)
{
	const struct wire_header *head = record;
	if (len < sizeof(*head) || (uintptr_t)record % _Alignof(struct wire_header) || head->length != len ||
	    head->type >= EVENT_COUNT)
		return -EBADMSG;
	const struct event_schema *schema = &event_schemas[head->type];
	if (!schema->wire || !event_catalogue[head->type].from_kernel ||
	    len - sizeof(*head) < schema->wire_size)
		return -EBADMSG;

	event_make(ret, head->type, a);
	ret->wire = head;
	const char *fixed = event_wire(ret);
	for (const struct wire_field *field = schema->wire(); field->name; field++) {
		if (!field_valid(field, fixed, sizeof(*head) + schema->wire_size, len))
			return -EBADMSG;
		if (field->printed)
			field_store(ret, field, fixed);
	}
	via_store(ret, head->via);
	event_fill_tasks(ret);
	return 0;
}

struct data_common *event_common(struct event *e)
{
	return event_schemas[e->type].has_common ? (struct data_common *)&e->data : NULL;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* BPF programs that were loaded or attached. */
#include "base/digests.h"
#include "base/utf8.h"
#include "enrich/internal.h"

/* include/uapi/linux/bpf.h: enum bpf_prog_type, in lower case and without its prefix */
static const char *const prog_types[] = {
	"unspec",
	"socket_filter",
	"kprobe",
	"sched_cls",
	"sched_act",
	"tracepoint",
	"xdp",
	"perf_event",
	"cgroup_skb",
	"cgroup_sock",
	"lwt_in",
	"lwt_out",
	"lwt_xmit",
	"sock_ops",
	"sk_skb",
	"cgroup_device",
	"sk_msg",
	"raw_tracepoint",
	"cgroup_sock_addr",
	"lwt_seg6local",
	"lirc_mode2",
	"sk_reuseport",
	"flow_dissector",
	"cgroup_sysctl",
	"raw_tracepoint_writable",
	"cgroup_sockopt",
	"tracing",
	"struct_ops",
	"ext",
	"lsm",
	"sk_lookup",
	"syscall",
	"netfilter",
};

enum { PROG_TYPES = sizeof(prog_types) / sizeof(*prog_types), INSTRUCTION_SIZE = 8 };

static struct str prog_type_name(uint64_t type)
{
	return str_of(type < PROG_TYPES ? prog_types[type] : "unknown");
}

/* include/uapi/asm-generic/socket.h */
static struct str option_name(uint64_t option)
{
	switch (option) {
	case 26:
		return STR("SO_ATTACH_FILTER");
	case 50:
		return STR("SO_ATTACH_BPF");
	case 51:
		return STR("SO_ATTACH_REUSEPORT_CBPF");
	case 52:
		return STR("SO_ATTACH_REUSEPORT_EBPF");
	default:
		return STR("?");
	}
}

/* The kernel prints a tag's bytes in their order. */
static struct str tag_text(const struct event *event, uint64_t tag)
{
	unsigned char b[8];

	memcpy(b, &tag, sizeof(b));
	return arena_printf(event->arena, "%02x%02x%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4],
			    b[5], b[6], b[7]);
}

/* A string of the kernel with or without its NUL. */
static struct str slot_text(const struct event *event, struct slot slot)
{
	struct str s = event_slot(event, slot);

	s.len = (uint32_t)strnlen(s.p, s.len);
	return utf8_repair(event->arena, s);
}

struct str enrich_error_name(const struct event *event, uint64_t result)
{
	int64_t error = -(int64_t)result;

	if (error <= 0)
		return (struct str){0};
	const char *name = error < 4096 ? strerrorname_np((int)error) : NULL;
	return name ? str_of(name) : arena_printf(event->arena, "%lld", (long long)error);
}

/* Starts reading the program, which may be gone soon. */
void enrich_prefetch_prog(struct enricher *e, const struct event *event, struct prefetch *ret)
{
	uint64_t id, tag;

	if (event->type == EVENT_bpf_prog_load) {
		const struct wire_bpf_prog_load *wire = event_wire(event);
		id = wire->id;
		tag = wire->tag_bytes;
	} else {
		const struct wire_bpf_socket_filter *wire = event_wire(event);
		id = wire->ebpf_id;
		tag = wire->ebpf_tag;
	}
	if (id)
		ret->prog = prog_asker_ask(&e->progs, (uint32_t)id, tag, event->wire->time);
}

/* Of a loaded program; what is not known of it is "?", and its size 0. */
static void read_prog(const struct prefetch *prefetch, struct prog_reply *ret)
{
	*ret = (struct prog_reply){.size = 0};
	digests_unknown(&ret->digests);
	if (prefetch->prog && prefetch->prog->done)
		*ret = prefetch->prog->reply;
}

static struct str digest_text(const struct event *event, const char *text)
{
	return arena_str(event->arena, str_of(text));
}

void enrich_bpf_prog_load(struct event *event, const struct prefetch *prefetch)
{
	const struct wire_bpf_prog_load *wire = event_wire(event);
	struct data_bpf_prog_load *data = &event->data.bpf_prog_load;
	struct prog_reply prog;

	read_prog(prefetch, &prog);
	data->prog_type.id = (uint32_t)wire->type_number;
	data->prog_type.name = prog_type_name(wire->type_number);
	data->tag = wire->id ? tag_text(event, wire->tag_bytes) : STR("");
	data->attached_func = slot_text(event, wire->func);
	data->name = slot_text(event, wire->prog_name);
	data->ksym = slot_text(event, wire->symbol);
	data->bpf_prog.md5 = digest_text(event, prog.digests.md5);
	data->bpf_prog.sha1 = digest_text(event, prog.digests.sha1);
	data->bpf_prog.sha256 = digest_text(event, prog.digests.sha256);
	data->bpf_prog.sha512 = digest_text(event, prog.digests.sha512);
	data->bpf_prog.size = prog.size ? prog.size : wire->instructions * INSTRUCTION_SIZE;
	data->verified_insns = wire->verified;
	data->error = enrich_error_name(event, wire->result);
	data->unverified = wire->user;
}

/* Of a classic filter. */
static void fill_code(const struct event *event, const struct wire_bpf_socket_filter *wire,
		      struct obj_filter *ret)
{
	struct str code = event_slot(event, wire->code);
	struct digests *d = arena_alloc(event->arena, sizeof(*d));

	ret->md5 = ret->sha1 = ret->sha256 = ret->sha512 = STR("?");
	ret->len = (uint32_t)wire->instructions;
	ret->size = code.len;
	ret->unverified = wire->user;
	if (!d || !code.len)
		return;
	ret->truncated = code.len < wire->instructions * INSTRUCTION_SIZE;
	digests_of_bytes(code.p, code.len, d);
	ret->md5 = str_of(d->md5);
	ret->sha1 = str_of(d->sha1);
	ret->sha256 = str_of(d->sha256);
	ret->sha512 = str_of(d->sha512);
}

void enrich_bpf_socket_filter(struct event *event, const struct prefetch *prefetch)
{
	const struct wire_bpf_socket_filter *wire = event_wire(event);
	struct data_bpf_socket_filter *data = &event->data.bpf_socket_filter;
	struct prog_reply prog;

	enrich_fill_socket(event, &wire->sock, &data->socket);
	fill_code(event, wire, &data->filter);
	data->option = option_name(wire->option_number);
	data->error = enrich_error_name(event, wire->result);
	if (!wire->ebpf_id)
		return;
	read_prog(prefetch, &prog);
	data->filter.md5 = digest_text(event, prog.digests.md5);
	data->filter.sha1 = digest_text(event, prog.digests.sha1);
	data->filter.sha256 = digest_text(event, prog.digests.sha256);
	data->filter.sha512 = digest_text(event, prog.digests.sha512);
	data->filter.size = prog.size;
	data->prog_id = wire->ebpf_id;
	data->prog_type = prog_type_name(wire->ebpf_type);
	data->prog_tag = tag_text(event, wire->ebpf_tag);
	data->prog_name = slot_text(event, wire->ebpf_name);
}

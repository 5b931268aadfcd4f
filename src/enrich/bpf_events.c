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

void enrich_bpf_socket_filter(struct event *event)
{
	const struct wire_bpf_socket_filter *wire = event_wire(event);
	struct data_bpf_socket_filter *data = &event->data.bpf_socket_filter;

	enrich_fill_socket(event, &wire->sock, &data->socket);
	fill_code(event, wire, &data->filter);
	data->option = option_name(wire->option_number);
	data->error = enrich_error_name(event, wire->result);
	if (!wire->ebpf_id)
		return;
	data->prog_id = wire->ebpf_id;
	data->prog_type = prog_type_name(wire->ebpf_type);
	data->prog_tag = tag_text(event, wire->ebpf_tag);
	data->prog_name = slot_text(event, wire->ebpf_name);
}

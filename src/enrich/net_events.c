/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Network events, and the names that DNS answers gave to addresses. */
#include <stdlib.h>

#include "enrich/dns_message.h"
#include "enrich/entropy.h"
#include "enrich/internal.h"
#include "enrich/socket_names.h"

enum { AF_INET = 2, IPPROTO_TCP = 6 };

static struct ip_address address_of(const struct wire_sock *sock, const uint8_t bytes[16])
{
	return sock->family == AF_INET ? address_from_v4(bytes) : address_from_v6(bytes);
}

void enrich_fill_socket(const struct event *event, const struct wire_sock *sock, struct obj_socket *ret)
{
	ret->domain = socket_domain_name(event->arena, sock->family);
	ret->type = socket_type_name(event->arena, sock->type);
	ret->proto = socket_protocol_name(event->arena, sock->protocol);
}

static void fill_endpoint(const struct event *event, const struct ip_address *address, uint16_t port,
			  struct obj_endpoint *ret)
{
	ret->ip = address_text(event->arena, address);
	ret->port = port;
}

static struct str community_id(struct enricher *e, const struct event *event, const struct wire_sock *sock)
{
	const struct flow flow = {
		.src = address_of(sock, sock->src),
		.dst = address_of(sock, sock->dst),
		.src_port = sock->src_port,
		.dst_port = sock->dst_port,
		.protocol = (uint8_t)sock->protocol,
	};
	char text[COMMUNITY_ID_SIZE];

	if (community_id_compute(&e->community_id, &flow, text) < 0)
		return STR("?");
	return arena_str(event->arena, str_of(text));
}

/* The name of an address, of this process's own answers first. */
static void fill_hostname(struct enricher *e, const struct event *event, struct process *p,
			  const struct ip_address *address, struct obj_peer *ret)
{
	uint64_t now = event->wire->time;
	struct str name, asked;

	ret->hostname = STR("?");
	if (!(p && p->names_ready && dns_names_get(&p->names, address, now, &name, &asked)) &&
	    !dns_names_get(&e->names, address, now, &name, &asked))
		return;
	ret->hostname = arena_str(event->arena, name);
	if (!str_eq(name, asked))
		ret->asked = arena_str(event->arena, asked);
}

void enrich_fill_peer(struct enricher *e, const struct event *event, struct process *p,
		      const struct wire_sock *sock, struct obj_peer *ret)
{
	struct ip_address address = address_of(sock, sock->dst);

	fill_hostname(e, event, p, &address, ret);
	ret->ip = address_text(event->arena, &address);
	ret->port = sock->dst_port;
	ret->public = address_is_public(&address);
	ret->is_v6 = address_is_v6(&address);
}

void enrich_connect(struct enricher *e, struct event *event, struct process *p)
{
	const struct wire_connect *wire = event_wire(event);
	struct data_connect *data = &event->data.connect;
	struct ip_address src = address_of(&wire->sock, wire->sock.src);

	enrich_fill_socket(event, &wire->sock, &data->socket);
	fill_endpoint(event, &src, wire->sock.src_port, &data->src);
	enrich_fill_peer(e, event, p, &wire->sock, &data->dst);
	data->community_id = community_id(e, event, &wire->sock);
	data->dst_unverified = wire->sock.flags & SOCK_USER_ADDRESS;
}

/* sendfile: the bytes are still in the file, unless it has changed since; then they are not known. */
static struct str source_bytes(struct enricher *e, const struct event *event,
			       const struct wire_send_data *wire)
{
	const struct wire_task *task = &event->wire->task;
	const struct path path = path_decode(event, &wire->source);
	const struct file_id wanted = {
		.inode = wire->source.inode,
		.size = wire->source.size,
		.mtime_ns = wire->source.mtime,
		.known = FILE_ID_INODE | FILE_ID_SIZE | FILE_ID_MTIME,
	};
	const struct file_peek_request request = {
		.mnt_ns = wire_mnt_ns(task),
		.pid = task->tgid,
		.path = path.raw.p,
		.wanted = &wanted,
		.offset = wire->source_offset,
		.max = wire->data_size < WIRE_PAYLOAD_MAX ? wire->data_size : WIRE_PAYLOAD_MAX,
	};
	struct file_peek_result found;
	struct str bytes = {0};

	if (file_peek(e->peeker, &request, &found) == 0)
		bytes = arena_str(event->arena, (struct str){found.text, (uint32_t)found.len});
	free(found.text);
	return bytes;
}

void enrich_send_data(struct enricher *e, struct event *event, struct process *p)
{
	const struct wire_send_data *wire = event_wire(event);
	struct data_send_data *data = &event->data.send_data;
	struct ip_address src = address_of(&wire->sock, wire->sock.src);
	struct str payload = event_slot(event, wire->payload);

	if (wire->source.mode)
		payload = source_bytes(e, event, wire);
	enrich_fill_socket(event, &wire->sock, &data->socket);
	fill_endpoint(event, &src, wire->sock.src_port, &data->src);
	enrich_fill_peer(e, event, p, &wire->sock, &data->dst);
	data->community_id = community_id(e, event, &wire->sock);
	data->data_entropy = entropy_of_bytes((const uint8_t *)payload.p, payload.len);
	data->data_sampled = payload.len;
	data->dst_unverified = wire->sock.flags & SOCK_USER_ADDRESS;
}

/* A name is for this process first, and for whoever it tells. */
static void remember(struct enricher *e, const struct event *event, struct process *p,
		     const struct dns_address *addresses)
{
	uint64_t now = event->wire->time;

	if (p && !p->names_ready && !p->exited_at && addresses) {
		dns_names_init(&p->names, &dns_names_of_process, e->names_seed);
		p->names_ready = true;
	}
	for (const struct dns_address *a = addresses; a; a = a->next) {
		if (p && p->names_ready)
			dns_names_put(&p->names, &a->address, a->name, a->asked, a->ttl, now);
		dns_names_put(&e->names, &a->address, a->name, a->asked, a->ttl, now);
	}
}

void enrich_dns_query(struct enricher *e, struct event *event, struct process *p, enricher_emit_fn emit,
		      void *context)
{
	const struct wire_dns_query *wire = event_wire(event);
	struct data_dns_query *data = &event->data.dns_query;
	struct ip_address src = address_of(&wire->sock, wire->sock.src);
	struct ip_address server = address_of(&wire->sock, wire->sock.dst);
	struct str payload = event_slot(event, wire->payload);
	const struct dns_capture capture = {
		.bytes = (const uint8_t *)payload.p,
		.len = payload.len,
		.tcp = wire->sock.protocol == IPPROTO_TCP,
		.cut = payload.len < wire->payload_size,
	};
	struct dns_result result = {0};

	if (dns_message_parse(event->arena, &capture, &result) < 0)
		return;
	data->truncated = result.flags & (DNS_TRUNCATED | DNS_LIMITED);
	data->malformed = result.flags & DNS_MALFORMED;
	e->stats.dns_truncated += data->truncated;
	e->stats.dns_malformed += data->malformed;
	remember(e, event, p, result.addresses);

	enrich_fill_socket(event, &wire->sock, &data->socket);
	fill_endpoint(event, &src, wire->sock.src_port, &data->src);
	data->dns_server.ip = address_text(event->arena, &server);
	data->dns_server.port = wire->sock.dst_port;
	data->dns_server.public = address_is_public(&server);
	data->dns_server.is_v6 = address_is_v6(&server);
	data->community_id = community_id(e, event, &wire->sock);
	data->server_unverified = wire->sock.flags & SOCK_USER_ADDRESS;
	for (const struct dns_query *q = result.queries; q; q = q->next) {
		data->query = q->query;
		data->query_type = q->query_type;
		data->response = q->response;
		data->asked = str_eq(q->asked, q->query) ? (struct str){0} : q->asked;
		data->unasked = q->unasked;
		emit(context, event);
	}
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "enrich/prog_digests.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

void prog_asker_init(struct prog_asker *a, int fd)
{
	memset(a, 0, sizeof(*a));
	a->fd = fd;
}

static struct prog_ticket *find_free(struct prog_asker *a)
{
	for (uint32_t i = 0; i < PROG_TICKETS_MAX; i++)
		if (!a->tickets[i].used)
			return &a->tickets[i];
	return NULL;
}

struct prog_ticket *prog_asker_ask(struct prog_asker *a, uint32_t id, uint64_t tag, uint64_t now)
{
	struct prog_request request = {.id = id};
	struct prog_ticket *t = a->fd < 0 ? NULL : find_free(a);

	if (t) {
		/* an answer that comes too late for its ticket must not be taken for another's */
		request.number = ++a->sequence * PROG_TICKETS_MAX + (uint64_t)(t - a->tickets);
		memcpy(request.tag, &tag, sizeof(request.tag));
	}
	if (!t || send(a->fd, &request, sizeof(request), MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof(request)) {
		a->refused++;
		return NULL;
	}
	*t = (struct prog_ticket){.used = true, .asked_at = now, .reply.number = request.number};
	return t;
}

static void give_up(struct prog_asker *a, struct prog_ticket *t)
{
	t->done = true;
	t->reply.size = 0;
	digests_unknown(&t->reply.digests);
	a->unknown++;
}

static void take_reply(struct prog_asker *a, const struct prog_reply *reply)
{
	struct prog_ticket *t = &a->tickets[reply->number % PROG_TICKETS_MAX];

	if (!t->used || t->done || t->reply.number != reply->number)
		return; /* nobody waits for it any more */
	t->done = true;
	t->reply = *reply;
	if (reply->size == 0)
		a->unknown++;
}

void prog_asker_collect(struct prog_asker *a, uint64_t now)
{
	struct prog_reply reply;
	ssize_t n = -1;

	while (a->fd >= 0 && (n = recv(a->fd, &reply, sizeof(reply), MSG_DONTWAIT)) == sizeof(reply))
		take_reply(a, &reply);
	if (a->fd >= 0 && (n >= 0 || (errno != EAGAIN && errno != EINTR)))
		a->fd = -1; /* the helper has gone */
	for (uint32_t i = 0; i < PROG_TICKETS_MAX; i++) {
		struct prog_ticket *t = &a->tickets[i];
		if (t->used && !t->done && (a->fd < 0 || t->asked_at + PROG_PATIENCE_NS < now))
			give_up(a, t);
	}
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/heartbeat.h"

#include <string.h>

bool heartbeat_is_due(struct heartbeat *h)
{
	return h->ticks++ % HEARTBEAT_EVERY == 0;
}

enum heartbeat_news heartbeat_look(struct heartbeat *h, const uint64_t signs[HEARTBEAT_SIGNS])
{
	bool alive = true, was_said = h->silent >= HEARTBEAT_SILENT;

	for (int i = 0; i < HEARTBEAT_SIGNS; i++)
		alive = alive && (!h->begun || signs[i] != h->signs[i]);
	memcpy(h->signs, signs, sizeof(h->signs));
	h->begun = true;
	if (alive) {
		h->silent = 0;
		return was_said ? HEARTBEAT_BACK : HEARTBEAT_NO_NEWS;
	}
	if (was_said)
		return HEARTBEAT_NO_NEWS;
	return ++h->silent == HEARTBEAT_SILENT ? HEARTBEAT_STOPPED : HEARTBEAT_NO_NEWS;
}

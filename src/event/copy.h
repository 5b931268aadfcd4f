/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An event's info that outlives the event: one block of memory holds all that it points to. */
#ifndef KUNAI_EVENT_COPY_H
#define KUNAI_EVENT_COPY_H

#include "event/event.h"

/* Bytes that event_info_copy() needs. */
size_t event_info_size(const struct obj_info *info);

/* memory is aligned to 8 bytes, of that size, and the caller's; the copy borrows it. */
struct obj_info event_info_copy(const struct obj_info *info, void *memory);

#endif

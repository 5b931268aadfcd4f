/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether two events say the same of where and who: the part of their info that most events of a task share. */
#ifndef KUNAI_EVENT_SAME_H
#define KUNAI_EVENT_SAME_H

#include "event/event.h"

/* Whether host, task and parent_task are equal, value by value. */
bool event_origin_same(const struct obj_info *a, const struct obj_info *b);

#endif

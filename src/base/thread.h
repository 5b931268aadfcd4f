/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef KUNAI_BASE_THREAD_H
#define KUNAI_BASE_THREAD_H

#include <pthread.h>

/* With all signals blocked: they are the main thread's. -errno. */
int thread_start(pthread_t *ret_thread, void *(*run)(void *), void *argument);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef KUNAI_BASE_THREAD_H
#define KUNAI_BASE_THREAD_H

#include <pthread.h>
#include <stdint.h>

/* With all signals blocked: they are the main thread's. -errno. */
int thread_start(pthread_t *ret_thread, void *(*run)(void *), void *argument);

/* The calling thread keeps these capabilities, bits 1 << CAP_x, at most. Nothing gives it others again. 0 or -errno. */
int thread_keep_capabilities(uint64_t kept);

#endif

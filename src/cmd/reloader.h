/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules and IoCs that are loaded anew while events are matched: a thread reads and compiles them, the pipeline takes them
 * between two events, and the thread frees the old ones. It owns the scanner in use and the one that waits.
 */
#ifndef KUNAI_CMD_RELOADER_H
#define KUNAI_CMD_RELOADER_H

#include "base/helper.h"
#include "config/config.h"
#include "detect/scanner.h"

struct reloader;

/*
 * Loads rules and IoCs for the first time. Returns EXIT_SUCCESS, or another exit status after saying why; *ret is the
 * caller's on success only. Configuration and compiler (see cmd/compile_helper.h) must outlive it.
 */
int reloader_open(const struct config_scanner *config, const struct helper *compiler, struct reloader **ret);

/* Starts the thread. Signals must be blocked. Without it, -errno, the rules cannot be loaded anew. */
int reloader_start(struct reloader *r);
void reloader_close(struct reloader *r);

/* What is in use. For the one thread that matches. */
struct scanner *reloader_scanner(const struct reloader *r);

/* Of all scanners that were in use. For the same thread. */
struct detector_counters reloader_counters(const struct reloader *r);

/* Asks for a reload. Requests that come while one has not begun are one. */
void reloader_request(struct reloader *r);

/* Readable when reloader_take() has something to say. */
int reloader_fd(const struct reloader *r);

enum reload_result { RELOAD_NOTHING, RELOAD_DONE, RELOAD_FAILED };

/*
 * Between two events: puts new rules into use, and then reloader_scanner() is another one and the old one is not to be
 * touched. RELOAD_FAILED: the old ones stay, and why has been logged.
 */
enum reload_result reloader_take(struct reloader *r);

#endif

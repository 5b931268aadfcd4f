/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Diagnostics on stderr as "[<RFC 3339 seconds> LEVEL module] message". Only cmd/ and pipeline code logs;
 * library code returns errors. Safe from any thread. */
#ifndef KUNAI_BASE_LOG_H
#define KUNAI_BASE_LOG_H

enum log_level { LOG_OFF, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };

/* Default: LOG_WARN. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

void log_write(enum log_level level, const char *module, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(...) log_write(LOG_ERROR, LOG_MODULE, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_WARN, LOG_MODULE, __VA_ARGS__)
#define log_info(...)  log_write(LOG_INFO, LOG_MODULE, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, LOG_MODULE, __VA_ARGS__)

#ifndef LOG_MODULE
#define LOG_MODULE "kunai"
#endif

#endif

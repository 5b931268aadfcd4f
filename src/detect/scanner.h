/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules, IoCs and YARA rules together: what an event is matched against. Belongs to one thread, but for scanner_compile(). */
#ifndef KUNAI_DETECT_SCANNER_H
#define KUNAI_DETECT_SCANNER_H

#include "detect/detect.h"
#include "detect/yara_rules.h"

struct scanner;

struct scanner_paths {
	const char *const *rules; /* files and directories */
	uint32_t rule_count;
	const char *const *iocs; /* too */
	uint32_t ioc_count;
	const char *const *yara; /* too */
	uint32_t yara_count;
	enum path_policy policy;
};

/*
 * Loads everything, and tells all that is wrong. Returns 0; -EINVAL when the problems hold an error; -ENOMEM.
 */
int scanner_load(const struct scanner_paths *paths, struct problems *problems, struct scanner **ret);
void scanner_free(struct scanner *s);

/* There is nothing to match: every event is printed as it is. */
bool scanner_is_empty(const struct scanner *s);

/* See ruleset_compile() and its neighbours. */
int scanner_adopt(struct scanner *s, const struct scanner *older);
int scanner_find_compiled(struct scanner *s, const struct pattern_source *source);
int scanner_compile(struct scanner *s, const struct pattern_source *source);

/*
 * Sets e->detection and e->filter. Valid until the next call. The severities of IoCs are added to those of rules, up to
 * 10. start and event_loss are never scanned.
 */
void scanner_scan(struct scanner *s, struct event *e);

/* The rules that match the event that was scanned last, and exclude. Valid until the next one is. */
struct strv scanner_excluding(const struct scanner *s);

/* Whether an event that was scanned is to be printed. */
bool scanner_selects(const struct scanner *s, const struct event *e, uint64_t min_severity);

/* The rules, for what they are asked about. Borrowed. */
const struct ruleset *scanner_rules(const struct scanner *s);
uint32_t scanner_ioc_count(const struct scanner *s);

/* Since it was loaded. For the thread that scans. */
struct detector_counters scanner_counters(const struct scanner *s);
void scanner_slow_rules(const struct scanner *s, struct slow_rules *ret);

/* What files are matched against, NULL for nothing. Borrowed: share it to keep it. */
struct yara_rules *scanner_yara(const struct scanner *s);

/* The events, as bits 1 << enum event_type, that scanner_selects() can be true of: all others may be left out. */
uint64_t scanner_events(const struct scanner *s);

/* The events, as bits 1 << enum event_type, that can make a rule ask for a scan of their files. */
uint64_t scanner_file_scan_events(const struct scanner *s);

#endif

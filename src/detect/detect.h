/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules against events. A rule set is made once, never changes (but for ruleset_compile()) and may be shared by threads; a detector holds what one
 * thread needs to match with it, and allocates nothing for an event. A verdict belongs to its detector.
 */
#ifndef KUNAI_DETECT_DETECT_H
#define KUNAI_DETECT_DETECT_H

#include "detect/problem.h"
#include "event/event.h"

struct ruleset;

/* A text as if it stood in a file of this name. */
struct rule_text {
	struct str file;
	struct str text;
};

/*
 * Loads rules from files and directories, see loader_add_path(). Returns 0; -EINVAL when the problems hold an error, all
 * of which were found are in it; -ENOMEM. A path that does not exist is a warning, or an error, as the policy says.
 * Warnings may be there in every case.
 */
int ruleset_load(const char *const *paths, uint32_t count, enum path_policy policy, struct problems *problems,
		 struct ruleset **ret);
int ruleset_load_text(const struct rule_text *rules, const struct rule_text *templates,
		      struct problems *problems, struct ruleset **ret);
void ruleset_free(struct ruleset *rs);

struct ruleset_facts {
	uint32_t detections, filters, dependencies;
	uint32_t regexes; /* different ones */
};

struct pattern_set;

/* Where compiled patterns come from. Both return 0 when the set is compiled, else -errno. */
struct pattern_source {
	void *context;
	int (*find)(void *context, struct pattern_set *set); /* quick, from a cache; NULL: there is none */
	int (*make)(void *context, struct pattern_set *set); /* slow; NULL: here and now */
};

/*
 * Compiles the regular expressions of each field into one database, which takes up to a minute for ten thousand rules. Any
 * thread may do it, one at a time, while others match: they try the patterns of a field one by one until it is done. The
 * first function takes what can be found, the second one makes the rest, and can be called again. Return 0 when all is
 * compiled, -EAGAIN (the first one) when not, -ENOMEM, or the error of make(), which ends it if it is -ECANCELED.
 */
int ruleset_find_compiled(struct ruleset *rs, const struct pattern_source *source);
int ruleset_compile(struct ruleset *rs, const struct pattern_source *source);

/* Until a field is compiled, uses what older rules had: patterns that are in both need not be tried one by one. */
int ruleset_adopt(struct ruleset *rs, const struct ruleset *older);

/* A rule that was loaded. */
struct rule_facts {
	struct str name;
	enum { RULE_IS_DETECTION, RULE_IS_FILTER, RULE_IS_DEPENDENCY } kind;
	bool excludes;
	uint8_t severity;
};

/* The rules in the order of their loading; false behind the last. Borrowed. */
bool ruleset_rule(const struct ruleset *rs, uint32_t index, struct rule_facts *ret);

/* The events, as bits 1 << enum event_type, on which a detection or filter can match that does not exclude. */
uint64_t ruleset_events(const struct ruleset *rs);

/* Those on which one with this action can. */
uint64_t ruleset_events_of_action(const struct ruleset *rs, struct str action);

struct ruleset_facts ruleset_facts(const struct ruleset *rs);

/* A pattern that costs more than others, once ruleset_compile() is done. */
struct slow_pattern {
	enum {
		SLOW_ALONE,     /* no database holds it: it is tried one by one */
		SLOW_CONFIRMED, /* its hits are confirmed */
		SLOW_WIDE,      /* tried one by one on text that is not ASCII */
	} reason;
	const struct place *place;
	struct str operand;
};

void ruleset_each_slow(const struct ruleset *rs,
		       void (*visit)(void *context, const struct slow_pattern *slow), void *context);

/* What an event led to. Borrows the rule set. */
struct verdict {
	const struct obj_detection *detection; /* NULL: none */
	const struct obj_filtering *filter;    /* NULL: none */
	struct strv excluding;                 /* the rules that match and exclude */
};

struct detector;

/* NULL with errno ENOMEM. The rule set must outlive it. */
struct detector *detector_new(struct ruleset *rs);
void detector_free(struct detector *d);

/* The verdict is valid until the next call. */
struct verdict detect_event(struct detector *d, const struct event *e);

/* The same by evaluating every rule, one after the other: what detect_event() is compared with. */
struct verdict detect_event_slowly(struct detector *d, const struct event *e);

struct detector_counters {
	uint64_t events;
	uint64_t regex_limits;   /* searches that were given up: the rule did not match */
	uint64_t regex_failures; /* searches of a database that failed: never, if all is well */
	uint64_t scans;          /* searches of a database */
	uint64_t recalled;       /* searches that were saved: the text had come before */
	uint64_t confirmed;      /* its hits that were tried again */
	uint64_t slow;           /* patterns that were tried one by one */
	uint64_t candidates;     /* conditions that were evaluated */
};

struct detector_counters detector_counters(const struct detector *d);

/* The rules that took most time, by a sample of the events that were matched, the worst first. */
enum { SLOW_RULES_MAX = 5 };

struct slow_rules {
	uint32_t count;
	struct slow_rule {
		struct str name; /* borrowed from the rule set */
		double seconds;  /* estimated, of all events since the rules were loaded */
		double share;    /* of the time of matching */
		double event;    /* seconds of an event, on average */
	} v[SLOW_RULES_MAX];
};

void detector_slow_rules(const struct detector *d, struct slow_rules *ret);

#endif

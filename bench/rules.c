/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What matching costs, and nothing else: made-up rules of the kinds that people write, four fifths of their operands
 * regular expressions, over the events of the golden cases, as processes of a busy server would make them, which come and go.
 *
 *   rules RULES EVENTS [one-by-one|uncompiled]   prints "rules=N events=N ns=N detected=N load_ns=N compile_ns=N rss_kb=N"
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#define COUNTABLE
#endif

#include "base/arena.h"
#include "base/buf.h"
#include "detect/detect.h"
#include "json/reader.h"

#define GOLDEN "tests/golden/expected.jsonl"

enum {
	SAMPLES_MAX = 256,
	PROCESSES = 4000, /* at one time */
	LIFE = 50,        /* events after which the oldest process goes */
	BATCH = 250,      /* events made at a time: one that is matched was written just before */
	WARM_UP = 1000,
};

static struct event samples[SAMPLES_MAX];
static uint32_t sample_count;
static struct arena arena, batch_arena;
static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);

static uint32_t any(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % n;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* other work on the machine does not count */
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t resident_kb(void)
{
	unsigned long long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f || fscanf(f, "%*u %llu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
}

/* A word for a number, always the same. */
static const char *word(uint32_t n, char text[16])
{
	static const char *const syllables[] = {"ka",  "ro",  "mi",  "tel", "sun", "dar", "vo",  "pix",
						"lem", "gra", "hot", "zu",  "bin", "fer", "qua", "nys"};
	uint32_t h = n * 2654435761u;

	snprintf(text, 16, "%s%s%s%x", syllables[h >> 28], syllables[h >> 24 & 15], syllables[h >> 20 & 15],
		 n & 15);
	return text;
}

/* ---- rules ---- */

static void add_operands(struct buf *out, uint32_t i)
{
	char a[16], b[16];

	word(i, a);
	word(i * 7 + 3, b);
	switch (i % 8) {
	case 0:
		buf_printf(out,
			   "match-on: {events: {kunai: [execve, execve_script]}}\nmatches:\n"
			   "  $e: .data.exe.path ~= '/[^/]*/(%s|%s)(-[a-zA-Z0-9._]+)?$'\n"
			   "  $c: .data.command_line ~= '%s.*--%s'\ncondition: $e and $c\n",
			   a, b, a, b);
		break;
	case 1:
		buf_printf(out,
			   "matches:\n  $a: .data.ancestors ~= '\\|/usr/s?bin/%s\\|'\n"
			   "  $e: .data.exe.path ~= '^/(tmp|dev/shm)/.*%s'\n"
			   "  $n: .info.task.name ~= '^%s'\ncondition: $a and ($e or $n)\n",
			   a, b, a);
		break;
	case 2:
		buf_printf(out,
			   "match-on: {events: {kunai: [connect, send_data]}}\nmatches:\n"
			   "  $p: .data.dst.port == %u\n  $e: .data.exe.path ~= '/%s$'\n"
			   "  $h: .data.dst.hostname ~= '(^|\\.)%s\\.(com|net|org)$'\ncondition: $h and ($e "
			   "or $p)\n",
			   1000 + i % 5000, a, b);
		break;
	case 3:
		buf_printf(out,
			   "match-on: {events: {kunai: [dns_query]}}\nmatches:\n"
			   "  $q: .data.query ~= '(^|\\.)%s-?[0-9]*\\.(xyz|top|com)$'\n"
			   "  $c: .data.command_line ~= '%s'\ncondition: $q or $c\n",
			   a, b);
		break;
	case 4:
		buf_printf(out,
			   "match-on: {events: {kunai: [write_close, file_create, file_rename, "
			   "write_config]}}\nmatches:\n"
			   "  $p: .data.path ~= '^/etc/%s/.*\\.conf$'\n  $s: .data.path ~= "
			   "'/%s[^/]*\\.(so|service)$'\n"
			   "  $x: .data.exe.path == '/usr/bin/%s'\ncondition: ($p or $s) and not $x\n",
			   a, b, a);
		break;
	case 5:
		buf_printf(out,
			   "matches:\n  $e: .data.exe.path == '/usr/bin/%s'\n"
			   "  $c: .data.command_line ~= '(-e|--exec)[= ].*%s'\ncondition: all of them\n",
			   a, b);
		break;
	case 6:
		buf_printf(out,
			   "match-on: {events: {kunai: [execve, mmap_exec]}}\nmatches:\n"
			   "  $n: .info.task.name ~= '^%s[0-9]*$'\n  $f: .info.task.flags &= 0x200000\n"
			   "  $r: .data.ancestors ~= '%s'\n  $d: rule(shell)\ncondition: $d and ($n or $r) "
			   "and not $f\n",
			   a, b);
		break;
	default:
		buf_printf(out,
			   "matches:\n  $c1: .data.command_line ~= '/%s/[0-9]+'\n  $c2: .data.command_line "
			   "~= ' %s '\n"
			   "  $c3: .data.ancestors ~= '/%s$'\ncondition: 2 of $c\n",
			   a, b, a);
	}
}

static struct ruleset *make_rules(uint32_t count, uint64_t *ret_load_ns)
{
	struct problems problems = {0};
	struct ruleset *rs = NULL;
	struct buf text = {0};

	buf_add_str(&text, STR("name: shell\ntype: dependency\nmatches:\n"
			       "  $s: .data.exe.path ~= '/(ba|da|z)?sh$'\ncondition: $s\n"));
	for (uint32_t i = 1; i < count; i++) {
		buf_printf(&text, "---\nname: rule-%u\nmeta: {tags: [tag-%u], attack: [T%u]}\nseverity: %u\n",
			   i, i % 20, 1000 + i % 100, i % 11);
		add_operands(&text, i);
	}
	const struct rule_text rules = {STR("bench"), buf_str(&text)};
	uint64_t started = now();
	if (ruleset_load_text(&rules, NULL, &problems, &rs)) {
		for (uint32_t i = 0; i < problems.count; i++)
			if (problems.v[i].level == PROBLEM_ERROR)
				fprintf(stderr, "%u: %s\n", problems.v[i].line, problems.v[i].text);
		exit(1);
	}
	*ret_load_ns = now() - started;
	problems_fini(&problems);
	buf_fini(&text);
	return rs;
}

/* ---- events ---- */

static void read_samples(void)
{
	FILE *f = fopen(GOLDEN, "re");
	struct json_problem problem;
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (!f) {
		fprintf(stderr, "rules: run this from the source root\n");
		exit(1);
	}
	while (sample_count < SAMPLES_MAX && (n = getline(&line, &size, f)) > 0) {
		struct event *e = &samples[sample_count];
		if (json_read_event(arena_str(&arena, (struct str){line, (uint32_t)n}), &arena, e,
				    &problem) == 0 &&
		    e->type != EVENT_start && e->type != EVENT_event_loss)
			sample_count++;
	}
	free(line);
	fclose(f);
}

struct process {
	struct str name, exe, command_line, ancestors;
};

/* The process of a number: one in four hundred has something that a rule is about. */
static void make_process(struct process *ret, uint32_t n)
{
	char a[16], b[16], c[16];

	word(n % 400 ? 1000003 + n % 997 : n, a);
	word(1000003 + n * 31 % 997, b);
	word(1000003 + n * 17 % 997, c);
	ret->name = arena_printf(&arena, "%s", a);
	ret->exe = arena_printf(&arena, "/usr/%s/%s", n % 9 ? "bin" : "lib/exec", n % 5 ? a : "bash");
	ret->command_line =
		arena_printf(&arena, "%s --%s=%u -o /var/lib/%s/%s.%u --verbose %s", a, b, n, c, b, n, c);
	ret->ancestors =
		arena_printf(&arena, "/usr/lib/systemd/systemd|/usr/sbin/%s|/usr/bin/bash|/usr/bin/%s", c, b);
}

/* Its strings are those of the process, its path and names its own. */
static void make_event(struct event *ret, const struct process *p, uint32_t i)
{
	char a[16];

	word(1000003 + i % 99991, a);
	*ret = samples[any(sample_count)];
	ret->info.task.name = p->name;
	struct data_common *common = event_common(ret);
	if (common) {
		common->exe.path = p->exe;
		common->command_line = p->command_line;
		common->ancestors = p->ancestors;
	}
	switch (ret->type) {
	case EVENT_execve:
	case EVENT_execve_script:
		ret->data.execve.exe.path = p->exe;
		ret->data.execve.command_line = p->command_line;
		ret->data.execve.ancestors = p->ancestors;
		break;
	case EVENT_dns_query:
		ret->data.dns_query.query = arena_printf(&batch_arena, "%s%u.example.com", a, i % 50);
		break;
	case EVENT_connect:
		ret->data.connect.dst.hostname = arena_printf(&batch_arena, "%s.example.net", a);
		break;
	case EVENT_write_close:
		ret->data.write_close.path.text = arena_printf(&batch_arena, "/var/cache/%s/%u.tmp", a, i);
		break;
	case EVENT_file_create:
		ret->data.file_create.path.text = arena_printf(&batch_arena, "/var/cache/%s/%u.tmp", a, i);
		break;
	default:
		break;
	}
}

static struct process *make_processes(uint32_t count)
{
	struct process *processes = calloc(count, sizeof(*processes));

	if (!processes)
		exit(1);
	for (uint32_t i = 0; i < count; i++)
		make_process(&processes[i], i);
	return processes;
}

/* ---- matching ---- */

struct run {
	struct verdict (*detect)(struct detector *d, const struct event *e);
	struct detector *detector;
	const struct process *processes;
	uint64_t ns, detected;
};

/* Makes the events from first to end - 1 and matches them; only that is timed. */
static void match(struct run *run, uint32_t first, uint32_t end)
{
	static struct event events[BATCH];

	for (uint32_t at = first; at < end; at += BATCH) {
		uint32_t n = end - at < BATCH ? end - at : BATCH;

		arena_reset(&batch_arena);
		for (uint32_t i = 0; i < n; i++)
			make_event(&events[i], &run->processes[(at + i) / LIFE + any(PROCESSES)], at + i);
		uint64_t started = now();
		for (uint32_t i = 0; i < n; i++)
			run->detected += run->detect(run->detector, &events[i]).detection != NULL;
		run->ns += now() - started;
	}
}

int main(int argc, char **argv)
{
	bool slow = argc == 4 && strcmp(argv[3], "one-by-one") == 0;
	bool uncompiled = argc == 4 && strcmp(argv[3], "uncompiled") == 0;
	uint64_t load_ns, compile_ns;

	if (argc < 3) {
		fprintf(stderr, "usage: rules RULES EVENTS [one-by-one|uncompiled]\n");
		return 1;
	}
	uint32_t rules = (uint32_t)atoi(argv[1]), count = (uint32_t)atoi(argv[2]);
	read_samples();
	struct process *processes = make_processes(PROCESSES + (count + WARM_UP) / LIFE + 1);
	uint64_t before = resident_kb();
	struct ruleset *rs = make_rules(rules, &load_ns);
	uint64_t started = now();
	if (!slow && !uncompiled && ruleset_compile(rs, NULL))
		return 1;
	compile_ns = now() - started;
	struct run run = {slow ? detect_event_slowly : detect_event, detector_new(rs), processes, 0, 0};
	match(&run, 0, WARM_UP);
	malloc_trim(0); /* what the compiler left */
	run.ns = run.detected = 0;
#ifdef COUNTABLE
	CALLGRIND_START_INSTRUMENTATION; /* compiling would take half an hour */
#endif
	match(&run, WARM_UP, WARM_UP + count);
	struct detector_counters c = detector_counters(run.detector);
	printf("rules=%u events=%u ns=%" PRIu64 " detected=%" PRIu64 " load_ns=%" PRIu64
	       " compile_ns=%" PRIu64 " rss_kb=%" PRIu64 " scans=%" PRIu64 " recalled=%" PRIu64
	       " candidates=%" PRIu64 "\n",
	       rules, count, run.ns, run.detected, load_ns, compile_ns, resident_kb() - before, c.scans,
	       c.recalled, c.candidates);
	detector_free(run.detector);
	ruleset_free(rs);
	free(processes);
	arena_fini(&batch_arena);
	arena_fini(&arena);
	return 0;
}

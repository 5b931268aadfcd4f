/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plays the scenarios of tests/rules: pretends to be any program, and does to the kernel what that program would do.
 *
 *   play prepare FILE     makes the programs that the scenarios run: copies of this one
 *   play FILE MARKS       plays all of them; before each one, a file of its name is created in MARKS
 *
 * A scenario is a name at the beginning of a line and, below it, indented by one tab, what happens. A line that starts
 * another process has that process's doings below it, indented by one tab more; they travel in its environment.
 */
#include "play.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t play_victim;

void play_fail(const char *what, const char *name)
{
	fprintf(stderr, "play: %s %s: %s\n", what, name, strerror(errno));
}

/* ---- the text ---- */

/* Words stand between blanks, or in single quotes. Changes the line. */
static int split(char *line, char **words)
{
	int n = 0;

	while (n < WORDS_MAX - 1) {
		line += strspn(line, " ");
		if (!*line)
			break;
		char end = *line == '\'' ? *line++ : ' ';
		words[n++] = line;
		line += end == '\'' ? strcspn(line, "'") : strcspn(line, " ");
		if (!*line)
			break;
		*line++ = 0;
	}
	words[n] = NULL;
	return n;
}

static bool is_comment(const char *line)
{
	return line[strspn(line, "\t ")] == '#' || !line[strspn(line, "\t ")];
}

/* Takes a line and its block off the text; the block loses one tab a line. false at the end. */
static bool take(char **at, struct step *ret)
{
	char *line;

	do {
		line = strsep(at, "\n");
	} while (line && is_comment(line));
	if (!line)
		return false;
	char *to = ret->block = malloc(*at ? strlen(*at) + 1 : 1);
	while (*at && (**at == '\t' || **at == '\n')) {
		char *inner = strsep(at, "\n");
		to = stpcpy(to, inner + (*inner == '\t'));
		*to++ = '\n';
	}
	*to = 0;
	ret->count = split(line, ret->words);
	return ret->count > 0;
}

/* ---- programs ---- */

void play_make_parents(const char *path)
{
	char parent[PATH_MAX];

	snprintf(parent, sizeof(parent), "%s", path);
	for (char *at = strchr(parent + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = 0;
		mkdir(parent, 0755);
		*at = '/';
	}
}

static void copy_self(const char *path)
{
	int in = open(SELF, O_RDONLY | O_CLOEXEC), out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	struct stat stat;

	if (in < 0 || out < 0 || fstat(in, &stat) < 0 ||
	    sendfile(out, in, NULL, (size_t)stat.st_size) != stat.st_size)
		play_fail("copy to", path);
	close(in);
	close(out);
}

/* Copies, since links could not be written one by one. Links are there to busybox. */
void play_make_program(const char *path)
{
	struct stat stat;

	if (lstat(path, &stat) == 0 && !S_ISLNK(stat.st_mode))
		return;
	unlink(path);
	play_make_parents(path);
	copy_self(path);
}

/* script FILE INTERPRETER: both are there before anything is watched. */
static void make_script(const char *path, const char *interpreter)
{
	play_make_program(interpreter);
	play_make_parents(path);
	FILE *f = fopen(path, "we");
	if (!f) {
		play_fail("make", path);
		return;
	}
	fprintf(f, "#!%s\n", interpreter);
	fclose(f);
	chmod(path, 0755);
}

/* A copy: a link would give the rights to all others. */
static void make_suid(const char *path)
{
	play_make_parents(path);
	copy_self(path);
	if (chmod(path, 04755) < 0)
		play_fail("change", path);
}

static void prepare(char *text)
{
	struct step step;

	while (take(&text, &step)) {
		if (!strcmp(step.words[0], "script"))
			make_script(step.words[1], step.words[2]);
		else if (!strcmp(step.words[0], "as") || !strcmp(step.words[0], "gone") ||
			 !strcmp(step.words[0], "victim"))
			play_make_program(step.words[1]);
		else if (!strcmp(step.words[0], "suid"))
			make_suid(step.words[1]);
		prepare(step.block);
		free(step.block);
	}
}

/* ---- playing ---- */

static const struct {
	const char *name;
	int words;
	void (*run)(struct step *s);
} doings[] = {
#define DOING(name, words, function) {name, words, do_##function},
#include "play.def"
#undef DOING
};

void play(char *block)
{
	struct step s;

	while (take(&block, &s)) {
		size_t i = 0, n = sizeof(doings) / sizeof(*doings);
		while (i < n && strcmp(doings[i].name, s.words[0]))
			i++;
		if (i < n && s.count >= doings[i].words)
			doings[i].run(&s);
		else
			fprintf(stderr, "play: what is '%s' with %d words?\n", s.words[0], s.count);
		free(s.block);
	}
}

static char *read_all(const char *path)
{
	static char text[1 << 20];
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[n] = 0;
	if (f)
		fclose(f);
	return text;
}

static void play_all(char *text, const char *marks)
{
	struct step s;

	/* orphans come to us: nothing of one scenario goes on in the next */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	while (take(&text, &s)) {
		char mark[PATH_MAX];
		snprintf(mark, sizeof(mark), "%s/%s", marks, s.words[0]);
		close(open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
		pid_t pid = fork();
		if (pid == 0) {
			play(s.block);
			_exit(0);
		}
		while (wait(NULL) > 0 || errno == EINTR)
			continue;
		free(s.block);
	}
}

int main(int argc, char **argv)
{
	char *block = getenv(BLOCK);

	if (block) {
		block = strdup(block);
		unsetenv(BLOCK);
		play(block);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "prepare"))
		prepare(read_all(argv[2]));
	else if (argc == 3)
		play_all(read_all(argv[1]), argv[2]);
	return 0;
}

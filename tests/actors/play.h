/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the doings of scenarios share; see play.c. */
#ifndef KUNAI_TESTS_PLAY_H
#define KUNAI_TESTS_PLAY_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

enum {
	WORDS_MAX = 64,
	CODE_PAGE = 4096,
	PAYLOAD_MAX = 8 << 20,
};

#define SELF  "/proc/self/exe"
#define BLOCK "PLAY"

/* One line and what is below it; words end with NULL. */
struct step {
	char *words[WORDS_MAX];
	int count;
	char *block;
};

struct peer {
	struct sockaddr_storage address;
	socklen_t len;
};

/* The process that others do things to. */
extern pid_t play_victim;

void play_wait_for(pid_t pid);
void play_map(int fd, const char *name);
struct peer play_peer_of(const char *ip, const char *port);
void play_make_parents(const char *path);
void play_make_program(const char *path);
void play_fail(const char *what, const char *name);
void play(char *block);

#define DOING(name, words, function) void do_##function(struct step *s);
#include "play.def"
#undef DOING

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef KUNAI_TESTS_MODULE_H
#define KUNAI_TESTS_MODULE_H

/* One of the two calls, as it was made. */
struct module_call {
	const char *name;    /* that the kernel knows; NULL: it did not come to it */
	const char *args;    /* NULL: unreadable */
	const char *path;    /* finit_module: the descriptor's file; NULL: none */
	const char *content; /* of that file; NULL: too much for a fact */
	unsigned flags;
	int error; /* 0: loaded */
};

void module_state(const char *syscall_name, const struct module_call *call);

/* A file that is no module, and its descriptor. */
extern const char module_garbage[];
int module_garbage_open(void);

#endif

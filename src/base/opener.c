/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stddef.h>

#include "base/thread.h"

struct opener {
	const char *name;
	void (*work)(void *context);
	void *context;
	sem_t asked, answered;
	/* The question: */
	const char *path; /* NULL: there will be no other */
	int flags;
	int answer;
};

static _Thread_local struct opener *opener; /* of this thread; NULL: it opens its files itself */

static int open_here(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

static void await(sem_t *s)
{
	while (sem_wait(s) < 0 && errno == EINTR)
		;
}

int opener_open(const char *path, int flags)
{
	if (!opener)
		return open_here(path, flags);
	opener->path = path;
	opener->flags = flags;
	sem_post(&opener->asked);
	await(&opener->answered);
	return opener->answer;
}

static void *run(void *argument)
{
	opener = argument;
	pthread_setname_np(pthread_self(), opener->name);
	opener->work(opener->context);
	opener->path = NULL;
	sem_post(&opener->asked);
	return NULL;
}

static void serve(struct opener *o)
{
	for (await(&o->asked); o->path; await(&o->asked)) {
		o->answer = open_here(o->path, o->flags);
		sem_post(&o->answered);
	}
}

int opener_run(const char *name, void (*work)(void *context), void *context)
{
	struct opener o = {.name = name, .work = work, .context = context};
	pthread_t thread;

	sem_init(&o.asked, 0, 0);
	sem_init(&o.answered, 0, 0);
	int err = thread_start(&thread, run, &o);
	if (!err) {
		serve(&o);
		pthread_join(thread, NULL);
	}
	sem_destroy(&o.asked);
	sem_destroy(&o.answered);
	return err;
}

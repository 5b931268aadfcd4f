/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The helper's other end is played by the test. */
#include "enrich/prog_digests.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap.h"

static int helper;
static struct prog_asker asker;

static struct prog_request receive(void)
{
	struct prog_request request = {.id = 0};

	if (recv(helper, &request, sizeof(request), MSG_DONTWAIT) != sizeof(request))
		request.id = UINT32_MAX;
	return request;
}

static void reply(uint64_t number, uint64_t size, const char *md5)
{
	struct prog_reply answer = {.number = number, .size = size};

	digests_unknown(&answer.digests);
	strcpy(answer.digests.md5, md5);
	if (send(helper, &answer, sizeof(answer), 0) != sizeof(answer))
		abort();
}

static void start(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		abort();
	helper = fds[1];
	prog_asker_init(&asker, fds[0]);
}

static void stop(int fd)
{
	close(fd);
	close(helper);
}

static void test_answers(void)
{
	start();
	int fd = asker.fd;
	struct prog_ticket *a = prog_asker_ask(&asker, 7, 0x0102, 100);
	struct prog_ticket *b = prog_asker_ask(&asker, 8, 0, 100);
	struct prog_request first = receive(), second = receive();

	is_u64(first.id, 7, "the id is asked for");
	ok(first.tag[0] == 2 && first.tag[1] == 1, "and its tag");
	prog_asker_collect(&asker, 200);
	ok(!a->done && !b->done, "no answer yet");
	reply(second.number, 16, "bb");
	prog_asker_collect(&asker, 200);
	ok(!a->done && b->done, "the answer goes to its ticket");
	is_str(b->reply.digests.md5, "bb", "the digest");
	is_u64(b->reply.size, 16, "the size");
	reply(first.number, 0, "?");
	prog_asker_collect(&asker, 200);
	ok(a->done, "a program that was gone is answered, too");
	is_u64(asker.unknown, 1, "and counted");
	prog_ticket_drop(a);
	prog_ticket_drop(b);
	stop(fd);
}

static void test_late_answers(void)
{
	start();
	int fd = asker.fd;
	struct prog_ticket *a = prog_asker_ask(&asker, 7, 0, 100);
	uint64_t number = receive().number;

	prog_asker_collect(&asker, 100 + PROG_PATIENCE_NS);
	ok(!a->done, "patience");
	prog_asker_collect(&asker, 101 + PROG_PATIENCE_NS);
	ok(a->done && a->reply.size == 0, "has an end");
	is_str(a->reply.digests.sha512, "?", "nothing is known then");
	prog_ticket_drop(a);
	struct prog_ticket *b = prog_asker_ask(&asker, 8, 0, 100);
	reply(number, 8, "late");
	reply(UINT64_MAX, 8, "nobody's");
	prog_asker_collect(&asker, 100);
	ok(b == a && !b->done, "a late answer is not taken for the next one's");
	stop(fd);
}

static void test_bound(void)
{
	static struct prog_ticket *tickets[PROG_TICKETS_MAX];
	unsigned n = 0;

	start();
	int fd = asker.fd;
	for (int i = 0; i < PROG_TICKETS_MAX; i++) {
		tickets[i] = prog_asker_ask(&asker, 1, 0, 1);
		n += tickets[i] && receive().id == 1;
	}
	is_u64(n, PROG_TICKETS_MAX, "as many requests as there are tickets");
	ok(!prog_asker_ask(&asker, 1, 0, 1), "one more is refused");
	is_u64(asker.refused, 1, "and counted");
	prog_ticket_drop(tickets[5]);
	ok(prog_asker_ask(&asker, 1, 0, 1) == tickets[5], "a ticket that was given back is used again");
	close(helper);
	prog_asker_collect(&asker, 1);
	for (int i = n = 0; i < PROG_TICKETS_MAX; i++)
		n += tickets[i]->done;
	is_u64(n, PROG_TICKETS_MAX, "nobody waits for a helper that has gone");
	ok(asker.fd == -1 && !prog_asker_ask(&asker, 1, 0, 1), "or asks it again");
	close(fd);
}

static void test_no_helper(void)
{
	prog_asker_init(&asker, -1);
	ok(!prog_asker_ask(&asker, 1, 0, 1), "without a helper nothing is asked");
	prog_asker_collect(&asker, 1);
	is_u64(asker.refused, 1, "but counted");
}

static void test_digests(void)
{
	struct digests d;

	digests_of_bytes("abc", 3, &d);
	/* RFC 1321, FIPS 180-2 */
	is_str(d.md5, "900150983cd24fb0d6963f7d28e17f72", "MD5");
	is_str(d.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d", "SHA-1");
	is_str(d.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "SHA-256");
	is_u64(strlen(d.sha512), 128, "SHA-512");
}

int main(void)
{
	test_answers();
	test_late_answers();
	test_bound();
	test_no_helper();
	test_digests();
	return done_testing();
}

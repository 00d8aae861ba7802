/*
 * resolve_fixture -- a resolver whose look-up and clock are the test's own: no
 * network, no waiting for minutes.  One file of a program includes it.
 */
#ifndef RESOLVE_FIXTURE_H
#define RESOLVE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <event2/event.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "plumb/lookup.h"
#include "plumb/resolve_internal.h"

static _Atomic int64_t now_ms;
static _Atomic bool fails;
static _Atomic int octet = 1; /* of the address that look-ups find */
static _Atomic bool shut;     /* names with a 'g' in front hang while it is set */
static _Atomic int calls, inside, most_inside;

int64_t
clock_mono_ms(void)
{
	return now_ms;
}

int64_t
clock_wall_us(void)
{
	return 0;
}

int
lookup_host(const char *host, struct sockaddr_storage *out, size_t max, size_t *n, char *err,
	    size_t len)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	int here = atomic_fetch_add(&inside, 1) + 1, most = most_inside;

	while (here > most && !atomic_compare_exchange_weak(&most_inside, &most, here))
		;
	calls++;
	while (host[0] == 'g' && shut)
		usleep(500);
	inside--;
	assert_true(max >= 1);
	*n = 0;
	if (fails) {
		snprintf(err, len, "it is on holiday");
		return -1;
	}
	in.sin_addr.s_addr = htonl(0x0a000000U + (uint32_t)octet);
	memset(&out[0], 0, sizeof(out[0]));
	memcpy(&out[0], &in, sizeof(in));
	*n = 1;
	return 0;
}

struct fixture {
	struct event_base *base;
	struct mailbox *box;
	struct resolver *resolver;
	int answers, failures;
	char text[RESOLVE_ERROR_BYTES]; /* of the last answer */
};

static inline void
on_answer(const struct resolve_answer *answer, void *arg)
{
	struct fixture *f = arg;
	char ip[INET6_ADDRSTRLEN] = "";
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&answer->addr[0];
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&answer->addr[0];

	f->answers++;
	if (answer->n == 0) {
		f->failures++;
		snprintf(f->text, sizeof(f->text), "%s", answer->error);
	} else if (v4->sin_family == AF_INET) {
		inet_ntop(AF_INET, &v4->sin_addr, ip, sizeof(ip));
		snprintf(f->text, sizeof(f->text), "%s %d", ip, ntohs(v4->sin_port));
	} else {
		inet_ntop(AF_INET6, &v6->sin6_addr, ip, sizeof(ip));
		snprintf(f->text, sizeof(f->text), "%s %d", ip, ntohs(v6->sin6_port));
	}
}

static inline int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	now_ms = 1000000;
	fails = false;
	shut = false;
	octet = 1;
	calls = 0;
	most_inside = 0;
	f->base = event_base_new();
	f->box = mailbox_new(f->base, f);
	f->resolver = resolver_new();
	*state = f;
	return f->box == NULL;
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;

	resolver_free(f->resolver);
	mailbox_turn(f->box);
	mailbox_free(f->box);
	event_base_free(f->base);
	free(f);
	return 0;
}

static inline struct resolve_request *
ask(struct fixture *f, uint64_t app, const char *host)
{
	return resolve_ask(f->resolver, f->box, app, host, 514, on_answer, f);
}

/* Turns the loop until cond holds, for 20 s at most. */
#define UNTIL(f, cond)                                                             \
	do {                                                                       \
		for (int i_ = 0; !(cond) && i_ < 20000; i_++) {                    \
			event_base_loop((f)->base, EVLOOP_ONCE | EVLOOP_NONBLOCK); \
			if (!(cond))                                               \
				usleep(1000);                                      \
		}                                                                  \
		assert_true(cond);                                                 \
	} while (0)

/* Long enough for what must not happen to happen. */
static inline void
linger(struct fixture *f)
{
	for (int i = 0; i < 50; i++) {
		event_base_loop(f->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		usleep(1000);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif

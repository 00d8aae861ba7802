#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/xmalloc.h"
#include "plumb/mailbox.h"

enum { PUSHERS = 4, EACH = 20000 };

struct letter {
	struct mail mail;
	int pusher, number;
};

struct owner {
	struct event_base *base;
	struct mailbox *box;
	int next[PUSHERS];
	int delivered, disordered;
	int stop_at;
};

static void
on_letter(struct mail *mail, void *arg)
{
	struct letter *letter = (struct letter *)mail;
	struct owner *owner = arg;

	if (owner->next[letter->pusher]++ != letter->number)
		owner->disordered++;
	free(letter);
	if (++owner->delivered == owner->stop_at)
		event_base_loopbreak(owner->base);
}

static void
push(struct owner *owner, int pusher, int number)
{
	struct letter *letter = xcalloc(1, sizeof(*letter));

	letter->mail.deliver = on_letter;
	letter->pusher = pusher;
	letter->number = number;
	mailbox_push(owner->box, &letter->mail);
}

static void
owner_open(struct owner *owner)
{
	*owner = (struct owner){.base = event_base_new()};
	owner->box = mailbox_new(owner->base, owner);
	assert_non_null(owner->box);
}

static void
owner_close(struct owner *owner)
{
	mailbox_free(owner->box);
	event_base_free(owner->base);
}

struct pusher {
	struct owner *owner;
	int id;
};

static void *
pusher_run(void *arg)
{
	const struct pusher *p = arg;

	for (int i = 0; i < EACH; i++)
		push(p->owner, p->id, i);
	return NULL;
}

static void
many_threads_mail_arrives_once_and_in_the_order_of_each(void **state)
{
	struct owner owner;
	struct pusher pushers[PUSHERS];
	pthread_t threads[PUSHERS];

	(void)state;
	owner_open(&owner);
	owner.stop_at = PUSHERS * EACH;
	for (int i = 0; i < PUSHERS; i++) {
		pushers[i] = (struct pusher){&owner, i};
		assert_int_equal(pthread_create(&threads[i], NULL, pusher_run, &pushers[i]), 0);
	}
	event_base_dispatch(owner.base);
	for (int i = 0; i < PUSHERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(owner.delivered, PUSHERS * EACH);
	assert_int_equal(owner.disordered, 0);
	owner_close(&owner);
}

static void
a_large_batch_is_delivered_in_order_by_one_turn(void **state)
{
	struct owner owner;

	(void)state;
	owner_open(&owner);
	for (int i = 0; i < 100000; i++)
		push(&owner, 0, i);
	assert_int_equal(owner.delivered, 0);
	mailbox_turn(owner.box);
	assert_int_equal(owner.delivered, 100000);
	assert_int_equal(owner.disordered, 0);
	owner_close(&owner);
}

static void
the_loop_wakes_for_mail_after_a_direct_turn(void **state)
{
	struct owner owner;

	(void)state;
	owner_open(&owner);
	push(&owner, 0, 0);
	mailbox_turn(owner.box);
	push(&owner, 0, 1);
	event_base_loop(owner.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	assert_int_equal(owner.delivered, 2);
	event_base_loop(owner.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	assert_int_equal(owner.delivered, 2);
	owner_close(&owner);
}

struct echo {
	struct mail mail;
	struct mailbox *box;
	int left, turns;
};

static void
on_echo(struct mail *mail, void *arg)
{
	struct echo *echo = (struct echo *)mail;

	(void)arg;
	echo->turns++;
	if (echo->left-- > 0)
		mailbox_push(echo->box, mail);
}

static void
mail_pushed_by_a_delivery_waits_for_the_next_turn(void **state)
{
	struct owner owner;
	struct echo echo = {.mail = {.deliver = on_echo}, .left = 2};

	(void)state;
	owner_open(&owner);
	echo.box = owner.box;
	mailbox_push(owner.box, &echo.mail);
	mailbox_turn(owner.box);
	assert_int_equal(echo.turns, 1);
	event_base_loop(owner.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	assert_int_equal(echo.turns, 2);
	event_base_loop(owner.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	assert_int_equal(echo.turns, 3);
	owner_close(&owner);
}

struct last {
	struct mail mail;
	bool came;
};

static void
on_last(struct mail *mail, void *arg)
{
	(void)arg;
	((struct last *)mail)->came = true;
}

struct last_push {
	struct mailbox *box;
	struct mail *mail;
};

static void *
last_run(void *arg)
{
	const struct last_push *p = arg;

	mailbox_push(p->box, p->mail);
	return NULL;
}

/* The pusher may still be on its way out of mailbox_push: ASan and TSan watch. */
static void
a_mailbox_may_go_when_its_last_mail_has_come(void **state)
{
	(void)state;
	for (int i = 0; i < 300; i++) {
		struct event_base *base = event_base_new();
		struct last last = {.mail = {.deliver = on_last}};
		struct last_push p = {.mail = &last.mail};
		pthread_t thread;

		p.box = mailbox_new(base, NULL);
		assert_non_null(p.box);
		assert_int_equal(pthread_create(&thread, NULL, last_run, &p), 0);
		while (!last.came)
			mailbox_turn(p.box);
		mailbox_free(p.box);
		pthread_join(thread, NULL);
		event_base_free(base);
	}
}

static void
without_descriptors_there_is_no_mailbox_and_a_reason(void **state)
{
	struct event_base *base = event_base_new();
	struct rlimit was, none;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &was);
	none = was;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	errno = 0;
	assert_null(mailbox_new(base, NULL));
	assert_int_equal(errno, EMFILE);
	setrlimit(RLIMIT_NOFILE, &was);
	event_base_free(base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(many_threads_mail_arrives_once_and_in_the_order_of_each),
	    cmocka_unit_test(a_large_batch_is_delivered_in_order_by_one_turn),
	    cmocka_unit_test(the_loop_wakes_for_mail_after_a_direct_turn),
	    cmocka_unit_test(mail_pushed_by_a_delivery_waits_for_the_next_turn),
	    cmocka_unit_test(a_mailbox_may_go_when_its_last_mail_has_come),
	    cmocka_unit_test(without_descriptors_there_is_no_mailbox_and_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

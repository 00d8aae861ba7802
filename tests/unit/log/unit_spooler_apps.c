/* The table of apps against a plain array, while apps come, go and are asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

#include "log/spooler_apps.h"

enum { APPS = 500, STEPS = 100000 };

struct model {
	char boxes[APPS]; /* their addresses stand for mailboxes */
	struct mailbox *home[APPS];
	uint64_t cut[APPS];
	uint64_t all_cut;
};

static uint32_t
pick(uint32_t *seed, uint32_t n)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % n;
}

static void
change(struct spooler_apps *t, struct model *m, uint32_t app, uint32_t what)
{
	struct spooler_app *a = spooler_apps_find(t, app);

	switch (what) {
	case 0:
		spooler_apps_forget(t, app);
		m->home[app] = NULL;
		m->all_cut -= m->cut[app];
		m->cut[app] = 0;
		break;
	case 1:
		if (a == NULL || a->asked != 0)
			break;
		spooler_apps_ask(t, a, 1, app, 0);
		m->cut[app] = app;
		m->all_cut += app;
		break;
	case 2:
		if (a == NULL)
			break;
		spooler_apps_unask(t, a);
		m->all_cut -= m->cut[app];
		m->cut[app] = 0;
		break;
	default:
		m->home[app] = (struct mailbox *)&m->boxes[(app + what) % APPS];
		spooler_apps_know(t, app, m->home[app]);
	}
}

static void
apps_are_found_until_they_are_forgotten(void **state)
{
	static struct model m;
	struct spooler_apps t;
	uint32_t seed = 1;

	(void)state;
	spooler_apps_init(&t);
	assert_null(spooler_apps_find(&t, 1));
	spooler_apps_forget(&t, 1);
	for (int i = 0; i < STEPS; i++) {
		uint32_t app = pick(&seed, APPS);
		const struct spooler_app *a;

		change(&t, &m, app, pick(&seed, 6));
		app = pick(&seed, APPS);
		a = spooler_apps_find(&t, app);
		assert_true((a != NULL) == (m.home[app] != NULL));
		if (a != NULL) {
			assert_int_equal(a->app, app);
			assert_ptr_equal(a->home, m.home[app]);
			assert_int_equal(a->cut, m.cut[app]);
		}
		assert_int_equal(t.cut, m.all_cut);
	}
	spooler_apps_clear(&t);
	assert_true(TAILQ_EMPTY(&t.asked));
}

static void
who_was_asked_first_is_first(void **state)
{
	struct spooler_apps t;
	char box;

	(void)state;
	spooler_apps_init(&t);
	for (uint64_t app = 1; app <= 3; app++) {
		spooler_apps_know(&t, app, (struct mailbox *)&box);
		spooler_apps_ask(&t, spooler_apps_find(&t, app), 1, 1, (int64_t)app);
	}
	spooler_apps_unask(&t, spooler_apps_find(&t, 1));
	assert_int_equal(TAILQ_FIRST(&t.asked)->app, 2);
	spooler_apps_forget(&t, 2);
	assert_int_equal(TAILQ_FIRST(&t.asked)->app, 3);
	assert_int_equal(t.cut, 1);
	spooler_apps_clear(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(apps_are_found_until_they_are_forgotten),
	    cmocka_unit_test(who_was_asked_first_is_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

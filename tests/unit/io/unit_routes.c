#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "io/routes.h"

enum { MANY = 20000 };

static struct slice
name_of(unsigned i, char text[24])
{
	int n = snprintf(text, 24, "app-%u", i);

	return slice_of(text, (size_t)n);
}

static void
a_name_and_an_app_lead_to_the_same_route(void **state)
{
	struct routes *r = routes_new();
	struct route *web = routes_add(r, SLICE("web"), 7, 2);

	(void)state;
	assert_ptr_equal(routes_by_name(r, SLICE("web")), web);
	assert_ptr_equal(routes_by_app(r, 7), web);
	assert_int_equal(web->home, 2);
	assert_null(web->log);
	assert_null(routes_by_name(r, SLICE("Web")));
	assert_null(routes_by_name(r, SLICE("we")));
	assert_null(routes_by_name(r, slice_of(NULL, 0)));
	assert_null(routes_by_app(r, 8));
	routes_free(r);
}

/* Removing from an open-addressed table must not hide what was pushed past the hole. */
static void
any_mix_of_adds_and_removes_leaves_exactly_the_rest(void **state)
{
	struct routes *r = routes_new();
	static unsigned char there[MANY];
	unsigned seed = 12345;
	char text[24];

	(void)state;
	for (unsigned step = 0; step < MANY * 6; step++) {
		unsigned i = (seed = seed * 1103515245U + 12345U) / 65536U % MANY;
		struct slice name = name_of(i, text);

		if (there[i])
			routes_remove(r, routes_by_name(r, name));
		else
			routes_add(r, name, i + 1, i % 3);
		there[i] ^= 1;
	}
	for (unsigned i = 0; i < MANY; i++) {
		struct route *route = routes_by_name(r, name_of(i, text));

		assert_int_equal(route != NULL, there[i]);
		assert_ptr_equal(routes_by_app(r, i + 1), route);
		if (route != NULL)
			assert_int_equal(route->app, i + 1);
	}
	routes_free(r);
}

static void
count_route(struct route *route, void *arg)
{
	uint64_t *sum = arg;

	*sum += route->app;
}

static void
a_walk_meets_every_route_once(void **state)
{
	struct routes *r = routes_new();
	uint64_t sum = 0;
	char text[24];

	(void)state;
	for (unsigned i = 1; i <= 1000; i++)
		routes_add(r, name_of(i, text), i, 0);
	routes_walk(r, count_route, &sum);
	assert_int_equal(sum, 1000 * 1001 / 2);
	routes_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_name_and_an_app_lead_to_the_same_route),
	    cmocka_unit_test(any_mix_of_adds_and_removes_leaves_exactly_the_rest),
	    cmocka_unit_test(a_walk_meets_every_route_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

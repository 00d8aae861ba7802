#include "whole/call_turns.h"

#include "base/clock.h"

/* The longest that one turn works on a call. */
enum { TURN_US = 1000 };

/* Places of the routes that one step looks at: most may be free, or of apps elsewhere. */
enum { PLACES_A_STEP = 64 };

static void
run_turn(struct call *call, struct worker *w)
{
	struct call_turns *t = (struct call_turns *)call;
	int64_t until = clock_mono_us() + TURN_US;

	call->later = false;
	while (t->step(t, w)) {
		if (clock_mono_us() < until)
			continue;
		/* It has begun, so that main does not take it back: it comes again as mail. */
		call->later = true;
		mailbox_push(w->mailbox, &call->mail);
		return;
	}
}

void *
call_turns_new(size_t size, bool (*step)(struct call_turns *, struct worker *),
	       void (*clear)(struct call *))
{
	struct call_turns *t = call_new(size, run_turn, clear);

	t->step = step;
	return t;
}

struct app_home *
worker_home_of(const struct worker *w, uint64_t app)
{
	const struct route *r = routes_by_app(w->routes, app);

	return r != NULL ? r->home_state : NULL;
}

enum home_found
home_walk_next(struct home_walk *walk, const struct worker *w)
{
	size_t end = routes_places(w->routes);

	if (walk->home != NULL && walk->next < walk->home->n) {
		walk->at = walk->next++;
		return HOME_DRAIN;
	}
	for (size_t i = 0; i < PLACES_A_STEP && walk->place < end; i++) {
		struct route *r = routes_at(w->routes, walk->place++);

		if (r == NULL || r->home_state == NULL)
			continue;
		walk->route = r;
		walk->home = r->home_state;
		walk->next = 0;
		return HOME_APP;
	}
	walk->home = NULL;
	return walk->place < end ? HOME_NOTHING_YET : HOME_END;
}

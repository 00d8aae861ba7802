#include "whole/app_home.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"

struct app_home *
app_home_new(struct log_pool *pool, uint64_t app, const char *name)
{
	struct app_home *h = xcalloc(1, sizeof(*h));

	h->log = app_log_new(pool, app, name);
	TAILQ_INIT(&h->taps);
	return h;
}

static void
app_home_free(struct app_home *h, void (*end)(struct drain *))
{
	for (size_t i = 0; i < h->n; i++)
		end(h->drains[i]);
	tap_end_all(&h->taps);
	app_log_free(h->log);
	free(h->drains);
	free(h);
}

void
app_home_remove(struct app_home *h)
{
	app_home_free(h, drain_remove);
}

void
app_home_abandon(struct app_home *h)
{
	app_home_free(h, drain_abandon);
}

void
app_home_add(struct app_home *h, struct drain *d)
{
	h->drains = xrealloc(h->drains, (h->n + 1) * sizeof(struct drain *));
	h->drains[h->n++] = d;
}

struct drain *
app_home_find(const struct app_home *h, const char *url)
{
	for (size_t i = 0; i < h->n; i++)
		if (strcmp(drain_url(h->drains[i]), url) == 0)
			return h->drains[i];
	return NULL;
}

uint64_t
app_home_dropped(const struct drain_status *s)
{
	return s->lines_dropped_memory + s->lines_dropped_rate + s->lines_dropped_spool +
	       s->lines_dropped_age + s->lines_dropped_damaged + s->lines_dropped_size +
	       s->lines_dropped_refused;
}

void
app_home_take(struct app_home *h, struct drain *d)
{
	struct drain_status status;
	size_t i = 0;

	drain_status(d, &status);
	h->dropped_before += app_home_dropped(&status);
	while (h->drains[i] != d)
		i++;
	h->n--;
	memmove(&h->drains[i], &h->drains[i + 1], (h->n - i) * sizeof(struct drain *));
}

#include "store/spool_logs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"

enum { SLOTS_FIRST = 64 };

/* Fibonacci hashing: apps' numbers come one after the other. */
static size_t
slot_home(const struct spool_logs *l, uint64_t app)
{
	return (size_t)(app * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (l->slots - 1);
}

/* Where the app is, or would be. */
static size_t
slot_find(const struct spool_logs *l, uint64_t app)
{
	size_t i = slot_home(l, app);

	while (l->slot[i] != NULL && l->slot[i]->log.app != app)
		i = (i + 1) & (l->slots - 1);
	return i;
}

static void
slots_grow(struct spool_logs *l)
{
	struct spool_entry **was = l->slot;
	size_t n = l->slots;

	l->slots = n == 0 ? SLOTS_FIRST : 2 * n;
	l->slot = xcalloc(l->slots, sizeof(struct spool_entry *));
	for (size_t i = 0; i < n; i++)
		if (was[i] != NULL)
			l->slot[slot_find(l, was[i]->log.app)] = was[i];
	free(was);
}

/* Entries behind a slot that gets free move up, so that they are still found. */
static void
slot_free(struct spool_logs *l, size_t hole)
{
	size_t mask = l->slots - 1;

	for (size_t i = (hole + 1) & mask; l->slot[i] != NULL; i = (i + 1) & mask) {
		size_t home = slot_home(l, l->slot[i]->log.app);

		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		l->slot[hole] = l->slot[i];
		hole = i;
	}
	l->slot[hole] = NULL;
}

static uint64_t
entry_bytes(const struct spool_entry *e)
{
	return e->dropped ? 0 : e->log.end.bytes - e->log.head.bytes;
}

static void
entry_count(struct spool_logs *l, const struct spool_entry *e)
{
	l->bytes += entry_bytes(e);
	l->ndropped += e->dropped;
	l->nuntidy += e->untidy;
}

static void
entry_uncount(struct spool_logs *l, const struct spool_entry *e)
{
	l->bytes -= entry_bytes(e);
	l->ndropped -= e->dropped;
	l->nuntidy -= e->untidy;
}

static void
live_add(struct spool_logs *l, struct spool_entry *e)
{
	if (l->nlive == l->cap_live) {
		l->cap_live = l->cap_live == 0 ? SLOTS_FIRST : 2 * l->cap_live;
		l->live = xrealloc(l->live, l->cap_live * sizeof(struct spool_entry *));
	}
	e->live = l->nlive;
	l->live[l->nlive++] = e;
}

static void
live_remove(struct spool_logs *l, const struct spool_entry *e)
{
	struct spool_entry *last = l->live[--l->nlive];

	l->live[e->live] = last;
	last->live = e->live;
}

static struct spool_entry *
entry_attach(struct spool_logs *l, const struct spool_entry *as)
{
	struct spool_entry *e = xmalloc(sizeof(*e));

	*e = *as;
	if (4 * (l->n + 1) > 3 * l->slots)
		slots_grow(l);
	l->slot[slot_find(l, e->log.app)] = e;
	l->n++;
	if (!e->dropped)
		live_add(l, e);
	entry_count(l, e);
	return e;
}

static void
entry_detach(struct spool_logs *l, struct spool_entry *e)
{
	entry_uncount(l, e);
	if (!e->dropped)
		live_remove(l, e);
	slot_free(l, slot_find(l, e->log.app));
	l->n--;
	free(e);
}

struct spool_entry *
spool_logs_find(const struct spool_logs *l, uint64_t app)
{
	return l->slots == 0 ? NULL : l->slot[slot_find(l, app)];
}

void
spool_logs_load(struct spool_logs *l, const struct spool_log *log, bool dropped)
{
	/* What was not deleted before the last end has to be looked for. */
	const struct spool_entry e = {.log = *log, .dropped = dropped, .untidy = true};

	assert(spool_logs_find(l, log->app) == NULL);
	entry_attach(l, &e);
}

void
spool_logs_clear(struct spool_logs *l)
{
	for (size_t i = 0; i < l->slots; i++)
		free(l->slot[i]);
	free(l->slot);
	free(l->live);
	free(l->journal);
	memset(l, 0, sizeof(*l));
}

void
spool_logs_begin(struct spool_logs *l)
{
	assert(l->njournal == 0);
	l->transaction++;
}

static void
journal_add(struct spool_logs *l, const struct spool_entry *was, bool is_new)
{
	if (l->njournal == l->cap_journal) {
		l->cap_journal = l->cap_journal == 0 ? SLOTS_FIRST : 2 * l->cap_journal;
		l->journal = xrealloc(l->journal, l->cap_journal * sizeof(*l->journal));
	}
	l->journal[l->njournal++] = (struct spool_journal){.was = *was, .is_new = is_new};
}

struct spool_entry *
spool_logs_change(struct spool_logs *l, uint64_t app)
{
	struct spool_entry *e = spool_logs_find(l, app);
	bool is_new = e == NULL;

	if (is_new)
		e = entry_attach(l, &(struct spool_entry){.log = {.app = app}});
	if (e->changed != l->transaction)
		journal_add(l, e, is_new);
	e->changed = l->transaction;
	return e;
}

void
spool_logs_move(struct spool_logs *l, struct spool_entry *e, const struct spool_place *head,
		const struct spool_place *end)
{
	assert(e->changed == l->transaction && head->bytes <= end->bytes);
	entry_uncount(l, e);
	e->log.head = *head;
	e->log.end = *end;
	entry_count(l, e);
}

void
spool_logs_set_untidy(struct spool_logs *l, struct spool_entry *e, bool untidy)
{
	entry_uncount(l, e);
	e->untidy = untidy;
	entry_count(l, e);
}

void
spool_logs_set_dropped(struct spool_logs *l, struct spool_entry *e, bool dropped)
{
	assert(e->changed == l->transaction && e->dropped != dropped);
	entry_uncount(l, e);
	e->dropped = dropped;
	if (dropped)
		live_remove(l, e);
	else
		live_add(l, e);
	entry_count(l, e);
}

void
spool_logs_remove(struct spool_logs *l, uint64_t app)
{
	entry_detach(l, spool_logs_change(l, app));
}

void
spool_logs_keep(struct spool_logs *l)
{
	l->njournal = 0;
}

void
spool_logs_undo(struct spool_logs *l)
{
	while (l->njournal > 0) {
		const struct spool_journal *j = &l->journal[--l->njournal];
		struct spool_entry *e = spool_logs_find(l, j->was.log.app);

		if (e != NULL)
			entry_detach(l, e);
		if (!j->is_new)
			entry_attach(l, &j->was);
	}
}

/*
 * Back-pressure.  A worker over worker-memory tells all workers to stop
 * reading, because any of them may read lines for its apps; at half it tells
 * them to go on.  Mailbox pushes never block: who fills another worker's
 * mailbox stops reading until that worker has emptied it.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "log/log_shed.h"
#include "whole/app_home.h"
#include "whole/worker.h"

/* Unsent bytes of lagging cursors, over all workers, before the greediest is trimmed. */
enum { LAGGING_MAX_MIB = 512 };

struct pause_mail {
	struct mail mail;
	int change; /* +1 or -1 */
	int from;   /* index of the worker whose mailbox emptied; -1: memory */
};

static void
set_paused(struct worker *w, int change)
{
	bool was = w->paused_by > 0;

	w->paused_by = (unsigned)((int)w->paused_by + change);
	if (!was && w->paused_by > 0)
		stats_add(&w->stats.pauses, 1);
	intake_pause(&w->intake, w->paused_by > 0);
}

static void
on_pause_mail(struct mail *mail, void *owner)
{
	struct pause_mail *p = (struct pause_mail *)mail;
	struct worker *w = owner;

	if (p->from >= 0)
		w->asked &= ~(UINT64_C(1) << p->from);
	set_paused(w, p->change);
	free(p);
}

static void
send_pause(struct post *to, int change, int from)
{
	struct pause_mail *p = xcalloc(1, sizeof(*p));

	p->mail.deliver = on_pause_mail;
	p->change = change;
	p->from = from;
	mailbox_push(to->mailbox, &p->mail);
}

static void
tell_all(struct worker *w, int change)
{
	for (unsigned i = 0; i < w->setup->workers; i++)
		if (i == w->index)
			set_paused(w, change);
		else
			send_pause(w->setup->posts[i], change, -1);
}

/* Wakes those that stopped because this worker's mailbox was too full. */
static void
answer_askers(struct worker *w, size_t limit)
{
	uint64_t asking;

	if (atomic_load(&w->post.asking) == 0 || atomic_load(&w->post.waiting) > limit / 2)
		return;
	asking = atomic_exchange(&w->post.asking, 0);
	for (unsigned i = 0; i < w->setup->workers; i++)
		if (asking & (UINT64_C(1) << i))
			send_pause(w->setup->posts[i], -1, (int)w->index);
}

void
worker_weigh(struct worker *w)
{
	size_t limit = (size_t)w->setup->config->worker_memory;

	answer_askers(w, limit);
	if (!w->pressing && w->pool.pressure > limit) {
		w->pressing = w->drains.pressed = true;
		tell_all(w, +1);
	} else if (w->pressing && w->pool.pressure <= limit / 2) {
		w->pressing = w->drains.pressed = false;
		tell_all(w, -1);
	}
}

void
worker_post(struct worker *w)
{
	size_t limit = (size_t)w->setup->config->worker_memory;
	uint64_t me = UINT64_C(1) << w->index;
	unsigned to = 0;
	struct post *post;

	if (outbox_post(&w->ingest.outbox, &to) <= limit)
		return;
	if (w->asked & (UINT64_C(1) << to))
		return;
	post = w->setup->posts[to];
	atomic_fetch_or(&post->asking, me);
	/* It may have emptied in between; if it did not see our bit, nobody will wake us. */
	if (atomic_load(&post->waiting) <= limit / 2 &&
	    (atomic_fetch_and(&post->asking, ~me) & me) != 0)
		return;
	w->asked |= UINT64_C(1) << to;
	set_paused(w, +1);
}

struct judgement {
	struct worker *worker;
	int64_t now_ms;
	struct app_log *greediest;
	size_t most;
};

static void
judge_route(struct route *r, void *arg)
{
	struct judgement *j = arg;
	bool pressed = j->worker->drains.pressed, gathers = false;
	struct cursor *c;

	if (r->log == NULL)
		return;
	TAILQ_FOREACH(c, &r->log->cursors, link)
	{
		/* A tap judges itself. */
		if (c->tap)
			continue;
		cursor_judge(c, pressed, j->now_ms);
		gathers = gathers || (pressed && !c->lags && cursor_waiting_bytes(c) > 0);
	}
	if (pressed)
		worker_spool_relieve(j->worker, r->log);
	if (r->log->lagging > j->most) {
		j->most = r->log->lagging;
		j->greediest = r->log;
	}
	/* No batch waits for company while all wait for memory. */
	if (gathers) {
		r->log->flushed_ms = 0;
		worker_touch(r->log, j->worker);
	}
}

void
worker_relieve(struct worker *w)
{
	size_t share = (size_t)LAGGING_MAX_MIB * 1024 * 1024 / w->setup->workers;
	struct judgement j = {.worker = w, .now_ms = clock_mono_ms()};

	/* Some log may be over app-memory and get no more lines by which it would be judged. */
	while (w->pressing || w->pool.lagging > share || w->pool.pressure > w->pool.app_memory) {
		size_t before = w->pool.lagging;

		j.greediest = NULL;
		j.most = 0;
		routes_walk(w->routes, judge_route, &j);
		if (w->pool.lagging <= share || j.greediest == NULL)
			break;
		/* All its lagging drains: what one of them still wants stays in memory. */
		log_shed(j.greediest, j.most / 2);
		if (w->pool.lagging >= before)
			break;
	}
	worker_weigh(w);
}

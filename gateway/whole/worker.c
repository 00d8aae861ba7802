#include "whole/worker.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "whole/app_home.h"

/* Acknowledgements are asked for, and what is held is let go, this often. */
enum { TICK_MS = 250, SWEEP_MS = 1000 };

/*
 * A worker is busy once it left something unread in so many turns more than it read all that was
 * there: one turn is a burst.  It takes as many of the other kind to end that.
 */
enum { BUSY_TURNS = 4, BUSY_TURNS_MOST = 8 };

/* Then lines gather so long, as far as memory allows. */
enum { BUSY_LINGER_MS = 200 };

/* A log that has been idle this long gives up its chunk. */
enum { IDLE_LOG_MS = 2000 };

void
worker_touch(struct app_log *log, void *arg)
{
	struct worker *w = arg;

	if (log->touched || log->leaving)
		return;
	log->touched = true;
	TAILQ_INSERT_TAIL(&w->touched, log, touched_link);
}

/* A drain has more to send than one turn carries. */
static void
on_more(struct app_log *log, void *arg)
{
	log->flushed_ms = 0;
	worker_touch(log, arg);
}

static void
on_unknown(struct slice name, void *arg)
{
	struct worker *w = arg;
	const struct unrouted_name *first = unrouted_count(&w->unrouted, name, w->ingest.now_us);
	struct unknown_app *u;

	if (first == NULL)
		return;
	u = xcalloc(1, sizeof(*u));
	u->mail.deliver = w->setup->unknown;
	memcpy(u->name, first->name, sizeof(u->name));
	mailbox_push(w->setup->main, &u->mail);
}

static void
unlist_idle(struct worker *w, struct app_log *log)
{
	if (!log->idle)
		return;
	TAILQ_REMOVE(&w->idle, log, idle_link);
	log->idle = false;
}

static void
unlist_due(struct worker *w, struct app_log *log)
{
	if (log->due)
		TAILQ_REMOVE(&w->due, log, due_link);
	log->due = false;
}

void
worker_forget_log(struct worker *w, struct app_log *log)
{
	unlist_idle(w, log);
	worker_spool_forget(w, log, false);
	if (log->touched)
		TAILQ_REMOVE(&w->touched, log, touched_link);
	log->touched = false;
	unlist_due(w, log);
}

static void
list_if_idle(struct worker *w, struct app_log *log, int64_t now_ms)
{
	/* A drain that ends with its app may find that all was delivered. */
	if (log->idle || log->leaving || !app_log_is_idle(log))
		return;
	log->idle = true;
	log->idle_ms = now_ms;
	TAILQ_INSERT_TAIL(&w->idle, log, idle_link);
}

static void
on_rests(struct app_log *log, void *arg)
{
	list_if_idle(arg, log, clock_mono_ms());
}

void
worker_flush(struct worker *w, struct app_log *log, int64_t now_ms)
{
	struct cursor *c;

	log->flushed_ms = now_ms;
	log->flushed_bytes = log->end_bytes;
	TAILQ_FOREACH(c, &log->cursors, link)
	c->flush(c);
	list_if_idle(w, log, now_ms);
}

static bool
is_busy(const struct worker *w)
{
	return w->more_turns >= BUSY_TURNS;
}

static int64_t
longest_linger(const struct worker *w)
{
	bool longer = is_busy(w) && w->linger > 0 && w->linger < BUSY_LINGER_MS;

	return longer ? BUSY_LINGER_MS : w->linger;
}

/* A log got lines: out at once when it was quiet or has plenty, else after the linger time. */
static void
schedule_log(struct worker *w, struct app_log *log, int64_t now_ms)
{
	unlist_idle(w, log);
	worker_spool_lines(w, log);
	if (log->end_bytes - log->flushed_bytes >= CHUNK_FULL_BYTES ||
	    now_ms - log->flushed_ms >= longest_linger(w)) {
		unlist_due(w, log);
		worker_flush(w, log, now_ms);
	} else if (!log->due) {
		log->due = true;
		log->due_since_ms = now_ms;
		TAILQ_INSERT_TAIL(&w->due, log, due_link);
	}
}

/*
 * With more to read than was read, sending costs what reading needs, and the more lines share a
 * send the fewer lines wait unread.  Near worker-memory the oldest go, one log after the other.
 */
static bool
is_due(const struct worker *w, const struct app_log *log, int64_t now_ms)
{
	int64_t age_ms = now_ms - log->due_since_ms;

	if (!is_busy(w) || w->pool.pressure > (size_t)w->setup->config->worker_memory / 4 * 3)
		return age_ms >= w->linger;
	return age_ms >= longest_linger(w);
}

static void
flush_due(struct worker *w, int64_t now_ms)
{
	struct app_log *log;

	while ((log = TAILQ_FIRST(&w->due)) != NULL && is_due(w, log, now_ms)) {
		unlist_due(w, log);
		if (log->end_bytes > log->flushed_bytes)
			worker_flush(w, log, now_ms);
	}
	if (log != NULL && !evtimer_pending(w->due_timer, NULL)) {
		int64_t left_ms = log->due_since_ms + w->linger - now_ms;
		int64_t ms = left_ms > 0 ? left_ms : 0;
		struct timeval tv = {.tv_sec = (time_t)(ms / 1000),
				     .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

		event_add(w->due_timer, &tv);
	}
}

static void
note_reading(struct worker *w)
{
	if (w->intake.more && w->more_turns < BUSY_TURNS_MOST)
		w->more_turns++;
	else if (!w->intake.more && w->more_turns > 0)
		w->more_turns--;
	w->intake.more = false;
}

/* After each round of events. */
static void
worker_turn(struct worker *w)
{
	struct app_log_list touched = TAILQ_HEAD_INITIALIZER(touched);
	int64_t now_ms = clock_mono_ms();
	struct app_log *log;

	w->drains.encoded = 0;
	note_reading(w);
	/* What is touched while flushing belongs to the next turn. */
	TAILQ_CONCAT(&touched, &w->touched, touched_link);
	while ((log = TAILQ_FIRST(&touched)) != NULL) {
		TAILQ_REMOVE(&touched, log, touched_link);
		log->touched = false;
		schedule_log(w, log, now_ms);
	}
	flush_due(w, now_ms);
	worker_spool_turn(w);
	worker_weigh(w);
}

/* Its drains may be gathering a batch. */
static void
hurry_log(struct route *r, void *arg)
{
	if (r->log != NULL && !app_log_is_idle(r->log))
		worker_touch(r->log, arg);
}

void
worker_stop_lingering(struct worker *w)
{
	struct app_log *log;

	w->linger = 0;
	w->drains.hurried = true;
	TAILQ_FOREACH(log, &w->due, due_link)
	log->due_since_ms = 0;
	routes_walk(w->routes, hurry_log, w);
}

static void
poll_holding(struct worker *w, int64_t now_ms)
{
	struct drain *d, *next;

	for (d = TAILQ_FIRST(&w->drains.holding); d != NULL; d = next) {
		next = drain_next_holding(d);
		drain_poll(d);
		list_if_idle(w, drain_log(d), now_ms);
	}
}

static void
hibernate_logs(struct worker *w, int64_t now_ms)
{
	struct app_log *log;

	while ((log = TAILQ_FIRST(&w->idle)) != NULL && now_ms - log->idle_ms >= IDLE_LOG_MS) {
		unlist_idle(w, log);
		if (app_log_is_idle(log))
			app_log_hibernate(log);
	}
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	int64_t now_ms = clock_mono_ms();

	(void)fd;
	(void)what;
	poll_holding(w, now_ms);
	hibernate_logs(w, now_ms);
	worker_relieve(w);
	if (now_ms - w->swept_ms >= SWEEP_MS) {
		w->swept_ms = now_ms;
		intake_sweep(&w->intake, now_ms);
	}
}

/* Its only use is to end the wait for events: the turn after it does the work. */
static void
on_due(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static void
on_read_done(void *arg)
{
	struct worker *w = arg;

	ingest_end(&w->ingest);
	worker_post(w);
}

static void
on_bundle(struct mail *mail, void *owner)
{
	struct bundle *b = (struct bundle *)mail;
	struct worker *w = owner;

	ingest_bundle(&w->ingest, b);
	atomic_fetch_sub(&w->post.waiting, b->n);
	bundle_free(b);
}

static struct slice
app_name_or_none(const char *name)
{
	return name != NULL ? slice_str(name) : slice_of(NULL, 0);
}

static void
init_parts(struct worker *w)
{
	const struct worker_setup *setup = w->setup;
	const struct config *config = setup->config;

	log_pool_init(&w->pool, (size_t)config->app_memory, (size_t)config->worker_memory,
		      setup->start);
	worker_spool_init(w);
	worker_await_init(w);
	w->ingest = (struct ingest){.self = w->index,
				    .routes = w->routes,
				    .stats = &w->stats,
				    .catch_all = app_name_or_none(config->catch_all),
				    .copy_to = app_name_or_none(config->copy_to),
				    .touch = worker_touch,
				    .unknown = on_unknown,
				    .arg = w};
	outbox_init(&w->ingest.outbox, setup->posts, setup->workers, on_bundle);
	w->intake = (struct intake){.base = w->base,
				    .ingest = &w->ingest,
				    .config = config,
				    .stats = &w->stats,
				    .host = setup->host,
				    .read_done = on_read_done,
				    .arg = w};
	intake_init(&w->intake);
	w->drains = (struct drain_env){.base = w->base,
				       .mailbox = w->mailbox,
				       .resolver = setup->resolver,
				       .tls = setup->drain_tls,
				       .gzip = gzip_new(),
				       .config = config,
				       .stats = &w->stats,
				       .host = setup->host,
				       .more = on_more,
				       .rests = on_rests,
				       .arg = w};
	TAILQ_INIT(&w->drains.holding);
	TAILQ_INIT(&w->drains.closing);
}

struct worker *
worker_new(unsigned index, const struct worker_setup *setup)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	struct timeval tick = {.tv_usec = TICK_MS * 1000};

	w->index = index;
	w->setup = setup;
	w->linger = setup->config->linger;
	w->base = event_base_new();
	if (w->base == NULL)
		abort();
	w->mailbox = mailbox_new(w->base, w);
	if (w->mailbox == NULL)
		abort();
	w->post.mailbox = w->mailbox;
	w->routes = routes_new();
	TAILQ_INIT(&w->touched);
	TAILQ_INIT(&w->due);
	TAILQ_INIT(&w->idle);
	w->due_timer = evtimer_new(w->base, on_due, w);
	w->tick = event_new(w->base, -1, EV_PERSIST, on_tick, w);
	if (w->due_timer == NULL || w->tick == NULL || event_add(w->tick, &tick) < 0)
		abort();
	init_parts(w);
	return w;
}

static void
free_home(struct route *r, void *arg)
{
	struct worker *w = arg;

	if (r->home_state == NULL)
		return;
	worker_forget_log(w, r->log);
	app_home_abandon(r->home_state);
}

void
worker_hear(struct worker *w)
{
	w->drains.over = true;
	mailbox_turn(w->mailbox);
}

void
worker_end(struct worker *w)
{
	struct drain *d;

	if (w->routes == NULL)
		return;
	intake_clear(&w->intake);
	routes_walk(w->routes, free_home, w);
	while ((d = TAILQ_FIRST(&w->drains.closing)) != NULL)
		drain_free_closing(d);
	routes_free(w->routes);
	w->routes = NULL;
}

void
worker_empty(struct worker *w)
{
	http_client_free(w->drains.http);
	w->drains.http = NULL;
	/* Answers of the resolver and the spooler, and bundles, may still lie there. */
	w->ingest.routes = w->routes = routes_new();
	mailbox_turn(w->mailbox);
	routes_free(w->routes);
	w->ingest.routes = w->routes = NULL;
}

void
worker_free(struct worker *w)
{
	if (w == NULL)
		return;
	gzip_free(w->drains.gzip);
	mailbox_free(w->mailbox);
	worker_await_clear(w);
	worker_spool_clear(w);
	buf_free(&w->drains.scratch);
	buf_free(&w->drains.marked);
	ingest_clear(&w->ingest);
	log_pool_clear(&w->pool);
	unrouted_clear(&w->unrouted);
	event_free(w->due_timer);
	event_free(w->tick);
	event_base_free(w->base);
	free(w->stop);
	free(w);
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;

	while (!w->quit) {
		event_base_loop(w->base, TAILQ_EMPTY(&w->touched) ? EVLOOP_ONCE
								  : EVLOOP_ONCE | EVLOOP_NONBLOCK);
		worker_turn(w);
	}
	return NULL;
}

/* Last, as the rules name the ports that listeners were given. */
static void
init_clients(struct worker *w)
{
	const struct worker_setup *setup = w->setup;
	struct http_client_env env = {.base = w->base,
				      .mailbox = w->mailbox,
				      .resolver = setup->resolver,
				      .policy = setup->policy,
				      .config = setup->config,
				      .tls = setup->drain_tls};

	w->drains.policy = setup->policy;
	w->drains.http = http_client_new(&env);
}

bool
worker_run(struct worker *w)
{
	char name[16];

	init_clients(w);
	if (pthread_create(&w->thread, NULL, worker_main, w) != 0)
		return false;
	snprintf(name, sizeof(name), "worker-%u", w->index);
	pthread_setname_np(w->thread, name);
	return true;
}

void
worker_join(struct worker *w)
{
	pthread_join(w->thread, NULL);
}

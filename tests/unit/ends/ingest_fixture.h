/*
 * ingest_fixture -- one worker's ingest by hand: routes, logs, an outbox to a
 * second worker, and what became of each line.  One file of a program includes
 * it.
 */
#ifndef INGEST_FIXTURE_H
#define INGEST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "ends/ingest.h"
#include "log/cursor.h"

enum { HERE = 0, ELSEWHERE = 1, FIXTURE_WORKERS = 2, FIXTURE_START = 5 };

struct fixture {
	struct event_base *base;
	struct log_pool pool;
	struct stats stats;
	struct ingest ingest;
	struct post post[FIXTURE_WORKERS];
	struct post *posts[FIXTURE_WORKERS];
	struct bundle *bundle; /* that came to the second worker */
	unsigned touched;
	unsigned unknown;
	char unknown_name[64];

	struct listen_url url;
	struct tag_rule *rule;
	struct source source;
};

/* An app with a log of its own and one reader of it. */
struct fixture_app {
	struct app_log *log;
	struct cursor cursor;
	char text[8192]; /* of app_lines */
};

static inline void
on_fixture_touch(struct app_log *log, void *arg)
{
	struct fixture *f = arg;

	log->touched = true;
	f->touched++;
}

static inline void
on_fixture_unknown(struct slice name, void *arg)
{
	struct fixture *f = arg;

	f->unknown++;
	snprintf(f->unknown_name, sizeof(f->unknown_name), "%.*s", (int)name.n,
		 name.p != NULL ? name.p : "");
}

static inline void
on_fixture_bundle(struct mail *mail, void *owner)
{
	struct fixture *f = owner;

	assert_null(f->bundle);
	f->bundle = (struct bundle *)mail;
}

static inline void
on_fixture_dropped(struct cursor *c, enum cursor_reason reason, uint64_t lines)
{
	(void)c;
	(void)reason;
	(void)lines;
}

/* Lines come by that listener from now on. */
static inline void
fixture_listen(struct fixture *f, const char *url)
{
	char err[256];

	tag_rule_free(f->rule);
	listen_url_free(&f->url);
	if (!listen_url_parse(url, false, &f->url, err, sizeof(err)))
		fail_msg("%s", err);
	f->rule = tag_rule_new(f->url.app, err, sizeof(err));
	if (f->rule == NULL)
		fail_msg("%s", err);
	f->source =
	    (struct source){.url = &f->url, .rule = &f->rule, .hostname = SLICE("192.0.2.7")};
}

static inline int
fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->base = event_base_new();
	log_pool_init(&f->pool, 1024 * 1024, 1024 * 1024, FIXTURE_START);
	f->ingest = (struct ingest){.self = HERE,
				    .routes = routes_new(),
				    .stats = &f->stats,
				    .touch = on_fixture_touch,
				    .unknown = on_fixture_unknown,
				    .arg = f};
	for (unsigned i = 0; i < FIXTURE_WORKERS; i++) {
		f->post[i].mailbox = mailbox_new(f->base, f);
		assert_non_null(f->post[i].mailbox);
		f->posts[i] = &f->post[i];
	}
	outbox_init(&f->ingest.outbox, f->posts, FIXTURE_WORKERS, on_fixture_bundle);
	fixture_listen(f, "syslog+tcp://127.0.0.1:0");
	ingest_begin(&f->ingest);
	*state = f;
	return 0;
}

static inline int
fixture_teardown(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < FIXTURE_WORKERS; i++) {
		mailbox_turn(f->post[i].mailbox);
		mailbox_free(f->post[i].mailbox);
	}
	bundle_free(f->bundle);
	ingest_clear(&f->ingest);
	routes_free(f->ingest.routes);
	log_pool_clear(&f->pool);
	tag_rule_free(f->rule);
	listen_url_free(&f->url);
	event_base_free(f->base);
	free(f);
	return 0;
}

/* An app at home here, with a drain. */
static inline struct fixture_app *
app_here(struct fixture *f, const char *name, uint64_t app)
{
	struct fixture_app *a = calloc(1, sizeof(*a));

	assert_non_null(a);
	a->log = app_log_new(&f->pool, app, name);
	a->cursor.dropped = on_fixture_dropped;
	cursor_open(&a->cursor, a->log, 0);
	routes_add(f->ingest.routes, slice_str(name), app, HERE)->log = a->log;
	return a;
}

static inline void
app_close(struct fixture_app *a)
{
	cursor_close(&a->cursor);
	app_log_free(a->log);
	free(a);
}

/* The lines that came since the last call, each with a newline behind it. */
static inline const char *
app_lines(struct fixture_app *a)
{
	const struct segment *s;
	size_t n = 0;

	a->text[0] = '\0';
	while ((s = cursor_unsent(&a->cursor, 0, 0)) != NULL) {
		for (uint32_t at = s->from; at < s->to;) {
			struct slice message;

			at = chunk_frame(s->chunk, at, &message);
			assert_true(n + message.n + 2 <= sizeof(a->text));
			memcpy(a->text + n, message.p, message.n);
			n += message.n;
			a->text[n++] = '\n';
			a->text[n] = '\0';
		}
		cursor_sent(&a->cursor, 0, 0);
	}
	return a->text;
}

#define LINES_IN(f, counter) stats_get(&(f)->stats.counter)

#endif

/* The spooler's thread: mail in, one round of work after the other. */
#include "log/spooler.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "log/spooler_internal.h"

/* Commits without chunks wait so long for others; one fsync serves them all. */
enum { TICK_S = 1 };

static void
on_commit(struct mail *mail, void *owner)
{
	struct spool_commit *c = (struct spool_commit *)mail;
	struct spooler *s = owner;
	size_t at = 0;

	for (size_t i = 0; i < c->nchunks; i++) {
		c->chunks[i].data = c->data.p + at;
		at += c->chunks[i].size;
	}
	s->appends += c->nchunks > 0;
	mails_add(&s->changes, mail);
}

static void
on_fetch(struct mail *mail, void *owner)
{
	struct spooler *s = owner;

	mails_add(&s->fetches, mail);
}

void
spooler_on_drop(struct mail *mail, void *owner)
{
	struct spooler *s = owner;

	mails_add(&s->changes, mail);
}

static void
on_stop(struct mail *mail, void *owner)
{
	struct spooler *s = owner;

	s->stopping = true;
	free(mail);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct spooler *s = arg;

	(void)fd;
	(void)what;
	s->ticked = true;
}

/* true: what waits cannot wait any longer. */
static bool
write_is_due(const struct spooler *s)
{
	return s->appends > 0 || (s->changes.first != NULL && (s->ticked || s->stopping));
}

static void
round_of_work(struct spooler *s)
{
	if (write_is_due(s) || (s->fetches.first == NULL && spooler_may_tidy(s)))
		spooler_write(s);
	spooler_read(s);
	if (s->ticked && !s->stopping) {
		spooler_trim_sweep(s);
		spooler_trim_all(s);
	}
	s->ticked = false;
}

static void *
spooler_main(void *arg)
{
	struct spooler *s = arg;
	bool more = true;

	while (more || !s->stopping) {
		event_base_loop(s->base, more ? EVLOOP_ONCE | EVLOOP_NONBLOCK : EVLOOP_ONCE);
		round_of_work(s);
		more = write_is_due(s) || s->fetches.first != NULL || spooler_may_tidy(s);
	}
	return NULL;
}

struct spooler *
spooler_new(const struct spooler_options *options)
{
	struct spooler *s = xcalloc(1, sizeof(*s));
	struct timeval tick = {.tv_sec = TICK_S};

	s->options = *options;
	s->spool = options->spool;
	s->base = event_base_new();
	if (s->base == NULL)
		abort();
	s->mailbox = mailbox_new(s->base, s);
	s->tick = event_new(s->base, -1, EV_PERSIST, on_tick, s);
	if (s->mailbox == NULL || s->tick == NULL || event_add(s->tick, &tick) < 0)
		abort();
	mails_init(&s->changes);
	mails_init(&s->fetches);
	spooler_apps_init(&s->apps);
	/* What the last run did not come to. */
	s->tidy = true;
	atomic_store(&s->stats.bytes, spool_bytes(s->spool));
	return s;
}

void
spooler_know(struct spooler *s, uint64_t app, struct mailbox *home)
{
	spooler_apps_know(&s->apps, app, home);
}

bool
spooler_run(struct spooler *s)
{
	if (pthread_create(&s->thread, NULL, spooler_main, s) != 0)
		return false;
	pthread_setname_np(s->thread, "spooler");
	s->running = true;
	return true;
}

void
spooler_commit(struct spooler *s, struct spool_commit *c)
{
	c->mail.deliver = on_commit;
	mailbox_push(s->mailbox, &c->mail);
}

void
spooler_fetch(struct spooler *s, struct spool_fetch *f)
{
	f->mail.deliver = on_fetch;
	mailbox_push(s->mailbox, &f->mail);
}

void
spooler_drop(struct spooler *s, uint64_t app)
{
	struct spool_drop *d = xcalloc(1, sizeof(*d));

	d->mail.deliver = spooler_on_drop;
	d->app = app;
	mailbox_push(s->mailbox, &d->mail);
}

const struct spooler_stats *
spooler_stats(const struct spooler *s)
{
	return &s->stats;
}

void
spooler_stop(struct spooler *s)
{
	struct mail *stop = xcalloc(1, sizeof(*stop));

	stop->deliver = on_stop;
	mailbox_push(s->mailbox, stop);
	if (s->running)
		pthread_join(s->thread, NULL);
	else
		spooler_main(s);
	s->running = false;
}

/* Drops that came too early or too late to be written: the next start finds them again. */
static void
forget_changes(struct spooler *s)
{
	struct mail *mail;

	mailbox_turn(s->mailbox);
	while ((mail = mails_take(&s->changes)) != NULL)
		free(mail);
}

void
spooler_free(struct spooler *s)
{
	if (s == NULL)
		return;
	forget_changes(s);
	event_free(s->tick);
	mailbox_free(s->mailbox);
	event_base_free(s->base);
	spooler_apps_clear(&s->apps);
	spool_close(s->spool);
	free(s);
}

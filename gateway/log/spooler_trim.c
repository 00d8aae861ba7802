/*
 * What is too much or too old.  The spooler cannot trim by itself: where a log
 * begins follows from its cursors, and these are the worker's.  So it asks the
 * worker, whose next commit of that app has the new head.
 */
#include "base/clock.h"
#include "base/xmalloc.h"
#include "log/spooler_internal.h"

/* A worker that has not trimmed so long after it was asked is asked again. */
enum { ASK_AGAIN_MS = 5000 };

/*
 * Logs looked at in one go.  For age: every log within a minute with 30,000 of
 * them.  For size: what that many logs give must outweigh a transaction.
 */
enum { SWEEP_LOGS = 512, EYE_LOGS = 1024 };

/* A log over its cap is cut by a 16th more, so that not each commit cuts it. */
enum { CAP_SLACK = 16 };

/* Of all that may be kept, from where on the greediest logs are cut; and by what part each. */
enum { FULL_PERCENT = 85, GREEDY_CUT = 8 };

static uint64_t
kept(const struct spool_log *log)
{
	return log->end.bytes - log->head.bytes;
}

/* NULL: its worker is not known, or was asked already. */
static struct spooler_app *
askable(struct spooler *s, const struct spool_log *log)
{
	struct spooler_app *a = spooler_apps_find(&s->apps, log->app);

	return a != NULL && a->asked == 0 ? a : NULL;
}

static void
ask(struct spooler *s, struct spooler_app *a, const struct spool_log *log,
    const struct spool_place *to, enum spool_trim_reason reason)
{
	struct spool_trim *t;

	/* Workers that stop trim nothing any more. */
	if (to->bytes <= log->head.bytes || s->stopping)
		return;
	spooler_apps_ask(&s->apps, a, to->bytes, to->bytes - log->head.bytes, clock_mono_ms());
	t = xcalloc(1, sizeof(*t));
	t->mail.deliver = s->options.trim;
	t->app = log->app;
	t->to = *to;
	t->reason = reason;
	mailbox_push(a->home, &t->mail);
}

static void
trim_to(struct spooler *s, const struct spool_log *log, uint64_t keep,
	enum spool_trim_reason reason)
{
	struct spooler_app *a = askable(s, log);
	struct spool_place to;

	if (a != NULL && spool_cut_bytes(s->spool, log->app, keep, &to) == SPOOL_OK)
		ask(s, a, log, &to, reason);
}

static void
trim_cap(struct spooler *s, const struct spool_log *log)
{
	uint64_t cap = s->options.app_cap;

	if (kept(log) > cap)
		trim_to(s, log, cap - cap / CAP_SLACK, SPOOL_TRIM_CAP);
}

static void
trim_age(struct spooler *s, const struct spool_log *log)
{
	int64_t before_us = clock_age_us() - s->options.age_us;
	struct spooler_app *a;
	struct spool_place to;

	if (log->first_us == 0 || log->first_us >= before_us)
		return;
	a = askable(s, log);
	if (a != NULL && spool_cut_time(s->spool, log->app, before_us, &to) == SPOOL_OK)
		ask(s, a, log, &to, SPOOL_TRIM_AGE);
}

void
spooler_trim_app(struct spooler *s, uint64_t app)
{
	const struct spool_log *log = spool_log_of(s->spool, app);
	struct spooler_app *a = spooler_apps_find(&s->apps, app);

	if (log == NULL)
		return;
	/* It was trimmed. */
	if (a != NULL && log->head.bytes >= a->asked)
		spooler_apps_unask(&s->apps, a);
	trim_cap(s, log);
}

/* Bytes over what all may have that nobody was asked to trim yet. */
static uint64_t
excess(const struct spooler *s)
{
	uint64_t bytes = spool_bytes(s->spool), limit = s->options.size / 100 * FULL_PERCENT;

	return bytes > limit && bytes - limit > s->apps.cut ? bytes - limit - s->apps.cut : 0;
}

void
spooler_trim_all(struct spooler *s)
{
	const struct spool_log *log;
	uint64_t greedy;

	if (excess(s) == 0 || (log = spool_greediest(s->spool)) == NULL)
		return;
	/*
	 * Others that have about as much are cut too: what comes in while one is
	 * asked may be more than an eighth of it.
	 */
	greedy = kept(log) / 4 * 3;
	trim_to(s, log, kept(log) - kept(log) / GREEDY_CUT, SPOOL_TRIM_SIZE);
	for (int i = 0; i < EYE_LOGS && excess(s) > 0; i++) {
		log = spool_log_at(s->spool, s->eyed++);
		if (log == NULL) {
			s->eyed = 0;
			break;
		}
		if (kept(log) > greedy)
			trim_to(s, log, kept(log) - kept(log) / GREEDY_CUT, SPOOL_TRIM_SIZE);
	}
}

/* A worker that did not answer has not trimmed: what it was asked does not count for ever. */
static void
forget_old_asks(struct spooler *s)
{
	struct spooler_app *a;
	int64_t now_ms = clock_mono_ms();

	while ((a = TAILQ_FIRST(&s->apps.asked)) != NULL && now_ms - a->asked_ms >= ASK_AGAIN_MS)
		spooler_apps_unask(&s->apps, a);
}

void
spooler_trim_sweep(struct spooler *s)
{
	const struct spool_log *log;

	forget_old_asks(s);
	for (int i = 0; i < SWEEP_LOGS; i++) {
		log = spool_log_at(s->spool, s->swept++);
		if (log == NULL) {
			s->swept = 0;
			break;
		}
		/* First: its worker may find that the app is not over its cap. */
		trim_age(s, log);
		trim_cap(s, log);
	}
}

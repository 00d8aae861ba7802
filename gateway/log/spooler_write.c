/* Transactions: what waits is written together, and each mail is answered with what became of it.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "log/spooler_internal.h"

/* In one transaction, about: a commit of so much takes 10 to 50 ms. */
enum { BATCH_BYTES = 8 << 20 };

/*
 * Chunks that are nobody's, in one transaction: as many, or as many as are
 * appended in it if these are more, so that deleting never falls behind.
 */
enum { TIDY_CHUNKS = 64 };

/*
 * Deleting is not tried again for so long: when a transaction came to nothing, and when
 * deleting was what failed.
 */
enum { TIDY_WAIT_MS = 1000, TIDY_FAULT_MS = 60000 };

/* Mails that are left out one by one before all appends of a transaction are given up. */
enum { BLAMED_MAX = 8 };

/* A disk that is full now and then is logged this often at most. */
enum { FAILING_LOG_MS = 10000 };

struct batch {
	struct mails mails;
	struct mail *culprit; /* what could not be done by itself; NULL: it is not one mail */
	unsigned blamed;
	size_t chunks;
	bool tidy, tidy_failed;
};

static bool
is_drop(const struct mail *mail)
{
	return mail->deliver == spooler_on_drop;
}

/* SPOOL_OK: it goes, or went, into the transaction; else why it was left out. */
static enum spool_code *
code_of(struct mail *mail)
{
	return is_drop(mail) ? &((struct spool_drop *)mail)->code
			     : &((struct spool_commit *)mail)->code;
}

static void
batch_fill(struct spooler *s, struct batch *b)
{
	const struct spool_commit *c;
	struct mail *mail;
	size_t bytes = 0;

	mails_init(&b->mails);
	while ((mail = s->changes.first) != NULL) {
		if (!is_drop(mail)) {
			c = (const struct spool_commit *)mail;
			if (bytes > 0 && bytes + c->data.n > BATCH_BYTES)
				break;
			bytes += c->data.n;
			b->chunks += c->nchunks;
			s->appends -= c->nchunks > 0;
		}
		*code_of(mail) = SPOOL_OK;
		mails_add(&b->mails, mails_take(&s->changes));
	}
}

static enum spool_code
apply_part(struct spool *spool, const struct spool_commit *c, const struct spool_part *p)
{
	enum spool_code code = SPOOL_OK;

	for (size_t i = 0; i < p->nchunks && code == SPOOL_OK; i++)
		code = spool_append(spool, &c->chunks[p->chunk + i]);
	if (code != SPOOL_OK)
		return code;
	return spool_set_marks(spool, p->app, &p->head, p->nmarks > 0 ? &c->marks[p->mark] : NULL,
			       p->nmarks);
}

static enum spool_code
apply_mail(struct spool *spool, const struct mail *mail)
{
	const struct spool_commit *c = (const struct spool_commit *)mail;
	enum spool_code code = SPOOL_OK;

	if (is_drop(mail)) {
		code = spool_drop(spool, ((const struct spool_drop *)mail)->app);
		return code != SPOOL_NONE ? code : SPOOL_OK;
	}
	for (size_t i = 0; i < c->nparts && code == SPOOL_OK; i++)
		code = apply_part(spool, c, &c->parts[i]);
	return code;
}

static enum spool_code
apply(struct spooler *s, struct batch *b)
{
	enum spool_code code = SPOOL_OK;

	for (struct mail *mail = b->mails.first; mail != NULL; mail = mail->next) {
		if (*code_of(mail) != SPOOL_OK || (code = apply_mail(s->spool, mail)) == SPOOL_OK)
			continue;
		/* Room is not the fault of one alone. */
		b->culprit = code != SPOOL_FULL ? mail : NULL;
		break;
	}
	return code;
}

static enum spool_code
tidy(struct spooler *s, struct batch *b)
{
	unsigned max = b->chunks > TIDY_CHUNKS ? (unsigned)b->chunks : TIDY_CHUNKS;
	enum spool_code code = spool_tidy(s->spool, max, &s->tidy);

	b->tidy_failed = code != SPOOL_OK;
	return code;
}

static enum spool_code
attempt(struct spooler *s, struct batch *b)
{
	enum spool_code code = spool_begin(s->spool);

	b->culprit = NULL;
	if (code != SPOOL_OK)
		return code;
	code = apply(s, b);
	if (code == SPOOL_OK && b->tidy)
		code = tidy(s, b);
	if (code == SPOOL_OK)
		return spool_commit(s->spool);
	spool_abort(s->spool);
	return code;
}

static size_t
leave_out_appends(struct batch *b, enum spool_code code)
{
	size_t n = 0;

	for (struct mail *mail = b->mails.first; mail != NULL; mail = mail->next) {
		if (is_drop(mail) || *code_of(mail) != SPOOL_OK ||
		    ((const struct spool_commit *)mail)->nchunks == 0)
			continue;
		*code_of(mail) = code;
		n++;
	}
	return n;
}

static void
leave_out_all(struct batch *b, enum spool_code code)
{
	for (struct mail *mail = b->mails.first; mail != NULL; mail = mail->next)
		if (*code_of(mail) == SPOOL_OK)
			*code_of(mail) = code;
}

static void
give_up_tidying(struct spooler *s, struct batch *b, enum spool_code code)
{
	if (code != SPOOL_FULL)
		log_error("spool: what nobody needs cannot be deleted", "error",
			  spool_error(s->spool), NULL);
	s->tidy_wait_ms = clock_mono_ms() + (code == SPOOL_FULL ? TIDY_WAIT_MS : TIDY_FAULT_MS);
	b->tidy = b->tidy_failed = false;
}

static void
blame(struct spooler *s, struct mail *culprit, enum spool_code code)
{
	struct spool_drop *d = (struct spool_drop *)culprit;

	*code_of(culprit) = code;
	if (!is_drop(culprit))
		return;
	/* What stays of a dropped app is nobody's; the next start looks for that. */
	d->hopeless = true;
	log_error("spool: what was kept of a removed app cannot be deleted", "app_serial",
		  log_u64(d->app), "error", spool_error(s->spool), NULL);
}

/* Makes the batch smaller after a failure; false: nothing can be left out any more. */
static bool
leave_out(struct spooler *s, struct batch *b, enum spool_code code)
{
	if (b->tidy_failed) {
		give_up_tidying(s, b, code);
		return b->mails.first != NULL;
	}
	if (b->culprit != NULL && b->blamed++ < BLAMED_MAX) {
		blame(s, b->culprit, code);
		return true;
	}
	if (leave_out_appends(b, code) > 0)
		return true;
	leave_out_all(b, code);
	s->tidy_wait_ms = clock_mono_ms() + TIDY_WAIT_MS;
	return false;
}

static const char *
remedy_of(enum spool_code code)
{
	if (code == SPOOL_DAMAGED)
		return "restart penstockd: it puts the damaged file aside and begins a new one; "
		       "penstockd --check-spool then brings back what can be read";
	return "make room on the disk of data-dir, or if that is not it raise spool-map; it is "
	       "tried again each second";
}

static void
say_failing(struct spooler *s, enum spool_code code)
{
	int64_t now_ms = clock_mono_ms();

	if (s->said_failing || (s->said_ms != 0 && now_ms - s->said_ms < FAILING_LOG_MS))
		return;
	s->said_failing = true;
	s->said_ms = now_ms;
	log_error("spool cannot be written; lines stay in memory within app-memory; inputs that "
		  "acknowledge wait",
		  "error", spool_error(s->spool), "remedy", remedy_of(code), NULL);
}

/* All went well; appends: and there was one. */
static void
end_failing(struct spooler *s, bool appends)
{
	if (!atomic_load(&s->stats.failing) || (!appends && !s->places_only))
		return;
	atomic_store(&s->stats.failing, false);
	if (s->said_failing)
		log_info("spool can be written again", NULL);
	s->said_failing = false;
}

static void
note_failure(struct spooler *s, const struct batch *b, enum spool_code code)
{
	stats_add(&s->stats.failures, 1);
	/* What was deleted is there again. */
	s->tidy = true;
	if (b->tidy_failed)
		return;
	s->places_only = b->chunks == 0 && (s->places_only || !atomic_load(&s->stats.failing));
	atomic_store(&s->stats.failing, true);
	say_failing(s, code);
}

static bool
batch_write(struct spooler *s, struct batch *b)
{
	int64_t since_us = clock_mono_us();
	enum spool_code code;

	while ((code = attempt(s, b)) != SPOOL_OK) {
		note_failure(s, b, code);
		if (!leave_out(s, b, code))
			return false;
		since_us = clock_mono_us();
	}
	if (b->mails.first != NULL) {
		stats_add(&s->stats.commits, 1);
		stats_add(&s->stats.commit_us, (uint64_t)(clock_mono_us() - since_us));
	}
	return true;
}

/* What is on disk now: counted, and looked at for whether it is too much. */
static bool
note_commit(struct spooler *s, const struct spool_commit *c)
{
	for (size_t i = 0; i < c->nparts; i++) {
		spooler_apps_know(&s->apps, c->parts[i].app, c->back);
		spooler_trim_app(s, c->parts[i].app);
	}
	stats_add(&s->stats.chunks_in, c->nchunks);
	stats_add(&s->stats.bytes_in, c->data.n);
	return c->nchunks > 0;
}

static void
batch_note(struct spooler *s, const struct batch *b)
{
	bool appends = false, all = true;

	for (struct mail *mail = b->mails.first; mail != NULL; mail = mail->next) {
		if (*code_of(mail) != SPOOL_OK)
			all = false;
		else if (is_drop(mail))
			spooler_apps_forget(&s->apps, ((const struct spool_drop *)mail)->app);
		else
			appends |= note_commit(s, (const struct spool_commit *)mail);
	}
	atomic_store(&s->stats.bytes, spool_bytes(s->spool));
	if (all)
		end_failing(s, appends);
	/* A head that moved leaves chunks behind. */
	if (!b->tidy)
		s->tidy = true;
	if (appends)
		spooler_trim_all(s);
}

static bool
drop_again(const struct spooler *s, const struct spool_drop *d)
{
	return d->code != SPOOL_OK && !d->hopeless && !s->stopping;
}

/* Commits go back to where they came from; drops are done, or wait in front of the others. */
static void
batch_answer(struct spooler *s, struct batch *b)
{
	struct mails again;
	struct mail *mail;

	mails_init(&again);
	while ((mail = mails_take(&b->mails)) != NULL) {
		if (!is_drop(mail)) {
			mail->deliver = ((const struct spool_commit *)mail)->done;
			mailbox_push(((const struct spool_commit *)mail)->back, mail);
		} else if (drop_again(s, (const struct spool_drop *)mail)) {
			mails_add(&again, mail);
		} else {
			free(mail);
		}
	}
	if (again.first == NULL)
		return;
	*again.end = s->changes.first;
	if (s->changes.first == NULL)
		s->changes.end = again.end;
	s->changes.first = again.first;
}

bool
spooler_may_tidy(const struct spooler *s)
{
	return s->tidy && !s->stopping && clock_mono_ms() >= s->tidy_wait_ms;
}

void
spooler_write(struct spooler *s)
{
	struct batch b = {.tidy = spooler_may_tidy(s)};

	batch_fill(s, &b);
	if (batch_write(s, &b))
		batch_note(s, &b);
	batch_answer(s, &b);
}

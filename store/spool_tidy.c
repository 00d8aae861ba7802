/*
 * Chunks that are nobody's: those before a log's head, all of a dropped app.
 * They are looked for where a head moved to another chunk, from the app's
 * first one on.
 */
#include <assert.h>

#include "store/spool_internal.h"

struct tidying {
	struct spool *spool;
	unsigned deletes; /* that are still allowed */
	unsigned looks;	  /* chunks that may still be looked at */
};

/* Is a chunk before the head as a whole?  It may have been damaged. */
static enum spool_code
is_before_head(struct spool *s, const struct spool_log *log, const struct spool_found *f, bool *yes)
{
	struct spool_found next;
	struct spool_chunk c;
	enum spool_code code;
	uint64_t hash;

	*yes = true;
	if (log->head.seq >= log->end.seq)
		return SPOOL_OK;
	if (f->seq >= log->head.seq) {
		*yes = false;
		return SPOOL_OK;
	}
	if (spool_found_head(s, f, log->app, &c, &hash)) {
		*yes = c.at.seq + c.lines <= log->head.seq;
		return SPOOL_OK;
	}
	code = spool_find(s, log->app, f->seq + 1, &next);
	*yes = code == SPOOL_OK && next.seq <= log->head.seq;
	return code == SPOOL_NONE ? SPOOL_OK : code;
}

static enum spool_code
chunk_delete(struct spool *s, uint64_t app, uint64_t seq)
{
	unsigned char id[SPOOL_KEY_BYTES];
	MDB_val key = {.mv_size = sizeof(id), .mv_data = id};
	int rc;

	spool_key_make(id, app, seq);
	s->wrote = true;
	rc = mdb_del(s->txn, s->table[SPOOL_CHUNKS], &key, NULL);
	return rc == 0 || rc == MDB_NOTFOUND ? SPOOL_OK : spool_break(s, rc, "deleting");
}

/* All that could be found is deleted. */
static void
entry_done(struct spool *s, struct spool_entry *e)
{
	/* What this transaction appended, or dropped, is seen by the next one only. */
	if (e->appended == s->logs.transaction)
		return;
	if (e->dropped)
		spool_logs_remove(&s->logs, e->log.app);
	else
		spool_logs_set_untidy(&s->logs, e, false);
}

/* All chunks before that sequence are deleted. */
static void
entry_advance(struct spool *s, struct spool_entry *e, uint64_t seq)
{
	bool appended = e->appended == s->logs.transaction;

	spool_logs_change(&s->logs, e->log.app);
	e->tidy_from = appended && e->fresh.seq < seq ? e->fresh.seq : seq;
}

static enum spool_code
entry_tidy(struct tidying *t, struct spool_entry *e)
{
	struct spool *s = t->spool;
	uint64_t from = e->tidy_from;
	struct spool_found found;
	enum spool_code code;
	bool nobodys = true;

	while (t->looks > 0) {
		t->looks--;
		code = spool_find(s, e->log.app, from, &found);
		if (code == SPOOL_OK && !e->dropped)
			code = is_before_head(s, &e->log, &found, &nobodys);
		if (code == SPOOL_NONE || (code == SPOOL_OK && !nobodys)) {
			entry_done(s, e);
			return SPOOL_OK;
		}
		if (code == SPOOL_DAMAGED) {
			/* Left to lie, too. */
			spool_logs_set_untidy(&s->logs, e, false);
			return SPOOL_OK;
		}
		if (code != SPOOL_OK || t->deletes == 0)
			return code;
		/* A broken one is left to lie where it is. */
		if (spool_may_delete(s, e->log.app, &found)) {
			if ((code = chunk_delete(s, e->log.app, found.seq)) != SPOOL_OK)
				return code;
			t->deletes--;
		}
		from = found.seq + 1;
		entry_advance(s, e, from);
	}
	return SPOOL_OK;
}

enum spool_code
spool_tidy(struct spool *s, unsigned max, bool *more)
{
	/* Two for each delete, and some for logs where nothing is to be deleted. */
	struct tidying t = {.spool = s, .deletes = max, .looks = 2 * max + 64};
	enum spool_code code = SPOOL_OK;

	assert(s->txn != NULL);
	*more = false;
	if (s->broken != SPOOL_OK)
		return s->broken;
	for (size_t i = 0; i < s->logs.slots && s->logs.nuntidy > 0; i++) {
		struct spool_entry *e;

		s->tidy_slot = (s->tidy_slot + 1) & (s->logs.slots - 1);
		e = s->logs.slot[s->tidy_slot];
		if (e == NULL || !e->untidy)
			continue;
		code = entry_tidy(&t, e);
		if (code != SPOOL_OK || t.looks == 0 || t.deletes == 0)
			break;
	}
	*more = s->logs.nuntidy > 0;
	return code;
}

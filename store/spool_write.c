#include <assert.h>
#include <errno.h>
#include <string.h>

#include "store/spool_internal.h"

/* Is b the same place, or one behind a in every respect? */
static bool
place_behind(const struct spool_place *a, const struct spool_place *b)
{
	return b->seq >= a->seq && b->bytes >= a->bytes && b->lines >= a->lines;
}

static enum spool_code
chunk_put(struct spool *s, const struct spool_chunk *c)
{
	unsigned char id[SPOOL_KEY_BYTES], *p;
	MDB_val key = {.mv_size = sizeof(id), .mv_data = id};
	MDB_val value = {.mv_size = SPOOL_HEAD_BYTES + (size_t)c->size};
	int rc;

	spool_key_make(id, c->app, c->at.seq);
	s->wrote = true;
	rc = mdb_put(s->txn, s->table[SPOOL_CHUNKS], &key, &value, MDB_RESERVE | MDB_NOOVERWRITE);
	if (rc != 0)
		return spool_break(s, rc, "writing");
	p = value.mv_data;
	spool_head_make(p, s->file_number, c);
	memcpy(p + SPOOL_HEAD_BYTES, c->data, c->size);
	return SPOOL_OK;
}

/* A log that is new, or of an app that came back: begins and ends there. */
static struct spool_entry *
entry_begun(struct spool *s, uint64_t app, const struct spool_place *at)
{
	struct spool_entry *was = spool_logs_find(&s->logs, app);
	bool is_new = was == NULL || was->dropped;
	struct spool_entry *e = spool_logs_change(&s->logs, app);

	if (!is_new)
		return e;
	if (e->dropped)
		spool_logs_set_dropped(&s->logs, e, false);
	e->log.first_us = 0;
	e->head_until = e->tidy_from = 0;
	spool_logs_move(&s->logs, e, at, at);
	return e;
}

/* Is that very chunk there? */
static bool
is_same(struct spool *s, const struct spool_found *f, const struct spool_chunk *c)
{
	struct spool_chunk is;
	uint64_t hash;

	return f->seq == c->at.seq && spool_found_head(s, f, c->app, &is, &hash) &&
	       is.lines == c->lines && is.size == c->size && is.at.bytes == c->at.bytes &&
	       is.at.lines == c->at.lines && hash == spool_data_hash(c->data, c->size);
}

/*
 * Before the log's end there may be a hole for it.  *there: it is in it
 * already: a commit that was said to have failed has come to be on disk after
 * all, and is tried again.
 */
static enum spool_code
fits_in(struct spool *s, const struct spool_chunk *c, const struct spool_place *behind, bool *there)
{
	struct spool_found near;
	struct spool_place end;
	struct spool_chunk is;
	enum spool_code code;
	uint64_t hash;

	code = spool_find_before(s, c->app, c->at.seq, &near);
	*there = code == SPOOL_OK && is_same(s, &near, c);
	if (*there || (code != SPOOL_OK && code != SPOOL_NONE))
		return *there ? SPOOL_OK : code;
	if (code == SPOOL_OK && spool_found_head(s, &near, c->app, &is, &hash)) {
		end = spool_place_behind(&is);
		if (near.seq == c->at.seq || !place_behind(&end, &c->at))
			return SPOOL_FAILED;
	}
	code = spool_find(s, c->app, c->at.seq, &near);
	if (code != SPOOL_OK)
		return code == SPOOL_NONE ? SPOOL_OK : code;
	if (near.seq < behind->seq ||
	    (spool_found_head(s, &near, c->app, &is, &hash) && !place_behind(behind, &is.at)))
		return SPOOL_FAILED;
	return SPOOL_OK;
}

/* May it be put where it says? */
static enum spool_code
append_check(struct spool *s, const struct spool_chunk *c, const struct spool_place *behind,
	     bool *there)
{
	const struct spool_log *log = spool_log_of(s, c->app);
	enum spool_code code = SPOOL_OK;

	*there = false;
	if (c->lines == 0 || c->size == 0 || c->size > SPOOL_CHUNK_MOST ||
	    !place_behind(&c->at, behind))
		return spool_refuse(s, "a chunk that cannot be");
	if (log != NULL && !place_behind(&log->end, &c->at)) {
		if (place_behind(behind, &log->end) || place_behind(&log->end, behind))
			code = fits_in(s, c, behind, there);
		else
			code = SPOOL_FAILED;
	}
	if (code == SPOOL_FAILED)
		return spool_refuse(s, "a chunk that does not fit into its log");
	return code;
}

/* The log with a chunk that was put into it. */
static void
entry_append(struct spool *s, const struct spool_chunk *c, const struct spool_place *behind)
{
	struct spool_entry *e = entry_begun(s, c->app, &c->at);

	if (e->appended != s->logs.transaction || c->at.seq < e->fresh.seq) {
		e->fresh.seq = c->at.seq;
		e->fresh.until = behind->seq;
		e->fresh.us = c->first_us;
	}
	e->appended = s->logs.transaction;
	if (behind->seq > e->log.head.seq) {
		if (e->log.first_us == 0 || c->first_us < e->log.first_us)
			e->log.first_us = c->first_us;
	} else {
		spool_logs_set_untidy(&s->logs, e, true);
	}
	if (c->at.seq < e->head_until)
		e->head_until = 0;
	if (c->at.seq < e->tidy_from)
		e->tidy_from = c->at.seq;
	if (place_behind(&e->log.end, behind))
		spool_logs_move(&s->logs, e, &e->log.head, behind);
}

enum spool_code
spool_append(struct spool *s, const struct spool_chunk *c)
{
	const struct spool_place behind = spool_place_behind(c);
	enum spool_code code;
	bool there;

	assert(s->txn != NULL);
	if (s->broken != SPOOL_OK)
		return s->broken;
	if ((code = append_check(s, c, &behind, &there)) != SPOOL_OK || there)
		return code;
	if ((code = spool_may_put(s, c->app, c->at.seq)) != SPOOL_OK ||
	    (code = spool_room(s, SPOOL_HEAD_BYTES + (size_t)c->size)) != SPOOL_OK ||
	    (code = chunk_put(s, c)) != SPOOL_OK)
		return code;
	entry_append(s, c, &behind);
	return SPOOL_OK;
}

/* Deletes marks that the app has and that are not among n. */
static int
marks_delete_others(struct spool *s, uint64_t app, const struct spool_mark *marks, size_t n)
{
	unsigned char id[SPOOL_KEY_BYTES];
	MDB_val key = {.mv_size = sizeof(id), .mv_data = id}, value;
	MDB_cursor *cursor;
	int rc;

	spool_key_make(id, app, 0);
	if ((rc = mdb_cursor_open(s->txn, s->table[SPOOL_MARKS], &cursor)) != 0)
		return rc;
	rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	while (rc == 0 && key.mv_size == SPOOL_KEY_BYTES && spool_key_app(key.mv_data) == app) {
		uint64_t drain = spool_key_number(key.mv_data);
		size_t i = 0;

		while (i < n && marks[i].drain != drain)
			i++;
		s->wrote |= i == n;
		if (i == n && (rc = mdb_cursor_del(cursor, 0)) != 0)
			break;
		rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
mark_put(struct spool *s, uint64_t app, const struct spool_mark *mark)
{
	unsigned char id[SPOOL_KEY_BYTES], record[SPOOL_MARK_BYTES];
	MDB_val key = {.mv_size = sizeof(id), .mv_data = id}, value;

	spool_key_make(id, app, mark->drain);
	spool_mark_make(record, s->file_number, app, mark);
	/* Most of an app's drains have not moved: their page need not be written again. */
	if (mdb_get(s->txn, s->table[SPOOL_MARKS], &key, &value) == 0 &&
	    value.mv_size == sizeof(record) && memcmp(value.mv_data, record, sizeof(record)) == 0)
		return 0;
	s->wrote = true;
	value = (MDB_val){.mv_size = sizeof(record), .mv_data = record};
	return mdb_put(s->txn, s->table[SPOOL_MARKS], &key, &value, 0);
}

/* The chunk that holds the head, or the first behind it. */
static enum spool_code
head_chunk(struct spool *s, const struct spool_log *log, struct spool_chunk *out)
{
	struct spool_found found;
	enum spool_code code;
	uint64_t hash;

	if (spool_find_before(s, log->app, log->head.seq, &found) == SPOOL_OK &&
	    spool_found_head(s, &found, log->app, out, &hash) &&
	    out->at.seq + out->lines > log->head.seq)
		return SPOOL_OK;
	code = spool_find(s, log->app, log->head.seq, &found);
	if (code != SPOOL_OK)
		return code;
	return spool_found_head(s, &found, log->app, out, &hash) ? SPOOL_OK : SPOOL_DAMAGED;
}

/* When the oldest line behind the head came, and how long that stays so. */
static void
head_look_up(struct spool *s, struct spool_entry *e)
{
	/* What was appended just now cannot be looked up. */
	bool appended = e->appended == s->logs.transaction;
	bool fresh = appended && e->fresh.until > e->log.head.seq;
	struct spool_chunk c;
	enum spool_code code;

	e->head_until = 0;
	if (e->log.head.seq >= e->log.end.seq) {
		e->log.first_us = 0;
		return;
	}
	code = head_chunk(s, &e->log, &c);
	if (fresh && (code != SPOOL_OK || e->fresh.seq < c.at.seq)) {
		e->log.first_us = e->fresh.us;
	} else if (code == SPOOL_OK) {
		e->log.first_us = c.first_us;
		e->head_until = appended ? 0 : c.at.seq + c.lines;
	} else if (code == SPOOL_NONE && !appended) {
		e->log.first_us = 0;
	}
}

static void
head_move(struct spool *s, struct spool_entry *e, const struct spool_place *head)
{
	const struct spool_place was = e->log.head;
	bool same_chunk = head->seq >= was.seq && head->seq < e->head_until;

	spool_logs_move(&s->logs, e, head, place_behind(head, &e->log.end) ? &e->log.end : head);
	if (same_chunk && head->seq < e->log.end.seq)
		return;
	head_look_up(s, e);
	spool_logs_set_untidy(&s->logs, e, true);
	if (head->seq < was.seq)
		e->tidy_from = 0;
}

enum spool_code
spool_set_marks(struct spool *s, uint64_t app, const struct spool_place *head,
		const struct spool_mark *marks, size_t n)
{
	const struct spool_entry *was = spool_logs_find(&s->logs, app);
	struct spool_entry *e;
	int rc;

	assert(s->txn != NULL);
	if (s->broken != SPOOL_OK)
		return s->broken;
	if (was != NULL && !was->dropped && !place_behind(head, &was->log.end) &&
	    !place_behind(&was->log.end, head))
		return spool_refuse(s, "a head that is no place of its log");
	rc = marks_delete_others(s, app, marks, n);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = mark_put(s, app, &marks[i]);
	if (rc != 0)
		return spool_break(s, rc, "writing");
	e = entry_begun(s, app, head);
	if (memcmp(&e->log.head, head, sizeof(*head)) != 0)
		head_move(s, e, head);
	return SPOOL_OK;
}

enum spool_code
spool_drop(struct spool *s, uint64_t app)
{
	const struct spool_entry *was = spool_logs_find(&s->logs, app);
	struct spool_entry *e;
	int rc;

	assert(s->txn != NULL);
	if (s->broken != SPOOL_OK)
		return s->broken;
	if (was == NULL || was->dropped)
		return SPOOL_NONE;
	if ((rc = marks_delete_others(s, app, NULL, 0)) != 0)
		return spool_break(s, rc, "writing");
	e = spool_logs_change(&s->logs, app);
	spool_logs_set_dropped(&s->logs, e, true);
	spool_logs_set_untidy(&s->logs, e, true);
	e->tidy_from = 0;
	return SPOOL_OK;
}

/*
 * Lines of a damaged spool are put before those that a spool has of the app:
 *
 *	damaged:   [chunk][chunk]  ?  [chunk]
 *	                                     \ base
 *	to:                                   [chunk][chunk] ...
 *
 * Sequences stay as they are, since those of a later start are greater.
 * Bytes and lines are moved by the same amounts for all, so that the last one
 * ends where the first one of the other spool begins; holes stay holes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "store/spool_check.h"
#include "store/spool_internal.h"
#include "store/spool_pieces.h"

/* A transaction has no more of them; of up to 64 KiB each, as a rule. */
enum { BATCH_CHUNKS = 64 };

struct salvage {
	const struct spool_pieces *pieces;
	struct spool *to;
	struct spool_report *report;
};

/* One app's lines on their way. */
struct move {
	uint64_t app;
	const struct spool_piece **piece; /* whole, needed, in order, none over another */
	size_t n;
	struct spool_place head, end; /* of the lines where they were */
	uint64_t bytes, lines;	      /* what is added to theirs, wrapping */
	uint64_t *drains;
	size_t ndrains;
};

static struct spool_place
place_moved(const struct move *m, const struct spool_place *at)
{
	return (struct spool_place){at->seq, at->bytes + m->bytes, at->lines + m->lines};
}

/* Chunks that are nobody's are in the way: what comes is put where they may be. */
static enum spool_code
tidy_all(struct spool *s)
{
	enum spool_code code;
	bool more = true;

	while (more) {
		if ((code = spool_begin(s)) != SPOOL_OK)
			return code;
		code = spool_tidy(s, BATCH_CHUNKS, &more);
		if (code != SPOOL_OK) {
			spool_abort(s);
			return code;
		}
		if ((code = spool_commit(s)) != SPOOL_OK)
			return code;
	}
	return SPOOL_OK;
}

/* Where the lines have to end: false, if the spool has none of the app. */
static bool
base_of(struct spool *s, uint64_t app, struct spool_place *base)
{
	const struct spool_log *log = spool_log_of(s, app);
	struct spool_found found;
	struct spool_chunk c;
	uint64_t hash;

	if (log == NULL)
		return false;
	*base = log->head;
	if (spool_find_before(s, app, log->head.seq, &found) == SPOOL_OK &&
	    spool_found_head(s, &found, app, &c, &hash) && c.at.seq + c.lines > log->head.seq)
		*base = c.at;
	return true;
}

/*
 * Takes from the app's pieces what is to be moved.  What is not before the base
 * is in the spool already: salvaging was cut short then.
 */
static void
move_take(const struct salvage *s, struct move *m, const struct spool_piece *piece, size_t n)
{
	struct spool_place base = {0};
	bool has = base_of(s->to, m->app, &base);
	uint64_t behind = 0;

	m->piece = xmalloc(n * sizeof(struct spool_piece *));
	for (size_t i = 0; i < n; i++) {
		const struct spool_chunk *c = &piece[i].chunk;

		if (!spool_pieces_wanted(s->pieces, &piece[i]) ||
		    (has && c->at.seq + c->lines > base.seq))
			continue;
		if (!piece[i].whole) {
			s->report->damaged++;
			s->report->lost_lines += c->lines;
			continue;
		}
		if (c->at.seq < behind)
			continue;
		behind = c->at.seq + c->lines;
		m->piece[m->n++] = &piece[i];
	}
	if (m->n == 0)
		return;
	m->head = m->piece[0]->chunk.at;
	m->end = spool_place_behind(&m->piece[m->n - 1]->chunk);
	if (has) {
		m->bytes = base.bytes - m->end.bytes;
		m->lines = base.lines - m->end.lines;
	}
}

/* The head may have stood in the middle of the first chunk. */
static void
move_set_head(const struct salvage *s, struct move *m)
{
	const struct spool_log_piece *log = spool_pieces_log(s->pieces, m->app);

	if (log != NULL && log->log.head.seq > m->head.seq && log->log.head.seq < m->end.seq)
		m->head = log->log.head;
}

static const struct spool_mark *
old_mark(const struct spool_pieces *p, uint64_t app, uint64_t drain, bool *any)
{
	const struct spool_mark *found = NULL;

	*any = false;
	for (size_t i = 0; i < p->nmarks; i++) {
		if (p->mark[i].app != app)
			continue;
		*any = true;
		if (p->mark[i].mark.drain == drain)
			found = &p->mark[i].mark;
	}
	return found;
}

/* Where a drain goes on. */
static struct spool_place
mark_place(const struct salvage *s, const struct move *m, uint64_t drain)
{
	struct spool_place place;
	bool any;
	const struct spool_mark *mark = old_mark(s->pieces, m->app, drain, &any);

	/* Of what was found by looking at pages nobody knows how old it is. */
	if (s->pieces->scanned || !any || (mark != NULL && mark->at.seq <= m->head.seq))
		return place_moved(m, &m->head);
	if (mark != NULL && mark->at.seq < m->end.seq)
		return place_moved(m, &mark->at);
	/* It had all of them, or was added later: as it is now. */
	if (spool_mark_of(s->to, m->app, drain, &place) == SPOOL_OK)
		return place;
	return place_moved(m, &m->end);
}

static enum spool_code
move_marks(const struct salvage *s, const struct move *m)
{
	struct spool_place head = place_moved(m, &m->head);
	struct spool_mark *marks = xmalloc(m->ndrains * sizeof(*marks));
	enum spool_code code;

	for (size_t i = 0; i < m->ndrains; i++)
		marks[i] = (struct spool_mark){m->drains[i], mark_place(s, m, m->drains[i])};
	code = spool_set_marks(s->to, m->app, &head, marks, m->ndrains);
	free(marks);
	return code;
}

static enum spool_code
move_chunk(const struct salvage *s, const struct move *m, const struct spool_piece *piece)
{
	struct spool_chunk c = piece->chunk;
	char *data = xmalloc(c.size);
	enum spool_code code = SPOOL_FAILED;

	c.at = place_moved(m, &c.at);
	c.data = data;
	if (pread(s->pieces->fd, data, c.size, (off_t)piece->data_at) == (ssize_t)c.size)
		code = spool_append(s->to, &c);
	free(data);
	return code;
}

/* An app of which the spool has nothing gets an empty log, behind what is to come. */
static enum spool_code
move_begin(const struct salvage *s, const struct move *m)
{
	struct spool_place end = place_moved(m, &m->end);

	if (spool_log_of(s->to, m->app) != NULL)
		return SPOOL_OK;
	return spool_set_marks(s->to, m->app, &end, NULL, 0);
}

/*
 * In transactions of some chunks each, before the log's head, where they are
 * nobody's until the last one moves it.
 */
static enum spool_code
move_all(const struct salvage *s, const struct move *m)
{
	enum spool_code code = SPOOL_OK;

	for (size_t i = 0; i < m->n && code == SPOOL_OK;) {
		size_t to = m->n - i < BATCH_CHUNKS ? m->n : i + BATCH_CHUNKS;

		if ((code = spool_begin(s->to)) != SPOOL_OK)
			break;
		code = move_begin(s, m);
		for (; i < to && code == SPOOL_OK; i++)
			code = move_chunk(s, m, m->piece[i]);
		if (i == m->n && code == SPOOL_OK)
			code = move_marks(s, m);
		if (code == SPOOL_OK)
			code = spool_commit(s->to);
		else
			spool_abort(s->to);
	}
	return code;
}

static void
move_report(const struct salvage *s, const struct move *m)
{
	s->report->apps++;
	s->report->chunks += m->n;
	for (size_t i = 0; i < m->n; i++) {
		s->report->lines += m->piece[i]->chunk.lines;
		s->report->bytes += m->piece[i]->chunk.size;
	}
	s->report->lines -= m->head.seq - m->piece[0]->chunk.at.seq;
	s->report->bytes -= m->head.bytes - m->piece[0]->chunk.at.bytes;
}

static enum spool_code
salvage_app(const struct salvage *s, const struct spool_piece *piece, size_t n,
	    spool_drains_of *drains_of, void *arg)
{
	struct move m = {.app = piece->chunk.app};
	enum spool_code code = SPOOL_OK;

	if (!drains_of(m.app, &m.drains, &m.ndrains, arg))
		return SPOOL_OK;
	if (m.ndrains > 0)
		move_take(s, &m, piece, n);
	if (m.n > 0) {
		move_set_head(s, &m);
		code = move_all(s, &m);
		if (code == SPOOL_OK)
			move_report(s, &m);
	}
	free(m.piece);
	free(m.drains);
	return code;
}

static enum spool_code
salvage_all(const struct salvage *s, spool_drains_of *drains_of, void *arg)
{
	const struct spool_pieces *p = s->pieces;
	enum spool_code code = tidy_all(s->to);
	size_t i = 0;

	while (i < p->nchunks && code == SPOOL_OK) {
		size_t n = 1;

		while (i + n < p->nchunks && p->chunk[i + n].chunk.app == p->chunk[i].chunk.app)
			n++;
		code = salvage_app(s, &p->chunk[i], n, drains_of, arg);
		i += n;
	}
	s->report->damaged += p->headless;
	return code;
}

enum spool_code
spool_salvage(const char *folder, struct spool *to, spool_drains_of *drains_of, void *arg,
	      struct spool_report *out)
{
	struct spool_pieces pieces;
	struct salvage s = {.pieces = &pieces, .to = to, .report = out};
	enum spool_code code = spool_pieces_read(folder, &pieces);

	memset(out, 0, sizeof(*out));
	snprintf(out->fault, sizeof(out->fault), "%s", pieces.fault);
	if (code == SPOOL_OK) {
		out->tree_damaged = pieces.scanned;
		code = salvage_all(&s, drains_of, arg);
		if (code != SPOOL_OK)
			snprintf(out->fault, sizeof(out->fault), "%s", spool_error(to));
	}
	spool_pieces_clear(&pieces);
	return code;
}

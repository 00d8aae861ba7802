#include "store/spool_internal.h"

const struct spool_log *
spool_log_of(const struct spool *s, uint64_t app)
{
	const struct spool_entry *e = spool_logs_find(&s->logs, app);

	return e == NULL || e->dropped ? NULL : &e->log;
}

const struct spool_log *
spool_log_at(const struct spool *s, size_t n)
{
	return n < s->logs.nlive ? &s->logs.live[n]->log : NULL;
}

const struct spool_log *
spool_greediest(const struct spool *s)
{
	const struct spool_log *found = NULL;
	uint64_t most = 0;

	for (size_t i = 0; i < s->logs.nlive; i++) {
		const struct spool_log *log = &s->logs.live[i]->log;

		if (found == NULL || log->end.bytes - log->head.bytes > most) {
			found = log;
			most = log->end.bytes - log->head.bytes;
		}
	}
	return found;
}

uint64_t
spool_bytes(const struct spool *s)
{
	return s->logs.bytes;
}

enum spool_code
spool_mark_of(struct spool *s, uint64_t app, uint64_t drain, struct spool_place *out)
{
	struct spool_mark mark;
	enum spool_code code = spool_find_mark(s, app, drain, &mark);

	if (code == SPOOL_OK)
		*out = mark.at;
	return code;
}

/* The chunk to begin with: the one that holds the sequence, or the first behind it. */
static enum spool_code
first_chunk(struct spool *s, uint64_t app, uint64_t seq, struct spool_found *out)
{
	struct spool_chunk c;
	uint64_t hash;

	if (spool_find_before(s, app, seq, out) == SPOOL_OK) {
		if (!spool_found_head(s, out, app, &c, &hash))
			s->left_out += out->seq < seq;
		else if (seq < c.at.seq + c.lines)
			return SPOOL_OK;
	}
	return spool_find(s, app, seq, out);
}

uint64_t
spool_left_out(const struct spool *s)
{
	return s->left_out;
}

enum spool_code
spool_read(struct spool *s, uint64_t app, uint64_t seq, size_t limit,
	   bool (*each)(const struct spool_chunk *c, void *arg), void *arg)
{
	const struct spool_log *log = spool_log_of(s, app);
	enum spool_code code = SPOOL_NONE;
	struct spool_found found;
	struct spool_chunk c;
	size_t given = 0;
	uint64_t hash;

	/* Then nothing is known of its logs, and that is not to say that they are not there. */
	if (s->env == NULL)
		return spool_refuse(s, "it could not be opened again");
	if (log == NULL)
		return SPOOL_NONE;
	if (seq < log->head.seq)
		seq = log->head.seq;
	for (code = first_chunk(s, app, seq, &found); code == SPOOL_OK;
	     code = spool_find(s, app, found.seq + 1, &found)) {
		if (!spool_found_head(s, &found, app, &c, &hash)) {
			s->left_out++;
			continue;
		}
		if (given > 0 && given + c.size > limit)
			break;
		spool_found_data(s, &found, &c, hash);
		given += c.size;
		if (!each(&c, arg))
			break;
	}
	/* What follows is asked for again, and then said to be damaged. */
	return given > 0 ? SPOOL_OK : code;
}

/* Where a log is to be cut: always the place of a chunk that can be read, its head or its end. */
#include "store/spool_internal.h"

enum { CUT_TIME_CHUNKS = 64 };

/* The app's first chunk at or behind seq whose place is known. */
static enum spool_code
readable(struct spool *s, uint64_t app, uint64_t seq, struct spool_chunk *out)
{
	struct spool_found found;
	enum spool_code code;
	uint64_t hash;

	while ((code = spool_find(s, app, seq, &found)) == SPOOL_OK) {
		if (spool_found_head(s, &found, app, out, &hash))
			return SPOOL_OK;
		seq = found.seq + 1;
	}
	return code;
}

enum spool_code
spool_cut_bytes(struct spool *s, uint64_t app, uint64_t keep, struct spool_place *out)
{
	const struct spool_log *log = spool_log_of(s, app);
	enum spool_code code = SPOOL_OK;
	uint64_t from, to;
	struct spool_chunk c;

	if (log == NULL)
		return SPOOL_NONE;
	*out = log->head;
	if (log->end.bytes - log->head.bytes <= keep)
		return SPOOL_OK;
	/* By halves; a chunk at or behind `to` has so few bytes behind it, or there is none. */
	from = log->head.seq;
	to = log->end.seq;
	*out = log->end;
	while (from < to) {
		uint64_t middle = from + (to - from) / 2;

		code = readable(s, app, middle, &c);
		if (code != SPOOL_OK && code != SPOOL_NONE)
			return code;
		if (code == SPOOL_OK && log->end.bytes - c.at.bytes > keep) {
			from = c.at.seq + 1;
			continue;
		}
		to = middle;
		if (code == SPOOL_OK)
			*out = c.at;
	}
	return SPOOL_OK;
}

enum spool_code
spool_cut_time(struct spool *s, uint64_t app, int64_t before_us, struct spool_place *out)
{
	const struct spool_log *log = spool_log_of(s, app);
	struct spool_found found;
	enum spool_code code;
	struct spool_chunk c;
	uint64_t hash, seq;

	if (log == NULL)
		return SPOOL_NONE;
	*out = log->head;
	seq = log->head.seq;
	if (spool_find_before(s, app, seq, &found) == SPOOL_OK &&
	    spool_found_head(s, &found, app, &c, &hash) && c.at.seq + c.lines > seq) {
		if (c.last_us >= before_us)
			return SPOOL_OK;
		seq = c.at.seq + c.lines;
	}
	for (int i = 0; i < CUT_TIME_CHUNKS; i++) {
		code = readable(s, app, seq, &c);
		if (code == SPOOL_NONE)
			*out = log->end;
		if (code != SPOOL_OK)
			return code == SPOOL_NONE ? SPOOL_OK : code;
		*out = c.at;
		if (c.last_us >= before_us)
			return SPOOL_OK;
		seq = c.at.seq + c.lines;
	}
	return SPOOL_OK;
}

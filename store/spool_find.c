#include <string.h>

#include "store/spool_internal.h"

/* The entry that the cursor stands on, copied. */
static enum spool_code
found_keep(struct spool *s, uint64_t app, const MDB_val *key, const MDB_val *value,
	   struct spool_found *out)
{
	if (key->mv_size != SPOOL_KEY_BYTES || spool_key_app(key->mv_data) != app)
		return SPOOL_NONE;
	s->value.n = 0;
	buf_add(&s->value, value->mv_data, value->mv_size);
	*out = (struct spool_found){.seq = spool_key_number(key->mv_data),
				    .value = (const unsigned char *)s->value.p,
				    .size = s->value.n};
	return SPOOL_OK;
}

static enum spool_code
find(struct spool *s, uint64_t app, uint64_t seq, bool before, struct spool_found *out)
{
	unsigned char want[SPOOL_KEY_BYTES];
	MDB_val key = {.mv_size = sizeof(want), .mv_data = want}, value;
	enum spool_code code = SPOOL_NONE;
	MDB_cursor *cursor;
	MDB_txn *txn;
	int rc;

	spool_key_make(want, app, seq);
	if ((rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn)) != 0)
		return spool_fail(s, rc, "reading");
	if ((rc = mdb_cursor_open(txn, s->table[SPOOL_CHUNKS], &cursor)) == 0) {
		rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
		if (before && rc == MDB_NOTFOUND)
			rc = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
		else if (before && rc == 0 && memcmp(key.mv_data, want, sizeof(want)) != 0)
			rc = mdb_cursor_get(cursor, &key, &value, MDB_PREV);
		if (rc == 0)
			code = found_keep(s, app, &key, &value, out);
		mdb_cursor_close(cursor);
	}
	mdb_txn_abort(txn);
	return rc == 0 || rc == MDB_NOTFOUND ? code : spool_fail(s, rc, "reading");
}

enum spool_code
spool_find(struct spool *s, uint64_t app, uint64_t seq, struct spool_found *out)
{
	return find(s, app, seq, false, out);
}

enum spool_code
spool_find_before(struct spool *s, uint64_t app, uint64_t seq, struct spool_found *out)
{
	return find(s, app, seq, true, out);
}

bool
spool_found_head(const struct spool_found *f, uint64_t app, struct spool_chunk *out, uint64_t *hash)
{
	return f->size >= SPOOL_HEAD_BYTES && spool_head_read(f->value, out, hash) &&
	       out->app == app && out->at.seq == f->seq && f->size - SPOOL_HEAD_BYTES == out->size;
}

void
spool_found_data(const struct spool_found *f, struct spool_chunk *c, uint64_t hash)
{
	const unsigned char *data = f->value + SPOOL_HEAD_BYTES;

	if (spool_data_hash(data, c->size) == hash)
		c->data = (const char *)data;
}

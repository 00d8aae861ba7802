#include "store/spool_internal.h"

static const char *const table_name[SPOOL_TABLES] = {
    [SPOOL_MARKS] = "marks",
    [SPOOL_CHUNKS] = "chunks",
};

static enum spool_code
view(struct spool *s)
{
	int fd, rc;

	if (s->viewed)
		return SPOOL_OK;
	if (s->env == NULL)
		return spool_refuse(s, "it could not be opened again");
	if ((rc = mdb_env_get_fd(s->env, &fd)) != 0)
		return spool_fail(s, rc, "reading");
	if (!lmdb_view_read(&s->view, fd))
		return spool_damaged(s, "a meta page");
	for (int i = 0; i < SPOOL_TABLES; i++)
		if (table_name[i] != NULL &&
		    lmdb_view_table(&s->view, table_name[i], &s->tree[i]) != LMDB_FOUND)
			return spool_damaged(s, "the list of its tables");
	s->viewed = true;
	return SPOOL_OK;
}

static enum spool_code
found_chunk(struct spool *s, enum lmdb_found found, uint64_t app, struct spool_found *out)
{
	const unsigned char *key = (const unsigned char *)out->entry.key.p;

	if (found == LMDB_BAD)
		return spool_damaged(s, "the tree of its chunks");
	if (found == LMDB_NONE || out->entry.key.n != SPOOL_KEY_BYTES || spool_key_app(key) != app)
		return SPOOL_NONE;
	out->seq = spool_key_number(key);
	return SPOOL_OK;
}

enum spool_code
spool_find(struct spool *s, uint64_t app, uint64_t seq, struct spool_found *out)
{
	unsigned char key[SPOOL_KEY_BYTES];
	enum spool_code code = view(s);

	if (code != SPOOL_OK)
		return code;
	spool_key_make(key, app, seq);
	return found_chunk(s,
			   lmdb_seek(&s->view, &s->tree[SPOOL_CHUNKS],
				     slice_of((const char *)key, sizeof(key)), &out->entry),
			   app, out);
}

enum spool_code
spool_find_before(struct spool *s, uint64_t app, uint64_t seq, struct spool_found *out)
{
	unsigned char key[SPOOL_KEY_BYTES];
	enum spool_code code = view(s);

	if (code != SPOOL_OK)
		return code;
	spool_key_make(key, app, seq);
	return found_chunk(s,
			   lmdb_seek_before(&s->view, &s->tree[SPOOL_CHUNKS],
					    slice_of((const char *)key, sizeof(key)), &out->entry),
			   app, out);
}

enum spool_code
spool_find_mark(struct spool *s, uint64_t app, uint64_t drain, struct spool_mark *out)
{
	unsigned char key[SPOOL_KEY_BYTES], record[SPOOL_MARK_BYTES];
	const struct slice want = slice_of((const char *)key, sizeof(key));
	enum spool_code code = view(s);
	struct lmdb_entry entry;
	enum lmdb_found found;

	if (code != SPOOL_OK)
		return code;
	spool_key_make(key, app, drain);
	found = lmdb_seek(&s->view, &s->tree[SPOOL_MARKS], want, &entry);
	if (found == LMDB_BAD)
		return spool_damaged(s, "the tree of marks");
	if (found == LMDB_NONE || !slice_eq(entry.key, want))
		return SPOOL_NONE;
	if (entry.bytes != sizeof(record) ||
	    !lmdb_value_read(&s->view, &entry, 0, record, sizeof(record)) ||
	    !spool_mark_read(record, sizeof(record), s->file_number, app, drain, out))
		return spool_damaged(s, "a drain's mark");
	return SPOOL_OK;
}

bool
spool_found_head(struct spool *s, const struct spool_found *f, uint64_t app,
		 struct spool_chunk *out, uint64_t *hash)
{
	unsigned char head[SPOOL_HEAD_BYTES];
	uint64_t file;

	return lmdb_value_read(&s->view, &f->entry, 0, head, sizeof(head)) &&
	       spool_head_read(head, &file, out, hash) && file == s->file_number &&
	       out->app == app && out->at.seq == f->seq &&
	       f->entry.bytes == SPOOL_HEAD_BYTES + (size_t)out->size;
}

void
spool_found_data(struct spool *s, const struct spool_found *f, struct spool_chunk *c, uint64_t hash)
{
	s->data.n = 0;
	buf_reserve(&s->data, c->size);
	if (lmdb_value_read(&s->view, &f->entry, SPOOL_HEAD_BYTES, s->data.p, c->size) &&
	    spool_data_hash(s->data.p, c->size) == hash)
		c->data = s->data.p;
}

enum spool_code
spool_may_put(struct spool *s, uint64_t app, uint64_t seq)
{
	unsigned char key[SPOOL_KEY_BYTES];
	enum spool_code code = view(s);

	if (code != SPOOL_OK)
		return code;
	spool_key_make(key, app, seq);
	if (!lmdb_around_sound(&s->view, &s->tree[SPOOL_CHUNKS],
			       slice_of((const char *)key, sizeof(key))))
		return spool_damaged(s, "the tree of its chunks");
	return SPOOL_OK;
}

/*
 * LMDB frees the pages that the entry names, as many as the first of them
 * says: they must not be another chunk's.
 */
bool
spool_may_delete(struct spool *s, uint64_t app, const struct spool_found *f)
{
	unsigned char head[SPOOL_HEAD_BYTES];
	struct spool_chunk c;
	uint64_t file, hash;

	if (!lmdb_value_sound(&s->view, &f->entry))
		return false;
	if (lmdb_value_read(&s->view, &f->entry, 0, head, sizeof(head)) &&
	    spool_head_read(head, &file, &c, &hash) && (c.app != app || c.at.seq != f->seq))
		return false;
	return spool_may_put(s, app, f->seq) == SPOOL_OK;
}

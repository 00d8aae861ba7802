#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/xmalloc.h"
#include "store/lmdb_room.h"
#include "store/store_internal.h"

enum store_code
store_fail(struct store *s, int rc, const char *doing)
{
	const char *words = mdb_strerror(rc);
	enum store_code code = STORE_FAILED;

	if (rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND || rc == MDB_INVALID ||
	    rc == MDB_CURSOR_FULL) {
		code = STORE_DAMAGED;
	} else if (rc == MDB_MAP_FULL || rc == MDB_TXN_FULL) {
		code = STORE_FULL;
		words = "the store has reached its largest size";
	} else if (rc == ENOSPC || rc == EDQUOT || rc == EFBIG ||
		   (rc == EIO && lmdb_disk_is_full(s->env))) {
		code = STORE_FULL;
		words = "the disk is full";
	}
	snprintf(s->error, sizeof(s->error), "%s: %s", doing, words);
	return code;
}

enum store_code
store_damaged(struct store *s, const char *what)
{
	snprintf(s->error, sizeof(s->error), "%s is damaged", what);
	return STORE_DAMAGED;
}

enum store_code
store_refuse(struct store *s, const char *words)
{
	snprintf(s->error, sizeof(s->error), "%s", words);
	return STORE_FAILED;
}

const char *
store_error(const struct store *s)
{
	return s->error;
}

enum store_code
store_begin_read(struct store *s, MDB_txn **txn)
{
	int rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, txn);

	return rc == 0 ? STORE_OK : store_fail(s, rc, "reading");
}

enum store_code
store_begin_remove(struct store *s, MDB_txn **txn)
{
	int rc = mdb_txn_begin(s->env, NULL, 0, txn);

	return rc == 0 ? STORE_OK : store_fail(s, rc, "writing");
}

/* 0, or why there is no room for an addition. */
static int
store_room(struct store *s)
{
	size_t spare = s->map_pages * STORE_SPARE_PERCENT / 100;
	size_t pages, free_pages, have = 0;
	MDB_envinfo info;
	int rc, full;

	if (spare < STORE_SPARE_PAGES)
		spare = STORE_SPARE_PAGES;
	if ((rc = mdb_env_info(s->env, &info)) != 0)
		return rc;
	pages = info.me_last_pgno + 1;
	full = lmdb_allocate_ahead(s->env, pages, STORE_SPARE_PAGES, &have);
	if (full == 0 && pages + spare <= s->map_pages)
		return 0;

	if ((rc = lmdb_free_pages(s->env, &free_pages)) != 0)
		return rc;
	if (pages + spare > s->map_pages + free_pages)
		return MDB_MAP_FULL;
	if (pages + STORE_SPARE_PAGES > have + free_pages)
		return full != 0 ? full : MDB_MAP_FULL;
	return 0;
}

enum store_code
store_begin_add(struct store *s, MDB_txn **txn)
{
	int rc = store_room(s);

	if (rc != 0) {
		*txn = NULL;
		return store_fail(s, rc, "writing");
	}
	return store_begin_remove(s, txn);
}

enum store_code
store_end(struct store *s, MDB_txn *txn, enum store_code code)
{
	int rc;

	if (code != STORE_OK) {
		mdb_txn_abort(txn);
		return code;
	}
	rc = mdb_txn_commit(txn);
	return rc == 0 ? STORE_OK : store_fail(s, rc, "writing");
}

static MDB_val
store_val(struct slice s)
{
	return (MDB_val){.mv_size = s.n, .mv_data = (void *)(uintptr_t)s.p};
}

static struct slice
store_slice(MDB_val v)
{
	return slice_of(v.mv_data, v.mv_size);
}

enum store_code
store_get(struct store *s, MDB_txn *txn, enum store_table table, struct slice key,
	  struct slice *value)
{
	MDB_val k = store_val(key), v;
	int rc = mdb_get(txn, s->table[table], &k, &v);

	if (rc == MDB_NOTFOUND)
		return STORE_NOT_FOUND;
	if (rc != 0)
		return store_fail(s, rc, "reading");
	*value = store_slice(v);
	return STORE_OK;
}

enum store_code
store_put_new(struct store *s, MDB_txn *txn, enum store_table table, struct slice key,
	      struct slice value)
{
	MDB_val k = store_val(key), v = store_val(value);
	int rc = mdb_put(txn, s->table[table], &k, &v, MDB_NOOVERWRITE);

	if (rc == MDB_KEYEXIST)
		return STORE_EXISTS;
	return rc == 0 ? STORE_OK : store_fail(s, rc, "writing");
}

enum store_code
store_delete(struct store *s, MDB_txn *txn, enum store_table table, struct slice key)
{
	MDB_val k = store_val(key);
	int rc = mdb_del(txn, s->table[table], &k, NULL);

	if (rc == MDB_NOTFOUND)
		return STORE_NOT_FOUND;
	return rc == 0 ? STORE_OK : store_fail(s, rc, "writing");
}

enum store_code
store_scan(struct store *s, MDB_txn *txn, enum store_table table, struct slice prefix,
	   enum store_code (*each)(struct slice key, struct slice value, bool *delete, void *arg),
	   void *arg)
{
	MDB_val k = store_val(prefix), v;
	enum store_code code = STORE_OK;
	MDB_cursor *cursor;
	bool delete;
	int rc;

	if ((rc = mdb_cursor_open(txn, s->table[table], &cursor)) != 0)
		return store_fail(s, rc, "reading");
	rc = mdb_cursor_get(cursor, &k, &v, prefix.n > 0 ? MDB_SET_RANGE : MDB_FIRST);
	while (rc == 0) {
		if (k.mv_size < prefix.n || memcmp(k.mv_data, prefix.p, prefix.n) != 0)
			break;
		delete = false;
		if ((code = each(store_slice(k), store_slice(v), &delete, arg)) != STORE_OK)
			break;
		if (delete &&(rc = mdb_cursor_del(cursor, 0)) != 0)
			break;
		rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	if (rc != 0 && rc != MDB_NOTFOUND)
		return store_fail(s, rc, "reading");
	return code;
}

enum store_code
store_counters_get(struct store *s, MDB_txn *txn, struct counters_record *out)
{
	enum store_code code;
	struct slice value;

	code = store_get(s, txn, TABLE_META, SLICE("counters"), &value);
	if (code == STORE_NOT_FOUND || (code == STORE_OK && !counters_record_unpack(value, out)))
		return store_damaged(s, "the record of counters");
	return code;
}

enum store_code
store_counters_put(struct store *s, MDB_txn *txn, const struct counters_record *counters)
{
	MDB_val k = store_val(SLICE("counters")), v;
	struct buf packed = {0};
	int rc = EINVAL;

	if (counters_record_pack(counters, &packed)) {
		v = store_val(buf_slice(&packed));
		rc = mdb_put(txn, s->table[TABLE_META], &k, &v, 0);
	}
	buf_free(&packed);
	return rc == 0 ? STORE_OK : store_fail(s, rc, "writing");
}

enum store_code
store_new_id(struct store *s, uint64_t serial, char id[RECORD_ID_BYTES + 1])
{
	uint64_t noise = 0;

	if (serial >> 48 != 0)
		return store_refuse(s, "there are no more ids");
	/* Never short for so few bytes. */
	if (getrandom(&noise, 6, 0) != 6)
		return store_fail(s, errno, "random bytes");
	snprintf(id, RECORD_ID_BYTES + 1, "%012llx%012llx", (unsigned long long)serial,
		 (unsigned long long)(noise & 0xffffffffffffULL));
	return STORE_OK;
}

enum store_code
store_raise_start(struct store *s, uint64_t *start)
{
	struct counters_record counters;
	enum store_code code;
	MDB_txn *txn;

	/* As a removal: a full store must not keep the gateway from starting. */
	if ((code = store_begin_remove(s, &txn)) != STORE_OK)
		return code;
	code = store_counters_get(s, txn, &counters);
	if (code == STORE_OK) {
		counters.start++;
		code = store_counters_put(s, txn, &counters);
	}
	code = store_end(s, txn, code);
	if (code == STORE_OK)
		*start = counters.start;
	return code;
}

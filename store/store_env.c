#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/xmalloc.h"
#include "store/lmdb_file.h"
#include "store/store_internal.h"

enum { MAGIC_BYTES = 8, MAGIC_RECORD_BYTES = MAGIC_BYTES + 4 + 8 };

static const char magic[MAGIC_BYTES + 1] = "penstock";

static const char *const table_name[STORE_TABLES] = {
    [TABLE_META] = "meta",
    [TABLE_APPS] = "apps",
    [TABLE_APP_NAMES] = "app_names",
    [TABLE_DRAINS] = "drains",
    [TABLE_DRAIN_URLS] = "drain_urls",
    [TABLE_TOKENS] = "tokens",
    [TABLE_TOKEN_HASHES] = "token_hashes",
};

static int
env_open(const char *folder, struct store *s, size_t map_bytes)
{
	MDB_envinfo info;
	MDB_stat stat;
	int rc, dead;

	if ((rc = lmdb_lock_allocate(folder)) != 0 || (rc = mdb_env_create(&s->env)) != 0 ||
	    (rc = mdb_env_set_maxdbs(s->env, STORE_TABLES)) != 0 ||
	    (rc = mdb_env_set_mapsize(s->env, map_bytes)) != 0 ||
	    (rc = mdb_env_open(s->env, folder, MDB_NOTLS, 0600)) != 0 ||
	    (rc = mdb_reader_check(s->env, &dead)) != 0 ||
	    (rc = mdb_env_stat(s->env, &stat)) != 0 || (rc = mdb_env_info(s->env, &info)) != 0)
		return rc;
	s->map_pages = info.me_mapsize / stat.ms_psize;
	return 0;
}

static int
tables_open(struct store *s, MDB_txn *txn, unsigned flags)
{
	int rc = 0;

	for (int i = 0; i < STORE_TABLES && rc == 0; i++)
		rc = mdb_dbi_open(txn, table_name[i], flags, &s->table[i]);
	return rc;
}

static void
magic_make(unsigned char record[MAGIC_RECORD_BYTES])
{
	memcpy(record, magic, MAGIC_BYTES);
	for (int i = 0; i < 4; i++)
		record[MAGIC_BYTES + i] = (unsigned char)(STORE_SCHEMA >> (24 - 8 * i));
	record_put_u64(record + MAGIC_BYTES + 4,
		       hash_slice(slice_of((const char *)record, MAGIC_BYTES + 4)));
}

static enum store_code
tables_create(const struct opening *o, struct store *s)
{
	const struct counters_record counters = {0};
	unsigned char record[MAGIC_RECORD_BYTES];
	enum store_code code;
	MDB_txn *txn;
	int rc;

	magic_make(record);
	if ((code = store_begin_add(s, &txn)) != STORE_OK)
		return opening_code(o, s, code);
	if ((rc = tables_open(s, txn, MDB_CREATE)) != 0)
		code = store_fail(s, rc, "creating");
	if (code == STORE_OK)
		code = store_put_new(s, txn, TABLE_META, SLICE("magic"),
				     slice_of((const char *)record, sizeof(record)));
	if (code == STORE_OK)
		code = store_counters_put(s, txn, &counters);
	return opening_code(o, s, store_end(s, txn, code));
}

enum store_code
store_create(const struct opening *o)
{
	char *folder = xasprintf("%s/new", o->folder);
	char *file = xasprintf("%s/data.mdb", folder);
	struct store *s = xcalloc(1, sizeof(*s));
	enum store_code code = STORE_OK;
	int rc = 0;

	/* What a start that was cut short may have left. */
	lmdb_folder_remove(folder);
	if (mkdir(folder, 0700) != 0)
		rc = errno;
	if (rc == 0 && (rc = env_open(folder, s, o->map_bytes)) == 0)
		code = tables_create(o, s);
	if (rc == 0 && code == STORE_OK && rename(file, o->file) != 0)
		rc = errno;
	if (rc == 0 && code == STORE_OK && (rc = lmdb_folder_sync(o->folder)) == 0)
		rc = lmdb_folder_sync(o->dir);
	if (rc != 0)
		code = opening_failed(o, s, rc);
	store_close(s);
	lmdb_folder_remove(folder);
	free(folder);
	free(file);
	return code;
}

/* Is this ours, and of a version that we know? */
static enum store_code
magic_check(const struct opening *o, struct store *s, MDB_txn *txn)
{
	const unsigned char *p;
	enum store_code code;
	unsigned schema = 0;
	struct slice value;

	code = store_get(s, txn, TABLE_META, SLICE("magic"), &value);
	if (code == STORE_NOT_FOUND ||
	    (code == STORE_OK &&
	     (value.n < MAGIC_RECORD_BYTES || memcmp(value.p, magic, MAGIC_BYTES) != 0)))
		return opening_foreign(o);
	if (code != STORE_OK)
		return opening_code(o, s, code);
	p = (const unsigned char *)value.p;
	if (record_get_u64(p + MAGIC_BYTES + 4) != hash_slice(slice_of(value.p, MAGIC_BYTES + 4)))
		return opening_damaged(o, "its version cannot be read");
	for (int i = 0; i < 4; i++)
		schema = schema << 8 | p[MAGIC_BYTES + i];
	if (schema <= STORE_SCHEMA)
		return STORE_OK;
	snprintf(
	    o->err, o->len,
	    "%s is of a newer version (schema %u, this penstockd knows %d): start that version, or "
	    "set data-dir to another folder",
	    o->file, schema, STORE_SCHEMA);
	return STORE_FAILED;
}

enum store_code
store_attach(const struct opening *o, struct store *s)
{
	enum store_code code;
	MDB_txn *txn;
	int rc;

	if ((rc = env_open(o->folder, s, o->map_bytes)) != 0 ||
	    (rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn)) != 0)
		return opening_failed(o, s, rc);
	rc = mdb_dbi_open(txn, table_name[TABLE_META], 0, &s->table[TABLE_META]);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE ? opening_foreign(o)
								    : opening_failed(o, s, rc);
	}
	code = magic_check(o, s, txn);
	if (code == STORE_OK && tables_open(s, txn, 0) != 0)
		code = opening_damaged(o, "a table is missing");
	if (code != STORE_OK) {
		mdb_txn_abort(txn);
		return code;
	}
	/* Keeps the tables open; a read transaction has nothing else to commit. */
	if ((rc = mdb_txn_commit(txn)) != 0)
		return opening_failed(o, s, rc);
	return opening_code(o, s, store_verify(s));
}

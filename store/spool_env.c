#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/xmalloc.h"
#include "store/lmdb_file.h"
#include "store/spool_internal.h"

static const char *const table_name[SPOOL_TABLES] = {
    [SPOOL_META] = "meta",
    [SPOOL_LOGS] = "logs",
    [SPOOL_MARKS] = "marks",
    [SPOOL_CHUNKS] = "chunks",
};

static const char magic_key[] = "magic";
static const char stamp_key[] = "stamp";

static int
env_open(struct spool *s, const char *folder)
{
	MDB_envinfo info;
	MDB_stat stat;
	int rc, dead;

	if ((rc = lmdb_lock_allocate(folder)) != 0 || (rc = mdb_env_create(&s->env)) != 0 ||
	    (rc = mdb_env_set_maxdbs(s->env, SPOOL_TABLES)) != 0 ||
	    (rc = mdb_env_set_mapsize(s->env, s->map_bytes)) != 0 ||
	    (rc = mdb_env_open(s->env, folder, MDB_NOTLS, 0600)) != 0 ||
	    (rc = mdb_reader_check(s->env, &dead)) != 0 ||
	    (rc = mdb_env_stat(s->env, &stat)) != 0 || (rc = mdb_env_info(s->env, &info)) != 0)
		return rc;
	s->page_bytes = stat.ms_psize;
	s->map_pages = info.me_mapsize / stat.ms_psize;
	return 0;
}

static int
tables_open(struct spool *s, MDB_txn *txn, unsigned flags)
{
	int rc = 0;

	for (int i = 0; i < SPOOL_TABLES && rc == 0; i++)
		rc = mdb_dbi_open(txn, table_name[i], flags, &s->table[i]);
	return rc;
}

static MDB_val
name_val(const char *name)
{
	return (MDB_val){.mv_size = strlen(name), .mv_data = (void *)(uintptr_t)name};
}

int
spool_stamp_put(struct spool *s, MDB_txn *txn)
{
	unsigned char record[SPOOL_STAMP_BYTES];
	MDB_val key = name_val(stamp_key);
	MDB_val value = {.mv_size = sizeof(record), .mv_data = record};
	MDB_envinfo info;
	int rc = mdb_env_info(s->env, &info);

	if (rc != 0)
		return rc;
	spool_stamp_make(record, mdb_txn_id(txn), info.me_last_pgno + 1);
	return mdb_put(txn, s->table[SPOOL_META], &key, &value, 0);
}

static int
tables_create(struct spool *s)
{
	unsigned char record[SPOOL_MAGIC_BYTES];
	MDB_val key = name_val(magic_key);
	MDB_val value = {.mv_size = sizeof(record), .mv_data = record};
	MDB_txn *txn;
	int rc;

	/* Never short for so few bytes. */
	if (getrandom(&s->file_number, sizeof(s->file_number), 0) != sizeof(s->file_number))
		return errno;
	spool_magic_make(record, s->file_number);
	if ((rc = mdb_txn_begin(s->env, NULL, 0, &txn)) != 0)
		return rc;
	if ((rc = tables_open(s, txn, MDB_CREATE)) == 0 &&
	    (rc = mdb_put(txn, s->table[SPOOL_META], &key, &value, 0)) == 0)
		rc = spool_stamp_put(s, txn);
	if (rc == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

enum spool_code
spool_create(const struct spool_opening *o)
{
	struct spool *s = o->spool;
	char *folder = xasprintf("%s/new", s->folder);
	char *file = xasprintf("%s/data.mdb", folder);
	int rc = 0;

	/* What a start that was cut short may have left. */
	lmdb_folder_remove(folder);
	if (mkdir(folder, 0700) != 0)
		rc = errno;
	if (rc == 0 && (rc = env_open(s, folder)) == 0)
		rc = tables_create(s);
	mdb_env_close(s->env);
	s->env = NULL;
	if (rc == 0 && rename(file, s->file) != 0)
		rc = errno;
	if (rc == 0 && (rc = lmdb_folder_sync(s->folder)) == 0)
		rc = lmdb_folder_sync(s->dir);
	lmdb_folder_remove(folder);
	free(folder);
	free(file);
	return rc == 0 ? SPOOL_OK : spool_opening_code(o, spool_fail(s, rc, "creating"));
}

/* Is this ours, and of a version that we know? */
static enum spool_code
magic_check(const struct spool_opening *o, MDB_txn *txn)
{
	MDB_val key = name_val(magic_key);
	struct spool *s = o->spool;
	enum spool_code code;
	unsigned schema = 0;
	MDB_val value;
	int rc = mdb_get(txn, s->table[SPOOL_META], &key, &value);

	if (rc != 0)
		return rc == MDB_NOTFOUND ? spool_damaged(s, "its version")
					  : spool_fail(s, rc, "reading");
	code = spool_magic_read(value.mv_data, value.mv_size, &schema, &s->file_number);
	if (code == SPOOL_OK)
		return code;
	if (code != SPOOL_FAILED)
		return spool_damaged(s, "its version");
	snprintf(s->error, sizeof(s->error), "schema %u, this penstockd knows %d", schema,
		 SPOOL_SCHEMA);
	snprintf(o->err, o->len,
		 "%s is of a newer version (%s): start that version, or move the folder away",
		 s->file, s->error);
	return SPOOL_FAILED;
}

/*
 * Is the meta page that was found to be the newest of this very commit?  A
 * flipped bit could make it the one before, or make its file shorter.
 */
static enum spool_code
stamp_check(struct spool *s, MDB_txn *txn)
{
	MDB_val key = name_val(stamp_key), value;
	uint64_t commit, pages;
	MDB_envinfo info;
	int rc = mdb_env_info(s->env, &info);

	if (rc == 0)
		rc = mdb_get(txn, s->table[SPOOL_META], &key, &value);
	if (rc != 0 && rc != MDB_NOTFOUND)
		return spool_fail(s, rc, "reading");
	if (rc == MDB_NOTFOUND ||
	    !spool_stamp_read(value.mv_data, value.mv_size, &commit, &pages) ||
	    commit != info.me_last_txnid || pages > info.me_last_pgno + 1)
		return spool_damaged(s, "a meta page");
	return SPOOL_OK;
}

static enum spool_code
logs_load(struct spool *s, MDB_txn *txn)
{
	struct spool_log log;
	MDB_cursor *cursor;
	MDB_val key, value;
	bool dropped;
	int rc;

	if ((rc = mdb_cursor_open(txn, s->table[SPOOL_LOGS], &cursor)) != 0)
		return spool_fail(s, rc, "reading");
	while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
		if (key.mv_size != SPOOL_APP_KEY_BYTES ||
		    !spool_log_read(value.mv_data, value.mv_size, s->file_number,
				    spool_key_app(key.mv_data), &log, &dropped) ||
		    spool_logs_find(&s->logs, log.app) != NULL)
			break;
		spool_logs_load(&s->logs, &log, dropped);
	}
	mdb_cursor_close(cursor);
	if (rc == 0)
		return spool_damaged(s, "the record of a log");
	return rc == MDB_NOTFOUND ? SPOOL_OK : spool_fail(s, rc, "reading");
}

/* Each with its key: a mark that cannot be found would be as if its drain were new. */
static enum spool_code
marks_check(struct spool *s, MDB_txn *txn)
{
	struct spool_mark mark;
	MDB_cursor *cursor;
	MDB_val key, value;
	int rc;

	if ((rc = mdb_cursor_open(txn, s->table[SPOOL_MARKS], &cursor)) != 0)
		return spool_fail(s, rc, "reading");
	while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0)
		if (key.mv_size != SPOOL_KEY_BYTES ||
		    !spool_mark_read(value.mv_data, value.mv_size, s->file_number,
				     spool_key_app(key.mv_data), spool_key_number(key.mv_data),
				     &mark))
			break;
	mdb_cursor_close(cursor);
	if (rc == 0)
		return spool_damaged(s, "a drain's mark");
	return rc == MDB_NOTFOUND ? SPOOL_OK : spool_fail(s, rc, "reading");
}

enum spool_code
spool_attach(const struct spool_opening *o)
{
	struct spool *s = o->spool;
	enum spool_code code;
	MDB_txn *txn;
	int rc;

	if ((rc = env_open(s, s->folder)) != 0 ||
	    (rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn)) != 0)
		return spool_opening_code(o, spool_fail(s, rc, "opening"));
	rc = tables_open(s, txn, 0);
	if (rc == 0)
		code = magic_check(o, txn);
	else if (rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE)
		code = spool_damaged(s, "the list of its tables");
	else
		code = spool_fail(s, rc, "opening");
	if (code == SPOOL_OK)
		code = stamp_check(s, txn);
	if (code == SPOOL_OK)
		code = logs_load(s, txn);
	if (code == SPOOL_OK)
		code = marks_check(s, txn);
	if (code != SPOOL_OK) {
		mdb_txn_abort(txn);
		return o->err[0] != '\0' ? code : spool_opening_code(o, code);
	}
	/* Keeps the tables open; a read transaction has nothing else to commit. */
	rc = mdb_txn_commit(txn);
	if (rc != 0)
		return spool_opening_code(o, spool_fail(s, rc, "opening"));
	return spool_length_check(s);
}

void
spool_detach(struct spool *s)
{
	uint64_t transaction = s->logs.transaction;

	mdb_env_close(s->env);
	s->env = NULL;
	s->viewed = false;
	s->file_bytes = 0;
	spool_logs_clear(&s->logs);
	s->logs.transaction = transaction;
}

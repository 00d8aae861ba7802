#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/lmdb_room.h"
#include "store/spool_internal.h"

static enum spool_code
code_of(struct spool *s, int rc, const char **words)
{
	*words = mdb_strerror(rc);
	switch (rc) {
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_CURSOR_FULL:
		return SPOOL_DAMAGED;
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
		*words = "the spool has reached its largest size";
		return SPOOL_FULL;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		*words = "the disk is full";
		return SPOOL_FULL;
	case EIO:
		/* LMDB's word for a write that came out short. */
		if (s->env != NULL && lmdb_disk_is_full(s->env))
			*words = "the disk is full";
		return s->txn != NULL ? SPOOL_FULL : SPOOL_FAILED;
	default:
		return SPOOL_FAILED;
	}
}

enum spool_code
spool_fail(struct spool *s, int rc, const char *doing)
{
	const char *words;
	enum spool_code code = code_of(s, rc, &words);

	snprintf(s->error, sizeof(s->error), "%s: %s", doing, words);
	s->starved |= code == SPOOL_FULL;
	return code;
}

enum spool_code
spool_damaged(struct spool *s, const char *what)
{
	snprintf(s->error, sizeof(s->error), "%s is damaged", what);
	return SPOOL_DAMAGED;
}

enum spool_code
spool_refuse(struct spool *s, const char *words)
{
	snprintf(s->error, sizeof(s->error), "%s", words);
	return SPOOL_FAILED;
}

enum spool_code
spool_break(struct spool *s, int rc, const char *doing)
{
	s->broken = spool_fail(s, rc, doing);
	return s->broken;
}

/* Pages of the map that appends leave free. */
static size_t
room_spare(const struct spool *s)
{
	size_t spare = s->map_pages * SPOOL_SPARE_PERCENT / 100;

	if (spare < SPOOL_SPARE_PAGES)
		spare = SPOOL_SPARE_PAGES;
	if (spare > s->map_pages / 4)
		spare = s->map_pages / 4;
	return spare;
}

/* Pages that are allocated in the file behind those in use. */
static size_t
room_ahead(const struct spool *s)
{
	size_t spare = room_spare(s);

	return spare < SPOOL_SPARE_PAGES ? spare : SPOOL_SPARE_PAGES;
}

enum spool_code
spool_room(struct spool *s, size_t bytes)
{
	/* What the trees need besides is taken from what is spared. */
	size_t need = bytes / s->page_bytes + 1, pages;
	struct spool_room *room = &s->room;
	MDB_envinfo info;
	int rc;

	if ((rc = mdb_env_info(s->env, &info)) != 0)
		return spool_fail(s, rc, "writing");
	/* Once a transaction: what it appends is about as much as is kept ready. */
	if (!room->asked)
		room->disk =
		    lmdb_allocate_ahead(s->env, info.me_last_pgno + 1, room_ahead(s), &room->have);
	room->asked = true;
	pages = info.me_last_pgno + 1 + room->taken + need;
	if (room->disk != 0 || pages + room_spare(s) > s->map_pages) {
		if (!room->walked && (rc = lmdb_free_pages(s->env, &room->free)) != 0)
			return spool_fail(s, rc, "writing");
		room->walked = true;
		if (pages + room_spare(s) > s->map_pages + room->free)
			return spool_fail(s, MDB_MAP_FULL, "writing");
		if (room->disk != 0 && pages + room_ahead(s) > room->have + room->free)
			return spool_fail(s, room->disk, "writing");
	}
	room->taken += need;
	return SPOOL_OK;
}

/*
 * LMDB refuses everything after a meta page could not be written: whether it
 * is on disk or not, what a new environment finds is so.
 */
static int
env_renew(struct spool *s)
{
	char err[SPOOL_ERROR_BYTES];
	const struct spool_opening o = {.spool = s, .err = err, .len = sizeof(err)};

	err[0] = '\0';
	spool_detach(s);
	if (spool_attach(&o) == SPOOL_OK)
		return mdb_txn_begin(s->env, NULL, 0, &s->txn);
	/* Perhaps the next time. */
	spool_detach(s);
	return MDB_PANIC;
}

/* LMDB never cuts its file.  Where somebody else did, it dies when it looks at its map. */
enum spool_code
spool_length_check(struct spool *s)
{
	struct stat st;
	int fd;

	if (s->env == NULL || mdb_env_get_fd(s->env, &fd) != 0 || fstat(fd, &st) != 0)
		return SPOOL_OK;
	if (st.st_size < s->file_bytes)
		return spool_damaged(s, "the file, which was cut,");
	s->file_bytes = st.st_size;
	return SPOOL_OK;
}

enum spool_code
spool_begin(struct spool *s)
{
	int rc = MDB_PANIC;

	assert(s->txn == NULL);
	if (spool_length_check(s) != SPOOL_OK)
		return SPOOL_DAMAGED;
	if (s->env != NULL)
		rc = mdb_txn_begin(s->env, NULL, 0, &s->txn);
	if (rc == MDB_PANIC)
		rc = env_renew(s);
	if (rc != 0) {
		s->txn = NULL;
		return spool_fail(s, rc, "writing");
	}
	s->broken = SPOOL_OK;
	s->wrote = false;
	s->room = (struct spool_room){0};
	spool_logs_begin(&s->logs);
	return SPOOL_OK;
}

static void
end_badly(struct spool *s)
{
	s->txn = NULL;
	spool_logs_undo(&s->logs);
}

/* What the table in memory has now is what the file will have. */
static enum spool_code
logs_write(struct spool *s)
{
	unsigned char id[SPOOL_KEY_BYTES], record[SPOOL_LOG_BYTES];
	MDB_val key = {.mv_size = SPOOL_APP_KEY_BYTES, .mv_data = id};
	MDB_val value = {.mv_size = sizeof(record), .mv_data = record};
	int rc = 0;

	for (size_t i = 0; i < s->logs.njournal && rc == 0; i++) {
		const struct spool_journal *j = &s->logs.journal[i];
		const struct spool_entry *e = spool_logs_find(&s->logs, j->was.log.app);

		if (e != NULL && !j->is_new && e->dropped == j->was.dropped &&
		    memcmp(&e->log, &j->was.log, sizeof(e->log)) == 0)
			continue;
		s->wrote = true;
		spool_key_make(id, j->was.log.app, 0);
		if (e == NULL) {
			rc = mdb_del(s->txn, s->table[SPOOL_LOGS], &key, NULL);
			rc = rc == MDB_NOTFOUND ? 0 : rc;
			continue;
		}
		spool_log_make(record, s->file_number, &e->log, e->dropped);
		rc = mdb_put(s->txn, s->table[SPOOL_LOGS], &key, &value, 0);
	}
	return rc == 0 ? SPOOL_OK : spool_break(s, rc, "writing");
}

/*
 * Which commit this is, for telling at open that a meta page is the right one.
 *
 * One that changes nothing writes nothing and is none for LMDB.  But pages
 * that one frees are used again by the one after the next; so when there was
 * no room, even such a one writes this.
 */
static enum spool_code
stamp_write(struct spool *s)
{
	int rc;

	if (!s->wrote && !s->starved)
		return SPOOL_OK;
	rc = spool_stamp_put(s, s->txn);
	return rc == 0 ? SPOOL_OK : spool_break(s, rc, "writing");
}

enum spool_code
spool_commit(struct spool *s)
{
	enum spool_code code = s->broken;
	int rc;

	assert(s->txn != NULL);
	if (code == SPOOL_OK)
		code = logs_write(s);
	if (code == SPOOL_OK)
		code = stamp_write(s);
	if (code != SPOOL_OK) {
		spool_abort(s);
		return code;
	}
	if ((rc = mdb_txn_commit(s->txn)) != 0) {
		code = spool_fail(s, rc, "writing");
		end_badly(s);
		return code;
	}
	s->txn = NULL;
	s->viewed = s->starved = false;
	spool_logs_keep(&s->logs);
	return SPOOL_OK;
}

void
spool_abort(struct spool *s)
{
	if (s->txn == NULL)
		return;
	mdb_txn_abort(s->txn);
	end_badly(s);
}

/*
 * store_internal -- what the store's files share; nobody else includes it.
 *
 *	store_open.c	open and close, in words	store_app.c	apps
 *	store_env.c	LMDB's environment, versions	store_drain.c	drains
 *	store_txn.c	transactions, counters, ids	store_token.c	tokens
 *	store_verify.c	do all entries fit together?	file_check.c	is the file whole?
 *
 * Tables (LMDB named databases); ids as text, numbers big-endian:
 *
 *	meta		"magic" -> "penstock", schema (u32), checksum
 *			"counters" -> counters_record
 *	apps		app id -> app_record
 *	app_names	name -> app id
 *	drains		app id, drain id (u64) -> drain_record
 *	drain_urls	app id, XXH3 of the URL (u64), drain id (u64) -> nothing
 *	tokens		token id -> token_record
 *	token_hashes	SHA-256 -> token id
 *
 * A URL may be longer than LMDB's keys (511 bytes): drain_urls says which
 * drains may have it, the drain's record whether it does.
 * App and token ids begin with their serial, so their order is that of adding.
 */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include <lmdb.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"
#include "store/record_pack.h"
#include "store/store.h"

enum {
	STORE_SCHEMA = 1,
	STORE_ERROR_BYTES = 256,
	STORE_MAP_BYTES = 1 << 30, /* sparse; some 500,000 drains */

	/*
	 * Left to removals: they too write new pages before old ones are free.
	 * Of the map, whichever is more; and in the file, allocated ahead.
	 */
	STORE_SPARE_PERCENT = 5,
	STORE_SPARE_PAGES = 32,
};

enum store_table {
	TABLE_META,
	TABLE_APPS,
	TABLE_APP_NAMES,
	TABLE_DRAINS,
	TABLE_DRAIN_URLS,
	TABLE_TOKENS,
	TABLE_TOKEN_HASHES,
	STORE_TABLES,
};

struct store {
	MDB_env *env;
	MDB_dbi table[STORE_TABLES];
	size_t map_pages;
	char error[STORE_ERROR_BYTES];
};

/* store_open with another map size: tests fill it. */
enum store_code store_open_sized(const char *dir, size_t map_bytes, struct store **out, char *err,
				 size_t errlen) __attribute__((warn_unused_result));

/* What is opened, and where the reason of a failure goes. */
struct opening {
	const char *dir;
	char *folder; /* DIR/store */
	char *file;   /* DIR/store/data.mdb */
	size_t map_bytes;
	char *err;
	size_t len;
};

/* store_open.c: a failure in words for who starts the gateway; each returns its code. */
enum store_code opening_damaged(const struct opening *, const char *why);
enum store_code opening_foreign(const struct opening *);
/* rc: LMDB's or errno. */
enum store_code opening_failed(const struct opening *, struct store *, int rc);
/* What another function of the store returned; STORE_OK stays that. */
enum store_code opening_code(const struct opening *, const struct store *, enum store_code);

/* store_env.c */

/*
 * Makes a new data.mdb.  It is built in a folder of its own and then renamed,
 * so that there never is a half one, and an empty one is known to be damage.
 */
enum store_code store_create(const struct opening *) __attribute__((warn_unused_result));
/* Opens a file that file_check has found whole. */
enum store_code store_attach(const struct opening *, struct store *)
    __attribute__((warn_unused_result));

/* store_txn.c */

/* The code for an LMDB (or errno) error, its words kept; doing: "adding a drain". */
enum store_code store_fail(struct store *, int rc, const char *doing);
/* STORE_DAMAGED: "WHAT is damaged". */
enum store_code store_damaged(struct store *, const char *what);
/* STORE_FAILED, in these words. */
enum store_code store_refuse(struct store *, const char *words);

enum store_code store_begin_read(struct store *, MDB_txn **) __attribute__((warn_unused_result));
/* STORE_FULL when only what is kept for removals is left. */
enum store_code store_begin_add(struct store *, MDB_txn **) __attribute__((warn_unused_result));
enum store_code store_begin_remove(struct store *, MDB_txn **) __attribute__((warn_unused_result));
/* Commits if code is STORE_OK, else aborts.  The code, or the commit's. */
enum store_code store_end(struct store *, MDB_txn *, enum store_code code);

/* *value is valid until the transaction's next write or its end. */
enum store_code store_get(struct store *, MDB_txn *, enum store_table, struct slice key,
			  struct slice *value) __attribute__((warn_unused_result));
/* STORE_EXISTS: there is such a key. */
enum store_code store_put_new(struct store *, MDB_txn *, enum store_table, struct slice key,
			      struct slice value) __attribute__((warn_unused_result));
enum store_code store_delete(struct store *, MDB_txn *, enum store_table, struct slice key)
    __attribute__((warn_unused_result));

/*
 * Calls each for all entries whose key begins with prefix, in order, until it
 * returns another code than STORE_OK, which is then the result.  each may
 * delete the entry that it was called for (delete: true), nothing else of the
 * table.
 */
enum store_code store_scan(struct store *, MDB_txn *, enum store_table, struct slice prefix,
			   enum store_code (*each)(struct slice key, struct slice value,
						   bool *delete, void *arg),
			   void *arg) __attribute__((warn_unused_result));

enum store_code store_counters_get(struct store *, MDB_txn *, struct counters_record *)
    __attribute__((warn_unused_result));
enum store_code store_counters_put(struct store *, MDB_txn *, const struct counters_record *)
    __attribute__((warn_unused_result));

/* 24 hex digits: the serial (48 bits), then 48 random bits. */
enum store_code store_new_id(struct store *, uint64_t serial, char id[RECORD_ID_BYTES + 1])
    __attribute__((warn_unused_result));

/* store_app.c */

/* Completes and adds; STORE_EXISTS: the name. */
enum store_code store_app_put(struct store *, MDB_txn *, struct counters_record *,
			      struct app_record *) __attribute__((warn_unused_result));
enum store_code store_app_get(struct store *, MDB_txn *, const char *id, struct app_record *out)
    __attribute__((warn_unused_result));

/* store_drain.c */

enum { DRAIN_KEY_BYTES = RECORD_ID_BYTES + 8, DRAIN_URL_KEY_BYTES = RECORD_ID_BYTES + 16 };

void store_drain_key(char key[DRAIN_KEY_BYTES], const char *app_id, uint64_t id);
void store_drain_url_key(char key[DRAIN_URL_KEY_BYTES], const char *app_id, const char *url,
			 uint64_t id);
/* All drains of an app. */
enum store_code store_drains_delete(struct store *, MDB_txn *, const char *app_id)
    __attribute__((warn_unused_result));

/* store_token.c: all tokens of an app. */
enum store_code store_tokens_delete(struct store *, MDB_txn *, const char *app_id)
    __attribute__((warn_unused_result));

/* store_verify.c: STORE_OK if all records are whole and all tables agree. */
enum store_code store_verify(struct store *) __attribute__((warn_unused_result));

#endif

/*
 * store -- the configuration: apps, drains, tokens, counters that only grow.
 *
 * One LMDB environment, full sync: when a function that changes something
 * returns STORE_OK, the change is on disk; at any other moment a crash leaves
 * the old or the new state.  Never logs: it returns a code, store_error() has
 * the words.
 *
 * Owner and thread: main.  Nothing else may use it.
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>

#include "store/record.h"

enum store_code {
	STORE_OK,
	STORE_NOT_FOUND,
	STORE_EXISTS,  /* that name (app) or URL (drain of the app) is taken */
	STORE_DAMAGED, /* a file or record that cannot be ours or is broken */
	STORE_FULL,    /* disk or map is full; nothing was changed */
	STORE_FAILED,  /* anything else; nothing was changed */
};

struct store;

/*
 * Opens or creates DIR/store (a folder, 0700).  On failure *out is NULL and
 * err holds one sentence with path, fault and remedy.  A file that is not a
 * penstock store or is damaged (STORE_DAMAGED), or is of a newer version
 * (STORE_FAILED), is refused, untouched.  Reads the whole file once: about
 * 0.1 s for 10,000 drains.
 */
enum store_code store_open(const char *dir, struct store **out, char *err, size_t errlen)
    __attribute__((warn_unused_result));
void store_close(struct store *); /* NULL is fine */

/* Words for the last code other than OK, NOT_FOUND and EXISTS. */
const char *store_error(const struct store *);

/*
 * The start number: raised and committed once at each start, before listeners
 * open, so that sequences are never reused (architecture, "three marks").
 */
enum store_code store_raise_start(struct store *, uint64_t *start)
    __attribute__((warn_unused_result));

/* Fills id, serial and created_us; name is the caller's. */
enum store_code store_app_add(struct store *, struct app_record *)
    __attribute__((warn_unused_result));
enum store_code store_app_by_name(struct store *, const char *name, struct app_record *out)
    __attribute__((warn_unused_result));
enum store_code store_app_by_id(struct store *, const char *id, struct app_record *out)
    __attribute__((warn_unused_result));
/* Its drains and tokens go with it, in one transaction. */
enum store_code store_app_remove(struct store *, const char *id)
    __attribute__((warn_unused_result));
/* In order of serial.  false from each ends the walk early. */
enum store_code store_app_walk(struct store *, bool (*each)(const struct app_record *, void *arg),
			       void *arg) __attribute__((warn_unused_result));

/*
 * Adds the app too, in the same transaction, when new_app is not NULL (it is
 * then completed as by store_app_add, and drain->app_id set to its id).
 * Fills drain->id and created_us, and mark if that is 0.  STORE_EXISTS: the URL, or the app's name.
 */
enum store_code store_drain_add(struct store *, struct app_record *new_app,
				struct drain_record *drain) __attribute__((warn_unused_result));
/*
 * Adds the drain in place of another one of its app, in one transaction: it has
 * an id of its own and stands last.  The two URLs may be the same.
 * STORE_NOT_FOUND: there is no drain old_id; STORE_EXISTS: a third drain has the URL.
 */
enum store_code store_drain_replace(struct store *, uint64_t old_id, struct drain_record *drain)
    __attribute__((warn_unused_result));
enum store_code store_drain_find(struct store *, const char *app_id, const char *url,
				 struct drain_record *out) __attribute__((warn_unused_result));
enum store_code store_drain_remove(struct store *, const char *app_id, uint64_t drain_id)
    __attribute__((warn_unused_result));
/* app_id NULL: all apps' drains.  In order of adding within an app. */
enum store_code store_drain_walk(struct store *, const char *app_id,
				 bool (*each)(const struct drain_record *, void *arg), void *arg)
    __attribute__((warn_unused_result));

/* Fills id and created_us. */
enum store_code store_token_add(struct store *, struct token_record *)
    __attribute__((warn_unused_result));
enum store_code store_token_by_hash(struct store *, const unsigned char sha256[32],
				    struct token_record *out) __attribute__((warn_unused_result));
enum store_code store_token_remove(struct store *, const char *id)
    __attribute__((warn_unused_result));
enum store_code store_token_walk(struct store *,
				 bool (*each)(const struct token_record *, void *arg), void *arg)
    __attribute__((warn_unused_result));

#endif

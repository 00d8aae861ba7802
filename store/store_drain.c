#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "store/store_internal.h"

/* What a URL's keys in drain_urls have in common. */
enum { URL_PREFIX_BYTES = RECORD_ID_BYTES + 8 };

void
store_drain_key(char key[DRAIN_KEY_BYTES], const char *app_id, uint64_t id)
{
	memcpy(key, app_id, RECORD_ID_BYTES);
	record_put_u64((unsigned char *)key + RECORD_ID_BYTES, id);
}

void
store_drain_url_key(char key[DRAIN_URL_KEY_BYTES], const char *app_id, const char *url, uint64_t id)
{
	memcpy(key, app_id, RECORD_ID_BYTES);
	record_put_u64((unsigned char *)key + RECORD_ID_BYTES, hash_slice(slice_str(url)));
	record_put_u64((unsigned char *)key + URL_PREFIX_BYTES, id);
}

/* The caller frees what it gets with STORE_OK. */
static enum store_code
drain_get(struct store *s, MDB_txn *txn, const char *app_id, uint64_t id, struct drain_record *out)
{
	char key[DRAIN_KEY_BYTES];
	enum store_code code;
	struct slice value;

	store_drain_key(key, app_id, id);
	code = store_get(s, txn, TABLE_DRAINS, slice_of(key, sizeof(key)), &value);
	if (code != STORE_OK)
		return code;
	if (!drain_record_unpack(value, out))
		return store_damaged(s, "a drain's record");
	if (out->id == id && strcmp(out->app_id, app_id) == 0)
		return STORE_OK;
	drain_record_free(out);
	return store_damaged(s, "a drain's record");
}

struct url_search {
	struct store *store;
	MDB_txn *txn;
	const char *app_id, *url;
	struct drain_record *found; /* if it is */
};

/* One drain that may have the URL.  STORE_EXISTS: it has. */
static enum store_code
on_url(struct slice key, struct slice value, bool *delete, void *arg)
{
	struct url_search *search = arg;
	enum store_code code;
	uint64_t id;

	(void)value;
	(void)delete;
	if (key.n != DRAIN_URL_KEY_BYTES)
		return store_damaged(search->store, "the table of drains' URLs");
	id = record_get_u64((const unsigned char *)key.p + URL_PREFIX_BYTES);
	code = drain_get(search->store, search->txn, search->app_id, id, search->found);
	if (code == STORE_NOT_FOUND)
		return store_damaged(search->store, "the table of drains' URLs");
	if (code != STORE_OK)
		return code;
	if (strcmp(search->found->url, search->url) == 0)
		return STORE_EXISTS;
	drain_record_free(search->found);
	return STORE_OK;
}

/* STORE_OK: the caller frees *out. */
static enum store_code
drain_search(struct store *s, MDB_txn *txn, const char *app_id, const char *url,
	     struct drain_record *out)
{
	struct url_search search = {s, txn, app_id, url, out};
	char key[DRAIN_URL_KEY_BYTES];
	enum store_code code;

	store_drain_url_key(key, app_id, url, 0);
	code =
	    store_scan(s, txn, TABLE_DRAIN_URLS, slice_of(key, URL_PREFIX_BYTES), on_url, &search);
	if (code == STORE_EXISTS)
		return STORE_OK;
	return code == STORE_OK ? STORE_NOT_FOUND : code;
}

/* drain->app_id is an app's. */
static enum store_code
drain_put(struct store *s, MDB_txn *txn, struct counters_record *counters,
	  struct drain_record *drain)
{
	char key[DRAIN_KEY_BYTES], url_key[DRAIN_URL_KEY_BYTES];
	struct drain_record other;
	struct buf packed = {0};
	enum store_code code;

	if (drain->url == NULL || drain->type == NULL)
		return store_refuse(s, "the drain has no type or no URL");
	code = drain_search(s, txn, drain->app_id, drain->url, &other);
	if (code == STORE_OK) {
		drain_record_free(&other);
		return STORE_EXISTS;
	}
	if (code != STORE_NOT_FOUND)
		return code;

	drain->id = ++counters->drain;
	if (drain->mark == 0)
		drain->mark = drain->id;
	drain->created_us = clock_wall_us();
	store_drain_key(key, drain->app_id, drain->id);
	store_drain_url_key(url_key, drain->app_id, drain->url, drain->id);
	if (drain_record_pack(drain, &packed))
		code = store_put_new(s, txn, TABLE_DRAINS, slice_of(key, sizeof(key)),
				     buf_slice(&packed));
	else
		code = store_refuse(s, "the drain's URL and parameters are too large to keep");
	buf_free(&packed);
	if (code == STORE_OK)
		code = store_put_new(s, txn, TABLE_DRAIN_URLS, slice_of(url_key, sizeof(url_key)),
				     SLICE(""));
	return code == STORE_EXISTS ? store_damaged(s, "the table of drains") : code;
}

enum store_code
store_drain_add(struct store *s, struct app_record *new_app, struct drain_record *drain)
{
	struct drain_record made = *drain; /* the strings stay drain's */
	struct app_record app;
	struct counters_record counters;
	enum store_code code;
	MDB_txn *txn;

	if ((code = store_begin_add(s, &txn)) != STORE_OK)
		return code;
	code = store_counters_get(s, txn, &counters);
	if (code == STORE_OK && new_app != NULL) {
		app = *new_app;
		code = store_app_put(s, txn, &counters, &app);
		memcpy(made.app_id, app.id, sizeof(made.app_id));
	} else if (code == STORE_OK) {
		code = store_app_get(s, txn, made.app_id, &app);
	}
	if (code == STORE_OK)
		code = drain_put(s, txn, &counters, &made);
	if (code == STORE_OK)
		code = store_counters_put(s, txn, &counters);
	code = store_end(s, txn, code);
	if (code != STORE_OK)
		return code;

	if (new_app != NULL)
		*new_app = app;
	*drain = made;
	return STORE_OK;
}

enum store_code
store_drain_find(struct store *s, const char *app_id, const char *url, struct drain_record *out)
{
	enum store_code code;
	MDB_txn *txn;

	memset(out, 0, sizeof(*out));
	if (!record_id_ok(slice_str(app_id)))
		return STORE_NOT_FOUND;
	if ((code = store_begin_read(s, &txn)) != STORE_OK)
		return code;
	code = drain_search(s, txn, app_id, url, out);
	mdb_txn_abort(txn);
	return code;
}

/* Both tables' entries. */
static enum store_code
drain_delete(struct store *s, MDB_txn *txn, const char *app_id, uint64_t id)
{
	char key[DRAIN_KEY_BYTES], url_key[DRAIN_URL_KEY_BYTES];
	struct drain_record drain;
	enum store_code code;

	code = drain_get(s, txn, app_id, id, &drain);
	if (code != STORE_OK)
		return code;
	store_drain_key(key, app_id, id);
	store_drain_url_key(url_key, app_id, drain.url, id);
	drain_record_free(&drain);
	code = store_delete(s, txn, TABLE_DRAINS, slice_of(key, sizeof(key)));
	if (code == STORE_OK)
		code = store_delete(s, txn, TABLE_DRAIN_URLS, slice_of(url_key, sizeof(url_key)));
	return code == STORE_NOT_FOUND ? store_damaged(s, "the table of drains' URLs") : code;
}

enum store_code
store_drain_remove(struct store *s, const char *app_id, uint64_t drain_id)
{
	enum store_code code;
	MDB_txn *txn;

	if (!record_id_ok(slice_str(app_id)))
		return STORE_NOT_FOUND;
	if ((code = store_begin_remove(s, &txn)) != STORE_OK)
		return code;
	return store_end(s, txn, drain_delete(s, txn, app_id, drain_id));
}

enum store_code
store_drain_replace(struct store *s, uint64_t old_id, struct drain_record *drain)
{
	struct drain_record made = *drain; /* the strings stay drain's */
	struct counters_record counters;
	enum store_code code;
	MDB_txn *txn;

	if (!record_id_ok(slice_str(made.app_id)))
		return STORE_NOT_FOUND;
	if ((code = store_begin_add(s, &txn)) != STORE_OK)
		return code;
	code = store_counters_get(s, txn, &counters);
	if (code == STORE_OK)
		code = drain_delete(s, txn, made.app_id, old_id);
	if (code == STORE_OK)
		code = drain_put(s, txn, &counters, &made);
	if (code == STORE_OK)
		code = store_counters_put(s, txn, &counters);
	code = store_end(s, txn, code);
	if (code == STORE_OK)
		*drain = made;
	return code;
}

static enum store_code
on_entry_to_delete(struct slice key, struct slice value, bool *delete, void *arg)
{
	(void)key;
	(void)value;
	(void)arg;
	*delete = true;
	return STORE_OK;
}

enum store_code
store_drains_delete(struct store *s, MDB_txn *txn, const char *app_id)
{
	struct slice prefix = slice_of(app_id, RECORD_ID_BYTES);
	enum store_code code;

	code = store_scan(s, txn, TABLE_DRAINS, prefix, on_entry_to_delete, NULL);
	if (code == STORE_OK)
		code = store_scan(s, txn, TABLE_DRAIN_URLS, prefix, on_entry_to_delete, NULL);
	return code;
}

struct drain_walk {
	struct store *store;
	bool (*each)(const struct drain_record *, void *arg);
	void *arg;
	bool ended;
};

static enum store_code
on_drain(struct slice key, struct slice value, bool *delete, void *arg)
{
	struct drain_walk *walk = arg;
	struct drain_record drain;
	char want[DRAIN_KEY_BYTES];

	(void)delete;
	if (!drain_record_unpack(value, &drain))
		return store_damaged(walk->store, "a drain's record");
	store_drain_key(want, drain.app_id, drain.id);
	if (!slice_eq(key, slice_of(want, sizeof(want)))) {
		drain_record_free(&drain);
		return store_damaged(walk->store, "a drain's record");
	}
	walk->ended = !walk->each(&drain, walk->arg);
	drain_record_free(&drain);
	return walk->ended ? STORE_NOT_FOUND : STORE_OK;
}

enum store_code
store_drain_walk(struct store *s, const char *app_id,
		 bool (*each)(const struct drain_record *, void *arg), void *arg)
{
	struct drain_walk walk = {.store = s, .each = each, .arg = arg};
	struct slice prefix = app_id != NULL ? slice_str(app_id) : SLICE("");
	enum store_code code;
	MDB_txn *txn;

	if (app_id != NULL && !record_id_ok(prefix))
		return STORE_OK;
	if ((code = store_begin_read(s, &txn)) != STORE_OK)
		return code;
	code = store_scan(s, txn, TABLE_DRAINS, prefix, on_drain, &walk);
	mdb_txn_abort(txn);
	return walk.ended ? STORE_OK : code;
}

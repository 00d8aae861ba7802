#include <string.h>

#include "base/clock.h"
#include "base/name.h"
#include "store/store_internal.h"

static struct slice
app_key(const char *id)
{
	return slice_of(id, RECORD_ID_BYTES);
}

enum store_code
store_app_put(struct store *s, MDB_txn *txn, struct counters_record *counters,
	      struct app_record *app)
{
	struct slice name = slice_of(app->name, strnlen(app->name, sizeof(app->name)));
	struct buf packed = {0};
	enum store_code code;

	if (!name_is_app(name))
		return store_refuse(s, "that cannot be an app's name");
	app->serial = ++counters->app;
	app->created_us = clock_wall_us();
	if ((code = store_new_id(s, app->serial, app->id)) != STORE_OK)
		return code;

	code = store_put_new(s, txn, TABLE_APP_NAMES, name, app_key(app->id));
	if (code != STORE_OK)
		return code;
	if (app_record_pack(app, &packed))
		code = store_put_new(s, txn, TABLE_APPS, app_key(app->id), buf_slice(&packed));
	else
		code = store_refuse(s, "the app's record cannot be kept");
	buf_free(&packed);
	return code == STORE_EXISTS ? store_damaged(s, "the table of apps") : code;
}

enum store_code
store_app_add(struct store *s, struct app_record *app)
{
	struct counters_record counters;
	struct app_record made = *app;
	enum store_code code;
	MDB_txn *txn;

	if ((code = store_begin_add(s, &txn)) != STORE_OK)
		return code;
	code = store_counters_get(s, txn, &counters);
	if (code == STORE_OK)
		code = store_app_put(s, txn, &counters, &made);
	if (code == STORE_OK)
		code = store_counters_put(s, txn, &counters);
	code = store_end(s, txn, code);
	if (code == STORE_OK)
		*app = made;
	return code;
}

enum store_code
store_app_get(struct store *s, MDB_txn *txn, const char *id, struct app_record *out)
{
	enum store_code code;
	struct slice value;

	if (!record_id_ok(slice_str(id)))
		return STORE_NOT_FOUND;
	code = store_get(s, txn, TABLE_APPS, app_key(id), &value);
	if (code != STORE_OK)
		return code;
	if (!app_record_unpack(value, out) || strcmp(out->id, id) != 0)
		return store_damaged(s, "an app's record");
	return STORE_OK;
}

enum store_code
store_app_by_id(struct store *s, const char *id, struct app_record *out)
{
	enum store_code code;
	MDB_txn *txn;

	if ((code = store_begin_read(s, &txn)) != STORE_OK)
		return code;
	code = store_app_get(s, txn, id, out);
	mdb_txn_abort(txn);
	return code;
}

enum store_code
store_app_by_name(struct store *s, const char *name, struct app_record *out)
{
	char id[RECORD_ID_BYTES + 1] = "";
	enum store_code code;
	struct slice value;
	MDB_txn *txn;

	if (!name_is_app(slice_str(name)))
		return STORE_NOT_FOUND;
	if ((code = store_begin_read(s, &txn)) != STORE_OK)
		return code;
	code = store_get(s, txn, TABLE_APP_NAMES, slice_str(name), &value);
	if (code == STORE_OK) {
		if (value.n == RECORD_ID_BYTES)
			memcpy(id, value.p, value.n);
		code = store_app_get(s, txn, id, out);
		if (code == STORE_NOT_FOUND || (code == STORE_OK && strcmp(out->name, name) != 0))
			code = store_damaged(s, "the table of apps' names");
	}
	mdb_txn_abort(txn);
	return code;
}

enum store_code
store_app_remove(struct store *s, const char *id)
{
	struct app_record app;
	enum store_code code;
	MDB_txn *txn;

	if ((code = store_begin_remove(s, &txn)) != STORE_OK)
		return code;
	code = store_app_get(s, txn, id, &app);
	if (code == STORE_OK) {
		code = store_delete(s, txn, TABLE_APP_NAMES, slice_str(app.name));
		if (code == STORE_OK)
			code = store_delete(s, txn, TABLE_APPS, app_key(id));
		if (code == STORE_OK)
			code = store_drains_delete(s, txn, id);
		if (code == STORE_OK)
			code = store_tokens_delete(s, txn, id);
		if (code == STORE_NOT_FOUND)
			code = store_damaged(s, "an app's entry");
	}
	return store_end(s, txn, code);
}

struct app_walk {
	struct store *store;
	bool (*each)(const struct app_record *, void *arg);
	void *arg;
	bool ended;
};

static enum store_code
on_app(struct slice key, struct slice value, bool *delete, void *arg)
{
	struct app_walk *walk = arg;
	struct app_record app;

	(void)delete;
	if (!app_record_unpack(value, &app) || !slice_is(key, app.id))
		return store_damaged(walk->store, "an app's record");
	walk->ended = !walk->each(&app, walk->arg);
	return walk->ended ? STORE_NOT_FOUND : STORE_OK;
}

enum store_code
store_app_walk(struct store *s, bool (*each)(const struct app_record *, void *arg), void *arg)
{
	struct app_walk walk = {.store = s, .each = each, .arg = arg};
	enum store_code code;
	MDB_txn *txn;

	if ((code = store_begin_read(s, &txn)) != STORE_OK)
		return code;
	code = store_scan(s, txn, TABLE_APPS, SLICE(""), on_app, &walk);
	mdb_txn_abort(txn);
	return walk.ended ? STORE_OK : code;
}

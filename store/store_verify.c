/*
 * Run at open: a damaged record or table is better refused then than found
 * later, when an app that cannot be found would be made a second time.
 */
#include <string.h>

#include "store/store_internal.h"

struct verify {
	struct store *store;
	MDB_txn *txn;
	struct counters_record counters;
};

/* code, or damage if it is STORE_NOT_FOUND. */
static enum store_code
verify_found(const struct verify *v, enum store_code code, const char *what)
{
	return code == STORE_NOT_FOUND ? store_damaged(v->store, what) : code;
}

static enum store_code
on_app(struct slice key, struct slice value, bool *delete, void *arg)
{
	const struct verify *v = arg;
	struct app_record app;
	enum store_code code;
	struct slice id;

	(void)delete;
	if (!app_record_unpack(value, &app) || !slice_is(key, app.id) ||
	    app.serial > v->counters.app)
		return store_damaged(v->store, "an app's record");
	code = store_get(v->store, v->txn, TABLE_APP_NAMES, slice_str(app.name), &id);
	if (code == STORE_OK && !slice_is(id, app.id))
		code = STORE_NOT_FOUND;
	return verify_found(v, code, "the table of apps' names");
}

static enum store_code
on_drain(struct slice key, struct slice value, bool *delete, void *arg)
{
	char want[DRAIN_KEY_BYTES], url_key[DRAIN_URL_KEY_BYTES];
	const struct verify *v = arg;
	struct drain_record drain;
	enum store_code code;
	struct app_record app;
	struct slice nothing;
	uint64_t id;

	(void)delete;
	if (!drain_record_unpack(value, &drain))
		return store_damaged(v->store, "a drain's record");
	id = drain.id;
	store_drain_key(want, drain.app_id, id);
	store_drain_url_key(url_key, drain.app_id, drain.url, id);
	code = store_app_get(v->store, v->txn, drain.app_id, &app);
	drain_record_free(&drain);
	if (!slice_eq(key, slice_of(want, sizeof(want))) || id > v->counters.drain)
		return store_damaged(v->store, "a drain's record");
	if (code == STORE_OK)
		code = store_get(v->store, v->txn, TABLE_DRAIN_URLS,
				 slice_of(url_key, sizeof(url_key)), &nothing);
	return verify_found(v, code, "the table of drains");
}

static enum store_code
on_token(struct slice key, struct slice value, bool *delete, void *arg)
{
	const struct verify *v = arg;
	struct token_record token;
	struct app_record app;
	enum store_code code = STORE_OK;
	struct slice id;

	(void)delete;
	if (!token_record_unpack(value, &token) || !slice_is(key, token.id))
		return store_damaged(v->store, "a token's record");
	if (token.app_id[0] != '\0')
		code = store_app_get(v->store, v->txn, token.app_id, &app);
	if (code == STORE_OK)
		code = store_get(v->store, v->txn, TABLE_TOKEN_HASHES,
				 slice_of((const char *)token.sha256, sizeof(token.sha256)), &id);
	if (code == STORE_OK && !slice_is(id, token.id))
		code = STORE_NOT_FOUND;
	return verify_found(v, code, "the table of tokens");
}

/* Each record has its index entry, so equal numbers mean that none is left over. */
static enum store_code
verify_pair(const struct verify *v, enum store_table records, enum store_table index,
	    const char *what)
{
	MDB_stat a, b;
	int rc;

	if ((rc = mdb_stat(v->txn, v->store->table[records], &a)) != 0 ||
	    (rc = mdb_stat(v->txn, v->store->table[index], &b)) != 0)
		return store_fail(v->store, rc, "reading");
	return a.ms_entries == b.ms_entries ? STORE_OK : store_damaged(v->store, what);
}

enum store_code
store_verify(struct store *s)
{
	static const struct {
		enum store_table records, index;
		const char *what;
		enum store_code (*each)(struct slice, struct slice, bool *, void *);
	} checks[] = {
	    {TABLE_APPS, TABLE_APP_NAMES, "the table of apps' names", on_app},
	    {TABLE_DRAINS, TABLE_DRAIN_URLS, "the table of drains' URLs", on_drain},
	    {TABLE_TOKENS, TABLE_TOKEN_HASHES, "the table of tokens' hashes", on_token},
	};
	struct verify v = {.store = s};
	enum store_code code;

	if ((code = store_begin_read(s, &v.txn)) != STORE_OK)
		return code;
	code = store_counters_get(s, v.txn, &v.counters);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]) && code == STORE_OK; i++) {
		code = store_scan(s, v.txn, checks[i].records, SLICE(""), checks[i].each, &v);
		if (code == STORE_OK)
			code = verify_pair(&v, checks[i].records, checks[i].index, checks[i].what);
	}
	mdb_txn_abort(v.txn);
	return code;
}

#include <string.h>

#include "base/clock.h"
#include "store/store_internal.h"

static struct slice
token_key(const char *id)
{
	return slice_of(id, RECORD_ID_BYTES);
}

static struct slice
token_hash(const unsigned char sha256[32])
{
	return slice_of((const char *)sha256, 32);
}

static enum store_code
token_put(struct store *s, MDB_txn *txn, struct counters_record *counters,
	  struct token_record *token)
{
	struct buf packed = {0};
	struct app_record app;
	enum store_code code;

	if (token->app_id[0] != '\0' &&
	    (code = store_app_get(s, txn, token->app_id, &app)) != STORE_OK)
		return code;
	token->created_us = clock_wall_us();
	if ((code = store_new_id(s, ++counters->token, token->id)) != STORE_OK)
		return code;
	code = store_put_new(s, txn, TABLE_TOKEN_HASHES, token_hash(token->sha256),
			     token_key(token->id));
	if (code != STORE_OK)
		return code;
	if (token_record_pack(token, &packed))
		code =
		    store_put_new(s, txn, TABLE_TOKENS, token_key(token->id), buf_slice(&packed));
	else
		code = store_refuse(s, "the token's name is too long");
	buf_free(&packed);
	return code == STORE_EXISTS ? store_damaged(s, "the table of tokens") : code;
}

enum store_code
store_token_add(struct store *s, struct token_record *token)
{
	struct token_record made = *token;
	struct counters_record counters;
	enum store_code code;
	MDB_txn *txn;

	if (strnlen(made.app_id, sizeof(made.app_id)) == sizeof(made.app_id))
		return STORE_NOT_FOUND;
	if ((code = store_begin_add(s, &txn)) != STORE_OK)
		return code;
	code = store_counters_get(s, txn, &counters);
	if (code == STORE_OK)
		code = token_put(s, txn, &counters, &made);
	if (code == STORE_OK)
		code = store_counters_put(s, txn, &counters);
	code = store_end(s, txn, code);
	if (code == STORE_OK)
		*token = made;
	return code;
}

static enum store_code
token_get(struct store *s, MDB_txn *txn, struct slice id, struct token_record *out)
{
	enum store_code code;
	struct slice value;

	if (!record_id_ok(id))
		return STORE_NOT_FOUND;
	code = store_get(s, txn, TABLE_TOKENS, id, &value);
	if (code != STORE_OK)
		return code;
	if (!token_record_unpack(value, out) || !slice_is(id, out->id))
		return store_damaged(s, "a token's record");
	return STORE_OK;
}

enum store_code
store_token_by_hash(struct store *s, const unsigned char sha256[32], struct token_record *out)
{
	enum store_code code;
	struct slice id;
	MDB_txn *txn;

	if ((code = store_begin_read(s, &txn)) != STORE_OK)
		return code;
	code = store_get(s, txn, TABLE_TOKEN_HASHES, token_hash(sha256), &id);
	if (code == STORE_OK) {
		code = token_get(s, txn, id, out);
		if (code == STORE_NOT_FOUND ||
		    (code == STORE_OK && memcmp(out->sha256, sha256, 32) != 0))
			code = store_damaged(s, "the table of tokens' hashes");
	}
	mdb_txn_abort(txn);
	return code;
}

static enum store_code
token_delete(struct store *s, MDB_txn *txn, struct slice id)
{
	struct token_record token;
	enum store_code code;

	code = token_get(s, txn, id, &token);
	if (code != STORE_OK)
		return code;
	code = store_delete(s, txn, TABLE_TOKENS, token_key(token.id));
	if (code == STORE_OK)
		code = store_delete(s, txn, TABLE_TOKEN_HASHES, token_hash(token.sha256));
	return code == STORE_NOT_FOUND ? store_damaged(s, "the table of tokens' hashes") : code;
}

enum store_code
store_token_remove(struct store *s, const char *id)
{
	enum store_code code;
	MDB_txn *txn;

	if ((code = store_begin_remove(s, &txn)) != STORE_OK)
		return code;
	return store_end(s, txn, token_delete(s, txn, slice_str(id)));
}

struct app_tokens {
	struct store *store;
	MDB_txn *txn;
	const char *app_id;
};

static enum store_code
on_app_token(struct slice key, struct slice value, bool *delete, void *arg)
{
	const struct app_tokens *of = arg;
	struct token_record token;
	enum store_code code;

	if (!token_record_unpack(value, &token) || !slice_is(key, token.id))
		return store_damaged(of->store, "a token's record");
	*delete = strcmp(token.app_id, of->app_id) == 0;
	if (!*delete)
		return STORE_OK;
	code = store_delete(of->store, of->txn, TABLE_TOKEN_HASHES, token_hash(token.sha256));
	if (code == STORE_NOT_FOUND)
		return store_damaged(of->store, "the table of tokens' hashes");
	return code;
}

enum store_code
store_tokens_delete(struct store *s, MDB_txn *txn, const char *app_id)
{
	struct app_tokens of = {s, txn, app_id};

	return store_scan(s, txn, TABLE_TOKENS, SLICE(""), on_app_token, &of);
}

struct token_walk {
	struct store *store;
	bool (*each)(const struct token_record *, void *arg);
	void *arg;
	bool ended;
};

static enum store_code
on_token(struct slice key, struct slice value, bool *delete, void *arg)
{
	struct token_walk *walk = arg;
	struct token_record token;

	(void)delete;
	if (!token_record_unpack(value, &token) || !slice_is(key, token.id))
		return store_damaged(walk->store, "a token's record");
	walk->ended = !walk->each(&token, walk->arg);
	return walk->ended ? STORE_NOT_FOUND : STORE_OK;
}

enum store_code
store_token_walk(struct store *s, bool (*each)(const struct token_record *, void *arg), void *arg)
{
	struct token_walk walk = {.store = s, .each = each, .arg = arg};
	enum store_code code;
	MDB_txn *txn;

	if ((code = store_begin_read(s, &txn)) != STORE_OK)
		return code;
	code = store_scan(s, txn, TABLE_TOKENS, SLICE(""), on_token, &walk);
	mdb_txn_abort(txn);
	return walk.ended ? STORE_OK : code;
}

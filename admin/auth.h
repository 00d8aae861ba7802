/*
 * auth -- who sends a request: the operator, or the holder of an API token.
 *
 * Taken are: `Basic` with the token as password (`:TOKEN`) or, with an empty
 * password, as user name; `Bearer TOKEN`; `Bearer JWT` as issued by exchange.
 * Only hashes of secrets are kept and compared.  A right token always passes;
 * only failures are counted against a peer.
 *
 * Owner: the admin API.  Thread: main.
 */
#ifndef ADMIN_AUTH_H
#define ADMIN_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "admin/jwt.h"
#include "admin/throttle.h"
#include "io/http_server.h"
#include "store/store.h"

struct auth {
	struct store *store;
	unsigned char operator_hash[32]; /* SHA-256 of the operator's token */
	unsigned char
	    jwt_key[JWT_KEY_BYTES]; /* made from the same token: a new one ends all JWTs */
	struct throttle throttle;
};

/* Who passed. */
struct principal {
	bool is_operator;
	bool by_jwt;
	bool by_basic;		   /* the scheme decides a list's shape */
	struct token_record token; /* whose it is, unless the operator's; app_id "": all apps */
};

enum auth_result {
	AUTH_OK,
	AUTH_MISSING,	/* no credentials, or of an unknown scheme */
	AUTH_WRONG,	/* refused and counted */
	AUTH_THROTTLED, /* wrong, and too often: *wait_s says how long to wait */
	AUTH_STORE,	/* store_error() says why */
};

/* Hashes the token; it is not kept. */
void auth_init(struct auth *, struct store *, const char *operator_token);

enum auth_result auth_check(struct auth *, const struct http_request *, struct principal *,
			    int64_t *wait_s) __attribute__((warn_unused_result));

/* Adds a JWT for this principal to out. */
void auth_issue(const struct auth *, const struct principal *, struct buf *out);

/* "operator", or the token's id: for logs. */
const char *principal_name(const struct principal *);

void sha256_of(const void *p, size_t n, unsigned char out[32]);

#endif

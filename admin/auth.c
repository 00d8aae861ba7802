#include "admin/auth.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "admin/base64.h"
#include "base/clock.h"

/* The subject of the operator's JWTs; others name the hash of their token in hex. */
static const char operator_subject[] = "operator";

void
sha256_of(const void *p, size_t n, unsigned char out[32])
{
	EVP_Digest(p, n, out, NULL, EVP_sha256(), NULL);
}

void
auth_init(struct auth *auth, struct store *store, const char *operator_token)
{
	static const unsigned char purpose[] = "penstock admin JWT 1";

	memset(auth, 0, sizeof(*auth));
	auth->store = store;
	sha256_of(operator_token, strlen(operator_token), auth->operator_hash);
	HMAC(EVP_sha256(), operator_token, (int)strlen(operator_token), purpose,
	     sizeof(purpose) - 1, auth->jwt_key, NULL);
}

static enum auth_result
find_token(struct auth *auth, const unsigned char hash[32], struct principal *who)
{
	switch (store_token_by_hash(auth->store, hash, &who->token)) {
	case STORE_OK:
		if (CRYPTO_memcmp(hash, who->token.sha256, 32) == 0)
			return AUTH_OK;
		return AUTH_WRONG;
	case STORE_NOT_FOUND:
		return AUTH_WRONG;
	default:
		return AUTH_STORE;
	}
}

static enum auth_result
check_secret(struct auth *auth, struct slice secret, struct principal *who)
{
	unsigned char hash[32];

	if (secret.n == 0)
		return AUTH_WRONG;
	sha256_of(secret.p, secret.n, hash);
	if (CRYPTO_memcmp(hash, auth->operator_hash, 32) == 0) {
		who->is_operator = true;
		return AUTH_OK;
	}
	return find_token(auth, hash, who);
}

static bool
hash_from_hex(const char *hex, unsigned char out[32])
{
	if (strlen(hex) != 64 || strspn(hex, "0123456789abcdef") != 64)
		return false;
	for (size_t i = 0; i < 32; i++) {
		char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

		out[i] = (unsigned char)strtoul(digits, NULL, 16);
	}
	return true;
}

/* The token behind a JWT is looked up each time: a removed one ends its JWTs. */
static enum auth_result
check_jwt(struct auth *auth, struct slice jwt, struct principal *who)
{
	char subject[JWT_SUBJECT_MAX + 1];
	unsigned char hash[32];

	if (!jwt_verify(auth->jwt_key, jwt, clock_wall_us() / 1000000, subject))
		return AUTH_WRONG;
	who->by_jwt = true;
	if (strcmp(subject, operator_subject) == 0) {
		who->is_operator = true;
		return AUTH_OK;
	}
	if (!hash_from_hex(subject, hash))
		return AUTH_WRONG;
	return find_token(auth, hash, who);
}

static enum auth_result
check_basic(struct auth *auth, struct slice encoded, struct principal *who)
{
	struct buf text = {0};
	enum auth_result result = AUTH_WRONG;

	if (base64_decode(BASE64_STANDARD, encoded, &text) && text.n > 0) {
		struct slice all = buf_slice(&text);
		const char *colon = memchr(all.p, ':', all.n);
		size_t user = colon != NULL ? (size_t)(colon - all.p) : all.n;

		if (user + 1 < all.n)
			result = check_secret(auth, slice_skip(all, user + 1), who);
		else
			result = check_secret(auth, slice_of(all.p, user), who);
	}
	if (text.p != NULL)
		OPENSSL_cleanse(text.p, text.cap);
	buf_free(&text);
	return result;
}

/* What follows the scheme and its spaces (RFC 9110, 11.4); p NULL: another scheme. */
static struct slice
credentials_of(struct slice header, const char *scheme)
{
	size_t n = strlen(scheme);

	if (header.n <= n || strncasecmp(header.p, scheme, n) != 0 || header.p[n] != ' ')
		return (struct slice){NULL, 0};
	while (n < header.n && header.p[n] == ' ')
		n++;
	return slice_skip(header, n);
}

enum auth_result
auth_check(struct auth *auth, const struct http_request *req, struct principal *who,
	   int64_t *wait_s)
{
	struct slice header = http_request_header(req, "Authorization");
	struct slice basic, bearer;
	enum auth_result result;

	memset(who, 0, sizeof(*who));
	*wait_s = 0;
	if (header.p == NULL)
		return AUTH_MISSING;
	basic = credentials_of(header, "Basic");
	bearer = credentials_of(header, "Bearer");
	if (basic.p != NULL) {
		who->by_basic = true;
		result = check_basic(auth, basic, who);
	} else if (bearer.p == NULL) {
		return AUTH_MISSING;
	} else if (jwt_looks_like(bearer)) {
		result = check_jwt(auth, bearer, who);
	} else {
		result = check_secret(auth, bearer, who);
	}
	if (result == AUTH_WRONG) {
		*wait_s = throttle_fail(&auth->throttle, req->peer, clock_mono_ms());
		if (*wait_s > 0)
			result = AUTH_THROTTLED;
	}
	return result;
}

void
auth_issue(const struct auth *auth, const struct principal *who, struct buf *out)
{
	char subject[JWT_SUBJECT_MAX + 1];

	if (who->is_operator) {
		snprintf(subject, sizeof(subject), "%s", operator_subject);
	} else {
		for (size_t i = 0; i < 32; i++)
			snprintf(subject + 2 * i, 3, "%02x", who->token.sha256[i]);
	}
	jwt_issue(auth->jwt_key, subject, clock_wall_us() / 1000000, out);
}

const char *
principal_name(const struct principal *who)
{
	return who->is_operator ? operator_subject : who->token.id;
}

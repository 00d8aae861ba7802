#include "admin/jwt.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "admin/base64.h"

static const char jwt_header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";

/* Adds '.' and the signature of everything in out before it. */
static void
add_signature(const unsigned char key[JWT_KEY_BYTES], struct buf *out)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	HMAC(EVP_sha256(), key, JWT_KEY_BYTES, (const unsigned char *)out->p, out->n, mac, &n);
	buf_add_char(out, '.');
	base64url_add(out, mac, n);
}

void
jwt_issue(const unsigned char key[JWT_KEY_BYTES], const char *subject, int64_t now_s,
	  struct buf *out)
{
	struct buf claims = {0}, token = {0};

	buf_addf(&claims, "{\"iss\":\"penstock\",\"sub\":\"%s\",\"iat\":%lld,\"exp\":%lld}",
		 subject, (long long)now_s, (long long)now_s + JWT_LIFE_S);
	base64url_add(&token, jwt_header, sizeof(jwt_header) - 1);
	buf_add_char(&token, '.');
	base64url_add(&token, claims.p, claims.n);
	add_signature(key, &token);
	buf_add(out, token.p, token.n);
	buf_free(&claims);
	buf_free(&token);
}

static bool
claims_read(struct slice part, int64_t now_s, char subject[JWT_SUBJECT_MAX + 1])
{
	struct buf text = {0};
	json_t *claims = NULL;
	const json_t *sub, *exp;
	bool ok = false;

	if (base64_decode(BASE64_URL, part, &text))
		claims = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	sub = json_object_get(claims, "sub");
	exp = json_object_get(claims, "exp");
	if (json_is_string(sub) && json_string_length(sub) <= JWT_SUBJECT_MAX &&
	    json_is_integer(exp) && json_integer_value(exp) > now_s) {
		memcpy(subject, json_string_value(sub), json_string_length(sub) + 1);
		ok = true;
	}
	json_decref(claims);
	buf_free(&text);
	return ok;
}

bool
jwt_verify(const unsigned char key[JWT_KEY_BYTES], struct slice token, int64_t now_s,
	   char subject[JWT_SUBJECT_MAX + 1])
{
	struct buf expected = {0}, header = {0};
	const char *first, *second;
	bool ok = false;

	if (!jwt_looks_like(token))
		return false;
	first = memchr(token.p, '.', token.n);
	second = memrchr(token.p, '.', token.n);

	/* The text is compared, not the decoded bytes: one token has one spelling. */
	base64url_add(&header, jwt_header, sizeof(jwt_header) - 1);
	buf_add(&expected, token.p, (size_t)(second - token.p));
	add_signature(key, &expected);
	if (slice_eq(slice_of(token.p, (size_t)(first - token.p)), buf_slice(&header)) &&
	    expected.n == token.n && CRYPTO_memcmp(expected.p, token.p, token.n) == 0)
		ok = claims_read(slice_of(first + 1, (size_t)(second - first - 1)), now_s, subject);
	buf_free(&expected);
	buf_free(&header);
	return ok;
}

bool
jwt_looks_like(struct slice token)
{
	int dots = 0;

	for (size_t i = 0; i < token.n; i++)
		dots += token.p[i] == '.';
	return dots == 2;
}

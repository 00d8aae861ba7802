#include "types/drain_http.h"

#include <stdlib.h>

void
drain_request_header(struct drain_request *req, const char *name, const char *value)
{
	size_t start;

	buf_add_str(&req->headers, name);
	buf_add_str(&req->headers, ": ");
	start = req->headers.n;
	buf_add_str(&req->headers, value);
	for (size_t i = start; i < req->headers.n; i++) {
		unsigned char c = (unsigned char)req->headers.p[i];

		if (c < ' ' || c == 0x7f)
			req->headers.p[i] = ' ';
	}
	buf_add_char(&req->headers, '\0');
}

/* RFC 4648, section 4 */
static void
add_base64(struct slice in, struct buf *out)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < in.n; i += 3) {
		const unsigned char *p = (const unsigned char *)in.p + i;
		size_t left = in.n - i;
		unsigned bits = (unsigned)p[0] << 16;

		if (left > 1)
			bits |= (unsigned)p[1] << 8;
		if (left > 2)
			bits |= p[2];
		buf_add_char(out, digits[bits >> 18]);
		buf_add_char(out, digits[bits >> 12 & 63]);
		buf_add_char(out, left > 1 ? digits[bits >> 6 & 63] : '=');
		buf_add_char(out, left > 2 ? digits[bits & 63] : '=');
	}
}

void
drain_request_basic(struct drain_request *req, struct slice user_password)
{
	struct buf value = {0};

	buf_add_str(&value, "Basic ");
	add_base64(user_password, &value);
	drain_request_header(req, "Authorization", buf_cstr(&value));
	buf_free(&value);
}

void
drain_request_bearer(struct drain_request *req, const char *token)
{
	struct buf value = {0};

	buf_add_str(&value, "Bearer ");
	buf_add_str(&value, token);
	drain_request_header(req, "Authorization", buf_cstr(&value));
	buf_free(&value);
}

struct drain_verdict
drain_judge(int status)
{
	struct drain_verdict verdict = {DRAIN_REFUSED, 0};

	if (status >= 200 && status <= 299)
		verdict.answer = DRAIN_ACCEPTED;
	else if (status == 400 || status == 413 || status == 422)
		verdict.answer = DRAIN_SPLIT;
	else if (status == 408 || status == 425 || status == 429 ||
		 (status >= 500 && status <= 599))
		verdict.answer = DRAIN_RETRY;
	return verdict;
}

/* A default that was given goes without saying: the URL does not have it. */
static void
drop_value(struct drain_conf *conf, enum drain_key key)
{
	free(conf->value[key]);
	conf->value[key] = NULL;
}

void
drain_http_defaults(struct drain_conf *conf, bool gzip, unsigned concurrency)
{
	if (conf->value[DRAIN_GZIP] == NULL)
		conf->gzip = gzip;
	else if (conf->gzip == gzip)
		drop_value(conf, DRAIN_GZIP);
	if (conf->value[DRAIN_CONCURRENCY] == NULL)
		conf->concurrency = concurrency;
	else if (conf->concurrency == concurrency)
		drop_value(conf, DRAIN_CONCURRENCY);
}

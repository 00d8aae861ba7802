#include "store/record_pack.h"

#include <msgpack.h>
#include <string.h>

#include "base/hash.h"
#include "base/name.h"
#include "base/xmalloc.h"
#include "store/unpack.h"

enum { CHECKSUM_BYTES = 8 };

enum record_kind { RECORD_APP = 1, RECORD_DRAIN, RECORD_TOKEN, RECORD_COUNTERS };

/* How many members each array has, kind and version included. */
enum { APP_MEMBERS = 6, DRAIN_MEMBERS = 10, TOKEN_MEMBERS = 7, COUNTERS_MEMBERS = 6 };

/* As the first versions wrote it: without a mark. */
enum { DRAIN_MEMBERS_LEAST = 9 };

bool
record_id_ok(struct slice id)
{
	if (id.n != RECORD_ID_BYTES)
		return false;
	for (size_t i = 0; i < id.n; i++)
		if (!(id.p[i] >= '0' && id.p[i] <= '9') && !(id.p[i] >= 'a' && id.p[i] <= 'f'))
			return false;
	return true;
}

void
record_put_u64(unsigned char out[8], uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		out[i] = (unsigned char)v;
}

uint64_t
record_get_u64(const unsigned char in[8])
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | in[i];
	return v;
}

/* A field that may lack its NUL. */
static struct slice
field(const char *p, size_t size)
{
	return slice_of(p, strnlen(p, size));
}

/* packing */

static int
pack_write(void *out, const char *p, size_t n)
{
	buf_add(out, p, n);
	return 0;
}

static void
pack_begin(msgpack_packer *pk, struct buf *out, enum record_kind kind, size_t members)
{
	const char zero[CHECKSUM_BYTES] = {0};

	buf_add(out, zero, sizeof(zero));
	msgpack_packer_init(pk, out, pack_write);
	msgpack_pack_array(pk, members);
	msgpack_pack_unsigned_char(pk, (unsigned char)kind);
	msgpack_pack_unsigned_char(pk, RECORD_VERSION);
}

static void
pack_text(msgpack_packer *pk, struct slice s)
{
	msgpack_pack_str(pk, s.n);
	msgpack_pack_str_body(pk, s.p, s.n);
}

static bool
pack_end(struct buf *out)
{
	struct slice body = slice_skip(buf_slice(out), CHECKSUM_BYTES);

	record_put_u64((unsigned char *)out->p, hash_slice(body));
	return out->n <= RECORD_BYTES_MAX;
}

bool
app_record_pack(const struct app_record *app, struct buf *out)
{
	struct slice id = field(app->id, sizeof(app->id));
	struct slice name = field(app->name, sizeof(app->name));
	msgpack_packer pk;

	if (!record_id_ok(id) || !name_is_app(name))
		return false;
	pack_begin(&pk, out, RECORD_APP, APP_MEMBERS);
	pack_text(&pk, id);
	pack_text(&pk, name);
	msgpack_pack_uint64(&pk, app->serial);
	msgpack_pack_int64(&pk, app->created_us);
	return pack_end(out);
}

/* So that no text is added up and copied that could not be kept anyway. */
static bool
drain_record_fits(const struct drain_record *drain)
{
	size_t n = 0;

	if (drain->type == NULL || drain->url == NULL || drain->nparams > RECORD_PARAMS_MAX)
		return false;
	n = strlen(drain->type) + strlen(drain->url);
	for (size_t i = 0; i < drain->nparams; i++) {
		if (drain->params[i].key == NULL || drain->params[i].value == NULL)
			return false;
		n += strlen(drain->params[i].key) + strlen(drain->params[i].value);
	}
	return n <= RECORD_BYTES_MAX;
}

bool
drain_record_pack(const struct drain_record *drain, struct buf *out)
{
	struct slice app_id = field(drain->app_id, sizeof(drain->app_id));
	msgpack_packer pk;

	if (!record_id_ok(app_id) || !drain_record_fits(drain))
		return false;
	pack_begin(&pk, out, RECORD_DRAIN, DRAIN_MEMBERS);
	msgpack_pack_uint64(&pk, drain->id);
	pack_text(&pk, app_id);
	pack_text(&pk, slice_str(drain->type));
	pack_text(&pk, slice_str(drain->url));
	msgpack_pack_array(&pk, drain->nparams * 2);
	for (size_t i = 0; i < drain->nparams; i++) {
		pack_text(&pk, slice_str(drain->params[i].key));
		pack_text(&pk, slice_str(drain->params[i].value));
	}
	msgpack_pack_uint64(&pk, drain->position);
	msgpack_pack_int64(&pk, drain->created_us);
	msgpack_pack_uint64(&pk, drain->mark);
	return pack_end(out);
}

bool
token_record_pack(const struct token_record *token, struct buf *out)
{
	struct slice id = field(token->id, sizeof(token->id));
	struct slice app_id = field(token->app_id, sizeof(token->app_id));
	struct slice name = field(token->name, sizeof(token->name));
	msgpack_packer pk;

	if (!record_id_ok(id) || (app_id.n != 0 && !record_id_ok(app_id)) ||
	    name.n == sizeof(token->name))
		return false;
	pack_begin(&pk, out, RECORD_TOKEN, TOKEN_MEMBERS);
	pack_text(&pk, id);
	msgpack_pack_bin(&pk, sizeof(token->sha256));
	msgpack_pack_bin_body(&pk, token->sha256, sizeof(token->sha256));
	pack_text(&pk, app_id);
	pack_text(&pk, name);
	msgpack_pack_int64(&pk, token->created_us);
	return pack_end(out);
}

bool
counters_record_pack(const struct counters_record *counters, struct buf *out)
{
	msgpack_packer pk;

	pack_begin(&pk, out, RECORD_COUNTERS, COUNTERS_MEMBERS);
	msgpack_pack_uint64(&pk, counters->app);
	msgpack_pack_uint64(&pk, counters->drain);
	msgpack_pack_uint64(&pk, counters->token);
	msgpack_pack_uint64(&pk, counters->start);
	return pack_end(out);
}

/* unpacking */

/* Checks everything but the fields; *extra is how many unknown ones follow them. */
static struct unpack
unpack_begin(struct slice bytes, enum record_kind kind, size_t members, size_t *extra)
{
	struct unpack u = {.rest = bytes};
	size_t n;

	*extra = 0;
	if (bytes.n <= CHECKSUM_BYTES || bytes.n > RECORD_BYTES_MAX) {
		u.failed = true;
		return u;
	}
	u.rest = slice_skip(bytes, CHECKSUM_BYTES);
	if (record_get_u64((const unsigned char *)bytes.p) != hash_slice(u.rest)) {
		u.failed = true;
		return u;
	}
	n = unpack_array(&u);
	if (n < members || unpack_u64(&u) != kind || unpack_u64(&u) != RECORD_VERSION)
		u.failed = true;
	else
		*extra = n - members;
	return u;
}

static bool
unpack_end(struct unpack *u, size_t extra)
{
	for (; extra > 0 && !u->failed; extra--)
		unpack_skip(u);
	return !u->failed && u->rest.n == 0;
}

/* Text into a field of that size; zeroed before, so the NUL is there. */
static void
unpack_field(struct unpack *u, char *out, size_t size)
{
	struct slice s = unpack_text(u);

	if (s.n >= size)
		u->failed = true;
	else if (s.n > 0)
		memcpy(out, s.p, s.n);
}

static void
unpack_id(struct unpack *u, char out[RECORD_ID_BYTES + 1])
{
	unpack_field(u, out, RECORD_ID_BYTES + 1);
	if (!record_id_ok(field(out, RECORD_ID_BYTES + 1)))
		u->failed = true;
}

static char *
unpack_copy(struct unpack *u)
{
	struct slice s = unpack_text(u);

	return xstrndup(s.p, s.n);
}

bool
app_record_unpack(struct slice bytes, struct app_record *out)
{
	size_t extra;
	struct unpack u = unpack_begin(bytes, RECORD_APP, APP_MEMBERS, &extra);

	memset(out, 0, sizeof(*out));
	unpack_id(&u, out->id);
	unpack_field(&u, out->name, sizeof(out->name));
	out->serial = unpack_u64(&u);
	out->created_us = unpack_i64(&u);
	if (unpack_end(&u, extra) && name_is_app(field(out->name, sizeof(out->name))))
		return true;
	memset(out, 0, sizeof(*out));
	return false;
}

bool
drain_record_unpack(struct slice bytes, struct drain_record *out)
{
	size_t extra, n;
	struct unpack u = unpack_begin(bytes, RECORD_DRAIN, DRAIN_MEMBERS_LEAST, &extra);

	memset(out, 0, sizeof(*out));
	out->id = unpack_u64(&u);
	unpack_id(&u, out->app_id);
	out->type = unpack_copy(&u);
	out->url = unpack_copy(&u);
	n = unpack_array(&u);
	if (n % 2 != 0 || n / 2 > RECORD_PARAMS_MAX)
		u.failed = true;
	for (size_t i = 0; i < n / 2 && !u.failed; i++) {
		out->params[i].key = unpack_copy(&u);
		out->params[i].value = unpack_copy(&u);
		out->nparams++;
	}
	out->position = unpack_u64(&u);
	out->created_us = unpack_i64(&u);
	out->mark = out->id;
	if (extra > 0) {
		out->mark = unpack_u64(&u);
		extra--;
	}
	if (unpack_end(&u, extra))
		return true;
	drain_record_free(out);
	return false;
}

bool
token_record_unpack(struct slice bytes, struct token_record *out)
{
	size_t extra;
	struct unpack u = unpack_begin(bytes, RECORD_TOKEN, TOKEN_MEMBERS, &extra);
	struct slice sha256;

	memset(out, 0, sizeof(*out));
	unpack_id(&u, out->id);
	sha256 = unpack_bin(&u);
	if (sha256.n == sizeof(out->sha256))
		memcpy(out->sha256, sha256.p, sizeof(out->sha256));
	else
		u.failed = true;
	unpack_field(&u, out->app_id, sizeof(out->app_id));
	if (out->app_id[0] != '\0' && !record_id_ok(field(out->app_id, sizeof(out->app_id))))
		u.failed = true;
	unpack_field(&u, out->name, sizeof(out->name));
	out->created_us = unpack_i64(&u);
	if (unpack_end(&u, extra))
		return true;
	memset(out, 0, sizeof(*out));
	return false;
}

bool
counters_record_unpack(struct slice bytes, struct counters_record *out)
{
	size_t extra;
	struct unpack u = unpack_begin(bytes, RECORD_COUNTERS, COUNTERS_MEMBERS, &extra);

	memset(out, 0, sizeof(*out));
	out->app = unpack_u64(&u);
	out->drain = unpack_u64(&u);
	out->token = unpack_u64(&u);
	out->start = unpack_u64(&u);
	if (unpack_end(&u, extra))
		return true;
	memset(out, 0, sizeof(*out));
	return false;
}

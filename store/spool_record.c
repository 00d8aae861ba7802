#include "store/spool_record.h"

#include <string.h>

#include "base/hash.h"
#include "store/record_pack.h"

enum { SCHEMA_AT = 8, MAGIC_FILE_AT = 16, MAGIC_HASH_AT = 24, STAMP_HASH_AT = 16 };
enum { PLACE_BYTES = 24, LOG_END_AT = 24, LOG_FIRST_AT = 48, LOG_FLAGS_AT = 56, LOG_HASH_AT = 64 };
enum {
	VERSION_AT = 8,
	FILE_AT = 16,
	APP_AT = 24,
	PLACE_AT = 32,
	LINES_AT = 56,
	FIRST_AT = 64,
	LAST_AT = 72,
	DATA_HASH_AT = 80,
	HEAD_HASH_AT = 88,
};

enum { LOG_DROPPED = 1 };

/* As PNG's: a byte that is no ASCII, a name, both kinds of line ends. */
const unsigned char spool_sign[SPOOL_SIGN_BYTES] = {0x9e, 'S', 'P', 'O', 'O', 'L', '\r', '\n'};

static const char magic[] = "penspool";

static uint64_t
hash_bytes(const void *p, size_t n)
{
	return hash_slice(slice_of(p, n));
}

static void
put_pair(unsigned char *out, uint32_t a, uint32_t b)
{
	record_put_u64(out, (uint64_t)a << 32 | b);
}

static void
put_place(unsigned char *out, const struct spool_place *place)
{
	record_put_u64(out, place->seq);
	record_put_u64(out + 8, place->bytes);
	record_put_u64(out + 16, place->lines);
}

static struct spool_place
get_place(const unsigned char *p)
{
	return (struct spool_place){.seq = record_get_u64(p),
				    .bytes = record_get_u64(p + 8),
				    .lines = record_get_u64(p + 16)};
}

void
spool_key_make(unsigned char out[SPOOL_KEY_BYTES], uint64_t app, uint64_t number)
{
	record_put_u64(out, app);
	record_put_u64(out + 8, number);
}

uint64_t
spool_key_app(const unsigned char *key)
{
	return record_get_u64(key);
}

uint64_t
spool_key_number(const unsigned char *key)
{
	return record_get_u64(key + 8);
}

void
spool_magic_make(unsigned char out[SPOOL_MAGIC_BYTES], uint64_t file)
{
	memcpy(out, magic, SCHEMA_AT);
	put_pair(out + SCHEMA_AT, SPOOL_SCHEMA, 0);
	record_put_u64(out + MAGIC_FILE_AT, file);
	record_put_u64(out + MAGIC_HASH_AT, hash_bytes(out, MAGIC_HASH_AT));
}

enum spool_code
spool_magic_read(const unsigned char *p, size_t n, unsigned *schema, uint64_t *file)
{
	if (n < SPOOL_MAGIC_BYTES || memcmp(p, magic, SCHEMA_AT) != 0)
		return SPOOL_NONE;
	if (record_get_u64(p + MAGIC_HASH_AT) != hash_bytes(p, MAGIC_HASH_AT))
		return SPOOL_DAMAGED;
	*schema = (unsigned)(record_get_u64(p + SCHEMA_AT) >> 32);
	*file = record_get_u64(p + MAGIC_FILE_AT);
	return *schema <= SPOOL_SCHEMA ? SPOOL_OK : SPOOL_FAILED;
}

void
spool_stamp_make(unsigned char out[SPOOL_STAMP_BYTES], uint64_t commit, uint64_t pages)
{
	record_put_u64(out, commit);
	record_put_u64(out + 8, pages);
	record_put_u64(out + STAMP_HASH_AT, hash_bytes(out, STAMP_HASH_AT));
}

bool
spool_stamp_read(const unsigned char *p, size_t n, uint64_t *commit, uint64_t *pages)
{
	if (n != SPOOL_STAMP_BYTES ||
	    record_get_u64(p + STAMP_HASH_AT) != hash_bytes(p, STAMP_HASH_AT))
		return false;
	*commit = record_get_u64(p);
	*pages = record_get_u64(p + 8);
	return true;
}

/* Of a record's first n bytes, its key and its file. */
static uint64_t
keyed_hash(const unsigned char *p, size_t n, uint64_t file, uint64_t app, uint64_t drain)
{
	unsigned char bytes[8 + SPOOL_KEY_BYTES + LOG_HASH_AT];

	record_put_u64(bytes, file);
	spool_key_make(bytes + 8, app, drain);
	memcpy(bytes + 8 + SPOOL_KEY_BYTES, p, n);
	return hash_bytes(bytes, 8 + SPOOL_KEY_BYTES + n);
}

void
spool_log_make(unsigned char out[SPOOL_LOG_BYTES], uint64_t file, const struct spool_log *log,
	       bool dropped)
{
	put_place(out, &log->head);
	put_place(out + LOG_END_AT, &log->end);
	record_put_u64(out + LOG_FIRST_AT, (uint64_t)log->first_us);
	record_put_u64(out + LOG_FLAGS_AT, dropped ? LOG_DROPPED : 0);
	record_put_u64(out + LOG_HASH_AT, keyed_hash(out, LOG_HASH_AT, file, log->app, 0));
}

bool
spool_log_read(const unsigned char *p, size_t n, uint64_t file, uint64_t app, struct spool_log *out,
	       bool *dropped)
{
	if (n != SPOOL_LOG_BYTES ||
	    record_get_u64(p + LOG_HASH_AT) != keyed_hash(p, LOG_HASH_AT, file, app, 0))
		return false;
	*out = (struct spool_log){.app = app,
				  .head = get_place(p),
				  .end = get_place(p + LOG_END_AT),
				  .first_us = (int64_t)record_get_u64(p + LOG_FIRST_AT)};
	*dropped = (record_get_u64(p + LOG_FLAGS_AT) & LOG_DROPPED) != 0;
	return true;
}

void
spool_mark_make(unsigned char out[SPOOL_MARK_BYTES], uint64_t file, uint64_t app,
		const struct spool_mark *mark)
{
	put_place(out, &mark->at);
	record_put_u64(out + PLACE_BYTES, keyed_hash(out, PLACE_BYTES, file, app, mark->drain));
}

bool
spool_mark_read(const unsigned char *p, size_t n, uint64_t file, uint64_t app, uint64_t drain,
		struct spool_mark *out)
{
	if (n != SPOOL_MARK_BYTES ||
	    record_get_u64(p + PLACE_BYTES) != keyed_hash(p, PLACE_BYTES, file, app, drain))
		return false;
	*out = (struct spool_mark){.drain = drain, .at = get_place(p)};
	return true;
}

void
spool_head_make(unsigned char out[SPOOL_HEAD_BYTES], uint64_t file, const struct spool_chunk *c)
{
	memcpy(out, spool_sign, SPOOL_SIGN_BYTES);
	put_pair(out + VERSION_AT, SPOOL_VERSION, SPOOL_HEAD_BYTES);
	record_put_u64(out + FILE_AT, file);
	record_put_u64(out + APP_AT, c->app);
	put_place(out + PLACE_AT, &c->at);
	put_pair(out + LINES_AT, c->lines, c->size);
	record_put_u64(out + FIRST_AT, (uint64_t)c->first_us);
	record_put_u64(out + LAST_AT, (uint64_t)c->last_us);
	record_put_u64(out + DATA_HASH_AT, spool_data_hash(c->data, c->size));
	record_put_u64(out + HEAD_HASH_AT, hash_bytes(out, HEAD_HASH_AT));
}

bool
spool_head_read(const unsigned char p[SPOOL_HEAD_BYTES], uint64_t *file, struct spool_chunk *out,
		uint64_t *hash)
{
	uint64_t pair = record_get_u64(p + LINES_AT);

	if (memcmp(p, spool_sign, SPOOL_SIGN_BYTES) != 0 ||
	    record_get_u64(p + VERSION_AT) != ((uint64_t)SPOOL_VERSION << 32 | SPOOL_HEAD_BYTES) ||
	    record_get_u64(p + HEAD_HASH_AT) != hash_bytes(p, HEAD_HASH_AT))
		return false;
	*out = (struct spool_chunk){.app = record_get_u64(p + APP_AT),
				    .at = get_place(p + PLACE_AT),
				    .lines = (uint32_t)(pair >> 32),
				    .size = (uint32_t)pair,
				    .first_us = (int64_t)record_get_u64(p + FIRST_AT),
				    .last_us = (int64_t)record_get_u64(p + LAST_AT)};
	*file = record_get_u64(p + FILE_AT);
	*hash = record_get_u64(p + DATA_HASH_AT);
	return out->lines > 0 && out->size > 0 && out->size <= SPOOL_CHUNK_MOST;
}

struct spool_place
spool_place_behind(const struct spool_chunk *c)
{
	return (struct spool_place){.seq = c->at.seq + c->lines,
				    .bytes = c->at.bytes + c->size,
				    .lines = c->at.lines + c->lines};
}

uint64_t
spool_data_hash(const void *data, size_t n)
{
	return hash_bytes(data, n);
}

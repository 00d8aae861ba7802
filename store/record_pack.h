/*
 * record_pack -- records as bytes, and back.
 *
 *	8 bytes, big-endian	XXH3 of what follows
 *	msgpack array		kind, version, fields in the structs' order
 *
 * Packing is by msgpack-c, unpacking by unpack.h: strict, size-capped.  Fields
 * behind those known are ignored, so a later version of penstock may add some
 * without a new record version; a new version says that old ones cannot read it.
 * Any thread.
 */
#ifndef RECORD_PACK_H
#define RECORD_PACK_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"
#include "store/record.h"

enum {
	RECORD_VERSION = 1,
	RECORD_BYTES_MAX = 256 * 1024, /* packed: a drain's URL and parameters are a request's */
};

/* The last numbers given out; they only grow. */
struct counters_record {
	uint64_t app;	/* app_record.serial */
	uint64_t drain; /* drain_record.id */
	uint64_t token; /* in token_record.id */
	uint64_t start; /* store_raise_start */
};

/*
 * Adds the bytes to out, which must be empty.  false: a field is missing, too
 * long or malformed, or the whole is larger than RECORD_BYTES_MAX.
 */
bool app_record_pack(const struct app_record *, struct buf *out)
    __attribute__((warn_unused_result));
bool drain_record_pack(const struct drain_record *, struct buf *out)
    __attribute__((warn_unused_result));
bool token_record_pack(const struct token_record *, struct buf *out)
    __attribute__((warn_unused_result));
bool counters_record_pack(const struct counters_record *, struct buf *out)
    __attribute__((warn_unused_result));

/*
 * false: not such a record, of another version, or damaged; *out is then
 * zeroed.  A drain's strings are the caller's: drain_record_free.
 */
bool app_record_unpack(struct slice, struct app_record *out) __attribute__((warn_unused_result));
bool drain_record_unpack(struct slice, struct drain_record *out)
    __attribute__((warn_unused_result));
bool token_record_unpack(struct slice, struct token_record *out)
    __attribute__((warn_unused_result));
bool counters_record_unpack(struct slice, struct counters_record *out)
    __attribute__((warn_unused_result));

/* 24 lower-case hex digits. */
bool record_id_ok(struct slice);

void record_put_u64(unsigned char out[8], uint64_t);
uint64_t record_get_u64(const unsigned char in[8]);

#endif

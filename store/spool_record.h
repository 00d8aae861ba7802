/*
 * spool_record -- what the spool has on disk, as bytes and back.
 *
 * All numbers are big-endian.  A place is seq, bytes, lines (u64 each).
 *
 *	table	key			value
 *	meta	"magic"			"penspool", schema (u32), 0 (u32), file (u64), checksum
 *		"stamp"			commit, pages in use before it (u64), checksum
 *	logs	app (u64)		head, end, first_us, flags (u64), checksum
 *	marks	app, drain (u64)	place, checksum
 *	chunks	app, seq (u64)		a head, then the data
 *
 * A chunk's head:
 *
 *	 0  8 bytes that begin every head, for finding it in a broken file
 *	 8  version (u32), bytes of the head (u32)
 *	16  file, 24 app, 32 place
 *	56  lines (u32), bytes of the data (u32)
 *	64  first_us, 72 last_us
 *	80  checksum of the data, 88 of the 88 bytes before
 *
 * `file` is a random number that only this file has: who looks for records in a
 * broken file is not to find one that a sender put into a line.
 *
 * Checksums are XXH3; those of logs and marks are of file, key and value.  Any thread.
 */
#ifndef SPOOL_RECORD_H
#define SPOOL_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "store/spool.h"

enum {
	SPOOL_SCHEMA = 1,
	SPOOL_VERSION = 1, /* of a chunk's head */

	SPOOL_MAGIC_BYTES = 32,
	SPOOL_STAMP_BYTES = 24,
	SPOOL_APP_KEY_BYTES = 8,
	SPOOL_KEY_BYTES = 16,
	SPOOL_LOG_BYTES = 2 * 24 + 2 * 8 + 8,
	SPOOL_MARK_BYTES = 24 + 8,

	/* No chunk is larger; the longest line is 1 MiB. */
	SPOOL_CHUNK_MOST = 16 * 1024 * 1024,
};

/* The first bytes of a chunk's head. */
enum { SPOOL_SIGN_BYTES = 8 };
extern const unsigned char spool_sign[SPOOL_SIGN_BYTES];

/* app then seq or drain. */
void spool_key_make(unsigned char out[SPOOL_KEY_BYTES], uint64_t app, uint64_t number);
uint64_t spool_key_app(const unsigned char *key);
uint64_t spool_key_number(const unsigned char *key);

void spool_magic_make(unsigned char out[SPOOL_MAGIC_BYTES], uint64_t file);
/* SPOOL_OK, SPOOL_NONE (not ours), SPOOL_DAMAGED, SPOOL_FAILED (newer: *schema). */
enum spool_code spool_magic_read(const unsigned char *p, size_t n, unsigned *schema,
				 uint64_t *file);

void spool_stamp_make(unsigned char out[SPOOL_STAMP_BYTES], uint64_t commit, uint64_t pages);
bool spool_stamp_read(const unsigned char *p, size_t n, uint64_t *commit, uint64_t *pages);

/* dropped: the app is gone, its chunks are still to be deleted. */
void spool_log_make(unsigned char out[SPOOL_LOG_BYTES], uint64_t file, const struct spool_log *,
		    bool dropped);
bool spool_log_read(const unsigned char *p, size_t n, uint64_t file, uint64_t app,
		    struct spool_log *out, bool *dropped);

void spool_mark_make(unsigned char out[SPOOL_MARK_BYTES], uint64_t file, uint64_t app,
		     const struct spool_mark *);
bool spool_mark_read(const unsigned char *p, size_t n, uint64_t file, uint64_t app, uint64_t drain,
		     struct spool_mark *out);

void spool_head_make(unsigned char out[SPOOL_HEAD_BYTES], uint64_t file,
		     const struct spool_chunk *);
/*
 * A whole head of a version that we know, with lines and data.  out->data is
 * NULL; *hash is the data's.
 */
bool spool_head_read(const unsigned char p[SPOOL_HEAD_BYTES], uint64_t *file,
		     struct spool_chunk *out, uint64_t *hash);
/* The place behind its last line. */
struct spool_place spool_place_behind(const struct spool_chunk *);
uint64_t spool_data_hash(const void *data, size_t n);

#endif

/*
 * unpack -- reads msgpack from bytes that may be anything.
 *
 * Allocates nothing and believes no length: a string or array that cannot lie
 * in the bytes that are left is a failure.  (msgpack-c's own unpacker reserves
 * what an array's header promises, 0.5 GB for four bytes.)
 *
 * A failure sticks: read everything, then test failed once.  What is read
 * after a failure is 0 or empty.
 * Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 */
#ifndef UNPACK_H
#define UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct unpack {
	struct slice rest;
	bool failed;
};

/* An array's length; at most as many as bytes are left. */
size_t unpack_array(struct unpack *);
uint64_t unpack_u64(struct unpack *);
int64_t unpack_i64(struct unpack *);
/* Text (str) without a NUL; points into the bytes. */
struct slice unpack_text(struct unpack *);
struct slice unpack_bin(struct unpack *);
/* Passes over one value of any type, nested 16 deep at most. */
void unpack_skip(struct unpack *);

#endif

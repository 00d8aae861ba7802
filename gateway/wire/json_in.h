/*
 * json_in -- JSON text taken apart where it lies (RFC 8259): what is a value
 * and where it ends, an object's members, the characters of a string.
 *
 * Strict in everything but one: bytes above 0x7f pass as they are, UTF-8 or
 * not, as in any other line.  Nothing is allocated, nothing recurses, and the
 * value's bytes stay as they came, which a library's tree of values would not.
 */
#ifndef JSON_IN_H
#define JSON_IN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

/* Arrays and objects within each other. */
enum { JSON_IN_DEPTH = 256 };

struct json_fault {
	const char *what; /* "a string does not end"; fit to stand in a JSON string */
	size_t at;	  /* how many bytes were looked at by then */
};

/* Bytes of white space at the start of s. */
size_t json_in_space(struct slice s);
/*
 * Bytes of the value at the very start of s; 0: there is no whole one, and
 * fault says why.  What follows it is not looked at.
 */
size_t json_in_value(struct slice s, struct json_fault *fault);
/*
 * Each member in turn: *rest begins as an object that json_in_value has passed.
 * key is in its quotes, escapes not undone; value as it stands.  false: no more.
 */
bool json_in_member(struct slice *rest, struct slice *key, struct slice *value)
    __attribute__((warn_unused_result));
/*
 * Adds the characters of a string (in its quotes, and passed) as UTF-8: never
 * more bytes than it has.  Half a surrogate pair is U+FFFD.
 */
void json_in_string(struct slice quoted, struct buf *out);
/* Adds a passed value without the white space between its tokens. */
void json_in_compact(struct slice value, struct buf *out);

#endif

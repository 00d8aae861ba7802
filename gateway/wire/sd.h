/*
 * sd -- structured data (RFC 5424, section 6.3), read without copying.
 */
#ifndef SD_H
#define SD_H

#include "base/buf.h"
#include "base/slice.h"

/*
 * Bytes of the well-formed STRUCTURED-DATA ("-" or elements) at the start of
 * s; 0 if there is none.  What follows (SP or the end) is not looked at.
 */
size_t sd_span(struct slice s);

/*
 * The value of PARAM-NAME `name` in the element `id`, as it stands (escapes
 * not undone: see sd_unescape); p is NULL if there is none.  sd is well-formed.
 */
struct slice sd_find(struct slice sd, struct slice id, struct slice name);

/* One parameter, as it stands; an element without parameters is one with an empty name. */
struct sd_param {
	struct slice id;
	struct slice name;
	struct slice value; /* escapes not undone */
};

/*
 * Fills list with the parameters, in order, and returns how many there are;
 * of more than room only the first room are in list.  sd is well-formed.
 */
size_t sd_list(struct slice sd, struct sd_param *list, size_t room);

/* Adds the value with \" \\ \] undone. */
void sd_unescape(struct slice value, struct buf *out);

/* Adds text with ", \ and ] escaped. */
void sd_escape(struct slice text, struct buf *out);

/* Whether an element with this SD-ID is there.  sd is well-formed. */
bool sd_has(struct slice sd, struct slice id);

/* Bytes of sd before the first element with this SD-ID; sd.n if there is none. */
size_t sd_before(struct slice sd, struct slice id);

/* Adds sd without the elements of that SD-ID; "-" if none is left. */
void sd_without(struct slice sd, struct slice id, struct buf *out);

#endif

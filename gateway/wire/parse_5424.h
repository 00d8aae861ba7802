/*
 * parse_5424 -- RFC 5424 messages, as the RFC has them and nearly so.
 */
#ifndef PARSE_5424_H
#define PARSE_5424_H

#include <stdbool.h>

#include "base/slice.h"
#include "wire/parse.h"

/*
 * Takes an RFC 5424 message apart: pri to msg of *out are then set.  Lengths
 * over the RFC's limits are taken as they are.  false: s is not exactly of the
 * RFC's form, and those fields hold anything.
 */
bool parse_5424(struct slice s, struct line *out) __attribute__((warn_unused_result));

/*
 * The same for what real senders make of it: no structured data, or text in
 * its place (logplex), empty fields, fields with odd bytes, time stamps with
 * nanoseconds.  false: it is something else.
 */
bool parse_5424_loose(struct slice s, const struct parse_env *env, struct line *out)
    __attribute__((warn_unused_result));

/* The same of a format that has no structured data: whatever is behind MSGID is MSG. */
bool parse_5424_without_sd(struct slice s, const struct parse_env *env, struct line *out)
    __attribute__((warn_unused_result));

#endif

/*
 * parse_3164 -- BSD syslog, as devices send it (RFC 3164, section 4, and the
 * logging pages of Cisco IOS, NX-OS and ASA, rsyslog, F5, Meraki).
 */
#ifndef PARSE_3164_H
#define PARSE_3164_H

#include <stdbool.h>

#include "base/slice.h"
#include "wire/parse.h"

/*
 * Takes s, what follows the PRI, apart: all fields but pri of *out are set
 * (out->pri is read).  What is not recognised stays in msg, which is always
 * the end of s.  Of a Cisco line the sequence numbers, '*' and '.' before
 * the stamp are read over.
 *
 * has_pri: a PRI came before it; without one only a time stamp makes it more
 * than free text.
 */
void parse_3164(struct slice s, bool has_pri, const struct parse_env *env, struct line *out);

/* The whole of s is msg. */
void parse_free_text(struct slice s, const struct parse_env *env, struct line *out);

#endif

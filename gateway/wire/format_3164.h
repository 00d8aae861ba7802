/*
 * format_3164 -- a line in the form of BSD syslog (RFC 3164, section 4.1), as
 * its receivers read it:
 *
 *	<PRI>Mmm dd hh:mm:ss HOSTNAME TAG[PID]: MSG
 *
 * The stamp has no zone: it is in the process's own, which receivers take for
 * theirs.  A line without a time gets the present one, since there is no way
 * to say that there is none.  Structured data and MSGID have no place here.
 */
#ifndef FORMAT_3164_H
#define FORMAT_3164_H

#include "wire/line.h"

/* PRI, stamp, host, TAG, PID, and what stands between them. */
enum {
	FORMAT_3164_HOST = 255, /* RFC 5424, 6.2.4 to 6.2.6 */
	FORMAT_3164_TAG = 48,
	FORMAT_3164_PID = 128,
	FORMAT_3164_HEADER = 32 + FORMAT_3164_HOST + FORMAT_3164_TAG + FORMAT_3164_PID,
};

/*
 * All up to the message, a space last; printable ASCII.  A byte that a
 * receiver could take for the end of a field becomes '_' (in a host '-').
 */
struct slice format_3164_header(const struct line *, char dst[FORMAT_3164_HEADER]);

/* The message, without a byte order mark: only RFC 5424 gives it a meaning. */
struct slice format_3164_message(const struct line *);

#endif

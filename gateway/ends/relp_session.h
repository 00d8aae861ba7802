/*
 * relp_session -- a session of RELP (wire/relp.h): the lines of each read event
 * are answered "200 OK" together, when all of them are safe (receipt.h).
 *
 *	read, read, read            safe     safe   not yet
 *	                   owed:   [1..40] [41..41] [42..97]
 *	                             `-- out, as the sender takes them
 *
 * Answers go out in the order of the commands, so an event that is safe waits
 * for those before it.  Reading goes on meanwhile, whatever the sender's window,
 * up to 4 MiB of frames that are not answered.  While the spool takes nothing,
 * the lines of one event are waited for before the next is read.
 *
 * What ends it (`close`, the sender's FIN, a frame that is none, a stop) lets
 * what was taken be answered first; all but the sender's own end are told to
 * it by the hint `serverclose`.  What is never answered the sender has still.
 */
#ifndef RELP_SESSION_H
#define RELP_SESSION_H

#include "ends/session_internal.h"

extern const struct session_kind relp_session;

#endif

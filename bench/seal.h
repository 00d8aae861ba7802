/*
 * seal -- the checksum at the end of every line of flood's: " sum=xxxxxxxx".
 *
 * It is over the message from its first mark ("app=") to the seal, so that a
 * receiver sees whether a byte of it was changed, cut off or added, however
 * the line was framed and whatever its header became.
 */
#ifndef SEAL_H
#define SEAL_H

#include <stdbool.h>
#include <stddef.h>

enum { SEAL_BYTES = 13 };

/* Writes SEAL_BYTES behind the len bytes of message. */
void seal_write(char *message, size_t len);

/* Whether the len bytes end with their seal. */
bool seal_holds(const char *message, size_t len);

#endif

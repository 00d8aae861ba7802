/*
 * net_error -- errno of a socket call in the words that an operator knows.
 */
#ifndef NET_ERROR_H
#define NET_ERROR_H

/* Static, or the thread's own until its next call. */
const char *net_error(int err);

#endif

/*
 * http_turns -- which of a receiver's addresses is the next to try.
 *
 * The one that answered last, so that its open connection is used again; after
 * a failure the one behind it.  A small table that forgets: who is forgotten
 * starts with the first address.
 */
#ifndef HTTP_TURNS_H
#define HTTP_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct http_turns;

struct http_turns *http_turns_new(void);
void http_turns_free(struct http_turns *); /* NULL is fine */
/* Index of the address to begin with; n is not 0. */
size_t http_turns_first(const struct http_turns *, const char *host, uint16_t port,
			const struct sockaddr_storage *addr, size_t n);
/* That address is the one to begin with next time. */
void http_turns_set(struct http_turns *, const char *host, uint16_t port,
		    const struct sockaddr_storage *);
/* Same family and address, whatever the port. */
bool http_same_address(const struct sockaddr *, const struct sockaddr *);

#endif

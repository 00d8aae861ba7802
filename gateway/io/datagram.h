/*
 * datagram -- a connected UDP socket that sends many datagrams with one call.
 *
 * Owner: one drain.  Thread: its worker.
 */
#ifndef DATAGRAM_H
#define DATAGRAM_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct event_base;
struct datagram;

/*
 * writable is called when sending may go on after a short datagram_send.
 * NULL: errno says why there is no such socket.
 */
struct datagram *datagram_new(struct event_base *, const struct sockaddr *, socklen_t,
			      void (*writable)(void *arg), void *arg)
    __attribute__((warn_unused_result));
void datagram_free(struct datagram *); /* NULL is fine */

/*
 * Sends one datagram for each of the n pieces, in order.  Returns how many the
 * kernel took; *err is 0, or the errno that stopped it (a receiver that is not
 * there shows as ECONNREFUSED on a later call).
 */
unsigned datagram_send(struct datagram *, struct iovec *, unsigned n, int *err);

/*
 * The errno that came back for what was sent, and would show on the next
 * datagram_send; 0: none has.  It is told once.
 */
int datagram_take_error(struct datagram *);

#endif

/*
 * lines -- the numbered lines that flood sends and sink checks.
 *
 * A line's message is
 *	app=NAME conn=C seq=N [at=T ]TEXT sum=S
 * C is the sender's connection, N counts the lines of that connection for that
 * app from 0, so that (app, conn, seq) is unique and a receiver can tell what
 * is missing, double or out of order.  T is when it was sent, in nanoseconds of
 * CLOCK_MONOTONIC: for a receiver on the same machine.  TEXT fills up to the
 * wanted size, or is one of many of different lengths, which (app, conn, seq)
 * tells; S seals it all (seal.h).
 *
 * A connection goes round the apps, with `run` lines for each: its line i is
 * for app (i / run) % apps.
 *
 * Every app's head and every text is built once; rendering copies the two and
 * writes digits of fixed width, and the seal.  Needs no escapes in JSON.
 */
#ifndef LINES_H
#define LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lines_shape {
	const char *app_prefix; /* the app's number follows, five digits */
	unsigned apps;
	unsigned run; /* lines in a row that are for one app; 1 at least */
	size_t size;  /* of a line, framing not counted; 0: mixed, see messages.h */
	bool octet;   /* octet counting; else LF */
	bool framed;  /* false: bare messages, for datagrams */
	bool rfc3164;
	bool stamp; /* the messages tell T */
};

struct lines;

struct lines *lines_new(const struct lines_shape *);
void lines_free(struct lines *);

/* Bytes of the longest frame. */
size_t lines_max_bytes(const struct lines *);

/* What T is in the lines that are rendered from now on. */
void lines_stamp(struct lines *, int64_t now);

/* The name of the app that a connection's line i is for; at most cap - 1 bytes. */
void lines_app(const struct lines *, uint64_t i, char *out, size_t cap);

/*
 * Renders line i of connection conn, framed, at out, where lines_max_bytes are
 * free; returns its bytes.
 */
size_t lines_render(const struct lines *, unsigned conn, uint64_t i, char *out);

#endif

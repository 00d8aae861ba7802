/*
 * lines -- the numbered lines that flood sends and sink checks.
 *
 * A line's message is "app=NAME conn=C seq=N" and filler up to the wanted size.
 * C is the sender's connection, N counts the lines of that connection for that
 * app from 0, so that (app, conn, seq) is unique and a receiver can tell what
 * is missing, double or out of order.  A connection goes round the apps: its
 * line i is for app i % apps and has seq i / apps.
 *
 * Every app's frame is built once; only the digits of conn and seq, of fixed
 * width, are written over when a line is rendered.
 */
#ifndef LINES_H
#define LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lines_shape {
	const char *app_prefix; /* the app's number follows, five digits */
	unsigned apps;
	size_t size; /* of a message, framing not counted */
	bool octet;  /* octet counting; else LF */
	bool framed; /* false: bare messages, for datagrams */
	bool rfc3164;
};

struct lines;

struct lines *lines_new(const struct lines_shape *);
void lines_free(struct lines *);

/* Bytes of one frame: all have the same. */
size_t lines_frame_bytes(const struct lines *);

/*
 * Renders lines first, first + 1, … of connection conn, as many of n as fit
 * into out; returns how many.
 */
size_t lines_render(const struct lines *, unsigned conn, uint64_t first, size_t n, char *out,
		    size_t cap);

#endif

/*
 * frame -- finds where one syslog message ends and the next begins (RFC 6587).
 *
 * Knows bytes and nothing of sockets.  Framing is told apart at the start of
 * every frame, so one connection may mix both:
 *	octet counting	[1-9][0-9]{0,6} SP '<' ...	(RFC 6587, 3.4.1)
 *	LF framing	anything else, up to LF		(RFC 6587, 3.4.2)
 *	NUL framing	only when the listener asks for it
 * A frame over max_line is cut: its first max_line bytes are kept, the rest is
 * skipped and counted, and never becomes a message of its own.
 *
 * The reader's part: keep the unread bytes in one piece, call frame_next until
 * it says FRAME_MORE, then keep the first `keep` bytes and put what is read
 * next right behind them.
 *
 * Owner: one session (or one datagram).  Thread: the owner's.
 */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum framing {
	FRAMING_AUTO,  /* told apart at each frame */
	FRAMING_OCTET, /* octet counting, no '<' asked for; anything else is still read up to LF */
	FRAMING_LF,    /* a digit is just a digit */
	FRAMING_NUL,
};

/* "auto", "octet-counting", "lf", "nul"; false for any other word. */
bool framing_parse(const char *word, enum framing *out);

struct framer {
	enum framing framing;
	size_t max_line;    /* bytes of a message that are kept */
	size_t scanned;	    /* of the kept bytes, looked through for the end */
	uint64_t skipped;   /* bytes of the current frame that were dropped */
	uint64_t skip_left; /* octet counting, cut: bytes of the frame still to come */
	bool counted;	    /* the kept bytes are the head of a cut counted frame */
	bool cr;	    /* LF framing, cut: the last dropped byte was a CR */
};

struct frame {
	struct slice bytes; /* the message, without count and trailing LF or CRLF */
	uint64_t cut;	    /* bytes that max_line cost it; 0: whole */
	size_t used;	    /* bytes of the input that this frame took */
	size_t keep;	    /* FRAME_MORE: leading bytes that must be handed in again */
};

enum frame_result {
	FRAME_LINE, /* *out is a message; it points into the input.  May be empty: skip it. */
	FRAME_MORE, /* no whole frame; out->keep says what to keep, the rest was consumed */
};

/* max_line is at least 1. */
void framer_init(struct framer *, enum framing, size_t max_line);

/* keep is never more than max_line and this: a count, and CR LF. */
enum { FRAME_KEEP_EXTRA = 16 };

/*
 * eof: nothing will follow these bytes; what is left over is then a line
 * (FRAME_MORE with keep 0 when nothing is).
 */
enum frame_result frame_next(struct framer *, struct slice in, bool eof, struct frame *out);

/* A counted message may end with LF or CRLF all the same: what is before it. */
struct slice frame_without_newline(struct slice message);

#endif

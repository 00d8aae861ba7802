/*
 * drain_internal -- what the drain's own files share: drain.c (made, removed,
 * asked), drain_link.c (the connection's life), drain_loss.c (acknowledgements
 * and lost connections), drain_stream.c (writing over TCP and TLS),
 * drain_datagram.c (UDP), drain_notice.c (what a drain says in its stream).
 */
#ifndef DRAIN_INTERNAL_H
#define DRAIN_INTERNAL_H

#include "ends/drain.h"
#include "io/datagram.h"
#include "io/stream.h"
#include "plumb/backoff.h"

struct event;

enum drain_phase {
	PHASE_IDLE,
	PHASE_RESOLVING,
	PHASE_CONNECTING,
	PHASE_OPEN,
	PHASE_WAITING,
	PHASE_CLOSING, /* removed; only `out` is still written */
	PHASE_UNABLE,  /* its type does not deliver */
};

struct drain {
	struct cursor cursor;
	struct drain_env *env;
	uint64_t id;
	struct drain_conf conf;
	bool verbatim; /* chunk bytes go out as they are */
	struct resend_rule rule;

	enum drain_phase phase;
	struct event *timer; /* retry, careful step, idle close, closing */
	struct backoff backoff;
	/*
	 * Careful: the last connections were lost without getting past one
	 * line.  Lines go out one at first, then, as long as the receiver
	 * stays, twice as many each time; those it stayed for count as read.
	 */
	bool careful;
	bool careful_wait; /* the timer runs for the next careful step */
	unsigned stuck;	   /* losses in a row that wound back to lost_seq */
	uint64_t lost_seq;
	int64_t said_ms;       /* when a lost connection was last logged; 0: never */
	bool said_lost;	       /* and its coming back was not */
	int64_t not_before_ms; /* no connection is tried before */
	struct resolve_request *resolving;
	struct stream *stream;
	struct datagram *datagram;

	/* The connection's writing; all zero when there is none. */
	struct buf out;	     /* encoded bytes that TCP has not taken yet */
	size_t out_at;	     /* of these, taken */
	bool out_is_segment; /* out is the whole next unsent segment */
	uint32_t begun;	     /* bytes of the next unsent segment that were taken */
	bool noticed;	     /* the notice before the next unsent segment is out */
	bool full;	     /* TCP takes no more; STREAM_WRITABLE will come */
	uint32_t allow;	     /* lines that may go out while being careful */
	uint32_t allow_next;
	size_t since_poll; /* bytes written since the last drain_poll */
	uint64_t last_acked;
	uint64_t polled_written;
	int64_t acked_ms;   /* when last_acked last moved, or all was acknowledged */
	int64_t stopped_ms; /* when the receiver was last seen not to read; 0: never */
	int64_t connected_ms;
	int64_t used_ms; /* last time something was sent */
	bool took_lines;

	TAILQ_ENTRY(drain) holding_link; /* env->holding, or env->closing */
	bool holding;

	uint64_t lines_delivered, bytes_delivered, lines_dropped, lines_too_long, lines_resent,
	    retries;
	int64_t connected_us, last_error_us;
	char last_error[256];
};

/* How a connection ended: by the receiver's FIN, or in any other way. */
enum drain_ending { DRAIN_CLOSED, DRAIN_BROKEN };

/* drain.c */
void drain_mark_holding(struct drain *);
void drain_unmark_holding(struct drain *);
void drain_count_taken(struct drain *, struct cursor_taken);
void drain_set_error(struct drain *, const char *why);
void drain_arm(struct drain *, int64_t ms);

/* drain_link.c */
/* The log has lines: sends them, or sees to a connection. */
void drain_flush(struct cursor *);
void drain_on_timer(int fd, short what, void *drain);
/* Back to no connection; the cursor is the caller's business. */
void drain_disconnect(struct drain *);
/* A connection's writing has not begun. */
void drain_reset_writing(struct drain *);

/* drain_loss.c */
/* The connection ended, or did not come about: winds back and tries again later. */
void drain_lost(struct drain *, enum drain_ending, const char *why);

/* drain_stream.c */
/* Writes what TCP takes.  May end in drain_lost. */
void drain_stream_send(struct drain *);
/* Time has passed since careful lines went out, and the receiver is still there. */
void drain_stream_careful_step(struct drain *);
/*
 * Makes `out` what must still be written for the frame in flight to end well.
 * *lines: how many that will complete.  false: nothing need be written.
 */
bool drain_stream_keep_frame(struct drain *, uint32_t *lines);
/* Writes out alone.  false: the connection failed. */
bool drain_stream_finish(struct drain *) __attribute__((warn_unused_result));

/* drain_datagram.c */
void drain_datagram_send(struct drain *);

/* drain_notice.c: adds "N lines dropped" as this drain's stream needs it. */
void drain_notice(struct drain *, uint64_t lines, int64_t since_us, struct buf *out);

#endif

/*
 * drain_internal -- what the drain's own files share: drain.c (made, removed,
 * asked), drain_link.c (the connection's life), drain_loss.c (acknowledgements
 * and lost connections), drain_stream.c (writing over TCP and TLS),
 * drain_datagram.c (UDP), drain_post*.c (batches over HTTP), drain_sift.c (what
 * it wants and how much), drain_notice.c (what a drain says in its stream).
 */
#ifndef DRAIN_INTERNAL_H
#define DRAIN_INTERNAL_H

#include "ends/drain.h"
#include "ends/drain_pace.h"
#include "ends/drain_window.h"
#include "io/datagram.h"
#include "io/stream.h"
#include "plumb/backoff.h"

struct event;
struct drain_post;

enum drain_phase {
	PHASE_IDLE,
	PHASE_RESOLVING,
	PHASE_CONNECTING,
	PHASE_OPEN,
	PHASE_WAITING,
	PHASE_CLOSING, /* removed; only `out` is still written */
};

/* Chunks that one write may offer, at most. */
enum { DRAIN_PINS = 16 };

struct drain {
	struct cursor cursor;
	struct drain_env *env;
	uint64_t id;
	struct drain_conf conf;
	bool verbatim; /* chunk bytes go out as they are */
	struct resend_rule rule;
	struct drain_post *post; /* NULL: not over HTTP */
	double admitted;	 /* wanted lines that may go now; with a rate only */
	int64_t admitted_ms;	 /* when that was counted */

	enum drain_phase phase;
	struct event *timer; /* retry, careful step, idle close, closing */
	struct backoff backoff;
	/*
	 * Careful: connections were lost before lines got on that had gone out
	 * again already.  Lines go out in steps, one line at first, then, as long
	 * as the receiver stays, twice as many each time; those it stayed for
	 * count as read, and so many are the next connection's first step.
	 */
	bool careful;
	bool careful_wait;	/* the timer runs for the next careful step */
	uint32_t careful_first; /* lines of a connection's first step */
	uint32_t stayed_for;	/* lines that the receiver stayed for, on this connection */
	bool said_lost;		/* a lost connection was logged, its coming back was not */
	int64_t said_ms;	/* when one was last logged; 0: never */
	int64_t not_before_ms;	/* no connection is tried before */
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
	/*
	 * What was begun must stay, and stay in memory; while full, what TLS has made a record of
	 * too.
	 */
	struct chunk *pinned[DRAIN_PINS];
	unsigned npinned;
	uint32_t allow;	     /* lines that may go out while being careful */
	uint32_t allow_step; /* of these, in all */
	bool granted;	     /* care lets the next unsent segment go, as it is */
	/* In the stream: where the step began, and the one before it, whose lines count as read. */
	uint64_t step_from, step_before;
	size_t since_poll; /* bytes written since the last drain_poll */
	struct drain_window window;
	int64_t connected_ms;
	int64_t used_ms; /* last time something was sent */
	bool took_lines;

	bool holding;
	TAILQ_ENTRY(drain) holding_link; /* env->holding, or env->closing */

	uint64_t lines_delivered, bytes_delivered, lines_filtered, lines_cut, lines_old;
	uint64_t lines_dropped[CURSOR_REASONS], lines_too_long, lines_refused;
	uint64_t lines_resent, retries;
	struct drain_pace pace;
	struct drain_letter *letter; /* NULL: none yet */
	int64_t connected_us, delivered_us, last_error_us;
	char *last_error; /* NULL: none yet */
};

/*
 * A TLS receiver may refuse a connection this long after it opened (a few round
 * trips): so long it is read before it is written to, and what it
 * acknowledged is not taken for read.
 */
enum { DRAIN_REFUSAL_MS = 2000 };

/* Lines of a careful step at most: what a receiver that closes costs in lines sent twice. */
enum { DRAIN_CAREFUL_LINES = 1024 };

/* How a connection ended: by the receiver's FIN, or in any other way. */
enum drain_ending { DRAIN_CLOSED, DRAIN_BROKEN };

/* drain.c */
/* What drain_set_error said last; "" if nothing. */
const char *drain_last_error(const struct drain *);
void drain_mark_holding(struct drain *);
void drain_unmark_holding(struct drain *);
void drain_count_taken(struct drain *, struct cursor_taken);
void drain_set_error(struct drain *, const char *why);
void drain_arm(struct drain *, int64_t ms);
/*
 * The cursor is closed or has moved on: frees the drain; in_frame: after a
 * moment for the frame that was begun.
 */
void drain_let_go(struct drain *, bool in_frame);

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
/* A connection was opened: what its receiver has not read is watched from here on. */
void drain_begin_window(struct drain *);
/* Logs it, but not each time; again: lines that go out once more. */
void drain_log_lost(struct drain *, const char *why, uint64_t again);

/* drain_stream.c */
/* Writes what TCP takes.  May end in drain_lost. */
void drain_stream_send(struct drain *);
void drain_stream_unpin(struct drain *);
/* Of a careful drain: lines from before its last step are unread for sure. */
bool drain_stream_is_behind(const struct drain *);
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

/* drain_sift.c: sets the cursor's hooks as the conf asks. */
void drain_sift_init(struct drain *);
/*
 * Encodes one line, of that sequence, for a stream or a datagram; counts what
 * had to be done to it.
 */
void drain_encode(struct drain *, struct slice message, uint64_t seq, bool again, struct buf *out);
/* The number that a line of that sequence carries. */
struct line_mark drain_mark(const struct drain *, uint64_t seq);
void drain_count_flags(struct drain *, unsigned flags, bool again);

/* drain_notice.c */
/* Adds "N lines dropped", for each reason, as this drain's stream needs it. */
void drain_notice(struct drain *, const struct cursor_gap *, struct buf *out);
/* The same as one frame, without count, for the reason; false: none was dropped for that. */
bool drain_notice_frame(struct drain *, const struct cursor_gap *, enum cursor_reason,
			struct buf *frame);

#endif

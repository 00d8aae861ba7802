/*
 * cursor -- one drain's place in its app's log.
 *
 * What the drain handed over is remembered in segments, each a run of whole
 * lines inside one chunk, in a ring:
 *
 *	 taken | in flight | again  |   (not planned yet)
 *	[seg]   [seg][seg]  [seg]    plan ...             log's end
 *	 held    sent        unsent
 *
 * taken:   acknowledged by the receiver's TCP; kept a while all the same,
 *          because acknowledged is not read (see cursor_lost).
 * again:   sent before and to be sent once more, in the same pieces.
 * plan:    where new segments are cut from the log.
 *
 * The drain asks for the n-th unsent segment (cursor_unsent), writes it, says
 * so (cursor_sent), reports acknowledgements (cursor_acked), and after a lost
 * connection winds back (cursor_lost).  Marks only move over whole lines.
 *
 * Owner: one drain.  Thread: the log's home worker.
 */
#ifndef CURSOR_H
#define CURSOR_H

#include "log/app_log.h"

/* The same line goes out again after a lost connection at most so often, once acknowledged. */
enum { CURSOR_RESENDS_MAX = 3 };

/* Why lines behind a cursor's plan are dropped. */
enum cursor_reason {
	CURSOR_MEMORY,	/* too much in memory, and no spool takes it */
	CURSOR_RATE,	/* over the drain's rate */
	CURSOR_SPOOL,	/* too much of them in the spool */
	CURSOR_AGE,	/* too old there */
	CURSOR_DAMAGED, /* they cannot be read there */
	CURSOR_REASONS
};

/* Lines dropped in one place, to be said there. */
struct cursor_gap {
	uint64_t lines[CURSOR_REASONS];
	int64_t since_us; /* wall clock of the first of them */
};

static inline bool
cursor_gap_is_empty(const struct cursor_gap *g)
{
	for (int i = 0; i < CURSOR_REASONS; i++)
		if (g->lines[i] > 0)
			return false;
	return true;
}

struct segment {
	struct chunk *chunk;
	uint64_t seq;	   /* of its first line */
	uint32_t from, to; /* offsets of whole frames in the chunk */
	uint32_t lines;
	uint32_t skipped;	/* of these, not wanted: not to be sent */
	uint32_t skipped_bytes; /* of those */
	uint8_t resent;		/* times it went out again, or is about to */
	bool counted;		/* its lines were reported as taken once */
	bool unsifted;		/* which lines are wanted is not known yet; see cursor_move.c */
	uint64_t end; /* where its last byte lies in the connection's stream; see cursor_sent */
	int64_t sent_ms;
	struct cursor_gap gap; /* lines dropped right before it: the drain says so first */
};

struct cursor {
	TAILQ_ENTRY(cursor) link;
	struct app_log *log;
	uint64_t drain; /* its id, by which the spool knows its mark */
	bool tap;	/* of somebody who looks on: nothing is kept for it */
	/* Told when the log has something to send; the drain's. */
	void (*flush)(struct cursor *);
	/* Told when lines were dropped; counted by the drain. */
	void (*dropped)(struct cursor *, enum cursor_reason, uint64_t lines);
	/*
	 * Which lines it wants; NULL: all.  Lines that are not wanted cost no
	 * segment where they come in a row; the drain skips the others
	 * when it encodes.  Told once of each, in filtered.
	 */
	bool (*wants)(struct cursor *, struct slice message);
	void (*filtered)(struct cursor *, uint64_t lines);
	/* How many of so many wanted lines may go; the others are dropped (CURSOR_RATE).  NULL:
	 * all. */
	uint32_t (*admit)(struct cursor *, uint32_t lines, int64_t now_ms);
	/*
	 * Over HTTP: what is acknowledged was read, and `end` of a segment is the
	 * sequence behind its last line.  Segments are never merged, as each may be
	 * acknowledged without its neighbour, and none counts as held for a resend.
	 */
	bool exact;

	/*
	 * plan.  chunk NULL: the log's end, and the log has no chunk; or, when
	 * plan_bytes is less than end_bytes, a hole: what follows is in the spool only.
	 */
	struct chunk *plan;
	uint32_t plan_at;
	uint64_t plan_bytes; /* of the log, before plan */
	uint64_t plan_lines;
	uint64_t plan_seq;
	int64_t away_ms; /* in a hole: when what follows arrived, about */

	/* Bytes are wanted from the spool; see log_fetch.h. */
	bool hungry;
	uint64_t hungry_seq;

	struct segment *ring;
	unsigned ring_cap;   /* a power of two */
	unsigned head;	     /* of the oldest segment */
	unsigned count;	     /* all segments */
	unsigned taken;	     /* of them, acknowledged: the first ones */
	unsigned sent;	     /* of them, handed over: taken and in flight */
	size_t held_bytes;   /* bytes of the taken ones */
	size_t flight_bytes; /* bytes in flight */
	size_t unsent_bytes; /* bytes of segments that are not handed over (again) */
	uint64_t unsent_lines;

	bool lags;
	int64_t lagged_ms;     /* when it was last judged to lag; 0: never */
	int64_t caught_up_ms;  /* when it last stood at the log's end */
	struct cursor_gap gap; /* dropped at plan, not planned into a segment yet */
	int64_t gap_next_ms;   /* the next gap is told no sooner */
};

/* How much is held against a receiver that acknowledges what it never reads. */
struct resend_rule {
	size_t bytes;	  /* the last so many bytes ... */
	int64_t time_ms;  /* ... as far as sent within this time */
	size_t max_bytes; /* once the receiver was seen to have stopped reading */
	/*
	 * Of the connection's stream (see cursor_sent) the last so many bytes may
	 * not be read: they are held as well, up to max_bytes.
	 */
	uint64_t unread;
};

/* Puts the cursor at the log's end: it sees lines appended from now on. */
void cursor_open(struct cursor *, struct app_log *, int64_t now_ms);
/* Returns the lines that were never taken: they are lost to this drain. */
uint64_t cursor_close(struct cursor *);

/*
 * The n-th unsent segment (0 is the next to send); cuts new ones from the log
 * as needed.  NULL: there is no more, or its bytes are on the way from the
 * spool, and the log will be flushed when they are here.  Valid until the next call that may
 * change the cursor, as this one may with another n; its chunk stays as long as it does.
 */
const struct segment *cursor_unsent(struct cursor *, unsigned n, int64_t now_ms);

/* Something waits, and its bytes are not in memory: the spool is asked for them. */
bool cursor_is_away(struct cursor *);
/* The sequence of the next unsent line, wherever its bytes are; false: nothing waits. */
bool cursor_next_seq(const struct cursor *, uint64_t *seq);
/* The next unsent segment if it is cut already; its chunk may be asleep. */
const struct segment *cursor_cut_already(const struct cursor *);

/*
 * Cuts the next unsent segment so that it has at most so many lines; the rest
 * becomes the segment after it.
 */
void cursor_split(struct cursor *, uint32_t lines);

/*
 * The next unsent segment was handed over whole.  end: a number that only
 * grows, on the scale of cursor_acked: where its last byte lies in the
 * connection's stream, or, for a drain over HTTP, the sequence behind its last line.
 */
void cursor_sent(struct cursor *, uint64_t end, int64_t now_ms);

/*
 * Of an exact cursor: cuts the segment in flight that has lines on both sides
 * of that sequence, so that those before it can be acknowledged alone.
 */
void cursor_cut(struct cursor *, uint64_t seq);

/* The receiver acknowledged everything up to end.  Returns lines and bytes newly taken. */
struct cursor_taken {
	uint64_t lines, bytes;
};
struct cursor_taken cursor_acked(struct cursor *, uint64_t end);

/* Takes what was dropped before the next unsent segment, to say it in another way. */
struct cursor_gap cursor_take_gap(struct cursor *);
/* Puts it back before the segment that begins with that line, if that is still in the ring. */
void cursor_put_gap(struct cursor *, uint64_t seq, const struct cursor_gap *);

/* The n-th segment in flight, the oldest first; NULL: there are not so many. */
const struct segment *cursor_in_flight(const struct cursor *, unsigned n);
/* Passes over unwanted lines that nothing wanted stands before. */
void cursor_skip_unwanted(struct cursor *);

/*
 * Lets go of taken segments that the rule does not hold any more.  stopped:
 * the receiver was seen not to read.
 */
void cursor_release(struct cursor *, const struct resend_rule *, bool stopped, int64_t now_ms);
/* Lets go of taken segments whose last byte lies before end, on the scale of cursor_sent. */
void cursor_release_to(struct cursor *, uint64_t end);
/* Lets go of all taken segments: the connection ended as we wished. */
void cursor_release_all(struct cursor *);

/*
 * The connection is gone, and we did not ask for it.  begun: the next unsent
 * segment was written in part.  Winds back over what was not acknowledged and
 * what the rule holds; segments that went out again often enough already are
 * let go instead (so that a receiver that closes after every line cannot keep
 * us from getting on).  Returns the lines that will be sent again.
 */
uint64_t cursor_lost(struct cursor *, const struct resend_rule *, bool begun, bool stopped,
		     int64_t now_ms);

/*
 * The receiver refused the connection after it had opened, and read nothing of
 * it: all that is still here goes out again, and no try is counted.  *untaken:
 * what cursor_acked reported of it, and was not so.
 */
uint64_t cursor_refused(struct cursor *, struct cursor_taken *untaken);

/* Resends so far do not count: from here on the drain goes on in another way. */
void cursor_forgive(struct cursor *);

/*
 * All that is in flight or taken is unsent again, as if it had not been sent:
 * the drain goes on in another way, and no try is counted.
 */
void cursor_unsend(struct cursor *);

/* Bytes and lines that wait to be sent: again, and not planned yet. */
size_t cursor_waiting_bytes(const struct cursor *);
uint64_t cursor_waiting_lines(const struct cursor *);
/* Milliseconds that the oldest unsent line has waited, about; -1: nothing waits. */
int64_t cursor_waiting_ms(const struct cursor *, int64_t now_ms);
/* The same for the oldest line that is not taken; a drain over HTTP waits for its answer. */
int64_t cursor_untaken_ms(const struct cursor *, int64_t now_ms);

/*
 * Decides whether the cursor lags: more than app_memory unsent (or any, when
 * the worker is under pressure) and the oldest of it older than a second; a
 * cursor that lagged within the last minute needs a tenth of that only, or a
 * receiver that reads and stops by turns would hold up all others each time.
 * A lagging cursor is trimmed to app_memory, oldest lines first.
 */
void cursor_judge(struct cursor *, bool pressed, int64_t now_ms);
/* Drops the oldest not planned lines, by whole chunks, until at most keep bytes are left. */
void cursor_trim(struct cursor *, size_t keep);

#endif

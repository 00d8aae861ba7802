/*
 * drain_post -- a drain over HTTP: lines go out in batches, each a POST.
 *
 *	oldest                                   newest
 *	[done] [called] [ready] [called] ...  | unsent, plan ...
 *	`------ the cursor's in flight -----'
 *
 * A batch is a fixed range of the log until it is answered.  ready: to be sent,
 * for the first time or again; called: a request is under way; done: accepted,
 * or given up entry by entry.  The cursor's mark moves over the done ones at
 * the front only.  A refused batch is sent again by time; one whose contents
 * are refused is halved until the entry is found that costs it.
 *
 * Owner: a drain.  Thread: its worker.
 */
#ifndef DRAIN_POST_H
#define DRAIN_POST_H

#include "ends/drain_internal.h"
#include "types/drain_http.h"

enum post_state { POST_READY, POST_CALLED, POST_DONE };

struct post_batch {
	TAILQ_ENTRY(post_batch) link;
	struct drain *drain;
	enum post_state state;
	uint64_t first_seq, end_seq; /* of its lines; equal: it is a notice */
	struct buf notice;	     /* "N lines dropped" as a frame */
	struct cursor_gap gap;	     /* that it says */
	bool tried;		     /* it was sent before */
	bool part;		     /* of one whose contents were refused */
	uint32_t lines;		     /* to be delivered, as counted when it was encoded last */
	uint64_t refused;	     /* of them, by the receiver for good */
	size_t bytes;		     /* of its body before compression, then */
	struct http_call *call;
	struct buf body; /* while called */
};

TAILQ_HEAD(post_batch_list, post_batch);

struct drain_post {
	struct post_batch_list batches;
	struct drain_limits limits; /* the type's; bytes as far as the receiver takes them */
	size_t bytes_max;	    /* what the type says of them */
	struct tls_own own;
	uint64_t id;	   /* for the batches' ids: the drain's first, which is never another's */
	unsigned nbatches; /* all of them */
	unsigned calls;	   /* batches that are called */
	bool blocked;	   /* the last answer was a refusal */
	unsigned lost_in_row; /* entries refused one by one with no batch accepted between */
	int64_t begun_ms;     /* when a batch was last begun */
};

/* drain_post.c */
struct post_batch *post_batch_new(struct drain *, uint64_t seq); /* the newest */
void post_batch_free(struct drain *, struct post_batch *);
/* Its request was answered. */
void post_call_over(struct drain *, struct post_batch *);
void drain_post_init(struct drain *);
/* Cancels what is under way; the cursor is the caller's business.  Nothing for other drains. */
void drain_post_clear(struct drain *);
/* Forgets all batches: their lines are unsent again, refused ones too, and notices unsaid. */
void drain_post_wind_back(struct drain *);
/* The log has lines. */
void drain_post_flush(struct drain *);
/* Time for a batch, for another try, or to rest. */
void drain_post_on_timer(struct drain *);
/* Sends what is due and may go. */
void drain_post_send(struct drain *);
bool drain_post_is_blocked(const struct drain *);
/* Lines in batches that are not done with. */
uint64_t drain_post_flight_lines(const struct drain *);
/*
 * The drain ends: counts as delivered what was accepted behind a batch that is
 * not done with.  Returns the lines that so are not lost, refused ones included.
 */
uint64_t drain_post_end(struct drain *);

/* drain_post_due.c */
/* How much of the log may lie in one batch now. */
size_t post_source_limit(const struct drain *);
/* Milliseconds until the next batch should begin; -1: nothing waits. */
int64_t post_due_in_ms(const struct drain *, int64_t now_ms);
/* Whether one may begin: not so much waits behind another that is not answered. */
bool post_window_is_open(const struct drain *);
/* How many requests may be under way. */
unsigned post_calls_allowed(const struct drain *);

/* drain_post_body.c */
/*
 * Cuts the next batch from the cursor and encodes it into env->scratch; or a
 * notice, if one is to be said first.  NULL: nothing waits.  *info: for the
 * request; without entries there is nothing to deliver in it.
 */
struct post_batch *post_begin(struct drain *, struct drain_batch *info);
/* Encodes a batch once more. */
void post_encode_again(struct drain *, struct post_batch *, struct drain_batch *info);
/* The first frame of a batch. */
struct slice post_first_frame(const struct drain *, const struct post_batch *);

/* drain_post_answer.c */
http_answered drain_post_on_answer;
/* Lets go of the batches that are done at the front; says so if the drain rests. */
void drain_post_settle(struct drain *);

#endif

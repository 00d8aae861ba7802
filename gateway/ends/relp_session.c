#include "ends/relp_session.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "ends/relp_owed.h"
#include "wire/relp.h"

/* Frames that were read and not answered: above that the session is not read. */
enum { OWED_BYTES = 4 * 1024 * 1024 };
/* Answers that are written out in one go; what the connection does not take of them waits. */
enum { OUT_BYTES = 32 * 1024 };
/* A sender that takes no answer for so long is none: less than TCP's own 30 s. */
enum { STUCK_MS = 20 * 1000 };
/* How long an ending session waits for its last lines to be safe. */
enum { ENDING_MS = 10 * 1000 };

STAILQ_HEAD(relp_owed_list, relp_owed);

struct relp_session {
	struct session session;
	struct relp_reader reader;
	struct relp_owed_list owed; /* oldest first */
	size_t owed_bytes;
	struct relp_owed *event; /* of the read event that is being taken */
	struct buf out;
	const char *fault; /* in what was read last */
	bool opened;
	bool ending;	  /* nothing is taken any more; closes when nothing is owed any more */
	bool hint;	  /* and says serverclose then */
	bool eof;	  /* the sender has ended its side */
	bool stopping;	  /* the gateway's stop says how long it may take */
	int64_t stuck_ms; /* since when out waits for the sender; 0: it does not */
	int64_t ending_ms;
};

static_assert((int)RELP_KEEP_EXTRA <= (int)INTAKE_KEEP_EXTRA, "a partial frame may not fit");

static struct relp_session *
relp_of(struct session *s)
{
	return (struct relp_session *)s;
}

static void
relp_init(struct session *s)
{
	struct relp_session *r = relp_of(s);

	relp_reader_init(&r->reader, (size_t)s->intake->config->max_line);
	STAILQ_INIT(&r->owed);
}

static void
forget_owed(struct relp_session *r)
{
	struct relp_owed *o;

	while ((o = STAILQ_FIRST(&r->owed)) != NULL) {
		STAILQ_REMOVE_HEAD(&r->owed, link);
		if (o->receipt != NULL)
			receipt_forget(o->receipt);
		relp_owed_free(o);
	}
	r->owed_bytes = 0;
}

static void
relp_clear(struct session *s)
{
	struct relp_session *r = relp_of(s);

	assert(r->event == NULL);
	forget_owed(r);
	buf_free(&r->out);
}

/* -- answering */

/* Adds the answers that are due, in order. */
static void
write_due(struct relp_session *r)
{
	struct relp_owed *o;

	while ((o = STAILQ_FIRST(&r->owed)) != NULL && o->receipt == NULL &&
	       relp_owed_write(o, &r->out, OUT_BYTES)) {
		STAILQ_REMOVE_HEAD(&r->owed, link);
		r->owed_bytes -= o->bytes;
		stats_add(&r->session.intake->stats->lines_acknowledged, o->lines);
		r->session.counts->lines_acknowledged += o->lines;
		relp_owed_free(o);
	}
}

/* false: the connection is broken. */
static bool
send_out(struct relp_session *r)
{
	struct iovec iov = {r->out.p, r->out.n};
	ssize_t sent = stream_writev(r->session.stream, &iov, 1);

	if (sent == STREAM_ERROR)
		return false;
	if (sent > 0)
		buf_drain(&r->out, (size_t)sent);
	if (r->out.n == 0)
		r->stuck_ms = 0;
	else if (sent > 0 || r->stuck_ms == 0)
		r->stuck_ms = clock_mono_ms();
	return true;
}

/* Everything is answered: the end that was asked for.  false: the session is gone. */
static bool
finish(struct relp_session *r)
{
	struct session *s = &r->session;

	if (r->hint) {
		relp_serverclose(&r->out);
		if (!send_out(r)) {
			session_close(s, NULL);
			return false;
		}
		buf_free(&r->out);
	}
	if (r->eof) {
		session_close(s, NULL);
		return false;
	}
	session_shut(s);
	return true;
}

/* Whether enough is under way, or nothing more may come. */
static bool
has_enough(const struct relp_session *r)
{
	if (r->ending || r->out.n > 0 || r->owed_bytes >= OWED_BYTES)
		return true;
	/* What is taken now may never be safe but come to be trimmed: one event at a time. */
	return r->session.intake->ingest->failing && !STAILQ_EMPTY(&r->owed);
}

/* Does what can be done by now.  false: the session is gone. */
static bool
settle(struct relp_session *r)
{
	struct session *s = &r->session;

	if (s->shut)
		return true;
	do {
		write_due(r);
		if (r->out.n > 0 && !send_out(r)) {
			session_close(s, stream_error(s->stream));
			return false;
		}
	} while (r->out.n == 0 && !STAILQ_EMPTY(&r->owed) &&
		 STAILQ_FIRST(&r->owed)->receipt == NULL);
	if (r->out.n == 0)
		buf_free(&r->out);
	session_hold(s, has_enough(r));
	if (r->ending && r->out.n == 0 && STAILQ_EMPTY(&r->owed))
		return finish(r);
	return true;
}

static void
begin_end(struct relp_session *r, bool hint)
{
	if (r->ending)
		return;
	r->ending = true;
	r->hint = hint;
	r->ending_ms = clock_mono_ms();
}

/* Lines were given up: they are not answered, nor is what came behind them.  As settle. */
static bool
end_unanswered(struct relp_session *r)
{
	struct session *s = &r->session;

	log_info("session closed", "peer", s->hostname, "listener", s->source.url->text, "reason",
		 "its lines were given up, as the spool cannot be written and memory is full; "
		 "its sender has them still",
		 NULL);
	begin_end(r, true);
	forget_owed(r);
	return settle(r);
}

static void
on_done(void *arg, bool safe)
{
	struct relp_owed *o = arg;

	o->receipt = NULL;
	if (safe)
		(void)settle(o->session);
	else
		(void)end_unanswered(o->session);
}

static void
relp_writable(struct session *s)
{
	(void)settle(relp_of(s));
}

/* -- taking */

static void
take_line(struct relp_session *r, const struct relp_frame *f)
{
	struct session *s = &r->session;
	struct ingest *ingest = s->intake->ingest;
	struct frame line = {.bytes = f->data, .cut = f->cut, .used = f->used};

	relp_owe_ok(r->event, f->txnr);
	if (f->data.n == 0)
		return;
	if (r->event->receipt == NULL)
		r->event->receipt = receipt_new(on_done, r->event);
	ingest->receipt = r->event->receipt;
	ingest_frame(ingest, &s->source, &line);
	ingest->receipt = NULL;
	r->event->lines++;
	s->counts->lines++;
	s->counts->lines_cut += f->cut > 0;
}

static void
take_open(struct relp_session *r, const struct relp_frame *f)
{
	const char *fault;

	/* librelp may send one again with the lines that it sends again. */
	if (r->opened) {
		relp_owe_ok(r->event, f->txnr);
		return;
	}
	fault = relp_offers_fault(f->data);
	if (fault == NULL)
		relp_owe_open(r->event, f->txnr);
	else
		relp_owe_error(r->event, f->txnr, fault);
	r->opened = fault == NULL;
}

static void
take_command(struct relp_session *r, const struct relp_frame *f)
{
	r->event->bytes += f->used;
	if (f->txnr == 0) {
		/* A hint need not be understood, but a line may not be lost as one. */
		if (slice_is(f->command, "syslog"))
			r->fault = "a line without a transaction number";
	} else if (slice_is(f->command, "open")) {
		take_open(r, f);
	} else if (slice_is(f->command, "close")) {
		relp_owe_ok(r->event, f->txnr);
		begin_end(r, false);
	} else if (!r->opened) {
		r->fault = "a command before an open that was accepted";
	} else if (slice_is(f->command, "syslog")) {
		take_line(r, f);
	} else {
		relp_owe_error(r->event, f->txnr, "unknown command");
	}
}

static struct slice
relp_take(struct session *s, struct slice in)
{
	struct relp_session *r = relp_of(s);
	struct relp_frame f = {0};

	if (r->ending)
		return slice_skip(in, in.n);
	r->event = relp_owed_new(r);
	while (!r->ending && r->fault == NULL) {
		enum relp_result result = relp_next(&r->reader, in, &f);

		if (result == RELP_MORE)
			return slice_of(in.p, f.keep);
		if (result == RELP_BAD) {
			r->fault = f.fault;
			break;
		}
		take_command(r, &f);
		in = slice_skip(in, f.used);
	}
	return slice_skip(in, in.n);
}

static void
refuse(struct relp_session *r)
{
	struct session *s = &r->session;

	stats_add(&s->intake->stats->protocol_errors, 1);
	s->counts->protocol_errors++;
	log_info("session closed", "peer", s->hostname, "listener", s->source.url->text, "reason",
		 r->fault, NULL);
	r->fault = NULL;
	begin_end(r, true);
}

static bool
relp_taken(struct session *s)
{
	struct relp_session *r = relp_of(s);
	struct relp_owed *o = r->event;
	enum receipt_state state = RECEIPT_WAITS;

	if (o == NULL)
		return true;
	r->event = NULL;
	if (o->receipt != NULL)
		state = receipt_close(o->receipt);
	if (state != RECEIPT_WAITS)
		o->receipt = NULL;
	/* A part of a frame came, say. */
	if (o->n == 0) {
		relp_owed_free(o);
	} else {
		STAILQ_INSERT_TAIL(&r->owed, o, link);
		r->owed_bytes += o->bytes;
	}
	if (r->fault != NULL)
		refuse(r);
	return state != RECEIPT_LOST ? settle(r) : end_unanswered(r);
}

/* -- ending */

static void
relp_eof(struct session *s)
{
	struct relp_session *r = relp_of(s);

	if (s->shut) {
		session_close(s, NULL);
		return;
	}
	r->eof = true;
	begin_end(r, false);
	(void)settle(r);
}

static void
relp_end(struct session *s, bool now)
{
	struct relp_session *r = relp_of(s);

	begin_end(r, true);
	r->stopping = true;
	/* Their lines are not lost: the sender has them, and comes back with them. */
	if (now)
		forget_owed(r);
	if (settle(r) && now)
		session_close(s, NULL);
}

static const char *
relp_overdue(struct session *s, int64_t now_ms)
{
	const struct relp_session *r = relp_of(s);

	if (r->stuck_ms != 0 && now_ms - r->stuck_ms > STUCK_MS)
		return "its answers were not read for 20 s";
	if (r->ending && !r->stopping && now_ms - r->ending_ms > ENDING_MS)
		return "its last lines were not safe within 10 s of its end";
	return NULL;
}

const struct session_kind relp_session = {
    .size = sizeof(struct relp_session),
    .init = relp_init,
    .take = relp_take,
    .taken = relp_taken,
    .writable = relp_writable,
    .eof = relp_eof,
    .end = relp_end,
    .overdue = relp_overdue,
    .clear = relp_clear,
};

/*
 * drain_post_answer -- what a receiver says to a batch (architecture, "Over HTTP").
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "ends/drain_post.h"

/* A receiver that refuses us as such is asked no sooner than this. */
enum { REFUSED_MS = 5000 };

/*
 * A few bad entries are given up at once.  When one after the other is refused
 * and none accepted, it is rather the receiver: then each costs a pause.
 */
enum { LOST_IN_ROW = 3 };

enum { SAID_BYTES = 160 };

/* A receiver that does not even take this is not helped by smaller batches. */
enum { LIMIT_MIN = 4096 };

/* "HTTP 403: first bytes of the body", on one line. */
static void
answer_words(const struct http_answer *answer, char *text, size_t size)
{
	struct slice body = answer->body;
	int n;

	if (answer->status == 0) {
		snprintf(text, size, "%s", answer->error);
		return;
	}
	if (body.n > SAID_BYTES)
		body.n = SAID_BYTES;
	while (body.n > 0 && (unsigned char)body.p[body.n - 1] <= ' ')
		body.n--;
	n = snprintf(text, size, "HTTP %d%s%.*s", answer->status, body.n > 0 ? ": " : "",
		     (int)body.n, body.n > 0 ? body.p : "");
	for (int i = 0; i < n && (size_t)i < size - 1; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			text[i] = ' ';
}

static void
count_refused(struct drain *d, struct post_batch *b, uint64_t lines)
{
	b->refused += lines;
	d->lines_refused += lines;
	stats_add(&d->env->stats->lines_dropped_refused, lines);
}

/* The mark moves over what is done at the front. */
static bool
pass_done(struct drain *d)
{
	struct post_batch *b = TAILQ_FIRST(&d->post->batches);
	struct cursor_taken taken;

	if (b == NULL || b->state != POST_DONE)
		return false;
	taken = cursor_acked(&d->cursor, b->end_seq);
	taken.lines -= taken.lines < b->refused ? taken.lines : b->refused;
	drain_count_taken(d, taken);
	cursor_release_all(&d->cursor);
	post_batch_free(d, b);
	return true;
}

void
drain_post_settle(struct drain *d)
{
	while (pass_done(d))
		;
	if (d->cursor.count == 0 && cursor_waiting_bytes(&d->cursor) == 0)
		d->env->rests(d->cursor.log, d->env->arg);
}

static void
accepted(struct drain *d, struct post_batch *b, uint64_t rejected)
{
	char text[128];

	b->state = POST_DONE;
	d->post->lost_in_row = 0;
	if (rejected > 0) {
		count_refused(d, b, rejected < b->lines ? rejected : b->lines);
		snprintf(text, sizeof(text), "the receiver threw %llu lines of a batch away",
			 (unsigned long long)rejected);
		drain_set_error(d, text);
	}
	/* Another request that failed in the meantime decides when to go on. */
	if (d->phase == PHASE_WAITING)
		return;
	d->post->blocked = false;
	d->backoff.failures = 0;
	d->not_before_ms = 0;
	if (d->phase == PHASE_OPEN)
		return;
	d->phase = PHASE_OPEN;
	d->connected_us = clock_wall_us();
	if (d->said_lost)
		log_info("drain delivers again", "app", d->cursor.log->name, "drain",
			 d->conf.redacted, NULL);
	d->said_lost = false;
}

static void
wait_for(struct drain *d, int64_t ms)
{
	d->phase = PHASE_WAITING;
	d->connected_us = 0;
	d->not_before_ms = clock_mono_ms() + ms;
	drain_arm(d, ms);
}

static void
failed(struct drain *d, struct post_batch *b, bool refused, int64_t retry_after_ms)
{
	int64_t delay_ms;

	b->state = POST_READY;
	d->retries++;
	d->post->blocked = refused;
	/* Requests under way together fail together: that counts once. */
	if (d->phase == PHASE_WAITING && retry_after_ms <= 0)
		return;
	delay_ms = backoff_next(&d->backoff, false, 0);
	/* 0 is no wish: a receiver that always says so must not be asked all the time. */
	if (retry_after_ms > 0)
		delay_ms = retry_after_ms;
	if (refused && delay_ms < REFUSED_MS)
		delay_ms = REFUSED_MS;
	drain_log_lost(d, drain_last_error(d), 0);
	wait_for(d, delay_ms);
}

static void
keep_letter(struct drain *d, const struct post_batch *b, int status)
{
	struct slice frame = post_first_frame(d, b);
	struct drain_letter *letter = d->letter;

	if (letter == NULL)
		letter = d->letter = xcalloc(1, sizeof(*letter));
	letter->at_us = clock_wall_us();
	letter->status = status;
	snprintf(letter->error, sizeof(letter->error), "%s", drain_last_error(d));
	letter->line_bytes = frame.n;
	letter->line_n = frame.n < sizeof(letter->line) ? frame.n : sizeof(letter->line);
	memcpy(letter->line, frame.p, letter->line_n);
}

static void
give_up_entry(struct drain *d, struct post_batch *b, int status)
{
	b->state = POST_DONE;
	if (b->notice.n > 0)
		return;
	keep_letter(d, b, status);
	count_refused(d, b, b->lines);
	log_debug("drain's receiver refused a line", "drain", d->conf.redacted, "error",
		  drain_last_error(d), NULL);
	d->post->lost_in_row++;
	if (d->post->lost_in_row < LOST_IN_ROW || d->phase == PHASE_WAITING)
		return;
	d->post->blocked = true;
	d->retries++;
	drain_log_lost(d, drain_last_error(d), 0);
	wait_for(d, backoff_next(&d->backoff, false, 0));
}

/*
 * A receiver that takes no more than so much at a time (HTTP 413) gets less from
 * then on, and by and by more again.  Parts of a batch say nothing: they
 * are small, and one long line may be the reason.
 */
static void
learn_size(struct drain *d, const struct post_batch *b, int status)
{
	struct drain_post *post = d->post;
	size_t half = b->bytes / 2, more = post->limits.bytes / 16;

	if (b->part || b->notice.n > 0)
		return;
	if (status == 413 && b->lines > 1)
		post->limits.bytes = half > LIMIT_MIN ? half : LIMIT_MIN;
	else if (status / 100 == 2 && b->bytes > post->limits.bytes / 2)
		post->limits.bytes += more < post->bytes_max - post->limits.bytes
					  ? more
					  : post->bytes_max - post->limits.bytes;
}

/* Lines of a segment that are the batch's; *from: the first of them. */
static uint64_t
lines_within(const struct post_batch *b, const struct segment *s, uint64_t *from)
{
	uint64_t end = s->seq + s->lines < b->end_seq ? s->seq + s->lines : b->end_seq;

	*from = s->seq > b->first_seq ? s->seq : b->first_seq;
	return end > *from ? end - *from : 0;
}

/* Behind half of its lines: their numbers leap from one start of the gateway to the next. */
static uint64_t
middle_of(const struct drain *d, const struct post_batch *b)
{
	const struct segment *s;
	uint64_t half = 0, from, n;

	for (unsigned i = 0; (s = cursor_in_flight(&d->cursor, i)) != NULL; i++)
		half += lines_within(b, s, &from);
	half /= 2;
	for (unsigned i = 0; (s = cursor_in_flight(&d->cursor, i)) != NULL; i++) {
		n = lines_within(b, s, &from);
		if (half < n)
			return from + half;
		half -= n;
	}
	return b->end_seq;
}

static void
split(struct drain *d, struct post_batch *b)
{
	uint64_t middle = middle_of(d, b);
	struct post_batch *rest = post_batch_new(d, middle);

	TAILQ_REMOVE(&d->post->batches, rest, link);
	TAILQ_INSERT_AFTER(&d->post->batches, b, rest, link);
	cursor_cut(&d->cursor, middle);
	rest->end_seq = b->end_seq;
	rest->tried = b->tried;
	rest->part = b->part = true;
	rest->lines = b->lines / 2;
	b->end_seq = middle;
	b->lines -= rest->lines;
	b->state = POST_READY;
}

static struct drain_verdict
judge(const struct drain *d, const struct http_answer *answer)
{
	const struct drain_http *http = d->conf.type->http;

	if (answer->status == 0)
		return (struct drain_verdict){.answer = DRAIN_RETRY};
	if (http->judge != NULL)
		return http->judge(&d->conf, answer->status, answer->body);
	return drain_judge(answer->status);
}

void
drain_post_on_answer(const struct http_answer *answer, void *arg)
{
	struct post_batch *b = arg;
	struct drain *d = b->drain;
	struct drain_verdict verdict = judge(d, answer);
	char words[256];

	learn_size(d, b, answer->status);
	post_call_over(d, b);
	if (verdict.answer != DRAIN_ACCEPTED) {
		answer_words(answer, words, sizeof(words));
		drain_set_error(d, words);
	}
	switch (verdict.answer) {
	case DRAIN_ACCEPTED:
		accepted(d, b, verdict.rejected);
		break;
	case DRAIN_SPLIT:
		if (b->lines > 1)
			split(d, b);
		else
			give_up_entry(d, b, answer->status);
		break;
	case DRAIN_RETRY:
		failed(d, b, false, answer->retry_after_ms);
		break;
	case DRAIN_REFUSED:
		failed(d, b, true, answer->retry_after_ms);
		break;
	}
	drain_post_settle(d);
	if (d->phase != PHASE_WAITING)
		drain_post_send(d);
}

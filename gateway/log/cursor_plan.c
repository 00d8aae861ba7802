/*
 * cursor_plan -- segments are cut from the log where plan stands; lines that
 * the drain does not want, or may not have, are passed over.
 */
#include "base/clock.h"
#include "log/cursor_ring.h"
#include "log/log_fetch.h"
#include "log/log_hole.h"

/* Gaps are told at most so often. */
enum { GAP_NOTICE_MS = 1000 };

static void
plan_enter(struct cursor *c, struct chunk *chunk)
{
	c->plan = chunk;
	c->plan_at = (uint32_t)(c->plan_bytes - chunk->base);
	/* Between two starts of the gateway sequences have a hole. */
	if (c->plan_at == 0)
		c->plan_seq = chunk->first_seq;
	chunk->refs++;
}

/* Out of its chunk, whose end was reached. */
static void
plan_leave(struct cursor *c)
{
	c->away_ms = c->plan->first_ms;
	c->plan->refs--;
	c->plan = NULL;
}

/* The chunk in the list that has the byte behind plan. */
static struct chunk *
plan_find(const struct cursor *c)
{
	struct chunk *chunk;

	TAILQ_FOREACH(chunk, &c->log->chunks, link)
	if (c->plan_bytes < chunk->base + chunk->used)
		return c->plan_bytes >= chunk->base ? chunk : NULL;
	return NULL;
}

/* Lines that are nowhere any more: told at their place. */
static bool
plan_pass_hole(struct cursor *c)
{
	const struct log_hole *h = log_hole_at(c->log, c->plan_bytes);

	if (h == NULL)
		return false;
	if (c->plan != NULL)
		plan_leave(c);
	gap_add_told(c, CURSOR_MEMORY, h->to.lines - c->plan_lines, h->since_us);
	c->plan_bytes = h->to.bytes;
	c->plan_lines = h->to.lines;
	c->plan_seq = h->to.seq;
	app_log_stir(c->log);
	return true;
}

void
plan_normalise(struct cursor *c)
{
	struct chunk *next;

	while (!plan_is_at_end(c) && (c->plan == NULL || c->plan_at == c->plan->used)) {
		if (plan_pass_hole(c))
			continue;
		next = c->plan != NULL ? TAILQ_NEXT(c->plan, link) : plan_find(c);
		if (c->plan != NULL)
			plan_leave(c);
		else if (next == NULL)
			return;
		if (next != NULL && next->base <= c->plan_bytes)
			plan_enter(c, next);
	}
}

bool
plan_is_away(struct cursor *c)
{
	if (plan_is_at_end(c) || (c->plan != NULL && c->plan->data != NULL))
		return false;
	log_fetch_want(c, c->plan != NULL ? c->plan->first_seq : c->plan_seq);
	return true;
}

/* Moves plan to an offset of its chunk that so many lines are before. */
static void
plan_pass(struct cursor *c, uint32_t to, uint32_t lines)
{
	c->plan_bytes += to - c->plan_at;
	c->plan_lines += lines;
	c->plan_seq += lines;
	c->plan_at = to;
}

/* Lines from plan to its chunk's end. */
static uint32_t
plan_lines(const struct cursor *c)
{
	return (uint32_t)(c->plan->first_seq + c->plan->lines - c->plan_seq);
}

/* The unwanted of the lines from an offset on, n of them at most, up to the chunk's end. */
static uint32_t
count_unwanted(struct cursor *c, const struct chunk *chunk, uint32_t at, uint32_t n,
	       uint32_t *bytes)
{
	struct slice message;
	uint32_t unwanted = 0;

	*bytes = 0;
	for (; n > 0; n--) {
		uint32_t next = chunk_frame(chunk, at, &message);

		if (!c->wants(c, message)) {
			unwanted++;
			*bytes += next - at;
		}
		at = next;
	}
	return unwanted;
}

void
segment_sift(struct cursor *c, struct segment *s)
{
	s->skipped = s->skipped_bytes = 0;
	if (c->wants != NULL)
		s->skipped = count_unwanted(c, s->chunk, s->from, s->lines, &s->skipped_bytes);
}

/* Moves plan to the next line that is wanted, in its chunk; false: there is none. */
static bool
plan_skip_unwanted(struct cursor *c)
{
	struct slice message;
	uint32_t at = c->plan_at, lines = 0;

	while (at < c->plan->used) {
		uint32_t next = chunk_frame(c->plan, at, &message);

		if (c->wants(c, message))
			break;
		at = next;
		lines++;
	}
	if (lines > 0) {
		plan_pass(c, at, lines);
		c->filtered(c, lines);
	}
	return at < c->plan->used;
}

void
cursor_skip_unwanted(struct cursor *c)
{
	uint64_t before = c->plan_bytes;

	if (c->wants == NULL)
		return;
	do
		plan_normalise(c);
	while (!plan_is_at_end(c) && !plan_is_away(c) && !plan_skip_unwanted(c));
	if (c->plan_bytes == before)
		return;
	app_log_stir(c->log);
	app_log_weigh(c->log);
	app_log_collect(c->log);
}

/* A gap is told with the segment behind it, but at most once in GAP_NOTICE_MS. */
static void
segment_take_gap(struct cursor *c, struct segment *s, int64_t now_ms)
{
	if (cursor_gap_is_empty(&c->gap) || now_ms < c->gap_next_ms)
		return;
	s->gap = c->gap;
	c->gap = (struct cursor_gap){0};
	c->gap_next_ms = now_ms + GAP_NOTICE_MS;
}

void
gap_add_told(struct cursor *c, enum cursor_reason reason, uint64_t lines, int64_t since_us)
{
	if (lines == 0)
		return;
	if (cursor_gap_is_empty(&c->gap) || since_us < c->gap.since_us)
		c->gap.since_us = since_us;
	c->gap.lines[reason] += lines;
}

void
gap_add(struct cursor *c, enum cursor_reason reason, uint64_t lines)
{
	gap_add_told(c, reason, lines, clock_wall_us());
	if (lines > 0)
		c->dropped(c, reason, lines);
}

/* How much of the rest of plan's chunk goes into one segment. */
struct share {
	uint32_t to;
	uint32_t lines, skipped, skipped_bytes;
	uint32_t excess; /* wanted lines behind it that may not go */
};

/* So many wanted lines from plan on, and what lies between them. */
static struct share
share_of(struct cursor *c, uint32_t wanted)
{
	struct share share = {.to = c->plan_at};
	struct slice message;

	while (wanted > 0) {
		uint32_t next = chunk_frame(c->plan, share.to, &message);

		if (c->wants == NULL || c->wants(c, message)) {
			wanted--;
		} else {
			share.skipped++;
			share.skipped_bytes += next - share.to;
		}
		share.lines++;
		share.to = next;
	}
	return share;
}

/* The share that may go; plan then stands behind it and what may not. */
static struct share
plan_share(struct cursor *c, int64_t now_ms)
{
	struct share all = {.to = c->plan->used, .lines = plan_lines(c)};
	uint32_t wanted, may;
	struct share share;

	if (c->wants != NULL)
		all.skipped = count_unwanted(c, c->plan, c->plan_at, all.lines, &all.skipped_bytes);
	wanted = all.lines - all.skipped;
	may = c->admit != NULL ? c->admit(c, wanted, now_ms) : wanted;
	share = may < wanted ? share_of(c, may) : all;
	if (all.skipped > 0)
		c->filtered(c, all.skipped);
	share.excess = wanted - may;
	plan_pass(c, all.to, all.lines);
	return share;
}

static void
push_segment(struct cursor *c, struct segment s, const struct share *share, int64_t now_ms)
{
	s.to = share->to;
	s.lines = share->lines;
	s.skipped = share->skipped;
	s.skipped_bytes = share->skipped_bytes;
	segment_take_gap(c, &s, now_ms);
	segment_ref(c, s.chunk);
	c->unsent_bytes += segment_bytes(&s);
	c->unsent_lines += segment_wanted(&s);
	*ring_push(c) = s;
}

/* What is in the spool is asked for before the last of what is here goes out. */
static void
plan_look_ahead(struct cursor *c)
{
	plan_normalise(c);
	(void)plan_is_away(c);
}

bool
plan_segment(struct cursor *c, int64_t now_ms)
{
	uint64_t from = c->plan_bytes;
	bool passed = false;

	for (;;) {
		struct segment next;
		struct share share;

		plan_normalise(c);
		if (plan_is_at_end(c) || plan_is_away(c))
			break;
		if (c->wants == NULL || plan_skip_unwanted(c)) {
			next = (struct segment){
			    .chunk = c->plan, .seq = c->plan_seq, .from = c->plan_at};
			share = plan_share(c, now_ms);
			if (share.lines > 0)
				push_segment(c, next, &share, now_ms);
			/* It lies behind the segment, and is told with the next. */
			gap_add(c, CURSOR_RATE, share.excess);
			if (share.lines > 0) {
				if (c->plan_bytes - from > share.to - next.from)
					app_log_weigh(c->log);
				plan_look_ahead(c);
				return true;
			}
		}
		passed = true;
	}
	/* Lines were passed over and nothing will be sent for them: nobody else counts that. */
	if (passed) {
		app_log_stir(c->log);
		app_log_weigh(c->log);
		app_log_collect(c->log);
	}
	return false;
}

void
cursor_trim(struct cursor *c, size_t keep)
{
	uint64_t dropped = 0, filtered = 0;

	if (c->log->end_bytes - c->plan_bytes <= keep)
		return;
	while (c->log->end_bytes - c->plan_bytes > keep) {
		uint32_t lines, unwanted = 0, bytes;

		plan_normalise(c);
		/* Holes are the spool's, and then this is not called. */
		if (c->plan == NULL)
			break;
		lines = plan_lines(c);
		if (c->wants != NULL)
			unwanted = count_unwanted(c, c->plan, c->plan_at, lines, &bytes);
		plan_pass(c, c->plan->used, lines);
		dropped += lines - unwanted;
		filtered += unwanted;
	}
	gap_add(c, CURSOR_MEMORY, dropped);
	if (filtered > 0)
		c->filtered(c, filtered);
	app_log_weigh(c->log);
	app_log_collect(c->log);
}

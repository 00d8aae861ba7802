#include "plumb/backoff.h"

enum {
	AFTER_LINES_MS = 100,
	FIRST_MS = 1000,
	LONGEST_MS = 20 * 1000, /* who is back gets its lines within half a minute */
	STABLE_MS = 10 * 1000,	/* a connection that lived this long was no failure */
	JITTER_PERCENT = 20,
};

void
backoff_init(struct backoff *b, uint32_t seed)
{
	*b = (struct backoff){.seed = seed != 0 ? seed : 1};
}

/* xorshift32: spreads reconnects, protects nothing. */
static uint32_t
backoff_random(struct backoff *b)
{
	b->seed ^= b->seed << 13;
	b->seed ^= b->seed >> 17;
	b->seed ^= b->seed << 5;
	return b->seed;
}

int64_t
backoff_next(struct backoff *b, bool took_lines, int64_t alive_ms)
{
	int64_t wait = FIRST_MS, spread;

	if (alive_ms >= STABLE_MS)
		b->failures = 0;
	if (took_lines)
		return AFTER_LINES_MS;

	for (unsigned i = 0; i < b->failures && wait < LONGEST_MS; i++)
		wait *= 2;
	if (wait >= LONGEST_MS)
		wait = LONGEST_MS;
	else
		b->failures++;

	spread = wait * JITTER_PERCENT / 100;
	return wait - spread + (int64_t)(backoff_random(b) % (uint64_t)(2 * spread + 1));
}

#include "pace.h"

void
pace_start(struct pace *p, int64_t rate, int64_t now)
{
	p->rate = (double)rate;
	p->started = now;
	p->step = now - PACE_STEP_NS;
}

int64_t
pace_next(const struct pace *p, uint64_t sent, uint64_t count)
{
	int64_t due;

	if (p->rate <= 0)
		return p->started;
	/* A nanosecond later, so that pace_due, which rounds down, sees it. */
	due = p->started + (int64_t)((double)(sent + count - 1) * 1e9 / p->rate) + 1;
	return due > p->step + PACE_STEP_NS ? due : p->step + PACE_STEP_NS;
}

uint64_t
pace_due(const struct pace *p, uint64_t sent, int64_t now)
{
	uint64_t due;

	if (p->rate <= 0)
		return UINT64_MAX;
	due = (uint64_t)((double)(now - p->started) * 1e-9 * p->rate) + 1;
	return due > sent ? due - sent : 0;
}

void
pace_stepped(struct pace *p, int64_t now)
{
	p->step = now;
}

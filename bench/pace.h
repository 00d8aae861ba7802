/*
 * pace -- when lines are due that go out at a fixed rate.
 *
 * Line i is due i / rate after the start.  Lines go out in steps of at least
 * PACE_STEP_NS: up to 4,000 lines a second each goes alone, at its time; above
 * that a step's lines go together.  Who was held up catches up.
 */
#ifndef PACE_H
#define PACE_H

#include <stdint.h>

enum { PACE_STEP_NS = 250 * 1000 };

struct pace {
	double rate;	 /* lines a second; 0: as fast as it goes */
	int64_t started; /* CLOCK_MONOTONIC, ns; so are all times here */
	int64_t step;	 /* when the last step was */
};

void pace_start(struct pace *, int64_t rate, int64_t now);

/*
 * When the line behind the next `count` - 1 ones can go, `sent` have gone; now
 * or earlier: at once.
 */
int64_t pace_next(const struct pace *, uint64_t sent, uint64_t count);

/* Lines that are due now and have not gone; UINT64_MAX without a rate. */
uint64_t pace_due(const struct pace *, uint64_t sent, int64_t now);

/* A step's lines have gone. */
void pace_stepped(struct pace *, int64_t now);

#endif

/*
 * clock -- the two times there are.
 *
 * Monotonic time drives every timer, deadline and age: it does not jump.  Wall
 * time is for stamps that people read.  Both are cheap (vDSO), still a loop
 * asks once a turn and hands the value down.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/* Milliseconds since some fixed point; never goes back. */
int64_t clock_mono_ms(void);
/* The same in microseconds: for what is measured, not for timers. */
int64_t clock_mono_us(void);

/* Microseconds since 1970-01-01T00:00:00Z; may jump. */
int64_t clock_wall_us(void);

/*
 * Wall time when the process first asked, and what has passed since on the
 * monotonic clock: for ages that must outlive a restart and not jump with the
 * wall clock meanwhile.
 */
int64_t clock_age_us(void);

#endif

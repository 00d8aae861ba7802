#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

int64_t
clock_mono_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_mono_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
clock_wall_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
clock_age_us(void)
{
	/* Wall time minus monotonic time, taken once; two threads that are first take the same. */
	static _Atomic int64_t offset_us;
	int64_t mono_us = clock_mono_us(), none = 0;

	if (atomic_load(&offset_us) == 0)
		atomic_compare_exchange_strong(&offset_us, &none, clock_wall_us() - mono_us);
	return mono_us + atomic_load(&offset_us);
}

#include "ends/drain_pace.h"

enum { SLOT_MS = 10 * 1000 };

/* Empties the slots that have begun since. */
static void
turn_to(struct drain_pace *p, int64_t now_ms)
{
	int64_t slot = now_ms / SLOT_MS;

	if (slot - p->slot > DRAIN_PACE_SLOTS)
		p->slot = slot - DRAIN_PACE_SLOTS;
	while (p->slot < slot)
		p->lines[++p->slot % DRAIN_PACE_SLOTS] = 0;
}

void
drain_pace_add(struct drain_pace *p, uint64_t lines, int64_t now_ms)
{
	turn_to(p, now_ms);
	p->lines[p->slot % DRAIN_PACE_SLOTS] += (uint32_t)lines;
}

uint64_t
drain_pace_minute(struct drain_pace *p, int64_t now_ms)
{
	uint64_t lines = 0;

	turn_to(p, now_ms);
	for (int i = 0; i < DRAIN_PACE_SLOTS; i++)
		lines += p->lines[i];
	return lines;
}

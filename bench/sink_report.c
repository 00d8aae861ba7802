/* sink_report -- what was counted, as JSON. */
#include <stdio.h>

#include "sink.h"

static void
field(const char *name, uint64_t value)
{
	printf("\"%s\": %llu, ", name, (unsigned long long)value);
}

static void
latency(const struct histogram *h)
{
	printf("\"latency_ms\": {\"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f, \"n\": %llu}, ",
	       (double)histogram_at(h, 0.5) * 1e-6, (double)histogram_at(h, 0.99) * 1e-6,
	       (double)h->max * 1e-6, (unsigned long long)h->n);
}

/* Begins and ends without a comma. */
static void
side(const struct side *side)
{
	const struct check_counts *counts = &side->check.counts;

	field("lines", counts->lines);
	field("bytes", counts->bytes);
	field("expected", side->expected);
	field("delivered", counts->wanted);
	field("missing", side->expected > counts->wanted ? side->expected - counts->wanted : 0);
	field("duplicated", counts->duplicated);
	field("reordered", counts->reordered);
	field("misrouted", counts->misrouted);
	field("misparsed", counts->misparsed);
	field("connections", side->accepted);
	if (side->check.latency.n > 0)
		latency(&side->check.latency);
	printf("\"closed\": %llu", (unsigned long long)side->closed);
}

void
sink_report(const struct sink *s)
{
	const double seconds = (double)(s->last - s->first) * 1e-9;
	const double lines = (double)s->sides[SERVED].check.counts.lines;

	putchar('{');
	side(&s->sides[SERVED]);
	if (s->opt.victim >= 0) {
		printf(", \"victim\": {");
		side(&s->sides[VICTIM]);
		putchar('}');
	}
	printf(", \"seconds\": %.3f, \"lines_per_s\": %.0f}\n", seconds,
	       seconds > 0 ? lines / seconds : 0);
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/metrics.h"
#include "admin/metrics_text.h"
#include "admin/status.h"
#include "base/xmalloc.h"

_Static_assert((int)DRAIN_COUNTS <= (int)PICK_COUNTS && (int)APP_COUNTS <= (int)PICK_COUNTS,
	       "all of their counters have room in an entry");

/* The app, the type and the drain that stand for all that are not told one by one. */
static const char others_name[] = "_others";

/* A drain whose lines wait for so long has a problem. */
enum { LATE_MS = 1000 };

static const struct slice none = SLICE_INIT("");

/* One counter's family; rows with the same name are one family, told apart by more labels. */
struct counter_row {
	const char *name, *more, *help;
	int count;
};

static const struct counter_row app_rows[] = {
    {"penstock_app_lines_total", "", "lines that came for the app", APP_LINES},
    {"penstock_app_bytes_total", "", "bytes of the lines that were kept for its drains", APP_BYTES},
    {"penstock_app_no_drain_lines_total", "", "lines that came while the app had no drain",
     APP_NO_DRAIN},
    {"penstock_app_dropped_lines_total", "", "lines that one of its drains lost, once a drain",
     APP_DROPPED},
};

#define DROPPED "penstock_drain_dropped_lines_total"
#define DROPPED_HELP "lines that the drain should have delivered and did not"

static const struct counter_row drain_rows[] = {
    {"penstock_drain_delivered_lines_total", "", "lines that the receiver took",
     DRAIN_DELIVERED_LINES},
    {"penstock_drain_delivered_bytes_total", "", "bytes of delivered lines, as stored",
     DRAIN_DELIVERED_BYTES},
    {DROPPED, "reason=\"memory\"", DROPPED_HELP, DRAIN_DROPPED_MEMORY},
    {DROPPED, "reason=\"spool\"", DROPPED_HELP, DRAIN_DROPPED_SPOOL},
    {DROPPED, "reason=\"age\"", DROPPED_HELP, DRAIN_DROPPED_AGE},
    {DROPPED, "reason=\"damaged\"", DROPPED_HELP, DRAIN_DROPPED_DAMAGED},
    {DROPPED, "reason=\"rate\"", DROPPED_HELP, DRAIN_DROPPED_RATE},
    {DROPPED, "reason=\"too_long\"", DROPPED_HELP, DRAIN_DROPPED_TOO_LONG},
    {DROPPED, "reason=\"refused\"", DROPPED_HELP, DRAIN_DROPPED_REFUSED},
    {"penstock_drain_filtered_lines_total", "", "lines that the drain does not want",
     DRAIN_FILTERED},
    {"penstock_drain_cut_lines_total", "", "lines cut to the receiver's limit", DRAIN_CUT},
    {"penstock_drain_old_lines_total", "", "lines too old for the receiver to take their time",
     DRAIN_OLD},
    {"penstock_drain_resent_lines_total", "", "lines sent again after a lost connection",
     DRAIN_RESENT},
    {"penstock_drain_retries_total", "", "connections and requests that failed or were lost",
     DRAIN_RETRIES},
};

/* What is told one by one: an entry's number among the picked and its labels. */
struct detail {
	const struct pick_entry *entry;
	struct buf labels;
};

static void
write_counters(struct buf *out, const struct counter_row *rows, size_t nrows,
	       const struct detail *details, size_t n, const struct pick *pick, struct slice others)
{
	for (size_t r = 0; r < nrows; r++) {
		const struct counter_row *row = &rows[r];
		struct slice more = slice_str(row->more);

		if (r == 0 || strcmp(row->name, rows[r - 1].name) != 0)
			metric_family(out, row->name, METRIC_COUNTER, row->help);
		for (size_t i = 0; i < n; i++)
			metric_sample(out, row->name, buf_slice(&details[i].labels), more,
				      details[i].entry->count[row->count]);
		/* Also when it is nobody: a counter that comes late loses what it begins with. */
		metric_sample(out, row->name, others, more, pick->others[row->count]);
	}
}

static void
free_details(struct detail *details, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_free(&details[i].labels);
	free(details);
}

static bool
has_problem(const struct drain_numbers *d)
{
	return d->state == DRAIN_BLOCKED || d->state == DRAIN_RETRYING ||
	       d->oldest_waiting_ms >= LATE_MS;
}

static void
write_app_gauges(struct buf *out, const struct gateway_numbers *n, const struct pick_entry *entries,
		 const struct detail *details, size_t ndetails, struct slice others)
{
	static const char name[] = "penstock_app_drains";
	uint64_t rest = 0;

	metric_family(out, name, METRIC_GAUGE, "drains that the app has");
	for (size_t i = 0; i < ndetails; i++)
		metric_sample(out, name, buf_slice(&details[i].labels), none,
			      n->apps[details[i].entry->index].drains);
	for (size_t i = 0; i < n->napps; i++)
		if (!entries[i].picked)
			rest += n->apps[entries[i].index].drains;
	metric_sample(out, name, others, none, rest);
}

void
metrics_write_apps(struct metrics *m, const struct gateway_numbers *n, struct buf *out)
{
	struct pick_entry *entries = xcalloc(n->napps + 1, sizeof(*entries));
	struct detail *details = xcalloc(n->napps + 1, sizeof(*details));
	struct buf others = {0};
	size_t ndetails = 0;

	for (size_t i = 0; i < n->napps; i++) {
		entries[i].key = n->apps[i].serial;
		entries[i].index = i;
		entries[i].never = strcmp(n->apps[i].name, others_name) == 0;
		memcpy(entries[i].count, n->apps[i].count, sizeof(n->apps[i].count));
	}
	for (size_t i = 0; i < n->ndrains; i++)
		if (has_problem(&n->drains[i]))
			entries[n->drains[i].app].problem = true;
	m->apps.max = METRICS_DETAIL_MAX;
	pick_run(&m->apps, entries, n->napps);
	for (size_t i = 0; i < n->napps; i++) {
		if (!entries[i].picked)
			continue;
		details[ndetails].entry = &entries[i];
		metric_label(&details[ndetails++].labels, "app",
			     slice_str(n->apps[entries[i].index].name));
	}
	metric_label(&others, "app", SLICE("_others"));
	write_counters(out, app_rows, sizeof(app_rows) / sizeof(app_rows[0]), details, ndetails,
		       &m->apps, buf_slice(&others));
	write_app_gauges(out, n, entries, details, ndetails, buf_slice(&others));
	buf_free(&others);
	free_details(details, ndetails);
	free(entries);
}

static void
write_states(struct buf *out, const struct gateway_numbers *n, const struct pick_entry *entries,
	     const struct detail *details, size_t ndetails, struct slice others)
{
	static const char name[] = "penstock_drain_state";

	metric_family(out, name, METRIC_GAUGE, "1: the drain is in that state; 0: in another");
	for (int s = 0; s < DRAIN_STATES; s++) {
		struct buf more = {0};
		uint64_t rest = 0;

		metric_label(&more, "state", slice_str(status_state_name((enum drain_state)s)));
		for (size_t i = 0; i < ndetails; i++)
			metric_sample(out, name, buf_slice(&details[i].labels), buf_slice(&more),
				      (int)n->drains[details[i].entry->index].state == s);
		for (size_t i = 0; i < n->ndrains; i++)
			if (!entries[i].picked && (int)n->drains[entries[i].index].state == s)
				rest++;
		metric_sample(out, name, others, buf_slice(&more), rest);
		buf_free(&more);
	}
}

static void
write_waiting(struct buf *out, const struct gateway_numbers *n, const struct pick_entry *entries,
	      const struct detail *details, size_t ndetails, struct slice others)
{
	static const char lines[] = "penstock_drain_waiting_lines",
			  bytes[] = "penstock_drain_waiting_bytes",
			  oldest[] = "penstock_drain_oldest_waiting_seconds";
	uint64_t rest_lines = 0, rest_bytes = 0;
	int64_t rest_ms = 0, ms;

	for (size_t i = 0; i < n->ndrains; i++) {
		const struct drain_numbers *d = &n->drains[entries[i].index];

		if (entries[i].picked)
			continue;
		rest_lines += d->lines_waiting;
		rest_bytes += d->bytes_waiting;
		if (d->oldest_waiting_ms > rest_ms)
			rest_ms = d->oldest_waiting_ms;
	}
	metric_family(out, lines, METRIC_GAUGE, "lines that wait for the receiver");
	for (size_t i = 0; i < ndetails; i++)
		metric_sample(out, lines, buf_slice(&details[i].labels), none,
			      n->drains[details[i].entry->index].lines_waiting);
	metric_sample(out, lines, others, none, rest_lines);
	metric_family(out, bytes, METRIC_GAUGE, "bytes of waiting lines, as stored");
	for (size_t i = 0; i < ndetails; i++)
		metric_sample(out, bytes, buf_slice(&details[i].labels), none,
			      n->drains[details[i].entry->index].bytes_waiting);
	metric_sample(out, bytes, others, none, rest_bytes);
	metric_family(out, oldest, METRIC_GAUGE,
		      "age of the oldest waiting line; 0: nothing waits");
	for (size_t i = 0; i < ndetails; i++) {
		ms = n->drains[details[i].entry->index].oldest_waiting_ms;
		metric_sample_ms(out, oldest, buf_slice(&details[i].labels),
				 ms > 0 ? (uint64_t)ms : 0);
	}
	metric_sample_ms(out, oldest, others, (uint64_t)rest_ms);
}

static void
label_drain(struct buf *labels, const char *app, const char *type, const char *id)
{
	metric_label(labels, "app", slice_str(app));
	metric_label(labels, "type", slice_str(type));
	metric_label(labels, "drain", slice_str(id));
}

static void
fill_drains(struct pick_entry *entries, const struct gateway_numbers *n)
{
	for (size_t i = 0; i < n->ndrains; i++) {
		const struct drain_numbers *d = &n->drains[i];

		entries[i].key = d->id;
		entries[i].index = i;
		entries[i].problem = has_problem(d);
		entries[i].never = strcmp(n->apps[d->app].name, others_name) == 0;
		memcpy(entries[i].count, d->count, sizeof(d->count));
	}
}

void
metrics_write_drains(struct metrics *m, const struct gateway_numbers *n, struct buf *out)
{
	struct pick_entry *entries = xcalloc(n->ndrains + 1, sizeof(*entries));
	struct detail *details = xcalloc(n->ndrains + 1, sizeof(*details));
	struct buf others = {0};
	size_t ndetails = 0;
	char id[24];

	fill_drains(entries, n);
	m->drains.max = METRICS_DETAIL_MAX;
	pick_run(&m->drains, entries, n->ndrains);
	for (size_t i = 0; i < n->ndrains; i++) {
		const struct drain_numbers *d = &n->drains[entries[i].index];

		if (!entries[i].picked)
			continue;
		snprintf(id, sizeof(id), "%llu", (unsigned long long)d->id);
		details[ndetails].entry = &entries[i];
		label_drain(&details[ndetails++].labels, n->apps[d->app].name, d->type->name, id);
	}
	label_drain(&others, others_name, others_name, others_name);
	write_states(out, n, entries, details, ndetails, buf_slice(&others));
	write_counters(out, drain_rows, sizeof(drain_rows) / sizeof(drain_rows[0]), details,
		       ndetails, &m->drains, buf_slice(&others));
	write_waiting(out, n, entries, details, ndetails, buf_slice(&others));
	buf_free(&others);
	free_details(details, ndetails);
	free(entries);
}

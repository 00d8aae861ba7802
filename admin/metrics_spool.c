#include "admin/metrics.h"
#include "admin/metrics_text.h"
#include "base/stats.h"

static const struct slice none = SLICE_INIT("");

struct row {
	const char *name;
	enum metric_type type;
	const char *help;
	uint64_t value;
};

void
metrics_write_spool(const struct spooler_stats *s, struct buf *out)
{
	static const char seconds[] = "penstock_spool_commit_seconds_total";

	if (s == NULL)
		return;

	const struct row rows[] = {
	    {"penstock_spool_bytes", METRIC_GAUGE, "bytes of lines that are kept on disk",
	     stats_get(&s->bytes)},
	    {"penstock_spool_failing", METRIC_GAUGE,
	     "1: the last lines for it could not be written", atomic_load(&s->failing)},
	    {"penstock_spool_commits_total", METRIC_COUNTER, "transactions that were written",
	     stats_get(&s->commits)},
	    {"penstock_spool_failures_total", METRIC_COUNTER,
	     "transactions that could not be written", stats_get(&s->failures)},
	    {"penstock_spool_written_chunks_total", METRIC_COUNTER, "chunks of lines written",
	     stats_get(&s->chunks_in)},
	    {"penstock_spool_written_bytes_total", METRIC_COUNTER, "bytes of lines written",
	     stats_get(&s->bytes_in)},
	    {"penstock_spool_read_chunks_total", METRIC_COUNTER, "chunks of lines read back",
	     stats_get(&s->chunks_out)},
	    {"penstock_spool_read_bytes_total", METRIC_COUNTER, "bytes of lines read back",
	     stats_get(&s->bytes_out)},
	    {"penstock_spool_damaged_chunks_total", METRIC_COUNTER,
	     "chunks that were not what had been written", stats_get(&s->chunks_damaged)},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		metric_family(out, rows[i].name, rows[i].type, rows[i].help);
		metric_sample(out, rows[i].name, none, none, rows[i].value);
	}
	metric_family(out, seconds, METRIC_COUNTER, "how long writing transactions took in all");
	metric_sample_ms(out, seconds, none, stats_get(&s->commit_us) / 1000);
}

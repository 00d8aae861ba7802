/* GET /metrics: for Prometheus, and who reads its format.  docs/metrics.md lists the families. */
#include "admin/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/handlers.h"
#include "admin/metrics_text.h"
#include "base/xmalloc.h"

static const struct slice none = SLICE_INIT("");

void
metrics_clear(struct metrics *m)
{
	pick_clear(&m->apps);
	pick_clear(&m->drains);
	free(m->said);
}

static void
write_build(struct buf *out)
{
	struct buf labels = {0};

	metric_label(&labels, "version", SLICE(PENSTOCK_VERSION));
	metric_family(out, "penstock_build_info", METRIC_GAUGE, "1; its label has the version");
	metric_sample(out, "penstock_build_info", buf_slice(&labels), none, 1);
	buf_free(&labels);
}

/* A worker may find out that it counted too much: what was said stays said. */
static void
hold_workers(struct metrics *m, struct gateway_numbers *n)
{
	if (m->nsaid != n->nworkers) {
		free(m->said);
		m->said = xcalloc(n->nworkers, sizeof(*m->said));
		m->nsaid = n->nworkers;
	}
	for (size_t i = 0; i < n->nworkers; i++) {
		for (int k = 0; k < WORKER_COUNTS; k++)
			if (n->workers[i].count[k] < m->said[i].count[k])
				n->workers[i].count[k] = m->said[i].count[k];
		m->said[i] = n->workers[i];
	}
}

static uint64_t
unsent_bytes(const struct worker_numbers *w)
{
	return w->unsent_bytes;
}

static uint64_t
lagging_bytes(const struct worker_numbers *w)
{
	return w->lagging_bytes;
}

static uint64_t
chunk_bytes(const struct worker_numbers *w)
{
	return w->chunk_bytes;
}

static uint64_t
is_paused(const struct worker_numbers *w)
{
	return w->paused;
}

static void
write_workers(const struct gateway_numbers *n, struct buf *out)
{
	static const struct {
		const char *name, *help;
		uint64_t (*value)(const struct worker_numbers *);
	} gauges[] = {
	    {"penstock_unsent_bytes", "bytes that wait for drains that keep up", unsent_bytes},
	    {"penstock_lagging_bytes", "bytes that wait for drains that lag", lagging_bytes},
	    {"penstock_chunk_bytes", "memory that holds lines, sent or not", chunk_bytes},
	    {"penstock_reading_paused", "1: nothing is read from senders now", is_paused},
	};
	static const struct {
		const char *name, *help;
	} counters[] = {
#define ROW(name, text) {"penstock_" #name "_total", text},
	    STATS_COUNTERS(ROW)
#undef ROW
	};
	struct buf *labels = xcalloc(n->nworkers, sizeof(*labels));
	char index[24];

	for (size_t i = 0; i < n->nworkers; i++) {
		snprintf(index, sizeof(index), "%zu", i);
		metric_label(&labels[i], "worker", slice_str(index));
	}
	for (size_t k = 0; k < WORKER_COUNTS; k++) {
		metric_family(out, counters[k].name, METRIC_COUNTER, counters[k].help);
		for (size_t i = 0; i < n->nworkers; i++)
			metric_sample(out, counters[k].name, buf_slice(&labels[i]), none,
				      n->workers[i].count[k]);
	}
	for (size_t k = 0; k < sizeof(gauges) / sizeof(gauges[0]); k++) {
		metric_family(out, gauges[k].name, METRIC_GAUGE, gauges[k].help);
		for (size_t i = 0; i < n->nworkers; i++)
			metric_sample(out, gauges[k].name, buf_slice(&labels[i]), none,
				      gauges[k].value(&n->workers[i]));
	}
	for (size_t i = 0; i < n->nworkers; i++)
		buf_free(&labels[i]);
	free(labels);
}

static void
write_listeners(const struct gateway_numbers *n, struct buf *out)
{
	static const char open[] = "penstock_listener_open_connections";
	static const struct {
		const char *name, *help;
	} counters[] = {
#define ROW(name, text) {"penstock_listener_" #name "_total", text},
	    LISTENER_COUNTERS(ROW)
#undef ROW
	};
	struct buf *labels = xcalloc(n->nlisteners, sizeof(*labels));

	for (size_t i = 0; i < n->nlisteners; i++)
		metric_label(&labels[i], "listener", slice_str(n->listeners[i].label));
	for (size_t k = 0; k < LISTENER_COUNTS; k++) {
		metric_family(out, counters[k].name, METRIC_COUNTER, counters[k].help);
		for (size_t i = 0; i < n->nlisteners; i++)
			metric_sample(out, counters[k].name, buf_slice(&labels[i]), none,
				      n->listeners[i].count[k]);
	}
	metric_family(out, open, METRIC_GAUGE, "connections that are open now");
	for (size_t i = 0; i < n->nlisteners; i++)
		metric_sample(out, open, buf_slice(&labels[i]), none, n->listeners[i].open);
	for (size_t i = 0; i < n->nlisteners; i++)
		buf_free(&labels[i]);
	free(labels);
}

void
metrics_write(struct metrics *m, struct gateway_numbers *n, struct buf *out)
{
	write_build(out);
	metrics_write_process(out);
	hold_workers(m, n);
	write_workers(n, out);
	write_listeners(n, out);
	metrics_write_apps(m, n, out);
	metrics_write_drains(m, n, out);
}

void
metrics_show(struct api_call *call)
{
	struct gateway_numbers numbers;
	enum gateway_code asked = gateway_numbers(call->admin->gateway, &numbers);

	if (asked != GATEWAY_OK) {
		api_call_gateway_failed(call, asked);
	} else {
		call->resp->status = 200;
		call->resp->content_type = "text/plain; version=0.0.4; charset=utf-8";
		metrics_write(&call->admin->metrics, &numbers, &call->resp->body);
		metrics_write_spool(gateway_spool(call->admin->gateway), &call->resp->body);
	}
	gateway_numbers_clear(&numbers);
}

#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seal.h"
#include "tool.h"

enum {
	SEQ_MAX = 1 << 30,
	SHOWN = 3, /* misparsed lines that are shown */
};

/* One flow: how often each seq came. */
struct flow {
	uint8_t *times;
	size_t size;
};

/* One flow on one receiving connection. */
struct order {
	struct flow *flow;
	uint64_t next; /* the highest seq so far, plus one */
};

struct line {
	uint64_t app; /* hash of its name */
	uint64_t conn;
	uint64_t seq;
	uint64_t at; /* 0: not told */
};

static uint64_t
mix(uint64_t h)
{
	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd);
	h ^= h >> 33;
	h *= UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ (h >> 33);
}

/* "PREFIX" and digits at p, less than max; moves p behind them. */
static bool
number_after(const char **p, const char *end, const char *prefix, uint64_t max, uint64_t *n)
{
	size_t len = strlen(prefix);
	const char *s;

	if ((size_t)(end - *p) < len || memcmp(*p, prefix, len) != 0)
		return false;
	s = *p + len;
	*n = 0;
	for (*p = s; *p < end && **p >= '0' && **p <= '9' && *n < max; (*p)++)
		*n = *n * 10 + (uint64_t)(**p - '0');
	return *p > s && *n < max;
}

/* The message from "app=" on, as lines.h says. */
static bool
parse(const char *text, size_t len, struct line *line)
{
	const char *const end = text + len;
	const char *p = text + 4;
	uint64_t h = 0;

	for (; p < end && *p != ' '; p++)
		h = (h ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
	line->app = mix(h) | 1;
	line->at = 0;
	if (!number_after(&p, end, " conn=", SEQ_MAX, &line->conn) ||
	    !number_after(&p, end, " seq=", SEQ_MAX, &line->seq) || p == end || *p != ' ')
		return false;
	if (end - p > 4 && memcmp(p, " at=", 4) == 0 &&
	    !number_after(&p, end, " at=", INT64_MAX / 10, &line->at))
		return false;
	return seal_holds(text, len);
}

static struct flow *
flow_of(struct check *check, unsigned tag, uint64_t id)
{
	uint64_t key = mix(id + tag);
	struct flow *flow = table_get(&check->flows, key);

	if (flow == NULL) {
		flow = calloc(1, sizeof(*flow));
		if (flow == NULL)
			tool_die("out of memory");
		table_put(&check->flows, key, flow);
	}
	return flow;
}

static struct order *
order_of(struct check *check, struct check_conn *conn, const struct line *line)
{
	uint64_t id = mix(line->app ^ (line->conn << 32));
	struct order *order = table_get(&conn->orders, id);

	if (order == NULL) {
		order = calloc(1, sizeof(*order));
		if (order == NULL)
			tool_die("out of memory");
		order->flow = flow_of(check, conn->tag, id);
		table_put(&conn->orders, id, order);
	}
	return order;
}

/* Where it is counted how often this seq came. */
static uint8_t *
flow_times(struct flow *flow, uint64_t seq)
{
	if (seq >= flow->size) {
		size_t size = flow->size == 0 ? 64 : flow->size;

		while (size <= seq)
			size *= 2;
		flow->times = realloc(flow->times, size);
		if (flow->times == NULL)
			tool_die("out of memory");
		memset(flow->times + flow->size, 0, size - flow->size);
		flow->size = size;
	}
	return &flow->times[seq];
}

static void
count(struct check *check, struct check_conn *conn, const struct line *line, int64_t now)
{
	struct check_counts *counts = &check->counts;
	struct order *order = order_of(check, conn, line);
	uint8_t *times = flow_times(order->flow, line->seq);

	if (*times >= check->copies)
		counts->duplicated++;
	else {
		++*times;
		counts->wanted++;
		counts->reordered += line->seq < order->next;
		if (line->at != 0)
			histogram_add(&check->latency,
				      (uint64_t)now > line->at ? (uint64_t)now - line->at : 0);
	}
	if (line->seq >= order->next)
		order->next = line->seq + 1;
}

/* text is what is shown if it is no good. */
static void
misparsed(struct check *check, const char *text, size_t len)
{
	if (check->counts.misparsed++ < SHOWN)
		fprintf(stderr, "sink: no line of flood's: %.*s\n", len > 300 ? 300 : (int)len,
			text);
}

/* A message from "app=" on; false: it is no good. */
static bool
check_message(struct check *check, struct check_conn *conn, const char *message, size_t len,
	      int64_t now)
{
	struct line line;

	if (!parse(message, len, &line))
		return false;
	if (conn->app == 0)
		conn->app = line.app;
	check->counts.misrouted += line.app != conn->app;
	count(check, conn, &line, now);
	return true;
}

void
check_line(struct check *check, struct check_conn *conn, const char *text, size_t len, int64_t now)
{
	const char *message = memmem(text, len, " app=", 5);

	check->counts.lines++;
	check->counts.bytes += len;
	if (message == NULL || text[0] != '<' || (check->size != 0 && len != check->size) ||
	    !check_message(check, conn, message + 1, (size_t)(text + len - message) - 1, now))
		misparsed(check, text, len);
}

void
check_body(struct check *check, struct check_conn *conn, const char *body, size_t len, int64_t now)
{
	const char *const end = body + len;
	const char *message = memmem(body, len, "app=", 4);

	if (message == NULL)
		misparsed(check, body, len);
	while (message != NULL) {
		const char *sum = memmem(message, (size_t)(end - message), " sum=", 5);
		const char *behind = sum == NULL || end - sum < SEAL_BYTES ? end : sum + SEAL_BYTES;
		size_t n = (size_t)(behind - message);

		check->counts.lines++;
		check->counts.bytes += n;
		if (!check_message(check, conn, message, n, now))
			misparsed(check, message, n);
		message = memmem(behind, (size_t)(end - behind), "app=", 4);
	}
}

void
check_conn_clear(struct check_conn *conn)
{
	for (size_t i = 0; i < conn->orders.size; i++)
		free(conn->orders.slots[i].value);
	table_clear(&conn->orders);
}

void
check_clear(struct check *check)
{
	for (size_t i = 0; i < check->flows.size; i++) {
		struct flow *flow = check->flows.slots[i].value;

		if (flow != NULL)
			free(flow->times);
		free(flow);
	}
	table_clear(&check->flows);
}

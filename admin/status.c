#include "admin/status.h"

#include "admin/reply.h"

static const char *const state_names[DRAIN_STATES] = {
    [DRAIN_IDLE] = "idle",
    [DRAIN_CONNECTED] = "connected",
    [DRAIN_RETRYING] = "retrying",
    [DRAIN_BLOCKED] = "blocked",
};

const char *
status_state_name(enum drain_state state)
{
	return state_names[state];
}

static json_t *
amount_json(uint64_t lines, uint64_t bytes)
{
	json_t *json = json_object();

	json_set_u64(json, "lines", lines);
	json_set_u64(json, "bytes", bytes);
	return json;
}

static json_t *
rate_json(const struct drain_status *s)
{
	json_t *json = json_object();

	json_set_u64(json, "lines_per_minute", s->lines_minute);
	return json;
}

static json_t *
waiting_json(const struct drain_status *s)
{
	json_t *json = json_object();

	json_object_set_new(
	    json, "memory",
	    amount_json(s->lines_waiting - s->lines_spooled, s->bytes_waiting - s->bytes_spooled));
	json_object_set_new(json, "spool", amount_json(s->lines_spooled, s->bytes_spooled));
	json_object_set_new(json, "oldest_ms",
			    s->oldest_waiting_ms >= 0 ? json_integer(s->oldest_waiting_ms)
						      : json_null());
	return json;
}

static json_t *
dropped_json(const struct drain_status *s)
{
	json_t *json = json_object();

	json_set_u64(json, "memory", s->lines_dropped_memory);
	json_set_u64(json, "rate", s->lines_dropped_rate);
	json_set_u64(json, "spool", s->lines_dropped_spool);
	json_set_u64(json, "age", s->lines_dropped_age);
	json_set_u64(json, "damaged", s->lines_dropped_damaged);
	json_set_u64(json, "too_long", s->lines_dropped_size);
	json_set_u64(json, "refused", s->lines_dropped_refused);
	return json;
}

static json_t *
last_error_json(const struct drain_status *s)
{
	json_t *json;

	if (s->last_error_us == 0)
		return json_null();
	json = json_object();
	json_set_text(json, "error", s->last_error);
	json_set_time(json, "at", s->last_error_us);
	return json;
}

/* What is left of a line that was cut ends before a character that was cut, too. */
static struct slice
whole_characters(const struct drain_letter *letter)
{
	struct slice line = slice_of(letter->line, letter->line_n);
	size_t back = 0;

	if (letter->line_n >= letter->line_bytes)
		return line;
	while (back < 3 && back < line.n &&
	       ((unsigned char)line.p[line.n - 1 - back] & 0xc0) == 0x80)
		back++;
	/* The first byte of a sequence says how long it should be. */
	if (back < line.n) {
		unsigned char first = (unsigned char)line.p[line.n - 1 - back];
		size_t wants = first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

		if (wants > back + 1)
			line.n -= back + 1;
	}
	return line;
}

static json_t *
letter_json(const struct drain_letter *letter)
{
	json_t *json;

	if (letter->at_us == 0)
		return json_null();
	json = json_object();
	json_set_time(json, "at", letter->at_us);
	json_set_u64(json, "status", (uint64_t)letter->status);
	json_set_text(json, "error", letter->error);
	json_set_bytes(json, "line", whole_characters(letter));
	json_set_u64(json, "line_bytes", letter->line_bytes);
	return json;
}

void
status_add_typed(json_t *drain, const char *type, const struct drain_status *s)
{
	json_set_text(drain, "type", type);
	json_set_text(drain, "state", state_names[s->state]);
	json_object_set_new(drain, "delivered",
			    amount_json(s->lines_delivered, s->bytes_delivered));
	json_object_set_new(drain, "rate", rate_json(s));
	json_object_set_new(drain, "waiting", waiting_json(s));
	json_object_set_new(drain, "dropped", dropped_json(s));
	json_set_u64(drain, "filtered", s->lines_filtered);
	json_set_u64(drain, "cut", s->lines_cut);
	json_set_u64(drain, "old", s->lines_old);
	json_set_u64(drain, "resent", s->lines_resent);
	json_set_u64(drain, "retries", s->retries);
	json_object_set_new(drain, "last_error", last_error_json(s));
	json_object_set_new(drain, "last_dead_letter", letter_json(&s->letter));
	json_set_time(drain, "last_delivered", s->delivered_us);
	json_set_time(drain, "connected_since", s->connected_since_us);
}

void
status_add(json_t *drain, const struct drain_record *record, const struct drain_status *s)
{
	if (s != NULL)
		status_add_typed(drain, record->type, s);
	else
		json_set_text(drain, "type", record->type);
}

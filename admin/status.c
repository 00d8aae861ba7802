#include "admin/status.h"

#include "admin/reply.h"

static const char *const state_names[] = {
    [DRAIN_IDLE] = "idle",
    [DRAIN_CONNECTED] = "connected",
    [DRAIN_RETRYING] = "retrying",
    [DRAIN_BLOCKED] = "blocked",
};

static json_t *
amount_json(uint64_t lines, uint64_t bytes)
{
	json_t *json = json_object();

	json_set_u64(json, "lines", lines);
	json_set_u64(json, "bytes", bytes);
	return json;
}

static json_t *
waiting_json(const struct drain_status *s)
{
	json_t *json = json_object();

	json_object_set_new(json, "memory", amount_json(s->lines_waiting, s->bytes_waiting));
	json_object_set_new(json, "oldest_ms",
			    s->oldest_waiting_ms >= 0 ? json_integer(s->oldest_waiting_ms)
						      : json_null());
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

void
status_add(json_t *drain, const struct drain_record *record, const struct drain_status *s)
{
	json_t *dropped;

	json_set_text(drain, "type", record->type);
	if (s == NULL)
		return;
	dropped = json_object();
	json_set_u64(dropped, "memory", s->lines_dropped_memory);
	json_set_u64(dropped, "too_long", s->lines_dropped_size);
	json_set_text(drain, "state", state_names[s->state]);
	json_object_set_new(drain, "delivered",
			    amount_json(s->lines_delivered, s->bytes_delivered));
	json_object_set_new(drain, "waiting", waiting_json(s));
	json_object_set_new(drain, "dropped", dropped);
	json_set_u64(drain, "resent", s->lines_resent);
	json_set_u64(drain, "retries", s->retries);
	json_object_set_new(drain, "last_error", last_error_json(s));
	json_set_time(drain, "connected_since", s->connected_since_us);
}

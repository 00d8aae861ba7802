/*
 * GET /v1/drains: all drains of all apps, a page at a time, with how they fare.
 *
 * Pages are in order of ids, which is the order of adding, and a page begins
 * behind an id: so nothing is told twice or left out when drains come and go
 * between two pages.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/handlers.h"
#include "admin/query.h"
#include "admin/reply.h"
#include "admin/status.h"
#include "base/percent.h"
#include "base/xmalloc.h"
#include "whole/gateway_status.h"

enum { PER_PAGE = 100, PER_PAGE_MAX = 1000, TYPES_MAX = 32 };

/* What the query asks for. */
struct wanted {
	bool by_state, by_app, by_type;
	bool states[DRAIN_STATES];
	const struct drain_type *types[TYPES_MAX];
	size_t ntypes;
	uint64_t *apps; /* serials, sorted */
	size_t napps;
	uint64_t after, per_page;
	bool redact;
	enum store_code failed; /* of looking an app up */
};

/* One element of a list.  false: it is none. */
typedef bool take_element(struct api_call *, struct wanted *, const char *text);

static bool
take_state(struct api_call *call, struct wanted *w, const char *text)
{
	(void)call;
	for (int s = 0; s < DRAIN_STATES; s++) {
		if (strcmp(text, status_state_name((enum drain_state)s)) != 0)
			continue;
		w->by_state = w->states[s] = true;
		return true;
	}
	return false;
}

static bool
wants_type(const struct wanted *w, const struct drain_type *type)
{
	for (size_t i = 0; i < w->ntypes; i++)
		if (w->types[i] == type)
			return true;
	return false;
}

static bool
take_type(struct api_call *call, struct wanted *w, const char *text)
{
	const struct drain_type *type = drain_type_find(text);

	(void)call;
	if (type == NULL)
		return false;
	if (!wants_type(w, type) && w->ntypes < TYPES_MAX)
		w->types[w->ntypes++] = type;
	w->by_type = true;
	return true;
}

static bool
take_app(struct api_call *call, struct wanted *w, const char *text)
{
	struct app_record app;
	enum app_lookup lookup = APP_UNKNOWN;

	w->failed = api_call_find_app(call->admin->store, slice_str(text), &app, &lookup);
	if (w->failed != STORE_OK || lookup != APP_FOUND)
		return false;
	w->apps = xrealloc(w->apps, (w->napps + 1) * sizeof(*w->apps));
	w->apps[w->napps++] = app.serial;
	w->by_app = true;
	return true;
}

/* One element, still encoded; %2C is a comma in a name. */
static bool
read_element(struct api_call *call, struct wanted *w, struct slice raw, take_element *take)
{
	struct buf text = {0};
	bool good = percent_decode(raw, PERCENT_PLUS_KEPT, &text) && text.n > 0 &&
		    memchr(text.p, '\0', text.n) == NULL && take(call, w, buf_cstr(&text));

	buf_free(&text);
	return good;
}

/* All parameters of that name, each a list.  false: one of their elements is wrong. */
static bool
read_list(struct api_call *call, struct wanted *w, const char *name, take_element *take)
{
	struct slice query = call->req->query, value;

	while (query_next(&query, name, &value)) {
		for (;;) {
			const char *comma = value.n > 0 ? memchr(value.p, ',', value.n) : NULL;
			size_t n = comma != NULL ? (size_t)(comma - value.p) : value.n;

			if (!read_element(call, w, slice_of(value.p, n), take))
				return false;
			if (comma == NULL)
				break;
			value = slice_skip(value, n + 1);
		}
	}
	return true;
}

/* *out is left alone when the parameter is not there.  false: it is no number up to max. */
static bool
read_number(struct slice query, const char *name, uint64_t max, uint64_t *out)
{
	struct slice value = query_get(query, name);
	uint64_t n = 0;

	if (value.p == NULL)
		return true;
	if (value.n == 0)
		return false;
	for (size_t i = 0; i < value.n; i++) {
		unsigned digit = (unsigned char)value.p[i] - (unsigned)'0';

		if (digit > 9 || n > (max - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*out = n;
	return true;
}

static void
add_type_error(json_t *errors)
{
	struct buf text = {0};

	buf_add_str(&text, "must be among");
	for (const struct drain_type *const *t = drain_type_all(); *t != NULL; t++)
		buf_addf(&text, "%s %s", t == drain_type_all() ? "" : ",", (*t)->name);
	errors_add(errors, "type", buf_cstr(&text));
	buf_free(&text);
}

static int
compare_serials(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* false: answered. */
static bool
read_wanted(struct api_call *call, struct wanted *w)
{
	struct slice query = call->req->query, redact = query_get(query, "redact");
	json_t *errors = json_object();

	w->per_page = PER_PAGE;
	w->redact = !slice_is(redact, "false") && !slice_is(redact, "0");
	if (!read_list(call, w, "state", take_state))
		errors_add(errors, "state", "must be among idle, connected, retrying, blocked");
	if (!read_list(call, w, "app", take_app))
		errors_add(errors, "app", "is not the name or id of an app");
	if (!read_list(call, w, "type", take_type))
		add_type_error(errors);
	if (!read_number(query, "per_page", PER_PAGE_MAX, &w->per_page) || w->per_page == 0)
		errors_add(errors, "per_page", "must be a number from 1 to 1000");
	if (!read_number(query, "after", UINT64_MAX, &w->after))
		errors_add(errors, "after", "must be the `next` of a page");
	if (w->napps > 0)
		qsort(w->apps, w->napps, sizeof(*w->apps), compare_serials);
	if (w->failed == STORE_OK && json_object_size(errors) > 0) {
		reply_errors(call->resp, errors);
		return false;
	}
	json_decref(errors);
	if (w->failed != STORE_OK)
		api_call_store_failed(call, w->failed);
	return w->failed == STORE_OK;
}

/* What was found, and of it the page. */
struct found {
	struct drain_brief *page; /* room for per_page */
	size_t n;
	bool more; /* drains behind the page */
	uint64_t total;
	uint64_t by_state[DRAIN_STATES]; /* whatever state was asked for */
};

static void
sift(const struct wanted *w, const struct drain_brief *all, size_t n, struct found *f)
{
	for (size_t i = 0; i < n; i++) {
		const struct drain_brief *d = &all[i];

		if (w->by_type && !wants_type(w, d->type))
			continue;
		if (w->by_app &&
		    bsearch(&d->app, w->apps, w->napps, sizeof(*w->apps), compare_serials) == NULL)
			continue;
		f->by_state[d->state]++;
		if (w->by_state && !w->states[d->state])
			continue;
		f->total++;
		if (d->id <= w->after)
			continue;
		if (f->n < w->per_page)
			f->page[f->n++] = *d;
		else
			f->more = true;
	}
}

static json_t *
drain_json(const struct drain_detail *d, const struct app_record *app, bool redact)
{
	json_t *json = json_object();
	char id[24];

	snprintf(id, sizeof(id), "%llu", (unsigned long long)d->status.id);
	json_set_text(json, "id", id);
	json_set_text(json, "app_id", app->id);
	json_set_text(json, "app", app->name);
	json_set_text(json, "url", redact ? d->redacted : d->url);
	status_add_typed(json, d->type->name, &d->status);
	return json;
}

static json_t *
page_json(struct api_call *call, const struct wanted *w, const struct drain_detail *details,
	  size_t n, enum store_code *code)
{
	json_t *drains = json_array();
	struct app_record app = {0};

	*code = STORE_OK;
	for (size_t i = 0; i < n && *code == STORE_OK; i++) {
		if (details[i].status.id == 0)
			continue;
		if (strcmp(app.name, details[i].app) != 0)
			*code = store_app_by_name(call->admin->store, details[i].app, &app);
		if (*code == STORE_OK)
			json_array_append_new(drains, drain_json(&details[i], &app, w->redact));
	}
	return drains;
}

static void
reply_page(struct api_call *call, const struct found *f, json_t *drains)
{
	json_t *body = json_object(), *states = json_object();
	char next[24];

	json_object_set_new(body, "drains", drains);
	if (f->more) {
		snprintf(next, sizeof(next), "%llu", (unsigned long long)f->page[f->n - 1].id);
		json_set_text(body, "next", next);
	} else {
		json_object_set_new(body, "next", json_null());
	}
	json_set_u64(body, "total", f->total);
	for (int s = 0; s < DRAIN_STATES; s++)
		json_set_u64(states, status_state_name((enum drain_state)s), f->by_state[s]);
	json_object_set_new(body, "states", states);
	reply_json(call->resp, 200, body);
}

static void
answer_page(struct api_call *call, const struct wanted *w, const struct found *f)
{
	struct drain_detail *details = xcalloc(f->n + 1, sizeof(*details));
	enum gateway_code asked =
	    gateway_drain_details(call->admin->gateway, f->page, f->n, details);
	enum store_code code;
	json_t *drains;

	if (asked != GATEWAY_OK) {
		api_call_gateway_failed(call, asked);
	} else {
		drains = page_json(call, w, details, f->n, &code);
		if (code == STORE_OK) {
			reply_page(call, f, drains);
		} else {
			json_decref(drains);
			api_call_store_failed(call, code);
		}
	}
	gateway_details_clear(details, f->n);
	free(details);
}

void
drains_list_all(struct api_call *call)
{
	struct wanted w = {0};
	struct found f = {0};
	struct drain_brief *all = NULL;
	enum gateway_code asked;
	size_t n;

	if (!read_wanted(call, &w)) {
		free(w.apps);
		return;
	}
	asked = gateway_drains(call->admin->gateway, &all, &n);
	if (asked != GATEWAY_OK) {
		api_call_gateway_failed(call, asked);
	} else {
		f.page = xcalloc(w.per_page, sizeof(*f.page));
		sift(&w, all, n, &f);
		answer_page(call, &w, &f);
	}
	free(f.page);
	free(all);
	free(w.apps);
}

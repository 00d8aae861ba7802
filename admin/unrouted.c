/* GET /v1/unrouted: names that lines came for and no app has, most lines first. */
#include <stdlib.h>
#include <string.h>

#include "admin/handlers.h"
#include "admin/reply.h"

static int
more_lines_first(const void *a, const void *b)
{
	const struct unrouted_name *x = a, *y = b;

	if (x->lines != y->lines)
		return x->lines < y->lines ? 1 : -1;
	return strcmp(x->name, y->name);
}

void
unrouted_list(struct api_call *call)
{
	struct unrouted_name *names;
	uint64_t others;
	json_t *list, *body;
	size_t n;

	if (gateway_unrouted(call->admin->gateway, &names, &n, &others) != GATEWAY_OK) {
		reply_error(call->resp, 503, "a worker is busy; try again");
		return;
	}
	if (n > 0)
		qsort(names, n, sizeof(*names), more_lines_first);
	list = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *entry = json_object();

		json_set_text(entry, "name", names[i].name);
		json_set_u64(entry, "lines", names[i].lines);
		json_set_time(entry, "last", names[i].last_us);
		json_array_append_new(list, entry);
	}
	free(names);
	body = json_object();
	json_object_set_new(body, "unrouted", list);
	json_set_u64(body, "others", others);
	reply_json(call->resp, 200, body);
}

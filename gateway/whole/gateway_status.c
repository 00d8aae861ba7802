#include "whole/gateway_status.h"

#include "whole/gateway_internal.h"
#include "whole/worker_status_calls.h"

enum gateway_code
gateway_app_status(struct gateway *gw, const struct app_record *app, struct drain_status **out,
		   size_t *n)
{
	struct call_status *c = call_status_new(app->serial);

	call_post(&c->call, gw->workers[gateway_home(gw, app->id)]);
	if (!call_wait(&c->call, CALL_WAIT_MS))
		return GATEWAY_BUSY;
	*out = c->status;
	*n = c->n;
	c->status = NULL;
	call_free(&c->call);
	return *out != NULL ? GATEWAY_OK : GATEWAY_NOT_FOUND;
}

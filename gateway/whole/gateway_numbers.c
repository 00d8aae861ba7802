#include "whole/gateway_numbers.h"

#include <stdio.h>
#include <string.h>

#include "base/xmalloc.h"
#include "whole/gateway_internal.h"
#include "whole/sockets.h"
#include "whole/worker_numbers_call.h"

static struct call *
make_numbers(void *arg)
{
	(void)arg;
	return &call_numbers_new()->turns.call;
}

static void
add_listeners(struct gateway_numbers *all, const struct call_numbers *c)
{
	for (size_t i = 0; i < all->nlisteners; i++) {
		struct listener_numbers *to = &all->listeners[i];

		for (int k = 0; k < LISTENER_COUNTS; k++)
			to->count[k] += c->listeners[i].count[k];
		to->open += c->listeners[i].open;
	}
}

static void
read_numbers(struct call *call, void *arg)
{
	const struct call_numbers *c = (const struct call_numbers *)call;
	struct gateway_numbers *all = arg;

	all->workers[c->index] = c->worker;
	add_listeners(all, c);
	all->drains = xrealloc(all->drains, (all->ndrains + c->ndrains + 1) * sizeof(*all->drains));
	for (size_t i = 0; i < c->ndrains; i++) {
		all->drains[all->ndrains] = c->drains[i];
		all->drains[all->ndrains++].app += all->napps;
	}
	all->apps = xrealloc(all->apps, (all->napps + c->napps + 1) * sizeof(*all->apps));
	if (c->napps > 0)
		memcpy(&all->apps[all->napps], c->apps, c->napps * sizeof(*all->apps));
	all->napps += c->napps;
}

/* Its options may be long and change with a restart; scheme and address are its own. */
static void
label_listener(const struct listen_url *url, char label[LISTENER_LABEL_BYTES])
{
	const char *end = strstr(url->text, "://");
	char name[256];

	socket_name(url, name, sizeof(name));
	snprintf(label, LISTENER_LABEL_BYTES, "%.*s://%s", end != NULL ? (int)(end - url->text) : 0,
		 url->text, name);
}

const struct spooler_stats *
gateway_spool(const struct gateway *gw)
{
	return gw->setup.spooler != NULL ? spooler_stats(gw->setup.spooler) : NULL;
}

enum gateway_code
gateway_numbers(struct gateway *gw, struct gateway_numbers *out)
{
	*out = (struct gateway_numbers){.workers = xcalloc(gw->nworkers, sizeof(*out->workers)),
					.listeners =
					    xcalloc(gw->config->nlisten, sizeof(*out->listeners)),
					.nworkers = gw->nworkers,
					.nlisteners = gw->config->nlisten};
	for (size_t i = 0; i < out->nlisteners; i++)
		label_listener(&gw->config->listen[i], out->listeners[i].label);
	if (!call_all(gw->workers, gw->nworkers, make_numbers, read_numbers, out))
		return GATEWAY_BUSY;
	return GATEWAY_OK;
}

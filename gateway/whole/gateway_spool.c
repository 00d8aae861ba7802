/*
 * gateway_spool -- the spool when the gateway starts and ends.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "whole/gateway_internal.h"

/* A damaged spool costs its lines, until somebody salvages them, and never the gateway. */
static enum spool_code
put_aside(struct gateway *gw, const struct spool_options *options, char *err)
{
	char path[1024], why[CONFIG_ERROR_BYTES];
	enum spool_code code;

	snprintf(why, sizeof(why), "%s", err);
	code = spool_quarantine(options->dir, path, sizeof(path));
	if (code != SPOOL_OK)
		return code;
	log_error("THE SPOOL IS DAMAGED and was put aside: its lines are not delivered; stop the "
		  "gateway and run penstockd --check-spool to bring back what can be read",
		  "error", why, "put_aside_as", path, NULL);
	return spool_open(options, &gw->spool, err, CONFIG_ERROR_BYTES);
}

bool
gateway_open_spool(struct gateway *gw, char err[CONFIG_ERROR_BYTES])
{
	struct spool_options options = {.dir = gw->config->data_dir,
					.map_bytes = config_spool_map(gw->config)};
	char why[CONFIG_ERROR_BYTES] = "";
	enum spool_code code;

	if (gw->config->spool_size == 0)
		return true;
	code = spool_open(&options, &gw->spool, why, sizeof(why));
	if (code == SPOOL_DAMAGED)
		code = put_aside(gw, &options, why);
	if (code == SPOOL_OK)
		return true;
	snprintf(err, CONFIG_ERROR_BYTES, "data-dir: %.480s", why);
	return false;
}

void
gateway_make_spooler(struct gateway *gw)
{
	const struct config *config = gw->config;
	struct spooler_options options = {.spool = gw->spool,
					  .app_cap = (uint64_t)config->spool_cap,
					  .size = (uint64_t)config->spool_size,
					  .age_us = config->spool_age * 1000,
					  .trim = worker_spool_on_trim};

	if (gw->spool != NULL)
		gw->setup.spooler = spooler_new(&options);
}

static bool
is_known(const struct gateway *gw, uint64_t app)
{
	return routes_by_app(gw->workers[0]->routes, app) != NULL;
}

void
gateway_tidy_spool(struct gateway *gw)
{
	uint64_t lines = 0, bytes = 0, apps = 0;
	const struct spool_log *log;

	if (gw->spool == NULL)
		return;
	for (size_t i = 0; (log = spool_log_at(gw->spool, i)) != NULL; i++) {
		if (!is_known(gw, log->app)) {
			spooler_drop(gw->setup.spooler, log->app);
			continue;
		}
		apps += log->end.bytes > log->head.bytes;
		lines += log->end.lines - log->head.lines;
		bytes += log->end.bytes - log->head.bytes;
	}
	/* From here on it is the spooler's. */
	gw->spool = NULL;
	if (lines > 0)
		log_info("lines are back from the spool", "lines", log_u64(lines), "bytes",
			 log_u64(bytes), "apps", log_u64(apps), NULL);
}

void
gateway_close_spool(struct gateway *gw)
{
	if (gw->setup.spooler != NULL)
		spooler_free(gw->setup.spooler);
	else
		spool_close(gw->spool);
}

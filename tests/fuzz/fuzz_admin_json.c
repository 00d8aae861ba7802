/*
 * fuzz_admin_json -- any bytes as the body of a POST that adds a drain: the
 * answer has a status that the API knows and is JSON, and only a 201 added
 * something.  The gateway is faked below; the store is real, in a temporary
 * folder that nothing is written to after the start.
 */
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "whole/gateway_numbers.h"
#include "whole/gateway_probe.h"
#include "whole/gateway_status.h"
#include "whole/gateway_tail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Also in a build without assertions: it is what the fuzzer looks for. */
static void
must(bool holds)
{
	if (!holds)
		abort();
}

static const char authorization[] = "Bearer fuzz-operator-token";
static int drains_added;

/* The real gateway is not linked: these stand in for what the API calls. */
enum gateway_code
gateway_app_add(struct gateway *g, struct app_record *app)
{
	(void)g;
	(void)app;
	return GATEWAY_EXISTS;
}

enum gateway_code
gateway_unrouted(struct gateway *g, struct unrouted_name **out, size_t *n, uint64_t *others)
{
	(void)g;
	(void)out;
	(void)n;
	(void)others;
	return GATEWAY_BUSY;
}

enum gateway_code
gateway_app_remove(struct gateway *g, const char *app_id)
{
	(void)g;
	(void)app_id;
	return GATEWAY_NOT_FOUND;
}

/* What is kept of a drain must make it again: a later start has nothing else. */
static void
must_be_made_again(const struct drain_conf *conf)
{
	struct drain_input in[DRAIN_KEYS];
	struct drain_errors errors;
	struct drain_conf again;

	for (int k = 0; k < DRAIN_KEYS; k++)
		in[k] = (struct drain_input){drain_key_name((enum drain_key)k), conf->value[k]};
	must(drain_conf_make(&again, conf->type, in, DRAIN_KEYS, &errors));
	must(strcmp(again.url, conf->url) == 0 && strcmp(again.redacted, conf->redacted) == 0);
	drain_conf_free(&again);
}

enum gateway_code
gateway_drain_add(struct gateway *g, struct app_record *app, bool new_app, struct drain_conf *conf)
{
	(void)g;
	must(new_app && strcmp(app->name, "web") == 0);
	must(conf->url != NULL && conf->redacted != NULL);
	must_be_made_again(conf);
	drains_added++;
	drain_conf_free(conf);
	return GATEWAY_OK;
}

enum gateway_code
gateway_drain_replace(struct gateway *g, const struct app_record *app, const char *url,
		      struct drain_conf *conf)
{
	(void)g;
	(void)app;
	(void)url;
	(void)conf;
	/* The app is new: it has no drain to replace. */
	abort();
}

enum gateway_code
gateway_drain_remove(struct gateway *g, const struct app_record *app, const char *url)
{
	(void)g;
	(void)app;
	(void)url;
	return GATEWAY_NOT_FOUND;
}

bool
gateway_tails_full(const struct gateway *g, const struct app_record *app)
{
	(void)g;
	(void)app;
	return true;
}

enum gateway_code
gateway_tail_open(struct gateway *g, const struct app_record *app, struct tap_filter *filter,
		  const struct gateway_tail_events *events, void *arg, struct gateway_tail **tail)
{
	(void)g;
	(void)app;
	(void)events;
	(void)arg;
	(void)tail;
	free(filter->text);
	return GATEWAY_BUSY;
}

void
gateway_tail_next(struct gateway_tail *tail)
{
	(void)tail;
}

void
gateway_tail_close(struct gateway_tail *tail)
{
	(void)tail;
}

enum gateway_code
gateway_app_status(struct gateway *g, const struct app_record *app, struct drain_status **out,
		   size_t *n)
{
	(void)g;
	(void)app;
	*out = NULL;
	*n = 0;
	return GATEWAY_OK;
}

enum gateway_code
gateway_probe_start(struct gateway *g, const struct app_record *app,
		    const struct drain_record *drain, probe_done *done, void *arg,
		    struct gateway_probe **out)
{
	(void)g;
	(void)app;
	(void)drain;
	(void)done;
	(void)arg;
	(void)out;
	abort();
}

void
gateway_probe_cancel(struct gateway_probe *p)
{
	(void)p;
}

enum gateway_code
gateway_drains(struct gateway *g, struct drain_brief **out, size_t *n)
{
	(void)g;
	(void)out;
	(void)n;
	return GATEWAY_BUSY;
}

enum gateway_code
gateway_drain_details(struct gateway *g, const struct drain_brief *briefs, size_t n,
		      struct drain_detail *out)
{
	(void)g;
	(void)briefs;
	(void)n;
	(void)out;
	return GATEWAY_BUSY;
}

enum gateway_code
gateway_numbers(struct gateway *g, struct gateway_numbers *out)
{
	(void)g;
	*out = (struct gateway_numbers){0};
	return GATEWAY_BUSY;
}

const struct spooler_stats *
gateway_spool(const struct gateway *g)
{
	(void)g;
	return NULL;
}

static char dir[] = "/tmp/penstock-fuzz-XXXXXX";

static int
on_path(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
remove_dir(void)
{
	nftw(dir, on_path, 8, FTW_DEPTH | FTW_PHYS);
}

static struct admin *
admin_make(void)
{
	static char token_file[64];
	static struct config config;
	char err[CONFIG_ERROR_BYTES];
	struct store *store;
	struct admin *admin;
	FILE *f;

	must(mkdtemp(dir) != NULL);
	atexit(remove_dir);
	snprintf(token_file, sizeof(token_file), "%s/admin-token", dir);
	f = fopen(token_file, "w");
	must(f != NULL);
	fputs("fuzz-operator-token\n", f);
	fclose(f);
	chmod(token_file, 0600);
	config.admin_token_file = token_file;
	log_set_level(LOG_LEVEL_ERROR);
	must(store_open(dir, &store, err, sizeof(err)) == STORE_OK);
	admin = admin_new(&config, store, NULL, err);
	must(admin != NULL);
	return admin;
}

static void
check_answer(const struct http_response *resp, int added)
{
	json_t *json = json_loadb(resp->body.p, resp->body.n, 0, NULL);
	const json_t *errors = json_object_get(json, "errors"), *texts;
	const char *key;

	must(json_is_object(json));
	must(added == (resp->status == 201));
	switch (resp->status) {
	case 201:
		must(json_is_string(json_object_get(json_object_get(json, "drain"), "url")));
		break;
	case 400:
		must(json_is_string(json_object_get(json, "error")));
		break;
	case 422:
		must(json_object_size(errors) > 0);
		json_object_foreach((json_t *)errors, key, texts) must(json_array_size(texts) > 0);
		break;
	default:
		abort();
	}
	json_decref(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct admin *admin;
	struct http_header header = {SLICE("Authorization"),
				     slice_of(authorization, sizeof(authorization) - 1)};
	struct http_request req = {.method = SLICE("POST"),
				   .path = SLICE("/v1/apps/web/log_drains"),
				   .headers = &header,
				   .nheaders = 1};
	struct http_response resp = {.status = 200, .content_type = "application/json"};
	int before = drains_added;

	if (admin == NULL)
		admin = admin_make();
	req.body = slice_of((const char *)data, size);
	admin_handle(&req, &resp, admin);
	check_answer(&resp, drains_added - before);
	buf_free(&resp.headers);
	buf_free(&resp.body);
	return 0;
}

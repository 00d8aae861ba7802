/*
 * api_test -- the admin API over a real store in a folder of its own and a
 * fake gateway: requests in, status and exact body out.
 */
#ifndef API_TEST_H
#define API_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/log.h"
#include "fake_gateway.h"

#define OPERATOR "0123456789abcdef0123456789abcdef"

struct api {
	char dir[64], token_file[96];
	struct config config;
	struct store *store;
	struct gateway gateway;
	struct admin *admin;

	/* What the next requests say of themselves. */
	const char *authorization; /* NULL: nothing */
	const char *content_type, *user_agent, *host;
	struct sockaddr_in peer;

	struct http_response resp;
};

/* "Basic OjAxMj...": user "", password OPERATOR. */
static const char operator_basic[] = "Basic OjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm";
static const char operator_bearer[] = "Bearer " OPERATOR;

static void
api_restart(struct api *t)
{
	char err[CONFIG_ERROR_BYTES] = "";

	admin_free(t->admin);
	t->admin = admin_new(&t->config, t->store, &t->gateway, err);
	if (t->admin == NULL)
		fail_msg("%s", err);
}

static int
api_setup(void **state)
{
	struct api *t = xcalloc(1, sizeof(*t));
	char err[512] = "";
	FILE *f;

	log_set_level(LOG_LEVEL_ERROR);
	strcpy(t->dir, "/tmp/penstock-admin-XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	snprintf(t->token_file, sizeof(t->token_file), "%s/admin-token", t->dir);
	f = fopen(t->token_file, "w");
	assert_non_null(f);
	fputs(OPERATOR "\n", f);
	fclose(f);
	chmod(t->token_file, 0600);
	if (store_open(t->dir, &t->store, err, sizeof(err)) != STORE_OK)
		fail_msg("%s", err);
	t->config.admin_token_file = t->token_file;
	t->gateway.store = t->store;
	t->authorization = operator_basic;
	t->content_type = "application/json";
	t->host = "logs.example:8514";
	t->peer = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(0x7f000001)}};
	api_restart(t);
	*state = t;
	return 0;
}

static void
remove_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	char name[512];

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		if (unlink(name) != 0)
			remove_folder(name);
	}
	if (dir != NULL)
		closedir(dir);
	rmdir(path);
}

static void
api_forget(struct api *t)
{
	buf_free(&t->resp.headers);
	buf_free(&t->resp.body);
	t->resp = (struct http_response){.status = 200, .content_type = "application/json"};
}

static int
api_teardown(void **state)
{
	struct api *t = *state;

	api_forget(t);
	admin_free(t->admin);
	store_close(t->store);
	remove_folder(t->dir);
	free(t);
	return 0;
}

/* Of its exact size on the heap, so that a sanitizer sees a read past its end. */
static struct slice
exact(const char *p, size_t n)
{
	char *copy = xmalloc(n > 0 ? n : 1);

	memcpy(copy, p, n);
	return slice_of(copy, n);
}

static void
add_header(struct http_request *req, struct http_header *headers, const char *name,
	   const char *value)
{
	if (value == NULL)
		return;
	headers[req->nheaders].name = slice_str(name);
	headers[req->nheaders++].value = exact(value, strlen(value));
}

/* Sends one request; the answer is in t->resp until the next. */
static inline void
ask_bytes(struct api *t, const char *method, const char *target, struct slice body)
{
	struct http_header headers[4];
	struct http_request req = {.method = slice_str(method), .headers = headers};
	const char *mark = strchr(target, '?');
	size_t path = mark != NULL ? (size_t)(mark - target) : strlen(target);

	api_forget(t);
	req.peer = (const struct sockaddr *)&t->peer;
	req.path = exact(target, path);
	if (mark != NULL)
		req.query = exact(mark + 1, strlen(mark + 1));
	req.body = exact(body.p, body.n);
	add_header(&req, headers, "Authorization", t->authorization);
	add_header(&req, headers, "Content-Type", body.n > 0 ? t->content_type : NULL);
	add_header(&req, headers, "User-Agent", t->user_agent);
	add_header(&req, headers, "Host", t->host);
	admin_handle(&req, &t->resp, t->admin);
	for (size_t i = 0; i < req.nheaders; i++)
		free((char *)headers[i].value.p);
	free((char *)req.path.p);
	free((char *)req.query.p);
	free((char *)req.body.p);
}

static inline void
ask(struct api *t, const char *method, const char *target, const char *body)
{
	ask_bytes(t, method, target, body != NULL ? slice_str(body) : SLICE(""));
}

/* The status and the exact body of the last answer. */
static inline void
answered(struct api *t, int status, const char *body)
{
	if (t->resp.status != status || strcmp(buf_cstr(&t->resp.body), body) != 0)
		print_error("answered %d %s\n", t->resp.status, buf_cstr(&t->resp.body));
	assert_int_equal(t->resp.status, status);
	assert_string_equal(buf_cstr(&t->resp.body), body);
}

static inline void
expect_answer(struct api *t, const char *method, const char *target, const char *body, int status,
	      const char *want)
{
	ask(t, method, target, body);
	if (t->resp.status != status || strcmp(buf_cstr(&t->resp.body), want) != 0)
		print_error("%s %s %s\n", method, target, body != NULL ? body : "");
	answered(t, status, want);
}

/* The id of an app that must be there. */
static inline const char *
id_of(struct api *t, const char *name)
{
	static struct app_record app;

	assert_int_equal(store_app_by_name(t->store, name, &app), STORE_OK);
	return app.id;
}

static inline bool
has_app(struct api *t, const char *name)
{
	struct app_record app;

	return store_app_by_name(t->store, name, &app) == STORE_OK;
}

/* A member of the last answer, by its path: "token.id". */
static inline const char *
member(struct api *t, const char *path, char out[256])
{
	json_t *all = json_loadb(t->resp.body.p, t->resp.body.n, 0, NULL);
	const json_t *at = all;
	char copy[64], *part, *rest = copy;

	snprintf(copy, sizeof(copy), "%s", path);
	while ((part = strsep(&rest, ".")) != NULL)
		at = json_object_get(at, part);
	if (!json_is_string(at))
		fail_msg("no string %s in %s", path, buf_cstr(&t->resp.body));
	snprintf(out, 256, "%s", json_string_value(at));
	json_decref(all);
	return out;
}

#define API_TEST(f) cmocka_unit_test_setup_teardown(f, api_setup, api_teardown)

#endif

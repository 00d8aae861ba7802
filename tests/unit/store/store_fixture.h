/* A store in a folder of its own, and short ways to fill it.  For tests only. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "store/store_internal.h"

struct fixture {
	char dir[64];
	char file[96]; /* data.mdb */
	char err[512];
	struct store *store;
};

static inline void
reopen(struct fixture *f)
{
	store_close(f->store);
	if (store_open(f->dir, &f->store, f->err, sizeof(f->err)) != STORE_OK)
		fail_msg("%s", f->err);
}

static inline int
setup_folder(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/penstock-store-XXXXXX");
	if (mkdtemp(f->dir) == NULL)
		return -1;
	snprintf(f->file, sizeof(f->file), "%s/store/data.mdb", f->dir);
	*state = f;
	return 0;
}

static inline int
setup(void **state)
{
	if (setup_folder(state) != 0)
		return -1;
	reopen(*state);
	return 0;
}

static inline int
on_path(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	nftw(f->dir, on_path, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static inline struct app_record
app_named(const char *name)
{
	struct app_record app = {0};

	snprintf(app.name, sizeof(app.name), "%s", name);
	return app;
}

static inline struct app_record
add_app(struct fixture *f, const char *name)
{
	struct app_record app = app_named(name);

	assert_int_equal(store_app_add(f->store, &app), STORE_OK);
	return app;
}

/* Its strings are on the heap: drain_record_free. */
static inline struct drain_record
drain_with(const char *app_id, const char *url)
{
	struct drain_record drain = {0};

	snprintf(drain.app_id, sizeof(drain.app_id), "%s", app_id);
	drain.type = xstrdup("syslog");
	drain.url = xstrdup(url);
	drain.params[0] = (struct record_param){xstrdup("host"), xstrdup("logs.example")};
	drain.params[1] = (struct record_param){xstrdup("token"), xstrdup("")};
	drain.nparams = 2;
	drain.position = UINT64_MAX - 7;
	return drain;
}

static inline enum store_code
try_drain(struct fixture *f, const char *app_id, const char *url, uint64_t *id)
{
	struct drain_record drain = drain_with(app_id, url);
	enum store_code code = store_drain_add(f->store, NULL, &drain);

	if (id != NULL)
		*id = drain.id;
	drain_record_free(&drain);
	return code;
}

static inline uint64_t
add_drain(struct fixture *f, const char *app_id, const char *url)
{
	uint64_t id = 0;

	assert_int_equal(try_drain(f, app_id, url, &id), STORE_OK);
	return id;
}

static inline struct token_record
add_token(struct fixture *f, const char *app_id, int secret)
{
	struct token_record token = {0};

	snprintf(token.app_id, sizeof(token.app_id), "%s", app_id);
	snprintf(token.name, sizeof(token.name), "token %d", secret);
	memset(token.sha256, 0x5a, sizeof(token.sha256));
	memcpy(token.sha256, &secret, sizeof(secret));
	assert_int_equal(store_token_add(f->store, &token), STORE_OK);
	return token;
}

static inline bool
on_app_count(const struct app_record *app, void *arg)
{
	(void)app;
	(*(size_t *)arg)++;
	return true;
}

static inline bool
on_drain_count(const struct drain_record *drain, void *arg)
{
	(void)drain;
	(*(size_t *)arg)++;
	return true;
}

static inline bool
on_token_count(const struct token_record *token, void *arg)
{
	(void)token;
	(*(size_t *)arg)++;
	return true;
}

static inline size_t
count_apps(struct fixture *f)
{
	size_t n = 0;

	assert_int_equal(store_app_walk(f->store, on_app_count, &n), STORE_OK);
	return n;
}

static inline size_t
count_drains(struct fixture *f, const char *app_id)
{
	size_t n = 0;

	assert_int_equal(store_drain_walk(f->store, app_id, on_drain_count, &n), STORE_OK);
	return n;
}

static inline size_t
count_tokens(struct fixture *f)
{
	size_t n = 0;

	assert_int_equal(store_token_walk(f->store, on_token_count, &n), STORE_OK);
	return n;
}

#endif

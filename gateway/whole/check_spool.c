#include "whole/check_spool.h"

#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "store/spool_check.h"
#include "store/store.h"
#include "whole/data_dir.h"

#define ASIDE "spool.damaged-"

struct owned {
	uint64_t app, drain; /* drain: the mark of its record */
};

struct checking {
	const struct config *config;
	struct store *store;
	struct spool *spool; /* NULL: not opened */
	struct owned *owned; /* all drains, by app */
	size_t nowned, cap_owned;
	bool bad;
};

static bool
on_drain(const struct drain_record *drain, void *arg)
{
	struct checking *k = arg;
	struct app_record app;

	if (store_app_by_id(k->store, drain->app_id, &app) != STORE_OK)
		return true;
	if (k->nowned == k->cap_owned) {
		k->cap_owned = 2 * k->cap_owned + 64;
		k->owned = xrealloc(k->owned, k->cap_owned * sizeof(*k->owned));
	}
	k->owned[k->nowned++] = (struct owned){app.serial, drain->mark};
	return true;
}

static int
compare_owned(const void *a, const void *b)
{
	const struct owned *x = a, *y = b;

	return x->app < y->app ? -1 : x->app > y->app;
}

static bool
read_store(struct checking *k)
{
	char err[CONFIG_ERROR_BYTES];

	if (store_open(k->config->data_dir, &k->store, err, sizeof(err)) != STORE_OK) {
		fprintf(stderr, "data-dir: %s\n", err);
		return false;
	}
	if (store_drain_walk(k->store, NULL, on_drain, k) != STORE_OK) {
		fprintf(stderr, "data-dir: the store cannot be read: %s\n", store_error(k->store));
		return false;
	}
	if (k->nowned > 1)
		qsort(k->owned, k->nowned, sizeof(*k->owned), compare_owned);
	return true;
}

/* spool_drains_of */
static bool
drains_of(uint64_t app, uint64_t **drains, size_t *n, void *arg)
{
	const struct checking *k = arg;
	size_t low = 0, high = k->nowned;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (k->owned[middle].app < app)
			low = middle + 1;
		else
			high = middle;
	}
	for (*n = 0; low + *n < k->nowned && k->owned[low + *n].app == app;)
		++*n;
	if (*n == 0)
		return false;
	*drains = xmalloc(*n * sizeof(**drains));
	for (size_t i = 0; i < *n; i++)
		(*drains)[i] = k->owned[low + i].drain;
	return true;
}

static void
say_lines(const char *before, const struct spool_report *r, const char *behind)
{
	printf("  %s%" PRIu64 " lines of %" PRIu64 " apps (%" PRIu64 " bytes in %" PRIu64
	       " chunks)%s\n",
	       before, r->lines, r->apps, r->bytes, r->chunks, behind);
}

static void
say_damage(struct checking *k, const struct spool_report *r)
{
	if (r->damaged > 0)
		printf("  lost: %" PRIu64 " damaged chunks, with %" PRIu64
		       " lines as far as that can be read\n",
		       r->damaged, r->lost_lines);
	if (r->missing > 0)
		printf("  missing: %" PRIu64
		       " lines, which are lost, or were delivered in time and never on disk\n",
		       r->missing);
	if (r->tree_damaged && r->chunks == 0)
		printf("  nothing in it can be read\n");
	if (r->damaged > 0 || r->missing > 0 || (r->tree_damaged && r->chunks == 0))
		k->bad = true;
}

/* What is in a folder. */
static enum spool_code
say_folder(struct checking *k, const char *folder)
{
	struct spool_report report;
	enum spool_code code = spool_check(folder, &report);

	if (code == SPOOL_NONE)
		return code;
	if (code != SPOOL_OK && code != SPOOL_DAMAGED) {
		k->bad = true;
		printf("%s: cannot be read: %s\n", folder, report.fault);
		return code;
	}
	printf("%s: %s%s\n", folder, code == SPOOL_OK ? "sound" : "damaged: ", report.fault);
	say_lines("waiting for their drains: ", &report, "");
	say_damage(k, &report);
	return code;
}

/* DIR/spool; where it is damaged, it is put aside and a new one made. */
static bool
open_spool(struct checking *k)
{
	struct spool_options options = {.dir = k->config->data_dir,
					.map_bytes = config_spool_map(k->config)};
	char err[CONFIG_ERROR_BYTES], path[1024];
	enum spool_code code = spool_open(&options, &k->spool, err, sizeof(err));

	if (code == SPOOL_DAMAGED) {
		printf("%s\n", err);
		code = spool_quarantine(options.dir, path, sizeof(path));
		if (code == SPOOL_OK) {
			printf("  put aside as %s\n", path);
			code = spool_open(&options, &k->spool, err, sizeof(err));
		}
	}
	if (code == SPOOL_OK)
		return true;
	k->bad = true;
	printf("%s\n", err);
	return false;
}

/* So that its lines do not come a second time. */
static void
set_done(struct checking *k, const char *folder, const char *name)
{
	char *done = xasprintf("%s/spool.salvaged-%s", k->config->data_dir, name + strlen(ASIDE));

	if (access(done, F_OK) != 0 && rename(folder, done) == 0) {
		printf("  renamed to %s; nobody needs it any more\n", done);
	} else {
		k->bad = true;
		printf("  cannot be renamed to %s: move it away, or its lines come again\n", done);
	}
	free(done);
}

static void
bring_back(struct checking *k, const char *name)
{
	char *folder = xasprintf("%s/%s", k->config->data_dir, name);
	struct spool_report report;

	if (say_folder(k, folder) != SPOOL_NONE && k->spool != NULL) {
		if (spool_salvage(folder, k->spool, drains_of, k, &report) == SPOOL_OK) {
			say_lines("brought back: ", &report,
				  "; what is of apps without drains is left out");
			set_done(k, folder, name);
		} else {
			k->bad = true;
			say_lines("brought back: ", &report, "");
			printf("  not all: %s; run it again when that is mended\n", report.fault);
		}
	}
	free(folder);
}

static int
is_aside(const struct dirent *entry)
{
	return strncmp(entry->d_name, ASIDE, strlen(ASIDE)) == 0;
}

/* The latest first: what is older goes before it. */
static bool
bring_all_back(struct checking *k)
{
	struct dirent **entry = NULL;
	int n = scandir(k->config->data_dir, &entry, is_aside, alphasort);

	if (n > 0 && k->config->spool_size == 0) {
		k->bad = true;
		printf(
		    "spool-size is 0: there is no spool that lines could be brought back into\n");
	} else if (n > 0 && (!read_store(k) || (k->spool == NULL && !open_spool(k)))) {
		k->bad = true;
		spool_close(k->spool);
		k->spool = NULL;
	}
	for (int i = n; i-- > 0;) {
		bring_back(k, entry[i]->d_name);
		free(entry[i]);
	}
	free(entry);
	return n > 0;
}

static void
check_all(struct checking *k)
{
	char *folder = xasprintf("%s/spool", k->config->data_dir);
	enum spool_code code = say_folder(k, folder);

	/* Looks at more than the chunks, and puts aside what a start would. */
	if (code != SPOOL_NONE && k->config->spool_size > 0)
		open_spool(k);
	else if (code == SPOOL_DAMAGED)
		k->bad = true;
	if (!bring_all_back(k) && code == SPOOL_NONE)
		printf("%s: there is none, nor one that was put aside\n", folder);
	free(folder);
}

int
check_spool(const struct config *config)
{
	struct checking k = {.config = config};
	char err[CONFIG_ERROR_BYTES];
	int lock;

	/* A spool over a file size limit is to say so. */
	signal(SIGXFSZ, SIG_IGN);
	if (access(config->data_dir, F_OK) != 0) {
		printf("%s: there is no such data-dir, and no spool\n", config->data_dir);
		return EXIT_SUCCESS;
	}
	lock = data_dir_take(config->data_dir, err);
	if (lock < 0) {
		fprintf(stderr, "%s\n", err);
		return EXIT_FAILURE;
	}
	check_all(&k);
	spool_close(k.spool);
	store_close(k.store);
	free(k.owned);
	close(lock);
	return k.bad ? EXIT_FAILURE : EXIT_SUCCESS;
}

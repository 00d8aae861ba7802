/*
 * read_back -- opens data-dirs as penstockd would, and says what is in them.
 *
 *	read_back < FOLDERS > ANSWERS
 *
 * A folder a line; the answer to each ends with a line "end".  Fields are
 * separated by a space:
 *
 *	store CODE WORDS              0 is well
 *	app NAME SERIAL
 *	drain APP-ID ID URL
 *	spool CODE WORDS              0 is well
 *	log APP HEAD END              sequences
 *	mark APP DRAIN SEQUENCE       of the store's drains; if there is none: of a drain that is
 *	                              numbered like its app, as spool_writer has them
 *	chunk APP SEQUENCE LINES HASH SIZE    and behind it so many bytes
 *	hole APP SEQUENCE             it is damaged
 *
 * The bytes of a chunk are given once; SIZE is 0 where its HASH was said before.
 * What it finds it leaves as it is, but that a store or a spool that is missing is made.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xmalloc.h"
#include "store/spool.h"
#include "store/store.h"

enum { FOLDER_BYTES = 4096, ERR_BYTES = 1024, SEEN_SLOTS = 1 << 18, IDS = 1024 };

static const uint64_t map_bytes = UINT64_C(4) << 30;

static struct {
	uint64_t slots[SEEN_SLOTS]; /* hashes of chunks; 0: free */
	size_t n;
	struct spool *spool;
	struct {
		uint64_t serial;
		char id[RECORD_ID_BYTES + 1];
	} apps[IDS];
	struct {
		uint64_t id, app;
	} drains[IDS];
	size_t napps, ndrains;
} back;

/* false: it was not there before. */
static bool
seen(uint64_t hash)
{
	size_t i = hash % SEEN_SLOTS;

	while (back.slots[i] != 0 && back.slots[i] != hash)
		i = (i + 1) % SEEN_SLOTS;
	if (back.slots[i] == hash)
		return true;
	if (back.n++ < SEEN_SLOTS / 2)
		back.slots[i] = hash;
	return false;
}

static bool
on_app(const struct app_record *app, void *arg)
{
	(void)arg;
	printf("app %s %llu\n", app->name, (unsigned long long)app->serial);
	if (back.napps < IDS) {
		memcpy(back.apps[back.napps].id, app->id, sizeof(app->id));
		back.apps[back.napps++].serial = app->serial;
	}
	return true;
}

static bool
on_drain(const struct drain_record *drain, void *arg)
{
	(void)arg;
	printf("drain %s %llu %s\n", drain->app_id, (unsigned long long)drain->id, drain->url);
	for (size_t i = 0; i < back.napps && back.ndrains < IDS; i++) {
		if (strcmp(back.apps[i].id, drain->app_id) != 0)
			continue;
		back.drains[back.ndrains].app = back.apps[i].serial;
		back.drains[back.ndrains++].id = drain->id;
	}
	return true;
}

static void
read_store(const char *folder)
{
	char err[ERR_BYTES] = "";
	struct store *store = NULL;
	enum store_code code = store_open(folder, &store, err, sizeof(err));

	printf("store %d %s\n", code, err);
	back.napps = back.ndrains = 0;
	if (code == STORE_OK &&
	    ((code = store_app_walk(store, on_app, NULL)) != STORE_OK ||
	     (code = store_drain_walk(store, NULL, on_drain, NULL)) != STORE_OK))
		printf("store %d %s\n", code, store_error(store));
	store_close(store);
}

/* arg: the sequence to go on with. */
static bool
on_chunk(const struct spool_chunk *c, void *arg)
{
	const unsigned long long app = c->app, seq = c->at.seq;
	uint64_t hash;
	bool known;

	*(uint64_t *)arg = c->at.seq + (c->lines > 0 ? c->lines : 1);
	if (c->data == NULL) {
		printf("hole %llu %llu\n", app, seq);
		return true;
	}
	hash = hash_slice(slice_of(c->data, c->size)) | 1;
	known = seen(hash);
	printf("chunk %llu %llu %u %llx %u\n", app, seq, c->lines, (unsigned long long)hash,
	       known ? 0 : c->size);
	if (!known)
		fwrite(c->data, 1, c->size, stdout);
	return true;
}

static void
read_chunks(const struct spool_log *log)
{
	uint64_t seq = log->head.seq;
	enum spool_code code;

	/* Each call gives a chunk at least, or ends it. */
	do
		code = spool_read(back.spool, log->app, seq, 1 << 20, on_chunk, &seq);
	while (code == SPOOL_OK && seq < log->end.seq);
	if (code != SPOOL_OK && code != SPOOL_NONE)
		printf("spool %d %s\n", code, spool_error(back.spool));
}

static void
say_mark(uint64_t app, uint64_t drain)
{
	struct spool_place place;

	if (spool_mark_of(back.spool, app, drain, &place) == SPOOL_OK)
		printf("mark %llu %llu %llu\n", (unsigned long long)app, (unsigned long long)drain,
		       (unsigned long long)place.seq);
}

static void
read_spool(const char *folder)
{
	const struct spool_options options = {.dir = folder, .map_bytes = map_bytes};
	char err[ERR_BYTES] = "";
	const enum spool_code code = spool_open(&options, &back.spool, err, sizeof(err));
	const struct spool_log *log;

	printf("spool %d %s\n", code, err);
	if (code != SPOOL_OK)
		return;
	for (size_t n = 0; (log = spool_log_at(back.spool, n)) != NULL; n++) {
		printf("log %llu %llu %llu\n", (unsigned long long)log->app,
		       (unsigned long long)log->head.seq, (unsigned long long)log->end.seq);
		for (size_t i = 0; i < back.ndrains; i++) {
			if (back.drains[i].app == log->app)
				say_mark(log->app, back.drains[i].id);
		}
		if (back.ndrains == 0)
			say_mark(log->app, log->app);
		read_chunks(log);
	}
	spool_close(back.spool);
}

int
main(void)
{
	char folder[FOLDER_BYTES];

	while (fgets(folder, sizeof(folder), stdin) != NULL) {
		folder[strcspn(folder, "\n")] = '\0';
		read_store(folder);
		read_spool(folder);
		puts("end");
		fflush(stdout);
	}
	return 0;
}

/* Several workers write, read, trim and drop at once; ThreadSanitizer watches. */
#include "spooler_test.h"

#include <pthread.h>

#include "base/stats.h"

#define BOTH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

enum { WORKERS = 4, APPS = 5, ROUNDS = 40, CHUNKS = 3, CHUNK = 3000 };

struct work {
	struct fixture *f;
	pthread_t thread;
	struct home home;
	uint64_t first_app;
	struct source sources[APPS];
	unsigned wrong, trims;
};

/* Its drains have got everything up to where the spooler wants it cut. */
static void
take_trims(struct work *w)
{
	for (; w->trims < w->home.ntrims; w->trims++) {
		const struct spool_trim *t = w->home.trims[w->trims];

		w->wrong += t->app < w->first_app || t->app >= w->first_app + APPS;
		w->sources[t->app - w->first_app].head = t->to;
	}
}

static bool
is_right(const struct spool_chunk *c)
{
	char want[CHUNK];

	if (c->data == NULL || c->size != CHUNK)
		return false;
	chunk_fill(want, c->app, &c->at, CHUNK);
	return memcmp(c->data, want, CHUNK) == 0;
}

/* What is behind the head is there, from the head's chunk to the end and without a hole. */
static void
read_back(struct work *w, const struct source *s)
{
	const struct spool_fetch *got;
	uint64_t bytes = s->head.bytes;

	spooler_fetch(w->f->spooler, fetch_of(&w->home, s->app, s->head.seq, CHUNKS * CHUNK));
	home_wait(&w->home, &w->home.nfetches, 1);
	got = w->home.fetches[0];
	w->wrong += got->code != SPOOL_OK || got->n < CHUNKS;
	for (size_t i = 0; i < got->n; i++) {
		w->wrong += !is_right(&got->chunks[i]) || got->chunks[i].at.bytes != bytes;
		bytes += CHUNK;
	}
}

static void
one_round(struct work *w, int round)
{
	struct spool_commit *c = spool_commit_new(w->home.box, on_commit_answer);

	for (int i = 0; i < APPS; i++) {
		struct source *s = &w->sources[i];

		spool_commit_part(c, s->app, &s->head);
		for (int k = 0; k < CHUNKS; k++)
			add_chunk(c, s, CHUNK);
		spool_commit_mark(c, 1, &s->head);
	}
	spooler_commit(w->f->spooler, c);
	spooler_commit(w->f->spooler, commit_of(&w->home, &w->sources[round % APPS], 0, 0));
	home_wait(&w->home, &w->home.ncommits, 2);
	w->wrong += w->home.commits[0]->code != SPOOL_OK || w->home.commits[1]->code != SPOOL_OK;
	read_back(w, &w->sources[round % APPS]);
	take_trims(w);
	home_clear(&w->home);
	w->trims = 0;
}

static void *
worker(void *arg)
{
	struct work *w = arg;

	for (int i = 0; i < ROUNDS; i++)
		one_round(w, i);
	spooler_drop(w->f->spooler, w->first_app);
	return NULL;
}

static void
workers_do_not_disturb_each_other(void **state)
{
	struct fixture *f = *state;
	struct work work[WORKERS] = {0};
	const uint64_t all = WORKERS * APPS * ROUNDS * CHUNKS;

	f->options.app_cap = 20 * CHUNK;
	new_spooler(f);
	for (uint64_t i = 0; i < WORKERS; i++) {
		work[i].f = f;
		work[i].first_app = 1 + i * APPS;
		home_open(&work[i].home);
		for (uint64_t k = 0; k < APPS; k++) {
			work[i].sources[k] = source_of(work[i].first_app + k);
			spooler_know(f->spooler, work[i].first_app + k, work[i].home.box);
		}
	}
	assert_true(spooler_run(f->spooler));
	for (int i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_create(&work[i].thread, NULL, worker, &work[i]), 0);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(work[i].thread, NULL);
	assert_int_equal(stats_get(&spooler_stats(f->spooler)->chunks_in), all);
	assert_int_equal(stats_get(&spooler_stats(f->spooler)->failures), 0);
	end_spooler(f);
	for (int i = 0; i < WORKERS; i++) {
		assert_int_equal(work[i].wrong, 0);
		assert_null(spool_log_of(f->spool, work[i].first_app));
		for (int k = 1; k < APPS; k++) {
			const struct source *s = &work[i].sources[k];
			const struct spool_log *log = spool_log_of(f->spool, s->app);

			assert_non_null(log);
			assert_memory_equal(&log->end, &s->end, sizeof(s->end));
			assert_true(log->end.bytes - log->head.bytes < UINT64_C(30) * CHUNK);
		}
		home_close(&work[i].home);
	}
}

/* Numbers are read by a thread that has nothing to do with it. */
static void *
watch(void *arg)
{
	const struct spooler_stats *stats = arg;

	while (stats_get(&stats->chunks_in) < 200)
		(void)(stats_get(&stats->bytes) + stats_get(&stats->commits));
	return NULL;
}

static void
its_numbers_may_be_read_by_anybody(void **state)
{
	struct fixture *f = *state;
	struct source a = source_of(1);
	pthread_t watcher;

	new_spooler(f);
	assert_true(spooler_run(f->spooler));
	assert_int_equal(
	    pthread_create(&watcher, NULL, watch, (void *)(uintptr_t)spooler_stats(f->spooler)), 0);
	for (int i = 0; i < 100; i++)
		spooler_commit(f->spooler, commit_of(&f->home, &a, 2, CHUNK));
	home_wait(&f->home, &f->home.ncommits, 100);
	pthread_join(watcher, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    BOTH(workers_do_not_disturb_each_other),
	    BOTH(its_numbers_may_be_read_by_anybody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

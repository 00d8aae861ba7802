/*
 * Random turns of a log with drains of all kinds and a spool that fails, is damaged
 * and answers late: each line is delivered in order, or told to be lost, once,
 * and what was said to be safe outlives the process.
 */
#include "log_readers.h"

enum { SEEDS = 80, TURNS = 1500, APP = 1 };

/* -- the spooler */

static void
push_pending(struct model *m, struct pending p)
{
	assert_true(m->npending < PENDING_MAX);
	m->pending[m->npending++] = p;
}

static void
commit(struct model *m)
{
	struct spool_commit *c;
	bool more, any_part;

	if (m->npending == PENDING_MAX)
		return;
	c = spool_commit_new(NULL, NULL);
	if (one_in(3) || m->committing) {
		any_part = log_spool_gather_marks(m->log, c);
	} else {
		m->log->urgent = false;
		any_part = log_spool_gather(m->log, c, 1 + any(300 * 1000), &more);
		m->committing = any_part;
		log_spool_settle(m->log);
	}
	if (any_part)
		push_pending(m,
			     (struct pending){.commit = c, .chunks = m->committing && c->nchunks});
	else
		spool_commit_free(c);
}

static void
fetch(struct model *m)
{
	struct app_log *log;
	uint64_t seq;

	if (m->npending == PENDING_MAX || (log = log_fetch_next(&m->pool, &seq)) == NULL)
		return;
	assert_ptr_equal(log, m->log);
	push_pending(m, (struct pending){
			    .fetch = spool_fetch_new(APP, seq, 1 + any(200 * 1000), NULL, NULL)});
}

/* The spooler comes to what waits next; trouble: in so many of 100 cases it cannot. */
static void
work(struct model *m, unsigned trouble)
{
	bool fails = any(100) < trouble;
	unsigned i = 0;

	while (i < m->npending && m->pending[i].written)
		i++;
	if (i == m->npending)
		return;
	m->pending[i].written = true;
	if (m->pending[i].fetch != NULL) {
		if (fails)
			m->pending[i].fetch->code = one_in(4) ? SPOOL_DAMAGED : SPOOL_FAILED;
		else
			fake_read(&m->spool, m->pending[i].fetch);
		return;
	}
	m->pending[i].commit->code = fails ? SPOOL_FULL : SPOOL_OK;
	/* What failed may be on disk all the same. */
	if (!fails || one_in(4))
		fake_write(&m->spool, m->pending[i].commit);
}

static void
set_failing(struct model *m, bool failing)
{
	m->pool.failing = failing;
	app_log_weigh(m->log);
}

static void
commit_answered(struct model *m, const struct pending *p)
{
	if (p->chunks) {
		m->committing = false;
		set_failing(m, p->commit->code != SPOOL_OK);
		log_spool_done(m->log, p->commit, &p->commit->parts[0]);
	} else if (p->commit->code != SPOOL_OK) {
		m->log->kept = true;
		app_log_stir(m->log);
	}
	spool_commit_free(p->commit);
}

static void
count_vanished(struct model *m, int sign)
{
	for (int i = 0; i < READERS; i++) {
		struct reader *r = &m->readers[i];

		if (r->c.log != NULL)
			r->vanished +=
			    (uint64_t)sign * ring_wanted(r, r->c.sent, r->c.count, false);
	}
}

static void
answer(struct model *m)
{
	struct pending p = m->pending[0];

	if (m->npending == 0 || !p.written)
		return;
	m->npending--;
	memmove(&m->pending[0], &m->pending[1], m->npending * sizeof(p));
	if (p.commit != NULL) {
		commit_answered(m, &p);
		return;
	}
	count_vanished(m, 1);
	log_fetch_done(m->log, p.fetch);
	count_vanished(m, -1);
	spool_fetch_free(p.fetch);
}

/* -- what goes wrong, and what makes room */

static void
damage(struct model *m)
{
	struct fake_chunk *c;

	if (m->spool.n == 0)
		return;
	c = &m->spool.chunks[any((unsigned)m->spool.n)];
	c->damaged = true;
	c->unplaced = one_in(3);
}

static void
trim(struct model *m)
{
	struct spool_place to;

	if (m->spool.n == 0)
		return;
	to = m->spool.chunks[any((unsigned)m->spool.n)].is.at;
	if (one_in(8))
		to = m->spool.end;
	if (to.bytes <= m->spool.head.bytes)
		return;
	count_vanished(m, 1);
	log_shed_to(m->log, &to, CURSOR_SPOOL);
	count_vanished(m, -1);
	for (unsigned i = 0; i < to.lines - SPOOL_ORIGIN; i++)
		m->excused[i] = true;
}

static void
make_room(struct model *m)
{
	m->pool.cache_limit = any(4) * 40 * 1000;
	chunk_cache_trim(&m->pool);
	if (app_log_is_idle(m->log) && one_in(4))
		app_log_hibernate(m->log);
}

/* -- the process ends, and another begins */

static void
forget_pending(struct model *m)
{
	while (m->npending > 0) {
		struct pending *p = &m->pending[--m->npending];

		if (p->commit != NULL)
			spool_commit_free(p->commit);
		else
			spool_fetch_free(p->fetch);
	}
	m->committing = false;
}

static void
end_log(struct model *m)
{
	m->ending = true;
	for (int i = 0; i < READERS; i++) {
		struct reader *r = &m->readers[i];

		if (r->c.log != NULL)
			remove_reader(m, r);
	}
	assert_int_equal(m->log->ncursors + m->log->ntaps, 0);
	forget_pending(m);
	app_log_free(m->log);
	for (unsigned i = 0; i < WAITS_MAX; i++)
		assert_true(m->waits[i].line == 0 || m->waits[i].is_told);
	assert_int_equal(m->pool.chunk_bytes + m->pool.cache_bytes, 0);
	assert_int_equal(m->pool.pressure + m->pool.lagging, 0);
	assert_int_equal(m->pool.holders + m->pool.laggards, 0);
	assert_true(TAILQ_EMPTY(&m->pool.hungry));
	m->ending = false;
}

static void
begin_log(struct model *m)
{
	m->log = app_log_new(&m->pool, APP, "app");
	if (m->spool.known)
		app_log_restore(m->log, m->spool.end.bytes, m->spool.end.lines);
	memset(m->waits, 0, sizeof(m->waits));
	memset(m->gone, 0, sizeof(m->gone));
}

/* What the spooler had may still get on disk. */
static void
restart(struct model *m)
{
	struct spool_place places[READERS];
	bool were[READERS];

	while (one_in(2))
		work(m, 20);
	check_survival(m);
	/* What is not on disk is gone, be it that nobody wanted it. */
	for (unsigned i = 0; i < end_line(m); i++)
		m->excused[i] = m->excused[i] || !is_on_disk(m, i);
	for (int i = 0; i < READERS; i++) {
		were[i] = m->readers[i].c.log != NULL && m->readers[i].kind != TAP;
		if (were[i])
			places[i] = resume_place(m, &m->readers[i]);
	}
	end_log(m);
	m->pool.start++;
	begin_log(m);
	if (m->safe > end_line(m))
		m->safe = end_line(m);
	for (int i = 0; i < READERS; i++) {
		struct reader *r = &m->readers[i];

		if (!were[i])
			continue;
		reader_open(m, r, r->c.drain);
		cursor_resume(&r->c, &places[i]);
		r->opened = r->first = r->next = plan_line(r);
	}
}

/* -- all together */

static void
turn(struct model *m, unsigned trouble)
{
	struct reader *r = &m->readers[any(READERS)];

	m->now_ms += any(300);
	switch (any(24)) {
	case 0:
	case 1:
	case 2:
		append_some(m);
		break;
	case 3:
	case 4:
		commit(m);
		break;
	case 5:
	case 6:
		fetch(m);
		break;
	case 7:
	case 8:
		work(m, trouble);
		break;
	case 9:
	case 10:
		answer(m);
		break;
	case 11:
		make_room(m);
		break;
	case 12:
		log_spool_settle(m->log);
		(void)log_spool_look(m->log);
		break;
	case 13:
		if (one_in(4))
			add_reader(m);
		break;
	case 14:
		if (r->c.log != NULL && one_in(16))
			remove_reader(m, r);
		else if (r->c.log != NULL && one_in(4))
			replace_reader(m, r);
		break;
	case 15:
		if (trouble > 0 && one_in(4))
			shed(m, NULL);
		break;
	case 16:
		if (trouble > 0 && one_in(4))
			trim(m);
		break;
	case 17:
		if (trouble > 0 && one_in(8))
			damage(m);
		if (trouble > 0 && one_in(16))
			restart(m);
		break;
	default:
		if (r->c.log != NULL)
			use(m, r);
	}
	check_model(m);
}

static void
check_account(const struct model *m, const struct reader *r)
{
	uint64_t never = 0;

	for (unsigned i = r->first; i < end_line(m); i++)
		never += (r->lines[i] & (TAKEN | OTHERS)) == 0;
	assert_int_equal(never, r->dropped + r->filtered);
}

static bool
is_done(const struct model *m)
{
	for (int i = 0; i < READERS; i++)
		if (m->readers[i].c.log != NULL &&
		    (cursor_waiting_lines(&m->readers[i].c) > 0 || m->readers[i].c.count > 0))
			return false;
	return log_spool_is_settled(m->log) && m->npending == 0;
}

static void
drain_reader(struct model *m, struct reader *r)
{
	if (r->c.log == NULL)
		return;
	if (r->kind == TAP) {
		flush_tap(m, r);
		return;
	}
	for (int i = 0; i < 10; i++)
		send_one(m, r);
	while (cursor_in_flight(&r->c, 0) != NULL) {
		unsigned before = r->c.taken;
		uint64_t end = cursor_in_flight(&r->c, 0)->end;

		uint64_t lines = cursor_acked(&r->c, end).lines;

		assert_int_equal(lines, mark_taken(r, before));
	}
	m->now_ms += 1;
	let_go_of(r, release_some);
}

/* All works from here on, and in the end nothing is left to do, or in memory. */
static void
finish(struct model *m)
{
	for (unsigned turns = 0; turns < 20000 && !is_done(m); turns++) {
		m->now_ms += 1000;
		answer(m);
		/* As the worker does: who has got bytes uses them before they may go again. */
		for (int i = 0; i < READERS; i++)
			drain_reader(m, &m->readers[i]);
		commit(m);
		fetch(m);
		work(m, 0);
		log_spool_settle(m->log);
		chunk_cache_trim(&m->pool);
		if (turns % 16 == 0)
			check_model(m);
	}
	assert_true(is_done(m));
	assert_true(app_log_is_idle(m->log));
	assert_int_equal(m->spool.n, 0);
	for (unsigned i = 0; i < WAITS_MAX; i++)
		assert_true(m->waits[i].line == 0 || m->waits[i].is_told);
	for (int i = 0; i < READERS; i++)
		if (m->readers[i].c.log != NULL)
			check_account(m, &m->readers[i]);
	app_log_hibernate(m->log);
	assert_int_equal(m->pool.chunk_bytes + m->pool.cache_bytes, 0);
	assert_int_equal(m->pool.pressure + m->pool.lagging, 0);
	assert_true(TAILQ_EMPTY(&m->log->holes));
}

static void
play(unsigned with, unsigned trouble)
{
	struct model *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	model = m;
	seed = with * 7919 + 1;
	log_pool_init(&m->pool, 100 * 1000, 300 * 1000, 1 + any(5));
	m->pool.spooling = true;
	m->pool.cache_limit = 100 * 1000;
	m->pool.stir = note_stir;
	m->pool.await = note_await;
	m->now_ms = clock_mono_ms();
	begin_log(m);
	for (int i = 0; i < 3; i++)
		add_reader(m);
	for (unsigned turns = 0; turns < TURNS; turns++)
		turn(m, trouble);
	finish(m);
	end_log(m);
	log_pool_clear(&m->pool);
	fake_clear(&m->spool);
	free(m);
}

static void
every_line_is_delivered_while_all_works(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SEEDS; i++)
		play(i, 0);
}

static void
every_line_is_delivered_or_told_whatever_happens(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SEEDS; i++)
		play(i, 5 + i % 40);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_line_is_delivered_while_all_works),
	    cmocka_unit_test(every_line_is_delivered_or_told_whatever_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

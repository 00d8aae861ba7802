/* Random changes, aborts and reopens: the spool is at every moment what a simple model says. */
#include "store/spool_fixture.h"

#include "store/spool_internal.h"

enum { APPS = 6, DRAINS = 4, CHUNKS_MOST = 200, STEPS = 700 };

struct model_app {
	bool is; /* there is a log */
	struct spool_place head, end;
	uint64_t furthest; /* that the head has been */
	uint64_t base;	   /* below it are sequences that were used before it was dropped */
	struct spool_chunk chunk[CHUNKS_MOST]; /* by sequence; data NULL */
	bool maybe[CHUNKS_MOST];	       /* it was before the head: it may be gone */
	size_t n;
	struct spool_place mark[DRAINS]; /* seq 0: none */
};

struct model {
	struct model_app app[APPS];
};

static struct model is, was;

static unsigned
up_to(unsigned n)
{
	return (unsigned)rand() % n;
}

static struct spool_place
behind(const struct spool_chunk *c)
{
	return (struct spool_place){c->at.seq + c->lines, c->at.bytes + c->size,
				    c->at.lines + c->lines};
}

static void
model_append(struct model_app *m, const struct spool_chunk *c)
{
	size_t i = m->n;

	if (!m->is)
		m->head = m->end = c->at;
	m->is = true;
	while (i > 0 && m->chunk[i - 1].at.seq > c->at.seq) {
		m->chunk[i] = m->chunk[i - 1];
		m->maybe[i] = m->maybe[i - 1];
		i--;
	}
	m->chunk[i] = *c;
	m->chunk[i].data = NULL;
	m->maybe[i] = behind(c).seq <= m->head.seq;
	m->n++;
	if (behind(c).seq > m->end.seq)
		m->end = behind(c);
}

/* The head has moved.  What is far before it does not come back. */
static void
model_pass(struct model_app *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++) {
		if (behind(&m->chunk[i]).seq + 500 < m->head.seq)
			continue;
		m->chunk[n] = m->chunk[i];
		m->maybe[n] = m->maybe[i] || behind(&m->chunk[i]).seq <= m->head.seq;
		n++;
	}
	m->n = n;
}

static void
step_append(struct fixture *f, unsigned a)
{
	struct model_app *m = &is.app[a];
	struct spool_place at = m->is ? m->end : place(m->base + 1 + up_to(50), 0, 0);
	uint32_t lines = 1 + up_to(20), size = lines + up_to(up_to(10) == 0 ? 200000 : 6000);
	struct spool_chunk c;

	if (m->n == CHUNKS_MOST)
		return;
	/* Lines that are not kept lie between. */
	if (up_to(4) == 0)
		at = (struct spool_place){at.seq + 50, at.bytes + 500000, at.lines + 50};
	c = chunk_at(f, a + 1, at, lines, size);
	assert_ok(spool_append(f->spool, &c));
	model_append(m, &c);
}

/* Into one of those holes, behind the head or before it. */
static void
step_fill(struct fixture *f, unsigned a)
{
	struct model_app *m = &is.app[a];
	struct spool_chunk c;

	if (m->n == CHUNKS_MOST)
		return;
	for (size_t i = up_to(3); i + 1 < m->n; i++) {
		struct spool_place from = behind(&m->chunk[i]), to = m->chunk[i + 1].at;

		if (from.seq + 30 > to.seq || from.bytes + 10000 > to.bytes ||
		    from.seq + 400 < m->furthest)
			continue;
		from.seq += up_to(5);
		c = chunk_at(f, a + 1, from, 1 + up_to(20), 100 + up_to(5000));
		assert_ok(spool_append(f->spool, &c));
		model_append(m, &c);
		return;
	}
}

/* A place that is a chunk's, in the middle of one, or behind all. */
static struct spool_place
some_place(const struct model_app *m)
{
	const struct spool_chunk *c;
	unsigned line;

	if (m->n == 0 || up_to(8) == 0)
		return m->end;
	if (up_to(20) == 0)
		return (struct spool_place){m->end.seq + 9, m->end.bytes + 900, m->end.lines + 9};
	c = &m->chunk[up_to((unsigned)m->n)];
	line = up_to(c->lines);
	return (struct spool_place){c->at.seq + line, c->at.bytes + line, c->at.lines + line};
}

static void
step_marks(struct fixture *f, unsigned a)
{
	struct model_app *m = &is.app[a];
	struct spool_mark marks[DRAINS];
	struct spool_place head = m->is ? some_place(m) : place(m->base + 5, 5, 5);
	size_t n = 0;

	/* Forward, but for once in a while. */
	if (m->is && head.seq < m->head.seq && (up_to(20) != 0 || head.seq + 400 < m->furthest))
		head = m->head;
	for (unsigned d = 0; d < DRAINS; d++) {
		m->mark[d] = (struct spool_place){0};
		if (up_to(3) == 0)
			continue;
		m->mark[d] = m->is && up_to(2) == 0 ? some_place(m) : head;
		marks[n++] = (struct spool_mark){d + 1, m->mark[d]};
	}
	assert_ok(spool_set_marks(f->spool, a + 1, &head, marks, n));
	if (!m->is || head.seq >= m->end.seq)
		m->end = head;
	m->is = true;
	m->head = head;
	if (head.seq > m->furthest)
		m->furthest = head.seq;
	model_pass(m);
}

/* If it comes back, then with other sequences. */
static void
step_drop(struct fixture *f, unsigned a)
{
	uint64_t base = is.app[a].end.seq + 1000;

	assert_int_equal(spool_drop(f->spool, a + 1), is.app[a].is ? SPOOL_OK : SPOOL_NONE);
	if (!is.app[a].is)
		return;
	memset(&is.app[a], 0, sizeof(is.app[a]));
	is.app[a].base = base;
	if (up_to(2) == 0)
		step_marks(f, a);
}

static void
step(struct fixture *f)
{
	unsigned a = up_to(APPS), what = up_to(100);
	bool more;

	if (what < 50)
		step_append(f, a);
	else if (what < 60)
		step_fill(f, a);
	else if (what < 85)
		step_marks(f, a);
	else if (what < 87)
		step_drop(f, a);
	else
		assert_ok(spool_tidy(f->spool, up_to(64), &more));
}

/* The first chunk that holds the sequence or is behind it. */
static size_t
model_find(const struct model_app *m, uint64_t seq)
{
	size_t i = 0;

	while (i < m->n && behind(&m->chunk[i]).seq <= seq)
		i++;
	return i;
}

static void
compare_reading(struct fixture *f, unsigned a)
{
	struct model_app *m = &is.app[a];
	uint64_t seq = m->is ? m->head.seq + up_to(200) : 0;
	struct got got = read_from(f, a + 1, seq, 1 + up_to(100000));
	size_t i = m->is ? model_find(m, seq) : m->n;

	assert_int_equal(got.damaged, 0);
	for (size_t j = 0; j < got.n; j++, i++) {
		while (i < m->n && m->maybe[i] && m->chunk[i].at.seq != got.chunk[j].at.seq)
			i++;
		assert_true(i < m->n);
		assert_place(got.chunk[j].at, m->chunk[i].at);
		assert_int_equal(got.chunk[j].size, m->chunk[i].size);
	}
	if (got.n == 0)
		for (; i < m->n; i++)
			assert_true(m->maybe[i]);
}

static void
compare_cut(struct fixture *f, unsigned a)
{
	const struct model_app *m = &is.app[a];
	uint64_t keep = up_to(100000);
	struct spool_place at, want = m->head;

	assert_ok(spool_cut_bytes(f->spool, a + 1, keep, &at));
	for (size_t i = 0; i < m->n; i++)
		if (m->maybe[i] && behind(&m->chunk[i]).seq > m->head.seq)
			return;
	if (m->end.bytes - m->head.bytes > keep) {
		size_t i = 0;

		while (i < m->n && (m->chunk[i].at.seq < m->head.seq ||
				    m->end.bytes - m->chunk[i].at.bytes > keep))
			i++;
		want = i < m->n ? m->chunk[i].at : m->end;
	}
	assert_place(at, want);
}

static void
compare(struct fixture *f)
{
	uint64_t bytes = 0;
	size_t logs = 0;

	for (unsigned a = 0; a < APPS; a++) {
		const struct model_app *m = &is.app[a];
		const struct spool_log *log = spool_log_of(f->spool, a + 1);
		size_t first = model_find(m, m->head.seq);

		assert_int_equal(log != NULL, m->is);
		compare_reading(f, a);
		if (log == NULL)
			continue;
		assert_place(log->head, m->head);
		assert_place(log->end, m->end);
		while (first < m->n && m->maybe[first])
			first++;
		if (first < m->n)
			assert_in_range(log->first_us, 1, m->chunk[first].first_us);
		bytes += m->end.bytes - m->head.bytes;
		logs++;
		compare_cut(f, a);
		for (unsigned d = 0; d < DRAINS; d++) {
			struct spool_place at;
			enum spool_code code = spool_mark_of(f->spool, a + 1, d + 1, &at);

			assert_int_equal(code, m->mark[d].seq == 0 ? SPOOL_NONE : SPOOL_OK);
			if (code == SPOOL_OK)
				assert_place(at, m->mark[d]);
		}
	}
	assert_int_equal(spool_bytes(f->spool), bytes);
	for (size_t i = 0; i < logs; i++)
		assert_non_null(spool_log_at(f->spool, i));
	assert_null(spool_log_at(f->spool, logs));
}

/* Of all chunks in the file, none is left that the model does not have. */
static void
nothing_is_left_over(struct fixture *f)
{
	bool more = true;

	for (int i = 0; more && i < 100; i++) {
		begin(f);
		assert_ok(spool_tidy(f->spool, 64, &more));
		commit(f);
	}
	assert_false(more);
	for (unsigned a = 0; a < APPS; a++) {
		struct spool_found found = {0};
		const struct model_app *m = &is.app[a];
		size_t n = 0, least = 0, most = 0;

		for (size_t i = 0; i < m->n; i++) {
			if (behind(&m->chunk[i]).seq <= m->head.seq)
				continue;
			most++;
			least += !m->maybe[i];
		}
		while (spool_find(f->spool, a + 1, found.seq + 1, &found) == SPOOL_OK)
			n++;
		assert_in_range(n, least, most);
	}
}

static void
run_model(struct fixture *f, unsigned seed)
{
	srand(seed);
	memset(&is, 0, sizeof(is));
	for (int i = 0; i < STEPS; i++) {
		unsigned steps = 1 + up_to(8);

		was = is;
		begin(f);
		for (unsigned j = 0; j < steps; j++)
			step(f);
		if (up_to(5) == 0) {
			spool_abort(f->spool);
			is = was;
		} else {
			commit(f);
		}
		if (up_to(50) == 0)
			reopen(f);
		compare(f);
	}
	nothing_is_left_over(f);
	reopen(f);
	compare(f);
}

static void
the_spool_is_what_the_model_says(void **state)
{
	run_model(*state, 1);
}

static void
it_is_so_in_another_run(void **state)
{
	run_model(*state, 20261123);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_spool_is_what_the_model_says),
	    TEST(it_is_so_in_another_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "ends/relp_owed.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "wire/relp.h"

/* This, a receipt, a promise and who waits in a log for it, about: much for an event of one line.
 */
enum { EVENT_BYTES = 384 };

/* The answers to n commands, the first of which is txnr. */
struct relp_run {
	uint32_t txnr, n;
	bool open;
	const char *error; /* NULL: OK */
};

struct relp_owed *
relp_owed_new(struct relp_session *session)
{
	struct relp_owed *o = xcalloc(1, sizeof(*o));

	o->session = session;
	o->bytes = EVENT_BYTES;
	return o;
}

void
relp_owed_free(struct relp_owed *o)
{
	if (o == NULL)
		return;
	free(o->runs);
	free(o);
}

static void
owe(struct relp_owed *o, struct relp_run run)
{
	if (o->runs == NULL || o->n == o->cap) {
		o->cap = o->cap == 0 ? 1 : o->cap * 2;
		o->runs = xrealloc(o->runs, o->cap * sizeof(*o->runs));
	}
	o->runs[o->n++] = run;
	o->bytes += sizeof(run);
}

void
relp_owe_ok(struct relp_owed *o, uint32_t txnr)
{
	struct relp_run *last = o->n > 0 ? &o->runs[o->n - 1] : NULL;

	if (last != NULL && !last->open && last->error == NULL && last->txnr + last->n == txnr)
		last->n++;
	else
		owe(o, (struct relp_run){.txnr = txnr, .n = 1});
}

void
relp_owe_open(struct relp_owed *o, uint32_t txnr)
{
	owe(o, (struct relp_run){.txnr = txnr, .n = 1, .open = true});
}

void
relp_owe_error(struct relp_owed *o, uint32_t txnr, const char *text)
{
	owe(o, (struct relp_run){.txnr = txnr, .n = 1, .error = text});
}

static void
answer(const struct relp_run *run, uint32_t at, struct buf *out)
{
	if (run->open)
		relp_answer_open(out, run->txnr);
	else if (run->error != NULL)
		relp_answer_error(out, run->txnr, run->error);
	else
		relp_answer_ok(out, run->txnr + at);
}

bool
relp_owed_write(struct relp_owed *o, struct buf *out, size_t limit)
{
	while (o->at < o->n) {
		const struct relp_run *run = &o->runs[o->at];

		while (o->at_txnr < run->n) {
			if (out->n >= limit)
				return false;
			answer(run, o->at_txnr++, out);
		}
		o->at++;
		o->at_txnr = 0;
	}
	return true;
}

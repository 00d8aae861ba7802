#include "ends/receipt.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/xmalloc.h"

struct receipt {
	unsigned unsafe;    /* parts, and one while lines are still added */
	bool lost;	    /* a part is */
	receipt_done *done; /* NULL: nobody waits any more */
	void *arg;
};

struct receipt *
receipt_new(receipt_done *done, void *arg)
{
	struct receipt *r = xcalloc(1, sizeof(*r));

	r->unsafe = 1;
	r->done = done;
	r->arg = arg;
	return r;
}

enum receipt_state
receipt_close(struct receipt *r)
{
	bool lost = r->lost;

	assert(r->unsafe > 0);
	if (--r->unsafe > 0)
		return RECEIPT_WAITS;
	free(r);
	return lost ? RECEIPT_LOST : RECEIPT_SAFE;
}

void
receipt_forget(struct receipt *r)
{
	r->done = NULL;
}

void
receipt_hold(struct receipt *r)
{
	r->unsafe++;
}

void
receipt_release(struct receipt *r)
{
	receipt_done *done = r->done;
	void *arg = r->arg;
	bool safe = !r->lost;

	assert(r->unsafe > 0);
	if (--r->unsafe > 0)
		return;
	free(r);
	if (done != NULL)
		done(arg, safe);
}

void
receipt_lose(struct receipt *r)
{
	r->lost = true;
}

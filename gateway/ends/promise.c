#include "ends/promise.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "log/log_spool.h"

struct promise {
	struct mail mail;
	struct receipt *receipt;
	struct mailbox *back;
	unsigned unsafe; /* logs, and one while lines are still added */
	bool lost;	 /* a log has given some up */
};

struct promise *
promise_new(struct receipt *receipt, struct mailbox *back)
{
	struct promise *p = xcalloc(1, sizeof(*p));

	p->receipt = receipt;
	p->back = back;
	p->unsafe = 1;
	return p;
}

static void
tell(struct mail *mail, void *owner)
{
	struct promise *p = (struct promise *)mail;

	(void)owner;
	if (p->lost)
		receipt_lose(p->receipt);
	receipt_release(p->receipt);
	free(p);
}

static void
on_told(void *arg, bool safe)
{
	struct promise *p = arg;

	p->lost = p->lost || !safe;
	if (--p->unsafe > 0)
		return;
	if (p->back == NULL) {
		tell(&p->mail, NULL);
		return;
	}
	p->mail.deliver = tell;
	mailbox_push(p->back, &p->mail);
}

void
promise_add(struct promise *p, struct app_log *log)
{
	if (log_spool_await(log, on_told, p))
		p->unsafe++;
}

void
promise_close(struct promise *p)
{
	if (p != NULL)
		on_told(p, true);
}

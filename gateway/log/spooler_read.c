/* Fetches: chunks are copied out of the spool and mailed. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "base/xmalloc.h"
#include "log/spooler_internal.h"

/* Read in one round, about: commits wait for it. */
enum { READ_BYTES = 16 << 20 };

/* What is wrong is logged this often at most; damage is counted each time. */
enum { FAULT_LOG_MS = 10000 };

struct reading {
	struct spooler *s;
	struct spool_fetch *f;
	size_t bytes;
};

static bool
on_chunk(const struct spool_chunk *from, void *arg)
{
	struct reading *r = arg;
	struct spool_chunk *to = &r->f->chunks[r->f->n++];
	char *data;

	*to = *from;
	if (from->data == NULL) {
		stats_add(&r->s->stats.chunks_damaged, 1);
	} else {
		data = xmalloc(from->size);
		memcpy(data, from->data, from->size);
		to->data = data;
		stats_add(&r->s->stats.chunks_out, 1);
		stats_add(&r->s->stats.bytes_out, from->size);
		r->bytes += from->size;
	}
	return r->f->n < SPOOL_FETCH_CHUNKS;
}

static void
say_fault(struct spooler *s, uint64_t app, enum spool_code code)
{
	int64_t now_ms = clock_mono_ms();

	if (s->fault_ms != 0 && now_ms - s->fault_ms < FAULT_LOG_MS)
		return;
	s->fault_ms = now_ms;
	if (code == SPOOL_FAILED)
		log_error("spool cannot be read; it is tried again each second", "app_serial",
			  log_u64(app), "error", spool_error(s->spool), NULL);
	else
		log_error("spool is damaged; lines in it are lost", "app_serial", log_u64(app),
			  "damaged_chunks", log_u64(stats_get(&s->stats.chunks_damaged)), "error",
			  code == SPOOL_OK ? "checksum" : spool_error(s->spool), NULL);
}

static size_t
answer(struct spooler *s, struct spool_fetch *f)
{
	struct reading r = {.s = s, .f = f};
	uint64_t damaged = stats_get(&s->stats.chunks_damaged);
	uint64_t left_out = spool_left_out(s->spool);

	f->n = 0;
	f->code = spool_read(s->spool, f->app, f->seq,
			     f->limit < READ_BYTES ? f->limit : READ_BYTES, on_chunk, &r);
	left_out = spool_left_out(s->spool) - left_out;
	stats_add(&s->stats.chunks_damaged, left_out);
	f->left_out = left_out > 0;
	if ((f->code != SPOOL_OK && f->code != SPOOL_NONE) ||
	    stats_get(&s->stats.chunks_damaged) != damaged)
		say_fault(s, f->app, f->code);
	/* What was read before a fault is good; the fault comes again, first, in the next fetch. */
	if (f->n > 0)
		f->code = SPOOL_OK;
	f->mail.deliver = f->done;
	mailbox_push(f->back, &f->mail);
	return r.bytes;
}

void
spooler_read(struct spooler *s)
{
	size_t bytes = 0;

	while (s->fetches.first != NULL && bytes < READ_BYTES)
		bytes += answer(s, (struct spool_fetch *)mails_take(&s->fetches));
}

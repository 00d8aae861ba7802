#include "store/spool_check.h"

#include <stdio.h>
#include <string.h>

#include "store/spool_pieces.h"

/* Of the piece, what lies behind its log's head; how many lines that are. */
static uint64_t
report_piece(const struct spool_piece *piece, const struct spool_log_piece *log,
	     struct spool_report *out)
{
	const struct spool_chunk *c = &piece->chunk;
	uint64_t lines = c->lines, bytes = c->size;

	if (log != NULL && log->log.head.seq > c->at.seq) {
		lines -= log->log.head.seq - c->at.seq;
		bytes -= log->log.head.bytes - c->at.bytes;
	}
	if (!piece->whole) {
		out->damaged++;
		out->lost_lines += lines;
		return lines;
	}
	out->chunks++;
	out->lines += lines;
	out->bytes += bytes;
	return lines;
}

static void
report_chunks(const struct spool_pieces *p, struct spool_report *out)
{
	uint64_t app = 0, lines;

	for (size_t i = 0; i < p->nlogs; i++)
		if (!p->log[i].dropped)
			out->missing += p->log[i].log.end.lines - p->log[i].log.head.lines;
	for (size_t i = 0; i < p->nchunks; i++) {
		const struct spool_log_piece *log = spool_pieces_log(p, p->chunk[i].chunk.app);

		if (!spool_pieces_wanted(p, &p->chunk[i]))
			continue;
		out->apps += out->apps == 0 || p->chunk[i].chunk.app != app;
		app = p->chunk[i].chunk.app;
		lines = report_piece(&p->chunk[i], log, out);
		/* In pages that are not in use any more there may be what no log has. */
		if (log != NULL)
			out->missing -= lines < out->missing ? lines : out->missing;
	}
	if (!p->scanned)
		out->missing = 0;
}

static void
report_all(const struct spool_pieces *p, struct spool_report *out)
{
	report_chunks(p, out);
	out->damaged += p->headless;
	out->tree_damaged = p->scanned;
	snprintf(out->fault, sizeof(out->fault), "%s", p->fault);
	if (out->fault[0] == '\0' && out->damaged > 0)
		snprintf(out->fault, sizeof(out->fault), "checksums are wrong");
}

enum spool_code
spool_check(const char *folder, struct spool_report *out)
{
	struct spool_pieces pieces;
	enum spool_code code = spool_pieces_read(folder, &pieces);

	memset(out, 0, sizeof(*out));
	if (code == SPOOL_OK) {
		report_all(&pieces, out);
		if (out->damaged > 0 || out->tree_damaged)
			code = SPOOL_DAMAGED;
	} else {
		snprintf(out->fault, sizeof(out->fault), "%s", pieces.fault);
	}
	spool_pieces_clear(&pieces);
	return code;
}

/*
 * spool_logs -- the table of logs in memory: what the file has of them, and
 * what the transaction that is under way changes.
 *
 * A transaction that comes to nothing is undone from a journal, which has each
 * log as it was before its first change; so the table is exact without the
 * file being read again.
 *
 * Owner and thread: the spool's.
 */
#ifndef SPOOL_LOGS_H
#define SPOOL_LOGS_H

#include <stdbool.h>
#include <stddef.h>

#include "store/spool.h"

struct spool_entry {
	struct spool_log log;
	bool dropped; /* the app is gone, its chunks are not yet */
	bool untidy;  /* there may be chunks that are nobody's */
	/* No chunk lies before it: deleting goes on there. */
	uint64_t tidy_from;
	/* Behind the chunk that the head stands in; 0: not looked up. */
	uint64_t head_until;
	uint64_t changed, appended; /* the last transaction that did so */
	struct {
		uint64_t seq, until;
		int64_t us;
	} fresh;     /* the first chunk of those that it appended */
	size_t live; /* where it is in spool_logs.live */
};

struct spool_journal {
	struct spool_entry was;
	bool is_new; /* there was none */
};

struct spool_logs {
	struct spool_entry **slot; /* open addressing; NULL: free */
	size_t slots, n;	   /* slots: a power of two, or 0 */
	struct spool_entry **live; /* all that are not dropped */
	size_t nlive, cap_live;
	size_t ndropped, nuntidy;
	uint64_t bytes;	      /* behind the heads */
	uint64_t transaction; /* a number of its own for each */
	struct spool_journal *journal;
	size_t njournal, cap_journal;
};

void spool_logs_clear(struct spool_logs *);

struct spool_entry *spool_logs_find(const struct spool_logs *, uint64_t app);
/* As the file has it, outside of a transaction. */
void spool_logs_load(struct spool_logs *, const struct spool_log *, bool dropped);

void spool_logs_begin(struct spool_logs *);
/* For changing what the functions below do not; made if there is none. */
struct spool_entry *spool_logs_change(struct spool_logs *, uint64_t app);
void spool_logs_move(struct spool_logs *, struct spool_entry *, const struct spool_place *head,
		     const struct spool_place *end);
void spool_logs_set_untidy(struct spool_logs *, struct spool_entry *, bool untidy);
/* As it was made: changed already. */
void spool_logs_set_dropped(struct spool_logs *, struct spool_entry *, bool dropped);
/* The entry is gone, too. */
void spool_logs_remove(struct spool_logs *, uint64_t app);
void spool_logs_keep(struct spool_logs *);
void spool_logs_undo(struct spool_logs *);

#endif

/*
 * spool_writer -- uses a spool as the gateway's thread does, at random, and
 * says what is committed; for power cuts (test_18_power_cut.py).
 *
 *	spool_writer DATA-DIR SEED COMMITS
 *
 * After each commit a line: the time (CLOCK_MONOTONIC, ns), and of each app
 * "APP:HEAD:END:MARK", sequences, where END is before what its tidying may not
 * touch; apps that were dropped are left out.  Chunks hold lines like
 * "28 <14>1 - - app sender - - 17": app and number, which is the sequence.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/spool.h"

enum { APPS = 4, CHUNK_BYTES = 65536, ERR_BYTES = 512, TIDIED = 64 };

static struct writer {
	struct spool *spool;
	struct {
		struct spool_place head, end;
		bool there;
	} apps[APPS];
	char data[CHUNK_BYTES];
} writer;

static void
die(const char *what)
{
	fprintf(stderr, "spool_writer: %s: %s\n", what, spool_error(writer.spool));
	exit(1);
}

static uint64_t
below(uint64_t n)
{
	return (uint64_t)random() % n;
}

/* Some lines behind the app's end. */
static void
append(unsigned app)
{
	struct spool_place *end = &writer.apps[app].end;
	struct spool_chunk c = {.app = app + 1, .at = *end, .first_us = 1, .last_us = 1};
	size_t want = 1 + below(below(2) ? 300 : CHUNK_BYTES - 200), used = 0;

	while (used < want) {
		char line[64];
		int n = snprintf(line, sizeof(line), "<14>1 - - a%u s - - %" PRIu64, app + 1,
				 end->seq + c.lines);

		used += (size_t)snprintf(writer.data + used, sizeof(writer.data) - used, "%d %s", n,
					 line);
		c.lines++;
	}
	c.size = (uint32_t)used;
	c.data = writer.data;
	if (spool_append(writer.spool, &c) != SPOOL_OK)
		die("append");
	end->seq += c.lines;
	end->lines += c.lines;
	end->bytes += c.size;
	writer.apps[app].there = true;
}

/* Its one drain has gone on, to the end at most; half of the time to there. */
static void
move_mark(unsigned app)
{
	struct spool_place *head = &writer.apps[app].head;
	struct spool_mark mark = {.drain = app + 1};

	if (!writer.apps[app].there)
		return;
	if (below(8) == 0)
		*head = writer.apps[app].end;
	mark.at = *head;
	if (spool_set_marks(writer.spool, app + 1, head, &mark, 1) != SPOOL_OK)
		die("marks");
}

static void
drop(unsigned app)
{
	if (!writer.apps[app].there || below(100) != 0)
		return;
	if (spool_drop(writer.spool, app + 1) != SPOOL_OK)
		die("drop");
	writer.apps[app].there = false;
	writer.apps[app].head = writer.apps[app].end;
}

static void
say(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("%lld", (long long)now.tv_sec * 1000000000 + now.tv_nsec);
	for (unsigned app = 0; app < APPS; app++) {
		if (writer.apps[app].there)
			printf(" %u:%" PRIu64 ":%" PRIu64, app + 1, writer.apps[app].head.seq,
			       writer.apps[app].end.seq);
	}
	putchar('\n');
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct spool_options options = {.map_bytes = UINT64_C(1) << 30};
	char err[ERR_BYTES];
	bool more;

	if (argc != 4)
		return 2;
	options.dir = argv[1];
	srandom((unsigned)atoi(argv[2]));
	if (spool_open(&options, &writer.spool, err, sizeof(err)) != SPOOL_OK) {
		fprintf(stderr, "spool_writer: %s\n", err);
		return 1;
	}
	for (unsigned app = 0; app < APPS; app++) {
		writer.apps[app].end =
		    (struct spool_place){.seq = 1, .bytes = SPOOL_ORIGIN, .lines = SPOOL_ORIGIN};
		writer.apps[app].head = writer.apps[app].end;
	}
	for (int i = atoi(argv[3]); i > 0; i--) {
		if (spool_begin(writer.spool) != SPOOL_OK)
			die("begin");
		for (uint64_t n = 1 + below(4); n > 0; n--) {
			append((unsigned)below(APPS));
			move_mark((unsigned)below(APPS));
			drop((unsigned)below(APPS));
		}
		if (spool_tidy(writer.spool, TIDIED, &more) != SPOOL_OK)
			die("tidy");
		if (spool_commit(writer.spool) != SPOOL_OK)
			die("commit");
		say();
	}
	spool_close(writer.spool);
	return 0;
}

#include "store/spool_scan.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "store/lmdb_layout.h"
#include "store/spool_record.h"

enum { NUMBERS_MOST = 64 };

/* The spool's files have the machine's pages. */
struct scan {
	struct spool_pieces *pieces;
	size_t page_bytes;
	unsigned char *page;
	uint64_t at; /* of the page in the file */

	/* Of the first time through: numbers of files in heads, and how often. */
	struct {
		uint64_t file;
		size_t n;
	} number[NUMBERS_MOST];
	size_t numbers;
};

/* Looks at a page, and says how many it is the first of. */
typedef size_t scan_page(struct scan *);

static bool
is_head(const struct scan *s, size_t offset)
{
	return offset < s->page_bytes && s->page_bytes - offset >= SPOOL_HEAD_BYTES &&
	       memcmp(s->page + offset, spool_sign, SPOOL_SIGN_BYTES) == 0;
}

/* -- the first time: whose heads are these? */

/* A head where its page says that one is; how many pages that would have of its own. */
static size_t
vote(struct scan *s, size_t offset)
{
	struct spool_chunk c;
	uint64_t file, hash;
	size_t i = 0;

	if (!is_head(s, offset) || !spool_head_read(s->page + offset, &file, &c, &hash))
		return 0;
	while (i < s->numbers && s->number[i].file != file)
		i++;
	if (i == NUMBERS_MOST)
		return 0;
	if (i == s->numbers)
		s->number[s->numbers++].file = file;
	s->number[i].n++;
	return lmdb_big_pages(SPOOL_HEAD_BYTES + (size_t)c.size, s->page_bytes);
}

static void
vote_leaf(struct scan *s, const struct lmdb_page *head)
{
	struct lmdb_node node;
	uint16_t at;

	for (size_t i = sizeof(*head); i + sizeof(at) <= head->u.room.lower; i += sizeof(at)) {
		if (i + sizeof(at) > s->page_bytes)
			return;
		memcpy(&at, s->page + i, sizeof(at));
		if (at > s->page_bytes - sizeof(node))
			continue;
		memcpy(&node, s->page + at, sizeof(node));
		vote(s, at + sizeof(node) + node.key_bytes);
	}
}

/*
 * Only pages that say which they are have a vote: lines may have heads in them, as
 * many as their sender likes, but he does not know where in the file they come to lie.
 */
static size_t
page_vote(struct scan *s)
{
	struct lmdb_page head;
	size_t n;

	memcpy(&head, s->page, sizeof(head));
	if (head.number != s->at / s->page_bytes)
		return 1;
	if (head.flags == LMDB_PAGE_LEAF)
		vote_leaf(s, &head);
	if (head.flags != LMDB_PAGE_OVERFLOW || (n = vote(s, sizeof(head))) == 0)
		return 1;
	return n;
}

/* -- the second time */

/* How many bytes the chunk at that offset has with its head; 0: there is none. */
static size_t
chunk_at(struct scan *s, size_t offset)
{
	struct spool_chunk c;

	if (!is_head(s, offset) || !spool_pieces_add_chunk(s->pieces, s->page + offset,
							   s->at + offset + SPOOL_HEAD_BYTES, &c))
		return 0;
	return SPOOL_HEAD_BYTES + (size_t)c.size;
}

/* A log or a mark, where a node could begin: its page may be wrong about where they do. */
static void
record_at(const struct scan *s, size_t offset)
{
	size_t bytes, room = s->page_bytes - offset - sizeof(struct lmdb_node);
	const unsigned char *key = s->page + offset + sizeof(struct lmdb_node), *value;
	struct lmdb_node node;
	struct spool_mark mark;
	struct spool_log log;
	bool dropped;

	memcpy(&node, s->page + offset, sizeof(node));
	bytes = lmdb_node_bytes(&node);
	if (node.flags != 0 || node.key_bytes > room || bytes > room - node.key_bytes)
		return;
	value = key + node.key_bytes;
	if (node.key_bytes == SPOOL_APP_KEY_BYTES && bytes == SPOOL_LOG_BYTES &&
	    spool_log_read(value, bytes, s->pieces->file, spool_key_app(key), &log, &dropped))
		spool_pieces_add_log(s->pieces, &log, dropped);
	if (node.key_bytes == SPOOL_KEY_BYTES && bytes == SPOOL_MARK_BYTES &&
	    spool_mark_read(value, bytes, s->pieces->file, spool_key_app(key),
			    spool_key_number(key), &mark))
		spool_pieces_add_mark(s->pieces, spool_key_app(key), &mark);
}

static size_t
page_take(struct scan *s)
{
	struct lmdb_page head;
	size_t n = chunk_at(s, sizeof(head));

	if (n > 0)
		return lmdb_big_pages(n, s->page_bytes);
	memcpy(&head, s->page, sizeof(head));
	/* Another's value: the free list's, or a chunk's whose head is broken. */
	if (head.flags == LMDB_PAGE_OVERFLOW && head.number == s->at / s->page_bytes &&
	    head.u.pages > 0 && head.u.pages <= SPOOL_CHUNK_MOST / s->page_bytes)
		return head.u.pages;
	for (size_t i = sizeof(head); i + sizeof(struct lmdb_node) < s->page_bytes; i += 2) {
		chunk_at(s, i);
		record_at(s, i);
	}
	return 1;
}

static bool
scan_file(struct scan *s, uint64_t bytes, scan_page *each)
{
	bool all = true;

	for (s->at = 0; s->at < bytes; s->at += each(s) * s->page_bytes) {
		ssize_t got = pread(s->pieces->fd, s->page, s->page_bytes, (off_t)s->at);

		if (got < 0) {
			all = false;
			got = 0;
		}
		memset(s->page + got, 0, s->page_bytes - (size_t)got);
	}
	return all;
}

bool
spool_scan(struct spool_pieces *pieces)
{
	struct scan s = {.pieces = pieces, .page_bytes = (size_t)sysconf(_SC_PAGESIZE)};
	size_t most = 0;
	struct stat st;
	bool all = true;

	if (fstat(pieces->fd, &st) != 0)
		return false;
	pieces->file = 0;
	s.page = xmalloc(s.page_bytes);
	scan_file(&s, (uint64_t)st.st_size, page_vote);
	for (size_t i = 0; i < s.numbers; i++) {
		if (s.number[i].n <= most)
			continue;
		most = s.number[i].n;
		pieces->file = s.number[i].file;
	}
	if (most > 0)
		all = scan_file(&s, (uint64_t)st.st_size, page_take);
	free(s.page);
	return all;
}

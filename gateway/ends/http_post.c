#include "ends/http_post.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "io/http_later.h"
#include "io/http_write.h"
#include "wire/timestamp.h"

/* What one turn of the loop does for them. */
enum { TURN_BYTES = 256 * 1024 };
/* Too much waits: how soon to look again whether it still does. */
enum { PAUSED_MS = 20 };

#define RETRY_AFTER_S "1"

enum post_state { POST_QUEUED, POST_APPENDING, POST_WAITING };

struct http_post {
	TAILQ_ENTRY(http_post) link;
	struct http_posts *posts;
	struct listener_share *share;
	struct http_later *later; /* NULL: nobody waits for the answer any more */
	enum post_state state;
	int64_t since_ms;
	char app[NAME_APP_MAX + 1];
	char hostname[PEER_NAME_BYTES];
	char now_text[LINE_STAMP_BYTES]; /* when it came */
	int64_t now_us;
	struct http_body body;
	size_t held; /* bytes that count as held by it */
	size_t appended;
	struct receipt *receipt;
};

TAILQ_HEAD(post_list, http_post);

struct http_posts {
	struct intake *intake;
	struct gunzip *gunzip;
	struct event *work;
	struct post_list queue;	  /* the first is worked on */
	struct post_list waiting; /* for their receipts; the oldest first */
	size_t held;		  /* in both */
	size_t unsafe;		  /* of these, lines that are in and not safe */
	bool stopping;
};

static void
post_hold(struct http_post *p, size_t bytes)
{
	p->posts->held += bytes - p->held;
	p->held = bytes;
}

static void
post_free(struct http_post *p)
{
	TAILQ_REMOVE(p->state == POST_WAITING ? &p->posts->waiting : &p->posts->queue, p, link);
	if (p->state != POST_QUEUED)
		p->posts->unsafe -= p->held;
	post_hold(p, 0);
	http_body_free(&p->body);
	free(p);
}

void
http_post_error(struct http_response *response, int status, const char *text)
{
	http_response_error(response, status, text);
	if (status == 429 || status == 503)
		http_response_header(response, "Retry-After", RETRY_AFTER_S);
}

/* text: NULL with 204. */
static void
post_answer(struct http_post *p, int status, const char *text)
{
	struct http_response response;

	if (p->later == NULL)
		return;
	http_response_init(&response);
	response.status = status;
	if (text != NULL) {
		http_post_error(&response, status, text);
		p->share->counts.requests_refused++;
	}
	http_later_answer(p->later, &response);
	p->later = NULL;
}

/* The lines are safe. */
static void
post_safe(struct http_post *p)
{
	if (p->later != NULL) {
		stats_add(&p->posts->intake->stats->lines_acknowledged, p->body.lines);
		p->share->counts.lines_acknowledged += p->body.lines;
	}
	post_answer(p, 204, NULL);
	post_free(p);
}

static void
post_lost(struct http_post *p)
{
	post_answer(p, 503,
		    "lines cannot be written to disk now, and memory is full: some were given up; "
		    "send all of them again");
	post_free(p);
}

static void
on_done(void *arg, bool safe)
{
	if (safe)
		post_safe(arg);
	else
		post_lost(arg);
}

static void
on_gone(void *arg)
{
	struct http_post *p = arg;

	p->later = NULL;
	if (p->state == POST_WAITING)
		receipt_forget(p->receipt);
	/* What was begun comes in whole. */
	if (p->state != POST_APPENDING)
		post_free(p);
}

/* held: what is there already; bytes: what would come to it. */
static const char *
cannot_take(const struct http_posts *posts, size_t held, size_t bytes, int *status)
{
	*status = 503;
	if (posts->stopping)
		return "the gateway stops; nothing was taken, send it again";
	if (posts->intake->ingest->failing)
		return "lines cannot be written to disk now; nothing was taken, send it again";
	*status = 429;
	if (posts->intake->paused)
		return "too many lines wait for their receivers; nothing was taken, send it again";
	if (held > 0 && held + bytes > HTTP_POSTS_BYTES)
		return "too many requests wait for their lines to be safe; nothing was taken, send "
		       "it again";
	return NULL;
}

bool
http_posts_refuse(const struct http_posts *posts, size_t bytes, struct http_response *response)
{
	int status;
	const char *why = cannot_take(posts, posts->held, bytes, &status);

	if (why == NULL)
		return false;
	http_post_error(response, status, why);
	return true;
}

static void
count_lines(const struct http_post *p)
{
	struct stats *stats = p->posts->intake->stats;
	const struct http_body *b = &p->body;

	stats_add(&stats->lines_cut, b->cut);
	stats_add(&stats->lines_rewritten, b->rewritten);
	p->share->counts.lines += b->lines;
	p->share->counts.lines_cut += b->cut;
}

/* All lines are in. */
static void
appended(struct http_post *p)
{
	count_lines(p);
	TAILQ_REMOVE(&p->posts->queue, p, link);
	TAILQ_INSERT_TAIL(&p->posts->waiting, p, link);
	p->state = POST_WAITING;
	buf_free(&p->body.frames);
	switch (receipt_close(p->receipt)) {
	case RECEIPT_SAFE:
		post_safe(p);
		break;
	case RECEIPT_LOST:
		post_lost(p);
		break;
	case RECEIPT_WAITS:
		if (p->later != NULL)
			break;
		receipt_forget(p->receipt);
		post_free(p);
		break;
	}
}

static void
append_some(struct http_post *p, size_t bytes)
{
	struct intake *intake = p->posts->intake;
	struct ingest *in = intake->ingest;
	struct line line = {.verbatim = true};
	size_t until = p->appended + bytes;
	bool more = true;

	ingest_begin(in);
	in->receipt = p->receipt;
	while (p->appended < until) {
		more = http_body_frame(&p->body, &p->appended, &line.frame);
		if (!more)
			break;
		ingest_line(in, slice_str(p->app), &line);
	}
	in->receipt = NULL;
	intake->read_done(intake->arg);
	if (!more)
		appended(p);
}

/* All of it is good.  Meanwhile other lines may have come, and it may have become large. */
static void
begin_append(struct http_post *p)
{
	size_t bytes = p->body.frames.n;
	int status;
	const char *why = cannot_take(p->posts, p->posts->unsafe, bytes, &status);

	if (p->body.lines == 0) {
		post_safe(p);
	} else if (why != NULL) {
		post_answer(p, status, why);
		post_free(p);
	} else {
		p->state = POST_APPENDING;
		post_hold(p, bytes);
		p->posts->unsafe += bytes;
		p->receipt = receipt_new(on_done, p);
	}
}

static struct body_env
post_env(struct http_post *p)
{
	const struct listen_url *url = p->share->url;
	struct intake *intake = p->posts->intake;

	return (struct body_env){.parse = {.hostname = url->hostname == HOSTNAME_FIXED
							   ? slice_str(url->hostname_fixed)
							   : slice_str(p->hostname),
					   .hostname_always = url->hostname != HOSTNAME_KEEP,
					   .now_us = p->now_us,
					   .now_text = slice_str(p->now_text),
					   .tz_local = url->tz_local,
					   .tz_minutes = url->tz_minutes,
					   .scratch = &intake->ingest->parse_scratch},
				 .app = slice_str(p->app),
				 .max_line = (size_t)intake->config->max_line};
}

/* A piece of the first one's work. */
static void
work_on(struct http_post *p, size_t bytes)
{
	struct body_env env;

	if (p->state == POST_APPENDING) {
		append_some(p, bytes);
		return;
	}
	env = post_env(p);
	switch (http_body_some(&p->body, p->posts->gunzip, &env, bytes)) {
	case HTTP_BODY_MORE:
		break;
	case HTTP_BODY_DONE:
		begin_append(p);
		break;
	case HTTP_BODY_REFUSED:
		post_answer(p, p->body.status, p->body.fault);
		post_free(p);
		break;
	}
}

/* Pieces that are smaller than a turn's share, as most bodies are, get it together. */
static size_t
piece_of(const struct http_post *p)
{
	return p->body.bytes.n + p->body.plain.n + p->body.frames.n;
}

static void
run(struct http_posts *posts)
{
	struct http_post *p;
	struct timeval tv = {0};
	size_t done = 0;

	while ((p = TAILQ_FIRST(&posts->queue)) != NULL && done < TURN_BYTES) {
		size_t piece = piece_of(p);

		/* Memory is the reason: what comes in must not add to it. */
		if (p->state == POST_APPENDING && posts->intake->paused) {
			tv.tv_usec = PAUSED_MS * 1000;
			break;
		}
		work_on(p, TURN_BYTES);
		done += piece < TURN_BYTES ? piece : TURN_BYTES;
	}
	if (p != NULL)
		evtimer_add(posts->work, &tv);
}

static void
on_work(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	run(arg);
}

struct http_posts *
http_posts_new(struct intake *intake)
{
	struct http_posts *posts = xcalloc(1, sizeof(*posts));

	posts->intake = intake;
	posts->gunzip = gunzip_new();
	posts->work = evtimer_new(intake->base, on_work, posts);
	if (posts->work == NULL)
		abort();
	TAILQ_INIT(&posts->queue);
	TAILQ_INIT(&posts->waiting);
	return posts;
}

void
http_posts_free(struct http_posts *posts)
{
	struct http_post *p;

	if (posts == NULL)
		return;
	while ((p = TAILQ_FIRST(&posts->waiting)) != NULL) {
		receipt_forget(p->receipt);
		post_free(p);
	}
	while ((p = TAILQ_FIRST(&posts->queue)) != NULL) {
		if (p->receipt != NULL && receipt_close(p->receipt) == RECEIPT_WAITS)
			receipt_forget(p->receipt);
		post_free(p);
	}
	event_free(posts->work);
	gunzip_free(posts->gunzip);
	free(posts);
}

void
http_posts_add(struct http_posts *posts, const struct http_post_head *head, struct buf *bytes,
	       struct http_response *response)
{
	struct http_post *p = xcalloc(1, sizeof(*p));
	bool alone = TAILQ_EMPTY(&posts->queue);

	p->posts = posts;
	p->share = head->share;
	p->since_ms = clock_mono_ms();
	p->now_us = clock_wall_us();
	timestamp_format(p->now_us, p->now_text);
	assert(head->app.n < sizeof(p->app) && head->hostname.n < sizeof(p->hostname));
	memcpy(p->app, head->app.p, head->app.n);
	memcpy(p->hostname, head->hostname.p, head->hostname.n);
	http_body_init(&p->body, &head->body, bytes);
	post_hold(p, p->body.bytes.n);
	p->later = http_response_later(response, on_gone, p);
	TAILQ_INSERT_TAIL(&posts->queue, p, link);
	if (alone)
		run(posts);
}

/* It has taken too long. */
static void
give_up(struct http_post *p)
{
	if (p->state == POST_QUEUED)
		post_answer(p, 503, "too busy for 30 s; nothing was taken, send it again");
	else
		post_answer(p, 503,
			    "not safe within 30 s: the lines may be delivered nevertheless, and "
			    "twice if they are sent again");
	/* What was begun comes in whole. */
	if (p->state == POST_APPENDING)
		return;
	if (p->state == POST_WAITING)
		receipt_forget(p->receipt);
	post_free(p);
}

static void
give_up_old(struct post_list *list, int64_t before_ms)
{
	struct http_post *p, *next;

	for (p = TAILQ_FIRST(list); p != NULL && p->since_ms < before_ms; p = next) {
		next = TAILQ_NEXT(p, link);
		give_up(p);
	}
}

void
http_posts_sweep(struct http_posts *posts, int64_t now_ms)
{
	give_up_old(&posts->queue, now_ms - HTTP_POST_MS);
	give_up_old(&posts->waiting, now_ms - HTTP_POST_MS);
}

void
http_posts_stop(struct http_posts *posts)
{
	struct http_post *p;
	int status;
	const char *why;

	posts->stopping = true;
	why = cannot_take(posts, 0, 0, &status);
	while ((p = TAILQ_FIRST(&posts->queue)) != NULL) {
		if (p->state == POST_APPENDING) {
			append_some(p, SIZE_MAX - p->appended);
		} else {
			post_answer(p, status, why);
			post_free(p);
		}
	}
	event_del(posts->work);
}

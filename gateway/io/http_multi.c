#include "io/http_multi.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/xmalloc.h"

enum {
	/* Idle connections that are kept: a TLS one has some 25 kB. */
	CONNECTIONS_KEPT = 128,
	EASY_KEPT = 64
};

struct http_multi {
	struct event_base *base;
	CURLM *curl;
	http_multi_done *done;
	struct event timer;
	CURL *idle[EASY_KEPT];
	size_t nidle;
	size_t running; /* handles that were added */
};

/* One that libcurl wants to hear of. */
struct multi_socket {
	struct http_multi *multi;
	struct event event;
};

/* libcurl's memory and handles: without them nothing goes on. */
static void
must(bool ok)
{
	if (!ok) {
		log_error("libcurl failed", NULL);
		abort();
	}
}

/*
 * For libcurl its limit is on all connections.  Those in use must not count, or
 * as many receivers that hang would end the keeping of connections for all.
 */
static void
set_running(struct http_multi *m, size_t running)
{
	m->running = running;
	curl_multi_setopt(m->curl, CURLMOPT_MAXCONNECTS, (long)(CONNECTIONS_KEPT + running));
}

static void
multi_turn(struct http_multi *m, curl_socket_t fd, int mask)
{
	CURLMsg *msg;
	CURLcode code;
	CURL *easy;
	int running, left;

	must(curl_multi_socket_action(m->curl, fd, mask, &running) == CURLM_OK);
	while ((msg = curl_multi_info_read(m->curl, &left)) != NULL) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		/* msg does not outlive the handle's place in the multi. */
		easy = msg->easy_handle;
		code = msg->data.result;
		http_multi_remove(m, easy);
		m->done(easy, code);
	}
}

static void
on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct multi_socket *s = arg;
	int mask = 0;

	if (what & EV_READ)
		mask |= CURL_CSELECT_IN;
	if (what & EV_WRITE)
		mask |= CURL_CSELECT_OUT;
	multi_turn(s->multi, fd, mask);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	multi_turn(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int
on_watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct http_multi *m = arg;
	struct multi_socket *s = known;
	short events = EV_PERSIST;

	(void)easy;
	if (s != NULL)
		event_del(&s->event);
	if (what == CURL_POLL_REMOVE) {
		free(s);
		return 0;
	}
	if (s == NULL) {
		s = xcalloc(1, sizeof(*s));
		s->multi = m;
		curl_multi_assign(m->curl, fd, s);
	}
	if (what & CURL_POLL_IN)
		events |= EV_READ;
	if (what & CURL_POLL_OUT)
		events |= EV_WRITE;
	event_assign(&s->event, m->base, fd, events, on_socket, s);
	must(event_add(&s->event, NULL) == 0);
	return 0;
}

/* libcurl forbids to call it from here: 0 ms is the next turn of the loop. */
static int
on_time(CURLM *curl, long ms, void *arg)
{
	struct http_multi *m = arg;
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	(void)curl;
	if (ms < 0)
		event_del(&m->timer);
	else
		must(event_add(&m->timer, &tv) == 0);
	return 0;
}

struct http_multi *
http_multi_new(struct event_base *base, http_multi_done *done)
{
	struct http_multi *m = xcalloc(1, sizeof(*m));

	m->base = base;
	m->done = done;
	m->curl = curl_multi_init();
	must(m->curl != NULL);
	evtimer_assign(&m->timer, base, on_timer, m);
	curl_multi_setopt(m->curl, CURLMOPT_SOCKETFUNCTION, on_watch);
	curl_multi_setopt(m->curl, CURLMOPT_SOCKETDATA, m);
	curl_multi_setopt(m->curl, CURLMOPT_TIMERFUNCTION, on_time);
	curl_multi_setopt(m->curl, CURLMOPT_TIMERDATA, m);
	curl_multi_setopt(m->curl, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	set_running(m, 0);
	return m;
}

void
http_multi_free(struct http_multi *m)
{
	if (m == NULL)
		return;
	while (m->nidle > 0)
		curl_easy_cleanup(m->idle[--m->nidle]);
	curl_multi_cleanup(m->curl);
	event_del(&m->timer);
	free(m);
}

CURL *
http_multi_take(struct http_multi *m)
{
	CURL *easy = m->nidle > 0 ? m->idle[--m->nidle] : curl_easy_init();

	must(easy != NULL);
	return easy;
}

void
http_multi_give(struct http_multi *m, CURL *easy)
{
	if (m->nidle == EASY_KEPT) {
		curl_easy_cleanup(easy);
		return;
	}
	curl_easy_reset(easy);
	m->idle[m->nidle++] = easy;
}

void
http_multi_add(struct http_multi *m, CURL *easy)
{
	set_running(m, m->running + 1);
	must(curl_multi_add_handle(m->curl, easy) == CURLM_OK);
}

void
http_multi_remove(struct http_multi *m, CURL *easy)
{
	curl_multi_remove_handle(m->curl, easy);
	set_running(m, m->running - 1);
}

#include "ends/http_intake.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/percent.h"
#include "base/units.h"
#include "base/xmalloc.h"
#include "ends/http_post.h"
#include "io/http_server.h"
#include "plumb/tls.h"
#include "store/record.h"

enum { CERT_NAME_BYTES = 256 };

/* A worker's.  Senders keep their connections: they are closed late. */
static const struct http_limits limits = {.request_line = 8 * 1024,
					  .headers = 16 * 1024,
					  .body = HTTP_BODY_BYTES,
					  .bodies = 64 * 1024 * 1024,
					  .request_ms = 60 * 1000,
					  .idle_ms = 5 * 60 * 1000,
					  .later_ms = 2 * HTTP_POST_MS,
					  .connections = 1024};

/* One line in this time about senders that may not, and one about connections that are too many. */
enum { SAY_AGAIN_MS = 10 * 1000 };

struct http_intake {
	struct intake *intake;
	struct http_server *server;
	struct http_posts *posts;
	int64_t forbidden_ms; /* when it was said that somebody may not; 0: never */
	int64_t full_ms;      /* when it was said that there are too many connections */
};

/* A request on its way through the checks. */
struct asked {
	struct http_intake *http;
	struct listener_share *share;
	const struct http_request *request;
	struct http_response *response;
	struct buf app; /* the path's, decoded */
	struct http_body_head body;
};

/* Returns false always, so that a check can end with it. */
static bool
refuse(struct asked *a, int status, const char *text)
{
	http_post_error(a->response, status, text);
	return false;
}

/* /v1/apps/:app/logs: takes :app out of it. */
static bool
path_app(struct slice path, struct slice *app)
{
	static const struct slice head = SLICE_INIT("/v1/apps/"), tail = SLICE_INIT("/logs");

	if (path.n <= head.n + tail.n || memcmp(path.p, head.p, head.n) != 0 ||
	    memcmp(path.p + path.n - tail.n, tail.p, tail.n) != 0)
		return false;
	*app = slice_of(path.p + head.n, path.n - head.n - tail.n);
	return memchr(app->p, '/', app->n) == NULL;
}

/* :app may be an app's id; lines then are of its name. */
static void
name_of_id(struct asked *a)
{
	uint64_t serial = app_id_serial(a->app.p, a->app.n);
	const struct route *route =
	    serial != 0 ? routes_by_app(a->http->intake->ingest->routes, serial) : NULL;

	if (route == NULL || !slice_is(buf_slice(&a->app), route->id))
		return;
	a->app.n = 0;
	buf_add_slice(&a->app, route->name);
}

static bool
check_path(struct asked *a)
{
	struct slice app;

	if (!path_app(a->request->path, &app))
		return refuse(a, 404, "not found; lines go to POST /v1/apps/NAME/logs");
	if (!slice_is(a->request->method, "POST")) {
		http_response_header(a->response, "Allow", "POST");
		return refuse(a, 405, "method not allowed; this path takes POST");
	}
	if (!percent_decode(app, PERCENT_PLUS_KEPT, &a->app) || !name_is_app(buf_slice(&a->app)))
		return refuse(a, 404,
			      "no app can have that name; it is 1 to 48 printable ASCII characters "
			      "without space, percent-encoded");
	name_of_id(a);
	return true;
}

static bool
may_say(int64_t *said_ms)
{
	int64_t now = clock_mono_ms();

	if (*said_ms != 0 && now - *said_ms < SAY_AGAIN_MS)
		return false;
	*said_ms = now;
	return true;
}

static void
say_forbidden(struct asked *a, const char *cert)
{
	if (!may_say(&a->http->forbidden_ms))
		return;
	log_warn("lines over HTTP refused: their app is not the sender's", "listener",
		 a->share->url->text, "app", buf_cstr(&a->app), "certificate", cert, NULL);
}

/* What the listener's rule says of who asks, and whether it is the app of the path. */
static bool
check_sender(struct asked *a)
{
	struct ingest *in = a->http->intake->ingest;
	char name[CERT_NAME_BYTES];
	struct slice cert = {NULL, 0}, key, app;
	struct line line = {.app_name = SLICE("-")};

	if (a->share->rule == NULL)
		return true;
	if (a->request->ssl != NULL && tls_peer_name(a->request->ssl, name, sizeof(name)))
		cert = slice_str(name);
	app = tag_rule_app(a->share->rule, &line, cert, &in->tag_scratch, &key);
	if (app.p != NULL && slice_eq(app, buf_slice(&a->app)))
		return true;
	say_forbidden(a, cert.p != NULL ? name : NULL);
	buf_add_str(&a->response->body,
		    cert.p == NULL && a->share->url->auth != TLS_CLIENT_NONE
			? "{\"error\":\"a client certificate is needed, which names the app\","
			  "\"code\":\"forbidden\"}"
			: "{\"error\":\"this listener takes no lines for that app from you\","
			  "\"code\":\"forbidden\"}");
	a->response->status = 403;
	return false;
}

/* Lines of an app that nobody knows: the operator sees its name where others are. */
static bool
check_app(struct asked *a)
{
	struct ingest *in = a->http->intake->ingest;

	if (routes_by_name(in->routes, buf_slice(&a->app)) != NULL ||
	    (in->catch_all.p != NULL && routes_by_name(in->routes, in->catch_all) != NULL))
		return true;
	ingest_begin(in);
	in->unknown(buf_slice(&a->app), in->arg);
	buf_add_str(
	    &a->response->body,
	    "{\"resource\":\"app\",\"error\":\"not found; add a drain to it by the admin API, or "
	    "create it with POST /v1/apps there\"}");
	a->response->status = 404;
	return false;
}

static bool
check_encoding(struct asked *a)
{
	struct slice coding = http_request_header(a->request, "Content-Encoding");

	a->body.gzip = http_name_is(coding, "gzip") || http_name_is(coding, "x-gzip");
	if (coding.n == 0 || a->body.gzip || http_name_is(coding, "identity"))
		return true;
	http_response_header(a->response, "Accept-Encoding", "gzip");
	return refuse(a, 415, "unknown Content-Encoding; send gzip, or none");
}

static bool
check_type(struct asked *a)
{
	static const struct slice form = SLICE_INIT("application/x-www-form-urlencoded");
	struct slice type = http_request_header(a->request, "Content-Type");

	if (body_kind_of(type, &a->body.kind))
		return true;
	http_response_header(a->response, "Accept",
			     "text/plain, application/x-ndjson, "
			     "application/json, application/logplex-1");
	/* With -d it also takes the line ends of a file out, so this is not to be guessed. */
	if (type.n >= form.n && strncasecmp(type.p, form.p, form.n) == 0)
		return refuse(a, 415,
			      "a form, which is what curl -d says of everything; send " BODY_KINDS
			      ", with curl by -H 'Content-Type: text/plain' --data-binary @FILE");
	return refuse(a, 415, "unknown Content-Type; send " BODY_KINDS);
}

static bool
check_count(struct asked *a)
{
	struct slice count = http_request_header(a->request, "Logplex-Msg-Count");
	const char *fault;
	bool ok;
	char *text;

	a->body.count = -1;
	if (a->body.kind != BODY_LOGPLEX || count.p == NULL)
		return true;
	text = xstrndup(count.p, count.n);
	ok = units_parse_count(text, &a->body.count, &fault);
	free(text);
	return ok || refuse(a, 400, "malformed Logplex-Msg-Count; send digits, or leave it out");
}

static void
take(struct asked *a)
{
	char text[PEER_NAME_BYTES];
	struct http_post_head head = {
	    .share = a->share,
	    .app = buf_slice(&a->app),
	    .hostname = peer_name(a->request->peer, a->http->intake->host, text),
	    .body = a->body,
	};
	struct buf bytes = *a->request->body_buf;

	*a->request->body_buf = (struct buf){0};
	http_posts_add(a->http->posts, &head, &bytes, a->response);
}

static void
on_request(const struct http_request *request, struct http_response *response, void *arg)
{
	struct http_intake *http = arg;
	struct asked a = {
	    .http = http, .share = request->origin, .request = request, .response = response};

	a.share->counts.requests++;
	a.share->counts.bytes += request->body.n;
	stats_add(&http->intake->stats->bytes_in, request->body.n);
	if (check_path(&a) && check_sender(&a) && check_app(&a) && check_encoding(&a) &&
	    check_type(&a) && check_count(&a) &&
	    !http_posts_refuse(http->posts, request->body.n, response))
		take(&a);
	else
		a.share->counts.requests_refused++;
	buf_free(&a.app);
}

static void
on_closed(void *origin, enum http_end end, void *arg)
{
	struct listener_share *share = origin;
	const struct http_intake *http = arg;

	share->counts.open--;
	if (end == HTTP_END_HANDSHAKE) {
		stats_add(&http->intake->stats->handshakes_failed, 1);
		share->counts.handshakes_failed++;
	} else if (end == HTTP_END_TIMED_OUT) {
		stats_add(&http->intake->stats->sessions_timed_out, 1);
		share->counts.sessions_timed_out++;
	}
}

struct http_intake *
http_intake_new(struct intake *intake)
{
	struct http_intake *http = xcalloc(1, sizeof(*http));

	http->intake = intake;
	http->server = http_server_new(intake->base, &limits, on_request, http);
	http_server_on_closed(http->server, on_closed);
	http->posts = http_posts_new(intake);
	return http;
}

void
http_intake_free(struct http_intake *http)
{
	if (http == NULL)
		return;
	/* First those who wait, then what they wait for. */
	http_server_free(http->server);
	http_posts_free(http->posts);
	free(http);
}

void
http_intake_take(struct http_intake *http, struct listener_share *share, int fd,
		 const struct sockaddr *peer, SSL_CTX *ctx)
{
	struct sockaddr_storage from = {0};

	memcpy(&from, peer,
	       peer->sa_family == AF_INET ? sizeof(struct sockaddr_in)
					  : sizeof(struct sockaddr_in6));
	if (http_server_take(http->server, fd, ctx, &from, share)) {
		stats_add(&http->intake->stats->connections_accepted, 1);
		share->counts.connections++;
		share->counts.open++;
	} else {
		stats_add(&http->intake->stats->connections_refused, 1);
		share->counts.connections_refused++;
		if (may_say(&http->full_ms))
			log_warn("HTTP connections refused: this worker has as many as it may",
				 "listener", share->url->text, "allowed",
				 log_u64(limits.connections), "remedy",
				 "let senders use fewer, or raise workers", NULL);
	}
}

void
http_intake_sweep(struct http_intake *http, int64_t now_ms)
{
	http_posts_sweep(http->posts, now_ms);
}

void
http_intake_stop(struct http_intake *http)
{
	http_posts_stop(http->posts);
	http_server_stop(http->server);
}

size_t
http_intake_busy(const struct http_intake *http)
{
	return http_server_answers(http->server);
}

/* GET /metrics: its format, who may read it, and what becomes of many drains. */
#include "api_test.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include "admin/metrics.h"
#include "admin/metrics_text.h"

static const char *
text_of(struct api *t)
{
	return buf_cstr(&t->resp.body);
}

static void
has(struct api *t, const char *text)
{
	if (strstr(text_of(t), text) == NULL)
		fail_msg("no %s in:\n%s", text, text_of(t));
}

static void
a_workers_counters_are_there_with_their_texts(void **state)
{
	struct api *t = *state;

	t->gateway.lines_in = 18446744073709551615U;
	ask(t, "GET", "/metrics", NULL);
	assert_int_equal(t->resp.status, 200);
	assert_string_equal(t->resp.content_type, "text/plain; version=0.0.4; charset=utf-8");
	has(t, "# HELP penstock_lines_in_total lines read\n# TYPE penstock_lines_in_total counter\n"
	       "penstock_lines_in_total{worker=\"0\"} 18446744073709551615\n");
	has(t, "penstock_build_info{version=\"" PENSTOCK_VERSION "\"} 1\n");
	has(t,
	    "penstock_drain_retries_total{app=\"_others\",type=\"_others\",drain=\"_others\"} 0\n");
	has(t, "\nprocess_resident_memory_bytes ");
	assert_true(t->resp.body.p[t->resp.body.n - 1] == '\n');
}

static void
a_workers_counter_is_not_taken_back(void **state)
{
	struct api *t = *state;

	t->gateway.lines_in = 10;
	ask(t, "GET", "/metrics", NULL);
	t->gateway.lines_in = 7;
	ask(t, "GET", "/metrics", NULL);
	has(t, "penstock_lines_in_total{worker=\"0\"} 10\n");
	t->gateway.lines_in = 11;
	ask(t, "GET", "/metrics", NULL);
	has(t, "penstock_lines_in_total{worker=\"0\"} 11\n");
}

static void
a_spool_is_told_of_when_there_is_one(void **state)
{
	static struct spooler_stats stats = {.commits = 11,
					     .commit_us = 1234567,
					     .failures = 2,
					     .chunks_in = 33,
					     .bytes_in = 44,
					     .chunks_out = 55,
					     .bytes_out = 66,
					     .chunks_damaged = 7,
					     .bytes = 18446744073709551615U,
					     .failing = true};
	struct api *t = *state;

	ask(t, "GET", "/metrics", NULL);
	assert_null(strstr(text_of(t), "penstock_spool"));
	t->gateway.spool = &stats;
	ask(t, "GET", "/metrics", NULL);
	has(t, "# HELP penstock_spool_bytes bytes of lines that are kept on disk\n"
	       "# TYPE penstock_spool_bytes gauge\npenstock_spool_bytes 18446744073709551615\n");
	has(t, "# TYPE penstock_spool_commits_total counter\npenstock_spool_commits_total 11\n");
	has(t, "\npenstock_spool_commit_seconds_total 1.234\n");
	has(t, "\npenstock_spool_failures_total 2\n");
	has(t, "\npenstock_spool_written_chunks_total 33\n");
	has(t, "\npenstock_spool_written_bytes_total 44\n");
	has(t, "\npenstock_spool_read_chunks_total 55\n");
	has(t, "\npenstock_spool_read_bytes_total 66\n");
	has(t, "\npenstock_spool_damaged_chunks_total 7\n");
	has(t, "\npenstock_spool_failing 1\n");
}

static void
labels_are_escaped_and_valid_text(void **state)
{
	struct api *t = *state;

	ask(t, "GET", "/metrics", NULL);
	has(t, "penstock_listener_lines_total{listener=\"syslog+unix:///"
	       "a\\\"b\\\\c\\nd\xef\xbf\xbd\"} "
	       "0\n");
}

/* The labels of one value; bytes of its exact size, so that a sanitizer sees a read past them. */
static const char *
label(const char *p, size_t n)
{
	static char out[128];
	struct slice bytes = exact(p, n);
	struct buf labels = {0};

	metric_label(&labels, "x", bytes);
	snprintf(out, sizeof(out), "%s", buf_cstr(&labels));
	buf_free(&labels);
	free((char *)bytes.p);
	return out;
}

static void
any_bytes_make_a_label(void **state)
{
	(void)state;
#define LABEL(literal) label(literal, sizeof(literal) - 1)
	assert_string_equal(LABEL(""), "x=\"\"");
	assert_string_equal(LABEL("a b"), "x=\"a b\"");
	assert_string_equal(LABEL("\\n\n\""), "x=\"\\\\n\\n\\\"\"");
	assert_string_equal(LABEL("a\0b\r\x7f"), "x=\"a\xef\xbf\xbd"
						 "b\xef\xbf\xbd\xef\xbf\xbd\"");
	assert_string_equal(LABEL("\xc3\xa9\xe2\x82\xac"), "x=\"\xc3\xa9\xe2\x82\xac\"");
	assert_string_equal(LABEL("\xe2\x82"), "x=\"\xef\xbf\xbd\xef\xbf\xbd\"");
	assert_string_equal(LABEL("\xc0\x80\xff"), "x=\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
#undef LABEL
}

static void
this_machine_needs_no_token(void **state)
{
	static const struct {
		const char *address;
		int status;
	} table[] = {
	    {"127.0.0.1", 200},
	    {"127.8.8.8", 200},
	    {"::1", 200},
	    {"::ffff:127.0.0.1", 200},
	    {"10.0.0.1", 401},
	    {"128.0.0.1", 401},
	    {"0.0.0.0", 401},
	    {"::", 401},
	    {"::2", 401},
	    {"fe80::1", 401},
	    {"::ffff:10.0.0.1", 401},
	    {"::127.0.0.1", 401},
	};
	struct api *t = *state;
	struct http_request req = {.method = SLICE("GET"), .path = SLICE("/metrics")};
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
		struct sockaddr_in in = {.sin_family = AF_INET};

		api_forget(t);
		req.peer = (const struct sockaddr *)&in;
		if (inet_pton(AF_INET, table[i].address, &in.sin_addr) != 1) {
			assert_int_equal(inet_pton(AF_INET6, table[i].address, &in6.sin6_addr), 1);
			req.peer = (const struct sockaddr *)&in6;
		}
		admin_handle(&req, &t->resp, t->admin);
		if (t->resp.status != table[i].status)
			fail_msg("%s: %d", table[i].address, t->resp.status);
	}
	api_forget(t);
	req.peer = (const struct sockaddr *)&un;
	admin_handle(&req, &t->resp, t->admin);
	assert_int_equal(t->resp.status, 200);
}

static void
who_comes_by_way_of_a_proxy_is_not_this_machine(void **state)
{
	static const char *const names[] = {"X-Forwarded-For",	 "x-forwarded-for",
					    "X-Forwarded-Proto", "X-Forwarded-Host",
					    "Forwarded",	 "Via",
					    "X-Real-IP"};
	struct api *t = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct http_header header = {slice_str(names[i]), SLICE("10.0.0.1")};
		struct http_request req = {.method = SLICE("GET"),
					   .path = SLICE("/metrics"),
					   .headers = &header,
					   .nheaders = 1,
					   .peer = (const struct sockaddr *)&t->peer};

		api_forget(t);
		admin_handle(&req, &t->resp, t->admin);
		assert_int_equal(t->resp.status, 401);
	}
}

static void
elsewhere_a_token_for_all_apps_is_needed(void **state)
{
	static char bearer[128];
	struct api *t = *state;
	char secret[256];

	ask(t, "POST", "/v1/apps", "{\"app\":{\"name\":\"web\"}}");
	t->peer.sin_addr.s_addr = htonl(0x0a000001);
	ask(t, "GET", "/metrics", NULL);
	assert_int_equal(t->resp.status, 200);
	ask(t, "POST", "/v1/tokens", "{\"token\":{\"name\":\"x\",\"app\":\"web\"}}");
	snprintf(bearer, sizeof(bearer), "Bearer %.80s", member(t, "token.token", secret));
	t->authorization = bearer;
	ask(t, "GET", "/metrics", NULL);
	assert_int_equal(t->resp.status, 403);
	t->authorization = operator_basic;
	ask(t, "POST", "/v1/tokens", "{\"token\":{\"name\":\"y\"}}");
	snprintf(bearer, sizeof(bearer), "Bearer %.80s", member(t, "token.token", secret));
	t->authorization = bearer;
	ask(t, "GET", "/metrics", NULL);
	assert_int_equal(t->resp.status, 200);
	t->authorization = NULL;
	ask(t, "GET", "/metrics", NULL);
	assert_int_equal(t->resp.status, 401);
}

static void
without_a_token_nothing_but_metrics_is_told(void **state)
{
	struct api *t = *state;

	t->authorization = NULL;
	ask(t, "POST", "/metrics", "{}");
	assert_int_equal(t->resp.status, 405);
	ask(t, "GET", "/metrics/", NULL);
	assert_int_equal(t->resp.status, 401);
	ask(t, "GET", "/v1/drains", NULL);
	assert_int_equal(t->resp.status, 401);
}

static void
a_busy_worker_is_said(void **state)
{
	struct api *t = *state;

	t->gateway.fail = GATEWAY_BUSY;
	ask(t, "GET", "/metrics", NULL);
	assert_int_equal(t->resp.status, 503);
	assert_string_equal(t->resp.content_type, "application/json");
}

enum { MANY = METRICS_DETAIL_MAX + 500 };

/* Each drain has an app of its own; the last ones have problems. */
static void
make_many(struct gateway_numbers *n, uint64_t counted)
{
	*n = (struct gateway_numbers){.apps = calloc(MANY, sizeof(*n->apps)),
				      .drains = calloc(MANY, sizeof(*n->drains)),
				      .napps = MANY,
				      .ndrains = MANY};
	for (size_t i = 0; i < MANY; i++) {
		n->apps[i] = (struct app_numbers){
		    .serial = i + 1, .count = {[APP_LINES] = counted}, .drains = 1};
		snprintf(n->apps[i].name, sizeof(n->apps[i].name), "app%zu", i);
		n->drains[i] = (struct drain_numbers){
		    .id = i + 1,
		    .app = i,
		    .type = drain_type_find("syslog"),
		    .state = i < MANY - 100 ? DRAIN_CONNECTED : DRAIN_BLOCKED,
		    .count = {[DRAIN_DELIVERED_LINES] = counted},
		    .lines_waiting = 2,
		    .oldest_waiting_ms = i == METRICS_DETAIL_MAX ? 700 : 5};
	}
	/* One that must not be taken for the sum. */
	snprintf(n->apps[0].name, sizeof(n->apps[0].name), "_others");
}

/* How many samples of a family there are, and their sum. */
static unsigned
count_samples(const char *text, const char *name, unsigned long long *sum)
{
	unsigned n = 0;
	size_t len = strlen(name);

	*sum = 0;
	for (const char *at = text; at != NULL && *at != '\0'; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, name, len) != 0 || at[len] != '{')
			continue;
		n++;
		*sum += strtoull(strstr(at, "} ") + 2, NULL, 10);
	}
	return n;
}

static void
more_than_a_thousand_drains_are_summed(void **state)
{
	static const char delivered[] = "penstock_drain_delivered_lines_total";
	struct metrics m = {0};
	struct gateway_numbers n;
	struct buf out = {0};
	unsigned long long sum;
	const char *text;

	(void)state;
	for (uint64_t counted = 10; counted <= 30; counted += 10) {
		make_many(&n, counted);
		buf_free(&out);
		metrics_write(&m, &n, &out);
		text = buf_cstr(&out);
		assert_int_equal(count_samples(text, delivered, &sum), METRICS_DETAIL_MAX + 1);
		assert_int_equal(sum, MANY * counted);
		assert_int_equal(count_samples(text, "penstock_app_lines_total", &sum),
				 METRICS_DETAIL_MAX + 1);
		assert_int_equal(sum, MANY * counted);
		assert_int_equal(count_samples(text, "penstock_app_drains", &sum),
				 METRICS_DETAIL_MAX + 1);
		assert_int_equal(sum, MANY);
		assert_int_equal(count_samples(text, "penstock_drain_waiting_lines", &sum),
				 METRICS_DETAIL_MAX + 1);
		assert_int_equal(sum, MANY * 2);
		count_samples(text, "penstock_drain_state", &sum);
		assert_int_equal(sum, MANY);
		/* Those with problems are told; of the others the first ones. */
		assert_non_null(strstr(text, "{app=\"app1499\",type=\"syslog\",drain=\"1500\","
					     "state=\"blocked\"} 1\n"));
		assert_non_null(strstr(text, "{app=\"app1\",type=\"syslog\",drain=\"2\"} "));
		assert_null(strstr(text, "app=\"app1200\""));
		assert_null(strstr(text, "drain=\"1\""));
		assert_non_null(strstr(text,
				       "penstock_drain_oldest_waiting_seconds{app=\"_others\","
				       "type=\"_others\",drain=\"_others\"} 0.700\n"));
		/* The app of that name is in the sum. */
		assert_null(strstr(text, "penstock_app_lines_total{app=\"_others\"} 10\n"));
		assert_true(out.n < 4U << 20);
		gateway_numbers_clear(&n);
	}
	buf_free(&out);
	metrics_clear(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    API_TEST(a_workers_counters_are_there_with_their_texts),
	    API_TEST(a_workers_counter_is_not_taken_back),
	    API_TEST(a_spool_is_told_of_when_there_is_one),
	    API_TEST(labels_are_escaped_and_valid_text),
	    cmocka_unit_test(any_bytes_make_a_label),
	    API_TEST(this_machine_needs_no_token),
	    API_TEST(who_comes_by_way_of_a_proxy_is_not_this_machine),
	    API_TEST(elsewhere_a_token_for_all_apps_is_needed),
	    API_TEST(without_a_token_nothing_but_metrics_is_told),
	    API_TEST(a_busy_worker_is_said),
	    cmocka_unit_test(more_than_a_thousand_drains_are_summed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

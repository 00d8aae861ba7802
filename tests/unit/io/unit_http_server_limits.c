/*
 * The HTTP server over real sockets: deadlines, caps, descriptors, TLS, stop.
 */
#include "io/http_test_client.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sys/resource.h>
#include <time.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

static void
trickling_does_not_extend_a_request(void **state)
{
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	struct client c = client_connect(f);
	int64_t start = clock_mono_ms();
	size_t sent;
	int i;

	(void)state;
	for (i = 0; c.in.n == 0 && i < 100; i++) {
		client_try_send(&c, i == 0 ? "GET /" : "a", i == 0 ? 5 : 1, &sent);
		turn_for(f, 30);
		client_receive(&c);
	}
	assert_in_range(clock_mono_ms() - start, 390, 1500);
	expect_error(&c, 408);
	assert_int_equal(f->handled, 0);
	client_free(&c);
	fixture_free(f);
}

/* As many clients do: they read no answer before they have sent everything. */
static void
a_body_that_is_too_large_may_be_sent_to_its_end(void **state)
{
	enum { BODY = 10 * 1024 * 1024 };
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	struct client c = client_connect(f);
	char *body = calloc(1, BODY);

	(void)state;
	assert_non_null(body);
	client_say(&c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10485760\r\n\r\n");
	client_send(&c, body, BODY);
	assert_false(c.reset);
	expect_error(&c, 413);
	free(body);
	client_free(&c);
	fixture_free(f);
}

static void
idle_connections_are_closed_without_a_word(void **state)
{
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	struct client fresh = client_connect(f), used = client_connect(f);

	(void)state;
	client_say(&used, GET("/"));
	expect_answer(&used, 200, NULL);
	turn_for(f, 200);
	assert_int_equal(http_server_connections(f->server), 2);
	client_wait_closed(&fresh);
	client_wait_closed(&used);
	assert_true(fresh.closed && used.closed);
	assert_int_equal(fresh.in.n + used.in.n, 0);
	client_free(&fresh);
	client_free(&used);
	fixture_free(f);
}

static void
a_slow_handler_does_not_use_up_a_deadline(void **state)
{
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	struct client c = client_connect(f);

	(void)state;
	f->sleep_ms = 600;
	client_say(&c, GET("/1"));
	expect_answer(&c, 200, NULL);
	f->sleep_ms = 0;
	turn_for(f, 100);
	client_say(&c, GET("/2"));
	expect_answer(&c, 200, NULL);
	client_free(&c);
	fixture_free(f);
}

static void
a_peer_that_does_not_read_is_cut_off(void **state)
{
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	struct client c = client_connect(f);
	int64_t start;

	(void)state;
	client_say(&c, GET("/big"));
	turn_for(f, 100);
	assert_int_equal(http_server_connections(f->server), 1);
	start = clock_mono_ms();
	while (http_server_connections(f->server) > 0) {
		turn_for(f, 10);
		assert_true(clock_mono_ms() - start < 3000);
	}
	client_wait_closed(&c);
	assert_true(c.reset);
	client_free(&c);
	fixture_free(f);
}

static void
over_the_cap_is_told_so_and_closed(void **state)
{
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	struct client open[4], over[20];
	int i, told = 0;

	(void)state;
	for (i = 0; i < 4; i++)
		open[i] = client_connect(f);
	turn_for(f, 20);
	for (i = 0; i < 20; i++) {
		over[i] = client_connect(f);
		client_say(&over[i], GET("/over"));
	}
	for (i = 0; i < 20; i++) {
		client_wait_closed(&over[i]);
		if (over[i].in.n > 0) {
			expect_error(&over[i], 503);
			told++;
		}
		client_free(&over[i]);
	}
	assert_in_range(told, 16, 20);
	assert_int_equal(f->handled, 0);
	client_say(&open[0], GET("/1"));
	expect_answer(&open[0], 200, NULL);
	client_free(&open[0]);
	turn_for(f, 20);
	open[0] = client_connect(f);
	client_say(&open[0], GET("/2"));
	expect_answer(&open[0], 200, NULL);
	for (i = 0; i < 4; i++)
		client_free(&open[i]);
	fixture_free(f);
}

static double
cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
out_of_descriptors_it_waits_and_recovers(void **state)
{
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	struct client c;
	struct rlimit before, none;
	struct timeval wait = {0, 500000};
	double cpu;

	(void)state;
	turn(f);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	c = client_connect(f);
	none = before;
	none.rlim_cur = (rlim_t)c.fd + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	event_base_loopexit(f->base, &wait);
	cpu = cpu_seconds();
	event_base_dispatch(f->base);
	cpu = cpu_seconds() - cpu;
	assert_int_equal(http_server_connections(f->server), 0);
	assert_true(cpu < 0.1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	client_say(&c, GET("/"));
	expect_answer(&c, 200, NULL);
	client_free(&c);
	fixture_free(f);
}

static void
stop_closes_the_idle_and_lets_the_others_finish(void **state)
{
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	struct client idle = client_connect(f), half = client_connect(f), big = client_connect(f);
	struct answer a;
	int fd;

	(void)state;
	client_say(&half, "GET /half HTTP/1.1\r\n");
	client_say(&big, GET("/big"));
	turn_for(f, 20);
	assert_int_equal(http_server_connections(f->server), 3);
	http_server_stop(f->server);
	assert_int_equal(http_server_connections(f->server), 2);
	client_wait_closed(&idle);
	assert_int_equal(idle.in.n, 0);

	fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&f->addr, sizeof(f->addr)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(fd);

	a = client_answer(&big, false);
	assert_int_equal(a.body.n, BIG_BYTES);
	answer_free(&a);
	client_say(&half, "Host: h\r\n\r\n");
	a = client_answer(&half, false);
	assert_string_equal(buf_cstr(&a.body), "{\"path\":\"/half\"}");
	assert_string_equal(head_value(&a.head, "Connection"), "close");
	answer_free(&a);
	client_wait_closed(&half);
	client_wait_closed(&big);
	client_free(&idle);
	client_free(&half);
	client_free(&big);
	turn_for(f, 20);
	assert_int_equal(http_server_connections(f->server), 0);
	fixture_free(f);
}

static void
a_handler_may_stop_the_server(void **state)
{
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	struct client c = client_connect(f), other = client_connect(f);

	(void)state;
	turn_for(f, 10);
	f->stop_inside = true;
	client_say(&c, GET("/stop"));
	expect_answer(&c, 200, "{\"path\":\"/stop\"}");
	client_wait_closed(&c);
	client_wait_closed(&other);
	client_free(&c);
	client_free(&other);
	turn_for(f, 10);
	assert_int_equal(http_server_connections(f->server), 0);
	fixture_free(f);
}

static void
free_closes_connections_in_every_state(void **state)
{
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, NULL);
	struct client idle = client_connect(f), half = client_connect(f), big = client_connect(f);
	struct client draining = client_connect(f), opening;

	(void)state;
	client_say(&half, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n1234");
	client_say(&big, GET("/big") GET("/after"));
	client_say(&draining, "nonsense\r\n");
	turn_for(f, 20);
	opening = client_connect(f);
	turn(f);
	assert_true(http_server_connections(f->server) >= 4);
	fixture_free(f);
	client_free(&idle);
	client_free(&half);
	client_free(&big);
	client_free(&draining);
	client_free(&opening);
}

/* A self-signed certificate for a name, made here so that no file is needed. */
static SSL_CTX *
server_ctx(const char *name)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);

	assert_non_null(ctx);
	assert_non_null(key);
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
				   0);
	X509_set_issuer_name(cert, subject);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	X509_free(cert);
	EVP_PKEY_free(key);
	return ctx;
}

static void
expect_peer(struct client *c, const char *name)
{
	X509 *cert = SSL_get1_peer_certificate(c->ssl);
	char text[64] = "";

	assert_non_null(cert);
	X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, text, sizeof(text));
	assert_string_equal(text, name);
	X509_free(cert);
}

static void
tls_serves_the_same_and_takes_a_new_certificate(void **state)
{
	SSL_CTX *first = server_ctx("first"), *second = server_ctx("second");
	SSL_CTX *client_ctx = SSL_CTX_new(TLS_client_method());
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, first);
	struct client c = client_connect(f), later;
	struct buf all = {0};
	struct answer a;
	int i;

	(void)state;
	client_tls(&c, client_ctx);
	expect_peer(&c, "first");
	client_say(&c, GET("/big") GET("/after"));
	a = client_answer(&c, false);
	assert_int_equal(a.body.n, BIG_BYTES);
	answer_free(&a);
	expect_answer(&c, 200, "{\"path\":\"/after\"}");
	assert_true(f->tls);

	/* Many records ahead: what TLS holds unread must not be forgotten between requests. */
	for (i = 0; i < 1000; i++)
		buf_add_str(&all, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab");
	client_send(&c, all.p, all.n);
	for (i = 0; i < 1000; i++)
		expect_answer(&c, 200, "ab");

	http_server_set_ctx(f->server, second, second);
	http_server_set_ctx(f->server, first, second);
	SSL_CTX_free(first);
	SSL_CTX_free(second);
	later = client_connect(f);
	client_tls(&later, client_ctx);
	expect_peer(&later, "second");
	client_say(&c, GET("/old"));
	expect_answer(&c, 200, "{\"path\":\"/old\"}");
	client_say(&later, "GET / HTTP/1.1\r\n\r\n");
	expect_error(&later, 400);
	client_free(&c);
	client_free(&later);
	SSL_CTX_free(client_ctx);
	buf_free(&all);
	fixture_free(f);
}

static void
plain_text_on_a_tls_port_hurts_nobody(void **state)
{
	SSL_CTX *ctx = server_ctx("first");
	struct http_limits limits = small_limits();
	struct fixture *f = fixture_new(&limits, ctx);
	struct client c = client_connect(f);

	(void)state;
	client_say(&c, GET("/"));
	client_wait_closed(&c);
	assert_int_equal(f->handled, 0);
	assert_int_equal(http_server_connections(f->server), 0);
	client_free(&c);
	SSL_CTX_free(ctx);
	fixture_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(trickling_does_not_extend_a_request),
	    cmocka_unit_test(a_body_that_is_too_large_may_be_sent_to_its_end),
	    cmocka_unit_test(idle_connections_are_closed_without_a_word),
	    cmocka_unit_test(a_slow_handler_does_not_use_up_a_deadline),
	    cmocka_unit_test(a_peer_that_does_not_read_is_cut_off),
	    cmocka_unit_test(over_the_cap_is_told_so_and_closed),
	    cmocka_unit_test(out_of_descriptors_it_waits_and_recovers),
	    cmocka_unit_test(stop_closes_the_idle_and_lets_the_others_finish),
	    cmocka_unit_test(a_handler_may_stop_the_server),
	    cmocka_unit_test(free_closes_connections_in_every_state),
	    cmocka_unit_test(tls_serves_the_same_and_takes_a_new_certificate),
	    cmocka_unit_test(plain_text_on_a_tls_port_hurts_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

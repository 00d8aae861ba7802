/* The HTTP client over TLS: whom it believes, and whose connection is whose. */
#include "io/http_client_fixture.h"

static char *dir;
static char *ca_pem, *other_pem, *one_pem, *one_key, *two_pem, *two_key;

static char *
content(const char *name, const char *suffix)
{
	FILE *f = fopen(test_path(dir, name, suffix), "r");
	struct buf b = {0};
	int c;

	assert_non_null(f);
	while ((c = getc(f)) != EOF)
		buf_add_char(&b, (char)c);
	fclose(f);
	buf_add_char(&b, '\0');
	return b.p;
}

static int
make_certs(void **state)
{
	struct test_cert ca, other;

	(void)state;
	http_client_global_init();
	dir = test_dir_make();
	ca = test_cert_make(dir, NULL,
			    &(struct test_cert_spec){.name = "ca", .cn = "CA", .ca = true});
	other = test_cert_make(
	    dir, NULL, &(struct test_cert_spec){.name = "other", .cn = "Other", .ca = true});
	test_cert_add(
	    dir, &ca,
	    (struct test_cert_spec){.name = "good", .san = "DNS:log.example,IP:127.0.0.1"});
	test_cert_add(dir, &ca,
		      (struct test_cert_spec){.name = "expired",
					      .san = "DNS:log.example,IP:127.0.0.1",
					      .from_s = -7200,
					      .to_s = -3600});
	test_cert_add(
	    dir, &other,
	    (struct test_cert_spec){.name = "foreign", .san = "DNS:log.example,IP:127.0.0.1"});
	test_cert_add(dir, &ca, (struct test_cert_spec){.name = "one", .cn = "one"});
	test_cert_add(dir, &ca, (struct test_cert_spec){.name = "two", .cn = "two"});
	test_cert_free(&ca);
	test_cert_free(&other);
	ca_pem = content("ca", ".pem");
	other_pem = content("other", ".pem");
	one_pem = content("one", ".pem");
	one_key = content("one", ".key");
	two_pem = content("two", ".pem");
	two_key = content("two", ".key");
	return 0;
}

static int
remove_certs(void **state)
{
	(void)state;
	free(ca_pem);
	free(other_pem);
	free(one_pem);
	free(one_key);
	free(two_pem);
	free(two_key);
	test_dir_remove(dir);
	http_client_global_end();
	return 0;
}

static SSL_CTX *
client_ctx(const char *ca)
{
	char err[TLS_ERROR_BYTES];
	SSL_CTX *ctx = tls_client_ctx(test_path(dir, ca, ".pem"), err);

	assert_non_null(ctx);
	return ctx;
}

static SSL_CTX *
server_ctx(const char *name, enum tls_client_auth auth)
{
	char err[TLS_ERROR_BYTES];
	SSL_CTX *ctx = tls_server_ctx(test_path(dir, name, ".pem"), test_path(dir, name, ".key"),
				      test_path(dir, "ca", ".pem"), auth, err);

	assert_non_null(ctx);
	return ctx;
}

static int
setup_tls(void **state)
{
	struct fixture *f;

	setup(state);
	f = *state;
	SSL_CTX_free(f->tls);
	f->tls = client_ctx("ca");
	fixture_client(f, f->tls);
	f->r->tls = server_ctx("good", TLS_CLIENT_NONE);
	names_are("127.0.0.1", NULL);
	return 0;
}

static int
teardown_tls(void **state)
{
	struct fixture *f = *state;

	SSL_CTX_free(f->r->tls);
	return teardown(state);
}

/* The receiver shows another certificate, on new connections. */
static void
receiver_shows(struct fixture *f, const char *name, enum tls_client_auth auth)
{
	SSL_CTX_free(f->r->tls);
	f->r->tls = name != NULL ? server_ctx(name, auth) : NULL;
}

static struct got
post_tls(struct fixture *f, const char *host, const struct tls_own *own)
{
	char *url = xasprintf("https://%s:%u/in", host, f->r->port);
	struct got g = post_wait(
	    f, &(struct http_post){
		   .host = host, .port = f->r->port, .url = url, .body = LINES, .own = own});

	free(url);
	return g;
}

static void
a_verified_receiver_gets_the_lines(void **state)
{
	struct fixture *f = *state;
	struct got g = post_tls(f, "log.example", NULL);

	assert_string_equal(g.error, "");
	assert_int_equal(g.answer.status, 200);
	assert_true(g.answer.tls_ms >= g.answer.connected_ms);
	assert_true(g.answer.answered_ms >= g.answer.tls_ms);
	g = post_tls(f, "log.example", NULL);
	assert_int_equal(g.answer.status, 200);
	assert_true(g.answer.tls_ms >= 0);
	assert_int_equal(f->r->accepted, 1);
	g = post_tls(f, "127.0.0.1", NULL);
	assert_int_equal(g.answer.status, 200);
	g = post_tls(f, "log.example.", NULL);
	assert_int_equal(g.answer.status, 200);
}

static void
who_cannot_be_verified_gets_nothing(void **state)
{
	struct fixture *f = *state;
	struct got g;

	g = post_tls(f, "other.example", NULL);
	assert_error(&g, HTTP_TLS, "certificate is not for host other.example");
	names_are("127.0.0.1", NULL);
	receiver_shows(f, "expired", TLS_CLIENT_NONE);
	g = post_tls(f, "log.example", NULL);
	assert_error(&g, HTTP_TLS, "certificate expired on 20");
	receiver_shows(f, "foreign", TLS_CLIENT_NONE);
	g = post_tls(f, "log.example", NULL);
	assert_error(&g, HTTP_TLS, "certificate signed by an unknown CA");
	assert_true(g.answer.connected_ms >= 0);
	assert_int_equal(g.answer.tls_ms, -1);
	receiver_shows(f, NULL, TLS_CLIENT_NONE);
	f->r->does = DOES_CLOSE_AT_ONCE;
	g = post_tls(f, "log.example", NULL);
	assert_true(strstr(g.error, "closed during the handshake") != NULL ||
		    strstr(g.error, "reset by the peer during the handshake") != NULL);
	assert_int_equal(f->r->requests, 0);
}

static void
a_handshake_that_fails_in_other_ways_says_so(void **state)
{
	struct fixture *f = *state;
	struct got g;

	f->config.http_timeout = 300;
	receiver_shows(f, NULL, TLS_CLIENT_NONE);
	g = post_tls(f, "log.example", NULL);
	assert_error(&g, HTTP_TLS, "TLS handshake timed out after 300 ms");
	receiver_shows(f, "good", TLS_CLIENT_NONE);
	SSL_CTX_set_min_proto_version(f->r->tls, 0);
	SSL_CTX_set_max_proto_version(f->r->tls, TLS1_1_VERSION);
	SSL_CTX_set_security_level(f->r->tls, 0);
	g = post_tls(f, "log.example", NULL);
	assert_error(&g, HTTP_TLS, "protocol version");
}

static void
a_client_certificate_is_shown_where_there_is_one(void **state)
{
	struct fixture *f = *state;
	struct tls_own one = {.cert = one_pem, .key = one_key};
	struct tls_own broken = {.cert = one_pem, .key = two_key};
	struct got g;

	receiver_shows(f, "good", TLS_CLIENT_REQUIRED);
	g = post_tls(f, "log.example", NULL);
	assert_error(&g, HTTP_ANSWER, "peer sent alert: certificate required");
	assert_int_equal(f->r->requests, 0);
	g = post_tls(f, "log.example", &one);
	assert_string_equal(g.error, "");
	assert_int_equal(g.answer.status, 200);
	g = post_tls(f, "log.example", &broken);
	assert_int_equal(g.answer.status, 0);
	assert_non_null(strstr(g.error, "client certificate or key cannot be used"));
	/* The shared CAs verify the receiver all the same. */
	receiver_drop(f->r);
	receiver_shows(f, "foreign", TLS_CLIENT_REQUIRED);
	g = post_tls(f, "log.example", &one);
	assert_error(&g, HTTP_TLS, "certificate signed by an unknown CA");
}

static void
connections_are_kept_apart_by_certificate(void **state)
{
	struct fixture *f = *state;
	struct tls_own one = {.cert = one_pem, .key = one_key};
	struct tls_own two = {.cert = two_pem, .key = two_key};

	receiver_shows(f, "good", TLS_CLIENT_OPTIONAL);
	assert_int_equal(post_tls(f, "log.example", &one).answer.status, 200);
	assert_int_equal(f->r->accepted, 1);
	assert_int_equal(post_tls(f, "log.example", NULL).answer.status, 200);
	assert_int_equal(f->r->accepted, 2);
	assert_int_equal(post_tls(f, "log.example", &two).answer.status, 200);
	assert_int_equal(f->r->accepted, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(post_tls(f, "log.example", &one).answer.status, 200);
		assert_int_equal(post_tls(f, "log.example", &two).answer.status, 200);
		assert_int_equal(post_tls(f, "log.example", NULL).answer.status, 200);
	}
	assert_int_equal(f->r->accepted, 3);
}

static void
connections_are_kept_apart_by_ca(void **state)
{
	struct fixture *f = *state;
	struct tls_own own = {.ca = ca_pem}, other = {.ca = other_pem};
	struct got g;

	/* Verified by the shared CAs: of no worth to a drain that believes another. */
	assert_int_equal(post_tls(f, "log.example", NULL).answer.status, 200);
	g = post_tls(f, "log.example", &other);
	assert_error(&g, HTTP_TLS, "certificate");
	assert_int_equal(f->r->requests, 1);
	assert_int_equal(post_tls(f, "log.example", &own).answer.status, 200);
	g = post_tls(f, "log.example", &other);
	assert_error(&g, HTTP_TLS, "certificate");

	/* And the other way round. */
	receiver_drop(f->r);
	receiver_shows(f, "foreign", TLS_CLIENT_NONE);
	g = post_tls(f, "log.example", &other);
	assert_string_equal(g.error, "");
	g = post_tls(f, "log.example", NULL);
	assert_error(&g, HTTP_TLS, "certificate signed by an unknown CA");
	g = post_tls(f, "log.example", &own);
	assert_error(&g, HTTP_TLS, "certificate");
	assert_int_equal(f->r->requests, 3);
}

static void
an_own_ca_may_be_the_receivers_certificate(void **state)
{
	struct fixture *f = *state;
	struct tls_own pinned = {.ca = content("foreign", ".pem")};

	receiver_shows(f, "foreign", TLS_CLIENT_NONE);
	assert_string_equal(post_tls(f, "log.example", &pinned).error, "");
	free((char *)(uintptr_t)pinned.ca);
}

static void
an_own_ca_that_is_none_says_so(void **state)
{
	struct fixture *f = *state;
	struct tls_own own = {.ca = "no PEM"};
	struct got g = post_tls(f, "log.example", &own);

	assert_int_equal(g.answer.status, 0);
	assert_non_null(strstr(g.error, "own CA cannot be used"));
}

static void
new_cas_hold_for_new_connections(void **state)
{
	struct fixture *f = *state;
	SSL_CTX *now = client_ctx("other");
	struct got g;

	assert_int_equal(post_tls(f, "log.example", NULL).answer.status, 200);
	http_client_set_tls(f->client, now);
	SSL_CTX_free(now);
	receiver_drop(f->r);
	g = post_tls(f, "log.example", NULL);
	assert_error(&g, HTTP_TLS, "certificate signed by an unknown CA");
	receiver_shows(f, "foreign", TLS_CLIENT_NONE);
	assert_int_equal(post_tls(f, "log.example", NULL).answer.status, 200);
}

static void
the_shared_cas_stay_as_they_are(void **state)
{
	struct fixture *f = *state;
	X509_STORE *store = SSL_CTX_get_cert_store(f->tls);
	unsigned long flags = X509_VERIFY_PARAM_get_flags(X509_STORE_get0_param(store));
	int n = sk_X509_OBJECT_num(X509_STORE_get0_objects(store));
	struct tls_own own = {.ca = other_pem};

	assert_int_equal(post_tls(f, "log.example", NULL).answer.status, 200);
	assert_int_equal(post_tls(f, "log.example", &own).answer.status, 0);
	assert_int_equal(X509_VERIFY_PARAM_get_flags(X509_STORE_get0_param(store)), flags);
	assert_int_equal(sk_X509_OBJECT_num(X509_STORE_get0_objects(store)), n);
}

static void
a_call_can_be_cancelled_in_its_handshake(void **state)
{
	struct fixture *f = *state;
	char *url = xasprintf("https://log.example:%u/", f->r->port);
	struct got g;

	for (int n = 0; n < 20; n++) {
		post_start(f, &g,
			   &(struct http_post){.host = "log.example",
					       .port = f->r->port,
					       .url = url,
					       .body = LINES,
					       .fresh = true});
		for (int i = 0; i < n && g.answers == 0; i++)
			event_base_loop(f->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		if (g.answers == 0)
			http_call_cancel(g.call);
		linger_for(f, 5);
	}
	assert_int_equal(post_tls(f, "log.example", NULL).answer.status, 200);
	free(url);
}

#define TLS_TEST(name) cmocka_unit_test_setup_teardown(name, setup_tls, teardown_tls)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TLS_TEST(a_verified_receiver_gets_the_lines),
	    TLS_TEST(who_cannot_be_verified_gets_nothing),
	    TLS_TEST(a_handshake_that_fails_in_other_ways_says_so),
	    TLS_TEST(a_client_certificate_is_shown_where_there_is_one),
	    TLS_TEST(connections_are_kept_apart_by_certificate),
	    TLS_TEST(connections_are_kept_apart_by_ca),
	    TLS_TEST(an_own_ca_may_be_the_receivers_certificate),
	    TLS_TEST(an_own_ca_that_is_none_says_so),
	    TLS_TEST(new_cas_hold_for_new_connections),
	    TLS_TEST(the_shared_cas_stay_as_they_are),
	    TLS_TEST(a_call_can_be_cancelled_in_its_handshake),
	};

	return cmocka_run_group_tests(tests, make_certs, remove_certs);
}

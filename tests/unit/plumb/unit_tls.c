#include "plumb/tls.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "test_certs.h"

static char *dir;

static const char *
pem(const char *name)
{
	return test_path(dir, name, ".pem");
}

static const char *
key(const char *name)
{
	return test_path(dir, name, ".key");
}

static int
make_certificates(void **state)
{
	const long day = 24 * 3600;
	struct test_cert ca, other;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	dir = test_dir_make();
	ca = test_cert_make(dir, NULL,
			    &(struct test_cert_spec){.name = "ca", .cn = "Test CA", .ca = true});
	other = test_cert_make(
	    dir, NULL, &(struct test_cert_spec){.name = "other-ca", .cn = "Other CA", .ca = true});
	test_cert_add(dir, &ca,
		      (struct test_cert_spec){
			  .name = "good",
			  .cn = "good",
			  .san = "DNS:log.example,DNS:second.example,IP:127.0.0.1,IP:::1"});
	test_cert_add(dir, &ca,
		      (struct test_cert_spec){.name = "wild", .san = "DNS:*.logs.example"});
	test_cert_add(
	    dir, &ca,
	    (struct test_cert_spec){
		.name = "expired", .san = "DNS:log.example", .from_s = -3 * day, .to_s = -2 * day});
	test_cert_add(
	    dir, &ca,
	    (struct test_cert_spec){
		.name = "future", .san = "DNS:log.example", .from_s = 2 * day, .to_s = 3 * day});
	test_cert_add(
	    dir, NULL,
	    (struct test_cert_spec){.name = "self", .cn = "self", .san = "DNS:log.example"});
	test_cert_add(dir, &other,
		      (struct test_cert_spec){.name = "stranger", .san = "DNS:log.example"});
	test_cert_add(dir, &ca, (struct test_cert_spec){.name = "cn-only", .cn = "web"});
	test_cert_add(
	    dir, &ca,
	    (struct test_cert_spec){.name = "uri",
				    .cn = "web",
				    .san = "IP:127.0.0.1,URI:spiffe://org/web,email:a@b.example"});
	test_cert_add(
	    dir, &ca,
	    (struct test_cert_spec){.name = "nul", .cn = "web", .nul_dns = "web@.evil.example"});
	test_cert_add(dir, &ca, (struct test_cert_spec){.name = "nameless"});
	test_cert_add(
	    dir, &ca,
	    (struct test_cert_spec){.name = "locked", .cn = "locked", .passphrase = "secret"});
	test_cert_free(&ca);
	test_cert_free(&other);
	return 0;
}

static int
remove_certificates(void **state)
{
	(void)state;
	test_dir_remove(dir);
	return 0;
}

/* Both ends of one connection in this thread. */
struct pair {
	SSL_CTX *server_ctx, *client_ctx;
	SSL *server, *client;
	int fd[2];
	int server_ret, client_ret; /* of the last call; 1: handshake done */
	char server_error[TLS_ERROR_BYTES], client_error[TLS_ERROR_BYTES];
};

static void
pair_open(struct pair *p, const char *server_cert, const char *client_ca, enum tls_client_auth auth,
	  const char *ca, const char *host)
{
	char err[TLS_ERROR_BYTES];

	memset(p, 0, sizeof(*p));
	assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p->fd));
	p->server_ctx = tls_server_ctx(pem(server_cert), key(server_cert),
				       client_ca != NULL ? pem(client_ca) : NULL, auth, err);
	assert_non_null(p->server_ctx);
	p->client_ctx = tls_client_ctx(pem(ca), err);
	assert_non_null(p->client_ctx);
	p->server = tls_accept_session(p->server_ctx, p->fd[0]);
	p->client = tls_connect_session(p->client_ctx, p->fd[1], host);
	assert_non_null(p->server);
	assert_non_null(p->client);
}

static bool
step(SSL *ssl, int *ret, char err[TLS_ERROR_BYTES])
{
	int why;

	if (*ret == 1 || *err != '\0')
		return false;
	ERR_clear_error();
	*ret = SSL_do_handshake(ssl);
	why = SSL_get_error(ssl, *ret);
	if (*ret != 1 && why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
		tls_error(ssl, *ret, err);
	return *ret == 1 || *err != '\0';
}

/* Shakes hands; afterwards the client reads once, as alerts of TLS 1.3 come late. */
static void
pair_shake(struct pair *p)
{
	char c;
	int ret, why;

	for (int i = 0; i < 20; i++) {
		step(p->client, &p->client_ret, p->client_error);
		step(p->server, &p->server_ret, p->server_error);
	}
	if (p->client_ret != 1)
		return;
	ERR_clear_error();
	ret = SSL_read(p->client, &c, 1);
	why = SSL_get_error(p->client, ret);
	if (why == SSL_ERROR_SSL)
		tls_error(p->client, ret, p->client_error);
}

static void
pair_close(struct pair *p)
{
	SSL_free(p->server);
	SSL_free(p->client);
	SSL_CTX_free(p->server_ctx);
	SSL_CTX_free(p->client_ctx);
	close(p->fd[0]);
	close(p->fd[1]);
}

/* What the client says of a server with that certificate. */
static void
expect_client_error(const char *cert, const char *host, const char *words)
{
	struct pair p;

	pair_open(&p, cert, NULL, TLS_CLIENT_NONE, "ca", host);
	pair_shake(&p);
	if (strstr(p.client_error, words) == NULL)
		fail_msg("got '%s', not '%s'", p.client_error, words);
	if (*words == '\0')
		assert_string_equal("", p.client_error);
	assert_int_equal(*words == '\0', p.client_ret == 1);
	pair_close(&p);
}

static void
a_certificate_for_the_host_is_accepted(void **state)
{
	(void)state;
	expect_client_error("good", "log.example", "");
	expect_client_error("good", "second.example", "");
	expect_client_error("good", "log.example.", "");
	expect_client_error("good", "127.0.0.1", "");
	expect_client_error("good", "::1", "");
	expect_client_error("wild", "any.logs.example", "");
}

static void
a_certificate_for_another_host_is_named(void **state)
{
	(void)state;
	expect_client_error("good", "other.example", "certificate is not for host other.example");
	expect_client_error("good", "127.0.0.2", "certificate is not for host 127.0.0.2");
	expect_client_error("wild", "a.b.logs.example",
			    "certificate is not for host a.b.logs.example");
	expect_client_error("nul", "web", "certificate is not for host web");
}

static void
an_expired_certificate_is_named_with_its_date(void **state)
{
	char words[80];
	time_t then = time(NULL) - 2 * 24 * 3600;
	struct tm tm;

	(void)state;
	gmtime_r(&then, &tm);
	strftime(words, sizeof(words), "certificate expired on %Y-%m-%dT", &tm);
	expect_client_error("expired", "log.example", words);
	then += 4 * 24 * 3600;
	gmtime_r(&then, &tm);
	strftime(words, sizeof(words), "certificate is not valid before %Y-%m-%dT", &tm);
	expect_client_error("future", "log.example", words);
}

static void
an_unknown_issuer_is_named(void **state)
{
	(void)state;
	expect_client_error("stranger", "log.example", "certificate signed by an unknown CA");
	expect_client_error("self", "log.example", "certificate is self-signed");
}

static void
the_server_hears_why_the_client_left(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, "stranger", NULL, TLS_CLIENT_NONE, "ca", "log.example");
	pair_shake(&p);
	assert_string_equal("peer sent alert: unknown CA", p.server_error);
	pair_close(&p);
}

static void
a_host_that_cannot_be_verified_gets_no_session(void **state)
{
	char err[TLS_ERROR_BYTES], name[300];
	SSL_CTX *ctx = tls_client_ctx(pem("ca"), err);

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_non_null(ctx);
	assert_null(tls_connect_session(ctx, 0, NULL));
	assert_null(tls_connect_session(ctx, 0, ""));
	assert_null(tls_connect_session(ctx, 0, "."));
	assert_null(tls_connect_session(ctx, 0, name));
	SSL_CTX_free(ctx);
}

static void
literals_are_not_sent_as_sni(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, "good", NULL, TLS_CLIENT_NONE, "ca", "127.0.0.1");
	pair_shake(&p);
	assert_null(SSL_get_servername(p.server, TLSEXT_NAMETYPE_host_name));
	pair_close(&p);
	pair_open(&p, "good", NULL, TLS_CLIENT_NONE, "ca", "log.example.");
	pair_shake(&p);
	assert_string_equal("log.example", SSL_get_servername(p.server, TLSEXT_NAMETYPE_host_name));
	pair_close(&p);
}

static void
give_certificate(struct pair *p, const char *name)
{
	assert_int_equal(1, SSL_use_certificate_file(p->client, pem(name), SSL_FILETYPE_PEM));
	assert_int_equal(1, SSL_use_PrivateKey_file(p->client, key(name), SSL_FILETYPE_PEM));
}

static void
a_required_client_certificate_is_missed(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, "good", "ca", TLS_CLIENT_REQUIRED, "ca", "log.example");
	pair_shake(&p);
	assert_string_equal("client sent no certificate, and one is required", p.server_error);
	assert_string_equal("peer sent alert: certificate required", p.client_error);
	pair_close(&p);
}

static void
an_optional_client_certificate_may_be_missing(void **state)
{
	char name[64];
	struct pair p;

	(void)state;
	pair_open(&p, "good", "ca", TLS_CLIENT_OPTIONAL, "ca", "log.example");
	pair_shake(&p);
	assert_int_equal(1, p.server_ret);
	assert_false(tls_peer_name(p.server, name, sizeof(name)));
	pair_close(&p);
}

static void
a_client_certificate_of_another_ca_is_refused(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, "good", "ca", TLS_CLIENT_OPTIONAL, "ca", "log.example");
	give_certificate(&p, "stranger");
	pair_shake(&p);
	assert_string_equal("client certificate signed by an unknown CA", p.server_error);
	assert_string_equal("peer sent alert: unknown CA", p.client_error);
	pair_close(&p);
}

/* expected NULL: no name must come. */
static void
expect_peer_name(const char *cert, const char *expected, size_t room)
{
	char name[64] = "unset";
	struct pair p;
	bool found;

	pair_open(&p, "good", "ca", TLS_CLIENT_REQUIRED, "ca", "log.example");
	give_certificate(&p, cert);
	pair_shake(&p);
	assert_string_equal("", p.server_error);
	found = tls_peer_name(p.server, name, room);
	assert_int_equal(expected != NULL, found);
	if (expected != NULL)
		assert_string_equal(expected, name);
	pair_close(&p);
}

static void
the_peers_name_is_the_first_dns_name_else_uri_else_cn(void **state)
{
	(void)state;
	expect_peer_name("good", "log.example", 64);
	expect_peer_name("uri", "spiffe://org/web", 64);
	expect_peer_name("cn-only", "web", 64);
	expect_peer_name("nameless", NULL, 64);
}

static void
a_name_with_a_nul_or_too_long_is_no_name(void **state)
{
	(void)state;
	expect_peer_name("nul", NULL, 64);
	expect_peer_name("good", "log.example", sizeof("log.example"));
	expect_peer_name("good", NULL, sizeof("log.example") - 1);
	expect_peer_name("cn-only", "web", 4);
	expect_peer_name("cn-only", NULL, 3);
}

/* What the server says when these bytes come instead of a client. */
static void
expect_server_error(const char *bytes, const char *words)
{
	struct pair p;

	pair_open(&p, "good", NULL, TLS_CLIENT_NONE, "ca", "log.example");
	assert_int_equal(strlen(bytes), write(p.fd[1], bytes, strlen(bytes)));
	shutdown(p.fd[1], SHUT_WR);
	for (int i = 0; i < 3; i++)
		step(p.server, &p.server_ret, p.server_error);
	assert_string_equal(words, p.server_error);
	pair_close(&p);
}

static void
plain_text_is_named(void **state)
{
	struct pair p;

	(void)state;
	expect_server_error("<13>1 - - - - - - hello\n", "peer does not speak TLS");
	expect_server_error("GET / HTTP/1.1\r\n\r\n", "peer does not speak TLS");
	expect_server_error("", "peer closed during the handshake");
	expect_server_error("\x16\x03\x01", "peer closed during the handshake");

	pair_open(&p, "good", NULL, TLS_CLIENT_NONE, "ca", "log.example");
	assert_int_equal(9, write(p.fd[0], "220 hello", 9));
	for (int i = 0; i < 3; i++)
		step(p.client, &p.client_ret, p.client_error);
	assert_string_equal("peer does not speak TLS", p.client_error);
	pair_close(&p);
}

static void
an_old_protocol_version_is_refused_on_both_sides(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, "good", NULL, TLS_CLIENT_NONE, "ca", "log.example");
	SSL_set_min_proto_version(p.client, TLS1_VERSION);
	SSL_set_max_proto_version(p.client, TLS1_1_VERSION);
	SSL_set_cipher_list(p.client, "ALL:@SECLEVEL=0");
	pair_shake(&p);
	assert_string_equal("peer's protocol version is too old: TLS 1.2 or newer is needed",
			    p.server_error);
	assert_string_equal("peer sent alert: protocol version", p.client_error);
	pair_close(&p);
}

static void
the_server_sends_nothing_after_the_handshake(void **state)
{
	struct pair p;
	char c;

	(void)state;
	pair_open(&p, "good", NULL, TLS_CLIENT_NONE, "ca", "log.example");
	/* Not pair_shake: its read would swallow a ticket. */
	for (int i = 0; i < 20; i++) {
		step(p.client, &p.client_ret, p.client_error);
		step(p.server, &p.server_ret, p.server_error);
	}
	assert_int_equal(1, p.client_ret);
	assert_int_equal(1, p.server_ret);
	assert_string_equal("TLSv1.3", SSL_get_version(p.client));
	assert_int_equal(-1, recv(p.fd[1], &c, 1, MSG_PEEK | MSG_DONTWAIT));
	pair_close(&p);
}

static void
expect_ctx_error(const char *cert, const char *k, const char *ca, enum tls_client_auth auth,
		 const char *one, const char *two)
{
	char err[TLS_ERROR_BYTES] = "";

	assert_null(tls_server_ctx(cert, k, ca, auth, err));
	if (strstr(err, one) == NULL || strstr(err, two) == NULL)
		fail_msg("'%s' lacks '%s' or '%s'", err, one, two);
	assert_int_equal(0, ERR_peek_error());
}

static void
a_bad_file_is_named_with_its_fault(void **state)
{
	const char *junk = test_path(dir, "junk", ".pem");
	FILE *f = fopen(junk, "w");
	char err[TLS_ERROR_BYTES];

	(void)state;
	fputs("not a certificate\n", f);
	fclose(f);
	expect_ctx_error("/nonexistent/c.pem", key("good"), NULL, TLS_CLIENT_NONE,
			 "certificate /nonexistent/c.pem", "No such file");
	expect_ctx_error(pem("good"), "/nonexistent/k.pem", NULL, TLS_CLIENT_NONE,
			 "key /nonexistent/k.pem", "No such file");
	expect_ctx_error(junk, key("good"), NULL, TLS_CLIENT_NONE, junk, "PEM file");
	expect_ctx_error(pem("good"), junk, NULL, TLS_CLIENT_NONE, "no usable private key", junk);
	expect_ctx_error(pem("good"), key("self"), NULL, TLS_CLIENT_NONE, "does not belong to",
			 key("self"));
	expect_ctx_error(pem("locked"), key("locked"), NULL, TLS_CLIENT_NONE, "is encrypted",
			 key("locked"));
	expect_ctx_error(pem("good"), key("good"), junk, TLS_CLIENT_REQUIRED, "client CA", junk);
	expect_ctx_error(pem("good"), key("good"), NULL, TLS_CLIENT_OPTIONAL, "no client CA",
			 "PEM");
	expect_ctx_error(NULL, key("good"), NULL, TLS_CLIENT_NONE, "no certificate", "PEM");
	assert_null(tls_client_ctx("/nonexistent/ca.pem", err));
	assert_non_null(strstr(err, "ca-file /nonexistent/ca.pem"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_certificate_for_the_host_is_accepted),
	    cmocka_unit_test(a_certificate_for_another_host_is_named),
	    cmocka_unit_test(an_expired_certificate_is_named_with_its_date),
	    cmocka_unit_test(an_unknown_issuer_is_named),
	    cmocka_unit_test(the_server_hears_why_the_client_left),
	    cmocka_unit_test(a_host_that_cannot_be_verified_gets_no_session),
	    cmocka_unit_test(literals_are_not_sent_as_sni),
	    cmocka_unit_test(a_required_client_certificate_is_missed),
	    cmocka_unit_test(an_optional_client_certificate_may_be_missing),
	    cmocka_unit_test(a_client_certificate_of_another_ca_is_refused),
	    cmocka_unit_test(the_peers_name_is_the_first_dns_name_else_uri_else_cn),
	    cmocka_unit_test(a_name_with_a_nul_or_too_long_is_no_name),
	    cmocka_unit_test(plain_text_is_named),
	    cmocka_unit_test(an_old_protocol_version_is_refused_on_both_sides),
	    cmocka_unit_test(the_server_sends_nothing_after_the_handshake),
	    cmocka_unit_test(a_bad_file_is_named_with_its_fault),
	};

	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}

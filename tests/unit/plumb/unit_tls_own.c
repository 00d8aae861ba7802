/* A drain's own CA and certificate: one handshake each, in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "plumb/tls.h"
#include "plumb/tls_guard.h"
#include "test_certs.h"

static char *dir;
static char err[TLS_ERROR_BYTES];

/* The files' texts, one behind the other. */
static char *
text(const char *first, const char *second)
{
	const char *const paths[] = {first, second};
	char *all = calloc(1, 65536);
	size_t n = 0;
	FILE *f;

	for (int i = 0; i < 2 && paths[i] != NULL; i++) {
		f = fopen(paths[i], "r");
		assert_non_null(f);
		n += fread(all + n, 1, 65535 - n, f);
		fclose(f);
	}
	return realloc(all, n + 1);
}

static char *
pem(const char *name)
{
	return text(test_path(dir, name, ".pem"), NULL);
}

static char *
key(const char *name)
{
	return text(test_path(dir, name, ".key"), NULL);
}

static int
make_certificates(void **state)
{
	struct test_cert ca, other, middle;

	(void)state;
	dir = test_dir_make();
	ca = test_cert_make(dir, NULL,
			    &(struct test_cert_spec){.name = "ca", .cn = "CA", .ca = true});
	other = test_cert_make(
	    dir, NULL, &(struct test_cert_spec){.name = "other", .cn = "Other", .ca = true});
	middle = test_cert_make(
	    dir, &ca, &(struct test_cert_spec){.name = "middle", .cn = "Middle", .ca = true});
	test_cert_add(dir, &ca, (struct test_cert_spec){.name = "good", .san = "DNS:log.example"});
	test_cert_add(dir, &other,
		      (struct test_cert_spec){.name = "foreign", .san = "DNS:log.example"});
	test_cert_add(dir, &middle, (struct test_cert_spec){.name = "client", .cn = "client"});
	test_cert_add(dir, &ca,
		      (struct test_cert_spec){.name = "locked", .cn = "l", .passphrase = "secret"});
	test_cert_free(&ca);
	test_cert_free(&other);
	test_cert_free(&middle);
	return 0;
}

static int
remove_certificates(void **state)
{
	(void)state;
	test_dir_remove(dir);
	return 0;
}

static SSL_CTX *
shared_ctx(void)
{
	SSL_CTX *ctx = tls_client_ctx(test_path(dir, "ca", ".pem"), err);

	assert_non_null(ctx);
	return ctx;
}

static SSL_CTX *
server_ctx(const char *cert, enum tls_client_auth auth)
{
	SSL_CTX *ctx = tls_server_ctx(test_path(dir, cert, ".pem"), test_path(dir, cert, ".key"),
				      test_path(dir, "ca", ".pem"), auth, err);

	assert_non_null(ctx);
	return ctx;
}

/* Shakes hands with the server that shows cert; "" or the client's error; name: the client's. */
static const char *
shake(SSL_CTX *client_ctx, const char *cert, enum tls_client_auth auth, char name[64])
{
	static char words[TLS_ERROR_BYTES];
	SSL_CTX *ctx = server_ctx(cert, auth);
	SSL *server = SSL_new(ctx), *client = SSL_new(client_ctx);
	BIO *a, *b;
	int ret = -1;

	words[0] = '\0';
	BIO_new_bio_pair(&a, 0, &b, 0);
	SSL_set_bio(server, a, a);
	SSL_set_bio(client, b, b);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	SSL_set1_host(client, "log.example");
	for (int i = 0; i < 10 && words[0] == '\0'; i++) {
		ERR_clear_error();
		ret = SSL_do_handshake(client);
		if (ret != 1 && SSL_get_error(client, ret) != SSL_ERROR_WANT_READ)
			tls_error(client, ret, words);
		ERR_clear_error();
		SSL_do_handshake(server);
	}
	if (name != NULL && !tls_peer_name(server, name, 64))
		name[0] = '\0';
	assert_true(words[0] != '\0' || ret == 1);
	SSL_free(server);
	SSL_free(client);
	SSL_CTX_free(ctx);
	ERR_clear_error();
	return words;
}

static SSL_CTX *
own_ctx(SSL_CTX *shared, const char *ca, const char *cert, const char *private_key)
{
	struct tls_own own = {.ca = ca, .cert = cert, .key = private_key};

	err[0] = '\0';
	return tls_own_ctx(shared, &own, err);
}

static void
an_own_ca_takes_the_place_of_the_shared_ones(void **state)
{
	SSL_CTX *shared = shared_ctx(), *ctx;
	char *other = pem("other"),
	     *both = text(test_path(dir, "other", ".pem"), test_path(dir, "ca", ".pem"));

	(void)state;
	ctx = own_ctx(shared, other, NULL, NULL);
	assert_non_null(ctx);
	assert_string_equal(shake(ctx, "foreign", TLS_CLIENT_NONE, NULL), "");
	assert_string_equal(shake(ctx, "good", TLS_CLIENT_NONE, NULL),
			    "certificate signed by an unknown CA");
	SSL_CTX_free(ctx);
	ctx = own_ctx(shared, both, NULL, NULL);
	assert_string_equal(shake(ctx, "foreign", TLS_CLIENT_NONE, NULL), "");
	assert_string_equal(shake(ctx, "good", TLS_CLIENT_NONE, NULL), "");
	SSL_CTX_free(ctx);
	/* The shared one is as it was. */
	assert_string_equal(shake(shared, "good", TLS_CLIENT_NONE, NULL), "");
	assert_string_equal(shake(shared, "foreign", TLS_CLIENT_NONE, NULL),
			    "certificate signed by an unknown CA");
	SSL_CTX_free(shared);
	free(other);
	free(both);
}

static void
a_receivers_own_certificate_can_be_trusted_alone(void **state)
{
	SSL_CTX *shared = shared_ctx(), *ctx;
	char *pinned = pem("foreign");

	(void)state;
	ctx = own_ctx(shared, pinned, NULL, NULL);
	assert_string_equal(shake(ctx, "foreign", TLS_CLIENT_NONE, NULL), "");
	assert_string_not_equal(shake(ctx, "good", TLS_CLIENT_NONE, NULL), "");
	SSL_CTX_free(ctx);
	SSL_CTX_free(shared);
	free(pinned);
}

static void
a_client_certificate_is_shown_with_its_chain(void **state)
{
	SSL_CTX *shared = shared_ctx(), *ctx;
	char *chain = text(test_path(dir, "client", ".pem"), test_path(dir, "middle", ".pem"));
	char *private_key = key("client");
	char name[64];

	(void)state;
	ctx = own_ctx(shared, NULL, chain, private_key);
	assert_non_null(ctx);
	assert_string_equal(shake(ctx, "good", TLS_CLIENT_REQUIRED, name), "");
	assert_string_equal(name, "client");
	/* Without own CAs the shared ones hold. */
	assert_string_equal(shake(ctx, "foreign", TLS_CLIENT_NONE, NULL),
			    "certificate signed by an unknown CA");
	SSL_CTX_free(ctx);
	SSL_CTX_free(shared);
	free(chain);
	free(private_key);
}

static void
texts_that_cannot_be_used_say_so(void **state)
{
	SSL_CTX *shared = shared_ctx();
	char *cert = pem("client"), *good_key = key("client"), *wrong_key = key("good");
	char *locked = pem("locked"), *locked_key = key("locked");
	char *cut = pem("ca");

	(void)state;
	cut[strlen(cut) / 2] = '\0';
	assert_null(own_ctx(shared, "no PEM", NULL, NULL));
	assert_non_null(strstr(err, "own CA holds no usable certificate"));
	assert_null(own_ctx(shared, "", NULL, NULL));
	assert_null(own_ctx(shared, cut, NULL, NULL));
	assert_null(own_ctx(shared, NULL, "no PEM", good_key));
	assert_non_null(strstr(err, "client certificate cannot be used"));
	assert_null(own_ctx(shared, NULL, cert, wrong_key));
	assert_non_null(strstr(err, "does not belong to its certificate"));
	assert_null(own_ctx(shared, NULL, cert, "no PEM"));
	assert_null(own_ctx(shared, NULL, locked, locked_key));
	assert_non_null(strstr(err, "is encrypted"));
	assert_int_equal(ERR_peek_error(), 0);
	SSL_CTX_free(shared);
	free(cert);
	free(good_key);
	free(wrong_key);
	free(locked);
	free(locked_key);
	free(cut);
}

static void
a_guarded_context_is_held_to_the_shared_cas_and_the_host(void **state)
{
	SSL_CTX *shared = shared_ctx(), *ctx;
	struct tls_fault *fault;

	(void)state;
	ctx = SSL_CTX_new(TLS_client_method());
	fault = tls_fault_new();
	assert_true(tls_guard(ctx, shared, "log.example", fault));
	assert_string_equal(shake(ctx, "good", TLS_CLIENT_NONE, NULL), "");
	assert_string_equal(tls_fault_words(fault), "");
	/* The guard is first at the error queue; who asks behind it learns less. */
	assert_string_not_equal(shake(ctx, "foreign", TLS_CLIENT_NONE, NULL), "");
	assert_string_equal(tls_fault_words(fault), "certificate signed by an unknown CA");
	/* Whichever goes first. */
	tls_fault_free(fault);
	SSL_CTX_free(ctx);

	ctx = SSL_CTX_new(TLS_client_method());
	fault = tls_fault_new();
	assert_true(tls_guard(ctx, shared, "log.example.", fault));
	SSL_CTX_free(ctx);
	assert_string_equal(tls_fault_words(fault), "");
	tls_fault_free(fault);
	assert_string_equal(tls_fault_words(NULL), "");

	ctx = SSL_CTX_new(TLS_client_method());
	fault = tls_fault_new();
	assert_false(tls_guard(ctx, shared, "", fault));
	assert_false(tls_guard(ctx, shared, ".", fault));
	SSL_CTX_free(ctx);
	tls_fault_free(fault);
	SSL_CTX_free(shared);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_own_ca_takes_the_place_of_the_shared_ones),
	    cmocka_unit_test(a_receivers_own_certificate_can_be_trusted_alone),
	    cmocka_unit_test(a_client_certificate_is_shown_with_its_chain),
	    cmocka_unit_test(texts_that_cannot_be_used_say_so),
	    cmocka_unit_test(a_guarded_context_is_held_to_the_shared_cas_and_the_host),
	};

	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}

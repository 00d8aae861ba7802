#include "stream_pair.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <signal.h>

#include "plumb/tls.h"
#include "test_certs.h"

static char *dir;
static SSL_CTX *server_ctx, *mutual_ctx, *client_ctx;

static int
make_contexts(void **state)
{
	char err[TLS_ERROR_BYTES];
	struct test_cert ca;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	dir = test_dir_make();
	ca = test_cert_make(dir, NULL,
			    &(struct test_cert_spec){.name = "ca", .cn = "Test CA", .ca = true});
	test_cert_add(dir, &ca, (struct test_cert_spec){.name = "good", .san = "DNS:log.example"});
	test_cert_free(&ca);
	server_ctx = tls_server_ctx(test_path(dir, "good", ".pem"), test_path(dir, "good", ".key"),
				    NULL, TLS_CLIENT_NONE, err);
	mutual_ctx = tls_server_ctx(test_path(dir, "good", ".pem"), test_path(dir, "good", ".key"),
				    test_path(dir, "ca", ".pem"), TLS_CLIENT_REQUIRED, err);
	client_ctx = tls_client_ctx(test_path(dir, "ca", ".pem"), err);
	return server_ctx == NULL || mutual_ctx == NULL || client_ctx == NULL;
}

static int
free_contexts(void **state)
{
	(void)state;
	SSL_CTX_free(server_ctx);
	SSL_CTX_free(mutual_ctx);
	SSL_CTX_free(client_ctx);
	test_dir_remove(dir);
	return 0;
}

static void
tls_open(struct pair *p)
{
	pair_open(p, server_ctx, client_ctx, "log.example");
}

static void
echo_megabytes(int version, size_t piece)
{
	enum { BYTES = 5 * 1000 * 1000 };
	char *data = random_bytes(BYTES);
	struct pair p;

	tls_open(&p);
	SSL_set_max_proto_version(stream_ssl(p.client.s), version);
	p.client.piece = p.server.piece = piece;
	p.client.out = data;
	p.client.nout = BYTES;
	p.server.echo = true;
	PAIR_UNTIL(&p, p.client.ngot == BYTES || p.client.error || p.server.error);
	assert_string_equal("", p.client.why);
	assert_int_equal(version, SSL_version(stream_ssl(p.server.s)));
	assert_memory_equal(data, p.client.got, BYTES);
	assert_true(p.client.writable > 0);
	pair_close(&p);
	free(data);
}

static void
both_ends_open_and_echo_megabytes(void **state)
{
	(void)state;
	echo_megabytes(TLS1_3_VERSION, 30000);
	echo_megabytes(TLS1_3_VERSION, 2000);
	echo_megabytes(TLS1_2_VERSION, 30000);
}

static void
small_pieces_share_records(void **state)
{
	static char lines[65500];
	struct iovec iov[655];
	struct pair p;
	uint64_t before;

	(void)state;
	for (int i = 0; i < 655; i++)
		iov[i] = (struct iovec){lines + 100 * i, 100};
	tls_open(&p);
	PAIR_UNTIL(&p, p.client.opened && p.server.opened);
	before = stream_tcp_written(p.client.s);
	assert_true(before > 100); /* the handshake */
	assert_int_equal(65500, stream_writev(p.client.s, iov, 655));
	/* Four records of 5 + 1 + 16 bytes more than their content. */
	assert_int_equal(65500 + 4 * 22, stream_tcp_written(p.client.s) - before);
	PAIR_UNTIL(&p, p.server.ngot == 65500);
	pair_close(&p);
}

static void
on_read_some(struct end *e, enum stream_event event)
{
	if (event == STREAM_OPEN)
		stream_want_read(e->s, true);
	if (event == STREAM_READABLE)
		(void)end_receive(e, 7);
}

static void
what_is_left_in_ssl_is_told_again(void **state)
{
	struct pair p;

	(void)state;
	tls_open(&p);
	p.server.hook = on_read_some;
	p.client.piece = 3;
	p.client.out = "all of this is one segment and lies in the buffer of SSL";
	p.client.nout = strlen(p.client.out);
	PAIR_UNTIL(&p, p.server.ngot == p.client.nout);
	assert_memory_equal(p.client.out, p.server.got, p.client.nout);
	pair_close(&p);
}

static void
on_read_and_pause(struct end *e, enum stream_event event)
{
	if (event == STREAM_OPEN)
		stream_want_read(e->s, true);
	if (event == STREAM_READABLE) {
		(void)end_receive(e, 10);
		stream_want_read(e->s, false);
	}
}

static void
what_is_left_in_ssl_is_told_when_reading_goes_on(void **state)
{
	char *data = random_bytes(50);
	struct pair p;

	(void)state;
	tls_open(&p);
	p.server.hook = on_read_and_pause;
	p.client.out = data;
	p.client.nout = 50;
	for (size_t i = 1; i <= 5; i++) {
		PAIR_UNTIL(&p, p.server.ngot == 10 * i);
		pair_run(&p, 20);
		assert_int_equal(10 * i, p.server.ngot);
		stream_want_read(p.server.s, true);
	}
	assert_memory_equal(data, p.server.got, 50);
	pair_close(&p);
	free(data);
}

static void
on_send_at_open(struct end *e, enum stream_event event)
{
	if (event == STREAM_OPEN)
		end_send(e);
}

/* The server's answer is here: hold our last flight back until a line is behind it. */
static void
on_message(int ours, int version, int type, const void *p, size_t n, SSL *ssl, void *arg)
{
	int on = 1;

	(void)version, (void)type, (void)p, (void)n, (void)arg;
	if (!ours)
		setsockopt(SSL_get_fd(ssl), IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
}

static void
lines_in_one_segment_with_the_handshake_are_read(void **state)
{
	struct pair p;

	(void)state;
	tls_open(&p);
	SSL_set_msg_callback(stream_ssl(p.client.s), on_message);
	p.client.hook = on_send_at_open;
	p.client.out = "hello";
	p.client.nout = 5;
	PAIR_UNTIL(&p, p.server.ngot == 5);
	pair_close(&p);
}

static void
on_ignore(struct end *e, enum stream_event event)
{
	(void)e, (void)event;
}

static void
on_read_then_close(struct end *e, enum stream_event event)
{
	if (event == STREAM_OPEN)
		stream_want_read(e->s, true);
	/* One read takes the last record and meets the end behind it. */
	if (event == STREAM_READABLE)
		(void)end_receive(e, 1000);
}

static void
an_end_met_behind_the_last_record_is_told(void **state)
{
	struct pair p;

	(void)state;
	tls_open(&p);
	p.server.hook = on_ignore;
	PAIR_UNTIL(&p, p.client.opened && p.server.opened);
	p.server.hook = on_read_then_close;
	p.client.out = "bye";
	p.client.nout = 3;
	end_send(&p.client);
	stream_shutdown(p.client.s);
	pair_run(&p, 20);
	stream_want_read(p.server.s, true);
	PAIR_UNTIL(&p, p.server.eof);
	assert_memory_equal("bye", p.server.got, 3);
	assert_false(p.server.error);
	pair_close(&p);
}

static void
after_a_half_close_the_other_way_goes_on(void **state)
{
	char *data = random_bytes(300000);
	struct pair p;

	(void)state;
	tls_open(&p);
	PAIR_UNTIL(&p, p.client.opened && p.server.opened);
	stream_shutdown(p.client.s);
	PAIR_UNTIL(&p, p.server.eof);
	p.server.out = data;
	p.server.nout = 300000;
	end_send(&p.server);
	PAIR_UNTIL(&p, p.client.ngot == 300000);
	assert_memory_equal(data, p.client.got, 300000);
	pair_close(&p);
	free(data);
}

static void
a_close_without_close_notify_is_an_end(void **state)
{
	struct pair p;
	int seen;

	(void)state;
	tls_open(&p);
	PAIR_UNTIL(&p, p.client.opened && p.server.opened);
	shutdown(stream_fd(p.client.s), SHUT_WR);
	PAIR_UNTIL(&p, p.server.eof || p.server.error);
	assert_true(p.server.eof);
	seen = p.server.readable;
	pair_run(&p, 30);
	assert_int_equal(seen, p.server.readable);
	pair_close(&p);
}

static void
a_silent_client_is_dropped_at_the_handshake_deadline(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, server_ctx, NULL, NULL);
	PAIR_UNTIL(&p, p.server.failed > 0);
	assert_int_equal(0, p.server.opened);
	assert_string_equal("TLS handshake timed out after 400 ms", p.server.why);
	pair_close(&p);
}

static void
a_silent_server_is_left_at_the_handshake_deadline(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, NULL, client_ctx, "log.example");
	PAIR_UNTIL(&p, p.client.failed > 0);
	assert_string_equal("TLS handshake timed out after 400 ms", p.client.why);
	/* TCP stood: it was the handshake. */
	assert_in_range(stream_connected_ms(p.client.s), 1, clock_mono_ms() - 300);
	pair_close(&p);
}

static void
a_failed_handshake_names_its_cause(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, server_ctx, client_ctx, "other.example");
	PAIR_UNTIL(&p, p.client.failed && p.server.failed);
	assert_string_equal("certificate is not for host other.example", p.client.why);
	assert_string_equal("peer sent alert: bad certificate", p.server.why);
	pair_close(&p);

	pair_open(&p, server_ctx, NULL, NULL);
	p.client.out = "<13>plain text\n";
	p.client.nout = 15;
	PAIR_UNTIL(&p, p.server.failed);
	assert_string_equal("peer does not speak TLS", p.server.why);
	pair_close(&p);

	pair_listen(&p, 1);
	pair_connect(&p, client_ctx, "");
	PAIR_UNTIL(&p, p.client.failed);
	assert_string_equal("host name '' cannot be verified", p.client.why);
	pair_close(&p);
}

static void
a_client_reads_why_the_server_refused_it(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, mutual_ctx, client_ctx, "log.example");
	PAIR_UNTIL(&p, p.server.failed && (p.client.failed || p.client.error));
	assert_string_equal("client sent no certificate, and one is required", p.server.why);
	assert_string_equal("peer sent alert: certificate required", p.client.why);
	pair_close(&p);
}

static void
a_reset_is_an_error(void **state)
{
	struct iovec iov = {(void *)(uintptr_t) "x", 1};
	struct pair p;

	(void)state;
	tls_open(&p);
	PAIR_UNTIL(&p, p.client.opened && p.server.opened);
	stream_abort(p.server.s);
	p.server.s = NULL;
	PAIR_UNTIL(&p, p.client.error);
	assert_string_equal("connection reset by the peer", p.client.why);
	assert_int_equal(STREAM_ERROR, stream_writev(p.client.s, &iov, 1));
	pair_close(&p);
}

static void
acknowledged_bytes_include_records_and_handshake(void **state)
{
	struct stream_tcp tcp = {0};
	char *data = random_bytes(200000);
	struct pair p;

	(void)state;
	tls_open(&p);
	p.client.out = data;
	p.client.nout = 200000;
	PAIR_UNTIL(&p, p.server.ngot == 200000);
	PAIR_UNTIL(&p, stream_tcp_state(p.client.s, &tcp) && tcp.unacked == 0);
	assert_int_equal(stream_tcp_written(p.client.s), tcp.acked);
	assert_true(tcp.acked > 200000 + 200000 / 16384 * 22 && tcp.acked < 203000);
	pair_close(&p);
	free(data);
}

static void
on_free(struct end *e, enum stream_event event)
{
	(void)event;
	stream_free(e->s);
	e->s = NULL;
}

static void
a_stream_may_be_freed_when_it_opens_or_fails(void **state)
{
	struct pair p;

	(void)state;
	tls_open(&p);
	p.client.hook = p.server.hook = on_free;
	PAIR_UNTIL(&p, p.client.s == NULL && p.server.s == NULL);
	pair_close(&p);
	pair_open(&p, server_ctx, client_ctx, "other.example");
	p.client.hook = p.server.hook = on_free;
	PAIR_UNTIL(&p, p.client.s == NULL && p.server.s == NULL);
	pair_close(&p);
}

/* KeyUpdate makes the reader write in the middle of reading. */
static void
keys_may_change_on_the_way(void **state)
{
	char *data = random_bytes(400000);
	struct pair p;

	(void)state;
	tls_open(&p);
	PAIR_UNTIL(&p, p.client.opened && p.server.opened);
	p.server.echo = true;
	p.client.out = data;
	for (size_t n = 100000; n <= 400000; n += 100000) {
		p.client.nout = n;
		end_send(&p.client);
		PAIR_UNTIL(&p, p.client.ngot == n);
		assert_int_equal(1,
				 SSL_key_update(stream_ssl(p.client.s), SSL_KEY_UPDATE_REQUESTED));
	}
	assert_memory_equal(data, p.client.got, 400000);
	pair_close(&p);
	free(data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_ends_open_and_echo_megabytes),
	    cmocka_unit_test(small_pieces_share_records),
	    cmocka_unit_test(what_is_left_in_ssl_is_told_again),
	    cmocka_unit_test(what_is_left_in_ssl_is_told_when_reading_goes_on),
	    cmocka_unit_test(lines_in_one_segment_with_the_handshake_are_read),
	    cmocka_unit_test(an_end_met_behind_the_last_record_is_told),
	    cmocka_unit_test(after_a_half_close_the_other_way_goes_on),
	    cmocka_unit_test(a_close_without_close_notify_is_an_end),
	    cmocka_unit_test(a_silent_client_is_dropped_at_the_handshake_deadline),
	    cmocka_unit_test(a_silent_server_is_left_at_the_handshake_deadline),
	    cmocka_unit_test(a_failed_handshake_names_its_cause),
	    cmocka_unit_test(a_client_reads_why_the_server_refused_it),
	    cmocka_unit_test(a_reset_is_an_error),
	    cmocka_unit_test(acknowledged_bytes_include_records_and_handshake),
	    cmocka_unit_test(a_stream_may_be_freed_when_it_opens_or_fails),
	    cmocka_unit_test(keys_may_change_on_the_way),
	};

	return cmocka_run_group_tests(tests, make_contexts, free_contexts);
}

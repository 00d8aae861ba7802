#include "stream_pair.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/un.h>

static void
both_ends_open_and_echo_megabytes(void **state)
{
	enum { BYTES = 5 * 1000 * 1000 };
	char *data = random_bytes(BYTES);
	struct pair p;

	(void)state;
	pair_open(&p, NULL, NULL, NULL);
	p.client.out = data;
	p.client.nout = BYTES;
	p.server.echo = true;
	PAIR_UNTIL(&p, p.client.ngot == BYTES || p.client.error || p.server.error);
	assert_memory_equal(data, p.client.got, BYTES);
	assert_int_equal(1, p.client.opened);
	assert_int_equal(1, p.server.opened);
	assert_true(p.client.writable > 0);
	pair_close(&p);
	free(data);
}

static void
nothing_is_told_before_the_loop_turns(void **state)
{
	struct sockaddr_in6 nowhere = {.sin6_family = AF_INET6, .sin6_port = htons(1)};
	struct pair p;

	(void)state;
	pair_open(&p, NULL, NULL, NULL);
	assert_int_equal(0, p.client.opened + p.server.opened);
	stream_free(p.client.s);
	/* A wrong length fails inside connect(2). */
	p.client.s = stream_connect(p.base, (struct sockaddr *)&nowhere, 4, NULL, NULL, 100, 100,
				    on_end, &p.client);
	assert_non_null(p.client.s);
	assert_int_equal(0, p.client.failed);
	PAIR_UNTIL(&p, p.client.failed == 1);
	assert_string_not_equal("", p.client.why);
	pair_close(&p);
}

static void
a_refused_connection_says_so(void **state)
{
	struct pair p;

	(void)state;
	pair_listen(&p, 1);
	close(p.listener);
	pair_connect(&p, NULL, NULL);
	PAIR_UNTIL(&p, p.client.failed > 0);
	assert_string_equal("connection refused", p.client.why);
	assert_int_equal(stream_connected_ms(p.client.s), 0);
	p.listener = -1;
	pair_close(&p);
}

static void
a_connection_that_nobody_answers_times_out(void **state)
{
	struct pair p;
	int fd[2];

	(void)state;
	pair_listen(&p, 0);
	/* A backlog of 0 holds one: further SYNs go unanswered. */
	for (int i = 0; i < 2; i++) {
		fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fd[i], (struct sockaddr *)&p.addr, sizeof(p.addr));
	}
	pair_run(&p, 20);
	pair_connect(&p, NULL, NULL);
	PAIR_UNTIL(&p, p.client.failed > 0);
	assert_string_equal("connection timed out after 200 ms", p.client.why);
	close(fd[0]);
	close(fd[1]);
	pair_close(&p);
}

static void
a_fin_is_seen_while_idle_and_told_once(void **state)
{
	struct pair p;
	int seen;

	(void)state;
	pair_open(&p, NULL, NULL, NULL);
	PAIR_UNTIL(&p, p.client.opened && p.server.opened);
	end_free(&p.server);
	PAIR_UNTIL(&p, p.client.eof);
	seen = p.client.readable;
	pair_run(&p, 30);
	assert_int_equal(seen, p.client.readable);
	assert_false(p.client.error);
	pair_close(&p);
}

static void
after_a_half_close_the_other_way_goes_on(void **state)
{
	char *data = random_bytes(300000);
	struct pair p;

	(void)state;
	pair_open(&p, NULL, NULL, NULL);
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
on_read_one_byte(struct end *e, enum stream_event event)
{
	if (event == STREAM_OPEN)
		stream_want_read(e->s, true);
	if (event == STREAM_READABLE)
		(void)end_receive(e, 1);
}

static void
what_is_left_unread_is_told_again(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, NULL, NULL, NULL);
	p.server.hook = on_read_one_byte;
	p.client.out = "hello, world";
	p.client.nout = 12;
	PAIR_UNTIL(&p, p.server.ngot == 12);
	assert_memory_equal("hello, world", p.server.got, 12);
	pair_close(&p);
}

static void
reading_is_off_until_wanted(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, NULL, NULL, NULL);
	PAIR_UNTIL(&p, p.client.opened && p.server.opened);
	stream_want_read(p.server.s, false);
	p.client.out = "hello";
	p.client.nout = 5;
	end_send(&p.client);
	pair_run(&p, 30);
	assert_int_equal(0, p.server.readable);
	stream_want_read(p.server.s, true);
	PAIR_UNTIL(&p, p.server.ngot == 5);
	pair_close(&p);
}

static void
on_ignore(struct end *e, enum stream_event event)
{
	(void)e, (void)event;
}

/* The server does not read: fills the way to it. */
static void
fill(struct pair *p, const char *data, size_t n)
{
	p->server.hook = on_ignore;
	PAIR_UNTIL(p, p->client.opened && p->server.opened);
	p->client.hook = on_ignore;
	p->client.out = data;
	p->client.nout = n;
	for (int i = 0; i < 20; i++) {
		end_send(&p->client);
		pair_run(p, 5);
	}
	assert_true(p->client.sent > 0 && p->client.sent < n);
}

static void
acknowledged_bytes_are_counted(void **state)
{
	enum { BYTES = 8 * 1000 * 1000 };
	char *data = random_bytes(BYTES);
	struct stream_tcp before, after;
	struct pair p;

	(void)state;
	pair_open(&p, NULL, NULL, NULL);
	fill(&p, data, BYTES);
	assert_true(stream_tcp_state(p.client.s, &before));
	assert_int_equal(p.client.sent, stream_tcp_written(p.client.s));
	assert_int_equal(p.client.sent, before.acked + before.unacked);
	assert_true(before.acked > 0 && before.unacked > 0);

	p.client.hook = p.server.hook = NULL;
	stream_want_read(p.server.s, true);
	PAIR_UNTIL(&p, p.server.ngot == BYTES);
	stream_shutdown(p.client.s);
	PAIR_UNTIL(&p, p.server.eof);
	assert_true(stream_tcp_state(p.client.s, &after));
	assert_int_equal(BYTES, after.acked);
	assert_int_equal(0, after.unacked);
	assert_true(after.window > before.window);
	assert_true(after.window_max >= after.window);
	pair_close(&p);
	free(data);
}

static void
acknowledged_bytes_stay_known_after_a_reset(void **state)
{
	enum { BYTES = 8 * 1000 * 1000 };
	char *data = random_bytes(BYTES);
	struct stream_tcp before, after;
	struct pair p;

	(void)state;
	pair_open(&p, NULL, NULL, NULL);
	fill(&p, data, BYTES);
	assert_true(stream_tcp_state(p.client.s, &before));
	stream_abort(p.server.s);
	p.server.s = NULL;
	p.client.hook = NULL;
	stream_want_read(p.client.s, true);
	PAIR_UNTIL(&p, p.client.error);
	assert_string_equal("connection reset by the peer", p.client.why);
	assert_true(stream_tcp_state(p.client.s, &after));
	assert_int_equal(before.acked, after.acked);
	assert_int_equal(before.unacked, after.unacked);
	pair_close(&p);
	free(data);
}

/* It had sent all that it was given, so that nothing was in flight or waited once it was reset. */
static void
few_bytes_that_met_a_reset_are_not_acknowledged(void **state)
{
	char few[100] = {0};
	struct iovec iov = {few, sizeof(few)};
	struct stream_tcp tcp;
	struct pair p;

	(void)state;
	pair_open(&p, NULL, NULL, NULL);
	PAIR_UNTIL(&p, p.client.opened && p.server.opened);
	stream_free(p.server.s);
	p.server.s = NULL;
	assert_int_equal(sizeof(few), stream_writev(p.client.s, &iov, 1));
	for (int i = 0; i < 3; i++) {
		pair_run(&p, 20);
		assert_true(stream_tcp_state(p.client.s, &tcp));
		assert_int_equal(0, tcp.acked);
		assert_int_equal(sizeof(few), tcp.unacked);
	}
	pair_close(&p);
}

static unsigned
user_timeout(const struct stream *s)
{
	unsigned ms = 1;
	socklen_t len = sizeof(ms);

	assert_int_equal(0, getsockopt(stream_fd(s), IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, &len));
	return ms;
}

static void
a_closed_window_lifts_the_user_timeout(void **state)
{
	enum { BYTES = 8 * 1000 * 1000 };
	char *data = random_bytes(BYTES);
	struct stream_tcp tcp;
	struct pair p;

	(void)state;
	pair_open(&p, NULL, NULL, NULL);
	assert_int_equal(30000, user_timeout(p.client.s));
	fill(&p, data, BYTES);
	pair_run(&p, 300);
	assert_true(stream_tcp_state(p.client.s, &tcp));
	assert_int_equal(0, user_timeout(p.client.s));
	p.client.hook = p.server.hook = NULL;
	stream_want_read(p.server.s, true);
	PAIR_UNTIL(&p, p.server.ngot == BYTES);
	assert_true(stream_tcp_state(p.client.s, &tcp));
	assert_int_equal(30000, user_timeout(p.client.s));
	pair_close(&p);
	free(data);
}

static void
the_send_buffer_is_bounded(void **state)
{
	enum { BYTES = 8 * 1000 * 1000 };
	char *data = random_bytes(BYTES);
	struct stream_tcp tcp;
	struct pair p;

	(void)state;
	pair_open(&p, NULL, NULL, NULL);
	fill(&p, data, BYTES);
	assert_true(stream_tcp_state(p.client.s, &tcp));
	assert_true(tcp.unacked <= 1024 * 1024);
	pair_close(&p);
	free(data);
}

static void
writing_to_a_closed_peer_is_an_error_and_no_signal(void **state)
{
	struct iovec iov = {(void *)(uintptr_t) "x", 1};
	struct pair p;

	(void)state;
	pair_open(&p, NULL, NULL, NULL);
	p.client.hook = on_ignore;
	PAIR_UNTIL(&p, p.client.opened && p.server.opened);
	end_free(&p.server);
	assert_int_equal(1, stream_writev(p.client.s, &iov, 1));
	pair_run(&p, 20);
	assert_int_equal(STREAM_ERROR, stream_writev(p.client.s, &iov, 1));
	assert_string_equal("connection closed by the peer", stream_error(p.client.s));
	assert_int_equal(STREAM_ERROR, stream_writev(p.client.s, &iov, 1));
	pair_close(&p);
}

static void
a_write_before_open_waits_for_it(void **state)
{
	struct iovec iov = {(void *)(uintptr_t) "early", 5};
	struct pair p;

	(void)state;
	pair_open(&p, NULL, NULL, NULL);
	assert_int_equal(STREAM_AGAIN, stream_writev(p.client.s, &iov, 1));
	p.client.hook = on_ignore;
	PAIR_UNTIL(&p, p.client.writable == 1);
	assert_int_equal(5, stream_writev(p.client.s, &iov, 1));
	PAIR_UNTIL(&p, p.server.ngot == 5);
	pair_run(&p, 20);
	assert_int_equal(1, p.client.writable);
	pair_close(&p);
}

static enum stream_event free_at;

static void
on_free(struct end *e, enum stream_event event)
{
	if (event == STREAM_OPEN) {
		stream_want_read(e->s, true);
		if (e->nout > 0)
			end_send(e);
	}
	if (event == free_at) {
		stream_free(e->s);
		e->s = NULL;
	}
}

static void
a_stream_may_be_freed_in_any_event(void **state)
{
	enum { BYTES = 8 * 1000 * 1000 };
	const enum stream_event events[] = {STREAM_OPEN, STREAM_READABLE, STREAM_WRITABLE};
	char *data = random_bytes(BYTES);
	struct pair p;

	(void)state;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		free_at = events[i];
		pair_open(&p, NULL, NULL, NULL);
		p.client.hook = on_free;
		p.client.out = p.server.out = data;
		p.server.nout = BYTES;
		p.client.nout = free_at == STREAM_WRITABLE ? BYTES : 0;
		PAIR_UNTIL(&p, p.client.s == NULL);
		pair_run(&p, 10);
		pair_close(&p);
	}
	free_at = STREAM_FAILED;
	pair_listen(&p, 1);
	close(p.listener);
	p.client.hook = on_free;
	pair_connect(&p, NULL, NULL);
	PAIR_UNTIL(&p, p.client.s == NULL);
	p.listener = -1;
	pair_close(&p);
	free(data);
}

static void
closing_over_unread_bytes_does_not_destroy_what_was_sent(void **state)
{
	char *data = random_bytes(100000);
	struct pair p;

	(void)state;
	pair_open(&p, NULL, NULL, NULL);
	p.server.hook = on_ignore;
	p.client.hook = on_ignore;
	PAIR_UNTIL(&p, p.client.opened && p.server.opened);
	p.client.out = p.server.out = data;
	p.client.nout = p.server.nout = 100000;
	end_send(&p.client);
	end_send(&p.server);
	assert_int_equal(100000, p.server.sent);
	pair_run(&p, 20);
	end_free(&p.server);
	pair_run(&p, 20);
	p.client.hook = NULL;
	stream_want_read(p.client.s, true);
	PAIR_UNTIL(&p, p.client.eof || p.client.error);
	assert_true(p.client.eof);
	assert_int_equal(100000, p.client.ngot);
	pair_close(&p);
	free(data);
}

static void
unix_sockets_are_streams_too(void **state)
{
	struct stream_tcp tcp;
	struct pair p;
	int fd[2];

	(void)state;
	pair_listen(&p, 1);
	assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd));
	p.server.s = stream_accepted(p.base, fd[0], NULL, 100, on_end, &p.server);
	p.server.echo = true;
	assert_int_equal(5, write(fd[1], "hello", 5));
	PAIR_UNTIL(&p, p.server.sent == 5);
	assert_false(stream_tcp_state(p.server.s, &tcp));
	assert_int_equal(5, stream_tcp_written(p.server.s));
	close(fd[1]);
	PAIR_UNTIL(&p, p.server.eof || p.server.error);
	pair_close(&p);
}

static void
a_unix_socket_can_be_connected_to(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/nonexistent/penstock.sock"};
	struct pair p;

	(void)state;
	pair_listen(&p, 1);
	p.client.s = stream_connect(p.base, (struct sockaddr *)&un, sizeof(un), NULL, NULL, 100,
				    100, on_end, &p.client);
	PAIR_UNTIL(&p, p.client.failed > 0);
	assert_string_equal("No such file or directory", p.client.why);
	pair_close(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_ends_open_and_echo_megabytes),
	    cmocka_unit_test(nothing_is_told_before_the_loop_turns),
	    cmocka_unit_test(a_refused_connection_says_so),
	    cmocka_unit_test(a_connection_that_nobody_answers_times_out),
	    cmocka_unit_test(a_fin_is_seen_while_idle_and_told_once),
	    cmocka_unit_test(after_a_half_close_the_other_way_goes_on),
	    cmocka_unit_test(what_is_left_unread_is_told_again),
	    cmocka_unit_test(reading_is_off_until_wanted),
	    cmocka_unit_test(acknowledged_bytes_are_counted),
	    cmocka_unit_test(acknowledged_bytes_stay_known_after_a_reset),
	    cmocka_unit_test(few_bytes_that_met_a_reset_are_not_acknowledged),
	    cmocka_unit_test(a_closed_window_lifts_the_user_timeout),
	    cmocka_unit_test(the_send_buffer_is_bounded),
	    cmocka_unit_test(writing_to_a_closed_peer_is_an_error_and_no_signal),
	    cmocka_unit_test(a_write_before_open_waits_for_it),
	    cmocka_unit_test(a_stream_may_be_freed_in_any_event),
	    cmocka_unit_test(closing_over_unread_bytes_does_not_destroy_what_was_sent),
	    cmocka_unit_test(unix_sockets_are_streams_too),
	    cmocka_unit_test(a_unix_socket_can_be_connected_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

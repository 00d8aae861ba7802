/* Real sockets on 127.0.0.1 and a Unix socket that can be full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/datagram.h"

enum { MANY = 200 };

static struct event_base *base;
static unsigned writable_calls;

static void
on_writable(void *arg)
{
	unsigned *calls = arg;

	(*calls)++;
}

static int
setup(void **state)
{
	(void)state;
	base = event_base_new();
	writable_calls = 0;
	return base == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	event_base_free(base);
	return 0;
}

static int
receiver_open(struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int bytes = 1024 * 1024;

	*addr = (struct sockaddr_in){.sin_family = AF_INET};
	addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	assert_int_equal(bind(fd, (struct sockaddr *)addr, sizeof(*addr)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)addr, &len), 0);
	return fd;
}

static struct datagram *
sender_to(const struct sockaddr_in *addr)
{
	struct datagram *d = datagram_new(base, (const struct sockaddr *)addr, sizeof(*addr),
					  on_writable, &writable_calls);

	assert_non_null(d);
	return d;
}

/* More than one call to the kernel carries. */
static void
each_piece_is_one_datagram_in_order(void **state)
{
	struct sockaddr_in addr;
	int fd = receiver_open(&addr), err = -1;
	struct datagram *d = sender_to(&addr);
	static char text[MANY][16];
	struct iovec iov[MANY];
	char got[64];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		iov[i].iov_base = text[i];
		iov[i].iov_len = (size_t)snprintf(text[i], sizeof(text[i]), "line %d", i);
	}
	assert_int_equal(datagram_send(d, iov, MANY, &err), MANY);
	assert_int_equal(err, 0);
	for (int i = 0; i < MANY; i++) {
		ssize_t n = recv(fd, got, sizeof(got), 0);

		assert_int_equal(n, iov[i].iov_len);
		assert_memory_equal(got, text[i], iov[i].iov_len);
	}
	assert_int_equal(recv(fd, got, sizeof(got), 0), -1);
	datagram_free(d);
	close(fd);
}

static void
nothing_to_send_is_no_error(void **state)
{
	struct sockaddr_in addr;
	int fd = receiver_open(&addr), err = -1;
	struct datagram *d = sender_to(&addr);
	struct iovec none;

	(void)state;
	assert_int_equal(datagram_send(d, &none, 0, &err), 0);
	assert_int_equal(err, 0);
	datagram_free(d);
	close(fd);
}

static void
a_piece_too_long_for_a_datagram_stops_there_and_says_so(void **state)
{
	struct sockaddr_in addr;
	int fd = receiver_open(&addr), err = 0;
	struct datagram *d = sender_to(&addr);
	char *huge = calloc(1, 70000);
	struct iovec iov[3] = {{(char[]){"first"}, 5}, {huge, 70000}, {(char[]){"last"}, 4}};
	char got[64];

	(void)state;
	assert_non_null(huge);
	assert_int_equal(datagram_send(d, iov, 3, &err), 1);
	assert_int_equal(err, EMSGSIZE);
	/* The caller skips it and goes on. */
	assert_int_equal(datagram_send(d, iov + 2, 1, &err), 1);
	assert_int_equal(err, 0);
	assert_int_equal(recv(fd, got, sizeof(got), 0), 5);
	assert_int_equal(recv(fd, got, sizeof(got), 0), 4);
	datagram_free(d);
	free(huge);
	close(fd);
}

static void
a_receiver_that_is_not_there_shows_on_a_later_call(void **state)
{
	struct sockaddr_in addr;
	int fd = receiver_open(&addr), err = 0;
	struct datagram *d = sender_to(&addr);
	struct iovec iov = {(char[]){"x"}, 1};
	unsigned tries = 0;

	(void)state;
	close(fd);
	while (err == 0 && tries++ < 100) {
		datagram_send(d, &iov, 1, &err);
		usleep(1000);
	}
	assert_int_equal(err, ECONNREFUSED);
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(writable_calls, 0);
	datagram_free(d);
}

static void
what_came_back_for_a_datagram_is_told_once(void **state)
{
	struct sockaddr_in addr;
	int fd = receiver_open(&addr), err = 0;
	struct datagram *d = sender_to(&addr);
	struct iovec iov = {(char[]){"x"}, 1};

	(void)state;
	assert_int_equal(datagram_send(d, &iov, 1, &err), 1);
	assert_int_equal(datagram_take_error(d), 0);
	close(fd);
	assert_int_equal(datagram_send(d, &iov, 1, &err), 1);
	for (int i = 0; i < 1000 && err == 0; i++) {
		err = datagram_take_error(d);
		usleep(1000);
	}
	assert_int_equal(err, ECONNREFUSED);
	assert_int_equal(datagram_take_error(d), 0);
	datagram_free(d);
}

static void
a_full_receiver_is_told_of_and_waited_for(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), err = 0;
	static char text[1024], got[1024];
	struct iovec iov[MANY];
	struct datagram *d;
	unsigned sent = 0, more;

	(void)state;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "/tmp/unit_datagram.%d", (int)getpid());
	unlink(addr.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	d = datagram_new(base, (struct sockaddr *)&addr, sizeof(addr), on_writable,
			 &writable_calls);
	assert_non_null(d);
	for (int i = 0; i < MANY; i++)
		iov[i] = (struct iovec){text, sizeof(text)};
	for (int i = 0; i < 1000 && err == 0; i++)
		sent += datagram_send(d, iov, MANY, &err);
	assert_int_equal(err, EAGAIN);
	assert_true(sent > 0);
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(writable_calls, 0);
	while (recv(fd, got, sizeof(got), 0) > 0)
		sent--;
	assert_int_equal(sent, 0);
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(writable_calls, 1);
	/* Once for each time that it was full. */
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(writable_calls, 1);
	more = datagram_send(d, iov, 3, &err);
	assert_int_equal(more, 3);
	assert_int_equal(err, 0);
	datagram_free(d);
	close(fd);
	unlink(addr.sun_path);
}

static void
an_address_that_cannot_be_is_no_datagram(void **state)
{
	struct sockaddr_un nowhere = {.sun_family = AF_UNIX, .sun_path = "/nonexistent/socket"};
	struct sockaddr odd = {.sa_family = 12345};

	(void)state;
	errno = 0;
	assert_null(datagram_new(base, (struct sockaddr *)&nowhere, sizeof(nowhere), on_writable,
				 &writable_calls));
	assert_int_equal(errno, ENOENT);
	assert_null(datagram_new(base, &odd, sizeof(odd), on_writable, &writable_calls));
	assert_int_equal(errno, EAFNOSUPPORT);
	datagram_free(NULL);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(each_piece_is_one_datagram_in_order),
	    T(nothing_to_send_is_no_error),
	    T(a_piece_too_long_for_a_datagram_stops_there_and_says_so),
	    T(a_receiver_that_is_not_there_shows_on_a_later_call),
	    T(what_came_back_for_a_datagram_is_told_once),
	    T(a_full_receiver_is_told_of_and_waited_for),
	    T(an_address_that_cannot_be_is_no_datagram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

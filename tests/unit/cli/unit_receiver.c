#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "cli/receiver.h"

enum { QUIET_MS = 50, TURNS = 400 };

struct fixture {
	struct receiver *receiver;
	uint16_t port;
	FILE *out;
	char *text;
	size_t n;
};

static void
begin(struct fixture *f, bool raw)
{
	struct listen_options o = {.tcp = true, .udp = true, .raw = raw, .host = "127.0.0.1"};
	char err[LISTEN_ERROR_BYTES] = "";

	*f = (struct fixture){0};
	f->out = open_memstream(&f->text, &f->n);
	assert_non_null(f->out);
	f->receiver = receiver_open(&o, f->out, err);
	assert_string_equal(err, "");
	assert_non_null(f->receiver);
	f->port = (uint16_t)strtoul(strchr(receiver_address(f->receiver), ':') + 1, NULL, 10);
	assert_int_not_equal(f->port, 0);
}

/* Ends the receiver, checks all that it printed. */
static void
end_with(struct fixture *f, const char *expected)
{
	receiver_close(f->receiver);
	fclose(f->out);
	assert_string_equal(f->text, expected);
	free(f->text);
}

static int
sender(const struct fixture *f, int type)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(f->port)};
	int fd = socket(AF_INET, type, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void
send_bytes(int fd, const char *p, size_t n)
{
	assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), n);
}

static void
send_text(int fd, const char *text)
{
	send_bytes(fd, text, strlen(text));
}

/* Takes what comes until `expected` stands there; the check itself is the caller's. */
static void
take(struct fixture *f, const char *expected)
{
	for (int i = 0; i < TURNS && strcmp(f->text != NULL ? f->text : "", expected) != 0; i++)
		assert_int_equal(receiver_turn(f->receiver, QUIET_MS, NULL), RECEIVER_OK);
}

static void
counted_and_lf_frames_of_one_connection_are_told_apart(void **state)
{
	static const char expected[] = "<13>1 - - - - - - one\n<13>two\n<13>1 three\n";
	struct fixture f;
	int fd;

	(void)state;
	begin(&f, false);
	fd = sender(&f, SOCK_STREAM);
	send_text(fd, "21 <13>1 - - - - - - one<13>two\r\n11 <13>1 three");
	take(&f, expected);
	close(fd);
	end_with(&f, expected);
}

static void
a_message_cut_anywhere_by_the_network_is_printed_once_and_whole(void **state)
{
	static const char wire[] = "9 <13>1 one<13>two\n";
	static const char expected[] = "<13>1 one\n<13>two\n";
	struct fixture f;
	int fd;

	(void)state;
	for (size_t cut = 1; cut < sizeof(wire) - 1; cut++) {
		begin(&f, false);
		fd = sender(&f, SOCK_STREAM);
		send_bytes(fd, wire, cut);
		for (int i = 0; i < 3; i++)
			assert_int_equal(receiver_turn(f.receiver, 1, NULL), RECEIVER_OK);
		send_text(fd, wire + cut);
		take(&f, expected);
		close(fd);
		end_with(&f, expected);
	}
}

static void
a_line_feed_inside_a_counted_message_does_not_make_two_lines(void **state)
{
	static const char expected[] = "<13>a#012b#033[2J#177#000\tc\n";
	struct fixture f;
	int fd;

	(void)state;
	begin(&f, false);
	fd = sender(&f, SOCK_STREAM);
	send_bytes(fd, "15 <13>a\nb\033[2J\177\0\tc", 18);
	take(&f, expected);
	close(fd);
	end_with(&f, expected);
}

static void
what_a_closed_connection_left_is_a_message(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	begin(&f, false);
	fd = sender(&f, SOCK_STREAM);
	send_text(fd, "<13>no end");
	close(fd);
	take(&f, "<13>no end\n");
	end_with(&f, "<13>no end\n");
}

static void
a_datagram_is_one_message_whatever_it_holds(void **state)
{
	static const char expected[] = "<13>a#012b\n5 <13>\n";
	struct fixture f;
	int fd;

	(void)state;
	begin(&f, false);
	fd = sender(&f, SOCK_DGRAM);
	send_text(fd, "<13>a\nb\r\n");
	send_text(fd, "\n");
	send_text(fd, "5 <13>");
	take(&f, expected);
	close(fd);
	end_with(&f, expected);
}

static void
raw_prints_the_bytes_as_they_came(void **state)
{
	static const char wire[] = "9 <13>1 one<13>two\r\n12 <13>";
	struct fixture f;
	int fd;

	(void)state;
	begin(&f, true);
	fd = sender(&f, SOCK_STREAM);
	send_text(fd, wire);
	take(&f, wire);
	close(fd);
	end_with(&f, wire);
}

static void
more_senders_than_places_are_served_in_turn(void **state)
{
	enum { SENDERS = RECEIVER_CONNECTIONS + 20 };
	int fds[SENDERS];
	struct fixture f;
	size_t lines = 0;

	(void)state;
	begin(&f, false);
	for (size_t i = 0; i < SENDERS; i++) {
		fds[i] = sender(&f, SOCK_STREAM);
		send_text(fds[i], "<13>x\n");
		assert_int_equal(receiver_turn(f.receiver, 1, NULL), RECEIVER_OK);
	}
	for (size_t i = 0; i < SENDERS; i++)
		close(fds[i]);
	for (int i = 0; i < TURNS && lines < SENDERS; i++) {
		assert_int_equal(receiver_turn(f.receiver, QUIET_MS, NULL), RECEIVER_OK);
		lines = f.n / strlen("<13>x\n");
	}
	receiver_close(f.receiver);
	fclose(f.out);
	assert_int_equal(f.n, SENDERS * strlen("<13>x\n"));
	free(f.text);
}

static void
a_port_in_use_is_an_error_that_names_it(void **state)
{
	struct listen_options o = {.udp = true, .host = "127.0.0.1"};
	char err[LISTEN_ERROR_BYTES] = "", port[16];
	struct fixture f;

	(void)state;
	begin(&f, false);
	o.port = f.port;
	snprintf(port, sizeof(port), "port %u", f.port);
	assert_null(receiver_open(&o, f.out, err));
	assert_non_null(strstr(err, port));
	assert_non_null(strstr(err, strerror(EADDRINUSE)));
	o = (struct listen_options){.tcp = true, .host = "127.0.0.1", .port = f.port};
	assert_null(receiver_open(&o, f.out, err));
	end_with(&f, "");
}

static void
a_reader_that_has_gone_ends_the_receiver(void **state)
{
	struct listen_options o = {.tcp = true, .host = "127.0.0.1"};
	FILE *full = fopen("/dev/full", "w");
	char err[LISTEN_ERROR_BYTES] = "";
	struct fixture f = {0};
	enum receiver_result result = RECEIVER_OK;
	int fd;

	(void)state;
	assert_non_null(full);
	f.receiver = receiver_open(&o, full, err);
	assert_non_null(f.receiver);
	f.port = (uint16_t)strtoul(strchr(receiver_address(f.receiver), ':') + 1, NULL, 10);
	fd = sender(&f, SOCK_STREAM);
	send_text(fd, "<13>x\n");
	for (int i = 0; i < TURNS && result == RECEIVER_OK; i++)
		result = receiver_turn(f.receiver, QUIET_MS, NULL);
	assert_int_equal(result, RECEIVER_OUT);
	close(fd);
	receiver_close(f.receiver);
	fclose(full);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(counted_and_lf_frames_of_one_connection_are_told_apart),
	    cmocka_unit_test(a_message_cut_anywhere_by_the_network_is_printed_once_and_whole),
	    cmocka_unit_test(a_line_feed_inside_a_counted_message_does_not_make_two_lines),
	    cmocka_unit_test(what_a_closed_connection_left_is_a_message),
	    cmocka_unit_test(a_datagram_is_one_message_whatever_it_holds),
	    cmocka_unit_test(raw_prints_the_bytes_as_they_came),
	    cmocka_unit_test(more_senders_than_places_are_served_in_turn),
	    cmocka_unit_test(a_port_in_use_is_an_error_that_names_it),
	    cmocka_unit_test(a_reader_that_has_gone_ends_the_receiver),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

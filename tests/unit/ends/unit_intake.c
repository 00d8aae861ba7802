/* What becomes of senders' connections while listeners close. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "ends/intake.h"
#include "ends/listener.h"
#include "ends/session.h"

static struct stats stats;
static struct config config = {.max_line = 64 * 1024};
static struct outbox outbox;
static struct ingest ingest;
static struct intake intake;
static struct listen_url url;
static struct tag_rule *rule;
static char last_name[64];
static unsigned unknown_lines;
static int sender = -1;

static void
on_unknown(struct slice name, void *arg)
{
	(void)arg;
	unknown_lines++;
	snprintf(last_name, sizeof(last_name), "%.*s", (int)name.n, name.p);
}

static void
on_read_done(void *arg)
{
	(void)arg;
}

static int
listening_socket(struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	*addr = (struct sockaddr_in){.sin_family = AF_INET};
	addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)addr, sizeof(*addr)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)addr, &len), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static void
turn(void)
{
	for (int i = 0; i < 20; i++) {
		event_base_loop(intake.base, EVLOOP_NONBLOCK);
		usleep(1000);
	}
}

static void
send_text(const char *text)
{
	assert_int_equal(send(sender, text, strlen(text), 0), strlen(text));
}

static int
setup(void **state)
{
	struct sockaddr_in addr;
	char err[256];
	int fd;

	(void)state;
	assert_true(listen_url_parse("syslog+tcp://127.0.0.1:0", false, &url, err, sizeof(err)));
	rule = tag_rule_new("app-name", err, sizeof(err));
	assert_non_null(rule);
	unknown_lines = 0;
	stats = (struct stats){0};
	outbox_init(&outbox, NULL, 0, NULL);
	ingest = (struct ingest){
	    .routes = routes_new(), .outbox = outbox, .stats = &stats, .unknown = on_unknown};
	intake = (struct intake){.base = event_base_new(),
				 .ingest = &ingest,
				 .config = &config,
				 .stats = &stats,
				 .host = SLICE("here"),
				 .read_done = on_read_done};
	intake_init(&intake);
	fd = listening_socket(&addr);
	listener_new(&intake, &url, fd, NULL, rule);
	sender = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(sender, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	intake_clear(&intake);
	routes_free(ingest.routes);
	ingest_clear(&ingest);
	event_base_free(intake.base);
	tag_rule_free(rule);
	listen_url_free(&url);
	close(sender);
	return 0;
}

static void
lines_that_come_after_the_listener_closed_are_tagged_by_its_rule(void **state)
{
	(void)state;
	turn();
	listener_close(TAILQ_FIRST(&intake.listeners));
	assert_true(TAILQ_EMPTY(&intake.listeners));
	send_text("<14>1 - h late - - - hello\n");
	turn();
	assert_int_equal(unknown_lines, 1);
	assert_string_equal(last_name, "late");
}

static void
a_listener_counts_what_came_through_it(void **state)
{
	const struct listener_counts *counts;

	(void)state;
	turn();
	counts = listener_counts(TAILQ_FIRST(&intake.listeners));
	assert_int_equal(counts->connections, 1);
	assert_int_equal(counts->open, 1);
	send_text("<14>1 - h web - - - a\n<14>1 - h web - - - b\n<14>1 - h web - - - c");
	turn();
	assert_int_equal(counts->lines, 2);
	assert_int_equal(counts->bytes, 3 * strlen("<14>1 - h web - - - a") + 2);
	shutdown(sender, SHUT_WR);
	turn();
	/* The end of the connection ends the last line, too. */
	assert_int_equal(counts->lines, 3);
	assert_int_equal(counts->connections, 1);
	assert_int_equal(counts->open, 0);
	assert_int_equal(counts->lines_cut, 0);
}

static void
a_connection_that_was_queued_is_read_after_its_listener_closed(void **state)
{
	(void)state;
	send_text("<14>1 - h queued - - - hello\n");
	listener_close(TAILQ_FIRST(&intake.listeners));
	turn();
	assert_int_equal(unknown_lines, 1);
	assert_string_equal(last_name, "queued");
}

static void
the_rest_is_read_also_while_reading_is_paused(void **state)
{
	(void)state;
	turn();
	intake_pause(&intake, true);
	send_text("<14>1 - h rest - - - one\n<14>1 - h rest - - - two");
	turn();
	assert_int_equal(unknown_lines, 0);
	intake_read_rest(&intake);
	assert_int_equal(unknown_lines, 1);
	session_close(TAILQ_FIRST(&intake.sessions), NULL);
	assert_int_equal(unknown_lines, 2);
}

static void
at_a_stop_sessions_that_acknowledge_nothing_end_at_once(void **state)
{
	char byte;

	(void)state;
	turn();
	send_text("<14>1 - h last - - - begun and not ended");
	turn();
	intake_end_reading(&intake);
	assert_int_equal(intake_acks_waiting(&intake), 0);
	assert_int_equal(unknown_lines, 1);
	assert_string_equal(last_name, "last");
	assert_int_equal(recv(sender, &byte, 1, 0), 0);
}

/* Its load balancer takes its time: nothing of it is read after that. */
static void
at_a_stop_connections_that_nobody_has_introduced_end_too(void **state)
{
	struct listen_url proxied = {0};
	struct sockaddr_in addr;
	char err[256], byte;
	int late = socket(AF_INET, SOCK_STREAM, 0), fd;

	(void)state;
	assert_true(listen_url_parse("syslog+tcp://127.0.0.1:0?proxy=127.0.0.1", false, &proxied,
				     err, sizeof(err)));
	fd = listening_socket(&addr);
	listener_new(&intake, &proxied, fd, NULL, rule);
	assert_int_equal(connect(late, (struct sockaddr *)&addr, sizeof(addr)), 0);
	turn();
	assert_true(intake_is_opening(&intake));
	while (!TAILQ_EMPTY(&intake.listeners))
		listener_close(TAILQ_FIRST(&intake.listeners));
	intake_end_reading(&intake);
	assert_false(intake_is_opening(&intake));
	assert_int_equal(recv(late, &byte, 1, 0), 0);
	turn();
	assert_int_equal(unknown_lines, 0);
	close(late);
	intake_clear(&intake);
	intake_init(&intake);
	listen_url_free(&proxied);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(lines_that_come_after_the_listener_closed_are_tagged_by_its_rule),
	    T(a_connection_that_was_queued_is_read_after_its_listener_closed),
	    T(the_rest_is_read_also_while_reading_is_paused),
	    T(a_listener_counts_what_came_through_it),
	    T(at_a_stop_sessions_that_acknowledge_nothing_end_at_once),
	    T(at_a_stop_connections_that_nobody_has_introduced_end_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

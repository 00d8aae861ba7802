/* Datagrams as senders really write them, over UDP on 127.0.0.1 and a Unix socket. */
#include "ends/ingest_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/un.h>
#include <unistd.h>

#include "ends/datagram_input.h"

enum { MAX_LINE = 1000 };

static struct config config = {.max_line = MAX_LINE};
static struct intake intake;
static struct listener_share share;
static struct datagram_input *input;
static struct fixture_app *all;
static int receiver = -1, sender = -1;
static char path[64];
static unsigned reads_done;

static void
on_read_done(void *arg)
{
	(void)arg;
	reads_done++;
}

/* All lines go to one app, whatever they are. */
static void
open_input(struct fixture *f, int fd, const char *url)
{
	fixture_listen(f, url);
	f->ingest.copy_to = SLICE("all");
	all = app_here(f, "all", 1);
	reads_done = 0;
	intake = (struct intake){.base = f->base,
				 .ingest = &f->ingest,
				 .config = &config,
				 .stats = &f->stats,
				 .host = SLICE("here"),
				 .read_done = on_read_done};
	intake_init(&intake);
	share = (struct listener_share){.url = &f->url, .rule = f->rule};
	receiver = fd;
	input = datagram_input_new(&intake, &share, fd);
}

static int
setup_udp(void **state)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	fixture_setup(state);
	path[0] = '\0';
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
		return -1;
	sender = socket(AF_INET, SOCK_DGRAM, 0);
	open_input(*state, fd, "syslog+udp://127.0.0.1:0");
	return connect(sender, (struct sockaddr *)&addr, sizeof(addr));
}

static int
setup_unix(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	fixture_setup(state);
	snprintf(path, sizeof(path), "/tmp/unit_datagram_input.%d", (int)getpid());
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	unlink(path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -1;
	sender = socket(AF_UNIX, SOCK_DGRAM, 0);
	open_input(*state, fd, "syslog+unixgram:///tmp/unused");
	return connect(sender, (struct sockaddr *)&addr, sizeof(addr));
}

static int
teardown(void **state)
{
	datagram_input_free(input);
	intake_clear(&intake);
	app_close(all);
	close(sender);
	if (path[0] != '\0')
		unlink(path);
	return fixture_teardown(state);
}

static void
put(const char *bytes, size_t n)
{
	assert_int_equal(send(sender, bytes, n, 0), n);
}

#define PUT(literal) put(literal, sizeof(literal) - 1)
#define LINE(text) "<14>1 - h web - - - " text

/* What came of it, after one turn of the loop. */
static const char *
lines(struct fixture *f)
{
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	return app_lines(all);
}

static void
one_datagram_is_one_message(void **state)
{
	struct fixture *f = *state;

	PUT(LINE("one"));
	PUT(LINE("two\nstill two"));
	assert_string_equal(lines(f), LINE("one") "\n" LINE("two\nstill two") "\n");
	assert_int_equal(LINES_IN(f, lines_in), 2);
	assert_int_equal(LINES_IN(f, bytes_in), sizeof(LINE("one") LINE("two\nstill two")) - 1);
	assert_int_equal(share.counts.lines, 2);
	assert_int_equal(share.counts.bytes, LINES_IN(f, bytes_in));
	assert_int_equal(share.counts.lines_cut, 0);
	assert_int_equal(reads_done, 1);
}

static void
line_ends_of_streams_are_no_part_of_a_message(void **state)
{
	struct fixture *f = *state;

	PUT(LINE("lf\n"));
	PUT(LINE("crlf\r\n"));
	PUT(LINE("nul\0"));
	PUT(LINE("lfnul\n\0"));
	PUT(LINE("twice\n\n"));
	assert_string_equal(lines(f), LINE("lf") "\n" LINE("crlf") "\n" LINE("nul") "\n" LINE(
					  "lfnul") "\n" LINE("twice\n") "\n");
	assert_int_equal(LINES_IN(f, lines_cut), 0);
}

static void
datagrams_without_a_message_are_nothing(void **state)
{
	struct fixture *f = *state;

	PUT("");
	PUT("\n");
	PUT("\r\n");
	PUT("\0");
	PUT(LINE("real"));
	assert_string_equal(lines(f), LINE("real") "\n");
	assert_int_equal(LINES_IN(f, lines_in), 1);
}

static void
a_message_over_max_line_is_cut_and_marked(void **state)
{
	struct fixture *f = *state;
	char text[MAX_LINE + 8];
	const char *got;

	memset(text, 'x', sizeof(text));
	memcpy(text, LINE(""), strlen(LINE("")));
	put(text, MAX_LINE);
	text[MAX_LINE] = '\n';
	put(text, MAX_LINE + 1);
	got = lines(f);
	assert_null(strstr(got, "cut="));
	assert_int_equal(strlen(got), 2 * (MAX_LINE + 1));
	text[MAX_LINE] = 'x';
	put(text, MAX_LINE + 5);
	got = lines(f);
	assert_non_null(strstr(got, "[penstock@32473 cut=\"5\"] xxx"));
	assert_int_equal(LINES_IN(f, lines_cut), 1);
	assert_int_equal(share.counts.lines_cut, 1);
}

static void
the_largest_datagram_is_read_whole_and_cut(void **state)
{
	struct fixture *f = *state;
	size_t n = 65507; /* what UDP over IPv4 carries */
	char *text = malloc(n);

	assert_non_null(text);
	memset(text, 'x', n);
	memcpy(text, LINE(""), strlen(LINE("")));
	put(text, n);
	free(text);
	assert_non_null(strstr(lines(f), "[penstock@32473 cut=\"64507\"]"));
	assert_int_equal(LINES_IN(f, bytes_in), n);
}

/* Unix datagrams may be larger than what one read takes. */
static void
a_datagram_over_the_buffer_counts_what_the_kernel_cut(void **state)
{
	struct fixture *f = *state;
	size_t n = 100000;
	char *text = malloc(n);

	assert_non_null(text);
	memset(text, 'x', n);
	memcpy(text, LINE(""), strlen(LINE("")));
	put(text, n);
	free(text);
	PUT(LINE("next"));
	assert_non_null(strstr(lines(f), "[penstock@32473 cut=\"99000\"]"));
	assert_int_equal(LINES_IN(f, lines_in), 2);
	assert_int_equal(LINES_IN(f, bytes_in), n + strlen(LINE("next")));
}

static void
a_message_without_host_gets_its_senders(void **state)
{
	struct fixture *f = *state;

	PUT("free text");
	assert_non_null(strstr(lines(f), " 127.0.0.1 - - - - free text\n"));
}

static void
each_sender_has_its_own_name(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in other = {.sin_family = AF_INET}, to;
	socklen_t len = sizeof(to);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	const char *got, *first, *second, *third;

	assert_int_equal(getpeername(sender, (struct sockaddr *)&to, &len), 0);
	assert_int_equal(inet_pton(AF_INET, "127.0.0.2", &other.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&other, sizeof(other)), 0);
	PUT("1");
	assert_int_equal(sendto(fd, "2", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	PUT("3");
	got = lines(f);
	first = strstr(got, " 127.0.0.1 - - - - 1\n");
	second = strstr(got, " 127.0.0.2 - - - - 2\n");
	third = strstr(got, " 127.0.0.1 - - - - 3\n");
	assert_true(first != NULL && first < second && second < third);
	close(fd);
}

static void
a_local_message_without_host_is_of_this_machine(void **state)
{
	struct fixture *f = *state;

	PUT("<13>Jan  2 03:04:05 web[12]: hello");
	assert_non_null(strstr(lines(f), " here web 12 - - hello\n"));
}

static void
while_paused_nothing_is_read_and_nothing_lost(void **state)
{
	struct fixture *f = *state;

	datagram_input_pause(input, true);
	PUT(LINE("one"));
	assert_string_equal(lines(f), "");
	datagram_input_pause(input, false);
	assert_string_equal(lines(f), LINE("one") "\n");
}

static void
the_rest_is_read_at_once_also_while_paused(void **state)
{
	struct fixture *f = *state;
	char text[64];
	int n;

	datagram_input_pause(input, true);
	for (int i = 0; i < 150; i++) {
		n = snprintf(text, sizeof(text), "%s%d", LINE(""), i);
		put(text, (size_t)n);
	}
	datagram_input_read_rest(input);
	assert_int_equal(LINES_IN(f, lines_in), 150);
	assert_non_null(strstr(app_lines(all), LINE("149") "\n"));
	assert_int_equal(reads_done, 3);
}

/* A pause that a read itself brings about stops this turn, too. */
static void
on_read_done_pause(void *arg)
{
	(void)arg;
	reads_done++;
	intake.paused = true;
	datagram_input_pause(input, true);
}

static void
a_pause_in_the_middle_of_a_flood_holds(void **state)
{
	struct fixture *f = *state;

	intake.read_done = on_read_done_pause;
	for (int i = 0; i < 150; i++)
		PUT(LINE("x"));
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	assert_int_equal(reads_done, 1);
	assert_int_equal(LINES_IN(f, lines_in), 64);
}

/* More than the socket has room for; returns how many were sent. */
static unsigned
flood(void)
{
	enum { DATAGRAMS = 200, BYTES = 1000 };
	int room = 4096; /* the kernel makes of it what it takes at least */
	char text[BYTES];

	setsockopt(receiver, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	memset(text, 'x', sizeof(text));
	memcpy(text, LINE(""), strlen(LINE("")));
	for (int i = 0; i < DATAGRAMS; i++)
		put(text, sizeof(text));
	return DATAGRAMS;
}

/* Also those of a flood's end, behind which nothing comes that could tell. */
static void
what_the_kernel_dropped_is_counted(void **state)
{
	struct fixture *f = *state;
	unsigned sent = flood();
	uint64_t dropped;

	(void)lines(f);
	dropped = LINES_IN(f, datagrams_dropped);
	assert_true(dropped > 0);
	assert_int_equal(LINES_IN(f, lines_in) + dropped, sent);
	assert_int_equal(share.counts.datagrams_dropped, dropped);
	/* Once. */
	PUT(LINE("next"));
	(void)lines(f);
	assert_int_equal(LINES_IN(f, datagrams_dropped), dropped);
}

static void
what_the_kernel_dropped_before_a_stop_is_counted(void **state)
{
	struct fixture *f = *state;
	unsigned sent;

	datagram_input_pause(input, true);
	sent = flood();
	datagram_input_read_rest(input);
	assert_true(LINES_IN(f, datagrams_dropped) > 0);
	assert_int_equal(LINES_IN(f, lines_in) + LINES_IN(f, datagrams_dropped), sent);
}

int
main(void)
{
#define UDP(name) cmocka_unit_test_setup_teardown(name, setup_udp, teardown)
#define UNIX(name) cmocka_unit_test_setup_teardown(name, setup_unix, teardown)
	const struct CMUnitTest tests[] = {
	    UDP(one_datagram_is_one_message),
	    UDP(line_ends_of_streams_are_no_part_of_a_message),
	    UDP(datagrams_without_a_message_are_nothing),
	    UDP(a_message_over_max_line_is_cut_and_marked),
	    UDP(the_largest_datagram_is_read_whole_and_cut),
	    UNIX(a_datagram_over_the_buffer_counts_what_the_kernel_cut),
	    UDP(a_message_without_host_gets_its_senders),
	    UDP(each_sender_has_its_own_name),
	    UNIX(a_local_message_without_host_is_of_this_machine),
	    UDP(while_paused_nothing_is_read_and_nothing_lost),
	    UDP(the_rest_is_read_at_once_also_while_paused),
	    UDP(a_pause_in_the_middle_of_a_flood_holds),
	    UDP(what_the_kernel_dropped_is_counted),
	    UDP(what_the_kernel_dropped_before_a_stop_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

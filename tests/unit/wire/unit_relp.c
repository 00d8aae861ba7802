/* How a RELP stream falls apart into frames, wherever the reads fall, and what is answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "wire/relp_feed.h"

enum { MAX_LINE = 20 };

static const char no_number[] = "a frame does not begin with a number of 1 to 9 digits";
static const char no_command[] = "a command is not 1 to 32 letters";
static const char no_length[] = "a data length is not 1 to 9 digits";
static const char no_end[] = "no line feed behind a frame's data";

/* Hands the stream over in pieces that end at a, at b, at the end. */
static void
check_split(struct slice stream, size_t a, size_t b, const char *want)
{
	struct relp_feed f;

	relp_feed_init(&f, MAX_LINE);
	relp_feed_take(&f, slice_of(stream.p, a));
	relp_feed_take(&f, slice_of(stream.p + a, b - a));
	relp_feed_take(&f, slice_skip(stream, b));
	if (!slice_is(buf_slice(&f.frames), want))
		fail_msg("split at %zu and %zu:\n got %.*s\nwant %s", a, b, (int)f.frames.n,
			 f.frames.p, want);
	relp_feed_free(&f);
}

static void
check_stream(struct slice stream, const char *want)
{
	struct relp_feed f;

	for (size_t a = 0; a <= stream.n; a++)
		for (size_t b = a; b <= stream.n; b++)
			check_split(stream, a, b, want);
	relp_feed_init(&f, MAX_LINE);
	for (size_t i = 0; i < stream.n; i++)
		relp_feed_take(&f, slice_of(stream.p + i, 1));
	assert_true(slice_is(buf_slice(&f.frames), want));
	relp_feed_free(&f);
}

static void
frames_are_the_same_wherever_reads_fall(void **state)
{
	(void)state;
	check_stream(SLICE("1 open 20 relp_version=0\ncomma\n"),
		     "[1 open 0|relp_version=0\ncomma]");
	check_stream(SLICE("2 syslog 6 <1>one\n"
			   "3 syslog 8 <1>two\r\n\n"
			   "4 syslog 4 a\nb\n\n"
			   "5 close 0\n"
			   "0 hint 0\n"
			   "999999999 x 000000002 \xff \n"),
		     "[2 syslog 0|<1>one][3 syslog 0|<1>two][4 syslog 0|a\nb][5 close 0|]"
		     "[0 hint 0|][999999999 x 0|\xff ]");
}

static void
what_is_too_long_is_cut_and_the_next_is_intact(void **state)
{
	(void)state;
	/* Data of 20 is kept whole, and of 22 if it ends with CR LF. */
	check_stream(SLICE("1 syslog 20 01234567890123456789\n"
			   "2 syslog 21 01234567890123456789\n\n"
			   "3 syslog 22 01234567890123456789\r\n\n"
			   "4 syslog 22 0123456789012345678901\n"
			   "5 syslog 23 01234567890123456789\n\n\n\n"
			   "6 syslog 30 012345678901234567890123456789\n"
			   "7 syslog 1 x\n"),
		     "[1 syslog 0|01234567890123456789][2 syslog 0|01234567890123456789]"
		     "[3 syslog 0|01234567890123456789][4 syslog 2|01234567890123456789]"
		     "[5 syslog 3|01234567890123456789][6 syslog 10|01234567890123456789]"
		     "[7 syslog 0|x]");
	/* Nothing but the head is held of the longest that there can be. */
	check_stream(SLICE("1 syslog 999999999 0123456789012345678901234567890123456789"), "");
}

static void
what_is_no_frame_says_why(void **state)
{
	static const struct {
		struct slice stream;
		const char *fault;
	} bad[] = {
	    {SLICE_INIT("<14>1 - - - - - - hello\n"), no_number},
	    {SLICE_INIT(" 1 syslog 1 x\n"), no_number},
	    {SLICE_INIT("\n"), no_number},
	    {SLICE_INIT("-1 syslog 1 x\n"), no_number},
	    {SLICE_INIT("1234567890 syslog 1 x\n"), no_number},
	    {SLICE_INIT("1\tsyslog 1 x\n"), no_number},
	    {SLICE_INIT("1\n"), no_number},
	    {SLICE_INIT("68 <14>1 - - - - - - hello"), no_command},
	    {SLICE_INIT("1  1 x\n"), no_command},
	    {SLICE_INIT("1 sys-log 1 x\n"), no_command},
	    {SLICE_INIT("1 syslog\n"), no_command},
	    {SLICE_INIT("1 aaaaaaaaaabbbbbbbbbbccccccccccddd 1 x\n"), no_command},
	    {SLICE_INIT("1 syslog  1 x\n"), no_length},
	    {SLICE_INIT("1 syslog \n"), no_length},
	    {SLICE_INIT("1 syslog -1 x\n"), no_length},
	    {SLICE_INIT("1 syslog 0000000001 x\n"), no_length},
	    {SLICE_INIT("1 syslog 1\n"), no_length},
	    {SLICE_INIT("1 syslog 1x\n"), no_length},
	    {SLICE_INIT("1 syslog 0 \n"), no_end},
	    {SLICE_INIT("1 syslog 1 xy\n"), no_end},
	    {SLICE_INIT("1 syslog 2 x\nz\n"), no_end},
	    {SLICE_INIT("1 syslog 30 0123456789012345678901234567890\n"), no_end},
	};
	char want[128];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(want, sizeof(want), "!%s", bad[i].fault);
		check_stream(bad[i].stream, want);
	}
	/* What came before it is taken. */
	check_stream(SLICE("1 open 0\n2 syslog 1 x\n3 syslog 1 xx"),
		     "[1 open 0|][2 syslog 0|x]!"
		     "no line feed behind a frame's data");
}

static void
a_command_has_32_letters_at_most(void **state)
{
	(void)state;
	check_stream(SLICE("1 aaaaaaaaaabbbbbbbbbbccccccccccdd 0\n"),
		     "[1 aaaaaaaaaabbbbbbbbbbccccccccccdd 0|]");
}

static void
offers_must_have_a_version_and_may_not_lack_syslog(void **state)
{
	static const char *const good[] = {
	    ("relp_version=0\nrelp_software=librelp,1.11.0,http://"
	     "librelp.adiscon.com\ncommands=syslog"),
	    "\nrelp_version=1",
	    "commands=eventlog,syslog\nrelp_version=0",
	    "unknown\nrelp_version",
	};
	static const char *const bad[][2] = {
	    {"", "no relp_version is offered"},
	    {"commands=syslog", "no relp_version is offered"},
	    {"relp_versions=0", "no relp_version is offered"},
	    {"relp_version=0\ncommands=eventlog", "the command syslog is not offered"},
	    {"relp_version=0\ncommands=", "the command syslog is not offered"},
	    {"relp_version=0\ncommands", "the command syslog is not offered"},
	    {"relp_version=0\ncommands=syslogs,xsyslog", "the command syslog is not offered"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_null(relp_offers_fault(slice_str(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_string_equal(relp_offers_fault(slice_str(bad[i][0])), bad[i][1]);
	assert_non_null(relp_offers_fault(slice_of(NULL, 0)));
}

static void
answers_are_frames(void **state)
{
	static const char longer[] = "0123456789012345678901234567890123456789"
				     "0123456789012345678901234567890123456789 and more";
	struct buf out = {0};

	(void)state;
	relp_answer_ok(&out, 7);
	relp_answer_ok(&out, 10);
	relp_answer_ok(&out, 999999999);
	relp_answer_error(&out, 8, "unknown command");
	relp_serverclose(&out);
	assert_string_equal(buf_cstr(&out), "7 rsp 6 200 OK\n10 rsp 6 200 OK\n"
					    "999999999 rsp 6 200 OK\n"
					    "8 rsp 19 500 unknown command\n0 serverclose 0\n");
	out.n = 0;
	relp_answer_error(&out, 999999999, longer);
	assert_non_null(strstr(buf_cstr(&out), " rsp 84 500 0123"));
	assert_non_null(strstr(buf_cstr(&out), "6789\n"));
	assert_true(out.n <= RELP_ANSWER_MAX);
	buf_free(&out);
}

static void
our_offers_are_what_a_client_asks_for(void **state)
{
	struct buf out = {0};
	struct relp_reader r;
	struct relp_frame f;

	(void)state;
	relp_answer_open(&out, 999999999);
	assert_true(out.n <= RELP_ANSWER_MAX);
	relp_reader_init(&r, 1000);
	assert_int_equal(relp_next(&r, buf_slice(&out), &f), RELP_FRAME);
	assert_int_equal(f.used, out.n);
	assert_int_equal(f.txnr, 999999999);
	assert_true(slice_is(f.command, "rsp"));
	assert_memory_equal(f.data.p, "200 OK\nrelp_version=0\n", 22);
	assert_null(relp_offers_fault(slice_skip(f.data, strlen("200 OK"))));
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(frames_are_the_same_wherever_reads_fall),
	    cmocka_unit_test(what_is_too_long_is_cut_and_the_next_is_intact),
	    cmocka_unit_test(what_is_no_frame_says_why),
	    cmocka_unit_test(a_command_has_32_letters_at_most),
	    cmocka_unit_test(offers_must_have_a_version_and_may_not_lack_syslog),
	    cmocka_unit_test(answers_are_frames),
	    cmocka_unit_test(our_offers_are_what_a_client_asks_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

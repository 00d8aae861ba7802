/* Where lines are cut, and what golden files cannot show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "params.h"

#define HEADER "<14>1 - h a p - - "

enum { DATAGRAM = 65507, PAPERTRAIL = 100000 };

static struct drain_conf
make(const char *type, const char *request)
{
	struct drain_errors errors;
	struct drain_conf conf;
	struct params p;

	params_split(&p, request, " ");
	assert_true(drain_conf_make(&conf, drain_type_find(type), p.in, p.n, &errors));
	params_free(&p);
	return conf;
}

/* Encodes a frame that lies in a block of its exact size. */
static unsigned
encode(const struct drain_conf *conf, struct slice frame, struct buf *out)
{
	char *exact = xmalloc(frame.n);
	unsigned flags;

	if (frame.n > 0)
		memcpy(exact, frame.p, frame.n);
	flags = conf->type->encode(conf, slice_of(exact, frame.n), out);
	free(exact);
	return flags;
}

/* HEADER, and behind it fill up to n bytes in all, ended by tail. */
static struct buf
frame_of(size_t n, char fill, const char *tail)
{
	struct buf b = {0};

	buf_add_str(&b, HEADER);
	while (b.n < n - strlen(tail))
		buf_add_char(&b, fill);
	buf_add_str(&b, tail);
	return b;
}

/* The message's bytes and the number in the mark of a cut line; it is out's only structured data.
 */
static size_t
check_mark(struct slice out, struct slice header, const char *end)
{
	char number[24], mark[64];
	const char *sd = memmem(out.p, out.n, "[penstock@32473 cut=\"", 21);
	size_t cut;
	int n;

	assert_non_null(sd);
	assert_int_equal(sd - out.p, header.n);
	assert_memory_equal(out.p, header.p, header.n);
	snprintf(number, sizeof(number), "%.*s", 20, sd + 21);
	cut = strtoul(number, NULL, 10);
	n = snprintf(mark, sizeof(mark), "[penstock@32473 cut=\"%zu\"] ", cut);
	assert_memory_equal(sd, mark, (size_t)n);
	assert_memory_equal(out.p + out.n - strlen(end), end, strlen(end));
	return cut;
}

/* A frame of n bytes that ends in tail arrives whole, or marked with what it lost. */
static void
check_size(const struct drain_conf *conf, size_t n, const char *tail, size_t limit)
{
	static const struct slice header = SLICE_INIT("<14>1 - h a p - ");
	struct buf frame = frame_of(n, 'x', tail), out = {0};
	unsigned flags = encode(conf, buf_slice(&frame), &out);

	if (n <= limit) {
		assert_int_equal(flags, 0);
		assert_true(slice_eq(buf_slice(&out), buf_slice(&frame)));
	} else {
		size_t cut = check_mark(buf_slice(&out), header, "x");
		size_t kept = n - strlen(HEADER) - cut;
		const char *message = memchr(out.p, ']', out.n);

		assert_int_equal(flags, DRAIN_ENTRY_CUT);
		/* Nearly all that fits: the mark's number may be shorter than it was feared. */
		assert_in_range(out.n, limit - 10, limit);
		assert_int_equal(out.p + out.n - (message + 2), kept);
		assert_memory_equal(message + 2, frame.p + strlen(HEADER), kept);
	}
	buf_free(&frame);
	buf_free(&out);
}

static void
a_datagram_is_cut_at_what_udp_carries(void **state)
{
	struct drain_conf conf = make("syslog", "host=h port=514 protocol=udp");

	(void)state;
	check_size(&conf, DATAGRAM - 1, "y", DATAGRAM);
	check_size(&conf, DATAGRAM, "y", DATAGRAM);
	check_size(&conf, DATAGRAM + 1, "y", DATAGRAM);
	check_size(&conf, 3 * DATAGRAM, "y", DATAGRAM);
	drain_conf_free(&conf);
}

/* The cut falls into one of these whatever the mark takes. */
#define FACES "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"

static void
a_cut_does_not_split_a_character(void **state)
{
	struct drain_conf conf = make("syslog", "host=h port=514 protocol=udp");
	char tail[1024] = "";

	(void)state;
	while (strlen(tail) + sizeof(FACES) < sizeof(tail))
		strcat(tail, FACES);
	for (size_t more = 1; more < 9; more++) {
		struct buf frame = frame_of(DATAGRAM + more, 'x', tail), out = {0};
		size_t n = 0;

		assert_int_equal(encode(&conf, buf_slice(&frame), &out), DRAIN_ENTRY_CUT);
		assert_in_range(out.n, DATAGRAM - 12, DATAGRAM);
		while (n < out.n && (unsigned char)out.p[n] < 0x80)
			n++;
		assert_true(n < out.n);
		assert_int_equal((out.n - n) % 4, 0);
		buf_free(&frame);
		buf_free(&out);
	}
	drain_conf_free(&conf);
}

static void
bytes_that_are_not_utf8_are_cut_at_the_limit(void **state)
{
	struct drain_conf conf = make("syslog", "host=h port=514 protocol=udp");
	struct buf frame = frame_of(DATAGRAM + 9, '\x80', ""), out = {0};

	(void)state;
	assert_int_equal(encode(&conf, buf_slice(&frame), &out), DRAIN_ENTRY_CUT);
	assert_in_range(out.n, DATAGRAM - 10, DATAGRAM);
	buf_free(&frame);
	buf_free(&out);
	drain_conf_free(&conf);
}

static void
a_token_counts_towards_the_datagram(void **state)
{
	struct drain_conf conf = make("syslog", "host=h port=514 protocol=udp token=abc");
	struct buf frame = frame_of(DATAGRAM, 'x', ""), out = {0};

	(void)state;
	assert_int_equal(encode(&conf, buf_slice(&frame), &out), DRAIN_ENTRY_CUT);
	assert_in_range(out.n, DATAGRAM - 10, DATAGRAM);
	check_mark(buf_slice(&out), SLICE("abc <14>1 - h a p - "), "x");
	buf_free(&frame);
	buf_free(&out);
	drain_conf_free(&conf);
}

static void
what_was_cut_before_is_counted_with_what_is_cut_here(void **state)
{
	struct drain_conf conf = make("syslog", "host=h port=514 protocol=udp");
	struct buf frame = {0}, out = {0};
	struct slice header = SLICE("<14>1 - h a p - [x@1 y=\"z\"]");
	size_t message, cut;

	(void)state;
	buf_add_str(&frame, "<14>1 - h a p - [x@1 y=\"z\"][penstock@32473 cut=\"1000\"] ");
	message = DATAGRAM;
	for (size_t i = 0; i < message; i++)
		buf_add_char(&frame, 'x');
	assert_int_equal(encode(&conf, buf_slice(&frame), &out), DRAIN_ENTRY_CUT);
	cut = check_mark(buf_slice(&out), header, "x");
	assert_int_equal(cut - 1000,
			 message - (out.n - strlen("[penstock@32473 cut=\"1113\"] ") - header.n));
	buf_free(&frame);
	buf_free(&out);
	drain_conf_free(&conf);
}

static void
a_line_whose_structured_data_is_too_long_is_cut_there(void **state)
{
	static const char *const requests[][2] = {
	    {"syslog", "host=h port=514 protocol=udp"},
	    {"papertrail", "host=h port=1"},
	};
	static const size_t limits[] = {DATAGRAM, PAPERTRAIL};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct drain_conf conf = make(requests[i][0], requests[i][1]);
		struct buf frame = {0}, out = {0};

		buf_add_str(&frame, "<14>1 - h a p - [x@1 y=\"");
		while (frame.n < PAPERTRAIL)
			buf_add_char(&frame, 'z');
		buf_add_str(&frame, "\"] message");
		assert_int_equal(encode(&conf, buf_slice(&frame), &out), DRAIN_ENTRY_CUT);
		assert_int_equal(out.n, limits[i]);
		assert_memory_equal(out.p, frame.p, limits[i] - 1);
		buf_free(&frame);
		buf_free(&out);
		drain_conf_free(&conf);
	}
}

static void
a_datagram_of_rfc_3164_is_cut_without_a_mark(void **state)
{
	struct drain_conf conf = make("syslog", "host=h port=514 protocol=udp format=rfc3164");
	struct buf frame = frame_of(DATAGRAM + 100, 'x', ""), out = {0};

	(void)state;
	assert_int_equal(encode(&conf, buf_slice(&frame), &out), DRAIN_ENTRY_CUT);
	assert_int_equal(out.n, DATAGRAM);
	assert_null(memchr(out.p, '@', out.n));
	buf_free(&frame);
	buf_free(&out);
	drain_conf_free(&conf);
}

static void
papertrail_gets_no_more_than_its_limit_and_always_the_lf(void **state)
{
	static const size_t sizes[] = {PAPERTRAIL - 2, PAPERTRAIL - 1, PAPERTRAIL, PAPERTRAIL + 9};
	struct drain_conf conf = make("papertrail", "host=h port=1");

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct buf frame = frame_of(sizes[i], 'x', ""), out = {0};
		bool whole = sizes[i] < PAPERTRAIL;

		assert_int_equal(encode(&conf, buf_slice(&frame), &out),
				 whole ? 0 : DRAIN_ENTRY_CUT);
		if (whole) {
			assert_int_equal(out.n, sizes[i] + 1);
		} else {
			assert_in_range(out.n, PAPERTRAIL - 10, PAPERTRAIL);
			check_mark(buf_slice(&out), SLICE("<14>1 - h a p - "), "x\n");
		}
		assert_int_equal(out.p[out.n - 1], '\n');
		buf_free(&frame);
		buf_free(&out);
	}
	drain_conf_free(&conf);
}

static void
papertrails_limit_counts_escapes_as_sent(void **state)
{
	struct drain_conf conf = make("papertrail", "host=h port=1");
	struct buf frame = frame_of(PAPERTRAIL / 2, '\n', ""), out = {0};
	size_t cut;

	(void)state;
	assert_int_equal(encode(&conf, buf_slice(&frame), &out), DRAIN_ENTRY_CUT);
	assert_in_range(out.n, PAPERTRAIL - 10, PAPERTRAIL);
	assert_ptr_equal(memchr(out.p, '\n', out.n), out.p + out.n - 1);
	cut = check_mark(buf_slice(&out), SLICE("<14>1 - h a p - "), "#012\n");
	assert_in_range((frame.n - strlen(HEADER) - cut) * 4, PAPERTRAIL - 70, PAPERTRAIL);
	buf_free(&frame);
	buf_free(&out);
	drain_conf_free(&conf);
}

static void
papertrails_cut_lines_are_in_utc_too(void **state)
{
	struct drain_conf conf = make("papertrail", "host=h port=1");
	struct buf frame = {0}, out = {0};

	(void)state;
	buf_add_str(&frame, "<14>1 2020-05-14T09:12:44.5+02:00 h a p - - ");
	while (frame.n < PAPERTRAIL + 9)
		buf_add_char(&frame, 'x');
	assert_int_equal(encode(&conf, buf_slice(&frame), &out), DRAIN_ENTRY_CUT);
	check_mark(buf_slice(&out), SLICE("<14>1 2020-05-14T07:12:44.5Z h a p - "), "x\n");
	buf_free(&frame);
	buf_free(&out);
	drain_conf_free(&conf);
}

/* All stream and datagram types, each with every framing it has. */
static const char *const encoders[][2] = {
    {"syslog", "host=h port=514 framing=lf"},
    {"syslog", "host=h port=514 framing=nul"},
    {"syslog", "host=h port=514 framing=octet-counting"},
    {"syslog", "host=h port=514 framing=lf format=rfc3164"},
    {"syslog", "host=h port=514 framing=octet-counting format=rfc3164"},
    {"syslog", "host=h port=514 protocol=udp format=rfc3164"},
    {"syslog", "host=h port=514 protocol=udp"},
    {"syslog", "host=h port=514 token=t"},
    {"papertrail", "host=h port=1"},
    {"ovh-graylog", "host=h token=t"},
    {"logentries", "token=t"},
};

enum { ENCODERS = sizeof(encoders) / sizeof(encoders[0]) };

static void
encoding_adds_behind_what_is_there(void **state)
{
	static const struct slice line =
	    SLICE_INIT("<14>1 2020-05-14T09:12:44+02:00 h a p - [token@29084 x=\"\n\"] m");

	(void)state;
	for (size_t i = 0; i < ENCODERS; i++) {
		struct drain_conf conf = make(encoders[i][0], encoders[i][1]);
		struct buf once = {0}, twice = {0};

		encode(&conf, line, &once);
		encode(&conf, line, &twice);
		encode(&conf, line, &twice);
		assert_int_equal(twice.n, 2 * once.n);
		assert_memory_equal(twice.p, once.p, once.n);
		assert_memory_equal(twice.p + once.n, once.p, once.n);
		buf_free(&once);
		buf_free(&twice);
		drain_conf_free(&conf);
	}
}

static void
a_cut_spares_what_was_there_before(void **state)
{
	struct drain_conf conf = make("syslog", "host=h port=514 protocol=udp");
	struct buf frame = frame_of(DATAGRAM + 9, 'x', ""), out = {0};

	(void)state;
	buf_add_str(&out, "before");
	encode(&conf, buf_slice(&frame), &out);
	assert_in_range(out.n, strlen("before") + DATAGRAM - 10, strlen("before") + DATAGRAM);
	check_mark(buf_slice(&out), SLICE("before<14>1 - h a p - "), "x");
	buf_free(&frame);
	buf_free(&out);
	drain_conf_free(&conf);
}

/* Stored frames are never like this; no encoder may read past one, or forge a frame. */
static void
frames_that_are_no_rfc_5424_are_sent_as_one_frame_each(void **state)
{
	static const struct slice odd[] = {
	    SLICE_INIT(""),
	    SLICE_INIT(" "),
	    SLICE_INIT("x"),
	    SLICE_INIT("      "),
	    SLICE_INIT("<14>1 "),
	    SLICE_INIT("<14>1 2020-05-14T09:12:44+02:00"),
	    SLICE_INIT("<14>1 2020-05-14T09:12:44+02:00 "),
	    SLICE_INIT("<14>1 9 h"),
	    SLICE_INIT("<14>1 +02:00 h a p - - m"),
	    SLICE_INIT("<14>1 2020-99-99T09:12:44+02:00 h a p - - m"),
	    SLICE_INIT("<14>1 - h a p - [a b=\"\n"),
	    SLICE_INIT("<14>1 - h a p - "),
	    SLICE_INIT("<14>1 - h a p - \n"),
	    SLICE_INIT("\n 2020-05-14T09:12:44+02:00 \n \n p - - m"),
	};

	(void)state;
	for (size_t i = 0; i < ENCODERS; i++) {
		struct drain_conf conf = make(encoders[i][0], encoders[i][1]);

		for (size_t k = 0; k < sizeof(odd) / sizeof(odd[0]); k++) {
			struct buf out = {0};

			encode(&conf, odd[k], &out);
			if (conf.framing == DRAIN_FRAMING_LF)
				assert_ptr_equal(memchr(out.p, '\n', out.n), out.p + out.n - 1);
			if (conf.framing == DRAIN_FRAMING_NUL)
				assert_ptr_equal(memchr(out.p, '\0', out.n), out.p + out.n - 1);
			buf_free(&out);
		}
		drain_conf_free(&conf);
	}
}

static void
stamps_that_have_no_utc_form_stay(void **state)
{
	static const char *const frames[] = {
	    "<14>1 0000-01-01T00:00:00+01:00 h a p - - m",
	    "<14>1 9999-12-31T23:59:59-01:00 h a p - - m",
	    "<14>1 2020-13-14T09:12:44+02:00 h a p - - m",
	};
	struct drain_conf conf = make("papertrail", "host=h port=1");

	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		struct buf out = {0};

		encode(&conf, slice_str(frames[i]), &out);
		assert_int_equal(out.n, strlen(frames[i]) + 1);
		assert_memory_equal(out.p, frames[i], strlen(frames[i]));
		buf_free(&out);
	}
	drain_conf_free(&conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_datagram_is_cut_at_what_udp_carries),
	    cmocka_unit_test(a_cut_does_not_split_a_character),
	    cmocka_unit_test(bytes_that_are_not_utf8_are_cut_at_the_limit),
	    cmocka_unit_test(a_token_counts_towards_the_datagram),
	    cmocka_unit_test(what_was_cut_before_is_counted_with_what_is_cut_here),
	    cmocka_unit_test(a_line_whose_structured_data_is_too_long_is_cut_there),
	    cmocka_unit_test(a_datagram_of_rfc_3164_is_cut_without_a_mark),
	    cmocka_unit_test(papertrail_gets_no_more_than_its_limit_and_always_the_lf),
	    cmocka_unit_test(papertrails_limit_counts_escapes_as_sent),
	    cmocka_unit_test(papertrails_cut_lines_are_in_utc_too),
	    cmocka_unit_test(encoding_adds_behind_what_is_there),
	    cmocka_unit_test(a_cut_spares_what_was_there_before),
	    cmocka_unit_test(frames_that_are_no_rfc_5424_are_sent_as_one_frame_each),
	    cmocka_unit_test(stamps_that_have_no_utc_form_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

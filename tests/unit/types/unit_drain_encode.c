/* Where lines are cut, and what golden files cannot show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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
static void
encode(const struct drain_conf *conf, struct slice frame, struct buf *out)
{
	char *exact = xmalloc(frame.n);

	if (frame.n > 0)
		memcpy(exact, frame.p, frame.n);
	conf->type->encode(conf, slice_of(exact, frame.n), out);
	free(exact);
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

/* A frame of n bytes that ends in tail becomes want bytes. */
static void
check_size(const struct drain_conf *conf, size_t n, const char *tail, size_t want)
{
	struct buf frame = frame_of(n, 'x', tail), out = {0};

	encode(conf, buf_slice(&frame), &out);
	assert_int_equal(out.n, want);
	/* It is the frame's beginning, at least up to the limit's last bytes. */
	assert_memory_equal(out.p, frame.p, want - 5);
	buf_free(&frame);
	buf_free(&out);
}

static void
a_datagram_is_cut_at_what_udp_carries(void **state)
{
	struct drain_conf conf = make("syslog", "host=h port=514 protocol=udp");

	(void)state;
	check_size(&conf, DATAGRAM - 1, "y", DATAGRAM - 1);
	check_size(&conf, DATAGRAM, "y", DATAGRAM);
	check_size(&conf, DATAGRAM + 1, "y", DATAGRAM);
	check_size(&conf, 3 * DATAGRAM, "y", DATAGRAM);
	drain_conf_free(&conf);
}

static void
a_cut_does_not_split_a_character(void **state)
{
	struct drain_conf conf = make("syslog", "host=h port=514 protocol=udp");

	(void)state;
	/* U+1F600 is four bytes: 1, 2, 3, 4 of them would fit. */
	check_size(&conf, DATAGRAM + 3, "\xf0\x9f\x98\x80", DATAGRAM - 1);
	check_size(&conf, DATAGRAM + 2, "\xf0\x9f\x98\x80", DATAGRAM - 2);
	check_size(&conf, DATAGRAM + 1, "\xf0\x9f\x98\x80", DATAGRAM - 3);
	check_size(&conf, DATAGRAM, "\xf0\x9f\x98\x80", DATAGRAM);
	check_size(&conf, DATAGRAM + 1, "\xc3\xbc", DATAGRAM - 1);
	drain_conf_free(&conf);
}

static void
bytes_that_are_not_utf8_are_cut_at_the_limit(void **state)
{
	struct drain_conf conf = make("syslog", "host=h port=514 protocol=udp");
	struct buf frame = frame_of(DATAGRAM + 9, '\x80', ""), out = {0};

	(void)state;
	encode(&conf, buf_slice(&frame), &out);
	assert_int_equal(out.n, DATAGRAM);
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
	encode(&conf, buf_slice(&frame), &out);
	assert_int_equal(out.n, DATAGRAM);
	assert_memory_equal(out.p, "abc " HEADER, strlen("abc " HEADER));
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
		size_t want = sizes[i] < PAPERTRAIL ? sizes[i] + 1 : PAPERTRAIL;

		encode(&conf, buf_slice(&frame), &out);
		assert_int_equal(out.n, want);
		assert_int_equal(out.p[want - 1], '\n');
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

	(void)state;
	encode(&conf, buf_slice(&frame), &out);
	assert_int_equal(out.n, PAPERTRAIL);
	assert_ptr_equal(memchr(out.p, '\n', out.n), out.p + out.n - 1);
	buf_free(&frame);
	buf_free(&out);
	drain_conf_free(&conf);
}

/* All stream and datagram types, each with every framing it has. */
static const char *const encoders[][2] = {
    {"syslog", "host=h port=514 framing=lf"},
    {"syslog", "host=h port=514 framing=nul"},
    {"syslog", "host=h port=514 framing=octet-counting"},
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
	assert_int_equal(out.n, strlen("before") + DATAGRAM);
	assert_memory_equal(out.p, "before" HEADER, strlen("before" HEADER));
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
	    cmocka_unit_test(papertrail_gets_no_more_than_its_limit_and_always_the_lf),
	    cmocka_unit_test(papertrails_limit_counts_escapes_as_sent),
	    cmocka_unit_test(encoding_adds_behind_what_is_there),
	    cmocka_unit_test(a_cut_spares_what_was_there_before),
	    cmocka_unit_test(frames_that_are_no_rfc_5424_are_sent_as_one_frame_each),
	    cmocka_unit_test(stamps_that_have_no_utc_form_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

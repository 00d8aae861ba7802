/*
 * What each type sends, byte for byte: tests/golden/TYPE/NAME.{params,in,out}.
 *
 *	params	the drain's parameters, KEY=VALUE lines; @now=TIMESTAMP is when a
 *		batch is made, without one 2020-05-14T09:12:45Z
 *	in	stored frames, each as "COUNT SP FRAME LF" (the LF is not the frame's)
 *	out	the bytes for all of them, one after the other; of HTTP types each
 *		request: its URL, its headers, an empty line, its body, LF
 *
 * With mark=true the lines are the 4711th and so on since start 17, of log 7.
 *
 * A plain TCP syslog drain that does not say its framing has LF here.  The time
 * zone is that of Central Europe.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <stdio.h>

#include "batches.h"
#include "params.h"
#include "wire/mark.h"
#include "wire/timestamp.h"

/* The file NAME.EXTENSION beside NAME.params. */
static void
read_beside(const char *params, const char *extension, struct buf *out)
{
	size_t stem = strlen(params) - strlen("params");
	char *path = xasprintf("%.*s%s", (int)stem, params, extension);
	FILE *f = fopen(path, "rb");
	size_t n;

	if (f == NULL)
		fail_msg("%s is missing", path);
	do {
		n = fread(buf_reserve(out, 65536), 1, 65536, f);
		out->n += n;
	} while (n > 0);
	fclose(f);
	free(path);
}

/* tests/golden/TYPE/NAME.params */
static const struct drain_type *
type_of(const char *path)
{
	const char *name = path + strlen("tests/golden/");
	char *type = xstrndup(name, strcspn(name, "/"));
	const struct drain_type *found = drain_type_find(type);

	free(type);
	if (found == NULL)
		fail_msg("%s: no type has this name", path);
	return found;
}

/* Takes "@now" out of the parameters. */
static int64_t
take_now(struct params *p)
{
	const char *now = "2020-05-14T09:12:45Z";
	size_t kept = 0;
	int64_t us;

	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->in[i].key, "@now") == 0)
			now = p->in[i].value;
		else
			p->in[kept++] = p->in[i];
	}
	p->n = kept;
	if (!timestamp_parse(slice_str(now), &us))
		fail_msg("@now=%s is no time", now);
	return us;
}

static struct drain_conf
conf_of(const char *path, int64_t *now_us)
{
	struct drain_errors errors;
	struct drain_conf conf;
	struct buf text = {0};
	struct params p;

	read_beside(path, "params", &text);
	params_split(&p, buf_cstr(&text), "\n");
	*now_us = take_now(&p);
	if (!drain_conf_make(&conf, type_of(path), p.in, p.n, &errors))
		fail_msg("%s: %s %s", path, errors.at[0].key, errors.at[0].text);
	if (conf.framing == DRAIN_FRAMING_DEFAULT)
		conf.framing = DRAIN_FRAMING_LF;
	params_free(&p);
	buf_free(&text);
	return conf;
}

/* Takes the next frame off the input, in a block of its exact size. */
static bool
next_frame(const char *path, struct slice *in, struct slice *frame)
{
	size_t digits = 0, count = 0;
	char *copy;

	if (in->n == 0)
		return false;
	while (digits < in->n && in->p[digits] >= '0' && in->p[digits] <= '9')
		count = count * 10 + (size_t)(in->p[digits++] - '0');
	if (digits == 0 || in->n - digits < count + 2 || in->p[digits] != ' ' ||
	    in->p[digits + 1 + count] != '\n')
		fail_msg("%s: the input's counts do not fit, %zu bytes before its end", path,
			 in->n);
	copy = xmalloc(count);
	memcpy(copy, in->p + digits + 1, count);
	*frame = slice_of(copy, count);
	*in = slice_skip(*in, digits + 1 + count + 1);
	return true;
}

static bool
same(const char *path, struct slice got, struct slice want)
{
	size_t at = 0;

	if (slice_eq(got, want))
		return true;
	while (at < got.n && at < want.n && got.p[at] == want.p[at])
		at++;
	print_error("%s: %zu bytes, want %zu; from byte %zu on\n got: %.*s\nwant: %.*s\n", path,
		    got.n, want.n, at, (int)(got.n - at > 200 ? 200 : got.n - at), got.p + at,
		    (int)(want.n - at > 200 ? 200 : want.n - at), want.p + at);
	return false;
}

static void
add_request(const struct drain_request *req, struct slice body, uint32_t entries, void *arg)
{
	struct buf *out = arg;
	size_t start;

	(void)entries;
	buf_add_slice(out, buf_slice(&req->url));
	buf_add_char(out, '\n');
	start = out->n;
	buf_add_slice(out, buf_slice(&req->headers));
	for (size_t i = start; i < out->n; i++)
		if (out->p[i] == '\0')
			out->p[i] = '\n';
	buf_add_char(out, '\n');
	buf_add_slice(out, body);
	buf_add_char(out, '\n');
}

/* The frame as the type is given it; marked: room for it. */
static struct slice
frame_of(const struct drain_conf *conf, struct slice frame, uint64_t seq, struct buf *marked)
{
	const struct line_mark mark = {.log = 7, .start = 17, .seq = seq};

	if (!conf->mark)
		return frame;
	marked->n = 0;
	mark_add(frame, &mark, marked);
	return buf_slice(marked);
}

static bool
check_file(const char *path)
{
	int64_t now_us;
	struct drain_conf conf = conf_of(path, &now_us);
	struct buf in = {0}, want = {0}, got = {0};
	struct batches batches = {
	    .conf = &conf, .now_us = now_us, .done = add_request, .arg = &got};
	struct slice rest, frame, given;
	struct buf marked = {0};
	uint64_t seq = 4711;
	bool fine;

	read_beside(path, "in", &in);
	read_beside(path, "out", &want);
	rest = buf_slice(&in);
	while (next_frame(path, &rest, &frame)) {
		given = frame_of(&conf, frame, seq++, &marked);
		if (conf.type->http != NULL)
			batches_add(&batches, given);
		else
			conf.type->encode(&conf, given, &got);
		free((char *)frame.p);
	}
	batches_end(&batches);
	fine = same(path, buf_slice(&got), buf_slice(&want));
	drain_conf_free(&conf);
	buf_free(&in);
	buf_free(&want);
	buf_free(&got);
	buf_free(&marked);
	return fine;
}

static void
every_golden_file_is_met(void **state)
{
	glob_t files;
	size_t bad = 0;

	(void)state;
	assert_int_equal(glob("tests/golden/*/*.params", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		bad += !check_file(files.gl_pathv[i]);
	globfree(&files);
	assert_int_equal(bad, 0);
}

static void
every_type_has_golden_files(void **state)
{
	(void)state;
	for (const struct drain_type *const *type = drain_type_all(); *type != NULL; type++) {
		char *pattern = xasprintf("tests/golden/%s/*.params", (*type)->name);
		glob_t files;

		if (glob(pattern, 0, NULL, &files) != 0)
			fail_msg("%s: none", pattern);
		globfree(&files);
		free(pattern);
	}
}

static void
no_golden_file_stands_alone(void **state)
{
	glob_t params, in, out;

	(void)state;
	assert_int_equal(glob("tests/golden/*/*.params", 0, NULL, &params), 0);
	assert_int_equal(glob("tests/golden/*/*.in", 0, NULL, &in), 0);
	assert_int_equal(glob("tests/golden/*/*.out", 0, NULL, &out), 0);
	assert_int_equal(params.gl_pathc, in.gl_pathc);
	assert_int_equal(params.gl_pathc, out.gl_pathc);
	globfree(&params);
	globfree(&in);
	globfree(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_golden_file_is_met),
	    cmocka_unit_test(every_type_has_golden_files),
	    cmocka_unit_test(no_golden_file_stands_alone),
	};

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

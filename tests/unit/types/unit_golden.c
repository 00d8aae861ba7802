/*
 * What each type sends, byte for byte: tests/golden/TYPE/NAME.{params,in,out}.
 *
 *	params	the drain's parameters, KEY=VALUE lines
 *	in	stored frames, each as "COUNT SP FRAME LF" (the LF is not the frame's)
 *	out	the bytes for all of them, one after the other
 *
 * A plain TCP syslog drain that does not say its framing has LF here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <stdio.h>

#include "params.h"

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
	if (found == NULL || found->encode == NULL)
		fail_msg("%s: no type of this name encodes", path);
	return found;
}

static struct drain_conf
conf_of(const char *path)
{
	struct drain_errors errors;
	struct drain_conf conf;
	struct buf text = {0};
	struct params p;

	read_beside(path, "params", &text);
	params_split(&p, buf_cstr(&text), "\n");
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

static bool
check_file(const char *path)
{
	struct drain_conf conf = conf_of(path);
	struct buf in = {0}, want = {0}, got = {0};
	struct slice rest, frame;
	bool fine;

	read_beside(path, "in", &in);
	read_beside(path, "out", &want);
	rest = buf_slice(&in);
	while (next_frame(path, &rest, &frame)) {
		conf.type->encode(&conf, frame, &got);
		free((char *)frame.p);
	}
	fine = same(path, buf_slice(&got), buf_slice(&want));
	drain_conf_free(&conf);
	buf_free(&in);
	buf_free(&want);
	buf_free(&got);
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
every_type_that_encodes_has_golden_files(void **state)
{
	(void)state;
	for (const struct drain_type *const *type = drain_type_all(); *type != NULL; type++) {
		char *pattern = xasprintf("tests/golden/%s/*.params", (*type)->name);
		glob_t files;

		if ((*type)->encode != NULL && glob(pattern, 0, NULL, &files) != 0)
			fail_msg("%s: none", pattern);
		else if ((*type)->encode != NULL)
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
	    cmocka_unit_test(every_type_that_encodes_has_golden_files),
	    cmocka_unit_test(no_golden_file_stands_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

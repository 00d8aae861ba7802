/* docs/drains.md says what the tables in the code say, and its examples hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "params.h"

static char *docs;

static int
read_docs(void **state)
{
	FILE *f = fopen("docs/drains.md", "r");
	size_t room = 0;

	(void)state;
	if (f == NULL || getdelim(&docs, &room, '\0', f) < 0)
		return -1;
	return fclose(f);
}

static int
free_docs(void **state)
{
	(void)state;
	free(docs);
	return 0;
}

/* What stands under "## TITLE", up to the next one.  The caller frees it. */
static char *
section(const char *title)
{
	char *heading = xasprintf("\n## %s\n", title);
	const char *start = strstr(docs, heading), *end;

	if (start == NULL)
		fail_msg("docs/drains.md has no section %s", title);
	start += strlen(heading) - 1;
	free(heading);
	end = strstr(start, "\n## ");
	return end != NULL ? xstrndup(start, (size_t)(end - start) + 1) : xstrdup(start);
}

static void
check_has(const char *where, const char *text, char *row)
{
	if (strstr(text, row) == NULL)
		fail_msg("docs/drains.md, section %s, lacks: %s", where, row + 1);
	free(row);
}

static void
every_parameter_is_documented_with_its_text(void **state)
{
	char *text = section("Parameters");

	(void)state;
	for (int k = 0; k < DRAIN_PROTOCOL; k++)
		check_has("Parameters", text,
			  xasprintf("\n| `%s` | %s |\n", drain_key_name((enum drain_key)k),
				    drain_key_text((enum drain_key)k)));
	free(text);
}

/* "all", "all but elk", or their names. */
static void
add_types(int key, struct buf *out)
{
	struct buf with = {0}, without = {0};

	for (const struct drain_type *const *type = drain_type_all(); *type != NULL; type++) {
		struct buf *list = (*type)->need[key] != DRAIN_NOT_KNOWN ? &with : &without;

		buf_addf(list, "%s%s", list->n > 0 ? ", " : "", (*type)->name);
	}
	if (without.n == 0)
		buf_add_str(out, "all");
	else if (with.n > without.n)
		buf_addf(out, "all but %s", buf_cstr(&without));
	else
		buf_add_slice(out, buf_slice(&with));
	buf_free(&with);
	buf_free(&without);
}

/* | `NAME` | TEXT | what holds without it | TYPES | */
static void
every_option_is_documented_with_its_text_and_types(void **state)
{
	char *text = section("Options");

	(void)state;
	for (int k = DRAIN_PROTOCOL; k < DRAIN_KEYS; k++) {
		char *start = xasprintf("\n| `%s` | %s | ", drain_key_name((enum drain_key)k),
					drain_key_text((enum drain_key)k));
		const char *row = strstr(text, start), *types;
		struct buf want = {0};

		if (row == NULL)
			fail_msg("docs/drains.md, section Options, lacks: %s", start + 1);
		types = strstr(row + strlen(start), " | ");
		add_types(k, &want);
		buf_add_str(&want, " |\n");
		if (types == NULL || strncmp(types + 3, buf_cstr(&want), want.n) != 0)
			fail_msg("docs/drains.md: types of %s are: %s",
				 drain_key_name((enum drain_key)k), buf_cstr(&want));
		buf_free(&want);
		free(start);
	}
	free(text);
}

static void
check_needs(const struct drain_type *type, const char *text)
{
	for (int k = 0; k < DRAIN_KEYS; k++) {
		const char *name = drain_key_name((enum drain_key)k);
		char *row = xasprintf("\n| `%s` |", name);

		if (type->need[k] != DRAIN_NOT_KNOWN)
			check_has(
			    type->name, text,
			    xasprintf("%s %s |\n", row,
				      type->need[k] == DRAIN_REQUIRED ? "required" : "optional"));
		else if (strstr(text, row) != NULL)
			fail_msg("docs/drains.md: %s does not take %s", type->name, name);
		free(row);
	}
}

static void
every_type_is_documented_with_its_parameters(void **state)
{
	(void)state;
	for (const struct drain_type *const *type = drain_type_all(); *type != NULL; type++) {
		char *text = section((*type)->name);

		check_needs(*type, text);
		free(text);
	}
}

/* | `KEY=VALUE ...` | `URL` | */
static void
check_example(const struct drain_type *type, char *row)
{
	char *rest, *request, *url;
	struct drain_errors errors;
	struct drain_conf conf;
	struct params p;

	strtok_r(row, "`", &rest);
	request = strtok_r(NULL, "`", &rest);
	strtok_r(NULL, "`", &rest);
	url = strtok_r(NULL, "`", &rest);
	assert_non_null(url);

	params_split(&p, request, " ");
	if (!drain_conf_make(&conf, type, p.in, p.n, &errors))
		fail_msg("%s: %s %s", request, errors.at[0].key, errors.at[0].text);
	assert_string_equal(conf.url, url);
	drain_conf_free(&conf);
	params_free(&p);
}

static void
every_type_has_an_example_and_examples_hold(void **state)
{
	(void)state;
	for (const struct drain_type *const *type = drain_type_all(); *type != NULL; type++) {
		char *text = section((*type)->name), *rest;
		size_t examples = 0;

		for (char *row = strtok_r(text, "\n", &rest); row != NULL;
		     row = strtok_r(NULL, "\n", &rest)) {
			if (strncmp(row, "| `", 3) != 0 || strchr(row, '=') == NULL)
				continue;
			check_example(*type, row);
			examples++;
		}
		if (examples == 0)
			fail_msg("docs/drains.md has no example of %s", (*type)->name);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_parameter_is_documented_with_its_text),
	    cmocka_unit_test(every_option_is_documented_with_its_text_and_types),
	    cmocka_unit_test(every_type_is_documented_with_its_parameters),
	    cmocka_unit_test(every_type_has_an_example_and_examples_hold),
	};

	return cmocka_run_group_tests(tests, read_docs, free_docs);
}

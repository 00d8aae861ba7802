#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "plumb/config_table.h"

/* A URL with a path and a list of ranges fits; inih's own 200 bytes are few. */
enum { CONFIG_LINE_BYTES = 8192 };

struct file_reader {
	struct config_build *build;
	const char *file;
	FILE *f;
	char *line;
	size_t cap;
	unsigned lineno;
	char *err;
	bool failed; /* err is set */
};

static void __attribute__((format(printf, 3, 4)))
file_fault(struct file_reader *r, unsigned lineno, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(r->err, CONFIG_ERROR_BYTES, "%.150s:%u: ", r->file, lineno);

	va_start(ap, fmt);
	vsnprintf(r->err + n, CONFIG_ERROR_BYTES - (size_t)n, fmt, ap);
	va_end(ap);
	r->failed = true;
}

/*
 * inih's way to get a line, as fgets.  It would split long lines and stop at a
 * NUL in silence, and take an indented line for more of the value above.
 */
static char *
on_line(char *dst, int size, void *arg)
{
	struct file_reader *r = arg;
	ssize_t got;
	size_t blanks, n;

	if (r->failed)
		return NULL;
	got = getline(&r->line, &r->cap, r->f);
	if (got < 0)
		return NULL;
	r->lineno++;
	n = (size_t)got;
	blanks = strspn(r->line, " \t");
	if (memchr(r->line, '\0', n) != NULL)
		file_fault(r, r->lineno, "a NUL byte; is this a text file?");
	else if (n >= (size_t)size)
		file_fault(r, r->lineno, "line too long; %d bytes at most", size - 1);
	else if (r->line[blanks] == '[')
		file_fault(r, r->lineno, "sections are not used here; remove the line");
	if (r->failed)
		return NULL;
	memcpy(dst, r->line + blanks, n - blanks + 1);
	return dst;
}

static int
on_key(void *arg, const char *section, const char *name, const char *value)
{
	struct file_reader *r = arg;
	char err[CONFIG_ERROR_BYTES];
	const struct config_key *k;

	(void)section;
	k = config_key_find(name, NULL, err);
	if (k != NULL && config_set(r->build, k, value, CONFIG_FILE, r->lineno, err))
		return 1;
	file_fault(r, r->lineno, "%s", err);
	return 0;
}

bool
config_file_read(struct config_build *b, const char *file, char *err)
{
	struct file_reader r = {.build = b, .file = file, .err = err};
	int bad_line;

	r.f = fopen(file, "re");
	if (r.f == NULL) {
		snprintf(err, CONFIG_ERROR_BYTES,
			 "config: \"%.200s\": %s; give a file that can be read", file,
			 strerror(errno));
		return false;
	}
	ini_use_stack = false;
	ini_max_line = CONFIG_LINE_BYTES;
	ini_initial_alloc = CONFIG_LINE_BYTES;
	ini_allow_multiline = false;
	ini_allow_inline_comments = false;
	ini_stop_on_first_error = true;
	bad_line = ini_parse_stream(on_line, &r, on_key, &r);
	if (!r.failed && ferror(r.f))
		file_fault(&r, r.lineno + 1, "%s; give a file that can be read", strerror(errno));
	else if (!r.failed && bad_line > 0)
		file_fault(&r, (unsigned)bad_line, "no \"=\"; write `KEY = VALUE`");
	else if (!r.failed && bad_line < 0)
		file_fault(&r, r.lineno, "out of memory; try again");
	free(r.line);
	fclose(r.f);
	return !r.failed;
}

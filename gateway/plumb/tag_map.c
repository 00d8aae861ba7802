#include "plumb/tag_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/name.h"
#include "base/xmalloc.h"

/* Offsets are 32 bits; a million lines of 100 bytes are 100 MB. */
enum { TAG_MAP_BYTES_MAX = 256 << 20 };

struct entry {
	uint32_t value, value_n; /* where in text, and how long */
	uint32_t app, app_n;
	uint32_t line;
};

/* Open addressing, linear probing, at most half full: a look-up ends soon. */
struct slot {
	uint32_t entry1; /* index + 1; 0: free */
	uint32_t tag;	 /* upper half of the hash: spares most comparisons */
};

struct tag_map {
	struct buf text;
	struct entry *entries;
	size_t n, cap;
	struct slot *slots;
	size_t mask;
};

struct reader {
	struct tag_map *map;
	const char *file;
	char *err;
	size_t errlen;
	size_t line;
};

static struct slice
tag_map_text(const struct tag_map *m, uint32_t at, uint32_t n)
{
	return slice_of(m->text.p + at, n);
}

static bool __attribute__((format(printf, 2, 3)))
tag_map_fault(struct reader *r, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(r->err, r->errlen, "map %.200s:%zu: ", r->file, r->line);

	va_start(ap, fmt);
	if (n > 0 && (size_t)n < r->errlen)
		vsnprintf(r->err + n, r->errlen - (size_t)n, fmt, ap);
	va_end(ap);
	return false;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The next word of a line, n = 0 at its end. */
static struct slice
tag_map_word(struct slice *rest)
{
	struct slice word;
	size_t n = 0;

	while (rest->n > 0 && is_blank(rest->p[0]))
		*rest = slice_skip(*rest, 1);
	while (n < rest->n && !is_blank(rest->p[n]))
		n++;
	word = slice_of(rest->p, n);
	*rest = slice_skip(*rest, n);
	return word;
}

static void
tag_map_add(struct tag_map *m, struct slice value, struct slice app, size_t line)
{
	struct entry *e;

	if (m->n == m->cap) {
		m->cap = m->cap == 0 ? 64 : m->cap * 2;
		m->entries = xrealloc(m->entries, m->cap * sizeof(*m->entries));
	}
	e = &m->entries[m->n++];
	e->value = (uint32_t)m->text.n;
	e->value_n = (uint32_t)value.n;
	buf_add_slice(&m->text, value);
	e->app = (uint32_t)m->text.n;
	e->app_n = (uint32_t)app.n;
	buf_add_slice(&m->text, app);
	e->line = (uint32_t)line;
}

static bool
tag_map_line(struct reader *r, struct slice line)
{
	struct slice rest = line, value = tag_map_word(&rest), app;

	if (value.n == 0 || value.p[0] == '#')
		return true;
	app = tag_map_word(&rest);
	if (memchr(line.p, '\0', line.n) != NULL)
		return tag_map_fault(r, "a NUL byte; is this a text file?");
	if (app.n == 0)
		return tag_map_fault(r, "no app behind \"%.*s\"; write `value app`",
				     (int)(value.n < 100 ? value.n : 100), value.p);
	if (tag_map_word(&rest).n > 0)
		return tag_map_fault(r, "more than two words; write `value app`");
	if (!name_is_app(app))
		return tag_map_fault(r,
				     "\"%.*s\" is no app's name; write 1 to 48 printable ASCII "
				     "characters without space",
				     (int)(app.n < 100 ? app.n : 100), app.p);
	if (line.n > TAG_MAP_BYTES_MAX || r->map->text.n > TAG_MAP_BYTES_MAX - line.n)
		return tag_map_fault(r, "too large; give 256 MiB at most");
	tag_map_add(r->map, value, app, r->line);
	return true;
}

/* The slot of that value, or the free one where it would be. */
static struct slot *
tag_map_slot(const struct tag_map *m, struct slice value, uint32_t *tag)
{
	uint64_t hash = hash_slice(value);
	size_t i = (size_t)hash & m->mask;
	const struct entry *e;

	*tag = (uint32_t)(hash >> 32);
	for (;; i = (i + 1) & m->mask) {
		if (m->slots[i].entry1 == 0)
			return &m->slots[i];
		if (m->slots[i].tag != *tag)
			continue;
		e = &m->entries[m->slots[i].entry1 - 1];
		if (slice_eq(value, tag_map_text(m, e->value, e->value_n)))
			return &m->slots[i];
	}
}

static bool
tag_map_index(struct reader *r)
{
	struct tag_map *m = r->map;
	const struct entry *e;
	struct slot *slot;
	struct slice value;
	uint32_t tag;
	size_t cap = 2;

	while (cap < m->n * 2)
		cap *= 2;
	m->slots = xcalloc(cap, sizeof(*m->slots));
	m->mask = cap - 1;
	for (size_t i = 0; i < m->n; i++) {
		e = &m->entries[i];
		value = tag_map_text(m, e->value, e->value_n);
		slot = tag_map_slot(m, value, &tag);
		r->line = e->line;
		if (slot->entry1 != 0)
			return tag_map_fault(
			    r, "\"%.*s\" is already given at line %u; remove one of the two",
			    (int)(value.n < 100 ? value.n : 100), value.p,
			    m->entries[slot->entry1 - 1].line);
		slot->entry1 = (uint32_t)(i + 1);
		slot->tag = tag;
	}
	return true;
}

/* NULL, with err set: not to be opened.  A FIFO would block, so files only. */
static FILE *
tag_map_open(const char *file, char *err, size_t errlen)
{
	struct stat st;
	FILE *f;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		snprintf(err, errlen, "map %.200s: %s; give a file that can be read", file,
			 strerror(errno));
		return NULL;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		snprintf(err, errlen,
			 "map %.200s: not a regular file; give a file of `value app` lines", file);
		close(fd);
		return NULL;
	}
	f = fdopen(fd, "r");
	if (f == NULL) {
		snprintf(err, errlen, "map %.200s: %s; try again", file, strerror(errno));
		close(fd);
	}
	return f;
}

struct tag_map *
tag_map_load(const char *file, char *err, size_t errlen)
{
	struct reader r = {.file = file, .err = err, .errlen = errlen};
	FILE *f = tag_map_open(file, err, errlen);
	char *line = NULL;
	size_t cap = 0;
	ssize_t n = 0;
	bool ok = true;

	if (f == NULL)
		return NULL;
	r.map = xcalloc(1, sizeof(*r.map));
	while (ok && (n = getline(&line, &cap, f)) >= 0) {
		r.line++;
		ok = tag_map_line(&r, slice_of(line, (size_t)n));
	}
	if (ok && ferror(f))
		ok = tag_map_fault(&r, "cannot be read further: %s", strerror(errno));
	free(line);
	fclose(f);
	if (ok && tag_map_index(&r))
		return r.map;
	tag_map_free(r.map);
	return NULL;
}

void
tag_map_free(struct tag_map *m)
{
	if (m == NULL)
		return;
	buf_free(&m->text);
	free(m->entries);
	free(m->slots);
	free(m);
}

struct slice
tag_map_find(const struct tag_map *m, struct slice value)
{
	uint32_t tag;
	const struct slot *slot = tag_map_slot(m, value, &tag);
	const struct entry *e;

	if (slot->entry1 == 0)
		return slice_of(NULL, 0);
	e = &m->entries[slot->entry1 - 1];
	return tag_map_text(m, e->app, e->app_n);
}

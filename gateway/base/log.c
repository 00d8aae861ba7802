#include "base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { LINE_MAX_BYTES = 4096, VALUE_MAX_BYTES = 512, NUMBERS = 8 };

static _Atomic int least_level = LOG_LEVEL_INFO;

struct out {
	char p[LINE_MAX_BYTES];
	size_t n;
};

void
log_set_level(enum log_level least)
{
	atomic_store(&least_level, (int)least);
}

static void
out_char(struct out *o, char c)
{
	/* One byte stays free for the line's end. */
	if (o->n < sizeof(o->p) - 1)
		o->p[o->n++] = c;
}

static void
out_str(struct out *o, const char *s)
{
	while (*s != '\0')
		out_char(o, *s++);
}

static int
is_plain(const char *s)
{
	if (*s == '\0')
		return 0;
	for (; *s != '\0'; s++)
		if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7f || *s == '"' ||
		    *s == '=' || *s == '\\')
			return 0;
	return 1;
}

static void
out_escaped(struct out *o, unsigned char c)
{
	char hex[8];

	if (c == '"' || c == '\\') {
		out_char(o, '\\');
		out_char(o, (char)c);
	} else if (c == '\n') {
		out_str(o, "\\n");
	} else if (c < ' ' || c == 0x7f) {
		snprintf(hex, sizeof(hex), "\\x%02x", c);
		out_str(o, hex);
	} else {
		out_char(o, (char)c);
	}
}

/* U+0080 to U+009F: controls that a terminal obeys, as it does ESC. */
static int
is_c1(const char *s)
{
	return (unsigned char)s[0] == 0xc2 && (unsigned char)s[1] >= 0x80 &&
	       (unsigned char)s[1] < 0xa0;
}

static void
out_value(struct out *o, const char *s)
{
	size_t left = VALUE_MAX_BYTES;
	char hex[12];

	if (s == NULL)
		s = "-";
	if (is_plain(s) && strlen(s) <= VALUE_MAX_BYTES) {
		out_str(o, s);
		return;
	}
	out_char(o, '"');
	for (; *s != '\0' && left > 0; s++, left--) {
		if (is_c1(s)) {
			snprintf(hex, sizeof(hex), "\\xc2\\x%02x", (unsigned char)*++s);
			out_str(o, hex);
		} else {
			out_escaped(o, (unsigned char)*s);
		}
	}
	if (*s != '\0')
		out_str(o, "...");
	out_char(o, '"');
}

static void
out_time(struct out *o)
{
	int64_t us = clock_wall_us();
	time_t sec = (time_t)(us / 1000000);
	struct tm tm;
	char stamp[40];
	char ms[8];

	gmtime_r(&sec, &tm);
	strftime(stamp, sizeof(stamp), "ts=%Y-%m-%dT%H:%M:%S.", &tm);
	out_str(o, stamp);
	snprintf(ms, sizeof(ms), "%03dZ", (int)(us / 1000 % 1000));
	out_str(o, ms);
}

static void
log_line(enum log_level level, const char *name, const char *msg, va_list ap)
{
	struct out o = {.n = 0};
	const char *key;

	if ((int)level < atomic_load_explicit(&least_level, memory_order_relaxed))
		return;
	out_time(&o);
	out_str(&o, " level=");
	out_str(&o, name);
	out_str(&o, " msg=");
	out_value(&o, msg);
	while ((key = va_arg(ap, const char *)) != NULL) {
		out_char(&o, ' ');
		out_str(&o, key);
		out_char(&o, '=');
		out_value(&o, va_arg(ap, const char *));
	}
	o.p[o.n++] = '\n';
	/* One write, so that lines of two threads do not mix; a failed one has nowhere to go. */
	if (write(STDERR_FILENO, o.p, o.n) < 0)
		return;
}

#define LOG_FUNCTION(function, level, name)     \
	void function(const char *msg, ...)     \
	{                                       \
		va_list ap;                     \
                                                \
		va_start(ap, msg);              \
		log_line(level, name, msg, ap); \
		va_end(ap);                     \
	}

LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG, "debug")
LOG_FUNCTION(log_info, LOG_LEVEL_INFO, "info")
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN, "warn")
LOG_FUNCTION(log_error, LOG_LEVEL_ERROR, "error")

static char *
number_buffer(void)
{
	static _Thread_local char buffers[NUMBERS][24];
	static _Thread_local unsigned next;

	return buffers[next++ % NUMBERS];
}

const char *
log_u64(uint64_t v)
{
	char *b = number_buffer();

	snprintf(b, 24, "%" PRIu64, v);
	return b;
}

const char *
log_i64(int64_t v)
{
	char *b = number_buffer();

	snprintf(b, 24, "%" PRId64, v);
	return b;
}

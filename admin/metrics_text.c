#include "admin/metrics_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "admin/reply.h"

void
metric_family(struct buf *out, const char *name, enum metric_type type, const char *help)
{
	buf_addf(out, "# HELP %s ", name);
	for (; *help != '\0'; help++) {
		if (*help == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, *help);
	}
	buf_addf(out, "\n# TYPE %s %s\n", name, type == METRIC_COUNTER ? "counter" : "gauge");
}

void
metric_label(struct buf *labels, const char *name, struct slice value)
{
	struct buf clean = {0};

	utf8_add(value, &clean);
	if (labels->n > 0)
		buf_add_char(labels, ',');
	buf_add_str(labels, name);
	buf_add_str(labels, "=\"");
	for (size_t i = 0; i < clean.n; i++) {
		unsigned char c = (unsigned char)clean.p[i];

		if (c == '\n') {
			buf_add_str(labels, "\\n");
		} else if (c < 0x20 || c == 0x7f) {
			buf_add_str(labels, "\xef\xbf\xbd");
		} else {
			if (c == '"' || c == '\\')
				buf_add_char(labels, '\\');
			buf_add_char(labels, (char)c);
		}
	}
	buf_add_char(labels, '"');
	buf_free(&clean);
}

static void
add_name(struct buf *out, const char *name, struct slice labels, struct slice more)
{
	buf_add_str(out, name);
	if (labels.n > 0 || more.n > 0) {
		buf_add_char(out, '{');
		buf_add_slice(out, labels);
		if (labels.n > 0 && more.n > 0)
			buf_add_char(out, ',');
		buf_add_slice(out, more);
		buf_add_char(out, '}');
	}
	buf_add_char(out, ' ');
}

void
metric_sample(struct buf *out, const char *name, struct slice labels, struct slice more,
	      uint64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRIu64 "\n", value);

	add_name(out, name, labels, more);
	buf_add(out, text, (size_t)n);
}

void
metric_sample_ms(struct buf *out, const char *name, struct slice labels, uint64_t ms)
{
	char text[32];
	int n =
	    snprintf(text, sizeof(text), "%" PRIu64 ".%03u\n", ms / 1000, (unsigned)(ms % 1000));

	add_name(out, name, labels, slice_of(NULL, 0));
	buf_add(out, text, (size_t)n);
}

#include "wire/mark.h"

#include "wire/parse.h"
#include "wire/sd.h"

void
mark_add(struct slice frame, const struct line_mark *mark, struct buf *out)
{
	char own[LINE_OWN_BYTES];
	struct slice behind;
	struct line line;
	size_t head;

	if (!parse_canonical(frame, &line)) {
		buf_add_slice(out, frame);
		return;
	}
	line.marked = true;
	line.mark = *mark;
	head = (size_t)(line.msgid.p - frame.p) + line.msgid.n + 1;
	behind = slice_skip(frame, head);
	behind = slice_skip(behind, sd_span(behind));
	buf_add(out, frame.p, head);
	/* "-" gives way to our own element. */
	if (line.sd.n > 1)
		buf_add_slice(out, line.sd);
	buf_add(out, own, line_own_element(&line, own));
	buf_add_slice(out, behind);
}

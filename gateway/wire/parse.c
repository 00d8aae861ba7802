#include "wire/parse.h"

#include <string.h>

#include "wire/parse_3164.h"
#include "wire/parse_5424.h"
#include "wire/priority.h"
#include "wire/sd.h"

static const struct slice own_id = SLICE_INIT(LINE_OWN_SD_ID);
static const struct slice bom = SLICE_INIT("\xEF\xBB\xBF");

static inline bool
is_nil(struct slice s)
{
	return s.n == 1 && s.p[0] == '-';
}

/* Nobody else may speak in our element's name. */
static void
strip_own(const struct parse_env *env, struct line *out)
{
	size_t from = env->scratch->n;

	/* The second look, element by element, is for the few that have the words. */
	if (memmem(out->sd.p, out->sd.n, own_id.p, own_id.n) == NULL || !sd_has(out->sd, own_id))
		return;
	/* No growth moves header fields that lie in it: parse_5424_loose made room. */
	sd_without(out->sd, own_id, env->scratch);
	out->sd = slice_of(env->scratch->p + from, env->scratch->n - from);
	out->verbatim = false;
}

static void
set_hostname(const struct parse_env *env, struct line *out)
{
	if (!env->hostname_always && !is_nil(out->hostname))
		return;
	if (slice_eq(out->hostname, env->hostname))
		return;
	out->hostname = env->hostname;
	out->verbatim = false;
}

static void
parse_other(struct slice frame, const struct parse_env *env, struct line *out)
{
	struct slice s = frame;
	size_t n;

	if (s.n > bom.n && memcmp(s.p, bom.p, bom.n) == 0)
		s = slice_skip(s, bom.n);
	if (parse_5424_loose(s, env, out))
		return;
	n = priority_scan(s, &out->pri);
	if (n == 0)
		out->pri = PRIORITY_DEFAULT;
	if (n > 0)
		parse_3164(slice_skip(s, n), true, env, out);
	else if (frame.n > 0 && frame.p[0] == '<')
		parse_free_text(frame, env, out);
	else
		parse_3164(frame, false, env, out);
}

void
parse_line(struct slice frame, uint64_t cut, const struct parse_env *env, struct line *out)
{
	env->scratch->n = 0;
	out->frame = frame;
	out->cut = cut;
	if (parse_5424(frame, out)) {
		out->verbatim = cut == 0;
	} else {
		out->verbatim = false;
		parse_other(frame, env, out);
	}
	if (!is_nil(out->sd))
		strip_own(env, out);
	set_hostname(env, out);
}

/* Our element is the last; what stands before it is the sender's. */
static void
take_own(struct line *out)
{
	struct slice cut = sd_find(out->sd, own_id, SLICE("cut"));
	size_t n = sd_before(out->sd, own_id);

	if (n == out->sd.n)
		return;
	for (size_t i = 0; i < cut.n && cut.p[i] >= '0' && cut.p[i] <= '9'; i++)
		out->cut = out->cut * 10 + (uint64_t)(cut.p[i] - '0');
	out->sd = n > 0 ? slice_of(out->sd.p, n) : SLICE("-");
}

bool
parse_canonical(struct slice frame, struct line *out)
{
	if (!parse_5424(frame, out))
		return false;
	out->frame = frame;
	out->verbatim = true;
	out->cut = 0;
	if (!is_nil(out->sd))
		take_own(out);
	return true;
}

void
parse_stored(struct slice frame, struct line *out)
{
	if (parse_canonical(frame, out))
		return;
	*out = (struct line){
	    .pri = 13,
	    .timestamp = SLICE("-"),
	    .hostname = SLICE("-"),
	    .app_name = SLICE("-"),
	    .procid = SLICE("-"),
	    .msgid = SLICE("-"),
	    .sd = SLICE("-"),
	    .msg = frame,
	    .frame = frame,
	};
}

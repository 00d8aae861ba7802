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
	out->marked = false;
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

bool
parse_line_5424(struct slice frame, uint64_t cut, const struct parse_env *env, struct line *out)
{
	env->scratch->n = 0;
	out->frame = frame;
	out->cut = cut;
	out->marked = false;
	if (parse_5424(frame, out))
		out->verbatim = cut == 0;
	else if (parse_5424_loose(frame, env, out))
		out->verbatim = false;
	else
		return false;
	if (!is_nil(out->sd))
		strip_own(env, out);
	set_hostname(env, out);
	return true;
}

bool
parse_line_logplex(struct slice frame, uint64_t cut, const struct parse_env *env, struct line *out)
{
	env->scratch->n = 0;
	out->frame = frame;
	out->cut = cut;
	out->marked = false;
	out->verbatim = false;
	if (!parse_5424_without_sd(frame, env, out))
		return false;
	set_hostname(env, out);
	return true;
}

/* A number of our own element; false: it is not there. */
static bool
take_number(struct slice sd, const char *name, uint64_t *value)
{
	struct slice text = sd_find(sd, own_id, slice_str(name));

	*value = 0;
	for (size_t i = 0; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++)
		*value = *value * 10 + (uint64_t)(text.p[i] - '0');
	return text.n > 0;
}

/* Our element is the last; what stands before it is the sender's. */
static void
take_own(struct line *out)
{
	size_t n = sd_before(out->sd, own_id);
	struct slice own = slice_skip(out->sd, n);

	if (own.n == 0)
		return;
	(void)take_number(own, "cut", &out->cut);
	out->marked = take_number(own, "log", &out->mark.log) &&
		      take_number(own, "start", &out->mark.start) &&
		      take_number(own, "seq", &out->mark.seq);
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
	out->marked = false;
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

/*
 * ovh-graylog -- OVHcloud Logs Data Platform: RFC 5424 lines over TLS, ended
 * by LF, the stream's token as structured data.
 *
 * The SD-ID is free, the parameter name X-OVH-TOKEN is not.  RFC 5424 input:
 * help.ovhcloud.com, "Logs Data Platform - Mutualized Inputs".
 */
#include "types/drain_lines.h"
#include "types/drain_type.h"
#include "types/drain_url.h"
#include "wire/escape.h"
#include "wire/sd.h"

enum { OVH_PORT = 6514 };

#define OVH_SD_ID "token@29084"

static void
finish(struct drain_conf *conf, struct drain_errors *errors)
{
	struct drain_url url = {0};

	(void)errors;
	conf->transport = DRAIN_TLS;
	conf->framing = DRAIN_FRAMING_LF;
	if (conf->port == 0)
		conf->port = OVH_PORT;
	drain_url_add(&url, "ovh://:");
	drain_url_add_secret(&url, conf->value[DRAIN_TOKEN]);
	drain_url_add(&url, "@");
	drain_url_add_address(&url, conf);
	drain_url_add_options(&url, conf);
	drain_url_finish(&url, conf);
}

/* Adds the line's own structured data, without an element named like ours. */
static void
add_own(struct slice sd, struct buf *out)
{
	struct buf rest = {0};

	if (slice_is(sd, "-"))
		return;
	if (!sd_has(sd, SLICE(OVH_SD_ID))) {
		escape_controls(sd, out);
		return;
	}
	/* An SD-ID may stand once only (RFC 5424, 6.3.2), and the token is ours to say. */
	sd_without(sd, SLICE(OVH_SD_ID), &rest);
	if (!slice_is(buf_slice(&rest), "-"))
		escape_controls(buf_slice(&rest), out);
	buf_free(&rest);
}

static unsigned
encode(const struct drain_conf *conf, struct slice frame, struct buf *out)
{
	struct slice from_sd = drain_frame_from(frame, 6);
	size_t span = from_sd.p != NULL ? sd_span(from_sd) : 0;

	if (span == 0) {
		/* No RFC 5424, which a stored frame always is: passed as it stands. */
		escape_controls(frame, out);
		buf_add_char(out, '\n');
		return 0;
	}
	escape_controls(slice_of(frame.p, frame.n - from_sd.n), out);
	add_own(slice_of(from_sd.p, span), out);
	buf_add_str(out, "[" OVH_SD_ID " X-OVH-TOKEN=\"");
	sd_escape(slice_str(conf->value[DRAIN_TOKEN]), out);
	buf_add_str(out, "\"]");
	escape_controls(slice_skip(from_sd, span), out);
	buf_add_char(out, '\n');
	return 0;
}

const struct drain_type drain_type_ovh_graylog = {
    .name = "ovh-graylog",
    .need =
	{
	    [DRAIN_TOKEN] = DRAIN_REQUIRED,
	    [DRAIN_HOST] = DRAIN_REQUIRED,
	    [DRAIN_PORT] = DRAIN_OPTIONAL,
	    DRAIN_STREAM_OPTIONS,
	},
    .finish = finish,
    .encode = encode,
    .verbatim = drain_never_verbatim,
};

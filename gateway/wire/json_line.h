/*
 * json_line -- a JSON document becomes a line (docs/formats.md, "JSON documents").
 *
 * Of an object these members are understood; whatever else it has, it loses
 * nothing: the whole document is MSG as soon as one member found no place.
 *
 *	message msg log				MSG
 *	severity level status			severity; the facility is user
 *	timestamp @timestamp time date		TIMESTAMP
 *	hostname host				HOSTNAME
 *	procid proc pid				PROCID
 *
 * The names are those of the loggers in use: Fluent Bit (log, date), Logstash
 * (@timestamp), pino and bunyan (level in tens, time, msg, pid), Datadog
 * (status, hostname).
 */
#ifndef JSON_LINE_H
#define JSON_LINE_H

#include "wire/parse.h"

/*
 * document: a value that json_in_value has passed.  Fills all of *out, which
 * points into document, env->scratch (emptied first) and app.
 */
void json_line(struct slice document, struct slice app, const struct parse_env *, struct line *out);

#endif

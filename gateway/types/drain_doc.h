/*
 * drain_doc -- a line as a JSON object: what the types that send JSON share.
 *
 * A line that would become more than its receiver takes is cut: first its
 * message; if the rest alone is too much, its structured data goes too.
 */
#ifndef DRAIN_DOC_H
#define DRAIN_DOC_H

#include "types/drain_http.h"
#include "wire/sd.h"

enum {
	DRAIN_DOC_FIELD = 255, /* bytes of a header field that go along: RFC 5424's HOSTNAME */
	DRAIN_DOC_PARAMS = 64, /* of structured data that become members; more stay text */
};

struct drain_doc {
	const struct line *line;
	struct slice message; /* what goes along of it, without a byte order mark */
	uint64_t cut;	      /* bytes that are missing: the line's own, and what the limit took */
	bool bare;	      /* structured data stays away */
	const struct drain_conf *conf;
	const struct drain_batch *batch; /* NULL: a stream */
};

/* Adds the object, in braces. */
typedef void drain_doc_write(const struct drain_doc *, struct buf *);

/*
 * Adds the line as write has it, in at most limit bytes, which is 4096 or more;
 * a message that write adds twice is counted once.
 * conf and batch are for write.  Returns enum drain_entry flags.
 */
unsigned drain_doc_add(drain_doc_write *, const struct drain_conf *, const struct drain_batch *,
		       const struct line *, size_t limit, struct buf *out);

/* "-", of a header field that is absent. */
bool drain_is_nil(struct slice field);
/* What goes along of a header field. */
struct slice drain_doc_field(struct slice field);
/* "key":"field"; nothing if it is absent. */
void drain_doc_member(struct buf *, const char *key, struct slice field);

/* A parameter of structured data; those of one SD-ID and one name stand together. */
struct drain_param {
	struct sd_param sd; /* an empty name: an element without parameters */
	bool first_of_id, last_of_id;
	bool first_of_name, last_of_name;
};

/*
 * Fills list with the line's parameters and returns how many there are; 0:
 * none, or they stay away; -1: too many to look for those of one name.
 */
int drain_doc_params(const struct drain_doc *, struct drain_param list[DRAIN_DOC_PARAMS]);
/* Its value, in quotes. */
void drain_param_value(struct buf *, const struct drain_param *);

/*
 * "sd":{"ID":{"PARAM":"VALUE",...},...}, with an array for a PARAM that stands
 * several times; of too many parameters "sd_text":"[...]".  Nothing if there
 * is no structured data.
 */
void drain_doc_sd(struct buf *, const struct drain_doc *);
/* "key":BYTES; nothing if nothing was cut. */
void drain_doc_cut(struct buf *, const char *key, const struct drain_doc *);
/* "penstock":{"log":7,"start":17,"seq":4711}; nothing of a line without its mark. */
void drain_doc_mark(struct buf *, const struct drain_doc *);

/* "emergency", "alert", "critical", "error", "warning", "notice", "info", "debug" */
struct slice drain_severity_word(const struct line *);
/* "kern", "user", ... "local7" (RFC 5424, table 1, by the names of syslog.h) */
struct slice drain_facility_word(const struct line *);

/* For the open, entry and close of a body that is a JSON array. */
void drain_array_open(const struct drain_conf *, struct drain_batch *, struct buf *body);
void drain_array_next(const struct drain_batch *, struct buf *body);
void drain_array_close(const struct drain_conf *, struct drain_batch *, struct buf *body);

#endif

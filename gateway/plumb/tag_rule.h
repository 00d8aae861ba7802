/*
 * tag_rule -- which app a line belongs to: a listener's `app=` option.
 *
 *	app-name | hostname | sd:ID:PARAM | cert | fixed:NAME   [,map:FILE]
 *
 * With a map the value is looked up in FILE, lines of `value app`; a value
 * that is not in it has no app.  A rule is immutable and may be read by any
 * thread; a reload makes a new one.
 */
#ifndef TAG_RULE_H
#define TAG_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"
#include "wire/line.h"

struct tag_rule;

/* The rule's text alone: opens no file.  false: err as below. */
bool tag_rule_check(const char *spec, char *err, size_t errlen) __attribute__((warn_unused_result));

/* Reads the map, too.  NULL: err has a sentence with the option, the fault and the remedy. */
struct tag_rule *tag_rule_new(const char *spec, char *err, size_t errlen)
    __attribute__((warn_unused_result));
void tag_rule_free(struct tag_rule *);

/*
 * The app's name; p is NULL if the line names none.  cert: the sender's
 * verified certificate name, or p NULL.  *key is the value that the rule
 * looked at (for counting what nobody knows), p NULL if it is absent.  Both
 * point into the line, cert, the rule or scratch, which is emptied when it is
 * needed and so must not be the buffer that the line points into.
 */
struct slice tag_rule_app(const struct tag_rule *, const struct line *, struct slice cert,
			  struct buf *scratch, struct slice *key);

#endif

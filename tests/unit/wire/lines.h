/*
 * lines -- what senders send and what the parser makes of it: one table for
 * each RFC.  The receiver's time is NOW, its name for the sender "peer", its
 * zone UTC.
 */
#ifndef LINES_H
#define LINES_H

#include <stdbool.h>

#include "base/slice.h"

#define NOW "2026-01-15T12:00:00.000000Z"

struct known_line {
	const char *sender;
	struct slice frame;
	bool verbatim;
	unsigned pri;
	const char *timestamp, *hostname, *app_name, *procid, *msgid, *sd, *msg;
};

#endif

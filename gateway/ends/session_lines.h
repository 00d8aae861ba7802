/*
 * session_lines -- sessions of syslog over a stream: frames are lines
 * (wire/frame.h), and nothing is answered.
 */
#ifndef SESSION_LINES_H
#define SESSION_LINES_H

#include "ends/session_internal.h"

extern const struct session_kind session_lines;

#endif

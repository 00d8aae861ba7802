/*
 * log -- one logfmt line an event on stderr, in one write, from any thread.
 *
 *	log_warn("drain lost", "app", app, "url", url, "error", why, NULL);
 *	ts=2026-01-01T00:00:00.000Z level=warn msg="drain lost" app=web url=... error="..."
 *
 * Keys and values are C strings, in pairs, ended by NULL.  A value is quoted
 * and escaped when it needs to be, so text from a sender cannot forge a line;
 * it is cut at 512 bytes.  A NULL value is printed as "-".
 * Secrets are the caller's business: pass redacted URLs.
 */
#ifndef LOG_H
#define LOG_H

#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

void log_set_level(enum log_level least);

void log_debug(const char *msg, ...) __attribute__((sentinel));
void log_info(const char *msg, ...) __attribute__((sentinel));
void log_warn(const char *msg, ...) __attribute__((sentinel));
void log_error(const char *msg, ...) __attribute__((sentinel));

/* A number as text, in one of 8 rotating buffers of this thread. */
const char *log_u64(uint64_t);
const char *log_i64(int64_t);

#endif

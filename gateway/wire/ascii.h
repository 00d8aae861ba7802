/*
 * ascii -- which bytes may stand where, as a table: header bytes are looked at
 * one by one, so each look must be cheap.
 */
#ifndef ASCII_H
#define ASCII_H

#include <stdbool.h>

enum {
	ASCII_DIGIT = 1,
	ASCII_LETTER = 2,
	ASCII_TAG = 4,	/* RFC 3164's TAG as it is met: /usr/sbin/cron, (sd-pam), %SYS-5-CONFIG_I */
	ASCII_HOST = 8, /* a host's name, after RFC 3164's stamp */
	ASCII_SD_NAME = 16, /* RFC 5424's SD-NAME: printable, but '=', ']' and '"' */
};

extern const unsigned char ascii_classes[256];

static inline bool
ascii_is(char c, unsigned classes)
{
	return (ascii_classes[(unsigned char)c] & classes) != 0;
}

/* PRINTUSASCII of RFC 5424 */
static inline bool
ascii_printable(char c)
{
	return c > ' ' && c < 127;
}

#endif

#include "cli/listen_options.h"

#include <stdio.h>
#include <string.h>

/* Digits only, 0 to 65535: strtol would also take " +5". */
static bool
port_parse(const char *text, uint16_t *port)
{
	unsigned value = 0;
	size_t n = strlen(text);

	if (n == 0 || n > 5 || strspn(text, "0123456789") != n)
		return false;
	for (size_t i = 0; i < n; i++)
		value = value * 10 + (unsigned)(text[i] - '0');
	if (value > UINT16_MAX)
		return false;
	*port = (uint16_t)value;
	return true;
}

/* PORT, ADDR:PORT, [IPV6]:PORT; `*` is every address. */
static bool
address_parse(const char *text, struct listen_options *o, char err[LISTEN_ERROR_BYTES])
{
	const char *colon = strrchr(text, ':');
	const char *host = text;
	size_t n = colon != NULL ? (size_t)(colon - text) : 0;

	if (!port_parse(colon != NULL ? colon + 1 : text, &o->port)) {
		snprintf(err, LISTEN_ERROR_BYTES,
			 "'%s' has no port from 0 to 65535: give PORT or ADDR:PORT", text);
		return false;
	}
	if (colon == NULL) {
		host = "127.0.0.1";
		n = strlen(host);
	} else if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
		host++;
		n -= 2;
	} else if (memchr(host, ':', n) != NULL) {
		snprintf(err, LISTEN_ERROR_BYTES,
			 "'%s': write an IPv6 address in brackets, as [::1]:5514", text);
		return false;
	} else if (n == 1 && *host == '*') {
		n = 0;
	} else if (n == 0 || memchr(host, '[', n) != NULL || memchr(host, ']', n) != NULL) {
		snprintf(err, LISTEN_ERROR_BYTES, "'%s' has no address before the port", text);
		return false;
	}
	if (n >= LISTEN_HOST_BYTES) {
		snprintf(err, LISTEN_ERROR_BYTES, "an address of %zu bytes is too long", n);
		return false;
	}
	memcpy(o->host, host, n);
	o->host[n] = '\0';
	return true;
}

bool
listen_options_parse(int argc, char **argv, struct listen_options *out,
		     char err[LISTEN_ERROR_BYTES])
{
	const char *address = NULL;

	*out = (struct listen_options){0};
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--tcp") == 0) {
			out->tcp = true;
		} else if (strcmp(argv[i], "--udp") == 0) {
			out->udp = true;
		} else if (strcmp(argv[i], "--raw") == 0) {
			out->raw = true;
		} else if (argv[i][0] == '-') {
			snprintf(err, LISTEN_ERROR_BYTES, "unknown option '%s'", argv[i]);
			return false;
		} else if (address != NULL) {
			snprintf(err, LISTEN_ERROR_BYTES, "one address only: '%s' is a second one",
				 argv[i]);
			return false;
		} else {
			address = argv[i];
		}
	}
	if (address == NULL) {
		snprintf(err, LISTEN_ERROR_BYTES, "which port? Give PORT or ADDR:PORT");
		return false;
	}
	if (!out->tcp && !out->udp)
		out->tcp = out->udp = true;
	return address_parse(address, out, err);
}

#include "io/http_message.h"

#include <strings.h>

bool
http_name_is(struct slice name, const char *cstr)
{
	return name.n == strlen(cstr) && strncasecmp(name.p, cstr, name.n) == 0;
}

struct slice
http_request_header(const struct http_request *request, const char *name)
{
	size_t i;

	for (i = 0; i < request->nheaders; i++) {
		if (http_name_is(request->headers[i].name, name))
			return request->headers[i].value;
	}
	return slice_of(NULL, 0);
}

void
http_response_header(struct http_response *response, const char *name, const char *value)
{
	const char *p;

	buf_add_str(&response->headers, name);
	buf_add_str(&response->headers, ": ");
	for (p = value; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		buf_add_char(&response->headers, c < 0x20 || c == 0x7f ? ' ' : *p);
	}
	buf_add_str(&response->headers, "\r\n");
}

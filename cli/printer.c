#include "cli/printer.h"

static bool
is_control(unsigned char c)
{
	return (c < 0x20 && c != '\t') || c == 0x7f;
}

bool
printer_message(FILE *out, struct slice message)
{
	for (size_t i = 0; i < message.n; i++) {
		unsigned char c = (unsigned char)message.p[i];

		if (is_control(c))
			fprintf(out, "#%03o", c);
		else
			putc(c, out);
	}
	putc('\n', out);
	return fflush(out) == 0 && !ferror(out);
}

bool
printer_raw(FILE *out, struct slice bytes)
{
	if (bytes.n > 0)
		fwrite(bytes.p, 1, bytes.n, out);
	return fflush(out) == 0 && !ferror(out);
}

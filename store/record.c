#include "store/record.h"

#include <stdlib.h>
#include <string.h>

/* An id is its serial in so many digits, and as many random ones (store_new_id). */
enum { SERIAL_DIGITS = 12 };

static const char hex_digits[] = "0123456789abcdef";

void
drain_record_free(struct drain_record *drain)
{
	free(drain->type);
	free(drain->url);
	for (size_t i = 0; i < drain->nparams; i++) {
		free(drain->params[i].key);
		free(drain->params[i].value);
	}
	memset(drain, 0, sizeof(*drain));
}

uint64_t
app_id_serial(const char *id, size_t n)
{
	uint64_t serial = 0;

	if (n != RECORD_ID_BYTES)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const char *digit = id[i] != '\0' ? strchr(hex_digits, id[i]) : NULL;

		if (digit == NULL)
			return 0;
		if (i < SERIAL_DIGITS)
			serial = serial * 16 + (uint64_t)(digit - hex_digits);
	}
	return serial;
}

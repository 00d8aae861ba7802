#include "seal.h"

#include <string.h>
#include <xxhash.h>

static void
seal_of(const char *message, size_t len, char out[SEAL_BYTES])
{
	static const char hex[] = "0123456789abcdef";
	XXH64_hash_t sum = XXH3_64bits(message, len);

	memcpy(out, " sum=", 5);
	for (size_t i = 5; i < SEAL_BYTES; i++) {
		out[i] = hex[sum & 15];
		sum >>= 4;
	}
}

void
seal_write(char *message, size_t len)
{
	seal_of(message, len, message + len);
}

bool
seal_holds(const char *message, size_t len)
{
	char wanted[SEAL_BYTES];

	if (len < SEAL_BYTES)
		return false;
	seal_of(message, len - SEAL_BYTES, wanted);
	return memcmp(message + len - SEAL_BYTES, wanted, SEAL_BYTES) == 0;
}

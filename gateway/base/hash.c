#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t
hash_slice(struct slice s)
{
	return XXH3_64bits(s.p, s.n);
}

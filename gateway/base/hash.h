/*
 * hash -- one hash for tables, for an app's home and for checksums (XXH3).
 * The value is the same in every process and version: homes and stored
 * checksums may depend on it.
 */
#ifndef HASH_H
#define HASH_H

#include <stdint.h>

#include "base/slice.h"

uint64_t hash_slice(struct slice s);

#endif

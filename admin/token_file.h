/*
 * token_file -- the operator's token: one line in a file that only the
 * gateway's user can read.  Main only, at start.
 */
#ifndef ADMIN_TOKEN_FILE_H
#define ADMIN_TOKEN_FILE_H

#include <stdbool.h>
#include <stddef.h>

enum {
	TOKEN_RANDOM_BYTES = 32, /* 256 bits: not to be guessed */
	TOKEN_MAX = 512,
};

/* A new secret: 64 lower-case hex digits.  Ends the process without a random source. */
void token_random(char out[TOKEN_RANDOM_BYTES * 2 + 1]);

/*
 * Reads the token at path; a missing file is created (0600) with a random one
 * and its path logged.  false: err has a sentence with key, fault and remedy.
 */
bool token_file_load(const char *path, char token[TOKEN_MAX + 1], char *err, size_t errlen)
    __attribute__((warn_unused_result));

#endif

/*
 * listen_options -- the arguments of `penstock listen`, checked.
 * A plain value; no heap, no thread.
 */
#ifndef LISTEN_OPTIONS_H
#define LISTEN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum { LISTEN_HOST_BYTES = 256, LISTEN_ERROR_BYTES = 256 };

struct listen_options {
	bool tcp, udp;		      /* both when neither flag was given */
	bool raw;		      /* bytes as they came, not messages */
	char host[LISTEN_HOST_BYTES]; /* name or address, without brackets; "": every address */
	uint16_t port;		      /* 0: the system chooses */
};

/* argv[0] is skipped.  false: err has a sentence that names the argument. */
bool listen_options_parse(int argc, char **argv, struct listen_options *out,
			  char err[LISTEN_ERROR_BYTES]) __attribute__((warn_unused_result));

#endif

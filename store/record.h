/*
 * record -- what is kept of an app, a drain and a token.
 * Plain structs; the caller owns them; free functions accept zeroed structs.
 */
#ifndef RECORD_H
#define RECORD_H

#include <stddef.h>
#include <stdint.h>

enum { RECORD_ID_BYTES = 24, RECORD_NAME_MAX = 48, RECORD_PARAMS_MAX = 32 };

/* Key: id.  A second table finds it by name. */
struct app_record {
	char id[RECORD_ID_BYTES + 1]; /* 24 lower-case hex digits, never reused */
	char name[RECORD_NAME_MAX + 1];
	uint64_t serial;    /* 1, 2, 3, ...; never reused */
	int64_t created_us; /* wall clock */
};

/* The serial that an app's id was made of; 0: that is no id. */
uint64_t app_id_serial(const char *id, size_t n);

struct record_param {
	char *key;
	char *value;
};

/* Key: app id, drain id; so a walk lists an app's drains in order of adding. */
struct drain_record {
	uint64_t id; /* 1, 2, 3, ...; never reused, over all apps */
	char app_id[RECORD_ID_BYTES + 1];
	char *type;
	char *url; /* canonical; unique in its app */
	struct record_param params[RECORD_PARAMS_MAX];
	size_t nparams;
	uint64_t position; /* the log's next sequence when it was added */
	int64_t created_us;
	/*
	 * By which the spool knows where it goes on: its id, or that of the first of those that
	 * took one another's place until it came.
	 */
	uint64_t mark;
};

/* An API token that is not the operator's.  Key: id. */
struct token_record {
	char id[RECORD_ID_BYTES + 1];
	unsigned char sha256[32];	  /* of the secret, which is not kept */
	char app_id[RECORD_ID_BYTES + 1]; /* the one app it is good for; "": all */
	char name[64];
	int64_t created_us;
};

void drain_record_free(struct drain_record *);

#endif

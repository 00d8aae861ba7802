/*
 * config_table -- the one table of keys, and how a value becomes a member of
 * struct config.  For config_*.c, the test of the docs and nobody else.
 */
#ifndef CONFIG_TABLE_H
#define CONFIG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "plumb/config.h"

enum config_kind {
	CONFIG_PATH,
	CONFIG_APP,	/* an app's name */
	CONFIG_CHECKED, /* a text that the key's check takes */
	CONFIG_DURATION,
	CONFIG_SIZE,
	CONFIG_COUNT,
	CONFIG_EITHER, /* one of two words: false, true */
	CONFIG_SHAPE,  /* a word for enum list_shape */
	CONFIG_LISTEN, /* repeatable */
	CONFIG_ADMIN,  /* repeatable */
};

/* false: fault has what is wrong and what to write instead, to be read behind the value. */
typedef bool config_checker(const char *value, char *fault, size_t len);

struct config_key {
	const char *name;
	enum config_kind kind;
	size_t offset;	       /* in struct config; CONFIG_LISTEN, CONFIG_ADMIN: 0 */
	const char *def;       /* as one would write it, several with a space between; NULL: none */
	const char *def_text;  /* what to say of a default that is made at start; NULL: def is it */
	int64_t min, max;      /* durations, sizes, counts */
	const char *words[4];  /* CONFIG_EITHER, CONFIG_SHAPE; NULL behind the last */
	config_checker *check; /* CONFIG_CHECKED */
	bool secret;	       /* may hold a password: errors do not repeat the value */
	const char *text;
};

enum { CONFIG_KEYS_MAX = 64, CONFIG_BOUNDS_BYTES = 80 };

extern const struct config_key config_keys[];
extern const size_t config_nkeys;

enum config_source { CONFIG_UNSET, CONFIG_DEFAULT, CONFIG_FILE, CONFIG_FLAG };

/* A configuration in the making; zeroed but for config. */
struct config_build {
	struct config *config;
	enum config_source source[CONFIG_KEYS_MAX]; /* of each key's value */
	unsigned line[CONFIG_KEYS_MAX];		    /* CONFIG_FILE */
};

bool config_key_repeats(const struct config_key *);
/* "10ms", "none", "the number of cores"; static. */
const char *config_key_default(const struct config_key *);
/* "0 to 10s", "lf or octet-counting"; "" where there are none.  Returns text. */
const char *config_key_bounds(const struct config_key *, char text[CONFIG_BOUNDS_BYTES]);
/* What --help prints. */
void config_help(FILE *);

/* NULL: err names the key and the nearest known one (more: NULL, or words known besides). */
const struct config_key *config_key_find(const char *name, const char *const *more, char *err);

/* line: of the file, else 0.  false: err has `KEY: "VALUE": FAULT; REMEDY`. */
bool config_set(struct config_build *, const struct config_key *, const char *value,
		enum config_source, unsigned line, char *err);
bool config_set_defaults(struct config_build *, char *err);

/* The list of a repeatable key, and where its length stands. */
struct listen_url *config_urls(struct config *, const struct config_key *, size_t **n);

/* config_file.c: sets all keys of that file.  err begins with file and line. */
bool config_file_read(struct config_build *, const char *file, char *err);

/* config_flags.c: looks through all flags; takes --config and --check, prints --help and --version.
 */
enum config_result config_flags_scan(int argc, char **argv, struct config *, char *err);
/* Sets the keys; after config_flags_scan. */
bool config_flags_apply(struct config_build *, int argc, char **argv, char *err);

/* config_drains.c */
config_checker config_check_ranges, config_check_proxy, config_check_endpoint;

/* config_cross.c: what no key can tell alone. */
bool config_cross_check(const struct config *, char *err);

#endif

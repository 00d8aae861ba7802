/*
 * config -- every key once: name, kind, default, bounds, text
 * (config_table.c).  Values come from defaults, then --config FILE, then flags of the
 * same names; a repeatable key given in a later source replaces the earlier
 * source's list.
 *
 * Immutable once loaded; any thread may read it.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plumb/listen_url.h"

enum { CONFIG_LISTENERS_MAX = 64, CONFIG_ERROR_BYTES = 512 };

enum list_shape { LIST_AUTO, LIST_ARRAY, LIST_OBJECT };

/* Durations in milliseconds, sizes in bytes; strings NULL when absent. */
struct config {
	char *data_dir;
	struct listen_url listen[CONFIG_LISTENERS_MAX];
	size_t nlisten;
	struct listen_url admin[CONFIG_LISTENERS_MAX];
	size_t nadmin;
	char *admin_token_file; /* DATA-DIR/admin-token when not given */
	char *tls_cert, *tls_key, *tls_client_ca, *ca_file;
	int64_t workers;
	int64_t linger, resend_time, stop_timeout;
	int64_t resend_bytes, resend_max;
	int64_t max_line, app_memory, worker_memory;
	int64_t spool_after, spool_age;
	int64_t spool_cap, spool_size; /* size 0: there is no spool */
	int64_t spool_map;	       /* 0: twice spool_size */
	bool apps_declared;
	char *catch_all, *copy_to;
	bool syslog_framing_octet; /* of plain TCP syslog drains that do not say */
	enum list_shape list_shape;
	char *drain_allow, *drain_deny; /* address_rules.h; drain_deny is never NULL */
	char *http_proxy;		/* proxy_url.h */
	/* URL templates (config_check_endpoint); NULL: the drain type's own */
	char *datadog_endpoint, *logtail_endpoint;
	int64_t http_timeout; /* of a whole request to an HTTP drain */
	int64_t batch_wait;   /* how long an HTTP drain gathers a batch */
	bool check_only;      /* --check */
	bool check_spool;     /* --check-spool */
	char *file;	      /* --config FILE, NULL: none */
};

enum config_result { CONFIG_OK, CONFIG_EXIT_OK /* --help, --version were printed */, CONFIG_BAD };

/* CONFIG_BAD: err has a sentence naming the key, the value's fault and the remedy. */
enum config_result config_load(int argc, char **argv, struct config *out,
			       char err[CONFIG_ERROR_BYTES]) __attribute__((warn_unused_result));
void config_free(struct config *);

/*
 * Opens what the configuration names: certificates, CAs, map files, a token
 * file that is there.  At start and for --check.  false: err as above.
 */
bool config_check_files(const struct config *, char err[CONFIG_ERROR_BYTES])
    __attribute__((warn_unused_result));

/* How far the spool's file may grow. */
uint64_t config_spool_map(const struct config *);

/* The name of the first key that differs and needs a restart; NULL: none. */
const char *config_needs_restart(const struct config *was, const struct config *is);

#endif

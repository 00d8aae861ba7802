/*
 * gateway -- the workers as one thing: what main and the admin API see.
 *
 * All functions run on main, which may wait in them: for fsync, and up to 5 s
 * for workers (GATEWAY_BUSY then).  Workers never wait for main.
 * The store is main's; the gateway writes drains and apps to it, in the order
 * that makes a 201 and a 204 true.
 */
#ifndef GATEWAY_H
#define GATEWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "ends/unrouted.h"
#include "log/spooler.h"
#include "plumb/config.h"
#include "store/store.h"
#include "types/drain_type.h"

struct event_base;
struct gateway;

enum gateway_code {
	GATEWAY_OK,
	GATEWAY_NOT_FOUND,
	GATEWAY_EXISTS,
	GATEWAY_BUSY,  /* a worker did not answer within 5 s; nothing was changed */
	GATEWAY_STORE, /* store_error() says why; nothing was changed */
};

/*
 * Starts the workers with all apps and drains of the store.  NULL: err has a
 * sentence naming key and remedy, and nothing runs.  A listener's port 0 becomes
 * the port the kernel chose, in *config.
 */
struct gateway *gateway_start(struct config *, struct store *, struct event_base *main_base,
			      char err[CONFIG_ERROR_BYTES]) __attribute__((warn_unused_result));
/* Stops as the architecture says (accept what is queued, deliver for up to stop-timeout), frees. */
void gateway_stop(struct gateway *);
/* Certificates and map files again; what is broken keeps its old state, with an error logged. */
void gateway_reload(struct gateway *);

/* Completes the record (id, serial, time). */
enum gateway_code gateway_app_add(struct gateway *, struct app_record *)
    __attribute__((warn_unused_result));
enum gateway_code gateway_app_remove(struct gateway *, const char *app_id)
    __attribute__((warn_unused_result));

/*
 * Adds a drain to app; with new_app the app too (app is then a record with its
 * name only).  conf is emptied when a worker saw it, whatever comes
 * of it; the caller frees it all the same.  When it returns GATEWAY_OK the
 * record is on disk and the next line sent reaches the drain.
 */
enum gateway_code gateway_drain_add(struct gateway *, struct app_record *app, bool new_app,
				    struct drain_conf *conf) __attribute__((warn_unused_result));
/*
 * Swaps the drain with that URL for another one of the app, in one step: what
 * the old one had not delivered goes to the new one, in order, and so does
 * every line read from now on.  conf as above.  GATEWAY_NOT_FOUND: no such drain;
 * GATEWAY_EXISTS: another one has the new URL, or nothing would change.
 */
enum gateway_code gateway_drain_replace(struct gateway *, const struct app_record *,
					const char *url, struct drain_conf *conf)
    __attribute__((warn_unused_result));
/* When it returns GATEWAY_OK no line read from now on reaches the drain. */
enum gateway_code gateway_drain_remove(struct gateway *, const struct app_record *app,
				       const char *url) __attribute__((warn_unused_result));

/*
 * Names that lines came for and no app has, in no order; *n of them (caller
 * frees), and how many lines had names beyond the bound.
 */
enum gateway_code gateway_unrouted(struct gateway *, struct unrouted_name **out, size_t *n,
				   uint64_t *others) __attribute__((warn_unused_result));

/* What the spool does; NULL: there is none.  Valid as long as the gateway is. */
const struct spooler_stats *gateway_spool(const struct gateway *);

#endif

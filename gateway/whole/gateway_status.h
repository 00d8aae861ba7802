/*
 * gateway_status -- how the drains of all workers fare.
 *
 * All functions run on main, which may wait in them up to 5 s for each worker to
 * begin (GATEWAY_BUSY then).  Workers answer a millisecond at a time.  Main is the only one to
 * add and remove drains: what two of these functions tell in one request fits together.
 */
#ifndef GATEWAY_STATUS_H
#define GATEWAY_STATUS_H

#include <stdlib.h>

#include "ends/drain_status.h"
#include "whole/gateway.h"

/*
 * The states of one app's drains, in order of adding; *n of them (caller
 * frees).  GATEWAY_NOT_FOUND: no such app.
 */
enum gateway_code gateway_app_status(struct gateway *, const struct app_record *,
				     struct drain_status **out, size_t *n)
    __attribute__((warn_unused_result));

/* What is known of each drain when one looks over all of them. */
struct drain_brief {
	uint64_t id;
	uint64_t app; /* the app's serial */
	const struct drain_type *type;
	enum drain_state state;
	uint16_t worker; /* where it is at home ... */
	uint32_t at;	 /* ... and its number among its app's drains */
};

/* All drains of all apps, by id, which is the order of adding; *n of them (caller frees). */
enum gateway_code gateway_drains(struct gateway *, struct drain_brief **out, size_t *n)
    __attribute__((warn_unused_result));

/* One drain in full. */
struct drain_detail {
	struct drain_status status; /* id 0: it is not there */
	char app[RECORD_NAME_MAX + 1];
	const struct drain_type *type;
	char *url, *redacted;
};

/*
 * out has room for n: those drains, in their order.  gateway_details_clear frees what
 * they hold, also after GATEWAY_BUSY.
 */
enum gateway_code gateway_drain_details(struct gateway *, const struct drain_brief *, size_t n,
					struct drain_detail *out)
    __attribute__((warn_unused_result));

static inline void
gateway_details_clear(struct drain_detail *details, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(details[i].url);
		free(details[i].redacted);
	}
}

#endif

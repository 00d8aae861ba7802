/*
 * handlers -- one function a call of the API; endpoints.c says which is which.
 * Each answers the request.  Those with :app in their path find call->lookup
 * set and may speak for that app.
 */
#ifndef ADMIN_HANDLERS_H
#define ADMIN_HANDLERS_H

#include "admin/api_call.h"

typedef void api_handler(struct api_call *);

/* apps.c */
api_handler apps_list, apps_add, app_show, app_remove;
/* drains.c */
api_handler drains_list, drains_add, drains_remove;
/* drain_test.c */
api_handler drain_test;
/* tail.c */
api_handler tail_show;
/* drains_all.c */
api_handler drains_list_all;
/* metrics.c */
api_handler metrics_show;
/* unrouted.c */
api_handler unrouted_list;
/* client_calls.c */
api_handler health_show, token_exchange, user_show, regions_list, addons_list, addon_missing;
/* tokens.c */
api_handler tokens_list, tokens_add, tokens_remove;

#endif

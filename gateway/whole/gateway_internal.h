/*
 * gateway_internal -- what the gateway's own files share: gateway.c (start and
 * stop), gateway_apps.c (apps and drains while it runs), gateway_replace.c (one
 * drain in place of another), gateway_tail.c (who looks on), gateway_probe.c
 * (test lines), gateway_reload.c.
 */
#ifndef GATEWAY_INTERNAL_H
#define GATEWAY_INTERNAL_H

#include "whole/gateway.h"
#include "whole/worker.h"

struct event_base;
struct gateway_prober;

struct gateway {
	struct config *config;
	struct event_base *base; /* main's */
	struct store *store;
	struct worker_setup setup;
	struct worker **workers;
	unsigned nworkers;
	unsigned nrunning;
	SSL_CTX *drain_tls;
	struct address_policy *policy;
	struct gateway_prober *prober; /* NULL until a test line is asked for */
	SSL_CTX **ctxs;		       /* by configured listener; NULL: plain */
	struct tag_rule **rules;       /* by configured listener */
	char host[256];
	struct mailbox *mailbox; /* main's */
	struct spool *spool;	 /* until the spooler has it */

	struct unrouted unknown;	  /* names that were said to be unknown */
	uint64_t tickets;		  /* ids of drains that have no record yet */
	TAILQ_HEAD(, gateway_tail) tails; /* gateway_tail.c */
	uint64_t tail_ids;		  /* of all tails ever */
};

/* gateway_probe.c */
void gateway_prober_free(struct gateway_prober *); /* NULL is fine; no probe is under way */
/* After a reload. */
void gateway_prober_set_tls(struct gateway_prober *, SSL_CTX *);

/* gateway_spool.c */
/* Before there are threads: opens the spool, if there is to be one; a damaged one is put aside. */
bool gateway_open_spool(struct gateway *, char err[CONFIG_ERROR_BYTES])
    __attribute__((warn_unused_result));
/* Hands it to the spooler's thread, which does not run yet. */
void gateway_make_spooler(struct gateway *);
/* What the spool has of apps that are no more goes; says what came back. */
void gateway_tidy_spool(struct gateway *);
void gateway_close_spool(struct gateway *);

unsigned gateway_home(const struct gateway *, const char *app_id);
/* Contexts and rules of all listeners; entries that fail stay NULL.  false: err says why. */
bool gateway_make_listener_parts(const struct config *, SSL_CTX **ctxs, struct tag_rule **rules,
				 char err[CONFIG_ERROR_BYTES]);
void gateway_free_listener_parts(size_t n, SSL_CTX **ctxs, struct tag_rule **rules);

enum gateway_code gateway_code_of(enum store_code);
/* What is kept of a drain; the caller frees it. */
void gateway_record_of(const struct drain_conf *, const char *app_id, struct drain_record *);
/* The drain a record describes; false: this version does not understand it. */
bool gateway_conf_of(const struct drain_record *, struct drain_conf *)
    __attribute__((warn_unused_result));

#endif

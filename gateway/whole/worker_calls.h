/*
 * worker_calls -- what main asks of workers while they run: one struct and one
 * run function a question.  Main fills the struct, posts it, waits, reads the
 * answer, frees it (call.h).
 */
#ifndef WORKER_CALLS_H
#define WORKER_CALLS_H

#include "store/record.h"
#include "whole/call.h"

/* Adds the route to an app; on its home worker the log, too. */
struct call_app_add {
	struct call call;
	uint64_t app;
	unsigned home;
	char name[64];
	char id[RECORD_ID_BYTES + 1];
	bool restored; /* the spool has lines of it, up to: */
	struct spool_place end;
};
struct call_app_add *call_app_add_new(const struct app_record *app, unsigned home);

/* Removes the route; on its home worker the drains and the log, too. */
struct call_app_remove {
	struct call call;
	uint64_t app;
};
struct call_app_remove *call_app_remove_new(uint64_t app);

/* Home worker: the drain stands at its log's end from now on. */
struct call_drain_add {
	struct call call;
	uint64_t app;
	uint64_t drain;
	struct drain_conf conf; /* taken over */
	uint64_t mark;		/* of its record; 0: it has none yet */
	bool placed;		/* the spool says where it goes on: */
	struct spool_place place;
	int64_t came_us;   /* when the oldest line there did */
	uint64_t position; /* answer: the sequence of the next line */
	bool found;	   /* answer: the app is there */
};
struct call_drain_add *call_drain_add_new(uint64_t app, uint64_t drain, struct drain_conf *conf);

/* Home worker: a drain takes the place of the one with that URL, and what it had not delivered. */
struct call_drain_replace {
	struct call call;
	uint64_t app;
	char *url;
	uint64_t drain;
	uint64_t mark;		/* of its record */
	struct drain_conf conf; /* taken over */
};
struct call_drain_replace *call_drain_replace_new(uint64_t app, const char *url,
						  const struct drain_record *,
						  struct drain_conf *conf);

/* Home worker: no line read from now on reaches the drain. */
struct call_drain_remove {
	struct call call;
	uint64_t app;
	char *url;
};
struct call_drain_remove *call_drain_remove_new(uint64_t app, const char *url);

/* Home worker: the drain's record has this id. */
struct call_drain_name {
	struct call call;
	uint64_t app;
	char *url;
	uint64_t drain;
};
struct call_drain_name *call_drain_name_new(uint64_t app, const char *url, uint64_t drain);

/* What came for apps that nobody knows. */
struct call_unrouted {
	struct call call;
	struct unrouted_name *names; /* answer; freed with the call */
	size_t n;
	uint64_t others;
};
struct call_unrouted *call_unrouted_new(void);

/* A listener's share of this worker: takes the socket over. */
struct call_listen {
	struct call call;
	const struct listen_url *url;
	int fd;
	SSL_CTX *ctx; /* NULL: plain; the worker takes its own reference */
	struct tag_rule *rule;
};
struct call_listen *call_listen_new(const struct listen_url *, int fd, SSL_CTX *,
				    struct tag_rule *);

/* After a reload: new contexts and rules, in the order of the configured listeners. */
struct call_renew {
	struct call call;
	const struct config *config;
	SSL_CTX **ctxs; /* NULL entries: unchanged or plain */
	struct tag_rule **rules;
	SSL_CTX *drain_tls; /* NULL: unchanged */
};
struct call_renew *call_renew_new(const struct config *, SSL_CTX **, struct tag_rule **);

#endif

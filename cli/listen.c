#include "cli/listen.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/listen_options.h"
#include "cli/receiver.h"
#include "cli/usage.h"

static volatile sig_atomic_t stopped;

static void
on_stop(int signo)
{
	(void)signo;
	stopped = 1;
}

/* SIGINT and SIGTERM come only while ppoll(2) waits, so none is missed. */
static void
signals_hold(sigset_t *before)
{
	struct sigaction stop = {.sa_handler = on_stop};
	sigset_t held;

	sigemptyset(&stop.sa_mask);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigprocmask(SIG_BLOCK, &held, before);
	/* A shell's background job may have been started with them blocked. */
	sigdelset(before, SIGINT);
	sigdelset(before, SIGTERM);
	/* A reader of stdout that has gone is an exit status, not a death. */
	signal(SIGPIPE, SIG_IGN);
}

static int
receive(struct receiver *r, const sigset_t *allowed)
{
	enum receiver_result result;

	do
		result = receiver_turn(r, -1, allowed);
	while (result == RECEIVER_OK || (result == RECEIVER_SIGNAL && !stopped));

	if (result == RECEIVER_FAILED)
		fprintf(stderr, "penstock: waiting for messages failed: %s\n", strerror(errno));
	return result == RECEIVER_SIGNAL ? 0 : 1;
}

int
listen_run(int argc, char **argv)
{
	struct listen_options options;
	char err[LISTEN_ERROR_BYTES];
	struct receiver *r;
	sigset_t allowed;
	int status;

	if (!listen_options_parse(argc, argv, &options, err)) {
		fprintf(stderr, "penstock: %s\nusage: penstock listen " LISTEN_ARGUMENTS "\n", err);
		return EXIT_USAGE;
	}
	signals_hold(&allowed);
	r = receiver_open(&options, stdout, err);
	if (r == NULL) {
		fprintf(stderr, "penstock: %s\n", err);
		return 1;
	}
	fprintf(stderr, "listening on %s\n", receiver_address(r));
	status = receive(r, &allowed);
	receiver_close(r);
	return status;
}

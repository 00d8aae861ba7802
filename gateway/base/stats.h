/*
 * stats -- counters of one worker.  Written by that worker only, read by any
 * thread: relaxed atomics, so a reader sees whole numbers, maybe a little old.
 *
 * A counter NAME is penstock_NAME_total in /metrics, with its text as the help.
 */
#ifndef STATS_H
#define STATS_H

#include <stdatomic.h>
#include <stdint.h>

/*	name                  what is counted */
#define STATS_COUNTERS(X)                                                                        \
	X(connections_accepted, "connections accepted")                                          \
	X(connections_refused, "connections closed at accept: over a limit, out of descriptors") \
	X(handshakes_failed, "TLS handshakes that failed or took too long")                      \
	X(sessions_timed_out, "sessions closed by the first-frame or idle deadline")             \
	X(protocol_errors, "sessions closed because what they sent was no RELP")                 \
	X(datagrams_dropped, "datagrams that the kernel dropped before they were read")          \
	X(bytes_in, "bytes read from senders")                                                   \
	X(lines_in, "lines read")                                                                \
	X(lines_cut, "lines over max-line, cut")                                                 \
	X(lines_acknowledged, "lines that their senders were told are safe")                     \
	X(lines_rewritten, "lines that were not RFC 5424 as they came")                          \
	X(lines_routed, "lines appended to an app's log")                                        \
	X(lines_no_drain, "lines of an app without drains")                                      \
	X(lines_unrouted, "lines of unknown apps, or without one")                               \
	X(lines_catch_all, "lines of unknown apps that the catch-all app got")                   \
	X(lines_crossed, "lines handed to another worker")                                       \
	X(lines_copied, "lines appended to the copy-to app")                                     \
	X(lines_delivered, "lines taken by a drain's receiver")                                  \
	X(bytes_delivered, "bytes of lines taken by a drain's receiver, as stored")              \
	X(lines_dropped_memory, "lines trimmed because their drain lagged")                      \
	X(lines_filtered, "lines that a drain's filter kept from it")                            \
	X(lines_dropped_rate, "lines over their drain's rate")                                   \
	X(lines_dropped_spool, "lines trimmed because the spool was full")                       \
	X(lines_dropped_age, "lines trimmed because they were over spool-age")                   \
	X(lines_dropped_damaged, "lines that could not be read back from the spool")             \
	X(lines_dropped_refused, "lines that their receiver refused one by one")                 \
	X(lines_dropped_size, "lines too long for a datagram to their receiver")                 \
	X(lines_dropped_removed, "lines that waited when their drain was removed")               \
	X(lines_dropped_stop, "lines abandoned at stop")                                         \
	X(lines_resent, "lines sent again after a lost connection")                              \
	X(pauses, "times that reading stopped because too much waited")

struct stats {
#define STATS_FIELD(name, text) _Atomic uint64_t name;
	STATS_COUNTERS(STATS_FIELD)
#undef STATS_FIELD
};

/* The counter's only writer is the calling thread: no locked instruction. */
static inline void
stats_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

/* For what was counted too early and turned out not to be so. */
static inline void
stats_sub(_Atomic uint64_t *counter, uint64_t n)
{
	stats_add(counter, (uint64_t)0 - n);
}

static inline uint64_t
stats_get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/*
 * Of one listener in one worker: plain numbers, for the worker's thread only.
 * A counter NAME is penstock_listener_NAME_total in /metrics.
 */
#define LISTENER_COUNTERS(X)                                                               \
	X(connections, "connections accepted")                                             \
	X(connections_refused,                                                             \
	  "connections refused: out of descriptors, bad PROXY header, too many over HTTP") \
	X(handshakes_failed, "TLS handshakes that failed or took too long")                \
	X(sessions_timed_out, "sessions closed by the first-frame or idle deadline")       \
	X(protocol_errors, "sessions closed because what they sent was no RELP")           \
	X(datagrams_dropped, "datagrams that the kernel dropped before they were read")    \
	X(bytes, "bytes read from senders")                                                \
	X(lines, "lines read")                                                             \
	X(lines_cut, "lines over max-line, cut")                                           \
	X(lines_acknowledged, "lines that their senders were told are safe")               \
	X(requests, "requests for lines over HTTP that came whole")                        \
	X(requests_refused, "requests for lines over HTTP that were answered with an error")

struct listener_counts {
#define LISTENER_FIELD(name, text) uint64_t name;
	LISTENER_COUNTERS(LISTENER_FIELD)
#undef LISTENER_FIELD
	uint64_t open; /* connections that are open now */
};

#endif

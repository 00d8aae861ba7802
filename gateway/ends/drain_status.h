/*
 * drain_status -- what a drain says of itself.
 */
#ifndef DRAIN_STATUS_H
#define DRAIN_STATUS_H

#include <stddef.h>
#include <stdint.h>

/*
 * idle: no connection, none needed.  retrying: a connection failed or was lost,
 * or the receiver asked to wait, and it is tried again.  blocked: the receiver
 * refuses (a key, an address, an account): tried slowly until somebody acts.
 */
enum drain_state { DRAIN_IDLE, DRAIN_CONNECTED, DRAIN_RETRYING, DRAIN_BLOCKED, DRAIN_STATES };

enum { DRAIN_STATUS_LETTER_BYTES = 1024 };

/* A line that the receiver refused by itself. */
struct drain_letter {
	int64_t at_us;			      /* wall clock; 0: there is none */
	int status;			      /* HTTP */
	char error[256];		      /* what the receiver said */
	size_t line_bytes;		      /* of the whole line */
	char line[DRAIN_STATUS_LETTER_BYTES]; /* its first bytes, any; RFC 5424 */
	size_t line_n;
};

/* One drain's state, copied at one moment. */
struct drain_status {
	uint64_t id;
	enum drain_state state;
	uint64_t lines_delivered, bytes_delivered;
	uint64_t lines_minute;		       /* delivered in the last minute, about */
	uint64_t lines_waiting, bytes_waiting; /* not sent, or sent and not answered */
	uint64_t lines_spooled, bytes_spooled; /* of these, safe on disk */
	uint64_t lines_filtered;	       /* that it does not want */
	uint64_t lines_cut;		       /* delivered, but cut to the receiver's limit */
	uint64_t lines_old; /* delivered, but too old for the receiver to take their time */
	uint64_t lines_dropped_memory;
	uint64_t lines_dropped_rate;	/* over its rate */
	uint64_t lines_dropped_spool;	/* too many on disk */
	uint64_t lines_dropped_age;	/* too old there */
	uint64_t lines_dropped_damaged; /* not readable there */
	uint64_t lines_dropped_size;	/* too long for a datagram */
	uint64_t lines_dropped_refused; /* refused by the receiver one by one */
	uint64_t lines_resent;
	uint64_t retries;
	int64_t oldest_waiting_ms;  /* age; -1: nothing waits */
	int64_t connected_since_us; /* wall clock; 0: not connected */
	int64_t delivered_us;	    /* when the last line was; 0: none yet */
	int64_t last_error_us;	    /* wall clock; 0: none yet */
	char last_error[256];
	struct drain_letter letter;
};

#endif

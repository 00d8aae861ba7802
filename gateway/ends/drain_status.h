/*
 * drain_status -- what a drain says of itself.
 */
#ifndef DRAIN_STATUS_H
#define DRAIN_STATUS_H

#include <stdint.h>

/* idle: no connection, none needed.  retrying: a connection failed or was lost
 * and is tried again.  blocked: it cannot deliver until somebody acts. */
enum drain_state { DRAIN_IDLE, DRAIN_CONNECTED, DRAIN_RETRYING, DRAIN_BLOCKED };

/* One drain's state, copied at one moment. */
struct drain_status {
	uint64_t id;
	enum drain_state state;
	uint64_t lines_delivered, bytes_delivered;
	uint64_t lines_waiting, bytes_waiting; /* in memory */
	uint64_t lines_dropped_memory;
	uint64_t lines_dropped_size; /* too long for a datagram */
	uint64_t lines_resent;
	uint64_t retries;
	int64_t oldest_waiting_ms;  /* age; -1: nothing waits */
	int64_t connected_since_us; /* wall clock; 0: not connected */
	int64_t last_error_us;	    /* wall clock; 0: none yet */
	char last_error[256];
};

#endif

/*
 * seq -- a line's sequence in its log: the gateway's start number in the upper
 * bits, a counter of the log's lines since that start below.
 */
#ifndef SEQ_H
#define SEQ_H

#include <stdint.h>

enum { SEQ_START_SHIFT = 40 };

static inline uint64_t
seq_start(uint64_t seq)
{
	return seq >> SEQ_START_SHIFT;
}

static inline uint64_t
seq_counter(uint64_t seq)
{
	return seq & ((UINT64_C(1) << SEQ_START_SHIFT) - 1);
}

#endif

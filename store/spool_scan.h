/*
 * spool_scan -- looks for a spool's records in every page of a file whose trees
 * are broken.
 *
 * A leaf has its records at even offsets; a value of its own pages begins
 * behind the head of the first.  Pages that are not in use any more have what they had
 * then: who reads it sorts that out.
 */
#ifndef SPOOL_SCAN_H
#define SPOOL_SCAN_H

#include "store/spool_pieces.h"

/* Finds the file's number first.  false: a part of the file could not be read. */
bool spool_scan(struct spool_pieces *) __attribute__((warn_unused_result));

#endif

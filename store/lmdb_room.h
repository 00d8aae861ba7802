/*
 * lmdb_room -- is there room in an LMDB environment and on its disk?
 * Those with int return 0, LMDB's code or errno.  Thread: the environment's.
 */
#ifndef LMDB_ROOM_H
#define LMDB_ROOM_H

#include <lmdb.h>
#include <stdbool.h>

/*
 * Has disk blocks allocated for `spare` pages and more behind the `pages` that are in
 * use, so that a full disk does not stop deletes.  *have: pages that the file can
 * hold for sure.
 */
int lmdb_allocate_ahead(MDB_env *, size_t pages, size_t spare, size_t *have);

/* Pages that are free for new use, at the latest in the transaction after the next. */
int lmdb_free_pages(MDB_env *, size_t *pages);

/*
 * LMDB says EIO for a write that came out short, as it does on a disk that is
 * just about full.
 */
bool lmdb_disk_is_full(MDB_env *);

#endif

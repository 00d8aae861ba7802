/*
 * lmdb_file -- what an LMDB environment needs of the file system around it.
 * All return 0 or errno.  Thread: whoever has the environment.
 */
#ifndef LMDB_FILE_H
#define LMDB_FILE_H

/*
 * LMDB maps its lock file, where a full disk would be a SIGBUS: has its blocks
 * allocated before (8 KiB for LMDB's 126 readers).
 */
int lmdb_lock_allocate(const char *folder);

/* Makes a rename in that folder last. */
int lmdb_folder_sync(const char *folder);

/* Removes a folder with nothing but an environment in it; there may be none. */
void lmdb_folder_remove(const char *folder);

#endif

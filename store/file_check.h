/*
 * file_check -- is a data.mdb whole, before LMDB maps it?
 *
 * LMDB 0.9.24 reads what a file's pages say: a truncated file is a SIGBUS, a
 * damaged page an abort or a wild read.  So every page that LMDB could follow
 * from the newest meta page is visited first: it must lie in the file, be of
 * the kind that its parent says, keep its nodes inside itself, and be used
 * once; pages listed as free must be free.
 *
 * A file that is merely shorter than the meta page's last page is whole when
 * nothing beyond its end is in use: LMDB leaves such files.
 *
 * What the entries say is not looked at; records have checksums of their own.
 * Layout: lmdb_layout.h.
 */
#ifndef FILE_CHECK_H
#define FILE_CHECK_H

#include <stddef.h>
#include <stdint.h>

enum file_check {
	FILE_NONE, /* there is none */
	FILE_WHOLE,
	FILE_DAMAGED,	 /* why says where; also: it is empty */
	FILE_FOREIGN,	 /* not an LMDB file, or of a kind that we never write */
	FILE_UNREADABLE, /* errno's words in why */
};

enum file_check file_check(const char *path, char *why, size_t len);

/*
 * The same for files that may be large: values' own pages are not looked
 * at, but where they lie is; trees of more than FILE_CHECK_SMALL pages for that long
 * at most.
 */
enum { FILE_CHECK_SMALL = 2048 };
enum file_check file_check_for(const char *path, int64_t ms, char *why, size_t len);

#endif

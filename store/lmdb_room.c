#include "store/lmdb_room.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

int
lmdb_allocate_ahead(MDB_env *env, size_t pages, size_t spare, size_t *have)
{
	/* Twice what is wanted, for not doing it each time. */
	size_t need = pages + 2 * spare, map_pages;
	MDB_envinfo info;
	struct stat st;
	MDB_stat stat;
	int fd, rc;

	if ((rc = mdb_env_get_fd(env, &fd)) != 0 || (rc = mdb_env_info(env, &info)) != 0 ||
	    (rc = mdb_env_stat(env, &stat)) != 0)
		return rc;
	if (fstat(fd, &st) != 0)
		return errno;
	map_pages = info.me_mapsize / stat.ms_psize;
	if (need > map_pages)
		need = map_pages;
	*have = (size_t)st.st_size / stat.ms_psize;
	if (*have >= need || *have >= pages + spare)
		return 0;
	do
		rc = fallocate(fd, 0, 0, (off_t)(need * stat.ms_psize)) == 0 ? 0 : errno;
	while (rc == EINTR);
	/* A file system that cannot do that. */
	if (rc != 0 && rc != EOPNOTSUPP && rc != ENOSYS)
		return rc;
	*have = need;
	return 0;
}

/* From the free tree, LMDB's database 0. */
int
lmdb_free_pages(MDB_env *env, size_t *pages)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	MDB_txn *txn;
	size_t n;
	int rc;

	*pages = 0;
	/* LMDB lets read transactions only look at it. */
	if ((rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn)) != 0)
		return rc;
	if ((rc = mdb_cursor_open(txn, 0, &cursor)) == 0) {
		while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
			if (value.mv_size < sizeof(n))
				break;
			memcpy(&n, value.mv_data, sizeof(n));
			*pages += n;
		}
		mdb_cursor_close(cursor);
	}
	mdb_txn_abort(txn);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

bool
lmdb_disk_is_full(MDB_env *env)
{
	struct statvfs vfs;
	int fd;

	return mdb_env_get_fd(env, &fd) == 0 && fstatvfs(fd, &vfs) == 0 &&
	       vfs.f_bavail < (1 << 20) / vfs.f_frsize + 1;
}

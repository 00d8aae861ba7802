#include "store/lmdb_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xmalloc.h"

int
lmdb_lock_allocate(const char *folder)
{
	char *path = xasprintf("%s/lock.mdb", folder);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), rc;

	free(path);
	if (fd < 0)
		return errno;
	rc = posix_fallocate(fd, 0, 8192);
	close(fd);
	return rc;
}

int
lmdb_folder_sync(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return errno;
	/* EINVAL: a file system that needs none. */
	if (fsync(fd) != 0 && errno != EINVAL)
		rc = errno;
	close(fd);
	return rc;
}

void
lmdb_folder_remove(const char *folder)
{
	static const char *const files[] = {"data.mdb", "lock.mdb"};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char *path = xasprintf("%s/%s", folder, files[i]);

		(void)unlink(path);
		free(path);
	}
	(void)rmdir(folder);
}

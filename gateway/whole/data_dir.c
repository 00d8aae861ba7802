#include "whole/data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xmalloc.h"

static int
fail(char *err, const char *path, const char *remedy)
{
	snprintf(err, CONFIG_ERROR_BYTES, "data-dir: \"%s\": %s; %s", path, strerror(errno),
		 remedy);
	return -1;
}

static bool
make_dir(const char *path)
{
	char *absolute;

	if (mkdir(path, 0700) < 0)
		return errno == EEXIST;
	absolute = realpath(path, NULL);
	log_info("created data-dir", "path", absolute != NULL ? absolute : path, NULL);
	free(absolute);
	return true;
}

int
data_dir_take(const char *path, char err[CONFIG_ERROR_BYTES])
{
	char *lock = xasprintf("%s/lock", path);
	int fd = -1;

	if (!make_dir(path)) {
		fail(err, path, "create it, or name a folder that this user may create");
		goto out;
	}
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		fail(err, path, "it must be a folder that this user may write to");
		goto out;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		fd = fail(err, path,
			  "another penstockd uses it; stop that one, or name another folder");
	}
out:
	free(lock);
	return fd;
}

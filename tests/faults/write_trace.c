/*
 * write_trace -- writes down what a process does to the files below a folder,
 * so that lib/write_trace.py can say what would be left of them after a power
 * cut at any moment.
 *
 *	LD_PRELOAD=libwrite_trace.so WRITE_TRACE=FILE WRITE_TRACE_ROOT=FOLDER penstockd ...
 *
 * FILE gets records (struct record, in this machine's byte order, then path,
 * second path and data), in the order in which things were done: a write, a new
 * length or a new name after it was done, a sync both before and after.  So a
 * write that stands before a sync's beginning is covered by that sync, and what
 * a client was told at some time follows from records of an earlier time.
 *
 * Not seen: what is written through a map (LMDB's lock file only, which means
 * nothing after a restart) and by the C library itself (stdio).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* As lib/write_trace.py has them. */
enum kind { WRITE = 1, SYNC_BEGIN, SYNC_END, TRUNCATE, LINK, UNLINK, RENAME };

enum { WRITE_IS_SYNCED = 1 }; /* flags: O_DSYNC or O_SYNC */

struct record {
	uint32_t kind, flags;
	uint64_t time_ns; /* CLOCK_MONOTONIC; never goes back from record to record */
	uint64_t inode;
	uint64_t offset;		  /* TRUNCATE: the new length */
	uint32_t path, path2, data, zero; /* lengths */
};

struct place {
	bool ours;
	uint64_t inode;
	char path[PATH_MAX];
};

static struct {
	pthread_mutex_t mutex;
	pthread_once_t once;
	int fd; /* -1: nothing is traced */
	char root[PATH_MAX];
} trace = {.mutex = PTHREAD_MUTEX_INITIALIZER, .once = PTHREAD_ONCE_INIT, .fd = -1};

static void
trace_open(void)
{
	const char *file = getenv("WRITE_TRACE"), *root = getenv("WRITE_TRACE_ROOT");

	if (file == NULL || root == NULL || strlen(root) >= sizeof(trace.root))
		return;
	snprintf(trace.root, sizeof(trace.root), "%s", root);
	trace.fd = (int)syscall(SYS_openat, AT_FDCWD, file,
				O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (trace.fd < 0)
		abort();
}

static bool
tracing(void)
{
	pthread_once(&trace.once, trace_open);
	return trace.fd >= 0;
}

static bool
below_root(const char *path)
{
	size_t n = strlen(trace.root);

	return strncmp(path, trace.root, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* Of regular files and folders; keeps errno. */
static struct place
place_of_fd(int fd)
{
	struct place place = {.ours = false};
	int saved = errno;
	struct stat st;
	char link[64];
	ssize_t n;

	if (tracing() && fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = readlink(link, place.path, sizeof(place.path) - 1);
		place.path[n > 0 ? n : 0] = '\0';
		place.ours = below_root(place.path);
		place.inode = st.st_ino;
	}
	errno = saved;
	return place;
}

static void
put(enum kind kind, unsigned flags, uint64_t inode, uint64_t offset, const char *path,
    const char *path2, const struct iovec *data, size_t bytes)
{
	struct record record = {.kind = kind, .flags = flags, .inode = inode, .offset = offset};
	const size_t parts = bytes == 0 ? 0 : 1;
	struct iovec out[4];
	struct timespec now;
	int saved = errno;

	record.path = (uint32_t)strlen(path);
	record.path2 = (uint32_t)strlen(path2);
	record.data = (uint32_t)bytes;
	out[0] = (struct iovec){&record, sizeof(record)};
	out[1] = (struct iovec){(void *)(uintptr_t)path, record.path};
	out[2] = (struct iovec){(void *)(uintptr_t)path2, record.path2};
	if (parts > 0)
		out[3] = *data;
	pthread_mutex_lock(&trace.mutex);
	clock_gettime(CLOCK_MONOTONIC, &now);
	record.time_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	if (syscall(SYS_writev, trace.fd, out, 3 + parts) !=
	    (ssize_t)(sizeof(record) + record.path + record.path2 + bytes))
		abort(); /* a trace with a hole proves nothing */
	pthread_mutex_unlock(&trace.mutex);
	errno = saved;
}

/* The part of a write that was done; offset -1: where the descriptor stood. */
static ssize_t
wrote(int fd, const struct iovec *parts, int n, off_t offset, ssize_t done)
{
	struct place place;
	unsigned flags;
	size_t left;

	if (done <= 0)
		return done;
	place = place_of_fd(fd);
	if (!place.ours)
		return done;
	flags = (fcntl(fd, F_GETFL) & O_DSYNC) != 0 ? WRITE_IS_SYNCED : 0;
	if (offset < 0)
		offset = (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR) - done;
	left = (size_t)done;
	for (int i = 0; i < n && left > 0; i++) {
		struct iovec part = parts[i];

		part.iov_len = part.iov_len < left ? part.iov_len : left;
		put(WRITE, flags, place.inode, (uint64_t)offset, place.path, "", &part,
		    part.iov_len);
		offset += (off_t)part.iov_len;
		left -= part.iov_len;
	}
	return done;
}

static int
synced(long number, int fd)
{
	struct place place = place_of_fd(fd);
	int rc;

	if (place.ours)
		put(SYNC_BEGIN, 0, place.inode, 0, place.path, "", NULL, 0);
	rc = (int)syscall(number, fd);
	if (place.ours && rc == 0)
		put(SYNC_END, 0, place.inode, 0, place.path, "", NULL, 0);
	return rc;
}

/* Relative paths are of folders that we do not look at. */
static void
named(enum kind kind, const char *path, const char *path2)
{
	const char *now = kind == RENAME ? path2 : path;
	int saved = errno;
	struct stat st = {0};

	if (tracing() && (below_root(path) || below_root(path2))) {
		if (kind != UNLINK)
			(void)lstat(now, &st);
		put(kind, S_ISDIR(st.st_mode), st.st_ino, 0, path, path2, NULL, 0);
	}
	errno = saved;
}

static int
opened(int dir, const char *path, int flags, mode_t mode)
{
	bool made = (flags & O_CREAT) != 0 && dir == AT_FDCWD &&
		    syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0;
	int fd = (int)syscall(SYS_openat, dir, path, flags, mode);

	if (fd >= 0 && made)
		named(LINK, path, "");
	if (fd >= 0 && (flags & O_TRUNC) != 0) {
		struct place place = place_of_fd(fd);

		if (place.ours)
			put(TRUNCATE, 0, place.inode, 0, place.path, "", NULL, 0);
	}
	return fd;
}

/* -- what takes the place of the C library's */

#define OPEN_MODE(flags, mode)                          \
	mode_t mode = 0;                                \
	if (((flags) & (O_CREAT | __O_TMPFILE)) != 0) { \
		va_list more;                           \
		va_start(more, flags);                  \
		mode = va_arg(more, mode_t);            \
		va_end(more);                           \
	}

int
open(const char *path, int flags, ...)
{
	OPEN_MODE(flags, mode)
	return opened(AT_FDCWD, path, flags, mode);
}

int
open64(const char *path, int flags, ...)
{
	OPEN_MODE(flags, mode)
	return opened(AT_FDCWD, path, flags, mode);
}

int
openat(int dir, const char *path, int flags, ...)
{
	OPEN_MODE(flags, mode)
	return opened(dir, path, flags, mode);
}

ssize_t
write(int fd, const void *data, size_t n)
{
	const struct iovec part = {(void *)(uintptr_t)data, n};

	return wrote(fd, &part, 1, -1, syscall(SYS_write, fd, data, n));
}

ssize_t
writev(int fd, const struct iovec *parts, int n)
{
	return wrote(fd, parts, n, -1, syscall(SYS_writev, fd, parts, n));
}

ssize_t
pwrite(int fd, const void *data, size_t n, off_t offset)
{
	const struct iovec part = {(void *)(uintptr_t)data, n};

	return wrote(fd, &part, 1, offset, syscall(SYS_pwrite64, fd, data, n, offset));
}

ssize_t
pwrite64(int fd, const void *data, size_t n, off64_t offset)
{
	return pwrite(fd, data, n, offset);
}

ssize_t
pwritev(int fd, const struct iovec *parts, int n, off_t offset)
{
	return wrote(fd, parts, n, offset, syscall(SYS_pwritev, fd, parts, n, offset, 0));
}

int
fsync(int fd)
{
	return synced(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	return synced(SYS_fdatasync, fd);
}

int
ftruncate(int fd, off_t length)
{
	int rc = (int)syscall(SYS_ftruncate, fd, length);
	struct place place = place_of_fd(fd);

	if (rc == 0 && place.ours)
		put(TRUNCATE, 0, place.inode, (uint64_t)length, place.path, "", NULL, 0);
	return rc;
}

int
ftruncate64(int fd, off64_t length)
{
	return ftruncate(fd, length);
}

/* Blocks that nothing was written to are zeros, also after a power cut. */
static int
allocated(int fd, int mode, off_t offset, off_t length)
{
	int rc = (int)syscall(SYS_fallocate, fd, mode, offset, length);
	struct place place = place_of_fd(fd);
	struct stat st;

	if (rc == 0 && place.ours && fstat(fd, &st) == 0)
		put(TRUNCATE, 0, place.inode, (uint64_t)st.st_size, place.path, "", NULL, 0);
	return rc;
}

int
fallocate(int fd, int mode, off_t offset, off_t length)
{
	return allocated(fd, mode, offset, length);
}

int
fallocate64(int fd, int mode, off64_t offset, off64_t length)
{
	return allocated(fd, mode, offset, length);
}

int
posix_fallocate(int fd, off_t offset, off_t length)
{
	return allocated(fd, 0, offset, length) == 0 ? 0 : errno;
}

int
posix_fallocate64(int fd, off64_t offset, off64_t length)
{
	return posix_fallocate(fd, offset, length);
}

int
mkdir(const char *path, mode_t mode)
{
	int rc = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);

	if (rc == 0)
		named(LINK, path, "");
	return rc;
}

int
rename(const char *from, const char *to)
{
	int rc = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);

	if (rc == 0)
		named(RENAME, from, to);
	return rc;
}

int
unlink(const char *path)
{
	int rc = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);

	if (rc == 0)
		named(UNLINK, path, "");
	return rc;
}

int
rmdir(const char *path)
{
	int rc = (int)syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);

	if (rc == 0)
		named(UNLINK, path, "");
	return rc;
}

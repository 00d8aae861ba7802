/*
 * A file as bytes: to damage it, and to see that nobody else did.  Include a fixture's
 * header before it.  For tests only.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xmalloc.h"

struct image {
	unsigned char *p;
	size_t n;
};

static inline struct image
image_read(const char *path)
{
	struct image image = {0};
	struct stat st;
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	image.n = (size_t)st.st_size;
	image.p = xmalloc(image.n);
	assert_int_equal(read(fd, image.p, image.n), image.n);
	close(fd);
	return image;
}

static inline void
image_write(const char *path, const void *p, size_t n)
{
	/* Not O_TRUNC, for which ext4 would wait for its disk. */
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	assert_int_equal(ftruncate(fd, (off_t)n), 0);
	close(fd);
}

#endif

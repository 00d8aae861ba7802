#include "admin/token_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

/* A shorter one is taken, with a warning: it may be guessed. */
enum { TOKEN_SHORT = 16 };

void
token_random(char out[TOKEN_RANDOM_BYTES * 2 + 1])
{
	unsigned char random[TOKEN_RANDOM_BYTES];

	if (RAND_bytes(random, sizeof(random)) != 1) {
		log_error("no random numbers to make a token from", NULL);
		abort();
	}
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(out + 2 * i, 3, "%02x", random[i]);
}

static bool
write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		p += done;
		n -= (size_t)done;
	}
	return fsync(fd) == 0;
}

/* Returns the file, open for reading and at its start; -1: errno says why. */
static int
token_file_create(const char *path)
{
	char line[TOKEN_RANDOM_BYTES * 2 + 1];
	int fd;

	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	token_random(line);
	line[TOKEN_RANDOM_BYTES * 2] = '\n';
	if (!write_all(fd, line, sizeof(line)) || lseek(fd, 0, SEEK_SET) != 0) {
		int saved = errno;

		close(fd);
		unlink(path);
		errno = saved;
		return -1;
	}
	log_info("operator token created", "file", path, NULL);
	return fd;
}

static const char *
token_check(char *text, size_t n, char token[TOKEN_MAX + 1])
{
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r' || text[n - 1] == ' '))
		n--;
	if (n == 0)
		return "is empty; remove it to have a new token made";
	if (n > TOKEN_MAX)
		return "holds more than one token of at most 512 characters";
	for (size_t i = 0; i < n; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			return "must hold one line of printable ASCII without spaces";
	}
	memcpy(token, text, n);
	token[n] = '\0';
	return NULL;
}

static const char *
token_read(int fd, const char *path, char token[TOKEN_MAX + 1])
{
	char text[TOKEN_MAX + 8];
	const char *fault;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return "is not a regular file";
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		log_warn("others may read the operator token: chmod 600", "file", path, NULL);
	n = read(fd, text, sizeof(text));
	if (n < 0)
		return strerror(errno);
	fault = token_check(text, (size_t)n, token);
	if (fault == NULL && strlen(token) < TOKEN_SHORT)
		log_warn("the operator token is short and may be guessed", "file", path, NULL);
	return fault;
}

bool
token_file_load(const char *path, char token[TOKEN_MAX + 1], char *err, size_t errlen)
{
	const char *fault;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		fd = token_file_create(path);
	if (fd < 0) {
		snprintf(err, errlen,
			 "admin-token-file: cannot read or create %s: %s; "
			 "name a file in a folder that penstockd may write",
			 path, strerror(errno));
		return false;
	}
	fault = token_read(fd, path, token);
	close(fd);
	if (fault != NULL)
		snprintf(err, errlen, "admin-token-file: %s %s", path, fault);
	return fault == NULL;
}

#include "store/spool_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "store/file_check.h"
#include "store/lmdb_file.h"

/* What is bounded takes less; a disk that hangs for that long is none to start with. */
enum { PROBE_HANGS_MS = 10 * 1000 };

struct probe {
	const char *folder;
	uint64_t map_bytes;
	int64_t ms;
};

struct answer {
	enum spool_code code;
	char why[128];
};

/* Writes with all of LMDB's lists and trees at hand, and takes it back. */
static int
try_environment(const struct probe *p)
{
	MDB_val key = {.mv_size = 5, .mv_data = (char[]){"probe"}}, value = key;
	MDB_txn *txn = NULL;
	MDB_env *env = NULL;
	MDB_dbi dbi;
	int rc;

	if ((rc = lmdb_lock_allocate(p->folder)) == 0 && (rc = mdb_env_create(&env)) == 0 &&
	    (rc = mdb_env_set_maxdbs(env, 8)) == 0 &&
	    (rc = mdb_env_set_mapsize(env, p->map_bytes)) == 0 &&
	    (rc = mdb_env_open(env, p->folder, MDB_NOTLS, 0600)) == 0 &&
	    (rc = mdb_txn_begin(env, NULL, 0, &txn)) == 0 &&
	    (rc = mdb_dbi_open(txn, "meta", 0, &dbi)) == 0)
		rc = mdb_put(txn, dbi, &key, &value, 0);
	if (txn != NULL)
		mdb_txn_abort(txn);
	mdb_env_close(env);
	return rc;
}

static enum spool_code
code_of(int rc)
{
	switch (rc) {
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_NOTFOUND:
	case MDB_INCOMPATIBLE:
		return SPOOL_DAMAGED;
	case ENOSPC:
	case EDQUOT:
		return SPOOL_FULL;
	default:
		return SPOOL_FAILED;
	}
}

static enum spool_code
probe(const struct probe *p, char *why, size_t len)
{
	char *file = xasprintf("%s/data.mdb", p->folder);
	enum spool_code code = SPOOL_OK;
	int rc;

	switch (file_check_for(file, p->ms, why, len)) {
	case FILE_NONE:
		code = SPOOL_NONE;
		break;
	case FILE_WHOLE:
		rc = try_environment(p);
		if (rc == 0 || rc == MDB_MAP_FULL)
			break;
		snprintf(why, len, "%s", mdb_strerror(rc));
		code = code_of(rc);
		break;
	case FILE_DAMAGED:
	case FILE_FOREIGN:
		code = SPOOL_DAMAGED;
		break;
	case FILE_UNREADABLE:
		code = SPOOL_FAILED;
		break;
	}
	free(file);
	return code;
}

static void
probe_work(int fd, void *arg)
{
	struct answer answer = {0};

	answer.code = probe(arg, answer.why, sizeof(answer.why));
	if (write(fd, &answer, sizeof(answer)) != (ssize_t)sizeof(answer))
		_exit(1);
}

enum spool_code
spool_probe(const char *folder, uint64_t map_bytes, int64_t ms, char *why, size_t len)
{
	struct probe p = {.folder = folder, .map_bytes = map_bytes, .ms = ms};
	struct answer answer;
	enum spool_code code;
	size_t got;

	code = spool_in_child(probe_work, &p, PROBE_HANGS_MS, &answer, sizeof(answer), &got);
	if (code == SPOOL_OK && got == sizeof(answer)) {
		snprintf(why, len, "%.*s", (int)sizeof(answer.why), answer.why);
		return answer.code;
	}
	snprintf(why, len, "%s",
		 code == SPOOL_FAILED ? "no process to look at it" : "who reads it dies");
	return code == SPOOL_FAILED ? SPOOL_FAILED : SPOOL_DAMAGED;
}

/* false: the child has not closed its end, and the time is over. */
static bool
read_all(int fd, int64_t until_ms, unsigned char *out, size_t size, size_t *n)
{
	for (*n = 0;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = until_ms == 0 ? -1 : until_ms - clock_mono_ms();
		unsigned char more[512];
		ssize_t got;

		if (until_ms != 0 && left <= 0)
			return false;
		if (poll(&p, 1, left > 1000 ? 1000 : (int)left) <= 0)
			continue;
		got = read(fd, more, sizeof(more));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return true;
		if ((size_t)got > size - *n)
			got = (ssize_t)(size - *n);
		memcpy(out + *n, more, (size_t)got);
		*n += (size_t)got;
	}
}

static enum spool_code
child_end(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return SPOOL_FAILED;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? SPOOL_OK : SPOOL_DAMAGED;
}

enum spool_code
spool_in_child(void (*work)(int fd, void *arg), void *arg, int64_t ms, void *out, size_t size,
	       size_t *got)
{
	int ends[2];
	pid_t child;

	*got = 0;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return SPOOL_FAILED;
	child = fork();
	if (child == 0) {
		close(ends[0]);
		work(ends[1], arg);
		_exit(0);
	}
	close(ends[1]);
	if (child < 0) {
		close(ends[0]);
		return SPOOL_FAILED;
	}
	if (!read_all(ends[0], ms == 0 ? 0 : clock_mono_ms() + ms, out, size, got))
		kill(child, SIGKILL);
	close(ends[0]);
	return child_end(child);
}

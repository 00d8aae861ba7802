#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "store/lmdb_file.h"
#include "store/spool_internal.h"
#include "store/spool_probe.h"

/* 2,600,000 pages that are not in memory take longer; what is left is looked at in use. */
enum { PROBE_MS = 300 };

enum spool_code
spool_opening_code(const struct spool_opening *o, enum spool_code code)
{
	const struct spool *s = o->spool;

	if (code == SPOOL_DAMAGED)
		snprintf(o->err, o->len,
			 "%s is damaged (%s): it has to be put aside; penstockd --check-spool "
			 "brings back what can be read",
			 s->file, s->error);
	else if (code != SPOOL_OK)
		snprintf(o->err, o->len, "%s cannot be used (%s): %s", s->file, s->error,
			 code == SPOOL_FULL ? "free some space on its disk"
					    : "check its disk, owner and permissions");
	return code;
}

static enum spool_code
folder_make(const struct spool_opening *o)
{
	struct spool *s = o->spool;
	struct stat st;
	int fault = 0;

	if ((mkdir(s->folder, 0700) != 0 && errno != EEXIST) || stat(s->folder, &st) != 0)
		fault = errno;
	else if (!S_ISDIR(st.st_mode))
		fault = ENOTDIR;
	if (fault == 0)
		return SPOOL_OK;
	snprintf(o->err, o->len,
		 "%s cannot be made (%s): data-dir must be a folder (%s) that "
		 "penstockd may write to",
		 s->folder, strerror(fault), s->dir);
	return fault == ENOSPC || fault == EDQUOT ? SPOOL_FULL : SPOOL_FAILED;
}

static enum spool_code
open_all(const struct spool_opening *o)
{
	enum spool_code code = folder_make(o);
	struct spool *s = o->spool;

	if (code != SPOOL_OK)
		return code;
	code = spool_probe(s->folder, s->map_bytes, PROBE_MS, s->error, sizeof(s->error));
	if (code == SPOOL_NONE)
		code = spool_create(o);
	else if (code != SPOOL_OK)
		code = spool_opening_code(o, code);
	return code == SPOOL_OK ? spool_attach(o) : code;
}

enum spool_code
spool_open(const struct spool_options *options, struct spool **out, char *err, size_t errlen)
{
	struct spool *s = xcalloc(1, sizeof(*s));
	struct spool_opening o = {.spool = s, .err = err, .len = errlen};
	enum spool_code code;

	s->dir = xstrdup(options->dir);
	s->folder = xasprintf("%s/spool", options->dir);
	s->file = xasprintf("%s/spool/data.mdb", options->dir);
	s->map_bytes = options->map_bytes;
	err[0] = '\0';
	code = open_all(&o);
	*out = s;
	if (code != SPOOL_OK) {
		spool_close(s);
		*out = NULL;
	}
	return code;
}

void
spool_close(struct spool *s)
{
	if (s == NULL)
		return;
	if (s->txn != NULL)
		mdb_txn_abort(s->txn);
	spool_detach(s);
	spool_logs_clear(&s->logs);
	lmdb_view_clear(&s->view);
	buf_free(&s->data);
	free(s->dir);
	free(s->folder);
	free(s->file);
	free(s);
}

const char *
spool_error(const struct spool *s)
{
	return s->error;
}

enum spool_code
spool_quarantine(const char *dir, char *path, size_t pathlen)
{
	char *folder = xasprintf("%s/spool", dir), stamp[32];
	time_t now = time(NULL);
	enum spool_code code = SPOOL_FAILED;
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	/* Several in one second get a number. */
	for (int i = 1; i < 100 && code == SPOOL_FAILED; i++) {
		if (i == 1)
			snprintf(path, pathlen, "%s.damaged-%s", folder, stamp);
		else
			snprintf(path, pathlen, "%s.damaged-%s-%d", folder, stamp, i);
		if (access(path, F_OK) == 0)
			continue;
		if (rename(folder, path) != 0 || lmdb_folder_sync(dir) != 0)
			break;
		code = SPOOL_OK;
	}
	free(folder);
	return code;
}

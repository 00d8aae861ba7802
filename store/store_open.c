#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/xmalloc.h"
#include "store/file_check.h"
#include "store/store_internal.h"

enum store_code
opening_damaged(const struct opening *o, const char *why)
{
	snprintf(
	    o->err, o->len,
	    "%s is damaged (%s): restore it from a backup, or move it away to start without apps "
	    "and drains",
	    o->file, why);
	return STORE_DAMAGED;
}

enum store_code
opening_foreign(const struct opening *o)
{
	snprintf(o->err, o->len,
		 "%s is not a penstock store, or one of a newer version: set data-dir to another "
		 "folder, or move the file away",
		 o->file);
	return STORE_DAMAGED;
}

enum store_code
opening_failed(const struct opening *o, struct store *s, int rc)
{
	enum store_code code = store_fail(s, rc, "opening");

	if (code == STORE_DAMAGED)
		return opening_damaged(o, mdb_strerror(rc));
	if (code == STORE_FULL)
		snprintf(o->err, o->len, "%s: no room (%s): free some space on its disk", o->file,
			 mdb_strerror(rc));
	else
		snprintf(o->err, o->len,
			 "%s cannot be opened (%s): check owner and permissions of data-dir",
			 o->file, mdb_strerror(rc));
	return code;
}

/* A code other than STORE_OK of a store function, in words for who starts the gateway. */
enum store_code
opening_code(const struct opening *o, const struct store *s, enum store_code code)
{
	if (code == STORE_DAMAGED)
		return opening_damaged(o, s->error);
	if (code != STORE_OK)
		snprintf(o->err, o->len, "%s cannot be used (%s): %s", o->file, s->error,
			 code == STORE_FULL ? "free some space on its disk" : "check its disk");
	return code;
}

static enum store_code
folder_make(const struct opening *o)
{
	struct stat st;
	int fault = 0;

	if ((mkdir(o->folder, 0700) != 0 && errno != EEXIST) || stat(o->folder, &st) != 0)
		fault = errno;
	else if (!S_ISDIR(st.st_mode))
		fault = ENOTDIR;
	if (fault == 0)
		return STORE_OK;
	snprintf(o->err, o->len,
		 "%s cannot be made (%s): data-dir must be a folder (%s) that "
		 "penstockd may write to",
		 o->folder, strerror(fault), o->dir);
	return fault == ENOSPC || fault == EDQUOT ? STORE_FULL : STORE_FAILED;
}

static enum store_code
store_open_all(const struct opening *o, struct store *s)
{
	enum store_code code;
	char why[128];

	if ((code = folder_make(o)) != STORE_OK)
		return code;
	switch (file_check(o->file, why, sizeof(why))) {
	case FILE_NONE:
		if ((code = store_create(o)) != STORE_OK)
			return code;
		break;
	case FILE_WHOLE:
		break;
	case FILE_DAMAGED:
		return opening_damaged(o, why);
	case FILE_FOREIGN:
		return opening_foreign(o);
	case FILE_UNREADABLE:
		snprintf(o->err, o->len, "%s cannot be read (%s): check its owner and permissions",
			 o->file, why);
		return STORE_FAILED;
	}
	return store_attach(o, s);
}

enum store_code
store_open_sized(const char *dir, size_t map_bytes, struct store **out, char *err, size_t errlen)
{
	struct opening o = {
	    .dir = dir,
	    .map_bytes = map_bytes,
	    .folder = xasprintf("%s/store", dir),
	    .file = xasprintf("%s/store/data.mdb", dir),
	    .err = err,
	    .len = errlen,
	};
	struct store *s = xcalloc(1, sizeof(*s));
	enum store_code code = store_open_all(&o, s);

	*out = s;
	if (code != STORE_OK) {
		store_close(s);
		*out = NULL;
	}
	free(o.folder);
	free(o.file);
	return code;
}

enum store_code
store_open(const char *dir, struct store **out, char *err, size_t errlen)
{
	return store_open_sized(dir, STORE_MAP_BYTES, out, err, errlen);
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	if (s->env != NULL)
		mdb_env_close(s->env);
	free(s);
}

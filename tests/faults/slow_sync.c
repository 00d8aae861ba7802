/*
 * slow_sync -- a disk that is slow to sync, whatever the one below it is.
 *
 *	LD_PRELOAD=libslow_sync.so SLOW_SYNC=FILE penstockd ...
 *
 * Each fsync and fdatasync waits first as many milliseconds as FILE says at that moment.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void
wait_first(void)
{
	const char *path = getenv("SLOW_SYNC");
	FILE *f = path != NULL ? fopen(path, "re") : NULL;
	struct timespec ts;
	char text[16] = "";
	long ms;

	if (f == NULL)
		return;
	if (fgets(text, sizeof(text), f) == NULL)
		text[0] = '\0';
	fclose(f);
	ms = strtol(text, NULL, 10);
	ts = (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	if (ms > 0)
		nanosleep(&ts, NULL);
}

int
fsync(int fd)
{
	wait_first();
	return (int)syscall(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	wait_first();
	return (int)syscall(SYS_fdatasync, fd);
}

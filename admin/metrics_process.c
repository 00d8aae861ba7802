#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "admin/metrics.h"
#include "admin/metrics_text.h"

static const struct slice none = SLICE_INIT("");

/* Fields of /proc/self/stat, by their numbers in proc(5), in its own units. */
enum {
	USER_TICKS = 14,
	SYSTEM_TICKS = 15,
	START_TICKS = 22,
	VIRTUAL_BYTES = 23,
	RESIDENT_PAGES = 24,
	FIELDS
};

/* false: there is no /proc. */
static bool
read_process(uint64_t field[FIELDS])
{
	char text[2048];
	FILE *f = fopen("/proc/self/stat", "re");
	const char *at;
	size_t n = 0;

	if (f != NULL) {
		n = fread(text, 1, sizeof(text) - 1, f);
		fclose(f);
	}
	text[n] = '\0';
	/* The second field, a name in brackets, may hold anything. */
	at = strrchr(text, ')');
	for (int i = 3; i < FIELDS; i++) {
		at = at != NULL ? strchr(at, ' ') : NULL;
		if (at == NULL)
			return false;
		at++;
		field[i] = strtoull(at, NULL, 10);
	}
	return true;
}

/* Seconds since 1970; 0: not known. */
static uint64_t
boot_time(void)
{
	static const char key[] = "btime ";
	uint64_t seconds = 0;
	char line[256];
	FILE *f = fopen("/proc/stat", "re");

	if (f == NULL)
		return 0;
	while (seconds == 0 && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, key, sizeof(key) - 1) == 0)
			seconds = strtoull(line + sizeof(key) - 1, NULL, 10);
	fclose(f);
	return seconds;
}

static uint64_t
open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *e;
	uint64_t n = 0;

	if (dir == NULL)
		return 0;
	while ((e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.')
			n++;
	closedir(dir);
	/* The folder's own is closed by now. */
	return n > 0 ? n - 1 : 0;
}

static void
gauge(struct buf *out, const char *name, const char *help, uint64_t value)
{
	metric_family(out, name, METRIC_GAUGE, help);
	metric_sample(out, name, none, none, value);
}

void
metrics_write_process(struct buf *out)
{
	const uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);
	uint64_t p[FIELDS] = {0};
	struct rlimit limit;

	gauge(out, "process_open_fds", "open file descriptors", open_descriptors());
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		gauge(out, "process_max_fds", "file descriptors that may be open at once",
		      limit.rlim_cur);
	if (!read_process(p))
		return;
	metric_family(out, "process_cpu_seconds_total", METRIC_COUNTER,
		      "CPU time of all threads, user and system");
	metric_sample_ms(out, "process_cpu_seconds_total", none,
			 (p[USER_TICKS] + p[SYSTEM_TICKS]) * 1000 / hz);
	gauge(out, "process_virtual_memory_bytes", "size of the address space", p[VIRTUAL_BYTES]);
	gauge(out, "process_resident_memory_bytes", "memory that is in RAM",
	      p[RESIDENT_PAGES] * (uint64_t)sysconf(_SC_PAGESIZE));
	metric_family(out, "process_start_time_seconds", METRIC_GAUGE,
		      "when the process was started, in seconds since 1970");
	metric_sample_ms(out, "process_start_time_seconds", none,
			 boot_time() * 1000 + p[START_TICKS] * 1000 / hz);
}

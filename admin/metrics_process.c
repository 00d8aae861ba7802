#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "admin/metrics.h"
#include "admin/metrics_text.h"

static const struct slice none = SLICE_INIT("");

/* What proc(5) says of this process, in its own units. */
struct process {
	unsigned long long user_ticks, system_ticks, start_ticks, virtual_bytes, resident_pages;
};

/* false: there is no /proc. */
static bool
read_process(struct process *p)
{
	char text[2048];
	FILE *f = fopen("/proc/self/stat", "re");
	const char *at = NULL;
	size_t n = 0;

	if (f != NULL) {
		n = fread(text, 1, sizeof(text) - 1, f);
		fclose(f);
	}
	text[n] = '\0';
	/* The name, in brackets, may hold anything. */
	at = strrchr(text, ')');
	return at != NULL &&
	       sscanf(at + 1,
		      " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %*d"
		      " %*d %llu %llu %llu",
		      &p->user_ticks, &p->system_ticks, &p->start_ticks, &p->virtual_bytes,
		      &p->resident_pages) == 5;
}

/* Seconds since 1970; 0: not known. */
static unsigned long long
boot_time(void)
{
	unsigned long long seconds = 0;
	char line[256];
	FILE *f = fopen("/proc/stat", "re");

	if (f == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "btime %llu", &seconds) == 1)
			break;
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
	struct process p = {0};
	struct rlimit limit;

	gauge(out, "process_open_fds", "open file descriptors", open_descriptors());
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		gauge(out, "process_max_fds", "file descriptors that may be open at once",
		      limit.rlim_cur);
	if (!read_process(&p))
		return;
	metric_family(out, "process_cpu_seconds_total", METRIC_COUNTER,
		      "CPU time of all threads, user and system");
	metric_sample_ms(out, "process_cpu_seconds_total", none,
			 (p.user_ticks + p.system_ticks) * 1000 / hz);
	gauge(out, "process_virtual_memory_bytes", "size of the address space", p.virtual_bytes);
	gauge(out, "process_resident_memory_bytes", "memory that is in RAM",
	      p.resident_pages * (uint64_t)sysconf(_SC_PAGESIZE));
	metric_family(out, "process_start_time_seconds", METRIC_GAUGE,
		      "when the process was started, in seconds since 1970");
	metric_sample_ms(out, "process_start_time_seconds", none,
			 boot_time() * 1000 + p.start_ticks * 1000 / hz);
}

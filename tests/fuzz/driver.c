/*
 * driver -- runs a fuzz target without libFuzzer, as a test: first the files
 * it is given (of a folder, all), then random mutations of them for a while.
 *
 *	fuzz_NAME [-t SECONDS] [-s SEED] FILE...
 *
 * Each input depends on its seed and the files alone.  When a check fails, the
 * seed is printed: -s SEED runs that input first.
 */
#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { INPUT_MAX = 1 << 13, INPUTS_MAX = 4096, PATH_BYTES = 4096 };

struct input {
	uint8_t *bytes;
	size_t n;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* The sanitizers' own way out of the process; not there without them. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static struct input inputs[INPUTS_MAX];
static size_t inputs_n;
static char running[PATH_BYTES + 32]; /* what to say when it fails */

static void
say_running(void)
{
	ssize_t n = write(STDERR_FILENO, running, strlen(running));

	(void)n;
}

static void
on_abort(int sig)
{
	say_running();
	signal(sig, SIG_DFL);
	raise(sig);
}

static void
run(const uint8_t *bytes, size_t n)
{
	/* A block of its exact size: a look past the end is then an error. */
	uint8_t *exact = malloc(n > 0 ? n : 1);

	if (exact == NULL)
		abort();
	if (n > 0)
		memcpy(exact, bytes, n);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
}

static void
file_add(const char *path)
{
	static uint8_t bytes[INPUT_MAX];
	FILE *file = fopen(path, "rb");
	struct input *input = &inputs[inputs_n];

	if (file == NULL) {
		perror(path);
		exit(2);
	}
	input->n = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	if (inputs_n + 1 == INPUTS_MAX)
		return;
	input->bytes = malloc(input->n + 1);
	if (input->bytes == NULL)
		abort();
	memcpy(input->bytes, bytes, input->n);
	inputs_n++;
	snprintf(running, sizeof(running), "failed: file %s\n", path);
	run(input->bytes, input->n);
}

static int
not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
path_add(const char *path)
{
	struct dirent **entries;
	char name[PATH_BYTES];
	/* Sorted: a seed must mean the same input on every machine. */
	int n = scandir(path, &entries, not_hidden, alphasort);

	if (n < 0) {
		file_add(path);
		return;
	}
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
		file_add(name);
		free(entries[i]);
	}
	free(entries);
}

/* splitmix64 */
static uint64_t
random_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static size_t
random_below(uint64_t *state, size_t n)
{
	return n > 0 ? (size_t)(random_next(state) % n) : 0;
}

/* Puts n bytes in at `at`, as many as there is room for. */
static size_t
insert(uint8_t *dst, size_t size, size_t at, const uint8_t *bytes, size_t n)
{
	if (n > INPUT_MAX - size)
		n = INPUT_MAX - size;
	memmove(dst + at + n, dst + at, size - at);
	memcpy(dst + at, bytes, n);
	return size + n;
}

static size_t
mutate(uint8_t *bytes, size_t n, uint64_t *random)
{
	static const char telling[] = " -:[]<>\"\\=\n\r{},.0123456789\x00\x7f\x80\xff";
	const struct input *other = &inputs[random_below(random, inputs_n)];
	size_t at = random_below(random, n + 1), from, length;
	uint8_t byte = (uint8_t)telling[random_below(random, sizeof(telling))];

	switch (random_below(random, 6)) {
	case 0: /* a byte becomes another */
		if (at < n)
			bytes[at] = (uint8_t)random_next(random);
		return n;
	case 1:
		if (at < n)
			bytes[at] = byte;
		return n;
	case 2:
		return insert(bytes, n, at, &byte, 1);
	case 3: /* a piece goes */
		length = random_below(random, n - at < 20 ? n - at + 1 : 20);
		memmove(bytes + at, bytes + at + length, n - at - length);
		return n - length;
	case 4: /* it ends here */
		return n > 0 && random_below(random, 4) == 0 ? at : n;
	default: /* a piece of another input comes in */
		if (other->n == 0)
			return n;
		from = random_below(random, other->n);
		length = 1 + random_below(random, other->n - from);
		return insert(bytes, n, at, other->bytes + from, length);
	}
}

static void
run_seed(uint64_t seed)
{
	static uint8_t bytes[INPUT_MAX];
	uint64_t random = seed;
	const struct input *input = &inputs[random_below(&random, inputs_n)];
	size_t n = input->n, times = 1 + random_below(&random, 8);

	snprintf(running, sizeof(running), "failed: -s %" PRIu64 "\n", seed);
	memcpy(bytes, input->bytes, n);
	while (times-- > 0)
		n = mutate(bytes, n, &random);
	run(bytes, n);
}

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	uint64_t seed = (uint64_t)time(NULL) * 1000000, first;
	double start, limit = 0;
	int option;

	while ((option = getopt(argc, argv, "t:s:")) != -1) {
		if (option == 't')
			limit = atof(optarg);
		else if (option == 's')
			seed = strtoull(optarg, NULL, 10);
		else
			return 2;
	}
	signal(SIGABRT, on_abort);
	signal(SIGSEGV, on_abort);
	if (__sanitizer_set_death_callback != NULL)
		__sanitizer_set_death_callback(say_running);

	for (int i = optind; i < argc; i++)
		path_add(argv[i]);
	first = seed;
	for (start = seconds(); inputs_n > 0 && seconds() - start < limit; seed++)
		run_seed(seed);
	printf("%zu files, %" PRIu64 " mutations from seed %" PRIu64 "\n", inputs_n, seed - first,
	       first);
	for (size_t i = 0; i < inputs_n; i++)
		free(inputs[i].bytes);
	return 0;
}

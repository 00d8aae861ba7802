#include "messages.h"

#include <stdint.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * %d is a number, %h eight hex digits, %i an IPv4 address, %u a word, %p a path,
 * %a a user agent.
 */
static const char *const events[] = {
    "level=info msg=request method=GET path=%p status=200 bytes=%d duration_ms=%d request_id=%h%h",
    "level=info msg=request method=POST path=%p status=201 bytes=%d duration_ms=%d request_id=%h%h",
    "level=warn msg='slow query' table=%u rows=%d duration_ms=%d",
    "Started GET '%p' for %i at request %h",
    "Completed 200 OK in %dms (Views: %dms | ActiveRecord: %dms | Allocations: %d)",
    "Processing by %uController#index as JSON",
    "[INFO] [%u-worker-%d] job %h finished after %d ms, %d left in queue %u",
    "[WARN] [%u-worker-%d] connection to %i:%d lost: connection reset by peer, again in %d ms",
    "[ERROR] could not deliver message %h to %u: timeout after %d ms (attempt %d of 5)",
    "cache miss for key %u:%h:%d, loaded in %d ms",
    "user %d logged in from %i, session %h%h",
    "GC pause %d ms, heap %d MiB of 4096 MiB",
    "health check ok",
    "sample#memory_total=%dMB sample#memory_rss=%dMB sample#memory_cache=%dMB sample#load=%d",
    "payment %h for order %d accepted by %u, amount %d cents, risk score %d",
    "feature flags reloaded: %d flags, %d changed",
};

static const char *const requests[] = {
    "%i - - GET %p HTTP/1.1 200 %d - %a rt=%d uct=%d urt=%d",
    ("method=GET path=%p host=www.example.com request_id=%h%h%h%h fwd=%i dyno=web.%d service=%dms "
     "status=200 bytes=%d protocol=https"),
    "%i %i %h POST %p HTTP/2.0 302 %d - %a upstream=%i:%d cache=MISS",
};

static const char *const words[] = {
    "orders", "users", "invoices", "search", "mailer", "billing", "images", "sessions",
    "carts",  "stock", "exports",  "events", "login",  "reports", "hooks",  "prices",
};

static const char *const agents[] = {
    "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0",
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
     "Gecko) Version/17.5 Mobile/15E148 Safari/604.1"),
    "curl/8.9.1",
    "Go-http-client/2.0",
};

struct text {
	uint64_t random;
	char *out;
	size_t len;
};

/* splitmix64 (Steele, Lea and Flood 2014): any seed is good. */
static uint64_t
random_of(struct text *t, uint64_t below)
{
	uint64_t z = t->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % below;
}

/* What is too much is left out. */
static void
add(struct text *t, const char *s, size_t len)
{
	if (len < MESSAGE_MAX - t->len) {
		memcpy(t->out + t->len, s, len);
		t->len += len;
	}
}

static void
add_number(struct text *t, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	add(t, digits + at, sizeof(digits) - at);
}

static void
add_string(struct text *t, const char *s)
{
	add(t, s, strlen(s));
}

static void
add_word(struct text *t)
{
	add_string(t, words[random_of(t, COUNT(words))]);
}

static void
add_field(struct text *t, char kind)
{
	switch (kind) {
	case 'd': /* small ones are more frequent */
		add_number(t, random_of(t, UINT64_C(1) << (3 + random_of(t, 15))));
		break;
	case 'h':
		for (int i = 0; i < 8; i++)
			add(t, &"0123456789abcdef"[random_of(t, 16)], 1);
		break;
	case 'i':
		add_string(t, "203.0.113.");
		add_number(t, random_of(t, 256));
		break;
	case 'u':
		add_word(t);
		break;
	case 'p':
		add_string(t, "/api/v2/");
		add_word(t);
		add_string(t, "/");
		add_number(t, random_of(t, 100000));
		break;
	case 'a':
		add_string(t, agents[random_of(t, COUNT(agents))]);
		break;
	default:
		break;
	}
}

static void
add_template(struct text *t, const char *form)
{
	const char *percent;

	while ((percent = strchr(form, '%')) != NULL) {
		add(t, form, (size_t)(percent - form));
		add_field(t, percent[1]);
		form = percent + 2;
	}
	add_string(t, form);
}

static void
add_times(struct text *t, const char *head, const char *form, uint64_t times)
{
	add_template(t, head);
	while (times-- > 0)
		add_template(t, form);
}

size_t
message_make(unsigned n, char out[MESSAGE_MAX])
{
	struct text t = {.random = n, .out = out};
	uint64_t kind = random_of(&t, 100);

	if (kind < 2)
		add_times(&t, "Error: %u %h is not valid; ",
			  "at %u.process (/app/lib/%u/%u.js:%d:%d); ", 18 + random_of(&t, 30));
	else if (kind < 7)
		add_times(&t, "level=debug msg='row changed' table=%u id=%d", " %u_%d=%h",
			  12 + random_of(&t, 30));
	else if (kind < 22)
		add_template(&t, requests[random_of(&t, COUNT(requests))]);
	else
		add_template(&t, events[random_of(&t, COUNT(events))]);
	return t.len;
}

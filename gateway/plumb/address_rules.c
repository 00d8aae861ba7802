#include "plumb/address_rules.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "base/xmalloc.h"

#define LINK_LOCAL "169.254.0.0/16,fe80::/10,fd00:ec2::254"

/* RFC 6890 and the registries of special-purpose addresses that it began. */
#define NOT_PUBLIC_V4                                                                \
	"0.0.0.0/8,10.0.0.0/8,100.64.0.0/10,127.0.0.0/8,172.16.0.0/12,192.0.0.0/24," \
	"192.0.2.0/24,192.168.0.0/16,198.18.0.0/15,198.51.100.0/24,203.0.113.0/24,"  \
	"224.0.0.0/4,240.0.0.0/4"
/* ::/96 has the unspecified address, loopback, and the IPv4-compatible ones. */
#define NOT_PUBLIC_V6                                                           \
	"::/96,::ffff:0:0:0/96,64:ff9b::/96,64:ff9b:1::/48,100::/64,2001::/32," \
	"2001:db8::/32,2002::/16,3fff::/20,fc00::/7,fec0::/10,ff00::/8"

static const struct {
	const char *word, *ranges;
} presets[] = {
    {"link-local", LINK_LOCAL},
    {"untrusted", LINK_LOCAL "," NOT_PUBLIC_V4 "," NOT_PUBLIC_V6},
};

enum { PRESETS = sizeof(presets) / sizeof(presets[0]), ITEM_MAX = 64 };

static void
rules_add(struct address_rules *rules, const struct cidr_list *list, const char *word)
{
	size_t n = rules->ranges.n + list->n;

	rules->ranges.v = xrealloc(rules->ranges.v, n * sizeof(*rules->ranges.v));
	rules->word = xrealloc(rules->word, n * sizeof(*rules->word));
	for (size_t i = 0; i < list->n; i++) {
		rules->ranges.v[rules->ranges.n] = list->v[i];
		rules->word[rules->ranges.n++] = word;
	}
}

static bool
add_item(struct address_rules *rules, struct slice item, char *fault, size_t len)
{
	struct cidr_list list;
	const char *word = NULL, *ranges;
	char text[ITEM_MAX + 1];

	/* What is too long for a range is none, whatever is cut off. */
	snprintf(text, sizeof(text), "%.*s", (int)(item.n < ITEM_MAX ? item.n : ITEM_MAX), item.p);
	ranges = text;
	for (size_t i = 0; i < PRESETS; i++) {
		if (slice_is(item, presets[i].word)) {
			word = presets[i].word;
			ranges = presets[i].ranges;
		}
	}
	if (slice_is(item, "none")) {
		snprintf(fault, len, "\"none\" stands alone; remove it or all else");
		return false;
	}
	if (word == NULL && strpbrk(text, ".:") == NULL) {
		snprintf(fault, len,
			 "\"%s\" is no range; write one like 10.0.0.0/8, or link-local, untrusted, "
			 "or none alone",
			 text);
		return false;
	}
	if (!cidr_list_parse(ranges, &list, fault, len))
		return false;
	rules_add(rules, &list, word);
	cidr_list_free(&list);
	return true;
}

bool
address_rules_parse(const char *text, struct address_rules *out, char *fault, size_t len)
{
	struct slice rest = slice_str(text), item;
	const char *comma;
	size_t items = 0;

	memset(out, 0, sizeof(*out));
	if (strcmp(text, "none") == 0)
		return true;
	do {
		comma = memchr(rest.p, ',', rest.n);
		item = slice_of(rest.p, comma != NULL ? (size_t)(comma - rest.p) : rest.n);
		rest = slice_skip(rest, comma != NULL ? item.n + 1 : item.n);
		while (item.n > 0 && (item.p[0] == ' ' || item.p[0] == '\t'))
			item = slice_skip(item, 1);
		while (item.n > 0 && (item.p[item.n - 1] == ' ' || item.p[item.n - 1] == '\t'))
			item.n--;
		if (items++ == CIDR_LIST_MAX) {
			snprintf(fault, len, "too many ranges; give %d at most", CIDR_LIST_MAX);
			address_rules_free(out);
			return false;
		}
		if (!add_item(out, item, fault, len)) {
			address_rules_free(out);
			return false;
		}
	} while (comma != NULL);
	return true;
}

void
address_rules_free(struct address_rules *rules)
{
	cidr_list_free(&rules->ranges);
	free(rules->word);
	rules->word = NULL;
}

bool
address_rules_find(const struct address_rules *rules, const struct sockaddr *sa,
		   char rule[ADDRESS_RULE_BYTES])
{
	struct cidr_list one = {.n = 1};
	char text[INET6_ADDRSTRLEN];
	const char *word;

	for (size_t i = 0; i < rules->ranges.n; i++) {
		one.v = &rules->ranges.v[i];
		if (!cidr_list_has(&one, sa))
			continue;
		word = rules->word[i];
		inet_ntop(one.v->v6 ? AF_INET6 : AF_INET, one.v->addr, text, sizeof(text));
		snprintf(rule, ADDRESS_RULE_BYTES, "%s%s%s/%u", word != NULL ? word : "",
			 word != NULL ? ": " : "", text, one.v->bits);
		return true;
	}
	return false;
}

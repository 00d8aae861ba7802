/* flood_options -- flood's command line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flood.h"
#include "options.h"
#include "tool.h"

static const char usage[] =
    "usage: flood --to [SCHEME://]ADDR:PORT [--tls [--ca FILE] | --udp]\n"
    "             [--lines N] [--apps N] [--app-prefix TEXT] [--connections N]\n"
    "             [--size BYTES|mixed] [--framing octet|lf] [--format 5424|3164]\n"
    "             [--batch LINES] [--stamp] [--rate LINES_PER_SECOND] [--seconds MAX]\n"
    "             [--hold SECONDS]\n"
    "SCHEME    tcp (also without one), tls, udp; relp, relps: 128 lines unanswered at\n"
    "          most on each connection; http, https: POSTs to /v1/apps/APP/logs, one\n"
    "          unanswered at a time on each connection\n"
    "--size    of a line, without its framing; mixed: messages of different lengths\n"
    "--batch   lines of a POST; 100 unless given\n"
    "--stamp   each line tells when it was sent; sink then tells how long lines took\n"
    "--rate    in steps of 250 us, each on the next connection; below 4,000 lines a\n"
    "          second every line goes alone, at its time\n"
    "--hold    when all lines have gone, or with --lines 0, keeps all connections open\n"
    "          and idle for so long, which it says on stderr\n";

/* What stands in front of the address, and what it means. */
static const struct {
	const char *prefix;
	const struct protocol *protocol;
	bool tls;
} schemes[] = {
    {"tcp://", &flood_stream, false},	 {"tls://", &flood_stream, true},
    {"udp://", &flood_datagrams, false}, {"relp://", &flood_relp, false},
    {"relps://", &flood_relp, true},	 {"http://", &flood_http, false},
    {"https://", &flood_http, true},
};

static void
set_target(struct options *o, const char *url)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t n = strlen(schemes[i].prefix);

		if (strncmp(url, schemes[i].prefix, n) == 0) {
			o->protocol = schemes[i].protocol;
			o->tls |= schemes[i].tls;
			url += n;
			break;
		}
	}
	o->to = tool_address("to", url);
}

struct options
flood_options(int argc, char **argv)
{
	struct options o = {.shape = {.app_prefix = "app", .run = 1},
			    .protocol = &flood_stream,
			    .lines = 1000,
			    .connections = 1,
			    .batch = 100,
			    .seconds = 60};
	const char *to = NULL;
	const char *framing = "octet";
	const char *format = "5424";
	int64_t apps = 1;
	const char *size = "200";
	bool udp = false;
	const struct option_spec specs[] = {
	    {"to", OPTION_TEXT, &to, 0, 0},
	    {"tls", OPTION_FLAG, &o.tls, 0, 0},
	    {"udp", OPTION_FLAG, &udp, 0, 0},
	    {"ca", OPTION_TEXT, &o.ca, 0, 0},
	    {"lines", OPTION_NUMBER, &o.lines, 0, 1000000000},
	    {"apps", OPTION_NUMBER, &apps, 1, 100000},
	    {"app-prefix", OPTION_TEXT, &o.shape.app_prefix, 0, 0},
	    {"connections", OPTION_NUMBER, &o.connections, 1, 20000},
	    {"size", OPTION_TEXT, &size, 0, 0},
	    {"framing", OPTION_TEXT, &framing, 0, 0},
	    {"format", OPTION_TEXT, &format, 0, 0},
	    {"batch", OPTION_NUMBER, &o.batch, 1, 10000},
	    {"stamp", OPTION_FLAG, &o.shape.stamp, 0, 0},
	    {"rate", OPTION_NUMBER, &o.rate, 0, 100000000},
	    {"seconds", OPTION_NUMBER, &o.seconds, 1, 3600},
	    {"hold", OPTION_NUMBER, &o.hold, 1, 3600},
	};

	if (!options_read(specs, sizeof(specs) / sizeof(specs[0]), argc, argv) || to == NULL) {
		fputs(usage, stderr);
		exit(2);
	}
	set_target(&o, to);
	if (udp)
		o.protocol = &flood_datagrams;
	if (o.protocol->datagrams && o.tls)
		tool_die("--udp goes without TLS");
	o.shape.apps = (unsigned)apps;
	if (strcmp(size, "mixed") != 0)
		o.shape.size = (size_t)tool_number("size", size, 1, 65000);
	o.shape.octet = options_one_of("framing", framing, "octet", "lf");
	o.shape.rfc3164 = options_one_of("format", format, "3164", "5424");
	/* RELP has frames of its own; a body's lines end with LF. */
	o.shape.framed = o.protocol == &flood_stream || o.protocol == &flood_http;
	if (o.protocol->requests) {
		o.shape.octet = false;
		o.shape.run = (unsigned)o.batch;
	}
	if (o.lines == 0 && o.hold == 0)
		tool_die("--lines 0 is for --hold");
	if (o.connections > o.lines && o.hold == 0)
		o.connections = o.lines;
	return o;
}

/* sink_options -- sink's command line. */
#include <stdio.h>
#include <stdlib.h>

#include "options.h"
#include "sink.h"
#include "tool.h"

static const char usage[] =
    "usage: sink --listen ADDR:PORT [--ports N] [--tls --cert FILE --key FILE | --http]\n"
    "            [--expect LINES] [--copies N] [--size BYTES] [--quiet-ms MS]\n"
    "            [--seconds MAX] [--close-after LINES] [--stall]\n"
    "            [--slow BYTES_PER_SECOND] [--victim PORTINDEX]\n"
    "--ports        listens on so many consecutive ports\n"
    "--http         takes POSTs, gzip or not, and answers 202; finds flood's lines in\n"
    "               their bodies, whatever is around them\n"
    "--copies       every line is expected so often; with as many --ports: once on each\n"
    "--size         a line of any other length counts as misparsed; not with --http\n"
    "--close-after  closes each connection after so many lines; not with --http\n"
    "--stall        accepts connections and never reads them; with --http: answers\n"
    "               no request\n"
    "--slow         reads so much of each connection; not with --http\n"
    "--victim       --close-after, --stall and --slow are for one port only, 0 being\n"
    "               the first; its lines, of which it gets its even share, are\n"
    "               counted apart and not waited for\n";

static bool
fits(const struct options *o, const char *listen)
{
	if (listen == NULL || o->tls != (o->cert != NULL && o->key != NULL))
		return false;
	if (o->http && (o->tls || o->close_after != 0 || o->slow != 0 || o->size != 0))
		return false;
	return o->victim < o->ports;
}

struct options
sink_options(int argc, char **argv)
{
	struct options o = {.ports = 1, .copies = 1, .quiet_ms = 2000, .seconds = 60, .victim = -1};
	const char *listen = NULL;
	const struct option_spec specs[] = {
	    {"listen", OPTION_TEXT, &listen, 0, 0},
	    {"ports", OPTION_NUMBER, &o.ports, 1, PORTS_MAX},
	    {"tls", OPTION_FLAG, &o.tls, 0, 0},
	    {"cert", OPTION_TEXT, &o.cert, 0, 0},
	    {"key", OPTION_TEXT, &o.key, 0, 0},
	    {"http", OPTION_FLAG, &o.http, 0, 0},
	    {"expect", OPTION_NUMBER, &o.expect, 1, 1000000000},
	    {"copies", OPTION_NUMBER, &o.copies, 1, 100},
	    {"size", OPTION_NUMBER, &o.size, 0, 512 * 1024},
	    {"quiet-ms", OPTION_NUMBER, &o.quiet_ms, 1, 3600000},
	    {"seconds", OPTION_NUMBER, &o.seconds, 1, 3600},
	    {"close-after", OPTION_NUMBER, &o.close_after, 0, 1000000000},
	    {"stall", OPTION_FLAG, &o.stall, 0, 0},
	    {"slow", OPTION_NUMBER, &o.slow, 0, 1000000000},
	    {"victim", OPTION_NUMBER, &o.victim, 0, PORTS_MAX - 1},
	};

	if (!options_read(specs, sizeof(specs) / sizeof(specs[0]), argc, argv) ||
	    !fits(&o, listen)) {
		fputs(usage, stderr);
		exit(2);
	}
	o.listen = tool_address("listen", listen);
	return o;
}

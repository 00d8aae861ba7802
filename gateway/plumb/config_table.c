#include "plumb/config_table.h"

#include <inttypes.h>
#include <string.h>

#include "base/nearest.h"
#include "base/units.h"

#define AT(member) offsetof(struct config, member)

#define KIB (INT64_C(1) << 10)
#define MIB (INT64_C(1) << 20)
#define GIB (INT64_C(1) << 30)
#define TIB (INT64_C(1) << 40)
#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)

/* clang-format off */
const struct config_key config_keys[] = {
	{.name = "data-dir", .kind = CONFIG_PATH, .offset = AT(data_dir), .def = "/var/lib/penstock",
	    .text = "directory of what is kept; created (0700) if missing"},
	{.name = "listen", .kind = CONFIG_LISTEN,
	    .def = "syslog+tcp://127.0.0.1:1514 syslog+udp://127.0.0.1:1514",
	    .text = "URL of a listener for lines"},
	{.name = "admin", .kind = CONFIG_ADMIN, .def = "http://127.0.0.1:8514",
	    .text = "URL of a listener for the admin API"},
	{.name = "admin-token-file", .kind = CONFIG_PATH, .offset = AT(admin_token_file),
	    .def_text = "DATA-DIR/admin-token",
	    .text = "file with the operator's token; created (0600) if missing"},
	{.name = "tls-cert", .kind = CONFIG_PATH, .offset = AT(tls_cert),
	    .text = "certificate chain (PEM) of TLS listeners and https admin"},
	{.name = "tls-key", .kind = CONFIG_PATH, .offset = AT(tls_key),
	    .text = "private key (PEM) of tls-cert"},
	{.name = "tls-client-ca", .kind = CONFIG_PATH, .offset = AT(tls_client_ca),
	    .text = "CAs (PEM) that senders' certificates are verified against"},
	{.name = "ca-file", .kind = CONFIG_PATH, .offset = AT(ca_file), .def_text = "the system's",
	    .text = "CAs (PEM) that TLS drains are verified against"},
	{.name = "workers", .kind = CONFIG_COUNT, .offset = AT(workers),
	    .def_text = "the number of cores", .min = 1, .max = 64,
	    .text = "worker threads"},
	{.name = "linger", .kind = CONFIG_DURATION, .offset = AT(linger), .def = "10ms",
	    .max = 10 * SECOND,
	    .text = "how long a busy drain gathers lines; an idle one sends at once"},
	{.name = "spool-after", .kind = CONFIG_DURATION, .offset = AT(spool_after), .def = "1s",
	    .max = HOUR,
	    .text = "a line that is not delivered by then is committed to disk; 0: every line"},
	{.name = "resend-bytes", .kind = CONFIG_SIZE, .offset = AT(resend_bytes), .def = "128KiB",
	    .max = 64 * MIB,
	    .text = "sent bytes that go out again after a lost connection; 0: none"},
	{.name = "resend-time", .kind = CONFIG_DURATION, .offset = AT(resend_time), .def = "5s",
	    .max = HOUR,
	    .text = "of these, only what was sent within this time"},
	{.name = "resend-max", .kind = CONFIG_SIZE, .offset = AT(resend_max), .def = "4MiB",
	    .max = 256 * MIB,
	    .text = "the same at most, of a receiver that may not have read more"},
	{.name = "stop-timeout", .kind = CONFIG_DURATION, .offset = AT(stop_timeout), .def = "5s",
	    .max = HOUR,
	    .text = "how long a stop goes on delivering; the rest stays on disk"},
	{.name = "max-line", .kind = CONFIG_SIZE, .offset = AT(max_line), .def = "64KiB",
	    .min = 480, .max = MIB,
	    .text = "longer lines are cut"},
	{.name = "app-memory", .kind = CONFIG_SIZE, .offset = AT(app_memory), .def = "1MiB",
	    .min = 64 * KIB, .max = GIB,
	    .text = "a drain lags when more bytes wait for it: they go to disk"},
	{.name = "worker-memory", .kind = CONFIG_SIZE, .offset = AT(worker_memory), .def = "16MiB",
	    .min = MIB, .max = 64 * GIB,
	    .text = "nothing is read while more bytes wait in a worker that are not on disk"},
	{.name = "spool-cap", .kind = CONFIG_SIZE, .offset = AT(spool_cap), .def = "1GiB",
	    .min = MIB, .max = TIB,
	    .text = "bytes of one app's lines on disk; above it the oldest are dropped"},
	{.name = "spool-size", .kind = CONFIG_SIZE, .offset = AT(spool_size), .def = "10GiB",
	    .max = 16 * TIB,
	    .text = "bytes of all lines on disk; 0: lines are kept in memory only"},
	{.name = "spool-age", .kind = CONFIG_DURATION, .offset = AT(spool_age), .def = "72h",
	    .min = SECOND, .max = 10000 * HOUR,
	    .text = "older lines on disk are dropped"},
	{.name = "spool-map", .kind = CONFIG_SIZE, .offset = AT(spool_map),
	    .def_text = "twice spool-size", .min = MIB, .max = 64 * TIB,
	    .text = "how far the spool's file may grow"},
	{.name = "apps", .kind = CONFIG_EITHER, .offset = AT(apps_declared), .def = "implicit",
	    .words = {"implicit", "declared"},
	    .text = "whether an app's first drain creates it"},
	{.name = "catch-all", .kind = CONFIG_APP, .offset = AT(catch_all),
	    .text = "app that gets the lines of unknown apps"},
	{.name = "copy-to", .kind = CONFIG_APP, .offset = AT(copy_to),
	    .text = "app that gets a copy of every line"},
	{.name = "syslog-framing", .kind = CONFIG_EITHER, .offset = AT(syslog_framing_octet),
	    .def = "lf", .words = {"lf", "octet-counting"},
	    .text = "framing of plain TCP syslog drains that do not say"},
	{.name = "list-shape", .kind = CONFIG_SHAPE, .offset = AT(list_shape), .def = "auto",
	    .words = {"auto", "array", "object"},
	    .text = "JSON shape of a list of drains"},
	{.name = "drain-allow", .kind = CONFIG_CHECKED, .offset = AT(drain_allow),
	    .check = config_check_ranges,
	    .text = "addresses that drains may reach although drain-deny has them"},
	{.name = "drain-deny", .kind = CONFIG_CHECKED, .offset = AT(drain_deny), .def = "link-local",
	    .check = config_check_ranges,
	    .text = "addresses that drains may not reach"},
	{.name = "http-proxy", .kind = CONFIG_CHECKED, .offset = AT(http_proxy),
	    .check = config_check_proxy, .secret = true,
	    .text = "proxy of HTTP drains, http://HOST:PORT"},
	{.name = "http-timeout", .kind = CONFIG_DURATION, .offset = AT(http_timeout), .def = "30s",
	    .min = SECOND, .max = 600 * SECOND,
	    .text = "how long a request of an HTTP drain may take in all"},
	{.name = "batch-wait", .kind = CONFIG_DURATION, .offset = AT(batch_wait), .def = "500ms",
	    .max = 900,
	    .text = "how long an HTTP drain gathers a batch"},
	{.name = "datadog-endpoint", .kind = CONFIG_CHECKED, .offset = AT(datadog_endpoint),
	    .check = config_check_endpoint, .def_text = "https://http-intake.logs.%s/api/v2/logs",
	    .text = "URL of the intake of datadog drains, %s being the site"},
	{.name = "logtail-endpoint", .kind = CONFIG_CHECKED, .offset = AT(logtail_endpoint),
	    .check = config_check_endpoint, .def_text = "https://in.logs.betterstack.com",
	    .text = "URL of the intake of logtail drains"},
};
/* clang-format on */

const size_t config_nkeys = sizeof(config_keys) / sizeof(config_keys[0]);

_Static_assert(sizeof(config_keys) / sizeof(config_keys[0]) <= CONFIG_KEYS_MAX, "too many keys");

bool
config_key_repeats(const struct config_key *k)
{
	return k->kind == CONFIG_LISTEN || k->kind == CONFIG_ADMIN;
}

const char *
config_key_default(const struct config_key *k)
{
	if (k->def_text != NULL)
		return k->def_text;
	return k->def != NULL ? k->def : "none";
}

const char *
config_key_bounds(const struct config_key *k, char text[CONFIG_BOUNDS_BYTES])
{
	char min[UNITS_TEXT_BYTES], max[UNITS_TEXT_BYTES];

	text[0] = '\0';
	switch (k->kind) {
	case CONFIG_DURATION:
		snprintf(text, CONFIG_BOUNDS_BYTES, "%s to %s", units_format_duration(k->min, min),
			 units_format_duration(k->max, max));
		break;
	case CONFIG_SIZE:
		snprintf(text, CONFIG_BOUNDS_BYTES, "%s to %s", units_format_size(k->min, min),
			 units_format_size(k->max, max));
		break;
	case CONFIG_COUNT:
		snprintf(text, CONFIG_BOUNDS_BYTES, "%" PRId64 " to %" PRId64, k->min, k->max);
		break;
	case CONFIG_EITHER:
		snprintf(text, CONFIG_BOUNDS_BYTES, "%s or %s", k->words[0], k->words[1]);
		break;
	case CONFIG_SHAPE:
		snprintf(text, CONFIG_BOUNDS_BYTES, "%s, %s or %s", k->words[0], k->words[1],
			 k->words[2]);
		break;
	case CONFIG_APP:
		snprintf(text, CONFIG_BOUNDS_BYTES,
			 "1 to 48 printable ASCII characters without space");
		break;
	case CONFIG_PATH:
	case CONFIG_CHECKED:
	case CONFIG_LISTEN:
	case CONFIG_ADMIN:
		break;
	}
	return text;
}

const struct config_key *
config_key_find(const char *name, const char *const *more, char *err)
{
	struct nearest near = {0};

	for (size_t i = 0; i < config_nkeys; i++) {
		if (strcmp(name, config_keys[i].name) == 0)
			return &config_keys[i];
		nearest_try(&near, name, config_keys[i].name);
	}
	for (; more != NULL && *more != NULL; more++)
		nearest_try(&near, name, *more);
	if (near.best != NULL)
		snprintf(err, CONFIG_ERROR_BYTES, "unknown key \"%.100s\"; did you mean %s?", name,
			 near.best);
	else
		snprintf(err, CONFIG_ERROR_BYTES, "unknown key \"%.100s\"; see penstockd --help",
			 name);
	return NULL;
}

void
config_help(FILE *f)
{
	char bounds[CONFIG_BOUNDS_BYTES];
	const struct config_key *k;

	fputs("penstockd - a gateway for logs\n\n"
	      "usage: penstockd [--config FILE] [--check | --check-spool] [--KEY VALUE | "
	      "--KEY=VALUE ...]\n\n"
	      "  --config FILE   read keys from FILE, lines of `KEY = VALUE`; flags win\n"
	      "  --check         check the configuration and the files it names, and exit\n"
	      "  --check-spool   read the spool, bring back lines of damaged ones, and exit\n"
	      "  --help          print this\n"
	      "  --version       print the version\n\n"
	      "Durations take ms, s, m, h, d; sizes B, KiB, MiB, GiB, TiB, or none for bytes.\n\n",
	      f);
	for (size_t i = 0; i < config_nkeys; i++) {
		k = &config_keys[i];
		fprintf(f, "  %-17s %s%s\n", k->name, k->text,
			config_key_repeats(k) ? " (may be repeated)" : "");
		if (config_key_bounds(k, bounds)[0] != '\0')
			fprintf(f, "  %-17s %s; default: %s\n", "", bounds, config_key_default(k));
		else
			fprintf(f, "  %-17s default: %s\n", "", config_key_default(k));
	}
}

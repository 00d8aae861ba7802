#include "types/drain_type.h"

/* One line a type; each is a file of its own. */
#define DRAIN_TYPES(X)            \
	X(drain_type_datadog)     \
	X(drain_type_elk)         \
	X(drain_type_gelf)        \
	X(drain_type_https)       \
	X(drain_type_logentries)  \
	X(drain_type_logtail)     \
	X(drain_type_otlp)        \
	X(drain_type_ovh_graylog) \
	X(drain_type_papertrail)  \
	X(drain_type_syslog)

#define DECLARE(type) extern const struct drain_type type;
DRAIN_TYPES(DECLARE)
#undef DECLARE

static const struct drain_type *const types[] = {
#define LIST(type) &type,
    DRAIN_TYPES(LIST)
#undef LIST
	NULL,
};

const struct drain_type *
drain_type_find(const char *name)
{
	for (const struct drain_type *const *type = types; *type != NULL; type++)
		if (strcmp((*type)->name, name) == 0 ||
		    ((*type)->alias != NULL && strcmp((*type)->alias, name) == 0))
			return *type;
	return NULL;
}

const struct drain_type *const *
drain_type_all(void)
{
	return types;
}

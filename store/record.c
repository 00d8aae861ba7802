#include "store/record.h"

#include <stdlib.h>
#include <string.h>

void
drain_record_free(struct drain_record *drain)
{
	free(drain->type);
	free(drain->url);
	for (size_t i = 0; i < drain->nparams; i++) {
		free(drain->params[i].key);
		free(drain->params[i].value);
	}
	memset(drain, 0, sizeof(*drain));
}

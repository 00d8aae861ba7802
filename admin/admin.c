#include "admin/admin.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "admin/api_call.h"
#include "admin/endpoints.h"
#include "admin/token_file.h"
#include "base/xmalloc.h"

struct admin *
admin_new(const struct config *config, struct store *store, struct gateway *gateway,
	  char err[CONFIG_ERROR_BYTES])
{
	char token[TOKEN_MAX + 1];
	struct admin *admin;

	if (!token_file_load(config->admin_token_file, token, err, CONFIG_ERROR_BYTES))
		return NULL;
	/* An answer that lacks a member for want of memory would be a wrong answer. */
	json_set_alloc_funcs(xmalloc, free);
	admin = xcalloc(1, sizeof(*admin));
	admin->store = store;
	admin->gateway = gateway;
	admin->apps_declared = config->apps_declared;
	admin->list_shape = config->list_shape;
	auth_init(&admin->auth, store, token);
	OPENSSL_cleanse(token, sizeof(token));
	return admin;
}

void
admin_free(struct admin *admin)
{
	if (admin == NULL)
		return;
	metrics_clear(&admin->metrics);
	OPENSSL_cleanse(&admin->auth, sizeof(admin->auth));
	free(admin);
}

void
admin_handle(const struct http_request *req, struct http_response *resp, void *arg)
{
	endpoints_run(arg, req, resp);
}

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plumb/config.h"
#include "plumb/tag_rule.h"
#include "plumb/tls.h"

static bool
check_server_tls(const struct config *c, const struct listen_url *u, const char *key, char *err)
{
	char why[TLS_ERROR_BYTES];
	SSL_CTX *ctx = tls_server_ctx(c->tls_cert, c->tls_key, c->tls_client_ca,
				      u == NULL ? TLS_CLIENT_NONE : u->auth, why);

	if (ctx != NULL) {
		SSL_CTX_free(ctx);
		return true;
	}
	if (u == NULL)
		snprintf(err, CONFIG_ERROR_BYTES, "tls-cert: %s", why);
	else
		snprintf(err, CONFIG_ERROR_BYTES, "%s: \"%.200s\": %s", key, u->text, why);
	return false;
}

static bool
check_urls(const struct config *c, const struct listen_url *urls, size_t n, const char *key,
	   char *err)
{
	struct tag_rule *rule;
	char why[300];

	for (size_t i = 0; i < n; i++) {
		if (listen_url_is_tls(&urls[i]) && !check_server_tls(c, &urls[i], key, err))
			return false;
		if (urls[i].app == NULL)
			continue;
		rule = tag_rule_new(urls[i].app, why, sizeof(why));
		if (rule == NULL) {
			snprintf(err, CONFIG_ERROR_BYTES, "%s: \"%.200s\": %s", key, urls[i].text,
				 why);
			return false;
		}
		tag_rule_free(rule);
	}
	return true;
}

/* Made at start if it is missing. */
static bool
check_data_dir(const char *path, char *err)
{
	struct stat st;
	int fault = stat(path, &st) < 0 ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;

	if (fault == 0 || fault == ENOENT)
		return true;
	snprintf(err, CONFIG_ERROR_BYTES,
		 "data-dir: \"%.200s\": %s; name a folder that this user may create", path,
		 strerror(fault));
	return false;
}

/* The operator's token: made at start if it is missing, of no use if it cannot be read. */
static bool
check_token_file(const char *file, char *err)
{
	if (access(file, R_OK) == 0 || errno == ENOENT)
		return true;
	snprintf(err, CONFIG_ERROR_BYTES,
		 "admin-token-file: \"%.200s\": %s; give a file that this user can read", file,
		 strerror(errno));
	return false;
}

bool
config_check_files(const struct config *c, char err[CONFIG_ERROR_BYTES])
{
	char why[TLS_ERROR_BYTES];
	SSL_CTX *ctx;

	if (c->tls_cert != NULL && !check_server_tls(c, NULL, NULL, err))
		return false;
	if (!check_urls(c, c->listen, c->nlisten, "listen", err) ||
	    !check_urls(c, c->admin, c->nadmin, "admin", err) ||
	    !check_data_dir(c->data_dir, err) || !check_token_file(c->admin_token_file, err))
		return false;
	if (c->ca_file == NULL)
		return true;
	ctx = tls_client_ctx(c->ca_file, why);
	if (ctx == NULL) {
		snprintf(err, CONFIG_ERROR_BYTES, "ca-file: \"%.200s\": %s", c->ca_file, why);
		return false;
	}
	SSL_CTX_free(ctx);
	return true;
}

/*
 * A drain with all that it can be told, as much of it as there may be: kept,
 * listed, removed; and what nobody gets to see again.
 */
#include "api_test.h"

#include "admin/reply.h"
#include "test_certs.h"

#define DRAINS "/v1/apps/web/log_drains"

static char *
read_text(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t room = 0;
	char *text = NULL;

	assert_non_null(f);
	assert_true(getdelim(&text, &room, '\0', f) > 0);
	fclose(f);
	return text;
}

/* certificate, and more of them up to 64 KiB in all */
static json_t *
chain_json(const char *certificate, const char *more)
{
	struct buf text = {0};
	json_t *json;

	buf_add_str(&text, certificate);
	while (text.n + strlen(more) <= 64 * 1024)
		buf_add_str(&text, more);
	json = json_string(buf_cstr(&text));
	buf_free(&text);
	return json;
}

/* 16 of 256 bytes, which the URL has in three times as many. */
static json_t *
patterns_json(char first)
{
	char text[257] = "";
	json_t *array = json_array();

	memset(text, '%', 256);
	for (int i = 0; i < 16; i++) {
		text[0] = (char)(first + i);
		json_array_append_new(array, json_string(text));
	}
	return array;
}

static json_t *
everything(struct api *t, char **key)
{
	struct test_cert root = test_cert_make(
	    t->dir, NULL, &(struct test_cert_spec){.name = "root", .cn = "r", .ca = true});
	char url[4097] = "https://user:PASSWORD@h/";
	char *ca, *cert;
	json_t *drain = json_object();

	test_cert_add(t->dir, &root, (struct test_cert_spec){.name = "client", .cn = "c"});
	test_cert_free(&root);
	ca = read_text(test_path(t->dir, "root", ".pem"));
	cert = read_text(test_path(t->dir, "client", ".pem"));
	*key = read_text(test_path(t->dir, "client", ".key"));
	memset(url + strlen(url), 'x', sizeof(url) - 1 - strlen(url));
	json_set_text(drain, "type", "elk");
	json_set_text(drain, "url", url);
	json_set_text(drain, "format", "json");
	json_set_text(drain, "min_severity", "info");
	json_object_set_new(drain, "match", patterns_json('A'));
	json_object_set_new(drain, "exclude", patterns_json('a'));
	json_set_u64(drain, "rate", 1000000);
	json_object_set_new(drain, "gzip", json_true());
	json_set_u64(drain, "concurrency", 32);
	json_object_set_new(drain, "ca", chain_json(ca, ca));
	json_object_set_new(drain, "client_cert", chain_json(cert, ca));
	json_set_text(drain, "client_key", *key);
	free(ca);
	free(cert);
	return drain;
}

static void
must_not_show(struct api *t, const char *secret)
{
	assert_null(memmem(t->resp.body.p, t->resp.body.n, secret, strlen(secret)));
}

static void
a_drain_with_all_options_at_their_largest_is_kept(void **state)
{
	struct api *t = *state;
	json_t *body = json_object(), *answer;
	struct drain_record record;
	char *key, *text, *url;

	json_object_set_new(body, "drain", everything(t, &key));
	text = json_dumps(body, 0);
	ask(t, "POST", DRAINS, text);
	if (t->resp.status != 201)
		fail_msg("%d %s", t->resp.status, buf_cstr(&t->resp.body));
	must_not_show(t, "PRIVATE");
	answer = json_loadb(t->resp.body.p, t->resp.body.n, 0, NULL);
	url = xstrdup(json_string_value(json_object_get(json_object_get(answer, "drain"), "url")));
	assert_non_null(strstr(url, "#format=json&min_severity=info&match=A%25%25"));
	assert_non_null(strstr(url, "&rate=1000000&gzip=true&concurrency=32&ca=sha256:"));

	assert_int_equal(store_drain_find(t->store, id_of(t, "web"), url, &record), STORE_OK);
	assert_int_equal(record.nparams, 11);
	for (size_t i = 0; i < record.nparams; i++) {
		if (strcmp(record.params[i].key, "client_key") == 0)
			assert_string_equal(record.params[i].value, key);
	}
	drain_record_free(&record);

	/* Once more it is the same one, however it is spelled. */
	ask(t, "POST", DRAINS, text);
	answered(t, 422, "{\"errors\":{\"url\":[\"already exists\"]}}");

	ask(t, "GET", DRAINS, NULL);
	assert_int_equal(t->resp.status, 200);
	assert_non_null(memmem(t->resp.body.p, t->resp.body.n, "PASSWORD", 8));
	must_not_show(t, "PRIVATE");
	ask(t, "GET", DRAINS "?redact=true", NULL);
	assert_int_equal(t->resp.status, 200);
	assert_non_null(memmem(t->resp.body.p, t->resp.body.n, "client_cert=sha256:", 19));
	must_not_show(t, "PASSWORD");
	must_not_show(t, "PRIVATE");

	json_decref(answer);
	json_decref(body);
	body = json_pack("{s:s}", "url", url);
	free(text);
	text = json_dumps(body, 0);
	ask(t, "DELETE", DRAINS, text);
	assert_int_equal(t->resp.status, 204);
	json_decref(body);
	free(text);
	free(url);
	free(key);
}

/* An error may quote a request's keys, never its values. */
static void
a_refused_key_is_not_said_back(void **state)
{
	struct api *t = *state;
	char *key, *text;
	json_t *body = json_object(), *drain = everything(t, &key);

	json_object_set_new(body, "drain", drain);
	json_object_del(drain, "client_cert");
	text = json_dumps(body, 0);
	ask(t, "POST", DRAINS, text);
	answered(t, 422, "{\"errors\":{\"client_cert\":[\"is required with client_key\"]}}");
	free(text);

	json_object_set_new(drain, "client_cert", json_string(key));
	text = json_dumps(body, 0);
	ask(t, "POST", DRAINS, text);
	answered(t, 422,
		 "{\"errors\":{\"client_cert\":[\"must hold certificates only; a private key goes "
		 "into client_key\"]}}");
	assert_int_equal(t->gateway.added, 0);
	free(text);
	free(key);
	json_decref(body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    API_TEST(a_drain_with_all_options_at_their_largest_is_kept),
	    API_TEST(a_refused_key_is_not_said_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

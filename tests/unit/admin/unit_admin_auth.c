/*
 * Who gets in, who does not, and who may do what.
 */
#include "api_test.h"

#include <fcntl.h>

#include "admin/jwt.h"
#include "admin/throttle.h"
#include "admin/token_file.h"
#include "base/clock.h"

#define FORBIDDEN(text) "{\"error\":\"" text "\",\"code\":\"forbidden\"}"

/* The clocks of this program: base/clock.c is then not linked. */
static int64_t mono_ms = 1000, wall_us = 1767323045000000;

int64_t
clock_mono_ms(void)
{
	return mono_ms;
}

int64_t
clock_wall_us(void)
{
	return wall_us;
}

/* "Basic " and the base64 of user:password. */
static const char *
basic(const char *userinfo)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static char out[512];
	size_t n = strlen(userinfo), o = 6;

	strcpy(out, "Basic ");
	for (size_t i = 0; i < n; i += 3) {
		unsigned b = (unsigned)(unsigned char)userinfo[i] << 16;

		if (i + 1 < n)
			b |= (unsigned)(unsigned char)userinfo[i + 1] << 8;
		if (i + 2 < n)
			b |= (unsigned char)userinfo[i + 2];
		out[o++] = digits[b >> 18];
		out[o++] = digits[b >> 12 & 63];
		out[o++] = i + 1 < n ? digits[b >> 6 & 63] : '=';
		out[o++] = i + 2 < n ? digits[b & 63] : '=';
	}
	out[o] = '\0';
	return out;
}

static int
status_as(struct api *t, const char *authorization)
{
	t->authorization = authorization;
	mono_ms += 60 * 1000; /* failures of before are forgiven */
	ask(t, "GET", "/v1/apps", NULL);
	return t->resp.status;
}

static void
the_operators_token_comes_in_every_documented_form(void **state)
{
	struct api *t = *state;

	assert_int_equal(status_as(t, basic(":" OPERATOR)), 200);
	assert_int_equal(status_as(t, basic(OPERATOR ":")), 200);
	assert_int_equal(status_as(t, basic(OPERATOR)), 200);
	assert_int_equal(status_as(t, basic("anyone:" OPERATOR)), 200);
	assert_int_equal(status_as(t, "Bearer " OPERATOR), 200);
	assert_int_equal(status_as(t, "bearer   " OPERATOR), 200);
	assert_int_equal(status_as(t, "bAsIc OjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm"), 200);
}

static void
anything_else_is_401_with_a_challenge(void **state)
{
	static const char *const forms[] = {
	    "",
	    "Basic",
	    "Basic ",
	    "Bearer",
	    "Bearer ",
	    "Digest x",
	    "Basic =",
	    "Basic Og==",
	    "Basic !!!!",
	    "Bearer x",
	    "Bearer a.b",
	    "Bearer ..",
	    "Bearer a.b.c",
	    ("Token " OPERATOR),
	    OPERATOR,
	    ("Bearer " OPERATOR "0"),
	    "Bearer 0123456789abcdef0123456789abcde",
	    "Bearer 0123456789ABCDEF0123456789ABCDEF",
	    ("Bearer" OPERATOR),
	};
	struct api *t = *state;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		assert_int_equal(status_as(t, forms[i]), 401);
	assert_int_equal(status_as(t, basic(OPERATOR ":x")), 401);
	assert_int_equal(status_as(t, basic("::" OPERATOR)), 401);
	answered(t, 401, "{\"error\":\"the token is not valid\"}");
	assert_int_equal(status_as(t, NULL), 401);
	answered(t, 401, "{\"error\":\"a token is required\"}");
	assert_string_equal(buf_cstr(&t->resp.headers),
			    "WWW-Authenticate: Basic realm=\"penstock\"\r\n"
			    "WWW-Authenticate: Bearer realm=\"penstock\"\r\n");
	/* Not even which paths there are. */
	ask(t, "PUT", "/nowhere", NULL);
	assert_int_equal(t->resp.status, 401);
	ask(t, "POST", "/v1/apps/web/log_drains",
	    "{\"drain\":{\"type\":\"syslog\",\"host\":\"h\",\"port\":1}}");
	assert_int_equal(t->resp.status, 401);
	assert_int_equal(t->gateway.added, 0);
}

static void
health_needs_no_token(void **state)
{
	struct api *t = *state;

	t->authorization = NULL;
	expect_answer(t, "GET", "/healthz", NULL, 200, "{\"status\":\"ok\"}");
	expect_answer(t, "HEAD", "/healthz", NULL, 200, "{\"status\":\"ok\"}");
}

static const char *
exchange(struct api *t, const char *authorization, char bearer[512])
{
	char jwt[256];

	t->authorization = authorization;
	ask(t, "POST", "/v1/tokens/exchange", "{}");
	assert_int_equal(t->resp.status, 200);
	snprintf(bearer, 512, "Bearer %s", member(t, "token", jwt));
	return bearer;
}

static void
an_exchanged_jwt_is_good_for_its_hour(void **state)
{
	struct api *t = *state;
	char bearer[512];

	exchange(t, operator_basic, bearer);
	assert_int_equal(status_as(t, bearer), 200);
	wall_us += (JWT_LIFE_S - 1) * 1000000ll;
	assert_int_equal(status_as(t, bearer), 200);
	wall_us += 1000000;
	assert_int_equal(status_as(t, bearer), 401);
	wall_us -= JWT_LIFE_S * 1000000ll;
}

static void
a_jwt_is_as_the_clients_parse_it(void **state)
{
	struct api *t = *state;
	char bearer[512];

	exchange(t, operator_basic, bearer);
	/* {"alg":"HS256","typ":"JWT"}, then iss, sub, iat, exp. */
	assert_int_equal(strncmp(bearer,
				 "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
				 "eyJpc3MiOiJwZW5zdG9jayIsInN1YiI6Im9wZXJhdG9yIiwiaWF0Ijox"
				 "NzY3MzIzMDQ1LCJleHAiOjE3NjczMjY2NDV9.",
				 strlen(bearer) - 43),
			 0);
	assert_null(strpbrk(bearer + 7, "+/= "));
}

static void
a_jwt_with_any_byte_changed_is_refused(void **state)
{
	struct api *t = *state;
	char bearer[512];
	size_t n;

	n = strlen(exchange(t, operator_basic, bearer));
	for (size_t i = 7; i < n; i++) {
		char was = bearer[i];

		bearer[i] = was == 'A' ? 'B' : 'A';
		assert_int_equal(status_as(t, bearer), 401);
		bearer[i] = was;
	}
	bearer[n - 1] = '\0';
	assert_int_equal(status_as(t, bearer), 401);
	/* alg none, without a signature */
	assert_int_equal(status_as(t, "Bearer eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0."
				      "eyJzdWIiOiJvcGVyYXRvciIsImV4cCI6OTk5OTk5OTk5OTl9."),
			 401);
}

static void
a_jwt_dies_with_the_operators_token(void **state)
{
	struct api *t = *state;
	char bearer[512];
	FILE *f;

	exchange(t, operator_basic, bearer);
	f = fopen(t->token_file, "w");
	fputs("another-operator-token\n", f);
	fclose(f);
	api_restart(t);
	assert_int_equal(status_as(t, bearer), 401);
	assert_int_equal(status_as(t, operator_basic), 401);
	assert_int_equal(status_as(t, "Bearer another-operator-token"), 200);
}

static void
a_jwt_is_not_exchanged_for_another(void **state)
{
	struct api *t = *state;
	char bearer[512];

	t->authorization = exchange(t, operator_bearer, bearer);
	expect_answer(t, "POST", "/v1/tokens/exchange", "{}", 403,
		      FORBIDDEN("exchange takes the token itself, not what it was exchanged for"));
}

/* Makes an app `web`, an app `other` and a token; "Bearer SECRET" into bearer. */
static void
make_token(struct api *t, const char *token, char bearer[512], char id[256])
{
	char secret[256];

	t->authorization = operator_basic;
	ask(t, "POST", "/v1/apps", "{\"app\":{\"name\":\"web\"}}");
	ask(t, "POST", "/v1/apps", "{\"app\":{\"name\":\"other\"}}");
	ask(t, "POST", "/v1/tokens", token);
	if (t->resp.status != 201)
		fail_msg("%s", buf_cstr(&t->resp.body));
	snprintf(bearer, 512, "Bearer %s", member(t, "token.token", secret));
	member(t, "token.id", id);
}

static void
an_app_token_is_good_for_its_app_only(void **state)
{
	static const struct {
		const char *method, *path, *body;
		int status;
	} table[] = {
	    {"GET", "/v1/apps/web", NULL, 200},
	    {"GET", "/v1/apps/web/log_drains", NULL, 200},
	    {"POST", "/v1/apps/web/log_drains",
	     "{\"drain\":{\"type\":\"syslog\",\"host\":\"h\",\"port\":1}}", 201},
	    {"DELETE", "/v1/apps/web/log_drains?url=syslog://h:1", NULL, 204},
	    {"GET", "/v1/apps/web/addons", NULL, 200},
	    {"GET", "/v1/users/self", NULL, 200},
	    {"GET", "/v1/regions", NULL, 200},
	    {"GET", "/v1/apps/other", NULL, 403},
	    {"GET", "/v1/apps/other/log_drains", NULL, 403},
	    {"POST", "/v1/apps/other/log_drains", "x", 403},
	    {"DELETE", "/v1/apps/other/log_drains?url=x", NULL, 403},
	    {"GET", "/v1/apps/other/addons", NULL, 403},
	    {"GET", "/v1/apps/other/addons/a/log_drains", NULL, 403},
	    {"POST", "/v1/apps/web/log_drains/test", "{\"url\":\"x\"}", 404},
	    {"POST", "/v1/apps/other/log_drains/test", "{\"url\":\"x\"}", 403},
	    {"GET", "/v1/apps/other/tail", NULL, 403},
	    {"GET", "/v1/apps/nowhere/tail", NULL, 403},
	    {"GET", "/v1/drains", NULL, 403},
	    {"GET", "/v1/drains?app=web", NULL, 403},
	    {"GET", "/v1/unrouted", NULL, 403},
	    {"GET", "/v1/apps/nowhere/log_drains", NULL, 403},
	    {"POST", "/v1/apps/nowhere/log_drains",
	     "{\"drain\":{\"type\":\"syslog\",\"host\":\"h\",\"port\":1}}", 403},
	    {"GET", "/v1/apps/%zz/log_drains", NULL, 403},
	    {"POST", "/v1/apps", "{\"app\":{\"name\":\"x\"}}", 403},
	    {"DELETE", "/v1/apps/web", NULL, 403},
	    {"GET", "/v1/tokens", NULL, 403},
	    {"POST", "/v1/tokens", "{\"token\":{\"name\":\"x\"}}", 403},
	    {"DELETE", "/v1/tokens/5af97be7ff688d0001228ffb", NULL, 403},
	    {"GET", "/v1/nowhere", NULL, 404},
	};
	struct api *t = *state;
	char bearer[512], jwt[512], id[256];

	make_token(t, "{\"token\":{\"name\":\"ci\",\"app\":\"web\"}}", bearer, id);
	exchange(t, bearer, jwt);
	for (int by_jwt = 0; by_jwt < 2; by_jwt++) {
		t->authorization = by_jwt ? jwt : bearer;
		for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
			ask(t, table[i].method, table[i].path, table[i].body);
			if (t->resp.status != table[i].status)
				print_error("%s %s\n", table[i].method, table[i].path);
			assert_int_equal(t->resp.status, table[i].status);
		}
	}
	expect_answer(t, "GET", "/v1/apps/other", NULL, 403,
		      FORBIDDEN("this token is for another app"));
	expect_answer(t, "GET", "/v1/tokens", NULL, 403,
		      FORBIDDEN("only the operator's token may do this"));
	ask(t, "GET", "/v1/apps", NULL);
	assert_non_null(strstr(buf_cstr(&t->resp.body), "\"name\":\"web\""));
	assert_null(strstr(buf_cstr(&t->resp.body), "other"));
	assert_false(has_app(t, "nowhere"));
}

static void
a_token_for_all_apps_makes_no_tokens(void **state)
{
	struct api *t = *state;
	char bearer[512], id[256];

	make_token(t, "{\"token\":{\"name\":\"ci\"}}", bearer, id);
	t->authorization = bearer;
	ask(t, "GET", "/v1/apps/other/log_drains", NULL);
	assert_int_equal(t->resp.status, 200);
	ask(t, "DELETE", "/v1/apps/other", NULL);
	assert_int_equal(t->resp.status, 204);
	ask(t, "GET", "/v1/tokens", NULL);
	assert_int_equal(t->resp.status, 403);
}

static void
a_removed_token_and_its_jwts_are_refused(void **state)
{
	struct api *t = *state;
	char bearer[512], jwt[512], id[256], path[512];

	make_token(t, "{\"token\":{\"name\":\"ci\",\"app\":\"web\"}}", bearer, id);
	exchange(t, bearer, jwt);
	assert_int_equal(status_as(t, jwt), 200);
	t->authorization = operator_basic;
	snprintf(path, sizeof(path), "/v1/tokens/%s", id);
	expect_answer(t, "DELETE", path, NULL, 204, "");
	assert_int_equal(status_as(t, bearer), 401);
	assert_int_equal(status_as(t, jwt), 401);
}

static void
too_many_failures_are_429_but_a_right_token_still_passes(void **state)
{
	struct api *t = *state;

	assert_int_equal(status_as(t, "Bearer wrong"), 401);
	for (int i = 1; i < THROTTLE_BURST; i++) {
		ask(t, "GET", "/v1/apps", NULL);
		assert_int_equal(t->resp.status, 401);
	}
	expect_answer(t, "GET", "/v1/apps", NULL, 429,
		      "{\"error\":\"too many failed logins; try again in 6 s\"}");
	assert_string_equal(buf_cstr(&t->resp.headers), "Retry-After: 6\r\n");
	t->authorization = operator_basic;
	ask(t, "GET", "/v1/apps", NULL);
	assert_int_equal(t->resp.status, 200);
	t->authorization = "Bearer wrong";
	t->peer.sin_addr.s_addr = htonl(0x7f000002);
	ask(t, "GET", "/v1/apps", NULL);
	assert_int_equal(t->resp.status, 401);
	t->peer.sin_addr.s_addr = htonl(0x7f000001);
	mono_ms += 6000;
	ask(t, "GET", "/v1/apps", NULL);
	assert_int_equal(t->resp.status, 401);
	ask(t, "GET", "/v1/apps", NULL);
	assert_int_equal(t->resp.status, 429);
}

static void
a_request_without_credentials_is_no_failed_login(void **state)
{
	struct api *t = *state;

	assert_int_equal(status_as(t, NULL), 401);
	for (int i = 0; i < 3 * THROTTLE_BURST; i++) {
		ask(t, "GET", "/v1/apps", NULL);
		assert_int_equal(t->resp.status, 401);
	}
}

static void
a_missing_token_file_is_made_for_its_owner_only(void **state)
{
	struct api *t = *state;
	char token[TOKEN_MAX + 1], again[TOKEN_MAX + 1], err[512], path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/new-token", t->dir);
	umask(0);
	assert_true(token_file_load(path, token, err, sizeof(err)));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(strlen(token), 64);
	assert_int_equal(strspn(token, "0123456789abcdef"), 64);
	assert_true(token_file_load(path, again, err, sizeof(err)));
	assert_string_equal(token, again);
}

static void
a_token_file_that_holds_no_token_is_refused_with_the_remedy(void **state)
{
	static const char *const bad[] = {
	    "", "\n", "  \r\n", "two words\n", "two\nlines\n", "tab\there", "\xc3\xa9t\xc3\xa9\n"};
	struct api *t = *state;
	char token[TOKEN_MAX + 1], err[512], path[128];
	FILE *f;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		f = fopen(t->token_file, "w");
		fputs(bad[i], f);
		fclose(f);
		assert_false(token_file_load(t->token_file, token, err, sizeof(err)));
		assert_non_null(strstr(err, "admin-token-file: "));
		assert_non_null(strstr(err, t->token_file));
	}
	f = fopen(t->token_file, "w");
	for (int i = 0; i < TOKEN_MAX + 1; i++)
		fputc('a', f);
	fclose(f);
	assert_false(token_file_load(t->token_file, token, err, sizeof(err)));
	assert_false(token_file_load(t->dir, token, err, sizeof(err)));
	snprintf(path, sizeof(path), "%s/no/folder", t->dir);
	assert_false(token_file_load(path, token, err, sizeof(err)));
	assert_non_null(strstr(err, "No such file"));
}

/* What was logged while stderr stood in the file. */
static char *
read_log(const char *path)
{
	char *text = xcalloc(1, 65536);
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_true(fread(text, 1, 65535, f) > 0);
	fclose(f);
	return text;
}

static void
no_secret_is_logged(void **state)
{
	struct api *t = *state;
	char path[128], bearer[512], jwt[512], id[256], *text;
	int saved = dup(STDERR_FILENO), fd;

	snprintf(path, sizeof(path), "%s/stderr", t->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	log_set_level(LOG_LEVEL_DEBUG);
	make_token(t, "{\"token\":{\"name\":\"ci\",\"app\":\"web\"}}", bearer, id);
	t->authorization = exchange(t, bearer, jwt);
	ask(t, "POST", "/v1/apps/web/log_drains",
	    "{\"drain\":{\"type\":\"logentries\",\"token\":\"s3cret\"}}");
	ask(t, "POST", "/v1/apps/web/log_drains", "{\"drain\":{\"token\":\"s3cret\",}}");
	ask(t, "DELETE", "/v1/apps/web/log_drains?url=logentries://s3cret", NULL);
	assert_int_equal(t->resp.status, 204);
	t->authorization = "Bearer s3cret";
	ask(t, "GET", "/v1/apps", NULL);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fd);

	text = read_log(path);
	assert_non_null(strstr(text, "drain removed"));
	assert_non_null(strstr(text, "login refused"));
	assert_null(strstr(text, "s3cret"));
	assert_null(strstr(text, OPERATOR));
	assert_null(strstr(text, bearer + strlen("Bearer ")));
	assert_null(strstr(text, jwt + strlen("Bearer ")));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    API_TEST(the_operators_token_comes_in_every_documented_form),
	    API_TEST(anything_else_is_401_with_a_challenge),
	    API_TEST(health_needs_no_token),
	    API_TEST(an_exchanged_jwt_is_good_for_its_hour),
	    API_TEST(a_jwt_is_as_the_clients_parse_it),
	    API_TEST(a_jwt_with_any_byte_changed_is_refused),
	    API_TEST(a_jwt_dies_with_the_operators_token),
	    API_TEST(a_jwt_is_not_exchanged_for_another),
	    API_TEST(an_app_token_is_good_for_its_app_only),
	    API_TEST(a_token_for_all_apps_makes_no_tokens),
	    API_TEST(a_removed_token_and_its_jwts_are_refused),
	    API_TEST(too_many_failures_are_429_but_a_right_token_still_passes),
	    API_TEST(a_request_without_credentials_is_no_failed_login),
	    API_TEST(no_secret_is_logged),
	    API_TEST(a_missing_token_file_is_made_for_its_owner_only),
	    API_TEST(a_token_file_that_holds_no_token_is_refused_with_the_remedy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

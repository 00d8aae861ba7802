#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "io/http_call.h"
#include "io/tcp_info.h"

/* An acknowledgement that does not come ends a connection after this. */
enum { USER_TIMEOUT_MS = 30 * 1000 };

/* An answer is short, and a body leaves in pieces of what one record of TLS takes. */
enum { RECEIVE_BYTES = 4 * 1024, SEND_BYTES = 16 * 1024 };

static void
add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *more = curl_slist_append(*list, line);

	if (more == NULL)
		abort();
	*list = more;
}

struct curl_slist *
http_call_headers(const struct http_post *post)
{
	struct slice rest = post->headers;
	struct curl_slist *list = NULL;
	struct buf empty = {0};
	bool typed = false;
	const char *value;
	size_t n;

	while (rest.n > 0 && (n = strnlen(rest.p, rest.n)) < rest.n) {
		typed = typed || strncasecmp(rest.p, "Content-Type:", 13) == 0;
		value = strchr(rest.p, ':');
		/* libcurl takes "Name:" for "not this header", and "Name;" for an empty one. */
		if (value != NULL && value[1 + strspn(value + 1, " \t")] == '\0') {
			empty.n = 0;
			buf_add(&empty, rest.p, (size_t)(value - rest.p));
			buf_add_char(&empty, ';');
			add_header(&list, buf_cstr(&empty));
		} else {
			add_header(&list, rest.p);
		}
		rest = slice_skip(rest, n + 1);
	}
	buf_free(&empty);
	if (!typed)
		add_header(&list, "Content-Type:");
	if (post->gzip)
		add_header(&list, "Content-Encoding: gzip");
	/* No asking first: it costs a second where receivers do not answer that. */
	add_header(&list, "Expect:");
	return list;
}

/* The last word on where a connection goes: the address that was checked, or nowhere. */
static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *wanted)
{
	struct http_call *c = arg;
	const struct sockaddr *checked = http_call_address(c);
	socklen_t len = checked->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						       : sizeof(struct sockaddr_in);
	int fd;

	if (purpose != CURLSOCKTYPE_IPCXN || wanted->socktype != SOCK_STREAM ||
	    !http_same_address(&wanted->addr, checked)) {
		c->strayed = true;
		return CURL_SOCKET_BAD;
	}
	/* With its port, and the scope that libcurl does not know. */
	memcpy(&wanted->addr, checked, len);
	wanted->addrlen = len;
	fd = socket(checked->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return CURL_SOCKET_BAD;
	tcp_set_options(fd, USER_TIMEOUT_MS);
	return fd;
}

static CURLcode
on_tls(CURL *easy, void *ctx, void *arg)
{
	struct http_call *c = arg;
	bool own = c->own != NULL && c->own->ca != NULL;

	(void)easy;
	c->handshake_ms = clock_mono_ms() - c->start_ms;
	return tls_guard(ctx, own ? NULL : c->client->tls, c->host, c->fault)
		   ? CURLE_OK
		   : CURLE_ABORTED_BY_CALLBACK;
}

static void
set_blob(CURL *easy, CURLoption option, const char *text)
{
	struct curl_blob blob = {.flags = CURL_BLOB_NOCOPY};

	if (text == NULL)
		return;
	blob.data = (void *)(uintptr_t)text;
	blob.len = strlen(text);
	curl_easy_setopt(easy, option, &blob);
}

/*
 * The shared CAs are not libcurl's to load: on_tls lends them.  A call's own
 * are, and its certificate: libcurl then uses a connection again for the same
 * ones only.
 */
static void
setup_tls(struct http_call *c)
{
	CURL *easy = c->easy;

	curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	/* A resumed session is not verified again, also not against other CAs. */
	curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, c);
	if (c->own == NULL)
		return;
	set_blob(easy, CURLOPT_CAINFO_BLOB, c->own->ca);
	if (c->own->cert == NULL || c->own->key == NULL)
		return;
	/*
	 * Of these two libcurl compares the certificate only, which is no secret: who
	 * has it without its key must not get the connection of who has both.  So
	 * the key goes in with it; for a certificate nobody takes it.
	 */
	if (c->identity == NULL)
		c->identity = xasprintf("%s\n%s", c->own->cert, c->own->key);
	set_blob(easy, CURLOPT_SSLCERT_BLOB, c->identity);
	set_blob(easy, CURLOPT_SSLKEY_BLOB, c->own->key);
	/* Or OpenSSL asks for it on the terminal. */
	curl_easy_setopt(easy, CURLOPT_KEYPASSWD, "");
}

/*
 * libcurl connects to a literal address and never looks a name up: straight,
 * whatever the URL's host and port are, to the receiver's; else to the proxy's.
 */
static void
setup_way(struct http_call *c)
{
	const struct proxy_url *proxy = &c->client->proxy;
	char text[128], address[64];
	CURL *easy = c->easy;

	http_address_text(http_call_address(c), address);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, c);
	curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	/* "": never what the environment says. */
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	if (proxy->host == NULL) {
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
		snprintf(text, sizeof(text), "::%s", address);
		curl_slist_free_all(c->connect_to);
		c->connect_to = NULL;
		add_header(&c->connect_to, text);
		curl_easy_setopt(easy, CURLOPT_CONNECT_TO, c->connect_to);
		return;
	}
	snprintf(text, sizeof(text), "http://%s", address);
	curl_easy_setopt(easy, CURLOPT_PROXY, text);
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	if (proxy->user != NULL) {
		curl_easy_setopt(easy, CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, proxy->user);
		curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, proxy->password);
	}
}

void
http_call_setup(struct http_call *c)
{
	CURL *easy = c->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, c);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, c->curl_error);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_URL, c->url);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "penstock/" PENSTOCK_VERSION);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, c->headers);
	curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, c->body.n > 0 ? c->body.p : "");
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->body.n);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
	curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_BYTES);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, http_on_head);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, c);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, c);
	if (c->fresh) {
		curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
		curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	}
	setup_way(c);
	if (c->tls)
		setup_tls(c);
}

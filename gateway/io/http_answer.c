#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "io/http_call.h"

enum { RETRY_AFTER_MAX_MS = 3600 * 1000 };

void
http_address_text(const struct sockaddr *sa, char text[64])
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;
	char ip[INET6_ADDRSTRLEN];

	if (sa->sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &in6->sin6_addr, ip, sizeof(ip));
		snprintf(text, 64, "[%s]:%u", ip, ntohs(in6->sin6_port));
	} else {
		inet_ntop(AF_INET, &in->sin_addr, ip, sizeof(ip));
		snprintf(text, 64, "%s:%u", ip, ntohs(in->sin_port));
	}
}

void
http_answer_reset(struct http_call *c)
{
	int64_t resolved_ms = c->answer.resolved_ms;

	c->answer = (struct http_answer){
	    .retry_after_ms = -1,
	    .error = "",
	    .step = c->naddr > 0 ? HTTP_CONNECT : HTTP_RESOLVE,
	    .resolved_ms = resolved_ms,
	    .connected_ms = -1,
	    .tls_ms = -1,
	    .answered_ms = -1,
	};
	if (c->naddr > 0)
		http_address_text(http_call_address(c), c->answer.address);
	c->head_bytes = c->body_bytes = 0;
	c->handshake_ms = -1;
	c->curl_error[0] = '\0';
	c->strayed = c->head_whole = false;
}

/* RFC 9110, section 10.2.3: seconds, or a date. */
static int64_t
retry_after(const char *value)
{
	int64_t ms = 0;
	time_t at;

	if (*value >= '0' && *value <= '9') {
		for (; *value >= '0' && *value <= '9'; value++)
			if (ms < RETRY_AFTER_MAX_MS)
				ms = ms * 10 + (*value - '0') * 1000;
		if (value[strspn(value, " \t\r\n")] != '\0')
			return -1;
	} else {
		at = curl_getdate(value, NULL);
		if (at < 0)
			return -1;
		ms = (int64_t)at * 1000 - clock_wall_us() / 1000;
	}
	if (ms < 0)
		return 0;
	return ms < RETRY_AFTER_MAX_MS ? ms : RETRY_AFTER_MAX_MS;
}

/* A whole header line, or what ends them; the status line of each answer, 1xx too, comes here. */
size_t
http_on_head(char *p, size_t one, size_t n, void *arg)
{
	static const char name[] = "Retry-After:";
	struct http_call *c = arg;
	char value[80];

	(void)one;
	c->head_bytes += n;
	if (c->head_bytes > HTTP_HEAD_BYTES)
		return 0;
	if (n > 5 && strncmp(p, "HTTP/", 5) == 0) {
		c->answer.retry_after_ms = -1;
		c->head_whole = false;
	} else if (*p == '\r' || *p == '\n') {
		c->head_whole = true;
	} else if (n > sizeof(name) && n - sizeof(name) < sizeof(value) &&
		   strncasecmp(p, name, sizeof(name) - 1) == 0) {
		snprintf(value, sizeof(value), "%.*s", (int)(n - (sizeof(name) - 1)),
			 p + sizeof(name) - 1);
		c->answer.retry_after_ms = retry_after(value + strspn(value, " \t"));
	}
	return n;
}

size_t
http_on_body(char *p, size_t one, size_t n, void *arg)
{
	struct http_call *c = arg;
	size_t room = c->body_bytes < sizeof(c->got) ? sizeof(c->got) - c->body_bytes : 0;

	(void)one;
	memcpy(c->got + sizeof(c->got) - room, p, n < room ? n : room);
	c->body_bytes += n;
	return c->body_bytes > HTTP_BODY_BYTES ? 0 : n;
}

/* libcurl's times are microseconds since the attempt began, 0 what was not reached. */
static int64_t
time_of(const struct http_call *c, CURLINFO info)
{
	curl_off_t us = 0;

	curl_easy_getinfo(c->easy, info, &us);
	return us > 0 ? c->sent_ms - c->start_ms + us / 1000 : -1;
}

void
http_answer_facts(struct http_call *c)
{
	struct http_answer *a = &c->answer;
	long status = 0, connects = 0;

	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(c->easy, CURLINFO_NUM_CONNECTS, &connects);
	a->status = (int)status;
	a->body = slice_of(c->got, c->body_bytes < sizeof(c->got) ? c->body_bytes : sizeof(c->got));
	/* libcurl counts the handshake as connecting, until it is over. */
	a->connected_ms =
	    c->handshake_ms >= 0 ? c->handshake_ms : time_of(c, CURLINFO_CONNECT_TIME_T);
	a->tls_ms = c->tls ? time_of(c, CURLINFO_APPCONNECT_TIME_T) : -1;
	/* A connection that was there: all of that is done. */
	if (connects == 0 && time_of(c, CURLINFO_PRETRANSFER_TIME_T) >= 0) {
		a->connected_ms = c->sent_ms - c->start_ms;
		a->tls_ms = c->tls ? a->connected_ms : -1;
	}
	if (a->connected_ms < 0)
		a->step = HTTP_CONNECT;
	else if (c->tls && a->tls_ms < 0)
		a->step = HTTP_TLS;
	else
		a->step = HTTP_ANSWER;
	if (status >= 200)
		a->answered_ms = clock_mono_ms() - c->start_ms;
}

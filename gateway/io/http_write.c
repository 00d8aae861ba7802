#include "io/http_write.h"

#include <time.h>

#include "base/clock.h"

const char http_write_continue[] = "HTTP/1.1 100 Continue\r\n\r\n";
const char http_write_last_chunk[] = "0\r\n\r\n";

static const struct {
	int status;
	const char *words;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

/* Empty for a status that is not listed: the words carry no meaning. */
static const char *
reason_words(int status)
{
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].status == status)
			return reasons[i].words;
	}
	return "";
}

void
http_response_init(struct http_response *response)
{
	*response = (struct http_response){.status = 200, .content_type = "application/json"};
}

void
http_response_free(struct http_response *response)
{
	buf_free(&response->headers);
	buf_free(&response->body);
}

void
http_response_error(struct http_response *response, int status, const char *text)
{
	response->status = status;
	buf_addf(&response->body, "{\"error\":\"%s\"}", text);
}

bool
http_status_has_body(int status)
{
	return status != 204 && status != 304;
}

/* RFC 9110 section 5.6.7; strftime would speak the locale's language. */
static void
add_date(struct buf *out)
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t now = (time_t)(clock_wall_us() / 1000000);
	struct tm tm;

	if (gmtime_r(&now, &tm) == NULL)
		return;
	buf_addf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[tm.tm_wday], tm.tm_mday,
		 months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void
add_status(struct buf *out, int status)
{
	buf_addf(out, "HTTP/1.1 %d %s\r\n", status, reason_words(status));
	add_date(out);
}

void
http_write_head(struct buf *out, const struct http_response *response, bool keep_alive)
{
	add_status(out, response->status);
	if (http_status_has_body(response->status)) {
		buf_addf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n", response->content_type,
			 response->body.n);
	}
	buf_addf(out, "Connection: %s\r\n", keep_alive ? "keep-alive" : "close");
	buf_add_slice(out, buf_slice(&response->headers));
	buf_add_str(out, "\r\n");
}

void
http_write_stream_head(struct buf *out, const struct http_response *response, bool chunked)
{
	add_status(out, response->status);
	buf_addf(out, "Content-Type: %s\r\n%sConnection: close\r\n", response->content_type,
		 chunked ? "Transfer-Encoding: chunked\r\n" : "");
	buf_add_slice(out, buf_slice(&response->headers));
	buf_add_str(out, "\r\n");
}

void
http_write_chunk(struct buf *out, const void *p, size_t n)
{
	buf_addf(out, "%zx\r\n", n);
	buf_add(out, p, n);
	buf_add_str(out, "\r\n");
}

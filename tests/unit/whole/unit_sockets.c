/* Real sockets on 127.0.0.1, ::1 and in a folder of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "whole/sockets.h"

enum { SHARES = 4 };

static char dir[64], path[96], err[CONFIG_ERROR_BYTES];

static int
setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/unit_sockets.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/log", dir);
	err[0] = '\0';
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static struct listen_url
parse(const char *text, bool admin)
{
	struct listen_url url;
	char why[256];

	if (!listen_url_parse(text, admin, &url, why, sizeof(why)))
		fail_msg("%s", why);
	return url;
}

/* That scheme at `path`. */
static struct listen_url
at_path(const char *scheme, bool admin)
{
	char text[160];

	snprintf(text, sizeof(text), "%s://%s", scheme, path);
	return parse(text, admin);
}

static unsigned
port_of(const struct listen_url *url)
{
	return url->addr.ss_family == AF_INET
		   ? ntohs(((const struct sockaddr_in *)&url->addr)->sin_port)
		   : ntohs(((const struct sockaddr_in6 *)&url->addr)->sin6_port);
}

static int
open_alone(struct listen_url *url)
{
	int fd = socket_open_alone(url, "listen", err);

	if (fd < 0)
		fail_msg("%s", err);
	return fd;
}

static void
assert_refused(struct listen_url *url, const char *fault, const char *remedy)
{
	err[0] = '\0';
	assert_int_equal(socket_open_alone(url, "listen", err), -1);
	assert_int_equal(strncmp(err, "listen: \"", 9), 0);
	if (strstr(err, url->text) == NULL || strstr(err, fault) == NULL ||
	    strstr(err, remedy) == NULL)
		fail_msg("%s", err);
}

static bool
connects(const struct listen_url *url)
{
	struct sockaddr_storage addr;
	socklen_t len = listen_url_sockaddr(url, &addr);
	int fd = socket(addr.ss_family, SOCK_STREAM, 0);
	bool does = connect(fd, (struct sockaddr *)&addr, len) == 0;

	close(fd);
	return does;
}

static void
port_0_becomes_the_port_the_kernel_chose(void **state)
{
	static const char *const texts[] = {"syslog+tcp://127.0.0.1:0", "syslog+udp://127.0.0.1:0"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct listen_url url = parse(texts[i], false);
		char name[64], want[64];
		int fd = open_alone(&url);

		assert_int_not_equal(port_of(&url), 0);
		snprintf(want, sizeof(want), "127.0.0.1:%u", port_of(&url));
		socket_name(&url, name, sizeof(name));
		assert_string_equal(name, want);
		if (i == 0)
			assert_true(connects(&url));
		assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
		assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
		close(fd);
		listen_url_free(&url);
	}
}

static void
all_shares_have_one_address(void **state)
{
	static const char *const texts[] = {"syslog+tcp://127.0.0.1:0", "syslog+udp://127.0.0.1:0"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct listen_url url = parse(texts[i], false);
		int fds[SHARES];

		if (!socket_open_shared(&url, "listen", fds, SHARES, err))
			fail_msg("%s", err);
		for (int k = 0; k < SHARES; k++) {
			struct sockaddr_in addr;
			socklen_t len = sizeof(addr);

			assert_int_equal(getsockname(fds[k], (struct sockaddr *)&addr, &len), 0);
			assert_int_equal(ntohs(addr.sin_port), port_of(&url));
			close(fds[k]);
		}
		listen_url_free(&url);
	}
}

/* Else half of the lines would silently go to the other process. */
static void
a_second_process_cannot_share_an_address(void **state)
{
	static const char *const texts[] = {"syslog+tcp://127.0.0.1:0", "syslog+udp://127.0.0.1:0"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct listen_url url = parse(texts[i], false);
		int fds[SHARES], more[SHARES] = {-1, -1, -1, -1};

		assert_true(socket_open_shared(&url, "listen", fds, SHARES, err));
		assert_false(socket_open_shared(&url, "listen", more, SHARES, err));
		assert_non_null(strstr(err, "listen: \"syslog+"));
		assert_non_null(strstr(err, strerror(EADDRINUSE)));
		assert_non_null(strstr(err, "stop it or choose another port"));
		for (int k = 0; k < SHARES; k++)
			assert_int_equal(more[k], -1);
		for (int k = 0; k < SHARES; k++)
			close(fds[k]);
		assert_true(socket_open_shared(&url, "listen", fds, SHARES, err));
		for (int k = 0; k < SHARES; k++)
			close(fds[k]);
		listen_url_free(&url);
	}
}

static void
an_address_of_another_machine_is_refused(void **state)
{
	struct listen_url url = parse("syslog+tcp://192.0.2.1:1514", false);

	(void)state;
	assert_refused(&url, strerror(EADDRNOTAVAIL), "this machine has no such address");
	listen_url_free(&url);
}

static void
an_ipv6_address_is_ipv6_alone_and_a_star_takes_both(void **state)
{
	struct listen_url six = parse("syslog+tcp://[::1]:0", false);
	struct listen_url star = parse("syslog+tcp://*:0", false);
	struct listen_url four = parse("syslog+tcp://127.0.0.1:0", false);
	struct sockaddr_in *v4 = (struct sockaddr_in *)&four.addr;
	char name[64], want[64];
	int fd;

	(void)state;
	fd = socket_open_alone(&six, "listen", err);
	if (fd < 0)
		skip();
	snprintf(want, sizeof(want), "[::1]:%u", port_of(&six));
	socket_name(&six, name, sizeof(name));
	assert_string_equal(name, want);
	assert_true(connects(&six));
	v4->sin_port = htons((uint16_t)port_of(&six));
	assert_false(connects(&four));
	close(fd);

	fd = open_alone(&star);
	v4->sin_port = htons((uint16_t)port_of(&star));
	assert_true(connects(&four));
	close(fd);
	listen_url_free(&six);
	listen_url_free(&star);
	listen_url_free(&four);
}

static void
anybody_may_log_and_only_the_operator_administers(void **state)
{
	static const struct {
		const char *scheme;
		bool admin;
		mode_t mode;
	} kinds[] = {
	    {"syslog+unix", false, 0666}, {"syslog+unixgram", false, 0666}, {"unix", true, 0600}};
	mode_t was = umask(077);

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct listen_url url = at_path(kinds[i].scheme, kinds[i].admin);
		int fd = open_alone(&url);
		char name[128];
		struct stat st;

		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, kinds[i].mode);
		socket_name(&url, name, sizeof(name));
		assert_string_equal(name, path);
		close(fd);
		unlink(path);
		listen_url_free(&url);
	}
	umask(was);
}

static void
a_socket_that_a_killed_process_left_is_replaced(void **state)
{
	static const char *const schemes[] = {"syslog+unix", "syslog+unixgram", "syslog+unix"};

	(void)state;
	/* The third finds the file of a datagram socket. */
	for (size_t i = 0; i < 3; i++) {
		struct listen_url url = at_path(schemes[i], false);

		close(open_alone(&url));
		assert_int_equal(access(path, F_OK), 0);
		close(open_alone(&url));
		listen_url_free(&url);
	}
}

static void
a_socket_in_use_is_left_alone(void **state)
{
	static const char *const schemes[] = {"syslog+unix", "syslog+unixgram"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct listen_url used = at_path(schemes[i], false);
		int fd = open_alone(&used);

		for (size_t k = 0; k < 2; k++) {
			struct listen_url url = at_path(schemes[k], false);
			struct stat st;

			assert_refused(&url, strerror(EADDRINUSE), "another program listens there");
			assert_int_equal(stat(path, &st), 0);
			assert_true(S_ISSOCK(st.st_mode));
			listen_url_free(&url);
		}
		if (i == 0)
			assert_true(connects(&used));
		close(fd);
		unlink(path);
		listen_url_free(&used);
	}
}

static void
write_text(const char *file, const char *text)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
assert_text(const char *file, const char *text)
{
	char got[64] = "";
	FILE *f = fopen(file, "r");

	assert_non_null(f);
	assert_non_null(fgets(got, sizeof(got), f));
	assert_string_equal(got, text);
	fclose(f);
}

static void
a_file_that_is_no_socket_is_left_alone(void **state)
{
	struct listen_url url = at_path("syslog+unixgram", false);
	char target[96];
	struct stat st;

	(void)state;
	write_text(path, "precious");
	assert_refused(&url, strerror(EADDRINUSE), "not a socket");
	assert_text(path, "precious");
	unlink(path);

	/* Nor is what a link leads to. */
	snprintf(target, sizeof(target), "%s/target", dir);
	write_text(target, "precious");
	assert_int_equal(symlink(target, path), 0);
	assert_refused(&url, strerror(EADDRINUSE), "not a socket");
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_text(target, "precious");
	unlink(target);
	listen_url_free(&url);
}

static void
a_folder_that_is_not_there_is_named(void **state)
{
	struct listen_url url = parse("syslog+unix:///nonexistent/folder/log", false);

	(void)state;
	assert_refused(&url, strerror(ENOENT), "check address and permissions");
	listen_url_free(&url);
}

static void
a_folder_that_one_may_not_write_to_is_said(void **state)
{
	struct listen_url url = at_path("syslog+unix", false);
	bool root = geteuid() == 0;

	(void)state;
	assert_int_equal(chmod(dir, 0500), 0);
	if (root)
		assert_int_equal(seteuid(65534), 0);
	assert_refused(&url, strerror(EACCES), "this user may not make a socket there");
	if (root)
		assert_int_equal(seteuid(0), 0);
	chmod(dir, 0700);
	listen_url_free(&url);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(port_0_becomes_the_port_the_kernel_chose),
	    T(all_shares_have_one_address),
	    T(a_second_process_cannot_share_an_address),
	    T(an_address_of_another_machine_is_refused),
	    T(an_ipv6_address_is_ipv6_alone_and_a_star_takes_both),
	    T(anybody_may_log_and_only_the_operator_administers),
	    T(a_socket_that_a_killed_process_left_is_replaced),
	    T(a_socket_in_use_is_left_alone),
	    T(a_file_that_is_no_socket_is_left_alone),
	    T(a_folder_that_is_not_there_is_named),
	    T(a_folder_that_one_may_not_write_to_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "whole/data_dir.h"

static char parent[64], path[96], lock_path[128], err[CONFIG_ERROR_BYTES];

static int
setup(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	snprintf(parent, sizeof(parent), "/tmp/unit_data_dir.XXXXXX");
	if (mkdtemp(parent) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/data", parent);
	snprintf(lock_path, sizeof(lock_path), "%s/lock", path);
	err[0] = '\0';
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(lock_path);
	rmdir(path);
	unlink(path);
	return rmdir(parent);
}

static int
take(void)
{
	int fd = data_dir_take(path, err);

	if (fd < 0)
		fail_msg("%s", err);
	return fd;
}

static void
assert_refused(const char *name, const char *fault, const char *remedy)
{
	err[0] = '\0';
	assert_int_equal(data_dir_take(name, err), -1);
	assert_int_equal(strncmp(err, "data-dir: \"", 11), 0);
	if (strstr(err, name) == NULL || strstr(err, fault) == NULL || strstr(err, remedy) == NULL)
		fail_msg("%s", err);
}

static void
a_missing_folder_is_made_for_its_owner_alone(void **state)
{
	mode_t was = umask(0);
	struct stat st;
	int fd = take();

	(void)state;
	umask(was);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(lock_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	close(fd);
}

static void
a_folder_in_use_is_refused_until_it_is_free(void **state)
{
	int fd = take();

	(void)state;
	assert_refused(path, strerror(EWOULDBLOCK), "another penstockd uses it; stop that one");
	assert_refused(path, strerror(EWOULDBLOCK), "another penstockd uses it; stop that one");
	close(fd);
	close(take());
}

/* As after kill -9: the lock file stays, the lock does not. */
static void
a_killed_process_leaves_no_lock(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0)
		_exit(data_dir_take(path, err) < 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(access(lock_path, F_OK), 0);
	close(take());
}

static void
a_folder_that_is_there_keeps_its_mode_and_content(void **state)
{
	char other[128];
	struct stat st;

	(void)state;
	snprintf(other, sizeof(other), "%s/other", path);
	assert_int_equal(mkdir(path, 0750), 0);
	assert_int_equal(chmod(path, 0750), 0);
	assert_int_equal(mkdir(other, 0700), 0);
	close(take());
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(rmdir(other), 0);
}

static void
a_file_in_its_place_is_refused_untouched(void **state)
{
	struct stat st;
	int fd = open(path, O_WRONLY | O_CREAT, 0644);

	(void)state;
	assert_int_equal(write(fd, "data", 4), 4);
	close(fd);
	assert_refused(path, strerror(ENOTDIR), "it must be a folder");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 4);
}

static void
a_folder_within_none_is_refused(void **state)
{
	(void)state;
	assert_refused("/nonexistent/folder/data", strerror(ENOENT), "create it");
}

static void
a_folder_that_one_may_not_write_to_is_refused(void **state)
{
	bool root = geteuid() == 0;

	(void)state;
	assert_int_equal(mkdir(path, 0500), 0);
	assert_int_equal(chmod(parent, 0755), 0);
	if (root)
		assert_int_equal(seteuid(65534), 0);
	assert_refused(path, strerror(EACCES), "may write to");
	if (root)
		assert_int_equal(seteuid(0), 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(a_missing_folder_is_made_for_its_owner_alone),
	    T(a_folder_in_use_is_refused_until_it_is_free),
	    T(a_killed_process_leaves_no_lock),
	    T(a_folder_that_is_there_keeps_its_mode_and_content),
	    T(a_file_in_its_place_is_refused_untouched),
	    T(a_folder_within_none_is_refused),
	    T(a_folder_that_one_may_not_write_to_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

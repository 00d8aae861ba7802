#include "plumb/mailbox.h"

#include <assert.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/xmalloc.h"

struct mailbox {
	pthread_mutex_t lock;
	struct mail *first; /* under the lock, as is end */
	struct mail **end;  /* where the next mail is linked */

	int fd; /* eventfd: readable while something may lie in the list */
	struct event *readable;
	void *owner;
	int delivering;
};

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	mailbox_turn(arg);
}

struct mailbox *
mailbox_new(struct event_base *base, void *owner)
{
	struct mailbox *box = xcalloc(1, sizeof(*box));

	box->owner = owner;
	box->end = &box->first;
	pthread_mutex_init(&box->lock, NULL);
	box->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (box->fd >= 0)
		box->readable = event_new(base, box->fd, EV_READ | EV_PERSIST, on_readable, box);
	if (box->readable == NULL || event_add(box->readable, NULL) != 0) {
		mailbox_free(box);
		return NULL;
	}
	return box;
}

void
mailbox_free(struct mailbox *box)
{
	if (box == NULL)
		return;
	assert(box->first == NULL && !box->delivering);
	if (box->readable != NULL)
		event_free(box->readable);
	if (box->fd >= 0)
		close(box->fd);
	pthread_mutex_destroy(&box->lock);
	free(box);
}

void
mailbox_push(struct mailbox *box, struct mail *mail)
{
	const uint64_t one = 1;
	ssize_t n;

	mail->next = NULL;
	pthread_mutex_lock(&box->lock);
	if (box->first == NULL) {
		/*
		 * Inside the lock: the owner may free the box once it has this
		 * mail, and it cannot have it before the lock is released.
		 * The counter never comes near its end, so it cannot block.
		 */
		n = write(box->fd, &one, sizeof(one));
		assert(n == (ssize_t)sizeof(one));
		(void)n;
	}
	*box->end = mail;
	box->end = &mail->next;
	pthread_mutex_unlock(&box->lock);
}

void
mailbox_turn(struct mailbox *box)
{
	struct mail *mail, *next;
	uint64_t count;
	ssize_t n;

	/* A second turn inside a delivery would overtake the rest of the first. */
	assert(!box->delivering);

	/* Before the list is taken: a later push then signals anew. */
	n = read(box->fd, &count, sizeof(count));
	(void)n;

	pthread_mutex_lock(&box->lock);
	mail = box->first;
	box->first = NULL;
	box->end = &box->first;
	pthread_mutex_unlock(&box->lock);

	box->delivering = 1;
	for (; mail != NULL; mail = next) {
		next = mail->next;
		mail->deliver(mail, box->owner);
	}
	box->delivering = 0;
}

#include "plumb/net_error.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const struct {
	int err;
	const char *words;
} known[] = {
    {0, "connection closed by the peer"},
    {ECONNREFUSED, "connection refused"},
    {ECONNRESET, "connection reset by the peer"},
    {EPIPE, "connection closed by the peer"},
    {ETIMEDOUT, "connection timed out: the peer stopped answering"},
    {EHOSTUNREACH, "no route to host"},
    {ENETUNREACH, "network unreachable"},
    {EADDRNOTAVAIL, "no local address or port left to connect from"},
    {EMFILE, "out of file descriptors; raise the process's limit (LimitNOFILE, ulimit -n)"},
    {ENFILE, "the system is out of file descriptors"},
    {EACCES, "not permitted by the system"},
    {EPERM, "not permitted by the system (firewall?)"},
};

const char *
net_error(int err)
{
	static _Thread_local char other[80];

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].err == err)
			return known[i].words;
	return strerror_r(err, other, sizeof(other));
}

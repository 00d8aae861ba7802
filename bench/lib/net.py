"""Where everybody listens, and waiting until they do."""

import os
import socket
import time

# An address of its own, so that two that run at once are not in each other's way.
_NUMBER = os.getpid() % 2**22
ADDRESS = f"127.{64 + _NUMBER // 2**16}.{_NUMBER // 2**8 % 256}.{_NUMBER % 256}"
ROUTER_PORT = 18514  # lines come here
ADMIN_PORT = 18515  # penstock's admin API
DEAD_PORT = 18590  # nothing ever listens here
STALL_PORT = 18591  # accepts, and never reads
SINK_PORT = 18600  # and as many above it as a line has copies
START_SECONDS = 60  # rsyslogd reads 10,000 rulesets, and penstock is told of as many drains


class Failed(Exception):
    """A run that came to nothing; its text says why."""


def listening(port):
    """Whether a socket listens there, without connecting to it."""
    wanted = f"{socket.inet_aton(ADDRESS)[::-1].hex().upper()}:{port:04X}"
    with open("/proc/net/tcp", encoding="ascii") as table:
        return any(f[1] == wanted and f[3] == "0A" for f in map(str.split, table))


def wait_until(what, ready, process):
    """Until ready() is true; Failed if the process ends first, or it takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None:
            raise Failed(f"{what}: ended with status {process.returncode}")
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not up after {START_SECONDS} s")
        time.sleep(0.02)

"""Where everybody listens, and waiting until they do."""

import time

ADDRESS = "127.0.0.1"
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
    wanted = f":{port:04X}"
    with open("/proc/net/tcp", encoding="ascii") as table:
        return any(
            fields[1].endswith(wanted) and fields[3] == "0A" for fields in map(str.split, table)
        )


def wait_until(what, ready, process):
    """Until ready() is true; Failed if the process ends first, or it takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None:
            raise Failed(f"{what}: ended with status {process.returncode}")
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not up after {START_SECONDS} s")
        time.sleep(0.02)

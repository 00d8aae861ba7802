# 24. The clock jumps by an hour, forth and back, while lines flow and wait:
# no session, connection or waiting line takes that for an hour.

import datetime
import os
import pathlib
import platform
import time

import pytest

from lib import syslog, tools
from lib.gateway import SANITIZED

from faults.lib.rig import counter, times

# faketime(1)'s library changes what clock_gettime says of the time of day, as a
# file says that may change; the monotonic clock and all timers stay the kernel's.
LIBRARY = pathlib.Path(f"/usr/lib/{platform.machine()}-linux-gnu/faketime/libfaketimeMT.so.1")

HOUR = 3600


class Clock:
    def __init__(self, directory):
        self.file = directory / "clock"
        self.env = {"LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(self.file),
                    "FAKETIME_NO_CACHE": "1", "DONT_FAKE_MONOTONIC": "1",
                    "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        self.set(0)

    def set(self, seconds):
        """So far from the real time."""
        new = self.file.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        os.replace(new, self.file)

    def works(self):
        """The clock of date(1) is an hour ahead."""
        self.set(HOUR)
        at = int(tools.run("env", *(f"{k}={v}" for k, v in self.env.items()), "date", "+%s").stdout)
        self.set(0)
        return abs(at - time.time() - HOUR) < 60


def ahead(gw, drain):
    """How far the gateway believes to be ahead, in hours."""
    at = gw.status(drain.app, drain.url)["last_delivered"].replace("Z", "+00:00")
    return round((datetime.datetime.fromisoformat(at).timestamp() - time.time()) / HOUR)


@pytest.mark.skipif(SANITIZED, reason="a sanitizer's library must be the first one")
def test_an_hour_forth_and_back(rig, tmp_path):
    assert LIBRARY.exists(), "libfaketime is missing: run script/bootstrap --tests"
    clock = Clock(tmp_path)
    assert clock.works()
    sinks, away = [rig.sink() for _ in range(2)], rig.sink()
    gw = rig.start(env=clock.env, spool_age="50m")
    drains = [rig.drain(f"a{i}", sink) for i, sink in enumerate(sinks)]
    waiting = rig.drain("a2", away, touched=True)
    steady = rig.offer(["a0", "a1", "a2"], rate=1500)
    idle = gw.connect()
    idle.sendall(syslog.lf(syslog.numbered("nobody", 1)))  # one that said nothing may go after 30 s
    rig.run(0.5)
    with rig.fault():
        away.refuse()
        for offset in times([HOUR, -HOUR, 0], [HOUR, -HOUR, 2 * HOUR, 0, -24 * HOUR, 0] * 3):
            clock.set(offset)
            rig.run(times(1, 4))
            assert ahead(gw, drains[0]) == offset // HOUR, "it looks at another clock"
        away.accept()
    rig.run(0.3)
    rig.verdict()
    assert steady.losses == 0 and counter(gw, "sessions_timed_out_total") == 0
    assert all(gw.status(d.app, d.url)["retries"] == 0 for d in drains)
    assert gw.status("a2", waiting.url)["dropped"].get("age", 0) == 0
    idle.setblocking(False)
    with idle, pytest.raises(BlockingIOError):
        idle.recv(1)  # it is still there

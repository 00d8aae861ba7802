# A disk that takes seconds for a sync: who waits for an acknowledgement waits that
# long, nobody else does, and nothing is lost or counted as lost by it.

import os
import time

import pytest

from lib import address, relp, syslog

from faults.lib import read_back


class SlowDisk:
    """Of a gateway that is not started yet."""

    def __init__(self, path):
        self.path = path
        self.set(0)
        options = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        self.env = {"LD_PRELOAD": str(read_back.tool("libslow_sync.so")), "SLOW_SYNC": str(path),
                    "ASAN_OPTIONS": options.removeprefix(":")}

    def set(self, seconds):
        new = self.path.with_suffix(".new")
        new.write_text(str(round(seconds * 1000)))
        os.replace(new, self.path)


@pytest.fixture
def disk(tmp_path):
    return SlowDisk(tmp_path / "slow")


def dead_drain(gw, receiver, app="shop"):
    sink = receiver()
    url = gw.add_drain(app, sink)
    sink.stop()
    return url, sink


@pytest.mark.sanitized
def test_a_stop_waits_for_what_is_being_written(gateway, receiver, disk):
    """It is on disk by its end, so it was not abandoned, however long that took."""
    gw = gateway(env=disk.env, stop_timeout="200ms", spool_after="600ms")
    url, sink = dead_drain(gw, receiver)
    gw.send(syslog.numbered("shop", 100))
    gw.wait_status("shop", url, lambda s: s["waiting"]["spool"]["lines"] == 100, "on disk")
    disk.set(8)
    gw.send(syslog.numbered("shop", 100, first=100))
    time.sleep(1)
    gw.stop()
    assert not gw.find_log(msg="stopped with lines")
    disk.set(0)
    gw.start()
    sink.start()
    assert syslog.numbers(sink.wait(200)) == list(range(200))


@pytest.mark.sanitized
def test_who_is_acknowledged_waits_and_nobody_else_does(gateway, receiver, disk):
    host = address.fresh()
    gw = gateway(env=disk.env, listen=[f"relp://{host}:0", "syslog+tcp://127.0.0.1:0"])
    gw.listen[0] = f"relp://{gw.addresses[0]}"
    _, away = dead_drain(gw, receiver)
    well = receiver()
    gw.add_drain("blog", well)
    port = gw.port(0)
    disk.set(0.7)
    client = relp.Client(host, port, window=10000)
    client.lines(syslog.numbered("shop", 2000))
    assert len(client.answers) < 2001
    began = time.monotonic()
    gw.send(syslog.numbered("blog", 1000), index=1)
    well.wait(1000)
    assert len(client.answers) < 2001 or time.monotonic() - began > 1.4, "nothing was slow"
    client.wait()
    gw.kill()
    disk.set(0)
    gw.start()
    away.start()
    assert syslog.numbers(away.wait(2000)) == list(range(2000))

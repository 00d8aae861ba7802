# SIGTERM while receivers are dead: the process ends with status 0 within
# stop-timeout plus a second, and its log counts what it had to give up.

import time

import pytest

from lib import receivers, syslog


def stop_seconds(gw):
    started = time.monotonic()
    gw.stop()
    return time.monotonic() - started


def abandoned(gw):
    lines = gw.find_log(msg="stopped with lines")
    return [int(l["lines_abandoned"]) for l in lines]


@pytest.mark.threaded
@pytest.mark.parametrize("workers", [1, 3])
def test_refused_stalled_and_mute(gateway, receiver, ca, workers):
    gw = gateway(workers=workers, ca_file=ca.file, stop_timeout="1s", spool_size="0")
    stalled, mute = receiver(reading=False, rcvbuf=4096), receiver(reading=False)
    host, port = receivers.refused()
    gw.add_drain("refused", type="syslog", host=host, port=str(port))
    gw.add_drain("unknown", type="syslog", host="no-such-host.invalid", port="514")
    gw.add_drain("mute", mute, protocol="tls")
    for app in ("refused", "unknown", "mute"):
        gw.send(syslog.numbered(app, 10))
        gw.wait_status(app, gw.drains(app)[0]["url"],
                       lambda s: s["waiting"]["memory"]["lines"] == 10, "10 lines wait")
    gw.add_drain("stalled", stalled)
    gw.send([syslog.line("stalled", "x" * 1000)] * 900)
    seconds = stop_seconds(gw)
    assert 0.9 < seconds < 2.5  # and a little for a busy machine
    (lines,) = abandoned(gw)
    assert 30 <= lines <= 930


def test_the_timeout_is_the_configured_one(gateway):
    gw = gateway(stop_timeout="300ms", spool_size="0")
    host, port = receivers.refused()
    url = gw.add_drain("shop", type="syslog", host=host, port=str(port))
    gw.send(syslog.numbered("shop", 25))
    gw.wait_status("shop", url, lambda s: s["waiting"]["memory"]["lines"] == 25, "25 lines wait")
    assert stop_seconds(gw) < 1.5
    assert abandoned(gw) == [25]


def test_nothing_waits_for_a_dead_drain_without_lines(gateway):
    gw = gateway(stop_timeout="20s")
    host, port = receivers.refused()
    gw.add_drain("shop", type="syslog", host=host, port=str(port))
    assert stop_seconds(gw) < 3
    assert abandoned(gw) == []


@pytest.mark.threaded
@pytest.mark.parametrize("workers", [1, 3])
def test_slow_readers_get_everything_that_fits(gateway, receiver, workers):
    """They read in fits and starts; what was sent before SIGTERM arrives all the same."""
    gw = gateway(workers=workers, stop_timeout="20s", app_memory="8MiB")
    sinks = {f"app-{i}": receiver(rcvbuf=8192, reading=False) for i in range(4)}
    lines = {app: [syslog.line(app, f"line {i} " + "x" * 900) for i in range(1500)] for app in sinks}
    for app, sink in sinks.items():
        gw.add_drain(app, sink)
    for app in sinks:
        gw.send(lines[app])
    gw.signal(15)
    for step in range(12):
        time.sleep(0.1)
        for i, sink in enumerate(sinks.values()):
            sink.set_reading((step + i) % 3 == 0 or step > 9)
    gw.finish()
    for app, sink in sinks.items():
        assert sink.wait(1500) == lines[app]
    assert abandoned(gw) == []

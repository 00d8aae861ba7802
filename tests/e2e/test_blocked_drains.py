# Drains of types that are kept and do not deliver yet say so in their state, keep
# no lines, and hold up neither the app's other drains nor a stop.

import time

import pytest

from lib import syslog

TYPES = {"datadog": {"token": "T", "drain_region": "eu"}, "elk": {"url": "http://127.0.0.1:9/in"}}


@pytest.mark.parametrize("kind", TYPES)
def test_they_say_so(gateway, receiver, kind):
    gw, sink = gateway(stop_timeout="20s"), receiver()
    url = gw.add_drain("shop", type=kind, **TYPES[kind])
    gw.add_drain("shop", sink)
    gw.send(syslog.numbered("shop", 1000))
    sink.wait(1000)
    status = gw.status("shop", url)
    assert status["state"] == "blocked" and status["connected_since"] is None
    assert f"type {kind} is stored but does not deliver" in status["last_error"]["error"]
    assert status["delivered"] == {"lines": 0, "bytes": 0} and status["retries"] == 0
    assert status["waiting"] == {"memory": {"lines": 0, "bytes": 0}, "oldest_ms": None}
    gw.restart()
    assert gw.status("shop", url)["state"] == "blocked"
    started = time.monotonic()
    gw.send(syslog.numbered("shop", 1000))
    gw.stop()
    assert time.monotonic() - started < 5
    sink.wait(2000)

# One HTTP drain that hangs, fails or is slow changes nothing for another drain,
# of the same app or of others, over HTTP or as a stream.

import time

import pytest

from lib import http_receivers, syslog, vendors

# From sending to arrival, on a machine that is busy with other things, in seconds.
PROMPT = 3.0


@pytest.mark.threaded
def test_beside_hanging_drains(gateway, http_receiver, receiver, ca):
    gw = gateway(ca_file=ca.file, batch_wait="0", stop_timeout="100ms")
    hanging = http_receiver(vendors.Logplex())
    hanging.decide = lambda request: http_receivers.hang()
    endless = http_receiver(vendors.Logplex())
    endless.decide = lambda request: http_receivers.endless_headers()
    healthy, stream = http_receiver(vendors.Logplex()), receiver()
    gw.add_drain("shop", type="https", url=hanging.url())
    gw.add_drain("shop", type="https", url=hanging.url("/?concurrency"), concurrency="4")
    gw.add_drain("shop", type="https", url=endless.url())
    gw.add_drain("shop", type="https", url=healthy.url())
    gw.add_drain("shop", stream)
    for i in range(40):
        gw.send(syslog.numbered("shop", 1, first=i))
        stream.wait(i + 1, timeout=PROMPT)
        healthy.wait(i + 1, timeout=PROMPT)
    assert healthy.numbers == syslog.numbers(stream.texts) == list(range(40))


def test_a_flood_beside_a_hanging_drain(gateway, http_receiver, receiver, ca):
    """More than all of a worker's memory, twice: the hanging drain lags alone."""
    gw = gateway(ca_file=ca.file, worker_memory="2MiB", app_memory="1MiB", stop_timeout="100ms",
                 spool_size="0")
    hanging, healthy = http_receiver(vendors.Logplex()), receiver()
    hanging.decide = lambda request: http_receivers.hang()
    url = gw.add_drain("shop", type="https", url=hanging.url())
    gw.add_drain("shop", healthy)
    lines = [syslog.line("shop", f"line {i} " + "x" * 900) for i in range(8000)]
    begin = time.monotonic()
    for at in (0, 4000):
        gw.send(lines[at:at + 4000])
        healthy.wait(at + 4000)
    assert time.monotonic() - begin < 15
    assert syslog.numbers(healthy.texts) == list(range(8000))
    status = gw.wait_status("shop", url, lambda s: s["dropped"]["memory"] > 0, "trimmed")
    assert status["waiting"]["memory"]["bytes"] < 4 << 20

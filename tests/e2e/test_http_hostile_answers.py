# Receivers that hang, trickle, close, never end their headers or talk garbage:
# the request fails in bounded time and memory, and the same batch goes out again.

import pytest

from lib import http_receivers, syslog, vendors
from lib.gateway import SANITIZED

TIMEOUT = 2

HOSTILE = {f.__name__: f for f in (
    http_receivers.hang, http_receivers.close_at_once, http_receivers.close_in_the_middle,
    http_receivers.close_in_the_headers, http_receivers.garbage, http_receivers.trickle,
    http_receivers.trickled_body, http_receivers.endless_headers,
    http_receivers.endless_header_line, http_receivers.endless_body,
    http_receivers.endless_continues)}


@pytest.mark.threaded
@pytest.mark.parametrize("name", HOSTILE)
def test_the_same_batch_again(gateway, http_receiver, ca, name):
    sink = http_receiver(vendors.Logplex())
    gw = gateway(ca_file=ca.file, batch_wait="50ms", http_timeout=f"{TIMEOUT}s")
    url = gw.add_drain("shop", type="https", url=sink.url())
    before = gw.memory_bytes()
    sink.say(HOSTILE[name]())
    gw.send(syslog.numbered("shop", 20))
    sink.wait_requests(1)
    gw.send(syslog.numbered("shop", 20, first=20))
    status = gw.wait_status("shop", url, lambda s: s["last_error"], "an error", TIMEOUT + 5)
    assert status["state"] in ("retrying", "connected", "idle") and status["last_error"]["error"]
    sink.wait(40)
    assert sink.numbers == list(range(40))
    first, second = sink.requests[:2]
    assert first.body == second.body and second.at - first.at < TIMEOUT + 5
    assert first.headers["Logplex-Frame-Id"] == second.headers["Logplex-Frame-Id"]
    status = gw.wait_delivered("shop", url, 40)
    assert status["retries"] >= 1
    assert SANITIZED or gw.memory_bytes() - before < 16 << 20


def test_a_hanging_receiver_is_named(gateway, http_receiver, ca):
    sink = http_receiver(vendors.Logplex())
    sink.decide = lambda request: http_receivers.hang()
    gw = gateway(ca_file=ca.file, batch_wait="0", http_timeout="1s", stop_timeout="100ms")
    url = gw.add_drain("shop", type="https", url=sink.url())
    gw.send(syslog.numbered("shop", 1))
    status = gw.wait_status("shop", url, lambda s: s["last_error"], "an error")
    error = status["last_error"]["error"]
    assert "time" in error or "within" in error or "no answer" in error, error


def test_a_receiver_that_accepts_and_never_handshakes(gateway, receiver, ca):
    sink = receiver(reading=False)
    gw = gateway(ca_file=ca.file, batch_wait="0", http_timeout="1s", stop_timeout="100ms")
    url = gw.add_drain("shop", type="https", url=f"https://{sink.host}:{sink.port}/")
    gw.send(syslog.numbered("shop", 1))
    status = gw.wait_status("shop", url, lambda s: s["last_error"], "an error")
    assert status["state"] == "retrying" and status["waiting"]["memory"]["lines"] == 1


def test_a_success_without_end_is_a_success_or_tried_again(gateway, http_receiver, ca):
    """200 and an endless body: whatever it counts as, it holds nothing up and costs no memory."""
    sink = http_receiver(vendors.Logplex())
    sink.say(http_receivers.endless_body(200))
    gw = gateway(ca_file=ca.file, batch_wait="0", http_timeout="1s")
    before = gw.memory_bytes()
    gw.add_drain("shop", type="https", url=sink.url())
    gw.send(syslog.numbered("shop", 1))
    sink.wait_requests(1)
    gw.send(syslog.numbered("shop", 1, first=1))
    sink.wait(1, timeout=10)
    assert sink.numbers in ([0, 1], [1], [0])
    assert SANITIZED or gw.memory_bytes() - before < 16 << 20

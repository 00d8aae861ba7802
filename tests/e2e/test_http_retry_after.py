# 429 and 503 with Retry-After: no request before that time is over, and the
# same batch then.

import email.utils
import time

import pytest

from lib import http_receivers, syslog, vendors, wait


@pytest.mark.threaded
@pytest.mark.parametrize("code", [429, 503])
def test_seconds(gateway, http_receiver, ca, code):
    sink = http_receiver(vendors.Logplex())
    gw = gateway(ca_file=ca.file, batch_wait="0")
    url = gw.add_drain("shop", type="https", url=sink.url())
    sink.say(http_receivers.Answer(code, b"slow down", headers={"Retry-After": "3"}))
    gw.send(syslog.numbered("shop", 5))
    sink.wait_requests(1)
    status = gw.wait_status("shop", url, lambda s: s["last_error"], "an error")
    assert status["state"] == "retrying" and f"HTTP {code}" in status["last_error"]["error"]
    gw.send(syslog.numbered("shop", 5, first=5))
    sink.wait(10)
    assert sink.numbers == list(range(10))
    first, second = sink.requests[:2]
    assert 2.9 <= second.at - first.at <= 6
    assert first.headers["Logplex-Frame-Id"] == second.headers["Logplex-Frame-Id"]
    assert first.body == second.body


def test_a_date(gateway, http_receiver, ca):
    sink = http_receiver(vendors.Logplex())
    gw = gateway(ca_file=ca.file, batch_wait="0")
    gw.add_drain("shop", type="https", url=sink.url())
    until = email.utils.formatdate(time.time() + 4, usegmt=True)
    sink.say(http_receivers.Answer(429, headers={"Retry-After": until}))
    gw.send(syslog.numbered("shop", 1))
    first, second = sink.wait_requests(2)
    assert 2.5 <= second.at - first.at <= 8


def test_zero_is_no_reason_to_hurry(gateway, http_receiver, ca):
    """A receiver that always says so is not asked over and over."""
    sink = http_receiver(vendors.Logplex())
    gw = gateway(ca_file=ca.file, batch_wait="0", stop_timeout="100ms")
    gw.add_drain("shop", type="https", url=sink.url())
    sink.decide = lambda request: http_receivers.Answer(503, headers={"Retry-After": "0"})
    gw.send(syslog.numbered("shop", 1))
    sink.wait_requests(1)
    wait.stays(lambda: len(sink.requests) <= 5, lambda: f"{len(sink.requests)} requests", 2)


@pytest.mark.parametrize("value", ["never", "-5", "99999999999999999999", "1e3", ""])
def test_nonsense_does_not_stop_it(gateway, http_receiver, ca, value):
    sink = http_receiver(vendors.Logplex())
    gw = gateway(ca_file=ca.file, batch_wait="0")
    url = gw.add_drain("shop", type="https", url=sink.url())
    sink.say(http_receivers.Answer(429, headers={"Retry-After": value}))
    gw.send(syslog.numbered("shop", 1))
    if value.startswith("9"):  # a time after all, and bounded
        assert gw.wait_status("shop", url, lambda s: s["retries"], "tried")["state"] == "retrying"
    else:
        sink.wait(1, timeout=10)

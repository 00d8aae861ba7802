# A refusal that only a person can lift (a key, an address, an account): the
# drain is blocked and says why, keeps its lines within the caps, gives none up,
# asks slowly, and goes on by itself when the receiver relents.

import pytest

from lib import http_receivers, syslog, vendors, wait


@pytest.fixture
def shop(gateway, http_receiver, ca):
    def make(**keys):
        sink = http_receiver(vendors.Logplex())
        gw = gateway(ca_file=ca.file, **{"batch_wait": "50ms", **keys})
        return gw, gw.add_drain("shop", type="https", url=sink.url()), sink

    return make


@pytest.mark.threaded
@pytest.mark.parametrize("code", [401, 403, 404, 301, 307, 407])
def test_blocked_and_back(shop, code):
    gw, url, sink = shop()
    sink.decide = lambda request: http_receivers.Answer(
        code, b"no such account\n", headers={"Location": sink.url("/elsewhere")})
    gw.send(syslog.numbered("shop", 100))
    status = gw.wait_status("shop", url, lambda s: s["state"] == "blocked", "blocked")
    assert f"HTTP {code}" in status["last_error"]["error"]
    assert "no such account" in status["last_error"]["error"]
    assert status["waiting"]["memory"]["lines"] == 100
    assert status["dropped"]["refused"] == 0 and status["delivered"]["lines"] == 0
    assert {r.path for r in sink.requests} == {"/"}
    assert len(sink.requests) <= 2
    sink.decide = lambda request: None
    sink.wait(100)
    assert sink.numbers == list(range(100))
    status = gw.wait_delivered("shop", url, 100)
    assert status["state"] in ("connected", "idle") and status["dropped"]["refused"] == 0


def test_asked_slowly(shop):
    """Also while new lines come all the time."""
    gw, url, sink = shop()
    sink.decide = lambda request: 403
    gw.send(syslog.numbered("shop", 1))
    gw.wait_status("shop", url, lambda s: s["state"] == "blocked", "blocked")
    for i in range(20):
        gw.send(syslog.numbered("shop", 5, first=1 + 5 * i))
        wait.stays(lambda: len(sink.requests) <= 3, "3 requests at most", 0.15)
    assert gw.status("shop", url)["waiting"]["memory"]["lines"] == 101


def test_within_the_caps(shop, receiver):
    """More than app-memory waits: the oldest go, counted and said; others see everything."""
    gw, url, sink = shop(app_memory="256KiB", worker_memory="2MiB")
    healthy = receiver()
    gw.add_drain("shop", healthy)
    sink.decide = lambda request: 403
    gw.send(syslog.numbered("shop", 1))
    gw.wait_status("shop", url, lambda s: s["state"] == "blocked", "blocked")
    gw.send([syslog.line("shop", f"line {i} " + "x" * 900) for i in range(1, 4000)])
    healthy.wait(4000)
    assert syslog.numbers(healthy.texts) == list(range(4000))
    status = gw.wait_status("shop", url, lambda s: s["dropped"]["memory"] > 3000, "trimmed")
    assert status["waiting"]["memory"]["bytes"] < 1 << 20 and status["state"] == "blocked"
    sink.decide = lambda request: None
    gw.wait_status("shop", url, lambda s: s["waiting"]["memory"]["lines"] == 0, "empty")
    dropped = gw.status("shop", url)["dropped"]["memory"]
    notices = [m for m in sink.messages if m.startswith("Error: ")]
    assert [n for n in notices if f"Error: {dropped} lines dropped since" in n], notices
    numbers = [int(m.split()[1]) for m in sink.messages if m not in notices]
    assert numbers == sorted(set(numbers)) and numbers[-1] == 3999
    assert len(numbers) + dropped == 4000

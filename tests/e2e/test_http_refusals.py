# A refusal that only a person can lift (a key, an address, an account): the
# drain is blocked and says why, keeps its lines within the caps, gives none up,
# asks slowly, and goes on by itself when the receiver relents.

import pytest

from lib import http_receivers, syslog, vendors, wait


@pytest.fixture
def shop(gateway, http_receiver, ca):
    def make(**keys):
        sink = http_receiver(vendors.Logplex())
        gw = gateway(ca_file=ca.file, spool_size="0", **{"batch_wait": "50ms", **keys})
        return gw, gw.add_drain("shop", type="https", url=sink.url()), sink

    return make


@pytest.mark.threaded
def test_blocked_and_back(gateway, http_receiver, ca):
    gw = gateway(ca_file=ca.file, batch_wait="50ms")
    sinks = {}
    for code in (401, 402, 403, 404, 410, 301, 307, 407):
        sink = sinks[f"app-{code}"] = http_receiver(vendors.Logplex())
        sink.decide = lambda request, code=code, sink=sink: http_receivers.Answer(
            code, b"no such account\n", headers={"Location": sink.url("/elsewhere")})
    urls = {app: gw.add_drain(app, type="https", url=sink.url()) for app, sink in sinks.items()}
    gw.send([line for app in sinks for line in syslog.numbered(app, 100)])
    for app, sink in sinks.items():
        status = gw.wait_status(app, urls[app], lambda s: s["state"] == "blocked", "blocked")
        assert status["last_error"]["error"] == f"HTTP {app[4:]}: no such account"
        assert status["waiting"]["memory"]["lines"] == 100
        assert status["dropped"]["refused"] == 0 and status["delivered"]["lines"] == 0
        assert {r.path for r in sink.requests} == {"/"} and len(sink.requests) <= 2
    for sink in sinks.values():
        sink.decide = lambda request: None
    for app, sink in sinks.items():
        sink.wait(100)
        assert sink.numbers == list(range(100))
        status = gw.wait_delivered(app, urls[app], 100)
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

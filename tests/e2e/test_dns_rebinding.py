# A name that leads to an allowed address first and to another one later: every
# connection is made to an address that was checked, and to no other.

import time

import pytest

from lib import syslog, vendors, wait
from lib.gateway import SANITIZED

PUBLIC, MOVED = "93.184.216.34", "93.184.216.35"
ADDRESSES = [f"{PUBLIC}/32", f"{MOVED}/32"]

# How long an answer is kept, and a little.
KEPT_SECONDS = 61


@pytest.fixture
def gateway(gateway):
    """Lines that nobody takes are not waited for at the end."""
    return lambda **more: gateway(**{"stop_timeout": "100ms", **more})


def turns(*answers):
    """The n-th look-up's answer; the last one stays."""
    return lambda turn: answers[min(turn, len(answers) - 1)]


def answers_grow_old(gw):
    end = time.monotonic() + KEPT_SECONDS
    while time.monotonic() < end:
        time.sleep(5)
        gw.drains("stream")  # or the connection to the API would be closed, being idle


def rebound(gw, app, url, trap):
    status = gw.wait_status(app, url, lambda s: s["last_error"] and
                            "denied by drain-deny" in s["last_error"]["error"], "denied")
    assert "127.0.0.1" in status["last_error"]["error"]
    wait.stays(lambda: trap.accepted == 0, "somebody came", 0.3)


@pytest.fixture
def rebinding(gateway, network, receiver, http_receiver, ca):
    """A stream and an HTTP drain of names that become 127.0.0.1, and traps at the same ports there."""
    net = network(addresses=ADDRESSES)
    dns = net.dns({"stream.test": turns([PUBLIC], ["127.0.0.1"]),
                   "http.test": turns([PUBLIC], ["127.0.0.1"]),
                   "moving.test": turns([PUBLIC], [MOVED])})
    sink = receiver(host=PUBLIC)
    http = http_receiver(vendors.Logplex(), host=PUBLIC,
                         pair=ca.issue(names=["http.test"]))
    trap = receiver(host="127.0.0.1", ports=2)
    trap.stop()
    trap.ports = [sink.port, http.port]
    trap.start()
    gw = gateway(ca_file=ca.file, drain_deny="untrusted", batch_wait="0", prefix=net.prefix)
    stream_url = gw.add_drain("stream", type="syslog", host="stream.test", port=str(sink.port))
    http_url = gw.add_drain("http", type="https", url=http.url(host="http.test"))
    gw.send(syslog.numbered("stream", 10) + syslog.numbered("http", 10))
    sink.wait(10), http.wait(10)
    assert dns.count("stream.test") == dns.count("http.test") == 1
    return gw, stream_url, http_url, sink, http, trap


@pytest.mark.threaded
def test_after_a_restart(rebinding):
    gw, stream_url, http_url, sink, http, trap = rebinding
    gw.restart()
    gw.send(syslog.numbered("stream", 10, first=10) + syslog.numbered("http", 10, first=10))
    rebound(gw, "stream", stream_url, trap)
    rebound(gw, "http", http_url, trap)
    assert syslog.numbers(sink.texts) == http.numbers == list(range(10))


def test_within_the_time_that_answers_are_kept(rebinding):
    """Connections are made again and again, all to the address that was checked."""
    gw, _, _, sink, http, trap = rebinding
    for i in range(1, 4):
        sink.close_connections()
        http.close_connections()
        gw.send(syslog.numbered("stream", 10, first=10 * i) +
                syslog.numbered("http", 10, first=10 * i))
        sink.wait_different(10 * i + 10)
        http.wait(10 * i + 10)
    assert sink.accepted >= 4 and http.connections >= 4 and trap.accepted == 0


@pytest.mark.skipif(SANITIZED, reason="it takes over a minute, and other tests run the same code")
def test_when_answers_have_grown_old(rebinding, receiver, http_receiver, ca):
    """Who moves to 127.0.0.1 is refused, who moves elsewhere is followed."""
    gw, stream_url, http_url, sink, http, trap = rebinding
    moving = receiver(host=PUBLIC)
    moving_http = http_receiver(vendors.Logplex(), host=PUBLIC, pair=ca.issue(names=["moving.test"]))
    gw.add_drain("moving", type="syslog", host="moving.test", port=str(moving.port))
    gw.add_drain("moving", type="https", url=moving_http.url(host="moving.test"))
    gw.send(syslog.numbered("moving", 10))
    moving.wait(10), moving_http.wait(10)
    answers_grow_old(gw)

    # The old answers serve once more while the names are looked up again.
    for old in (sink, http, moving, moving_http):
        old.stop()
    for moved in (moving, moving_http):
        moved.host = MOVED
        moved.start()
    for app in ("stream", "http", "moving"):
        gw.send(syslog.numbered(app, 10, first=10))
    rebound(gw, "stream", stream_url, trap)
    rebound(gw, "http", http_url, trap)
    moving.wait_different(20)
    moving_http.wait(20)
    assert moving_http.numbers == list(range(20))


def test_a_name_server_that_is_away_for_a_while(gateway, network, receiver):
    """A failed look-up is not kept: the drain delivers once the name has an address."""
    net = network(addresses=ADDRESSES)
    zone = {}
    net.dns(zone)
    sink = receiver(host=PUBLIC)
    gw = gateway(prefix=net.prefix)
    url = gw.add_drain("shop", type="syslog", host="late.test", port=str(sink.port))
    gw.send(syslog.numbered("shop", 10))
    status = gw.wait_status("shop", url, lambda s: s["last_error"], "an error")
    assert "resolve" in status["last_error"]["error"]
    zone["late.test"] = [PUBLIC]
    assert syslog.numbers(sink.wait(10)) == list(range(10))

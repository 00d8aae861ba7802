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


# Answers that are seldom seen, and are answers.
FINE = {
    "http_1_0": b"HTTP/1.0 200 OK\r\n\r\nthe end is the end of the connection",
    "no_body": b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
    "no_reason": b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
    "chunks_and_a_trailer": b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n"
                            b"2;x=y\r\nok\r\n0\r\nX-After: 1\r\n\r\n",
    "continue_first": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                      b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "gzip_that_is_none": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
    "a_cookie": b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n",
    "long_headers": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" +
                    b"".join(b"X-%d: %s\r\n" % (i, b"y" * 500) for i in range(50)) + b"\r\n",
}


@pytest.mark.parametrize("name", FINE)
def test_answers_that_are_fine(gateway, http_receiver, ca, name):
    sink = http_receiver(vendors.Logplex())
    gw = gateway(ca_file=ca.file, batch_wait="0", http_timeout="5s")
    url = gw.add_drain("shop", type="https", url=sink.url())
    sink.decide = lambda request: http_receivers.raw(FINE[name])
    for i in range(3):
        gw.send(syslog.numbered("shop", 10, first=10 * i))
        gw.wait_delivered("shop", url, 10 * i + 10, timeout=5)
    sink.wait(30)
    assert sink.numbers == list(range(30)), "once each"
    assert gw.status("shop", url)["last_error"] is None
    assert all("Cookie" not in r.headers for r in sink.requests)


# Neither an answer nor the end: what is no acceptance must not count as one.
BAD = {
    "switching": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
    "continue_only": b"HTTP/1.1 100 Continue\r\n\r\n",
    "two_lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 20\r\n\r\nok",
    "negative_length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok",
    "cut_chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\nok",
    "huge_chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                  b"ffffffffffffffffff\r\nok\r\n",
    "status_of_two_digits": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "status_of_letters": b"HTTP/1.1 2OO OK\r\nContent-Length: 0\r\n\r\n",
    "no_status_line": b"200 OK\r\n\r\n",
    "http_2": b"HTTP/2 200\r\ncontent-length: 5\r\n\r\n",
}


@pytest.mark.parametrize("name", BAD)
def test_answers_that_are_none(gateway, http_receiver, ca, name):
    sink = http_receiver(vendors.Logplex())
    gw = gateway(ca_file=ca.file, batch_wait="0", http_timeout="2s")
    url = gw.add_drain("shop", type="https", url=sink.url())
    sink.say(http_receivers.raw(BAD[name], accepted=False))
    gw.send(syslog.numbered("shop", 10))
    sink.wait(10)
    assert sink.requests[0].body == sink.requests[1].body
    status = gw.wait_delivered("shop", url, 10)
    assert status["last_error"]["error"] and status["retries"] >= 1


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

# A receiver that fails for a while, or is down: the same batch again until it
# is taken; all lines arrive once, in order.

import pytest

from lib import syslog, vendors


@pytest.fixture
def shop(gateway, http_receiver, ca):
    sink = http_receiver(vendors.Logplex())
    gw = gateway(ca_file=ca.file, batch_wait="50ms")
    return gw, gw.add_drain("shop", type="https", url=sink.url()), sink


@pytest.mark.threaded
@pytest.mark.parametrize("code", [500, 408])
def test_errors_of_the_server(shop, code):
    gw, url, sink = shop
    sink.say(code, code)
    gw.send(syslog.numbered("shop", 100))
    sink.wait_requests(1)
    status = gw.wait_status("shop", url, lambda s: s["last_error"], "an error")
    assert status["state"] == "retrying" and f"HTTP {code}" in status["last_error"]["error"]
    gw.send(syslog.numbered("shop", 100, first=100))
    sink.wait(200)
    assert sink.numbers == list(range(200))
    status = gw.wait_delivered("shop", url, 200)
    assert status["state"] in ("connected", "idle") and status["retries"] >= 2


def test_nobody_listens_for_a_while(shop):
    gw, url, sink = shop
    gw.send(syslog.numbered("shop", 10))
    sink.wait(10)
    sink.stop()
    gw.send(syslog.numbered("shop", 90, first=10))
    status = gw.wait_status("shop", url, lambda s: s["state"] == "retrying", "retrying")
    gw.wait_status("shop", url, lambda s: "refused" in s["last_error"]["error"], "refused")
    assert status["waiting"]["memory"]["lines"] == 90
    sink.start()
    sink.wait(100)
    assert sink.numbers == list(range(100))


def test_connections_that_are_closed_between_batches(shop):
    """A server that closes idle connections costs no line and no error."""
    gw, url, sink = shop
    for i in range(5):
        gw.send(syslog.numbered("shop", 10, first=10 * i))
        sink.wait(10 * i + 10)
        sink.close_connections()
    gw.wait_delivered("shop", url, 50)
    assert sink.numbers == list(range(50))

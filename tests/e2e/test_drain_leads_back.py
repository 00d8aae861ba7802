# A drain that leads back to one of the gateway's own listeners would feed it
# with its own lines: it is named as such, and nothing is sent.

import pytest

from lib import receivers, syslog, vendors

BACK = "leads back to this gateway's own listener"


@pytest.fixture
def gateway(gateway):
    """Lines that nobody takes are not waited for at the end."""
    return lambda **more: gateway(**{"stop_timeout": "100ms", **more})


def leads_back(gw, app="shop", lines=10, **params):
    url = gw.add_drain(app, **params)
    gw.send(syslog.numbered(app, lines))
    status = gw.wait_status(app, url, lambda s: s["last_error"], "an error")
    assert BACK in status["last_error"]["error"]
    assert status["state"] == "retrying" and status["delivered"]["lines"] == 0
    return url


def unrouted(gw):
    _, body, _ = gw.request("GET", "/v1/unrouted")
    return body["unrouted"]


@pytest.mark.threaded
def test_tcp(gateway):
    gw = gateway()
    leads_back(gw, type="syslog", host="127.0.0.1", port=str(gw.port()))
    assert unrouted(gw) == []


def test_a_name(gateway):
    gw = gateway()
    leads_back(gw, type="syslog", host="localhost", port=str(gw.port()))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.77.0.5", "0.0.0.0", "::1", "::ffff:127.0.0.1"])
def test_a_listener_on_all_addresses(gateway, host):
    gw = gateway(listen=["syslog+tcp://*:0"])
    leads_back(gw, type="syslog", host=host, port=str(gw.port()))


def test_udp(gateway):
    gw = gateway(listen=["syslog+tcp://127.0.0.1:0", "syslog+udp://127.0.0.1:0"])
    url = gw.add_drain("shop", type="syslog", host="127.0.0.1", port=str(gw.port(1)),
                       protocol="udp")
    gw.send(syslog.numbered("shop", 10))
    status = gw.wait_status("shop", url, lambda s: s["last_error"], "an error")
    assert BACK in status["last_error"]["error"] and status["delivered"]["lines"] == 0


def test_the_admin_api_by_http(gateway):
    _, port = receivers.refused()
    gw = gateway(admin=[f"http://127.0.0.1:{port}"])
    leads_back(gw, type="https", url=f"http://127.0.0.1:{port}/v1/apps")
    leads_back(gw, app="blog", type="elk", url=f"http://localhost:{port}/")


def test_drain_allow_does_not_lift_it(gateway):
    gw = gateway(drain_deny="untrusted", drain_allow="127.0.0.0/8")
    leads_back(gw, type="syslog", host="127.0.0.1", port=str(gw.port()))


def test_the_same_port_elsewhere_is_another_receiver(gateway, receiver):
    """Another address, or the other protocol."""
    gw, sink = gateway(listen=["syslog+tcp://127.0.0.1:0"]), receiver()
    sink.stop()
    sink.ports = [gw.port()]
    sink.start()
    url = gw.add_drain("shop", sink)
    udp = gw.add_drain("shop", type="syslog", host="127.0.0.1", port=str(gw.port()), protocol="udp")
    gw.send(syslog.numbered("shop", 10))
    assert syslog.numbers(sink.wait(10)) == list(range(10))
    gw.wait_delivered("shop", url, 10)
    error = gw.status("shop", udp)["last_error"]
    assert error is None or BACK not in error["error"]


def test_others_are_not_held_up(gateway, receiver, http_receiver, ca):
    gw, sink, http = gateway(ca_file=ca.file), receiver(), http_receiver(vendors.Logplex())
    gw.add_drain("shop", type="syslog", host="127.0.0.1", port=str(gw.port()))
    gw.add_drain("shop", sink)
    gw.add_drain("shop", type="https", url=http.url())
    host, port = receivers.refused()
    gw.add_drain("shop", type="syslog", host=host, port=str(port))
    gw.send(syslog.numbered("shop", 1000))
    assert syslog.numbers(sink.wait(1000)) == list(range(1000))
    http.wait(1000)

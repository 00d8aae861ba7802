# http-proxy: TLS goes through it end to end; the environment's proxies are
# never used.

import pytest

from lib import syslog, vendors
from lib.proxy import ConnectProxy


@pytest.fixture
def proxy():
    made = []

    def make(**more):
        made.append(ConnectProxy(**more))
        return made[-1]

    yield make
    for p in made:
        p.stop()


def test_through_a_tunnel(gateway, http_receiver, ca, proxy):
    sink, way = http_receiver(vendors.Logplex()), proxy()
    gw = gateway(ca_file=ca.file, http_proxy=way.url)
    url = gw.add_drain("shop", type="https", url=sink.url())
    gw.send(syslog.numbered("shop", 100))
    sink.wait(100)
    assert set(way.targets) == {f"{sink.host}:{sink.port}"}
    assert sink.connections == len(way.targets)
    gw.wait_delivered("shop", url, 100)


def test_a_name_that_only_the_proxy_knows(gateway, http_receiver, ca, proxy):
    """It is verified by that name all the same."""
    sink = http_receiver(vendors.Logplex(), pair=ca.issue(names=["logs.internal.test"]))
    way = proxy(connect=(sink.host, sink.port))
    gw = gateway(ca_file=ca.file, http_proxy=way.url)
    gw.add_drain("shop", type="https", url="https://logs.internal.test/")
    gw.send(syslog.numbered("shop", 10))
    sink.wait(10)
    assert set(way.targets) == {"logs.internal.test:443"}


def test_a_proxy_that_refuses(gateway, http_receiver, ca, proxy):
    sink, way = http_receiver(vendors.Logplex()), proxy(refuse=403)
    gw = gateway(ca_file=ca.file, http_proxy=way.url, stop_timeout="100ms")
    url = gw.add_drain("shop", type="https", url=sink.url())
    gw.send(syslog.numbered("shop", 10))
    status = gw.wait_status("shop", url, lambda s: s["last_error"], "an error")
    assert "proxy" in status["last_error"]["error"].lower()
    assert "403" in status["last_error"]["error"]
    assert status["waiting"]["memory"]["lines"] == 10 and sink.connections == 0


def test_the_environments_proxies_are_not_used(gateway, http_receiver, ca, proxy):
    way = proxy()
    sink, plain = http_receiver(vendors.Logplex()), http_receiver(vendors.Logplex(), tls=False)
    names = ("http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy")
    gw = gateway(ca_file=ca.file, env={name: way.url for name in names})
    gw.add_drain("shop", type="https", url=sink.url())
    gw.add_drain("shop", type="https", url=plain.url())
    gw.send(syslog.numbered("shop", 10))
    sink.wait(10), plain.wait(10)
    assert way.targets == [] and way.others == []


def test_streams_do_not_use_it(gateway, receiver, ca, proxy):
    sink, way = receiver(), proxy()
    gw = gateway(ca_file=ca.file, http_proxy=way.url)
    gw.add_drain("shop", sink)
    gw.send(syslog.numbered("shop", 10))
    sink.wait(10)
    assert way.targets == []

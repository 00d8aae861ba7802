# A TLS drain sends nothing to a receiver whose certificate is not right, says
# why in its state, and disturbs no other drain; it delivers once it is right.

import ssl

import pytest

from lib import address, receivers, syslog, wait
from lib.certs import CertificateAuthority


@pytest.fixture
def shop(gateway, receiver, ca):
    """A gateway, and a healthy drain beside the one that is looked at."""
    gw, healthy = gateway(ca_file=ca.file), receiver()
    gw.add_drain("shop", healthy)
    return gw, healthy


def refused(shop, sink, error, **params):
    gw, healthy = shop
    url = gw.add_drain("shop", sink, protocol="tls", **params)
    gw.send(syslog.numbered("shop", 50))
    assert syslog.numbers(healthy.wait(50)) == list(range(50))
    status = gw.wait_status("shop", url, lambda s: s["last_error"], "an error")
    assert error in status["last_error"]["error"]
    assert status["state"] == "retrying" and status["delivered"] == {"lines": 0, "bytes": 0}
    assert status["waiting"]["memory"]["lines"] == 50
    assert sink.lines == [] and sink.bytes == 0
    return gw, url


def test_another_host(shop, receiver, ca):
    sink = receiver(tls=receivers.tls_context(ca.issue(names=["logs.example.com"])))
    refused(shop, sink, f"certificate is not for host {sink.host}")


def test_a_name_that_is_not_the_address(shop, receiver, ca):
    sink = receiver(host="127.0.0.1", tls=receivers.tls_context(ca.issue(ips=["127.0.0.1"])))
    refused(shop, sink, "certificate is not for host localhost", host="localhost")


def test_expired(shop, receiver, ca):
    host = address.fresh()
    sink = receiver(host=host, tls=receivers.tls_context(ca.issue(ips=[host], expired=True)))
    refused(shop, sink, "certificate expired on 2020-02-01T00:00:00Z")


def test_unknown_ca(shop, receiver, tmp_path):
    host = address.fresh()
    stranger = CertificateAuthority(tmp_path / "stranger", "Stranger")
    sink = receiver(host=host, tls=receivers.tls_context(stranger.issue(ips=[host])))
    refused(shop, sink, "certificate signed by an unknown CA")


def test_a_receiver_without_tls(shop, receiver):
    gw, healthy = shop
    sink = receiver()
    url = gw.add_drain("shop", sink, protocol="tls")
    # It sees a ClientHello, says so in plain text and closes, as a shell behind a port does.
    gw.send(syslog.numbered("shop", 5))
    healthy.wait(5)
    wait.until(lambda: sink.open == 1, "a connection")
    for conn in list(sink.conns.values()):
        conn.sock.send(b"530 what?\r\n")
    status = gw.wait_status("shop", url, lambda s: s["last_error"], "an error")
    assert "peer does not speak TLS" in status["last_error"]["error"]


def test_an_old_protocol(shop, receiver, ca):
    host = address.fresh()
    context = receivers.tls_context(ca.issue(ips=[host]), minimum=ssl.TLSVersion.MINIMUM_SUPPORTED)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    sink = receiver(host=host, tls=context)
    refused(shop, sink, "protocol version")


def test_a_receiver_that_wants_a_client_certificate(shop, receiver, ca):
    """It refuses after the handshake looks done to us: nothing may count as delivered."""
    host = address.fresh()
    context = receivers.tls_context(ca.issue(ips=[host]))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ca.file)
    sink = receiver(host=host, tls=context)
    gw, healthy = shop
    url = gw.add_drain("shop", sink, protocol="tls")
    gw.send(syslog.numbered("shop", 50))
    healthy.wait(50)
    status = gw.wait_status("shop", url, lambda s: s["retries"] >= 2, "two tries")
    assert "peer sent alert" in status["last_error"]["error"]
    assert status["delivered"]["lines"] == 0 and sink.lines == []
    assert status["waiting"]["memory"]["lines"] == 50


def test_it_delivers_once_the_certificate_is_right(shop, receiver, ca):
    host = address.fresh()
    sink = receiver(host=host, tls=receivers.tls_context(ca.issue(ips=[host], expired=True)))
    gw, url = refused(shop, sink, "expired")
    sink.tls = receivers.tls_context(ca.issue(ips=[host]))
    assert syslog.numbers(sink.wait(50)) == list(range(50))
    gw.wait_status("shop", url, lambda s: s["state"] == "connected", "connected")


def test_port_6514_and_a_token_mean_tls(gateway, receiver, ca):
    host = address.fresh()
    sink = receiver(host=host, tls=receivers.tls_context(ca.issue(ips=[host])))
    gw = gateway(ca_file=ca.file)
    url = gw.add_drain("shop", sink, token="KEY")
    assert url == f"syslog://:KEY@{host}:{sink.port}"
    line = syslog.line("shop", "hello world")
    gw.send([line])
    assert sink.wait(1) == [b"KEY " + line]
    assert sink.lines[0].framing == "octet"


def test_the_vendors_forms_over_tls(gateway, receiver, ca):
    host = address.fresh()
    sink = receiver(host=host, tls=receivers.tls_context(ca.issue(ips=[host])))
    gw = gateway(ca_file=ca.file)
    gw.add_drain("shop", type="ovh-graylog", token="TOKEN", host=host, port=str(sink.port))
    gw.add_drain("blog", type="papertrail", host=host, port=str(sink.port))
    gw.send([syslog.line("shop", "hello world"), syslog.line("blog", "hello world")])
    sink.wait(2)
    assert set(sink.texts) == {
        syslog.line("shop", "hello world", sd='[token@29084 X-OVH-TOKEN="TOKEN"]'),
        syslog.line("blog", "hello world")}
    assert {l.framing for l in sink.lines} == {"lf"}

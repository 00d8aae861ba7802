# An HTTP drain sends nothing to a server whose certificate is not right, and
# says why; it may bring CAs and a certificate of its own, which no other drain uses.

import ssl

import pytest

from lib import address, receivers, syslog, vendors
from lib.certs import CertificateAuthority


@pytest.fixture
def gateway(gateway):
    """Lines that nobody takes are not waited for at the end."""
    return lambda **more: gateway(**{"stop_timeout": "100ms", **more})


def refused(gw, sink, error, **params):
    url = gw.add_drain("shop", type="https", url=params.pop("url", None) or sink.url(), **params)
    gw.send(syslog.numbered("shop", 50))
    status = gw.wait_status("shop", url, lambda s: s["last_error"], "an error")
    assert error in status["last_error"]["error"]
    assert status["state"] == "retrying" and status["delivered"] == {"lines": 0, "bytes": 0}
    assert status["waiting"]["memory"]["lines"] == 50 and not sink.requests
    return url


@pytest.fixture
def stranger(tmp_path):
    return CertificateAuthority(tmp_path / "stranger", "Stranger")


def test_another_host(gateway, http_receiver, ca):
    sink = http_receiver(vendors.Logplex(), pair=ca.issue(names=["logs.example.com"]))
    refused(gateway(ca_file=ca.file), sink, f"certificate is not for host {sink.host}")


def test_a_name_that_is_not_the_address(gateway, http_receiver, ca):
    sink = http_receiver(vendors.Logplex(), host="127.0.0.1", pair=ca.issue(ips=["127.0.0.1"]))
    refused(gateway(ca_file=ca.file), sink, "certificate is not for host localhost",
            url=sink.url(host="localhost"))


def test_expired_and_renewed(gateway, http_receiver, ca):
    host = address.fresh()
    sink = http_receiver(vendors.Logplex(), host=host, pair=ca.issue(ips=[host], expired=True))
    refused(gateway(ca_file=ca.file), sink, "certificate expired on 2020-02-01T00:00:00Z")
    sink.stop()
    sink.set_certificate(ca.issue(ips=[host]))
    sink.start()
    sink.wait(50)
    assert sink.numbers == list(range(50))


def test_unknown_ca(gateway, http_receiver, ca, stranger):
    host = address.fresh()
    sink = http_receiver(vendors.Logplex(), host=host, pair=stranger.issue(ips=[host]))
    refused(gateway(ca_file=ca.file), sink, "certificate signed by an unknown CA")


def test_a_server_without_tls(gateway, http_receiver, ca):
    sink = http_receiver(vendors.Logplex(), tls=False)
    refused(gateway(ca_file=ca.file), sink, "TLS", url=sink.url().replace("http:", "https:"))


def test_an_old_protocol(gateway, http_receiver, ca):
    sink = http_receiver(vendors.Logplex())
    sink.stop()
    sink.tls.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    sink.tls.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        sink.tls.maximum_version = ssl.TLSVersion.TLSv1_1
    sink.start()
    # "protocol version", from a server that says so before it closes: aiohttp's does not.
    refused(gateway(ca_file=ca.file), sink, "handshake")


@pytest.mark.threaded
def test_a_ca_of_its_own(gateway, http_receiver, ca, stranger):
    """Good for that drain alone, and in place of the gateway's."""
    host = address.fresh()
    strange = http_receiver(vendors.Logplex(), host=host, pair=stranger.issue(ips=[host]))
    known = http_receiver(vendors.Logplex())
    gw = gateway(ca_file=ca.file)
    own = gw.add_drain("own", type="https", url=strange.url(), ca=stranger.file.read_text())
    other = gw.add_drain("other", type="https", url=strange.url())
    wrong = gw.add_drain("wrong", type="https", url=known.url(), ca=stranger.file.read_text())
    for app in ("own", "other", "wrong"):
        gw.send(syslog.numbered(app, 3))
    assert strange.wait(3) == ["line 0", "line 1", "line 2"]
    gw.wait_delivered("own", own, 3)
    for app, url in (("other", other), ("wrong", wrong)):
        status = gw.wait_status(app, url, lambda s: s["last_error"], "an error")
        assert "unknown CA" in status["last_error"]["error"]
    assert {e.fields["app"] for e in strange.entries} == {b"own"}
    assert "BEGIN CERTIFICATE" not in own and "sha256" in own


@pytest.mark.threaded
def test_a_client_certificate_of_its_own(gateway, http_receiver, ca):
    """One that is shown to nobody else; the key is never shown at all."""
    sink = http_receiver(vendors.Logplex(), client_ca=ca.file)
    pair = ca.issue(names=["gateway.example.com"])
    pem = {"client_cert": pair.cert.read_text(), "client_key": pair.key.read_text()}
    gw = gateway(ca_file=ca.file)
    own = gw.add_drain("own", type="https", url=sink.url(), **pem)
    other = gw.add_drain("other", type="https", url=sink.url())
    gw.send(syslog.numbered("own", 3) + syslog.numbered("other", 3))
    sink.wait(3)
    gw.wait_delivered("own", own, 3)
    gw.wait_status("other", other, lambda s: s["last_error"], "an error")
    assert {e.fields["app"] for e in sink.entries} == {b"own"}
    assert "client_cert=sha256:" in own
    _, body, _ = gw.request("GET", gw.path("own") + "?status=true")
    assert "PRIVATE KEY" not in str(body) + gw.log_text()
    # It is kept: after a restart it is shown again.
    gw.restart()
    gw.send(syslog.numbered("own", 3, first=3))
    sink.wait(6)


def test_a_server_that_wants_a_client_certificate(gateway, receiver, ca):
    """It says so with an alert, after the handshake looks done to us; closing, with a reset even, may overtake it."""
    host = address.fresh()
    context = receivers.tls_context(ca.issue(ips=[host]))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ca.file)
    sink = receiver(host=host, tls=context)
    gw = gateway(ca_file=ca.file, batch_wait="0", stop_timeout="100ms")
    url = gw.add_drain("shop", type="https", url=f"https://{host}:{sink.port}/")
    gw.send(syslog.numbered("shop", 5))
    status = gw.wait_status("shop", url, lambda s: s["last_error"], "an error")
    assert status["last_error"]["error"] in ("peer sent alert: certificate required",
                                             "connection closed by the peer",
                                             "connection reset by the peer")
    assert status["waiting"]["memory"]["lines"] == 5 and sink.bytes == 0


def test_a_stream_drain_with_its_own(gateway, receiver, ca, stranger):
    host = address.fresh()
    context = receivers.tls_context(stranger.issue(ips=[host]))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ca.file)
    sink = receiver(host=host, tls=context)
    pair = ca.issue(names=["gateway.example.com"])
    gw = gateway()
    url = gw.add_drain("shop", sink, protocol="tls", ca=stranger.file.read_text(),
                       client_cert=pair.cert.read_text(), client_key=pair.key.read_text())
    gw.send(syslog.numbered("shop", 20))
    assert syslog.numbers(sink.wait(20)) == list(range(20))
    gw.wait_delivered("shop", url, 20)

# A test line of an HTTP drain is a request of its own: the answer shows how far
# it got, and what the receiver said.

import re
import time

import pytest

from lib import address, http_receivers, receivers, vendors, wait
from lib.certs import CertificateAuthority


def ask(gw, url):
    began = time.monotonic()
    status, body, _ = gw.request("POST", gw.path("shop") + "/test", {"url": url})
    assert status == 200, (status, body)
    assert time.monotonic() - began < 5
    return body["test"]


def steps(test):
    return [(s["step"], s["ok"]) for s in test["steps"]]


@pytest.fixture
def shop(gateway, http_receiver, ca):
    gw, sink = gateway(ca_file=ca.file), http_receiver(vendors.Logplex())
    return gw, sink, gw.add_drain("shop", type="https", url=sink.url())


def test_accepted(shop):
    gw, sink, url = shop
    test = ask(gw, url)
    assert test["ok"] and steps(test) == [
        ("resolve", True), ("connect", True), ("tls", True), ("answer", True)]
    assert test["steps"][1]["detail"] == f"{sink.host}:{sink.port}"
    assert test["steps"][3]["detail"].startswith("HTTP 2")
    assert sink.wait(1)[0].startswith("penstock test line: ")
    assert gw.status("shop", url)["delivered"]["lines"] == 0


def test_without_tls(gateway, http_receiver):
    gw, sink = gateway(), http_receiver(vendors.Logplex(), tls=False)
    url = gw.add_drain("shop", type="https", url=sink.url())
    assert steps(ask(gw, url)) == [("resolve", True), ("connect", True), ("answer", True)]


def test_compressed(gateway, http_receiver, ca):
    gw, sink = gateway(ca_file=ca.file), http_receiver(vendors.Logplex())
    url = gw.add_drain("shop", type="https", url=sink.url(), gzip="true")
    assert ask(gw, url)["ok"]
    assert sink.requests[0].headers["Content-Encoding"] == "gzip"
    assert sink.wait(1)[0].startswith("penstock test line: ")


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 413, 429, 500, 503])
def test_refused(shop, status):
    gw, sink, url = shop
    sink.say(http_receivers.Answer(status, b"no\r\nway", headers={"Location": "/elsewhere"}))
    test = ask(gw, url)
    assert not test["ok"] and steps(test)[-1] == ("answer", False)
    assert test["steps"][-1]["detail"] == f"HTTP {status}: no  way"
    # Asked once, and not where it was sent to.
    assert len(sink.requests) == 1


def test_no_answer(shop):
    gw, sink, url = shop
    sink.say(http_receivers.hang())
    test = ask(gw, url)
    assert not test["ok"] and steps(test)[-1] == ("answer", False)
    assert "4.5 s" in test["steps"][-1]["detail"] or "4500 ms" in test["steps"][-1]["detail"]


def test_closed_without_an_answer(shop):
    gw, sink, url = shop
    sink.say(http_receivers.close_at_once())
    test = ask(gw, url)
    assert not test["ok"] and steps(test)[-1] == ("answer", False)
    assert re.search("clos|reset|empty", test["steps"][-1]["detail"], re.I), test


def test_endless_headers(shop):
    gw, sink, url = shop
    sink.say(http_receivers.endless_headers())
    test = ask(gw, url)
    assert not test["ok"] and steps(test)[-1] == ("answer", False)


def test_an_unknown_ca(gateway, http_receiver, ca, tmp_path):
    host = address.fresh()
    stranger = CertificateAuthority(tmp_path / "stranger", "Stranger")
    sink = http_receiver(vendors.Logplex(), host=host, pair=stranger.issue(ips=[host]))
    gw = gateway(ca_file=ca.file)
    url = gw.add_drain("shop", type="https", url=sink.url())
    test = ask(gw, url)
    assert steps(test) == [("resolve", True), ("connect", True), ("tls", False)]
    assert "unknown CA" in test["steps"][-1]["detail"]
    assert sink.requests == []


def test_another_host(gateway, http_receiver, ca):
    sink = http_receiver(vendors.Logplex(), pair=ca.issue(names=["logs.example.com"]))
    gw = gateway(ca_file=ca.file)
    url = gw.add_drain("shop", type="https", url=sink.url())
    test = ask(gw, url)
    assert steps(test)[-1] == ("tls", False)
    assert "certificate is not for host" in test["steps"][-1]["detail"]


def test_a_handshake_that_hangs(gateway, receiver):
    gw, sink = gateway(), receiver(reading=False)
    url = gw.add_drain("shop", type="https", url=f"https://{sink.host}:{sink.port}/")
    assert steps(ask(gw, url)) == [("resolve", True), ("connect", True), ("tls", False)]


def test_refused_connection(gateway):
    gw = gateway()
    host, port = receivers.refused()
    url = gw.add_drain("shop", type="https", url=f"https://{host}:{port}/")
    test = ask(gw, url)
    assert steps(test) == [("resolve", True), ("connect", False)]
    assert "refused" in test["steps"][-1]["detail"]


def test_a_name_that_does_not_exist(gateway):
    gw = gateway()
    url = gw.add_drain("shop", type="https", url="https://no-such-host.invalid/")
    assert steps(ask(gw, url)) == [("resolve", False)]


def test_a_client_that_goes_away_ends_it(shop):
    gw, sink, url = shop
    sink.say(http_receivers.hang())
    with gw.begin_request("POST", gw.path("shop") + "/test", {"url": url}):
        sink.wait_requests(1)
    began = time.monotonic()
    wait.until(lambda: all(p.transport is None for p in sink.protocols),
               "the test's connection closed")
    assert time.monotonic() - began < 2


def test_a_stop_meanwhile(shop):
    gw, sink, url = shop
    sink.say(http_receivers.hang())
    with gw.begin_request("POST", gw.path("shop") + "/test", {"url": url}):
        sink.wait_requests(1)
        began = time.monotonic()
        gw.stop()
        assert time.monotonic() - began < 3.5

# Which app a line belongs to: by its host name, structured data, the sender's
# certificate, a fixed name, and through map files, which SIGHUP reads again.

import socket
import ssl

import pytest

from lib import syslog, wait
from lib.certs import CertificateAuthority


def test_hostname(gateway, receiver):
    gw, sink = gateway(listen=["syslog+tcp://127.0.0.1:0?app=hostname"]), receiver()
    gw.add_drain("web-1", sink)
    gw.send([syslog.line("shop", "no", host="web-2"), syslog.line("shop", "yes", host="web-1"),
             syslog.line("web-1", "no", host="-"), syslog.line("blog", "yes", host="web-1")])
    assert [syslog.parse(l).msg for l in sink.wait(2)] == [b"yes", b"yes"]


def test_structured_data(gateway, receiver):
    gw, sink = gateway(listen=["syslog+tcp://127.0.0.1:0?app=sd:app%4032473:name"]), receiver()
    gw.add_drain('a"b', sink)
    gw.send([syslog.line("shop", "no", sd='[other@32473 name="a\\"b"]'),
             syslog.line("shop", "yes", sd='[x@1 y="z"][app@32473 z="" name="a\\"b"]'),
             syslog.line('a"b', "no")])
    assert [syslog.parse(l).msg for l in sink.wait(1)] == [b"yes"]


def test_fixed(gateway, receiver):
    gw, sink = gateway(listen=["syslog+tcp://127.0.0.1:0?app=fixed:shop"]), receiver()
    gw.add_drain("shop", sink)
    lines = [syslog.line("blog", "1"), syslog.line("-", "2")]
    gw.send(lines)
    assert sink.wait(2) == lines


@pytest.mark.threaded
def test_a_map_file_is_read_again_at_sighup(gateway, receiver, tmp_path):
    file = tmp_path / "hosts.map"
    file.write_text("# hosts\nweb-1 shop\nweb-2 shop\n")
    gw = gateway(listen=[f"syslog+tcp://127.0.0.1:0?app=hostname,map:{file}"])
    shop, blog = receiver(), receiver()
    gw.add_drain("shop", shop)
    gw.add_drain("blog", blog)
    with gw.connect() as s:
        s.sendall(syslog.lf([syslog.line("x", "1", host="web-1"), syslog.line("x", "2", host="web-9"),
                             syslog.line("x", "3", host="web-2")]))
        assert [syslog.parse(l).msg for l in shop.wait(2)] == [b"1", b"3"]

        file.write_text("web-1 shop\nweb-2 blog\nweb-9 blog\n")
        gw.reload()
        # Also for a connection that was there before.
        s.sendall(syslog.lf([syslog.line("x", "4", host="web-2"), syslog.line("x", "5", host="web-9"),
                             syslog.line("x", "6", host="web-1")]))
        assert [syslog.parse(l).msg for l in blog.wait(2)] == [b"4", b"5"]
        shop.wait(3)

        file.write_text("web-1 shop\nweb-1 blog\n")
        gw.reload()
        assert gw.find_log(level="error", msg="reload refused", error=str(file))
        s.sendall(syslog.lf([syslog.line("x", "7", host="web-9")]))
        assert syslog.parse(blog.wait(3)[2]).msg == b"7"


@pytest.fixture
def by_certificate(gateway, receiver, ca, tmp_path):
    pair = ca.issue(ips=["127.0.0.1"])
    file = tmp_path / "certs.map"
    file.write_text("web-1.example.com shop\nonly-a-name blog\n")
    gw = gateway(listen=[f"syslog+tls://127.0.0.1:0?app=cert,map:{file}"], tls_cert=pair.cert,
                 tls_key=pair.key, tls_client_ca=ca.file)
    sinks = {"shop": receiver(), "blog": receiver()}
    for app, sink in sinks.items():
        gw.add_drain(app, sink)
    return gw, sinks


def send_tls(gw, ca, lines, pair=None):
    context = ssl.create_default_context(cafile=str(ca.file))
    if pair is not None:
        context.load_cert_chain(pair.cert, pair.key)
    with context.wrap_socket(socket.create_connection(("127.0.0.1", gw.port()), 30),
                             server_hostname="127.0.0.1") as s:
        s.sendall(syslog.lf(lines))
        s.unwrap()


def test_client_certificates(by_certificate, ca):
    gw, sinks = by_certificate
    send_tls(gw, ca, [syslog.line("blog", "1")], ca.issue(names=["web-1.example.com"], cn="cn"))
    send_tls(gw, ca, [syslog.line("shop", "2")], ca.issue(cn="only-a-name"))
    assert syslog.parse(sinks["shop"].wait(1)[0]).msg == b"1"
    assert syslog.parse(sinks["blog"].wait(1)[0]).msg == b"2"


def test_no_certificate_or_one_of_a_stranger_gets_nothing_through(by_certificate, ca, tmp_path):
    gw, sinks = by_certificate
    stranger = CertificateAuthority(tmp_path / "stranger", "Stranger").issue(
        names=["web-1.example.com"])
    for pair in (None, stranger, ca.issue(names=["web-1.example.com"], expired=True)):
        try:
            send_tls(gw, ca, [syslog.line("shop", "no")], pair)
        except OSError:
            pass  # when a refusal is seen depends on timing
    wait.until(lambda: len(gw.find_log(msg="session closed")) == 3, "three refusals")
    reasons = [l["reason"] for l in gw.find_log(msg="session closed")]
    assert "sent no certificate" in reasons[0]
    assert "unknown CA" in reasons[1]
    assert "expired" in reasons[2]
    send_tls(gw, ca, [syslog.line("x", "yes")], ca.issue(names=["web-1.example.com"]))
    assert [syslog.parse(l).msg for l in sinks["shop"].wait(1)] == [b"yes"]
    assert sinks["blog"].lines == []


def test_hostname_option(gateway, receiver):
    gw, sink = gateway(listen=["syslog+tcp://127.0.0.1:0?hostname=peer",
                               "syslog+tcp://127.0.0.1:0?hostname=edge-7"]), receiver()
    gw.add_drain("shop", sink)
    gw.send([syslog.line("shop", "1")])
    sink.wait(1)
    gw.send([syslog.line("shop", "2")], index=1)
    assert [syslog.parse(l).host for l in sink.wait(2)] == [b"127.0.0.1", b"edge-7"]

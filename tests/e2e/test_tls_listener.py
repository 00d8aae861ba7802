# Lines sent over TLS, by openssl s_client and by a plain TLS client, arrive;
# clients that are too old, or speak no TLS, are refused, and the listener lives on.

import socket
import ssl

import pytest

from lib import syslog, tools, wait


@pytest.fixture
def shop(gateway, receiver, ca):
    pair = ca.issue(names=["localhost"], ips=["127.0.0.1"])
    gw = gateway(listen=["syslog+tls://127.0.0.1:0"], tls_cert=pair.cert, tls_key=pair.key)
    sink = receiver()
    gw.add_drain("shop", sink)
    return gw, sink


def client(ca, gw, **more):
    context = ssl.create_default_context(cafile=str(ca.file))
    for key, value in more.items():
        setattr(context, key, value)
    return context.wrap_socket(socket.create_connection(("127.0.0.1", gw.port()), 30),
                               server_hostname="localhost")


def test_openssl_s_client(shop, ca):
    gw, sink = shop
    lines = syslog.numbered("shop", 20)
    tools.run("openssl", "s_client", "-connect", f"127.0.0.1:{gw.port()}", "-CAfile", ca.file,
              "-verify_return_error", "-quiet", "-no_ign_eof", stdin=syslog.lf(lines))
    assert sink.wait(20) == lines


@pytest.mark.threaded
@pytest.mark.parametrize("framing", [syslog.lf, syslog.octet])
def test_many_lines(shop, ca, framing):
    gw, sink = shop
    lines = syslog.numbered("shop", 5000)
    with client(ca, gw) as s:
        s.sendall(framing(lines))
        s.unwrap()
    assert sink.wait(5000) == lines


def test_a_close_without_close_notify_loses_nothing(shop, ca):
    gw, sink = shop
    lines = syslog.numbered("shop", 3000)
    with client(ca, gw) as s:
        s.sendall(syslog.lf(lines))
    assert sink.wait(3000) == lines


def test_200_short_connections_lose_nothing(shop, ca):
    gw, sink = shop
    for i in range(200):
        with client(ca, gw) as s:
            s.sendall(syslog.lf(syslog.numbered("shop", 5, first=5 * i)))
    assert sorted(syslog.numbers(sink.wait(1000))) == list(range(1000))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_old_protocol_is_refused(shop, ca):
    gw, sink = shop
    context = ssl.create_default_context(cafile=str(ca.file))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError):
        context.wrap_socket(socket.create_connection(("127.0.0.1", gw.port()), 30),
                            server_hostname="localhost")
    wait.until(lambda: gw.find_log(msg="session closed", reason="version is too old"), "its log")


def test_plain_text_is_refused_and_nothing_of_it_passes(shop, ca):
    gw, sink = shop
    with gw.connect() as s:
        s.sendall(syslog.lf([syslog.line("shop", "in the clear")]))
    wait.until(lambda: gw.find_log(msg="session closed", reason="peer does not speak TLS"), "its log")
    with client(ca, gw) as s:
        s.sendall(syslog.lf([syslog.line("shop", "over TLS")]))
    assert [syslog.parse(l).msg for l in sink.wait(1)] == [b"over TLS"]

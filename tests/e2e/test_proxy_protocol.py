# Behind a load balancer that speaks the PROXY protocol, lines without a host
# name get the client's address; only listed peers may say one.

import socket
import ssl
import struct

import pytest

from lib import syslog, wait

BARE = syslog.line("shop", "hello world", host="-")
V1 = b"PROXY TCP4 192.0.2.77 198.51.100.1 40000 1514\r\n"
V1_6 = b"PROXY TCP6 2001:db8::77 2001:db8::1 40000 1514\r\n"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V2 = SIGNATURE + b"\x21\x11" + struct.pack("!H4s4sHH", 12, bytes([192, 0, 2, 77]),
                                           bytes([198, 51, 100, 1]), 40000, 1514)
V2_TLV = SIGNATURE + b"\x21\x11" + struct.pack("!H4s4sHH", 12 + 7, bytes([192, 0, 2, 77]),
                                               bytes([198, 51, 100, 1]), 40000, 1514) + \
    b"\x04\x00\x04\x00\x00\x00\x00"
V2_LOCAL = SIGNATURE + b"\x20\x00\x00\x00"


@pytest.fixture
def shop(gateway, receiver):
    gw = gateway(listen=["syslog+tcp://127.0.0.1:0?proxy=127.0.0.1/32"])
    sink = receiver()
    gw.add_drain("shop", sink)
    return gw, sink


@pytest.mark.parametrize("header, host", [
    (V1, b"192.0.2.77"), (V1_6, b"2001:db8::77"), (V2, b"192.0.2.77"), (V2_TLV, b"192.0.2.77"),
    (V2_LOCAL, b"127.0.0.1"), (b"PROXY UNKNOWN\r\n", b"127.0.0.1"), (b"", b"127.0.0.1")])
@pytest.mark.parametrize("pieces", [1, 1000])
def test_headers(shop, header, host, pieces):
    gw, sink = shop
    data = header + syslog.lf([BARE, syslog.line("shop", "named", host="web-1")])
    with gw.connect() as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if pieces == 1:
            s.sendall(data)
        else:
            for byte in data:
                s.send(bytes([byte]))
    first, second = [syslog.parse(l) for l in sink.wait(2)]
    assert (first.host, first.msg) == (host, b"hello world")
    assert (second.host, second.msg) == (b"web-1", b"named")


def test_malformed_headers_are_refused(shop):
    gw, sink = shop
    bad = [b"PROXY TCP4 nonsense\r\n", b"PROXY TCP4 192.0.2.77 198.51.100.1 99999 1\r\n",
           b"PROXY " + b"x" * 200 + b"\r\n", SIGNATURE + b"\x31\x11\x00\x00"]
    for i, header in enumerate(bad):
        with gw.connect() as s:
            s.sendall(header + syslog.lf([BARE]))
            wait.until(lambda: len(gw.find_log(msg="connection refused", reason="PROXY")) > i,
                       f"a refusal of {header!r}")
    gw.send([syslog.line("shop", "good")], framing=lambda lines: V1 + syslog.lf(lines))
    assert [syslog.parse(l).msg for l in sink.wait(1)] == [b"good"]


def test_strangers_may_not_say_who_they_are(gateway, receiver):
    gw = gateway(listen=["syslog+tcp://127.0.0.1:0?proxy=127.0.0.2"], catch_all="shop")
    sink = receiver()
    gw.add_drain("shop", sink)
    with gw.connect() as s:
        s.sendall(V1 + syslog.lf([BARE]))
    # To it the header is a line of text.
    first, second = [syslog.parse(l) for l in sink.wait(2)]
    assert first.msg == V1.rstrip() and second.host == b"127.0.0.1"


def test_before_tls(gateway, receiver, ca):
    pair = ca.issue(ips=["127.0.0.1"])
    gw = gateway(listen=["syslog+tls://127.0.0.1:0?proxy=127.0.0.1"], tls_cert=pair.cert,
                 tls_key=pair.key)
    sink = receiver()
    gw.add_drain("shop", sink)
    context = ssl.create_default_context(cafile=str(ca.file))
    raw = gw.connect()
    raw.sendall(V2)
    with context.wrap_socket(raw, server_hostname="127.0.0.1") as s:
        s.sendall(syslog.lf([BARE]))
    assert syslog.parse(sink.wait(1)[0]).host == b"192.0.2.77"

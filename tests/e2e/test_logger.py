# What logger(1) sends, in every way that it can, arrives at the drain of the
# app that its tag names, with host and text.

import re
import socket

import pytest

from lib import syslog, tools

SOCKETS = ["syslog+tcp://127.0.0.1:0", "syslog+udp://127.0.0.1:0"]


@pytest.fixture
def shop(gateway, receiver):
    gw, sink = gateway(listen=SOCKETS), receiver()
    gw.add_drain("shop", sink)
    return gw, sink


def send(gw, index, *args):
    tools.logger("-n", "127.0.0.1", "-P", gw.port(index), "-t", "shop", *args)


def check(sink, text, host=None):
    (frame,) = sink.wait(1)
    m = syslog.parse(frame)
    assert (m.app, m.msg) == (b"shop", text.encode())
    assert m.host == (host or tools.hostname()).encode()
    assert m.pri == 13
    assert re.fullmatch(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", m.stamp)
    return m


def test_tcp_5424(shop):
    gw, sink = shop
    send(gw, 0, "--tcp", "--rfc5424", "hello world")
    m = check(sink, "hello world")
    assert m.sd.startswith(b"[timeQuality ")


def test_tcp_5424_octet_counting(shop):
    gw, sink = shop
    send(gw, 0, "--tcp", "--rfc5424", "--octet-count", "hello world")
    check(sink, "hello world")


def test_tcp_5424_with_structured_data_and_pid(shop):
    gw, sink = shop
    send(gw, 0, "--tcp", "--rfc5424=notq", "--id=4711", "--msgid", "MID", "--sd-id", "a@32473",
         "--sd-param", 'b="c"', "hello world")
    m = check(sink, "hello world")
    assert (m.proc, m.msgid, m.sd) == (b"4711", b"MID", b'[a@32473 b="c"]')


def test_tcp_3164(shop):
    gw, sink = shop
    send(gw, 0, "--tcp", "--rfc3164", "hello world")
    check(sink, "hello world")


def test_tcp_3164_octet_counting_with_pid(shop):
    gw, sink = shop
    send(gw, 0, "--tcp", "--rfc3164", "--octet-count", "--id=4711", "hello world")
    assert check(sink, "hello world").proc == b"4711"


def test_udp_5424(shop):
    gw, sink = shop
    send(gw, 1, "--udp", "--rfc5424", "hello world")
    check(sink, "hello world")


def test_udp_3164(shop):
    gw, sink = shop
    send(gw, 1, "--udp", "--rfc3164", "hello world")
    check(sink, "hello world")


def test_utf8_and_tabs_are_kept(shop):
    gw, sink = shop
    send(gw, 0, "--tcp", "--rfc5424", "Grüße\tan 世界 #012")
    check(sink, "Grüße\tan 世界 #012")


def test_a_file_of_lines_keeps_its_order(shop, tmp_path):
    gw, sink = shop
    file = tmp_path / "lines"
    file.write_text("".join(f"line {i}\n" for i in range(500)))
    send(gw, 0, "--tcp", "--rfc5424", "-f", file)
    assert syslog.numbers(sink.wait(500)) == list(range(500))


@pytest.mark.parametrize("kind", ["syslog+unixgram", "syslog+unix"])
def test_unix_sockets(gateway, receiver, tmp_path, kind):
    path = tmp_path / "log"
    gw, sink = gateway(listen=[f"{kind}://{path}"]), receiver()
    gw.add_drain("shop", sink)
    tools.logger("-u", path, "-t", "shop", "hello world")
    check(sink, "hello world")
    tools.logger("-u", path, "-t", "shop", "--id=4711", "again")
    m = syslog.parse(sink.wait(2)[1])
    assert (m.app, m.proc, m.msg) == (b"shop", b"4711", b"again")


def test_what_the_c_library_writes(gateway, receiver, tmp_path):
    """syslog(3) to /dev/log: <PRI>Mmm dd hh:mm:ss TAG[PID]: text."""
    path = tmp_path / "log"
    gw, sink = gateway(listen=[f"syslog+unixgram://{path}"]), receiver()
    gw.add_drain("shop", sink)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.connect(str(path))
        s.send(b"<13>Jul  4 09:12:44 shop[99]: hello world\0")
    assert check(sink, "hello world").proc == b"99"

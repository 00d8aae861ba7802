# A line over max-line is cut and marked, and the line behind it is intact, in
# every framing and on every kind of listener.

import socket

import pytest

from lib import syslog

MARK = b'[penstock@32473 cut="%d"]'


def check(frames, sent, max_line):
    first, cut, last = frames
    assert (first, last) == (sent[0], sent[2])
    m, whole = syslog.parse(cut), syslog.parse(sent[1])
    lost = len(sent[1]) - max_line
    assert m.sd == MARK % lost
    assert m._replace(sd=b"-", msg=b"") == whole._replace(msg=b"")
    assert m.msg == whole.msg[:len(whole.msg) - lost]


@pytest.mark.parametrize("framing", [syslog.lf, syslog.octet])
@pytest.mark.parametrize("max_line", [1024, 65536])
@pytest.mark.parametrize("length", [1, 5000, 300000])
def test_streams(gateway, receiver, framing, max_line, length):
    gw, sink = gateway(max_line=max_line), receiver()
    gw.add_drain("shop", sink)
    text = bytes(97 + i % 26 for i in range(max_line + length))
    sent = [syslog.line("shop", "before"), syslog.line("shop", text), syslog.line("shop", "behind")]
    gw.send(sent, framing=framing)
    check(sink.wait(3), sent, max_line)


def test_datagrams(gateway, receiver):
    gw, sink = gateway(listen=["syslog+udp://127.0.0.1:0"], max_line=1024), receiver()
    gw.add_drain("shop", sink)
    sent = [syslog.line("shop", "before"), syslog.line("shop", "x" * 5000),
            syslog.line("shop", "behind")]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for line in sent:
            s.sendto(line, ("127.0.0.1", gw.port()))
    check(sink.wait(3), sent, 1024)


def test_the_longest_line_that_fits_is_not_touched(gateway, receiver):
    gw, sink = gateway(max_line=1024), receiver()
    gw.add_drain("shop", sink)
    line = syslog.line("shop", "x" * (1024 - len(syslog.line("shop", ""))))
    assert len(line) == 1024
    gw.send([line])
    assert sink.wait(1) == [line]


def test_udp_drains_cut_at_the_datagram_limit(gateway, udp_receiver):
    gw = gateway(max_line="128KiB")
    gw.add_drain("shop", udp_receiver, protocol="udp")
    line = syslog.line("shop", "ü" * 40000)
    gw.send([line, syslog.line("shop", "behind")])
    cut, behind = udp_receiver.wait(2)
    # The mark's length is not known before the cut, nor is a character ever split.
    assert 65507 - 10 < len(cut) <= 65507
    m, whole = syslog.parse(cut), syslog.parse(line)
    assert m.sd == MARK % (len(whole.msg) - len(m.msg)) and whole.msg.startswith(m.msg)
    m.msg.decode()
    assert syslog.parse(behind).msg == b"behind"

# Text that is no syslog at all, as `nc` sends it, is kept as it is: every line
# becomes a message stamped with the time of receipt and the sender's address.

import socket

from lib import syslog


def test_text_becomes_messages_of_the_listeners_app(gateway, receiver):
    gw, sink = gateway(listen=["syslog+tcp://127.0.0.1:0?app=fixed:shop"]), receiver()
    gw.add_drain("shop", sink)
    gw.send([b"hello world", b"", b"  indented", b"42 is a number", b"<14> half a header",
             b"GET / HTTP/1.1\r", b"last line"], framing=b"\n".join)
    messages = [syslog.parse(l) for l in sink.wait(6)]
    assert [m.msg for m in messages] == [b"hello world", b"  indented", b"42 is a number",
                                         b" half a header", b"GET / HTTP/1.1", b"last line"]
    assert {m.host for m in messages} == {b"127.0.0.1"}
    assert {m.pri for m in messages[:3]} == {13}


def test_mixed_framing_on_one_connection(gateway, receiver):
    gw, sink = gateway(), receiver()
    gw.add_drain("shop", sink)
    lines = [syslog.line("shop", f"{i}\nwith a second row" if i % 2 else f"{i}") for i in range(50)]
    data = b"".join(syslog.octet([l]) if i % 2 else syslog.lf([l]) for i, l in enumerate(lines))
    with gw.connect() as s:
        s.sendall(data)
    # This drain has LF framing, which a message's own LF must not break.
    assert sink.wait(50) == [l.replace(b"\n", b"#012") for l in lines]


def test_octet_counting_passes_any_byte(gateway, receiver):
    gw, sink = gateway(), receiver()
    gw.add_drain("shop", sink, framing="octet-counting")
    lines = [syslog.line("shop", bytes(range(256)) + b"%d" % i) for i in range(20)]
    gw.send(lines, framing=syslog.octet)
    assert sink.wait(20) == lines
    assert {l.framing for l in sink.lines} == {"octet"}


def test_lines_cut_into_single_bytes(gateway, receiver):
    gw, sink = gateway(), receiver()
    gw.add_drain("shop", sink)
    lines = syslog.numbered("shop", 4)
    with gw.connect() as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in syslog.lf(lines[:2]) + syslog.octet(lines[2:]):
            s.send(bytes([byte]))
    assert sink.wait(4) == lines

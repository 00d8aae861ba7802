# Unix datagrams may be longer than any other: one over max-line is cut and marked
# with the bytes lost, one that fits is not touched, and the next is intact.

import socket

import pytest

from lib import syslog


@pytest.mark.parametrize("max_line, length", [
    (1024, 1024), (1024, 1025), (1024, 65536), (65536, 65536), (65536, 65537), (65536, 150000),
    (131072, 65537), (131072, 131072), (131072, 150000)])
@pytest.mark.parametrize("end", [b"", b"\r\n\0"])
def test_cut_and_marked(gateway, receiver, tmp_path, max_line, length, end):
    gw = gateway(listen=[f"syslog+unixgram://{tmp_path}/log"], max_line=max_line)
    sink = receiver()
    gw.add_drain("shop", sink, framing="octet-counting")
    head = syslog.line("shop", "")
    text = bytes(97 + i % 26 for i in range(length - len(head)))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        s.connect(gw.addresses[0])
        for line in (syslog.line("shop", "before"), head + text, syslog.line("shop", "behind")):
            s.send(line + end)
    before, middle, behind = [syslog.parse(l) for l in sink.wait(3)]
    assert (before.msg, behind.msg) == (b"before", b"behind")
    kept = min(length, max_line)
    assert middle.msg == text[:kept - len(head)]
    if kept == length:
        assert middle.sd == b"-"
        return
    # Of an end behind what is not read at all nobody knows that it was one.
    assert middle.sd in [b'[penstock@32473 cut="%d"]' % n
                         for n in (length - kept, length - kept + len(end))]

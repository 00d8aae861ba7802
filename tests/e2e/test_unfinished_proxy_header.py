# A PROXY header that is begun and then closed, or never ended, costs no CPU time
# and no connection: it is refused, and the listener goes on.

import time

import pytest

from lib import syslog, wait

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
HEADER = b"PROXY TCP4 192.0.2.77 198.51.100.1 40000 1514\r\n"
BEGUN = [b"P", b"PROXY TCP4 192.0.2.77 ", SIGNATURE[:5], SIGNATURE + b"\x21\x11\x00\x0c\xc0"]


def closed(gw, sock):
    """The gateway has closed it."""
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("begun", BEGUN)
@pytest.mark.parametrize("half", [True, False])
def test_closed_within_it(gateway, receiver, begun, half):
    gw = gateway(listen=["syslog+tcp://127.0.0.1:0?proxy=127.0.0.0/8"])
    sink = receiver()
    gw.add_drain("shop", sink)
    waiting = [gw.connect() for _ in range(10)]
    for s in waiting:
        s.sendall(begun)
    time.sleep(0.1)
    before = gw.cpu_seconds()
    for s in waiting:
        if half:
            s.shutdown(1)  # we would still read an answer
        else:
            s.close()
    time.sleep(0.7)
    assert gw.cpu_seconds() - before < 0.3
    wait.until(lambda: len(gw.find_log(msg="connection refused", reason="within its PROXY")) == 10,
               "ten refusals")
    if half:
        for s in waiting:
            assert closed(gw, s)
            s.close()
    gw.send([syslog.line("shop", "line 0", host="-")], framing=lambda l: HEADER + syslog.lf(l))
    assert syslog.parse(sink.wait(1)[0]).host == b"192.0.2.77"


def test_never_ended(gateway, receiver):
    gw = gateway(listen=["syslog+tcp://127.0.0.1:0?proxy=127.0.0.0/8"])
    sink = receiver()
    gw.add_drain("shop", sink)
    waiting = [gw.connect() for _ in BEGUN]
    for s, begun in zip(waiting, BEGUN):
        s.sendall(begun)
    before = gw.cpu_seconds()
    gw.send([syslog.line("shop", "line 0", host="-")], framing=lambda l: HEADER + syslog.lf(l))
    sink.wait(1)
    time.sleep(1)
    assert gw.cpu_seconds() - before < 0.3
    for s in waiting:
        assert closed(gw, s)  # after 10 s
        s.close()
    assert len(gw.find_log(msg="connection refused", reason="no PROXY header within 10 s")) == 4


def test_a_stop_does_not_wait_for_it(gateway):
    gw = gateway(listen=["syslog+tcp://127.0.0.1:0?proxy=127.0.0.0/8"])
    with gw.connect() as s:
        s.sendall(b"PROXY ")
        time.sleep(0.1)
        started = time.monotonic()
        gw.stop()
        assert time.monotonic() - started < 3

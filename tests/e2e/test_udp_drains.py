# A UDP drain sends a line a datagram. That nobody listens is said in its state,
# and the next lines arrive when somebody does.

import socket
import time

from lib import address, syslog, wait


def test_a_line_a_datagram(gateway, udp_receiver):
    gw = gateway()
    url = gw.add_drain("shop", udp_receiver, protocol="udp")
    lines = syslog.numbered("shop", 300) + [syslog.line("shop", b"control \x01 and \xff")]
    gw.send(lines)
    assert udp_receiver.wait(301) == lines
    status = gw.wait_delivered("shop", url, 301)
    assert status["last_error"] is None and status["dropped"]["memory"] == 0


def test_a_line_of_lines_is_one_datagram(gateway, udp_receiver):
    """Nothing is escaped or split: a datagram needs no end of line."""
    gw = gateway()
    gw.add_drain("shop", udp_receiver, protocol="udp")
    line = syslog.line("shop", "one\ntwo\nthree")
    gw.send([line], framing=syslog.octet)
    assert udp_receiver.wait(1) == [line]


def test_nobody_listens(gateway):
    gw, host, port = gateway(), address.fresh(), 5140
    url = gw.add_drain("shop", type="syslog", host=host, port=str(port), protocol="udp")

    def error_seen():
        gw.send([syslog.line("shop", "into the void")])
        return gw.status("shop", url)["last_error"]

    error = wait.until(error_seen, "an error", step=0.1)
    assert "connection refused" in error["error"] and "UDP" in error["error"]
    before = gw.cpu_seconds()
    gw.send([syslog.line("shop", "into the void")] * 100)
    time.sleep(0.5)
    assert gw.cpu_seconds() - before < 0.3

    # Also the line whose sending hears of an earlier refusal arrives.
    for void in (1, 2):
        taken = gw.status("shop", url)["delivered"]["lines"]
        gw.send([syslog.line("shop", "into the void")] * void)
        gw.wait_delivered("shop", url, taken + void)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind((host, port))
            s.settimeout(wait.PATIENCE)
            for line in syslog.numbered("shop", 20):
                gw.send([line])
                assert s.recv(65536) == line

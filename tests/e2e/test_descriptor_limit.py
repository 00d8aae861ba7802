# Out of file descriptors, the gateway pauses accepting without spinning, serves
# those that are connected, and takes the waiting ones when there is room again.

import socket
import time

import pytest

from lib import syslog, wait
from lib.gateway import SANITIZED


@pytest.mark.threaded
def test_it_pauses_and_recovers(gateway, receiver):
    gw, sink = gateway(prefix=["prlimit", "--nofile=64:64"]), receiver()
    gw.add_drain("shop", sink)
    early = gw.connect()
    early.sendall(syslog.lf([syslog.line("shop", "line 0")]))
    sink.wait(1)

    crowd = [gw.connect() for _ in range(120)]  # the kernel's queue takes them
    wait.until(lambda: gw.find_log(msg="accept paused: out of file descriptors"), "a warning")
    before = gw.cpu_seconds()
    started = time.monotonic()
    early.sendall(syslog.lf([syslog.line("shop", "line 1")]))
    sink.wait(2)
    time.sleep(2)
    spent = (gw.cpu_seconds() - before) / (time.monotonic() - started)
    assert spent < 0.2, f"{spent:.0%} of a CPU while it can accept nobody"
    assert len(gw.find_log(msg="accept paused")) <= 4

    # They sent before they were accepted; half of them have gone meanwhile.
    for i, s in enumerate(crowd):
        s.sendall(syslog.lf([syslog.line("shop", f"line {2 + i}")]))
    for s in crowd[:100]:
        s.close()
    assert sorted(syslog.numbers(sink.wait(2 + 100 + 20))) == list(range(122))
    gw.send([syslog.line("shop", "line 122")])
    sink.wait(123)
    for s in crowd[100:]:
        s.close()
    early.close()


def test_idle_connections_are_cheap(gateway, receiver):
    gw, sink = gateway(), receiver()
    gw.add_drain("shop", sink)
    before = gw.memory_bytes()
    crowd = [gw.connect() for _ in range(2000)]
    for i, s in enumerate(crowd):
        s.sendall(syslog.line("shop", f"line {i}"))  # begun, and not ended
    gw.send([syslog.line("shop", "line 2000")])
    sink.wait(1)
    assert SANITIZED or gw.memory_bytes() - before < 2000 * 8192
    for s in crowd:
        s.shutdown(socket.SHUT_WR)
    assert sorted(syslog.numbers(sink.wait(2001))) == list(range(2001))
    for s in crowd:
        s.close()

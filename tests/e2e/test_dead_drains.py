# Drains that are dead, black-holed or stalled change nothing for any other
# drain, of the same app or of others.

import threading
import time

import pytest

from lib import receivers, syslog

# From sending to arrival, on a machine that is busy with other things, in seconds.
PROMPT = 3.0


def send_paced(gw, app, count, sink):
    """Line by line; each must come through promptly.  Returns the longest time one took."""
    longest = 0
    first = len(sink.lines)
    with gw.connect() as s:
        for i in range(first, first + count):
            sent = time.monotonic()
            s.sendall(syslog.lf([syslog.line(app, f"line {i}")]))
            sink.wait(i + 1, timeout=PROMPT)
            longest = max(longest, time.monotonic() - sent)
    return longest


@pytest.mark.threaded
def test_a_healthy_drain_beside_a_refused_and_a_stalled_one(gateway, receiver):
    gw, healthy, stalled = gateway(), receiver(), receiver(reading=False, rcvbuf=4096)
    host, port = receivers.refused()
    gw.add_drain("shop", type="syslog", host=host, port=str(port))
    gw.add_drain("shop", stalled)
    gw.add_drain("shop", healthy)
    lines = [syslog.line("shop", f"line {i} " + "x" * 400) for i in range(5000)]
    gw.send(lines)
    assert healthy.wait(5000, timeout=20) == lines
    states = {d["url"]: d["state"] for d in gw.status("shop")}
    assert sorted(states.values()) == ["connected", "connected", "retrying"]


def test_a_drain_whose_host_does_not_answer(gateway, receiver):
    """TEST-NET-1 is routed nowhere: SYNs get no answer, or at once 'no route'."""
    gw, healthy = gateway(), receiver()
    gw.add_drain("shop", type="syslog", host="192.0.2.1", port="514")
    gw.add_drain("shop", type="syslog", host="no-such-host.invalid", port="514")
    gw.add_drain("shop", healthy)
    send_paced(gw, "shop", 50, healthy)


def test_a_drain_that_never_handshakes(gateway, receiver, ca):
    """A TLS drain to a receiver that accepts and says nothing."""
    gw, healthy, mute = gateway(ca_file=ca.file), receiver(), receiver(reading=False)
    gw.add_drain("shop", mute, protocol="tls")
    gw.add_drain("shop", healthy)
    send_paced(gw, "shop", 50, healthy)


@pytest.mark.threaded
def test_forty_dead_drains_never_hold_up_a_healthy_one(gateway, receiver):
    """What waits for the dead ones is far more than worker-memory."""
    gw, healthy = gateway(worker_memory="2MiB", app_memory="1MiB", stop_timeout="200ms", spool_size="0"), receiver()
    stalled = receiver(ports=20, reading=False, rcvbuf=4096)
    for i in range(20):
        host, port = receivers.refused()
        gw.add_drain(f"dead-{i}", type="syslog", host=host, port=str(port))
        gw.add_drain(f"stalled-{i}", type="syslog", host=stalled.host, port=str(stalled.ports[i]))
    gw.add_drain("shop", healthy)

    bulk = [syslog.line(f"{kind}-{i}", f"{n} " + "x" * 1000)
            for n in range(250) for i in range(20) for kind in ("dead", "stalled")]

    def during_a_flood():
        flood = threading.Thread(target=lambda: gw.send(bulk))  # 10 MB
        flood.start()
        longest = send_paced(gw, "shop", 60, healthy)
        flood.join(60)
        assert not flood.is_alive(), "the flood's sender is held up"
        return longest

    # The first fills what TCP takes for the stalled ones, the second shows that they lag.
    during_a_flood()
    during_a_flood()
    # By now all of them are known to lag, and weigh on nobody.
    assert during_a_flood() < 1
    assert syslog.numbers(healthy.texts) == list(range(180))

# For one sender's connection and one app, each drain sees lines in the order
# sent, whichever workers the connection and the app are at home with.

import socket
import threading

import pytest

from lib import syslog

pytestmark = pytest.mark.threaded

SENDERS = 6
APPS = 5
COUNT = 600


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_each_connection_and_app(gateway, receiver, udp_receiver, workers, protocol):
    gw = gateway(workers=workers)
    sinks = {}
    for a in range(APPS):
        sinks[f"app-{a}"] = receiver()
        gw.add_drain(f"app-{a}", sinks[f"app-{a}"])
        if protocol == "udp":
            gw.add_drain(f"app-{a}", udp_receiver, protocol="udp")

    def send(number):
        """Rounds over all apps, in pieces that are cut anywhere."""
        data = syslog.lf([syslog.line(app, f"line {i}", host=f"sender-{number}")
                          for i in range(COUNT) for app in sinks])
        with gw.connect() as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            at, size = 0, 1 + 997 * number
            while at < len(data):
                s.sendall(data[at:at + size])
                at += size
                size = size * 7 % 8191 + 1

    threads = [threading.Thread(target=send, args=(n,)) for n in range(SENDERS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    for app, sink in sinks.items():
        check_flows(app, sink.wait(SENDERS * COUNT))
    if protocol == "udp":
        # Datagrams may be lost when the receiver is slow, never turned round.
        came = {}
        for frame in udp_receiver.texts:
            m = syslog.parse(frame)
            came.setdefault((m.app, m.host), []).append(int(m.msg.split()[1]))
        assert came
        assert all(numbers == sorted(set(numbers)) for numbers in came.values())


def check_flows(app, frames):
    flows = {}
    for frame in frames:
        m = syslog.parse(frame)
        assert m.app.decode() == app
        flows.setdefault(m.host, []).append(int(m.msg.split()[1]))
    assert len(flows) == SENDERS
    for numbers in flows.values():
        assert numbers == list(range(COUNT))

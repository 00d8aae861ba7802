# Names that never get an answer, receivers that hang and hosts that never shake
# hands hold up no loop.  Lines of another app go through the one worker that has
# all those drains, one after the other: none takes 20 ms.

import pathlib
import socket
import threading
import time

import pytest

from lib import http_receivers, syslog, vendors
from lib.dns_server import DROP
from lib.gateway import SANITIZED

STALL_SECONDS = 0.020
MEASURED_SECONDS = 4
TRIES = 3


def denied(thread):
    """Seconds that a thread was ready to run and had no core."""
    return int(pathlib.Path(f"/proc/{thread}/schedstat").read_text().split()[1]) / 1e9


class Ping:
    """A line there and back through the gateway, a thousand times a second."""

    def __init__(self, gw):
        self.listener = socket.create_server(("127.0.0.2", 0))
        gw.add_drain("ping", type="syslog", host="127.0.0.2",
                     port=str(self.listener.getsockname()[1]))
        self.line = syslog.lf([syslog.line("ping", "x")])
        self.out = gw.connect()
        self.out.sendall(self.line)
        self.back, _ = self.listener.accept()
        self.back.settimeout(60)
        self.once()
        self.threads = ["thread-self"] + [
            f"{gw.pid}/task/{task.name}" for task in pathlib.Path(f"/proc/{gw.pid}/task").iterdir()
            if (task / "comm").read_text().startswith("worker")]
        assert len(self.threads) == 2

    def once(self):
        self.out.sendall(self.line)
        left = len(self.line)
        while left > 0:
            data = self.back.recv(left)
            assert data, "the drain's connection was closed"
            left -= len(data)

    def longest(self, seconds):
        """Time in which the worker, or this thread, was only denied a core does not count."""
        longest = 0.0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            before = sum(map(denied, self.threads))
            sent = time.monotonic()
            self.once()
            took = time.monotonic() - sent
            longest = max(longest, took - (sum(map(denied, self.threads)) - before))
            time.sleep(0.001)
        return longest

    def close(self):
        for s in (self.out, self.back, self.listener):
            s.close()


def churn(gw, stop):
    """Drains of dead names come and go, while their look-ups are under way."""
    i = 0
    while not stop.is_set():
        app = f"churn-{i % 5}"
        url = gw.add_drain(app, type="https", url=f"https://dead-{i}.test/{i}")
        gw.send(syslog.numbered(app, 1))
        time.sleep(0.02)
        gw.remove_drain(app, url)
        i += 1


@pytest.mark.skipif(SANITIZED, reason="a sanitizer has pauses of its own")
def test_no_stall(gateway, network, http_receiver, receiver, ca):
    net = network()

    class Dead(dict):
        """Every name under test is known, and none gets an answer."""
        __contains__ = lambda self, name: name.endswith(".test")
        __getitem__ = lambda self, name: DROP

    dns = net.dns(Dead())
    hanging, mute = http_receiver(vendors.Logplex(path=None)), receiver(reading=False)
    hanging.decide = lambda request: http_receivers.hang()
    gw = gateway(ca_file=ca.file, workers=1, linger="0", batch_wait="0", stop_timeout="100ms",
                 prefix=net.prefix)
    ping = Ping(gw)
    try:
        baseline = ping.longest(1)
        for i in range(20):
            gw.add_drain(f"app-{i}", type="syslog", host=f"dead-{i}.test", port="514")
            gw.add_drain(f"app-{i}", type="https", url=f"https://dead-http-{i}.test/")
            gw.add_drain(f"app-{i}", type="https", url=hanging.url(f"/{i}"), concurrency="4")
            gw.add_drain(f"app-{i}", type="https", url=f"https://{mute.host}:{mute.port}/{i}")
        gw.send([line for i in range(20) for line in syslog.numbered(f"app-{i}", 50)])
        longest = []
        stop = threading.Event()
        thread = threading.Thread(target=churn, args=(gw, stop))
        thread.start()
        try:
            while len(longest) < TRIES and min(longest, default=1) >= STALL_SECONDS:
                longest.append(ping.longest(MEASURED_SECONDS))
        finally:
            stop.set()
            thread.join(30)
        assert len({name for name, _ in dns.asked if name.endswith(".test")}) >= 10
        assert min(longest) < STALL_SECONDS, f"stalls of {longest} s, {baseline} s without"
    finally:
        ping.close()

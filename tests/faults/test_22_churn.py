# 22. Connections that come and go, half of a handshake each, garbage, and
# attempts to renegotiate: those that are there keep on.

import socket
import ssl
import subprocess
import threading
import time

import pytest

from faults.lib import senders
from faults.lib.rig import counter, times

CHURN_A_SECOND = 300

# The begin of a ClientHello that promises more than comes.
HALF_HELLO = bytes.fromhex("1603010200010001fc0303") + b"\x5a" * 60


class Churn:
    """Connects, says something, and goes; again and again."""

    def __init__(self, port, says, rate):
        self.port, self.says, self.rate = port, says, rate
        self.count = 0
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        held = []
        while self.running:
            try:
                sock = socket.create_connection(("127.0.0.1", self.port), 10)
                sock.sendall(self.says[self.count % len(self.says)])
                held.append(sock)
            except OSError:
                pass
            self.count += 1
            if len(held) > 100:
                held.pop(0).close()
            time.sleep(1 / self.rate)
        for sock in held:
            sock.close()

    def stop(self):
        self.running = False
        self.thread.join(20)


def renegotiate(port, cafile):
    """openssl(1) asks for it with R, in TLS 1.2.  Whether the gateway went along."""
    done = subprocess.run(
        ["openssl", "s_client", "-tls1_2", "-connect", f"127.0.0.1:{port}", "-CAfile", cafile],
        input=b"R\n", capture_output=True, timeout=30)
    assert b"RENEGOTIATING" in done.stderr, done
    return b"no renegotiation" not in done.stderr


@pytest.mark.sanitized
def test_churn_and_a_flood_of_handshakes(rig, ca):
    pair = ca.issue(ips=["127.0.0.1"])
    sinks = [rig.sink() for _ in range(4)]
    gw = rig.start(listen=["syslog+tcp://127.0.0.1:0", "syslog+tls://127.0.0.1:0"],
                   tls_cert=pair.cert, tls_key=pair.key)
    for i, sink in enumerate(sinks):
        rig.drain(f"a{i}", sink)
    context = ssl.create_default_context(cafile=str(ca.file))
    steady = [rig.offer(["a0", "a1"], rate=2000),
              rig.offer(["a2", "a3"], rate=2000,
                        connect=senders.tcp("127.0.0.1", gw.port(1), context))]
    rig.run(0.5)
    with rig.fault():
        churn = [Churn(gw.port(0), [b"", b"\x00\xff garbage\n", b"1234567 <14>1 half"],
                       CHURN_A_SECOND),
                 Churn(gw.port(1), [HALF_HELLO, b"GET / HTTP/1.1\r\n\r\n", b""], CHURN_A_SECOND)]
        rig.run(times(2, 30))
        renegotiations = [renegotiate(gw.port(1), ca.file) for _ in range(times(2, 20))]
        for c in churn:
            c.stop()
    rig.run(0.5)
    accepted = counter(gw, "connections_accepted_total")
    rig.verdict(note=f"{accepted} connections")
    assert not any(renegotiations), "it renegotiates"
    assert all(s.losses == 0 for s in steady)
    assert accepted >= 0.8 * sum(c.count for c in churn)

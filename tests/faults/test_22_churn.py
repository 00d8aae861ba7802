# 22. Connections that come and go, half of a handshake each, garbage, and
# attempts to renegotiate: those that are there keep on.

import ssl
import subprocess
import threading
import time

import pytest

from faults.lib.rig import counter, times

CHURN_A_SECOND = 300

# The begin of a ClientHello that promises more than comes.
HALF_HELLO = bytes.fromhex("1603010200010001fc0303") + b"\x5a" * 60


class Churn:
    """Connects, says something, and goes; again and again."""

    def __init__(self, connect, says, rate):
        self.connect, self.says, self.rate = connect, says, rate
        self.count = 0
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        held = []
        while self.running:
            try:
                sock = self.connect()
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


def renegotiate(gw, cafile):
    """openssl(1) asks for it with R, in TLS 1.2.  Whether the gateway went along."""
    done = subprocess.run(
        ["openssl", "s_client", "-tls1_2", "-connect", gw.addresses[1], "-CAfile", cafile],
        input=b"R\n", capture_output=True, timeout=30)
    assert b"RENEGOTIATING" in done.stderr, done
    return b"no renegotiation" not in done.stderr


@pytest.mark.sanitized
def test_churn_and_a_flood_of_handshakes(rig, ca):
    pair = ca.issue(ips=[rig.host])
    sinks = [rig.sink() for _ in range(4)]
    gw = rig.start(listen=[f"syslog+tcp://{rig.host}:0", f"syslog+tls://{rig.host}:0"],
                   tls_cert=pair.cert, tls_key=pair.key)
    for i, sink in enumerate(sinks):
        rig.drain(f"a{i}", sink)
    context = ssl.create_default_context(cafile=str(ca.file))
    steady = [rig.offer(["a0", "a1"], rate=2000),
              rig.offer(["a2", "a3"], rate=2000, listener=1, tls=context)]
    rig.run(0.5)
    with rig.fault():
        churn = [Churn(gw.connect, [b"", b"\x00\xff garbage\n", b"1234567 <14>1 half"],
                       CHURN_A_SECOND),
                 Churn(lambda: gw.connect(1), [HALF_HELLO, b"GET / HTTP/1.1\r\n\r\n", b""],
                       CHURN_A_SECOND)]
        rig.run(times(2, 30))
        renegotiations = [renegotiate(gw, ca.file) for _ in range(times(2, 20))]
        for c in churn:
            c.stop()
    rig.run(0.5)
    accepted = counter(gw, "connections_accepted_total")
    rig.verdict(note=f"{accepted} connections")
    assert not any(renegotiations), "it renegotiates"
    assert all(s.losses == 0 for s in steady)
    assert accepted >= 0.8 * sum(c.count for c in churn)

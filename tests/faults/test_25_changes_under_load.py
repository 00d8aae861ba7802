# 25. Under load certificates are exchanged and read again, drains come and go,
# and the gateway is replaced by a restart: no line is lost, and none reaches
# another app.

import shutil
import ssl

import pytest

from lib import vendors

from faults.lib import senders
from faults.lib.rig import times


def install(ca, host, cert, key):
    """A new certificate, as a tool that renews them does."""
    pair = ca.issue(ips=[host])
    shutil.copy(pair.cert, cert)
    shutil.copy(pair.key, key)


@pytest.mark.sanitized
def test_certificates_and_drains(rig, ca, tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    install(ca, rig.host, cert, key)
    stay = [rig.sink(), rig.tls_sink(ca), rig.sink()]
    gw = rig.start(listen=[f"syslog+tcp://{rig.host}:0", f"syslog+tls://{rig.host}:0"],
                   tls_cert=cert, tls_key=key, ca_file=ca.file)
    rig.drain("a0", stay[0])
    rig.drain("a1", stay[1], protocol="tls")
    rig.drain("a2", stay[2])
    context = ssl.create_default_context(cafile=str(ca.file))
    steady = [rig.offer(["a0", "a1"], rate=1500),
              rig.offer(["a1", "a2"], rate=1500, listener=1, tls=context)]
    rig.run(0.3)
    gone = []
    with rig.fault():
        for n in range(times(8, 100)):
            if n % 4 == 0:
                install(ca, rig.host, cert, key)
                gw.reload()
            gone.append(rig.drain(f"a{n % 3}", rig.sink(), exact=False))
            rig.run(0.15)
            rig.remove(gone[-1])
    rig.run(0.3)
    rig.verdict()
    assert all(s.losses == 0 for s in steady)
    assert all(d.tally.got > 0 for d in gone)


@pytest.mark.sanitized
def test_upgrades(rig, ca):
    """SIGTERM and a new start on the same data-dir, again and again."""
    rig.start(listen=[f"{s}://{rig.host}:0" for s in ("relp", "http", "syslog+tcp")],
              ca_file=ca.file)
    away = rig.sink()
    rig.drain("a0", rig.sink(), touched=True)
    rig.drain("a0", away, touched=True)
    rig.drain("a1", rig.tls_sink(ca), touched=True, protocol="tls")
    rig.drain("a2", rig.http_sink(vendors.Logplex(), tls=False), touched=True)
    apps = ["a0", "a1", "a2"]
    hand = rig.sender(apps, listener=2)
    rig.offer(apps, 1000, kind=senders.RelpSender, listener=0)
    rig.offer(apps, 1000, kind=senders.HttpSender, listener=1)
    away.refuse()
    with rig.fault():
        for _ in range(times(3, 30)):
            rig.run(0.5)
            # What was sent is read, although nobody is told so.
            hand.burst(300)
            rig.restart()
            hand.hang_up()
        away.accept()
    rig.run(0.3)
    rig.verdict()

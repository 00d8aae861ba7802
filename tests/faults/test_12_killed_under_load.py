# 12. kill -9 of the gateway, again and again, while RELP and HTTP senders are at
# it: what was acknowledged to them is delivered, whether the drain kept up, was
# away, or is HTTP, and the gateway is back within a second.

import pytest

from lib import vendors

from faults.lib import forwarder, senders
from faults.lib.rig import LONG, times

KILLS = times(5, 50)

# Until it answers again, on a machine that runs other tests as well.
BACK_SECONDS = 1 if LONG else 3


def kill_often(rig, away):
    """Drains that are away come and go meanwhile."""
    slowest = 0.0
    with rig.fault():
        for n in range(KILLS):
            rig.run(0.7)
            if n % 3 == 0:
                away.refuse()
            slowest = max(slowest, rig.kill())
            if n % 3 == 1:
                away.accept()
        if away.thread is None:
            away.accept()
    return slowest


def drains(rig):
    """All kinds of them; returns the one that will be away."""
    away = rig.sink()
    rig.drain("a1", rig.sink(), touched=True)
    rig.drain("a1", away, touched=True)
    rig.drain("a2", rig.sink(), touched=True, framing="octet-counting")
    rig.drain("a3", rig.http_sink(vendors.Logplex(), tls=False), touched=True)
    return away


@pytest.mark.sanitized
@pytest.mark.parametrize("kind", [senders.RelpSender, senders.HttpSender])
def test_killed_under_load(rig, kind):
    scheme = {senders.RelpSender: "relp", senders.HttpSender: "http"}[kind]
    rig.start(listen=[f"{scheme}://{rig.host}:0"])
    away = drains(rig)
    for _ in range(2):
        rig.offer(["a1", "a2", "a3"], rate=1000, kind=kind)
    slowest = kill_often(rig, away)
    rig.run(0.5)
    rig.verdict(variant=scheme, note=f"{KILLS} kills, back within {slowest:.2f} s")
    assert slowest < BACK_SECONDS
    assert all(s.made > 500 for s in rig.senders)


def test_killed_under_load_of_rsyslogd(rig, tmp_path):
    """rsyslogd's omrelp is the client; it keeps what is not acknowledged, and all must arrive."""
    rig.start(listen=[f"relp://{rig.host}:0"])
    away = drains(rig)
    rsyslogd = forwarder.RsyslogForwarder(tmp_path / "rsyslogd", rig.host, rig.gw.port())
    try:
        rig.offer(["a1", "a2", "a3"], rate=2000,
                  connect=senders.tcp(rsyslogd.host, rsyslogd.port))
        kill_often(rig, away)
        rig.run(0.5)
        rig.verdict(variant="omrelp", note=f"{KILLS} kills")
    finally:
        rsyslogd.stop()

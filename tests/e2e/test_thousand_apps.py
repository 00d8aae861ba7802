# A thousand apps, each with a drain of its own, added through the API: every
# line goes to its app's drain and to no other.

import pytest

from lib import syslog

APPS = 1000
ROUNDS = 3


@pytest.mark.threaded
def test_every_line_goes_to_its_drain(gateway, receiver):
    gw, sink = gateway(), receiver(ports=APPS)
    apps = [f"app-{i}" for i in range(APPS)]
    for app, port in zip(apps, sink.ports):
        gw.add_drain(app, type="syslog", host=sink.host, port=str(port))
    senders = [gw.connect() for _ in range(4)]
    for r in range(ROUNDS):
        for i, app in enumerate(apps):
            senders[(i + r) % 4].sendall(syslog.lf([syslog.line(app, f"line {r}")]))
    for s in senders:
        s.close()
    sink.wait(APPS * ROUNDS)
    came = {}
    for line in sink.lines:
        m = syslog.parse(line.text)
        came.setdefault((apps[line.port], m.app.decode()), set()).add(m.msg)
    assert set(came) == {(app, app) for app in apps}
    everything = {b"line %d" % r for r in range(ROUNDS)}
    assert all(texts == everything for texts in came.values())
    # They are all still there, and known to be delivered.
    gw.wait_delivered(apps[-1], gw.drains(apps[-1])[0]["url"], ROUNDS)
    assert gw.status(apps[0])[0]["state"] == "connected"

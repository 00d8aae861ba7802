# 10. The name server does not answer any more: drains go on, and connect again,
# by the addresses that they know; nothing stalls.  Then the name leads
# elsewhere, and the drains follow.

import pytest

from lib import dns_server, vendors

from faults.lib.rig import times

OLD, NEW = "203.0.113.7", "203.0.113.8"


@pytest.fixture
def net(network):
    return network(addresses=[f"{OLD}/32", f"{NEW}/32"])


def test_the_name_server_is_gone(net, rig):
    zone = {"logs.test": [OLD], "http.test": [OLD]}
    net.dns(zone)
    sink, http, other = (rig.sink(host=OLD), rig.http_sink(vendors.Logplex(), tls=False, host=OLD),
                         rig.sink())
    rig.start(prefix=net.prefix)
    stream = rig.drain("a1", sink, touched=True, type="syslog", host="logs.test",
                       port=str(sink.port))
    post = rig.drain("a2", http, touched=True, url=http.receiver.url(host="http.test"))
    rig.drain("a3", other)
    rig.offer(["a1", "a2", "a3"], rate=2000)
    rig.run(0.5)
    with rig.fault():
        zone["logs.test"] = zone["http.test"] = dns_server.DROP
        for _ in range(times(3, 40)):
            sink.close()
            http.receiver.close_connections()
            rig.run(0.7)
            # By the address that is known, and at once.
            for d in (stream, post):
                status = rig.gw.status(d.app, d.url)
                assert status["state"] == "connected", status
        zone["logs.test"] = zone["http.test"] = [OLD]
    rig.verdict()


def test_the_name_moves(net, rig):
    """Within the time that answers are kept, 60 s."""
    zone = {"logs.test": [OLD], "http.test": [OLD]}
    net.dns(zone)
    sink, http, other = (rig.sink(host=OLD), rig.http_sink(vendors.Logplex(), tls=False, host=OLD),
                         rig.sink())
    rig.start(prefix=net.prefix)
    rig.drain("a1", sink, touched=True, type="syslog", host="logs.test", port=str(sink.port))
    rig.drain("a2", http, touched=True, url=http.receiver.url(host="http.test"))
    rig.drain("a3", other)
    rig.offer(["a1", "a2", "a3"], rate=300)
    rig.run(0.5)
    with rig.fault():
        zone["logs.test"] = zone["http.test"] = dns_server.DROP
        sink.refuse()
        http.receiver.stop()
        rig.run(times(1, 20))
        sink.host = http.receiver.host = NEW
        sink.accept()
        http.receiver.start()
        zone["logs.test"] = zone["http.test"] = [NEW]
    rig.verdict()

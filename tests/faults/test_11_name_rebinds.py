# 11. A name that led to an allowed address turns into 127.0.0.1, where somebody
# else listens: nothing is sent there, the error names the address, and the
# drain delivers when the name is what it was.

from lib import vendors, wait

from faults.lib.rig import times

PUBLIC = "93.184.216.34"


def test_rebound(network, rig):
    net = network(addresses=[f"{PUBLIC}/32"])
    zone = {"logs.test": [PUBLIC], "http.test": [PUBLIC]}
    net.dns(zone)
    sink = rig.sink(host=PUBLIC)
    http = rig.http_sink(vendors.Logplex(), tls=False, host=PUBLIC)
    traps = [rig.sink(host="127.0.0.1", port=port) for port in (sink.port, http.receiver.port)]
    rig.start(prefix=net.prefix, drain_deny="untrusted", stop_timeout="100ms")
    drains = [rig.drain("a1", sink, touched=True, type="syslog", host="logs.test",
                        port=str(sink.port)),
              rig.drain("a2", http, touched=True, url=http.receiver.url(host="http.test"))]
    hand = rig.sender(["a1", "a2"])
    hand.burst(20)
    rig.wait_arrived(drains[0], 10)
    rig.wait_arrived(drains[1], 10)
    with rig.fault():
        zone["logs.test"] = zone["http.test"] = ["127.0.0.1"]
        rig.restart()  # what it knows of names is gone
        for _ in range(times(2, 20)):
            hand.hang_up()
            hand.burst(20)
            rig.run(0.3)
        for d in drains:
            status = rig.gw.status(d.app, d.url)
            assert "127.0.0.1" in status["last_error"]["error"], status["last_error"]
            assert "denied" in status["last_error"]["error"], status["last_error"]
        assert all(t.accepted == 0 for t in traps)
        zone["logs.test"] = zone["http.test"] = [PUBLIC]
    rig.verdict()
    wait.stays(lambda: all(t.accepted == 0 for t in traps), "somebody came", 0.2)

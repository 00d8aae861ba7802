# 2. Packets to a drain's receiver vanish, of a connection that is there and of
# one that is being made: the connect is given up, the other drains notice
# nothing, and all is delivered when packets get through again.

import pytest

from lib import wait

from faults.lib.rig import times

FAR = "203.0.113.7"

# A connect is given up after 10 s.
BLACKHOLE_SECONDS = times(11, 25)


@pytest.fixture
def net(network):
    return network(addresses=[f"{FAR}/32"])


def vanish(net):
    net.run("nft", "add table inet fault; add chain inet fault out "
            "{ type filter hook output priority 0; }; "
            f"add rule inet fault out ip daddr {FAR} drop; "
            f"add rule inet fault out ip saddr {FAR} drop")


def test_blackholed(net, rig):
    far, late, beside, other = rig.sink(host=FAR), rig.sink(host=FAR), rig.sink(), rig.sink()
    rig.start(prefix=net.prefix)
    rig.drain("a1", far, touched=True)
    rig.drain("a1", beside)
    rig.drain("a3", other)
    rig.offer(["a1", "a2", "a3", "a4"])
    rig.run(1)
    with rig.fault():
        vanish(net)
        connecting = rig.drain("a2", late, touched=True)
        rig.run(BLACKHOLE_SECONDS)
        status = rig.gw.status("a2", connecting.url)
        net.run("nft", "delete table inet fault")
    rig.run(0.5)
    rig.verdict()
    assert "within" in status["last_error"]["error"] or "time" in status["last_error"]["error"]
    wait.until(lambda: late.open == 1, "a connection")

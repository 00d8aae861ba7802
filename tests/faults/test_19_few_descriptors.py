# 19. With 64 file descriptors and more senders than that, nothing spins, who is
# connected is served, and when there are descriptors again all goes on, drains
# too that could not connect.

import time

import pytest

from lib import wait

from faults.lib.rig import times


@pytest.mark.sanitized
def test_64_descriptors(rig):
    beside, late = rig.sink(), rig.sink()
    gw = rig.start(prefix=["prlimit", "--nofile=64:64"])
    rig.drain("a1", beside)
    rig.drain("a2", late, touched=True)  # connects at its first line
    steady = rig.offer(["a1"])
    rig.run(0.5)
    with rig.fault():
        crowd = [gw.connect() for _ in range(times(120, 1000))]
        wait.until(lambda: gw.find_log(msg="accept paused: out of file descriptors"), "a warning")
        beginner = rig.sender(["a2"])
        before, began = gw.cpu_seconds(), time.monotonic()
        rig.run(times(2, 30))
        spent = (gw.cpu_seconds() - before) / (time.monotonic() - began)
        beginner.burst(10)  # waits in the kernel until it is accepted
        for sock in crowd:
            sock.close()
    rig.verdict()
    assert steady.losses == 0
    assert spent < 0.5, f"{spent:.0%} of a CPU"


def test_drains_that_cannot_connect(rig):
    """Descriptors are used up by idle senders when drains want to connect."""
    sinks = [rig.sink() for _ in range(8)]
    gw = rig.start(prefix=["prlimit", "--nofile=64:64"])
    for i, sink in enumerate(sinks):
        rig.drain(f"a{i}", sink, touched=True)
    with gw.connect() as first:
        crowd = [gw.connect() for _ in range(80)]
        wait.until(lambda: gw.find_log(msg="accept paused"), "a warning")
        hand = rig.sender([f"a{i}" for i in range(8)], connect=lambda: first)
        with rig.fault():
            hand.burst(80)
            rig.run(1)
            for sock in crowd:
                sock.close()
        rig.verdict()

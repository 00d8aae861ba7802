# 4. A receiver resets its connections wherever that falls: whole frames go out
# again, none is spliced from two, none is lost.

import pytest

from faults.lib.rig import times


@pytest.mark.sanitized
@pytest.mark.parametrize("framing", ["lf", "octet-counting"])
def test_reset_mid_frame(rig, framing):
    torn, beside = rig.sink(), rig.sink()
    rig.start()
    rig.drain("a1", torn, touched=True, framing=framing)
    rig.drain("a1", beside, framing=framing)
    rig.offer(["a1"], rate=times(2000, 5000))
    rig.run(0.5)
    with rig.fault():
        torn.reset_each(100000, 400000)
        rig.run(times(3, 30))
        torn.reset_each(0, 0)
    rig.run(0.5)
    rig.verdict()
    assert torn.closed >= 2


def test_reset_within_the_first_lines(rig):
    """A few lines; each connection has a whole one at least, or the line would be given up."""
    torn, beside = rig.sink(), rig.sink()
    rig.start()
    rig.drain("a1", torn, touched=True)
    rig.drain("a1", beside)
    hand = rig.sender(["a1"])
    with rig.fault():
        torn.reset_each(300, 1200)
        for _ in range(times(15, 200)):
            hand.burst(3)
            rig.run(0.15)
        torn.reset_each(0, 0)
    rig.verdict()
    assert torn.closed >= 5

# 5. A receiver closes each connection after 1,000 lines and forgets what else it
# was sent, while lines flow: none is lost; with a resend-bytes of 8 KiB few
# come twice.

import pytest

from faults.lib.rig import LONG, times

# What a receiver has taken from its kernel and then forgets must fit into resend-bytes: 8 KiB
# are 45 lines, and those that come while it sleeps it takes at once.
LINES_A_SECOND, FEW_LINES = 2000, 1000

# Beside other tests the sink sleeps for longer: this one is run alone.
ALONE = pytest.mark.skipif(not LONG, reason="script/faults runs it, with nothing beside it")


@pytest.mark.parametrize("keys", [
    pytest.param({}, id="defaults"),
    pytest.param({"resend_bytes": "8KiB"}, id="8KiB", marks=ALONE),
])
def test_closed_every_1000_lines(rig, keys):
    closing, other = rig.sink(), rig.sink()
    rate = FEW_LINES if keys else LINES_A_SECOND
    rig.start(**keys)
    touched = rig.drain("a1", closing, touched=True)
    rig.drain("a2", other)
    rig.offer(["a1"], rate=rate)
    rig.offer(["a2"], rate=rate)
    with rig.fault():
        closing.close_each(1000)
        rig.run(times(5, 60))
        closing.close_each(None)
    rig.verdict()
    assert closing.closed >= 5
    assert not keys or touched.tally.duplicated < 0.05 * touched.tally.got

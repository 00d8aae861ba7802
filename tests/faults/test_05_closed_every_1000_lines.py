# 5. A receiver closes each connection after 1,000 lines and forgets what else it
# was sent, while lines flow: none is lost; with a resend-bytes of 8 KiB few
# come twice.

import pytest

from faults.lib.rig import LONG, times

LINES_A_SECOND = 2000

# Beside other tests the sink reads by fits and starts, and may have more unread than so
# small a bound brings back: this one is run alone.
ALONE = pytest.mark.skipif(not LONG, reason="script/faults runs it, with nothing beside it")

# No bound is smaller than what a receiver takes from its kernel at a time and then forgets.
READ_BYTES = 4096


@pytest.mark.parametrize("keys", [
    pytest.param({}, id="defaults"),
    pytest.param({"resend_bytes": "8KiB"}, id="8KiB", marks=ALONE),
])
def test_closed_every_1000_lines(rig, keys):
    closing, other = rig.sink(), rig.sink()
    if keys:
        closing.read_bytes = READ_BYTES
    rig.start(**keys)
    touched = rig.drain("a1", closing, touched=True)
    rig.drain("a2", other)
    rig.offer(["a1"], rate=LINES_A_SECOND)
    rig.offer(["a2"], rate=LINES_A_SECOND)
    with rig.fault():
        closing.close_each(1000)
        rig.run(times(5, 60))
        closing.close_each(None)
    rig.verdict()
    assert closing.closed >= 5
    assert not keys or touched.tally.duplicated < 0.05 * touched.tally.got

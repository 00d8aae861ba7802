# 16. A bit of a chunk on disk flips, while the gateway is down or while it
# runs: the lines of that chunk are lost, counted, and said in the stream of the
# drain that misses them; no other line is lost, and none is altered.

import random

import pytest

from lib import wait

from faults.lib import spool_file
from faults.lib.rig import counter, times

LINES = times(5000, 50000)
FLIPS = times(1, 20)

# A chunk holds 64 KiB at most, and no line is shorter than 120 bytes.
CHUNK_LINES = 64 * 1024 // 120

SPOOL_AFTER = "600ms"


def flip_bits(file, rng, flips):
    """Within lines that are on disk once, and so are a backlog's."""
    places = [at[0] for at in spool_file.lines(file, "a1").values() if len(at) == 1]
    assert len(places) > LINES * 0.9, "the backlog is not on disk"
    for at in rng.sample(places, flips):
        spool_file.flip(file, at + rng.randrange(60), rng.randrange(8))


def backlog(rig):
    """A drain that is away, one that is not, and lines on disk for the first."""
    away, beside, other = rig.sink(), rig.sink(), rig.sink()
    rig.start(spool_after=SPOOL_AFTER)
    touched = rig.drain("a1", away, touched=True)
    near = rig.drain("a1", beside)
    rig.drain("a2", other)
    away.refuse()
    hand = rig.sender(["a1"])
    for _ in range(LINES // 1000):
        hand.burst(1000)
        rig.run(0.02)
    rig.sender(["a2"]).burst(100)
    rig.wait_arrived(near, LINES)
    wait.until(lambda: len(spool_file.lines(spool_file.path(rig.gw), "a1")) == LINES,
               "the lines are on disk", step=0.2)
    return away, touched


@pytest.mark.parametrize("down", [True, False], ids=["while it is down", "while it runs"])
def test_flipped(rig, down):
    away, touched = backlog(rig)
    rng = random.Random(16)
    with rig.fault():
        if down:
            rig.gw.stop()
        flip_bits(spool_file.path(rig.gw), rng, FLIPS)
        if down:
            rig.gw.start()
        away.accept()
    # What is lost is said in the stream, once a second at most, in front of a line.
    rig.offer(["a1"], rate=100)
    rig.run(3)
    rig.verdict(loss="counted", note=f"{FLIPS} flipped")
    missing = LINES - len(touched.tally.seen[b"s0"])
    assert missing == touched.tally.told <= FLIPS * CHUNK_LINES
    if down:  # what it still has in memory, it has
        assert missing > 0
        assert counter(rig.gw, "spool_damaged_chunks_total") > 0

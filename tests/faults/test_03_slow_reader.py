# 3. A receiver reads 1 kB/s: what it does not take costs bounded memory, the
# other drains notice nothing, and when it reads as it should it gets all.

from lib.gateway import SANITIZED

from faults.lib.rig import anonymous_bytes, times

SLOW_BYTES = 1000  # a second


def test_a_slow_reader(rig):
    slow, beside, other = rig.sink(rcvbuf=8192), rig.sink(), rig.sink()
    rig.start()
    rig.drain("a1", slow, touched=True)
    rig.drain("a1", beside)
    rig.drain("a2", other)
    rig.offer(["a1", "a2"])
    rig.run(0.5)
    before = anonymous_bytes(rig.gw.pid)
    with rig.fault():
        slow.read(True, rate=SLOW_BYTES)
        rig.run(times(5, 60))
        slow.read(True)
    rig.run(0.5)
    rig.verdict()
    # worker-memory of two workers, and a little.
    assert SANITIZED or rig.memory - before < 40 << 20, f"{before} bytes, then {rig.memory}"

# 1. A drain's receiver refuses connections for a while: what was sent meanwhile
# is all delivered, in order; the other drains notice nothing.

from faults.lib.rig import times


def test_refused_for_a_while(rig):
    away, beside, other = rig.sink(), rig.sink(), rig.sink()
    rig.start()
    rig.drain("a1", away, touched=True)
    rig.drain("a1", beside)
    rig.drain("a2", other)
    rig.offer(["a1", "a2"])
    rig.run(1)
    with rig.fault():
        away.refuse()
        rig.run(2)
        away.accept()
    rig.run(0.5)
    rig.verdict()


def test_refused_for_long(rig):
    """More waits than app-memory holds: it comes back from disk, in order."""
    away, beside, other = rig.sink(), rig.sink(), rig.sink()
    rig.start(app_memory="64KiB")
    touched = rig.drain("a1", away, touched=True)
    rig.drain("a1", beside)
    rig.drain("a2", other)
    away.refuse()
    rig.offer(["a1", "a2"])
    with rig.fault():
        rig.run(times(4, 120))
        status = rig.gw.status("a1", touched.url)
        away.accept()
    rig.run(1)
    rig.verdict()
    assert status["waiting"]["spool"]["bytes"] > 256 << 10, status["waiting"]


def test_refused_over_a_restart(rig):
    """What waits when the gateway stops, or is killed, is delivered after the next start."""
    away, beside = rig.sink(), rig.sink()
    rig.start(app_memory="64KiB", stop_timeout="200ms")
    rig.drain("a1", away, touched=True)
    rig.drain("a1", beside, touched=True)
    away.refuse()
    with rig.fault():
        for _ in range(times(2, 20)):
            sender = rig.offer(["a1"], rate=3000)
            rig.run(1.5)
            sender.stop()
            rig.restart()
        away.accept()
    rig.verdict()

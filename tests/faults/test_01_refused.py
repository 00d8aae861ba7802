# 1. A drain's receiver refuses connections for a while: what was sent meanwhile
# is all delivered, in order; the other drains notice nothing.


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

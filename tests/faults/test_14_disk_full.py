# 14. The disk is full while a drain is away: senders that are acknowledged wait,
# and lose nothing; everybody else goes on; and when there is room again all
# does, by itself.

from faults.lib import disk
from faults.lib.rig import times


def test_disk_full(rig):
    small = disk.SmallDisk(rig.dir / "gateway0" / "data", "16m")
    try:
        rig.start(prefix=small.prefix,
                  listen=[f"{s}://{rig.host}:0" for s in ("relp", "http")])
        held = disk.while_full(rig, small.fill, small.free, times(2, 30))
        rig.verdict(loss="counted")
        assert all(s.acked("a1") > 1000 for s in held), "nothing goes on"
        assert {status for status, _ in held[1].refusals} <= {429, 503}, held[1].refusals
        assert all(int(after) > 0 for _, after in held[1].refusals), held[1].refusals
        rig.gw.stop()
    finally:
        small.stop()

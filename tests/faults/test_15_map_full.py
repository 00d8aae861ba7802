# 15. The spool's map is full while a drain is away: as when the disk is, and
# what is delivered or removed makes room.

from lib import wait

from faults.lib import disk
from faults.lib.rig import times


def start(rig):
    return rig.start(listen=[f"{s}://{rig.host}:0" for s in ("relp", "http", "syslog+tcp")],
                     spool_map="8MiB", app_memory="64KiB")


def test_map_full(rig):
    """Room is made by a drain that goes, with all that waits for it."""
    gw = start(rig)
    refusing = rig.sink()
    refusing.refuse()

    def fill():
        going.append(gw.add_drain("a3", refusing))
        with gw.connect(2) as sock:
            for n in range(6000):
                sock.sendall(b"<14>1 - h a3 - - - %d %s\n" % (n, b"x" * 1000))
                if n % 1000 == 0:
                    rig.run(0.1)

    def free():
        gw.remove_drain("a3", going[0])

    going = []
    held = disk.while_full(rig, fill, free, times(2, 30))
    rig.verdict(loss="sent again")
    assert all(s.acked("a1") > 1000 for s in held), "nothing goes on"
    wait.until(lambda: not gw.status("a1")[0]["waiting"]["oldest_ms"], "nothing waits")

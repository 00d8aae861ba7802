# 14. The disk is full while a drain is away: senders that are acknowledged wait,
# and lose nothing; everybody else goes on; and when there is room again all
# does, by itself.

import threading
import time

from lib import address, relp, syslog, wait

from faults.lib import disk
from faults.lib.rig import times


def test_disk_full(rig):
    small = disk.SmallDisk(rig.dir / "gateway0" / "data", "16m")
    try:
        rig.start(prefix=small.prefix,
                  listen=[f"{s}://{rig.host}:0" for s in ("relp", "http")])
        held = disk.while_full(rig, small.fill, small.free, times(2, 30))
        rig.verdict(loss="sent again")
        assert all(s.acked("a1") > 1000 for s in held), "nothing goes on"
        assert {status for status, _ in held[1].refusals} <= {429, 503}, held[1].refusals
        assert all(int(after) > 0 for _, after in held[1].refusals), held[1].refusals
        rig.gw.stop()
    finally:
        small.stop()


def test_what_was_acknowledged_is_never_given_up(gateway, receiver, tmp_path):
    """Sessions of four workers, and lines of a sender that nobody answers: more than app-memory
    holds, so some are given up.  Those that were to be acknowledged come again."""
    small, host = disk.SmallDisk(tmp_path / "gateway0" / "data", "16m"), address.fresh()
    try:
        gw = gateway(listen=[f"relp://{host}:0", "syslog+tcp://127.0.0.1:0"], workers=4,
                     app_memory="64KiB", prefix=small.prefix)
        sink = receiver()
        url = gw.add_drain("shop", sink)
        sink.stop()
        filler = [syslog.line("shop", "filler " + "x" * 1000)] * 100
        gw.send(filler, index=1)
        gw.wait_status("shop", url, lambda s: s["waiting"]["spool"]["lines"] == 100, "on disk")
        small.fill()
        # Some room was taken ahead.
        for _ in range(100):
            gw.send(filler, index=1)
            time.sleep(0.05)
        wait.until(lambda: gw.find_log(msg="spool cannot be written"), "a full spool")
        lines = [[syslog.line("shop", f"line {n * 8 + i} " + "x" * 3000) for n in range(60)]
                 for i in range(8)]
        senders = [relp.Sender(lambda: relp.Client(host, gw.port(), timeout=3)) for _ in lines]
        threads = [threading.Thread(target=s.send, args=(l, 120), daemon=True)
                   for s, l in zip(senders, lines)]
        for t in threads:
            t.start()
        for _ in range(5):
            gw.send(filler, index=1)
            time.sleep(0.5)
        status = gw.wait_status("shop", url, lambda s: s["dropped"]["memory"] > 0, "lines given up")
        assert status["waiting"]["memory"]["lines"] > 0, status
        assert all(len(s.waiting) == 60 for s in senders), "acknowledged without room"
        small.free()
        sink.start()
        for t in threads:
            t.join(120)
        assert not any(s.waiting for s in senders)
        wait.until(lambda: {n for t in list(sink.texts) if b" line " in t
                            for n in syslog.numbers([t])} == set(range(480)), "all lines", 30)
        gw.stop()
    finally:
        small.stop()

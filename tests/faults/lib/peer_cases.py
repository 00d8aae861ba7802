"""Cases that are about a router's own files and configuration, for other routers than ours."""

import random
import re

from lib import wait

from . import disk, senders, spool_file
from .rig import times

LINES = 1500

# New lines that did not come by then will not come.
NEW_SECONDS = 20

# In what a router logs; connections fail here, too.
_ALARM = re.compile(r"corrupt|damage|truncat|(queue|disk-buffer).*(error|cannot|fail|invalid|drop)|"
                    r"(error|cannot|invalid|drop).*(queue|disk-buffer)", re.IGNORECASE)


def _on_disk(gw, sender):
    return {n for file in gw.queue_files() for n in spool_file.lines(file, "a1", sender)}


def _backlog(rig):
    """A drain that is away, and lines on disk for it; no other, as its lines would be there, too."""
    away = rig.sink()
    rig.start()
    touched = rig.drain("a1", away, touched=True)
    away.refuse()
    hand = rig.sender(["a1"])
    for _ in range(LINES // 500):
        hand.burst(500)
        rig.run(0.5)
    wait.until(lambda: len(_on_disk(rig.gw, "s0")) == LINES,
               lambda: f"{LINES} lines are on disk, {len(_on_disk(rig.gw, 's0'))} are", step=0.5)
    return away, touched


def flipped(rig):
    """A bit of a line flips on disk, while the router is down."""
    away, _ = _backlog(rig)
    with rig.fault():
        rig.gw.stop()
        file = rig.gw.queue_files()[0]
        places = spool_file.lines(file, "a1")
        for at in places[random.Random(16).choice(sorted(places))]:
            spool_file.flip(file, at + 40)
        rig.gw.start()
        away.accept()
    rig.verdict(loss="counted")


def damaged(rig, damage):
    """The router has to start, to log what it found, and new lines must flow."""
    away, touched = _backlog(rig)
    touched.exact = False
    with rig.fault():
        rig.gw.stop()
        damage(rig.gw)
        logged = set(rig.gw.messages())
        rig.gw.start()
        away.accept()
    steady = rig.offer(["a1"], rate=200)
    rig.run(5)
    rig.stop_senders()
    for _ in range(NEW_SECONDS):
        rig.run(1)
        new = len(touched.tally.missing(steady, 0, steady.offered("a1")))
        if not new:
            break
    said = [m for m in rig.gw.messages() if m not in logged and _ALARM.search(m)]
    note = f"{LINES - len(touched.tally.seen[b's0'])} of {LINES} lines lost"
    note += "" if said else ", without a word"
    note += f", and {new} of {steady.offered('a1')} new ones" if new else ""
    rig.verdict(note=note, passed=said and not new)


def disk_full(rig, kind):
    """The disk with the queues is full for a while, and a drain away; nobody is killed."""
    listen = {senders.RelpSender: "relp", senders.StreamSender: "syslog+tcp"}[kind]
    small = disk.SmallDisk(rig.dir / "peer" / "queues", "16m")
    try:
        away, well = rig.sink(), rig.sink()
        gw = rig.start(listen=[f"{listen}://"])
        gw.prefix, gw.seen = small.prefix, small.seen
        rig.drain("a1", away, touched=True)
        rig.drain("a2", well, touched=True)
        away.refuse()
        for app in ("a1", "a2"):
            rig.offer([app], 1000, kind)
        rig.run(1)
        with rig.fault():
            small.fill()
            rig.run(times(5, 30))
            small.free()
        rig.run(1)
        away.accept()
        rig.run(0.5)
        rig.verdict(loss="counted")
        gw.kill()
    finally:
        small.stop()


def cut_queue(gw):
    """Half of it is there."""
    for file in gw.queue_files()[:1]:
        spool_file.cut(file, file.stat().st_size // 2)


def cut_head(gw):
    """What says where the queue begins: rsyslog has it in a file of its own."""
    index = sorted(gw.data.glob("*.qi"))
    for file in index or gw.queue_files()[:1]:
        spool_file.overwrite(file, 0, bytes(min(file.stat().st_size, 4096)))


def killed_over_tcp(rig):
    """kill -9 under load of senders that are told nothing; what is lost is lost."""
    away = rig.sink()
    rig.start()
    rig.drain("a1", rig.sink(), touched=True)
    rig.drain("a1", away, touched=True)
    rig.drain("a2", rig.sink(), touched=True)
    rig.offer(["a1", "a2"], rate=2000)
    with rig.fault():
        for n in range(times(5, 50)):
            rig.run(0.7)
            if n % 3 == 0:
                away.refuse()
            rig.kill()
            if n % 3 == 1:
                away.accept()
        if away.thread is None:
            away.accept()
    rig.run(0.5)
    rig.verdict(loss="uncounted")


def changes(rig):
    """Drains come and go under load, by whatever the router needs to read its configuration."""
    rig.start()
    rig.drain("a0", rig.sink())
    rig.drain("a1", rig.sink())
    rig.offer(["a0", "a1"], rate=2000)
    rig.run(0.3)
    with rig.fault():
        for n in range(8):
            gone = rig.drain(f"a{n % 2}", rig.sink(), exact=False)
            rig.run(0.5)
            rig.remove(gone)
    rig.run(0.5)
    rig.verdict()

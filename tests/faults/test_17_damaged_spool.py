# 17. The spool's file is cut, or its head or any of it is overwritten, while
# the gateway is down: it is put aside under another name with a loud log line,
# the gateway starts, drains and tokens are all there, and new lines flow.
# penstockd --check-spool then brings back what can be read.

import random

import pytest

from lib import wait
from lib.gateway import run_daemon

from faults.lib import report, spool_file
from faults.lib.rig import times

LINES = times(3000, 30000)
PAGES = times(3, 10)
SPOOL_AFTER = "600ms"

# A chunk holds 64 KiB at most, and no line is shorter than 120 bytes.
CHUNK_LINES = 64 * 1024 // 120


def used(file):
    """Where the last line of the backlog lies; LMDB and the spool leave room behind it."""
    return max(at[-1] for at in spool_file.lines(file, "a1").values())


def half(file, rng):
    spool_file.cut(file, used(file) // 2 // spool_file.PAGE * spool_file.PAGE)


def one_page_short(file, rng):
    spool_file.cut(file, used(file) // spool_file.PAGE * spool_file.PAGE)


def odd_length(file, rng):
    spool_file.cut(file, used(file) // 3 + 777)


def empty(file, rng):
    spool_file.cut(file, 0)


def no_head(file, rng):
    spool_file.overwrite(file, 0, bytes(2 * spool_file.PAGE))


def random_head(file, rng):
    spool_file.overwrite(file, 0, rng.randbytes(2 * spool_file.PAGE))


def random_pages(file, rng):
    """Of what is in use: trees as well as lines."""
    for page in rng.sample(range(2, used(file) // spool_file.PAGE), PAGES):
        spool_file.overwrite(file, page * spool_file.PAGE, rng.randbytes(spool_file.PAGE))


def another_file(file, rng):
    file.write_bytes(b"this was never a spool\n" * 1000)


# Damage, and how many chunks it can cost at most, of those of which something is left.
DAMAGES = {half: 1, one_page_short: 1, odd_length: 1, empty: 0, no_head: 0, random_head: 0,
           random_pages: PAGES, another_file: 0}


def aside(gw):
    return sorted(gw.data.glob("spool.damaged-*"))


def backlog(rig):
    """A drain that is away, and lines on disk for it; a token, and a drain that is not away."""
    away, other = rig.sink(), rig.sink()
    gw = rig.start(spool_after=SPOOL_AFTER)
    touched = rig.drain("a1", away, touched=True)
    rig.drain("a2", other)
    away.refuse()
    hand = rig.sender(["a1"])
    for _ in range(LINES // 1000):
        hand.burst(1000)
        rig.run(0.02)
    wait.until(lambda: len(spool_file.lines(spool_file.path(gw), "a1")) == LINES,
               "the lines are on disk", step=0.2)
    status, token, _ = gw.request("POST", "/v1/tokens", {"token": {"name": "mine", "app": "a1"}})
    assert status == 201, token
    return away, touched, token["token"]["token"]


def new_lines_flow(rig, token, drains):
    """After a start."""
    gw = rig.gw
    assert [d["url"] for app in ("a1", "a2") for d in gw.drains(app)] == drains
    assert gw.request("GET", gw.path("a1"), token=token)[0] == 200, "the token is gone"
    rig.offer(["a1", "a2"], rate=500)
    rig.run(1)


def new_missing(rig, drain):
    steady = rig.senders[-1]
    return drain.tally.missing(steady, 0, steady.offered("a1"))


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda d: d.__name__)
def test_damaged(rig, damage):
    away, touched, token = backlog(rig)
    touched.exact = False  # what is lost here is nobody's to count
    gw, drains = rig.gw, [d.url for d in rig.drains]
    file = spool_file.path(gw)
    with rig.fault():
        gw.stop()
        damage(file, random.Random(17))
        readable = len(spool_file.lines(file, "a1"))
        gw.start()
        away.accept()
    new_lines_flow(rig, token, drains)
    folders = aside(gw)
    # Of some of its pages a start needs to know nothing.
    assert folders or damage is random_pages, gw.log_text()
    for folder in folders:
        assert any(folder.name in str(l) for l in gw.find_log(level="error")), gw.log_text()
    rig.stop_senders()
    rig.wait(lambda: rig.feed() or not new_missing(rig, touched), "new lines at the drain")
    variant = damage.__name__.replace("_", " ")
    rig.verdict(variant=variant)
    rig.gw.stop()
    if folders:
        salvage(rig, touched, max(readable - DAMAGES[damage] * CHUNK_LINES, 0))
    lost = LINES - len(touched.tally.seen[b"s0"])
    report.record(17, variant=variant, passed=True, note=f"{lost} of {LINES} lines lost")


def salvage(rig, drain, least):
    """penstockd --check-spool: so many lines, at least, come to their drain in the end."""
    status, said = run_daemon("--data-dir", rig.gw.data, "--check-spool")
    assert status in (0, 1) and "brought back" in said, said
    rig.gw.start()
    try:
        rig.wait(lambda: rig.feed() or len(drain.tally.seen[b"s0"]) >= least,
                 lambda: f"{least} lines, {len(drain.tally.seen[b's0'])} came; {said}")
    finally:
        rig.gw.stop()
    assert drain.tally.altered == drain.tally.misrouted == 0
    assert not aside(rig.gw), "what was brought back would come again"

# 18. Power is cut while RELP and HTTP senders are at it, one drain keeps up and
# others are away: whatever the disk then has, the gateway opens it, and every
# line that was acknowledged is in it, or was delivered before.

import random
import shutil
import time

from lib import wait
from lib.gateway import Gateway

from faults.lib import line, read_back, report, senders, sinks, write_trace
from faults.lib.power_cut import SEED, Cuts
from faults.lib.rig import times

SECONDS = times(3, 15)
CUTS = times(60, 250)
STARTS = times(4, 12)  # of these, how many are opened by a whole gateway
RATE = times(600, 1500)  # lines a second and sender

APPS = ["a1", "a2", "a3"]

# A line that a receiver's machine has acknowledged is read by its program so much later at most.
READ_SECONDS = 1.0


class Noted:
    """A sender that notes what was acknowledged when."""

    def note(self):
        if not hasattr(self, "notes"):
            self.notes = []
        self.notes.append((time.monotonic(), {app: self.acked(app) for app in self.apps}))

    def acked_at(self, until):
        """{app: how many of its first lines were acknowledged before that time}."""
        known = dict.fromkeys(self.apps, 0)
        for at, acked in getattr(self, "notes", ()):
            if at >= until:
                break
            known = acked
        return known


class NotedRelp(Noted, senders.RelpSender):
    def _answers(self, timeout):
        super()._answers(timeout)
        self.note()


class NotedHttp(Noted, senders.HttpSender):
    def send(self, first, end):
        super().send(first, end)
        self.note()


class Arrivals:
    """What came to a sink, and when; goes forward in time."""

    def __init__(self, sink):
        frames = sinks.Frames()
        self.sink = sink
        self.pieces = len(sink.pieces)
        self.all = [(at, found[1:]) for conn, data, at in sink.pieces
                    for found in map(line.read_frame, frames.split(conn, data)) if found]
        self.at = 0
        self.there = set()

    def again(self):
        """From the start."""
        self.at = 0
        self.there = set()
        return self

    def until(self, end):
        """{(sender, number)}: what had come by then."""
        while self.at < len(self.all) and self.all[self.at][0] <= end:
            self.there.add(self.all[self.at][1])
            self.at += 1
        return self.there

    def since(self):
        """What has come since this was made."""
        frames = sinks.Frames()
        return {found[1:] for conn, data, _ in list(self.sink.pieces)[self.pieces:]
                for found in map(line.read_frame, frames.split(conn, data)) if found}


def held(data):
    """(sender, number) of a chunk's lines."""
    found = [line.read_frame(f) for f in read_back.frames(data)]
    assert None not in found, "a line in the spool was altered"
    return [f[1:] for f in found]


class Load:
    """A run that was written down."""

    def __init__(self, rig, tmp_path):
        self.rig = rig
        data, trace = tmp_path / "gateway0" / "data", tmp_path / "trace"
        env = write_trace.environment(read_back.tool("libwrite_trace.so"), trace, data)
        near, away, late = rig.sink(), rig.sink(), rig.sink()
        away.refuse()
        late.refuse()
        rig.start(listen=[f"relp://{rig.host}:0", f"http://{rig.host}:0"], env=env)
        rig.drain("a1", near)
        rig.drain("a1", away, touched=True)
        rig.drain("a2", late, touched=True)
        rig.drain("a3", away_too := rig.sink(), touched=True, framing="octet-counting")
        away_too.refuse()
        self.sinks = [near, away, late, away_too]
        rig.offer(APPS, rate=RATE, kind=NotedRelp)
        rig.offer(APPS, rate=RATE, kind=NotedHttp,
                  connect=senders.http_to(rig.host, rig.gw.port(1)))
        time.sleep(SECONDS / 2)
        late.accept()
        time.sleep(SECONDS / 2)
        rig.stop_senders()
        rig.watching.stop()
        rig.gw.stop()
        self.records = write_trace.read(trace, data)
        self.first = next(i for i, r in enumerate(self.records)
                          if r.time > rig.senders[0].times[1][1])
        self.arrivals = [Arrivals(s) for s in self.sinks]

    def acked(self, app, until):
        """(sender, number) of the app's lines that were acknowledged by then."""
        return {(s.name.encode(), n) for s in self.rig.senders
                for n in range(s.acked_at(until)[app])}

    def wrong(self, found, until):
        """What is wrong with what a cut has left; None: nothing."""
        if found is None:
            return "who reads it dies"
        if found.faults or found.holes:
            return f"{found.faults} {found.holes} damaged chunks"
        for drain, arrivals in zip(self.rig.drains, self.arrivals):
            if drain.url not in found.drains:
                return f"there is no drain {drain.url}"
            there = in_spool(found, found.apps[drain.app], found.drains[drain.url])
            lost = self.acked(drain.app, until) - there - arrivals.until(until + READ_SECONDS)
            if lost:
                return f"{drain.url}: {len(lost)} acknowledged lines, {sorted(lost)[:5]}"
        return None


def in_spool(found, app, drain):
    """(sender, number) of the lines that a drain will be sent."""
    if app not in found.logs:
        return set()
    begin = found.marks.get((app, drain), found.logs[app][0])
    return {one for seq, _, lines in found.chunks[app] for one in lines[max(begin - seq, 0):]}


def deliver(load, image, until, directory):
    """A whole gateway on what a cut has left: it brings what was acknowledged and not there yet."""
    needed = []
    for drain, arrivals in zip(load.rig.drains, load.arrivals):
        before = set(arrivals.until(until + READ_SECONDS))
        needed.append((Arrivals(drain.sink), load.acked(drain.app, until) - before))
    gw = Gateway(directory)
    gw.data = image
    gw.start()
    try:
        assert not gw.find_log(msg="DAMAGED"), gw.log_text()
        wait.until(lambda: all(lines <= a.since() for a, lines in needed),
                   lambda: f"{[len(lines - a.since()) for a, lines in needed]} lines of each drain",
                   30, step=0.2)
    finally:
        gw.kill()


def read_all(load, tmp_path):
    """What the spool and the store of each image say, without a gateway."""
    cuts, faults = Cuts(load.records, tmp_path / "image", CUTS, load.first), []
    with read_back.ReadBack(held) as back:
        for cut, until, image in cuts:
            fault = load.wrong(back.read(image), until)
            if fault is not None:
                faults.append((cut, fault))
    report.record(18, variant="under load", passed=not faults,
                  offered=sum(len(load.acked(app, float("inf"))) for app in APPS),
                  lost_acked=len(faults), note=f"{CUTS - len(faults)} of {CUTS} cuts well")
    assert not faults, f"{len(faults)} of {CUTS}, the first: {faults[:3]}"


def start_some(load, tmp_path):
    """The whole way: a gateway starts, and all that it owes arrives."""
    cuts = Cuts(load.records, tmp_path / "image", STARTS * 3, load.first)
    chosen = set(random.Random(SEED).sample(cuts.cuts, min(STARTS, len(cuts.cuts))))
    for s in load.sinks:
        if s.thread is None:
            s.accept()
    for n, (cut, until, image) in enumerate(cuts):
        if cut not in chosen:
            continue
        shutil.copytree(image, tmp_path / f"start{n}")
        deliver(load, tmp_path / f"start{n}", until, tmp_path / f"again{n}")
    report.record(18, variant="whole gateway", passed=True, lost_acked=0,
                  note=f"{len(chosen)} starts after cuts")


def test_power_is_cut_under_load(rig, tmp_path):
    load = Load(rig, tmp_path)
    assert sum(len(load.acked(app, float("inf"))) for app in APPS) > SECONDS * RATE, \
        "next to nothing was acknowledged"
    read_all(load, tmp_path)
    # It goes over what came once more, from the start.
    load.arrivals = [a.again() for a in load.arrivals]
    start_some(load, tmp_path)

# 18. Power is cut: whatever the disk then has of what was not synced, the
# spool and the store open, what was synced is there, and nothing is there half.
#
# Power stays on, of course.  What a process writes is written down, and what a
# cut would leave is made of that (lib/write_trace.py), at many places.

import os
import random
import re
import subprocess
import time

import pytest

from faults.lib import read_back, report, write_trace
from faults.lib.power_cut import SEED, Cuts
from faults.lib.rig import times

COMMITS = times(150, 500)
CUTS = times(120, 600)


# -- the spool alone, under the densest load


def numbers(data):
    """Application and numbers of spool_writer's lines."""
    found = [re.fullmatch(rb"<14>1 - - a(\d+) s - - (\d+)", f) for f in read_back.frames(data)]
    return {m.group(1) for m in found}, [int(m.group(2)) for m in found]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A trace of spool_writer, and [(time, {app: (head, end)})] of its commits."""
    top = tmp_path_factory.mktemp("written")
    data = top / "data"
    data.mkdir()
    env = write_trace.environment(read_back.tool("libwrite_trace.so"), top / "trace", data)
    done = subprocess.run([read_back.tool("spool_writer"), data, str(SEED), str(COMMITS)],
                          capture_output=True, timeout=120, env={**os.environ, **env})
    assert done.returncode == 0, done.stderr.decode()
    commits = []
    for line in done.stdout.decode().splitlines():
        time, *apps = line.split()
        logs = {int(a): (int(head), int(end)) for a, head, end in (x.split(":") for x in apps)}
        commits.append((int(time) * 1e-9, logs))
    assert len(commits) == COMMITS
    return write_trace.read(top / "trace", data), commits


def wrong(found, states):
    """What is wrong with a spool that must be in one of these states; None: nothing."""
    if found is None:
        return "who reads it dies"
    if found.faults or found.holes:
        return f"{found.faults} {found.holes} damaged chunks"
    if found.logs not in states:
        return f"logs are {found.logs}, not one of {states}"
    for app, (head, end) in found.logs.items():
        if found.marks.get((app, app), head) != head:
            return f"the mark of {app} is {found.marks[app, app]}, its log's head {head}"
        if head == end:
            continue
        seen = [n for seq, lines, (apps, held) in found.chunks[app] for n in held
                if n >= head and apps == {b"%d" % app}]
        if seen != list(range(head, end)):
            return f"of the lines {head} to {end} of {app} there are {len(seen)}"
    return None


def judge(written, folder, lies):
    """How many cuts were looked at, and what was wrong: [(record, words)]."""
    trace, commits = written
    faults = []
    cuts = Cuts(trace, folder, CUTS, lies=lies)
    with read_back.ReadBack(numbers) as back:
        for cut, until, image in cuts:
            # Those that were said before the cut; the next one may have been under way.
            said = sum(time < until for time, _ in commits)
            states = [logs for _, logs in ([(0, {})] + commits)[said:said + 2]]
            fault = wrong(back.read(image), states)
            if fault is not None:
                faults.append((cut, fault))
    return len(cuts.cuts), faults


def test_the_spool_alone(written, tmp_path):
    cuts, faults = judge(written, tmp_path / "image", lies=False)
    report.record(18, variant="the spool alone", passed=not faults,
                  note=f"{cuts - len(faults)} of {cuts} cuts well")
    assert not faults, f"{len(faults)} of {cuts}, the first: {faults[:3]}"


def test_a_disk_that_lies_is_found_out(written, tmp_path):
    """The check is worth something: without its syncs the same spool does not pass."""
    cuts, faults = judge(written, tmp_path / "image", lies=True)
    assert len(faults) > cuts / 4, f"only {len(faults)} of {cuts}"


# -- the store, while drains come and go


def change_drains(gw, rng, changes):
    """[(URL, asked, done, there)] of drains that come and go: two times, and what was asked for."""
    facts, there = [], []
    for n in range(changes):
        asked = time.monotonic()
        if there and rng.random() < 0.4:
            url = there.pop(rng.randrange(len(there)))
            gw.remove_drain("shop", url)
            facts.append((url, asked, time.monotonic(), False))
        else:
            url = gw.add_drain("shop", type="syslog", host="127.0.0.1", port=str(2000 + n))
            there.append(url)
            facts.append((url, asked, time.monotonic(), True))
    return facts


def wrong_drains(found, facts, until):
    if found is None:
        return "who reads it dies"
    if found.faults:
        return found.faults
    may, must = set(), set()
    for url, asked, done, there in facts:
        if asked > until:
            continue
        (may.add if there else must.discard)(url)
        if done < until:
            (must.add if there else may.discard)(url)
    if must <= set(found.drains) <= may:
        return None
    return f"missing: {must - set(found.drains)}, not removed: {set(found.drains) - may}"


def test_drains(gateway, tmp_path):
    gw = gateway(start=False)
    gw.env = write_trace.environment(read_back.tool("libwrite_trace.so"), tmp_path / "trace",
                                     gw.data)
    facts = change_drains(gw.start(), random.Random(SEED), times(60, 300))
    gw.stop()
    faults = []
    cuts = Cuts(write_trace.read(tmp_path / "trace", gw.data), tmp_path / "image", CUTS)
    with read_back.ReadBack(lambda data: None) as back:
        for cut, until, image in cuts:
            fault = wrong_drains(back.read(image), facts, until)
            if fault is not None:
                faults.append((cut, fault))
    report.record(18, variant="drains", passed=not faults,
                  note=f"{len(cuts.cuts) - len(faults)} of {len(cuts.cuts)} cuts well")
    assert not faults, f"{len(faults)} of {len(cuts.cuts)}, the first: {faults[:3]}"

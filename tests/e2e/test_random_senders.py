# Senders that come and go at random, with any framing and cut anywhere: every
# line of theirs arrives once, also a last one without LF.

import random
import threading
import time

import pytest

from lib import syslog

SENDERS = 200


def write(gw, number, seed):
    """One sender: a few lines, in pieces, with pauses, ended in its own way."""
    rng = random.Random(seed)
    lines = [syslog.line(f"app-{rng.randrange(4)}", f"{number} {i} " + "x" * rng.randrange(300))
             for i in range(rng.randrange(1, 12))]
    octet = rng.random() < 0.5
    data = (syslog.octet if octet else syslog.lf)(lines)
    if not octet and rng.random() < 0.5:
        data = data[:-1]
    with gw.connect() as s:
        while data:
            n = rng.choice([1, 7, 60, 500, 5000])
            s.sendall(data[:n])
            data = data[n:]
            if rng.random() < 0.1:
                time.sleep(rng.random() * 0.02)
    return lines


@pytest.mark.threaded
@pytest.mark.parametrize("workers", [1, 3])
def test_all_lines_arrive(gateway, receiver, workers):
    gw = gateway(workers=workers)
    sinks = [receiver() for _ in range(4)]
    for i, sink in enumerate(sinks):
        gw.add_drain(f"app-{i}", sink)
    seed = random.randrange(1 << 30)
    print("seed", seed)
    sent = []

    def crowd(first):
        for n in range(first, SENDERS, 8):
            sent.append(write(gw, n, seed + n))

    threads = [threading.Thread(target=crowd, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    everything = [l for lines in sent for l in lines]
    for i, sink in enumerate(sinks):
        mine = [l for l in everything if syslog.parse(l).app == b"app-%d" % i]
        assert sorted(sink.wait(len(mine))) == sorted(mine)
    assert sum(len(s.lines) for s in sinks) == len(everything)
